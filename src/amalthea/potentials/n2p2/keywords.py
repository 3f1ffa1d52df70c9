"""input.nn: keywords to settings, and settings to keywords."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from amalthea.datasets.files import existing_file, write_whole
from amalthea.datasets.messages import listed
from amalthea.errors import DataError
from amalthea.potentials.n2p2.settings import LETTERS, Activation, Normalization, ScalingKind, Settings
from amalthea.potentials.n2p2.symfunctions import KINDS, function_from, order, words_of
from amalthea.potentials.n2p2.units import EnergyUnit, LengthUnit, angstroms, electronvolts, text
from amalthea.potentials.symmetry_functions.functions import (
    CompactAngular,
    CompactRadial,
    Cutoff,
    CutoffKind,
    SymmetryFunction,
)

SCALINGS: dict[frozenset[str], ScalingKind] = {
    frozenset(): "none",
    frozenset({"scale_symmetry_functions"}): "scale",
    frozenset({"center_symmetry_functions"}): "center",
    frozenset({"scale_symmetry_functions", "center_symmetry_functions"}): "scale_center",
    frozenset({"scale_symmetry_functions_sigma"}): "sigma",
    frozenset({"scale_symmetry_functions_sigma", "center_symmetry_functions"}): "sigma",
}
"""The kind of scaling by the keywords that ask for it."""


class Keywords:
    """The keywords of a file, each with its lines.

    Args:
        path: an existing file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, list[tuple[int, list[str]]]] = {}
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            words = line.partition("#")[0].split()
            if words:
                self._lines.setdefault(words[0], []).append((number, words[1:]))

    def __contains__(self, keyword: str) -> bool:
        return keyword in self._lines

    def every(self, keyword: str, least: int = 0) -> list[tuple[int, list[str]]]:
        """Return all lines with a keyword: the number of each and its words, of which there are at least so many."""
        lines = self._lines.get(keyword, [])
        for number, words in lines:
            if len(words) < least:
                raise self.error(number, f"'{keyword}' needs at least {least} values behind it and has {len(words)}")
        return lines

    def one(self, keyword: str) -> tuple[int, list[str]]:
        """Return the only line with a keyword that is needed."""
        lines = self.every(keyword, least=1)
        if not lines:
            raise DataError(
                f"{self.path} lacks the keyword '{keyword}', without which the potential is not known. Add it, or see "
                "whether this is the potential's input.nn."
            )
        if len(lines) > 1:
            raise self.error(lines[1][0], f"'{keyword}' stands here again, after line {lines[0][0]}; only one can hold")
        return lines[0]

    def number(self, keyword: str, default: float | None = None) -> float:
        """Return the number behind a keyword."""
        if default is not None and keyword not in self:
            return default
        line, words = self.one(keyword)
        return self.real(line, words[0])

    def real(self, line: int, word: str) -> float:
        """Return a word of a line as a number."""
        try:
            return float(word)
        except ValueError:
            raise self.error(line, f"'{word}' is not a number") from None

    def integer(self, line: int, word: str) -> int:
        """Return a word of a line as a whole number that is not negative."""
        if not word.isdecimal():
            raise self.error(line, f"'{word}' is not a whole number")
        return int(word)

    def error(self, line: int, what: str) -> DataError:
        """Return an error that names the line."""
        return DataError(f"{self.path}, line {line}: {what}.")


def read_input(path: str | os.PathLike[str], *, length_unit: LengthUnit, energy_unit: EnergyUnit) -> Settings:
    """Read an input.nn; keywords of the training are left out.

    Args:
        path: the file.
        length_unit: the file's unit of length, "bohr" or "angstrom": it does not say it itself.
        energy_unit: the file's unit of energy, "hartree" or "ev".

    Raises:
        DataError: no such file, a needed keyword is missing or cannot be understood.
    """
    words = Keywords(existing_file(path))
    energy = electronvolts(energy_unit)
    elements = _elements(words)
    hidden = {element: _hidden(words, element) for element in elements}
    line, letters = words.one("global_activation_short")
    overriding = {row[0]: (at, row[1:]) for at, row in words.every("element_activation_short", least=2)}
    return Settings(
        elements=elements,
        functions=_functions(words, elements, angstroms(length_unit)),
        hidden=hidden,
        activations={
            element: _activations(words, *overriding.get(element, (line, letters)), len(hidden[element]))
            for element in elements
        },
        scaling=_scaling(words),
        scale_range=(words.number("scale_min_short", 0.0), words.number("scale_max_short", 1.0)),
        atom_energy=dict.fromkeys(elements, 0.0)
        | {
            element: words.real(line, value) * energy
            for line, (element, value, *_) in words.every("atom_energy", least=2)
            if element in elements
        },
        normalize_nodes="normalize_nodes" in words,
        normalization=_normalization(words, angstroms(length_unit), energy),
        length_unit=length_unit,
        energy_unit=energy_unit,
    )


