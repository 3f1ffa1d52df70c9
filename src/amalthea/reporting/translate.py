"""The report's languages: English stands in the code, every other language is one gettext catalogue.

To add a language, copy `locale/pt_BR` to a folder of the language's name and translate the `.po` file with any gettext
editor. Nothing has to be compiled.
"""

from __future__ import annotations

import ast
import gettext
import io
import math
import struct
from collections.abc import Mapping
from importlib import resources
from typing import Any

from amalthea.datasets.messages import listed
from amalthea.errors import AmaltheaError, DataError
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import TargetSummary, written

ENGLISH = "en"
DOMAIN = "amalthea"


class Words:
    """Turns the report's sentences, names and numbers into those of a language.

    Args:
        language: its tag, as in HTML: "en", "pt-BR".
        catalogue: the translations.

    Example:
        >>> words = in_language("pt-BR")
        >>> words("Figures"), words.number(1234.5), words.count(1128)
        ('Métricas', '1234,5', '1.128')
        >>> words.figure(Figure(0.5523, 0.0213))
        '0,55\xa0±\xa00,02'
    """

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue
        self.point = catalogue.pgettext("decimal mark", ".")
        self.thousands = catalogue.pgettext("thousands separator", ",")

    def __call__(self, message: str, **values: object) -> str:
        """Return a message in this language, its {names} filled in."""
        return self._catalogue.gettext(message).format(**values)

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the form of a message that belongs to the number n, which stands in it as {n}."""
        return self._catalogue.ngettext(one, many, n).format(n=self.count(n), **values)

    def number(self, value: float, digits: int = 5) -> str:
        """Return a number with so many significant digits."""
        return self._signed(f"{value:.{digits}g}")

    def rounded(self, value: float, error: float) -> str:
        """Return a number with as many decimals as its error gives sense to.

        Example:
            >>> in_language().rounded(-1.23456, 0.31), in_language().rounded(1234.5, 31.0)
            ('−1.23', '1234')
        """
        if not (math.isfinite(error) and error > 0):
            return self.number(value, 4)
        return self._signed(f"{value:.{max(0, 1 - math.floor(math.log10(error)))}f}")

    def decimal(self, text: str) -> str:
        """Return a number that is written in English with the language's decimal mark."""
        return text.replace(".", self.point)

    def percent(self, share: float, decimals: int = 0) -> str:
        """Return a share of 1 in percent."""
        return f"{100 * share:.{decimals}f} %".replace(".", self.point)

    def count(self, number: int) -> str:
        """Return a whole number with the thousands set apart."""
        return f"{number:,}".replace(",", self.thousands)

    def figure(self, figure: Figure, unit: str = "") -> str:
        """Return a figure with its error and unit."""
        return self._signed(str(figure)).replace(" ± ", "\u00a0±\u00a0") + (f" {unit}" if unit else "")

    def _signed(self, number: str) -> str:
        """Return a number with the language's decimal mark and a true minus."""
        return number.replace(".", self.point).replace("-", "−")


def in_language(language: str = ENGLISH) -> Words:
    """Return the words of a language.

    Raises:
        AmaltheaError: there is no such language.

    Example:
        >>> in_language("tlh")
        Traceback (most recent call last):
        amalthea.errors.AmaltheaError: There is no report in 'tlh'. The languages are: en, pt-BR.
    """
    if language == ENGLISH:
        return Words(ENGLISH, gettext.NullTranslations())
    if language not in languages():
        raise AmaltheaError(f"There is no report in '{language}'. The languages are: {listed(languages())}.")
    path = (
        resources.files("amalthea.reporting") / "locale" / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"
    )
    messages = read_po(path.read_text(encoding="utf-8"))
    return Words(language, gettext.GNUTranslations(io.BytesIO(_as_mo(messages))))


def languages() -> list[str]:
    """Return the tags of all languages, English first."""
    folders = (resources.files("amalthea.reporting") / "locale").iterdir()
    return [ENGLISH, *sorted(folder.name.replace("_", "-") for folder in folders if folder.is_dir())]


