"""The report's languages: English stands in the code, every other language is one gettext catalogue.

To add a language, copy `locale/pt_BR` to a folder of the language's name and translate the `.po` file with any gettext
editor. Nothing has to be compiled.
"""

from __future__ import annotations

import gettext
import io
import math
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

from amalthea.datasets.messages import listed
from amalthea.domains.protocol import Featurizer, Nouns
from amalthea.errors import AmaltheaError, DataError, MissingDependencyError
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import written

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ENGLISH = "en"


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

    def translated(self, name: str) -> str:
        """Return a name in this language, or as it is where that has none for it; nothing is filled in."""
        return self._catalogue.gettext(name)

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
        amalthea.errors.AmaltheaError: Nothing is translated into 'tlh'. The languages are: en, pt-BR.
    """
    check_language(language)
    if language == ENGLISH:
        return Words(ENGLISH, gettext.NullTranslations())
    path = resources.files("amalthea.reporting") / "locale" / language.replace("-", "_") / "LC_MESSAGES/amalthea.po"
    return Words(language, translations(path.read_text(encoding="utf-8")))


def check_language(language: str) -> None:
    """Check that there is a language of this tag.

    Raises:
        AmaltheaError: there is none.
    """
    if language not in languages():
        raise AmaltheaError(f"Nothing is translated into '{language}'. The languages are: {listed(languages())}.")


def read_catalogue(text: str) -> Catalog:
    """Return the entries of a gettext catalogue, a `.po` file.

    Raises:
        DataError: a line cannot be read.
        MissingDependencyError: Babel is not installed.
    """
    try:
        from babel.messages.pofile import PoFileError, read_po
    except ImportError as error:
        raise MissingDependencyError("Another language needs Babel: pip install amalthea[report]") from error
    try:
        return read_po(io.StringIO(text), abort_invalid=True)
    except PoFileError as error:
        raise DataError(f"Line {error.lineno + 1} of the catalogue cannot be read: {error.line}") from error


def translations(text: str) -> gettext.GNUTranslations:
    """Return what a gettext catalogue (a `.po` file) holds, compiled.

    Raises:
        DataError: a line cannot be read.
        MissingDependencyError: Babel is not installed.

    Example:
        >>> translations('msgid "Data"\\nmsgstr "Dados"').gettext("Data")
        'Dados'
    """
    catalogue = read_catalogue(text)
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def languages() -> list[str]:
    """Return the tags of all languages, English first."""
    folders = (resources.files("amalthea.reporting") / "locale").iterdir()
    return [ENGLISH, *sorted(folder.name.replace("_", "-") for folder in folders if folder.is_dir())]


def noun(words: Words, nouns: Nouns, number: int) -> str:
    """Return so many examples of a kind of data, in words.

    Example:
        >>> noun(in_language(), Nouns("strand", "strands"), 1128)
        '1,128 strands'
    """
    return words.plural(f"{{n}} {nouns.one}", f"{{n}} {nouns.many}", number)


def feature(words: Words, featurizer: Featurizer) -> str:
    """Return the name of a kind of features as people write it."""
    return words.translated(getattr(featurizer, "title", featurizer.name))


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
    return words.translated(text) if name in units else {"accuracy": words("accuracy")}.get(name, text)


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