def write_input(path: str | os.PathLike[str], settings: Settings) -> None:
    """Write an input.nn that n2p2, LAMMPS and `read_input` understand, in the settings' units.

    Args:
        path: where the file shall lie.
        settings: the potential; n2p2 has one kind of cutoff for all functions.

    Raises:
        DataError: the functions have cutoffs of several kinds, or the file cannot be written.
    """
    length, energy = angstroms(settings.length_unit), electronvolts(settings.energy_unit)
    kind, inner = _one_cutoff(settings)
    letter = {name: letter for letter, name in LETTERS.items()}
    first = settings.elements[0]
    lines = [f"# Units: {settings.length_unit}, {settings.energy_unit}"]
    if settings.normalization:
        lines += [
            f"mean_energy {text(settings.normalization.mean_energy, energy)}",
            f"conv_energy {text(settings.normalization.conv_energy, 1 / energy)}",
            f"conv_length {text(settings.normalization.conv_length, 1 / length)}",
        ]
    lines += [f"number_of_elements {len(settings.elements)}", f"elements {' '.join(settings.elements)}"]
    lines += [f"atom_energy {name} {text(value, energy)}" for name, value in settings.atom_energy.items() if value]
    lines += [f"cutoff_type {KINDS.index(kind)}" + (f" {text(inner)}" if inner else "")]
    keywords = next(keywords for keywords, scaling in SCALINGS.items() if scaling == settings.scaling)
    lines += [*sorted(keywords), *(["normalize_nodes"] if settings.normalize_nodes else [])]
    lines += [f"scale_min_short {text(settings.scale_range[0])}", f"scale_max_short {text(settings.scale_range[1])}"]
    for element in settings.elements:
        # The first element's network is written as that of all; the others get lines only where they differ.
        start, name = ("global", "") if element == first else ("element", f" {element}")
        hidden, activations = settings.hidden[element], settings.activations[element]
        if element != first and (hidden, activations) == (settings.hidden[first], settings.activations[first]):
            continue
        lines += [
            f"{start}_hidden_layers_short{name} {len(hidden)}",
            f"{start}_nodes_short{name} {' '.join(map(str, hidden))}",
            f"{start}_activation_short{name} {' '.join(letter[one] for one in activations)}",
        ]
    for element in settings.elements:
        functions = settings.functions[element]
        texts = [" ".join(words_of(functions[index], length)) for index in order(functions)]
        lines += [f"symfunction_short {element} {words}" for words in texts]
    write_whole(path, lambda temporary: temporary.write_text("\n".join(lines) + "\n", "utf-8"))


def _elements(words: Keywords) -> tuple[str, ...]:
    from ase.data import atomic_numbers

    line, elements = words.one("elements")
    count = words.number("number_of_elements")
    if strange := [element for element in elements if element not in atomic_numbers or element == "X"]:
        raise words.error(line, f"'{strange[0]}' is no element")
    if count != len(elements) or len(set(elements)) < len(elements):
        raise words.error(line, f"{listed(elements)} are not the {count:g} different elements that were announced")
    return tuple(sorted(elements, key=lambda element: atomic_numbers[element]))


def _hidden(words: Keywords, element: str) -> tuple[int, ...]:
    """Return the nodes of an element's hidden layers.

    `element_nodes_short` lists them all (n2p2), or gives those of one layer: element, layer, nodes (RuNNer, old n2p2).
    """
    # How many layers: for all elements, unless there is a line for this one.
    line, values = words.one("global_hidden_layers_short")
    for at, row in words.every("element_hidden_layers_short", least=2):
        line, values = (at, row[1:]) if row[0] == element else (line, values)
    count = words.integer(line, values[0])
    # How many nodes: likewise; which of the two forms a line of the element has follows from how many numbers it holds.
    line, values = words.one("global_nodes_short") if count else (line, [])
    nodes = [words.integer(line, value) for value in values[:count]]
    for line, (name, *rest) in words.every("element_nodes_short", least=2):
        numbers = [words.integer(line, value) for value in rest]
        if name != element:
            continue
        if len(numbers) == 2 and 1 <= numbers[0] <= count and not (count == 2 and numbers[0] > 2):
            nodes += [0] * (numbers[0] - len(nodes))
            nodes[numbers[0] - 1] = numbers[1]
        elif len(numbers) == count:
            nodes = numbers
        else:
            raise words.error(line, f"{len(numbers)} numbers of nodes do not fit {element}'s {count} hidden layers")
    if len(nodes) != count or 0 in nodes:
        raise DataError(
            f"{words.path}: {element} has {count} hidden layers, and the nodes of {len(nodes) - nodes.count(0)} are "
            "given. Complete 'global_nodes_short' or 'element_nodes_short'."
        )
    return tuple(nodes)