def read_po(text: str) -> dict[str, str]:
    """Return the translations of a gettext catalogue, by the keys that a compiled one (`.mo`) has.

    Args:
        text: the `.po` file.

    Raises:
        DataError: a line cannot be read.

    Example:
        >>> read_po('msgid "Data"\\nmsgstr "Dados"')
        {'Data': 'Dados'}
    """
    entries: list[dict[str, str]] = [{}]
    field = ""
    for number, line in enumerate(text.splitlines(), start=1):
        word, _, rest = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith('"'):
            rest = line
        else:
            if word in ("msgctxt", "msgid") and "msgstr" in "".join(entries[-1]):
                entries.append({})
            field = word
        try:
            entries[-1][field] = entries[-1].get(field, "") + str(ast.literal_eval(rest))
        except (SyntaxError, ValueError) as error:
            raise DataError(f"Line {number} of the catalogue cannot be read: {line}") from error
    return {_key(entry): _translation(entry) for entry in entries if _translation(entry)}


def _key(entry: dict[str, str]) -> str:
    context = entry["msgctxt"] + "\x04" if "msgctxt" in entry else ""
    plural = "\0" + entry["msgid_plural"] if "msgid_plural" in entry else ""
    return context + entry.get("msgid", "") + plural


def _translation(entry: dict[str, str]) -> str:
    forms = [entry[name] for name in sorted(entry) if name.startswith("msgstr")]
    return "\0".join(forms) if all(forms) else ""


def _as_mo(messages: dict[str, str]) -> bytes:
    """Return a catalogue in the binary form that Python's gettext reads (GNU gettext manual, section 10.3)."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    tables: list[tuple[int, int]] = []
    texts = b""
    start = 28 + 16 * len(pairs)
    for column in (0, 1):
        for pair in pairs:
            tables.append((len(pair[column]), start + len(texts)))
            texts += pair[column] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return header + b"".join(struct.pack("<2I", *entry) for entry in tables) + texts


def noun(words: Words, domain: str, number: int) -> str:
    """Return so many examples of a kind of data, in words.

    Example:
        >>> noun(in_language(), "molecules", 1128)
        '1,128 molecules'
    """
    match domain:
        case "molecules":
            return words.plural("{n} molecule", "{n} molecules", number)
        case "images":
            return words.plural("{n} image", "{n} images", number)
        case "structures":
            return words.plural("{n} structure", "{n} structures", number)
        case _:
            return words.plural("{n} row", "{n} rows", number)


def target_name(words: Words, summary: TargetSummary) -> str:
    """Return a target's name: as the data have it, or a potential's energies in this language."""
    return words("energies") if summary.task == "potential" else summary.target


def feature(words: Words, name: str) -> str:
    """Return the name of a kind of features as people write it."""
    known: dict[str, str] = {
        "columns": words("columns"),
        "descriptors": words("descriptors"),
        "morgan": words("Morgan counts"),
        "both": words("descriptors and Morgan counts"),
        "pixels": words("pixels"),
        "symmetry functions": words("symmetry functions"),
    }
    return known.get(name, name)


def unit(words: Words, symbol: str) -> str:
    """Return a unit as it is written in this language."""
    known: dict[str, str] = {"meV/atom": words("meV/atom"), "eV/atom": words("eV/atom")}
    return known.get(symbol, symbol)


def capital(text: str) -> str:
    """Return a text that begins with a capital letter.

    Example:
        >>> capital("force MAE")
        'Force MAE'
    """
    return text[:1].upper() + text[1:]


def joined(words: Words, names: list[str]) -> str:
    """Return names as a list in a sentence.

    Example:
        >>> joined(in_language(), ["energies", "forces", "stresses"])
        'energies, forces and stresses'
    """
    *some, last = names
    return words("{some} and {last}", some=", ".join(some), last=last) if some else last


def metric(words: Words, name: str, units: Mapping[str, str]) -> str:
    """Return a metric's name as people write it; those that carry a unit are translated as a whole."""
    text = written(name, units.get(name, ""))
    return words(text) if name in units else {"accuracy": words("accuracy")}.get(name, text)


def baseline(words: Words, name: str) -> str:
    """Return a baseline's name; one that came with the data keeps its own."""
    known: dict[str, Any] = {
        "mean": words("mean"),
        "majority": words("majority"),
        "linear": words("linear"),
        "kernel": words("kernel"),
        "boosting": words("boosting"),
    }
    return str(known.get(name, name))
