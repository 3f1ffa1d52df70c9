"""Finished English sentences in another language: errors, notes and results, wherever in the program they were made.

The library speaks English. Who shows a sentence to a reader looks it up here: `locale/*/LC_MESSAGES/sentences.po` has
it with {0}, {1}, ... where the code fills something in, in that order.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import resources

from amalthea.errors import MissingDependencyError
from amalthea.reporting.translate import ENGLISH, check_language, languages, read_catalogue

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The environment's words for the language, the first that is set counts (POSIX, section 8.2)."""

END = re.compile(r"(?<=[.:!?)]) +")
"""Between two sentences."""


class Sentences:
    """Turns finished sentences into those of a language.

    Args:
        language: its tag.
        pairs: by English sentence, with {0}, {1}, ... for what is filled in, the other language's.

    Example:
        >>> say = Sentences("pt-BR", {"Line {0} has no {1}.": "Falta {1} na linha {0}.", "a number": "um número"})
        >>> say("Line 5 has no a number. Nobody knows why."), say("Line 5 is fine.")
        ('Falta um número na linha 5. Nobody knows why.', 'Line 5 is fine.')
    """

    def __init__(self, language: str, pairs: Mapping[str, str]) -> None:
        self.language = language
        self._whole = {one: other for one, other in pairs.items() if not re.search(r"{\d}", one)}
        templates = [(one, other) for one, other in pairs.items() if one not in self._whole]
        # The template that says most itself is tried first.
        templates.sort(key=lambda pair: len(re.sub(r"{\d}", "", pair[0])), reverse=True)
        self._patterns = [(_pattern(one), other) for one, other in templates]

    def __call__(self, text: str) -> str:
        """Return a text with every sentence that is known in this language, and the others as they are."""
        if self.language == ENGLISH or not re.search(r"[^\W\d_]{2}", text):
            return text
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        blank = line[: len(line) - len(line.lstrip())]
        words = END.split(line.strip())
        done, start = [], 0
        # The longest run of sentences that is known, from the left; one that is not stays as it is.
        while start < len(words):
            for stop in range(len(words), start, -1):
                known = self._known(" ".join(words[start:stop]))
                if known is not None:
                    break
            done.append(words[start] if known is None else known)
            start = start + 1 if known is None else stop
        return blank + " ".join(done)

    def _known(self, text: str) -> str | None:
        if text in self._whole:
            return self._whole[text]
        for pattern, other in self._patterns:
            found = pattern.fullmatch(text)
            if found:
                return other.format(*(self(found[f"_{number}"]) for number in range(pattern.groups)))
        return None


def _pattern(template: str) -> re.Pattern[str]:
    """Return what matches a template filled in.

    Only at its very end may something hold several sentences; in one of a single word without punctuation ("{0} rows")
    nothing else may hold several words, or half of many an unknown sentence would be translated.
    """
    parts = re.split(r"{(\d)}", template)
    single = re.fullmatch(r"\W*\w+", "".join(parts[::2]).strip())
    inside = r"\S*?" if single else r"(?:(?![.!?] [A-Z\d]).)*?[.!?]??"
    at_end = len(parts) - 2 if parts[-1] == "" and not single else None
    return re.compile(
        "".join(
            f"(?P<_{part}>{'.*' if index == at_end else inside})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        ),
        re.DOTALL,
    )


def sentences_in(language: str) -> Sentences:
    """Return what turns sentences into those of a language.

    Raises:
        AmaltheaError: there is no such language.
        MissingDependencyError: Babel is not installed.
    """
    check_language(language)
    if language == ENGLISH:
        return Sentences(ENGLISH, {})
    home = resources.files("amalthea.reporting") / "locale" / language.replace("-", "_")
    catalogue = read_catalogue((home / "LC_MESSAGES/sentences.po").read_text(encoding="utf-8"))
    return Sentences(language, {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string})


def of_this_place(environment: Mapping[str, str] = os.environ) -> str:
    """Return the tag of the language that the environment asks for, English where there is nothing in it.

    Example:
        >>> of_this_place({"LANG": "pt_BR.UTF-8"}), of_this_place({"LANG": "pt_BR.UTF-8", "LC_ALL": "C"})
        ('pt-BR', 'en')
    """
    asked = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    tag = re.split(r"[.@]", asked)[0].replace("_", "-")
    return next((each for each in languages() if each.lower() == tag.lower()), ENGLISH)


def of_a_terminal(asked: str | None = None) -> Sentences:
    """Return the sentences of the language that is asked for, or else of the environment's.

    Where only the environment asks for it, a language for which something is not installed is English.
    """
    if asked is not None:
        return sentences_in(asked)
    try:
        return sentences_in(of_this_place())
    except MissingDependencyError:
        return sentences_in(ENGLISH)