def _activations(words: Keywords, line: int, letters: Sequence[str], hidden: int) -> tuple[Activation, ...]:
    if strange := [letter for letter in letters if letter not in LETTERS]:
        raise words.error(
            line, f"'{strange[0]}' is no activation function of a layer; known are the letters {' '.join(LETTERS)}"
        )
    if len(letters) < hidden + 1:
        raise words.error(line, f"{len(letters)} activation functions for {hidden} hidden layers and the output")
    return tuple(LETTERS[letter] for letter in letters[: hidden + 1])


def _functions(words: Keywords, elements: tuple[str, ...], length: float) -> dict[str, tuple[SymmetryFunction, ...]]:
    functions: dict[str, list[SymmetryFunction]] = {element: [] for element in elements}
    for line, (element, *rest) in words.every("symfunction_short", least=2):
        wanted = [element, *(word for word in rest[1:3] if word[0].isalpha() and rest[0] not in ("12", "13"))]
        if strange := [name for name in wanted if name not in elements]:
            raise words.error(line, f"'{strange[0]}' is none of the potential's elements ({listed(elements)})")
        try:
            functions[element].append(function_from(rest, functools.partial(_cutoff, words), length))
        except DataError as error:
            raise words.error(line, str(error).removesuffix(".")) from error
    if lacking := [element for element in elements if not functions[element]]:
        raise DataError(f"{words.path} has no line 'symfunction_short {lacking[0]} ...': {lacking[0]} sees nothing.")
    return {element: tuple(several[index] for index in order(several)) for element, several in functions.items()}


def _cutoff(words: Keywords, radius: float) -> Cutoff:
    line, (kind, *alpha) = words.one("cutoff_type")
    number = words.integer(line, kind)
    if number >= len(KINDS):
        raise DataError(f"there is no cutoff of type {kind} (line {line}), only 0 to {len(KINDS) - 1}")
    if radius <= 0:
        raise DataError("the cutoff radius is not positive")
    inner = words.real(line, alpha[0]) if alpha and not KINDS[number].startswith("tanh") else 0.0
    if not 0 <= inner < 1:
        raise DataError(f"the inner radius is not within the cutoff radius: alpha is {inner:g} (line {line})")
    return Cutoff(radius, KINDS[number], inner)


def _scaling(words: Keywords) -> ScalingKind:
    wanted = frozenset(keyword for keyword in itertools.chain(*SCALINGS) if keyword in words)
    if wanted not in SCALINGS:
        raise DataError(f"{words.path}: {' and '.join(sorted(wanted))} exclude each other. Keep the one that is meant.")
    return SCALINGS[wanted]


def _normalization(words: Keywords, length: float, energy: float) -> Normalization | None:
    if not any(keyword in words for keyword in ("mean_energy", "conv_energy", "conv_length")):
        return None
    return Normalization(
        mean_energy=words.number("mean_energy") * energy,
        conv_energy=words.number("conv_energy") * (1 / energy),
        conv_length=words.number("conv_length") * (1 / length),
    )


def _one_cutoff(settings: Settings) -> tuple[CutoffKind, float]:
    """Return the kind and the inner part of all cutoffs."""
    kinds = {
        (function.cutoff.kind, function.cutoff.inner)
        for function in itertools.chain(*settings.functions.values())
        if not isinstance(function, CompactRadial | CompactAngular)
    }
    if len(kinds) > 1:
        raise DataError(
            f"the symmetry functions have cutoffs of {len(kinds)} kinds ({listed(sorted(kind for kind, _ in kinds))}), "
            "and n2p2 has one for all. Choose the same kind and inner radius for all."
        )
    return next(iter(kinds), ("cosine", 0.0))
