"""Atomic structures as a kind of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.assembly import same_rows
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.messages import counted
from amalthea.domains.protocol import Featurizer, Nouns
from amalthea.errors import DataError
from amalthea.potentials.n2p2.units import energy_unit, length_unit
from amalthea.potentials.reading import discovery as folders
from amalthea.potentials.reading import examples as tables
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.label_names import LabelNames
from amalthea.potentials.reading.read_frames import StructureOptions, read_frames
from amalthea.potentials.reading.sources import frames_from

UNITS, KEYS = ("length_unit", "energy_unit"), ("energy_key", "forces_key", "stress_key")
STATE = (*UNITS, *KEYS)
"""What a model remembers of the files that it learned from."""

ENERGY = Target("energy", "regression", unit="eV")


class Structures:
    """Structures with total energies, and with forces and stresses where they are known."""

    name: str = "structures"
    precedence: int = 10
    task: str = "potential"
    nouns: Nouns = Nouns("structure", "structures")
    numbered: bool = False
    asked_by: str = ""
    input_state_type: Any = dict[str, str]
    keras_modules: Sequence[str] = ()
    suggestions: Mapping[str, str] = MappingProxyType(
        {"predict": "structures.extxyz -o answered.extxyz", "train": "--members 4"}
    )
    in_words: bool = False
    identity: Sequence[str] = ("key",)

    def claims(self, path: Path) -> bool:
        """Say whether a path is a file of atomic structures, or a folder that holds one."""
        return folders.claims(path)

    def recognises(self, table: pd.DataFrame) -> bool:  # noqa: ARG002
        """Say that no table holds structures."""
        return False

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:  # noqa: ARG002
        """Refuse: structures stand in files of their own.

        Raises:
            DataError: always.
        """
        raise DataError(f"{name} is a table and holds no atomic structures. Give files such as .extxyz or OUTCAR.")

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
        """Read files and folders of structures with their labels.

        Two files called training and test, as the catalogue's silicon has them, are a data set and its test set.

        Args:
            paths: the files and folders.
            name: what the data set is called.
            options: `strict`, and the units of n2p2's files.

        Raises:
            DataError: nothing can be used.
        """
        if [path.stem for path in paths] == ["training", "test"]:
            dataset, test = (self.read([path], name, options) for path in paths)
            return dataclasses.replace(dataset, test=dataclasses.replace(test, name=f"{name}, test set"))
        if options.target not in ((), (ENERGY.name,)):
            raise DataError(
                f"structures have one target, {ENERGY.name}, and their forces and stresses are learned with it. "
                f"Received: {', '.join(options.target)}."
            )
        state = {
            "length_unit": length_unit(options.length_unit),
            "energy_unit": energy_unit(options.energy_unit),
            "energy_key": options.energy_key,
            "forces_key": options.forces_key,
            "stress_key": options.stress_key,
        }
        known = {name: text for name, text in state.items() if text is not None}
        frames = read_frames(paths, options=_options(known, labelled=True))
        if options.strict and frames.refused:
            first = frames.refused[0]
            raise DataError(
                f"{name}: {counted(len(frames.refused), 'frame')} cannot be used ({first.example}: {first.reason}). "
                "Mend them, or do not ask for strict reading."
            )
        return dataclasses.replace(_dataset(frames, name), input_state=known)

    def input_state(self, dataset: Dataset) -> dict[str, Any]:
        """Return the units of files that do not say theirs, and what labels are called where that was asked for."""
        return dict(dataset.input_state)

    def labelled(self, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:  # noqa: ARG002
        """Read new labelled structures, with the units and names of labels of those that were learned from.

        Raises:
            DataError: they are no structures, or none can be used.
        """
        if isinstance(source, pd.DataFrame) or not self.claims(Path(source)):
            name = "a table" if isinstance(source, pd.DataFrame) else str(source)
            raise DataError(f"{name} holds no atomic structures, which this model knows. Give files such as .extxyz.")
        known = {name: state[name] for name in STATE if name in state}
        return self.read([Path(source)], Path(source).stem, ReadOptions(**known))

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:  # noqa: ARG002
        """Return each structure as SVG; a large one as its formula and where it stands."""
        from amalthea.potentials.drawing import structure, summary

        return [structure(row["atoms"]) or summary(row) for row in examples.to_dict("records")]

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return where each structure stands."""
        return [f"{row['source']}, frame {row['frame']}" for row in examples.to_dict("records")]

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn structures into examples.

        Args:
            source: a file, a folder, one `ase.Atoms`, or a list of files or of `ase.Atoms`.
            state: the units of n2p2's files.

        Raises:
            DataError: nothing can be read.
        """
        return as_inputs(frames_of(source, state))

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the structures of a file or folder, at most `rows` at a time."""
        asked = self.inputs(path, state)
        for start in range(0, len(asked), rows):
            part = slice(start, start + rows)
            yield Inputs(asked.table[part], asked.examples[part], asked.problems[part], asked.warnings[part])

    def save_inputs(self, asked: Inputs, folder: Path) -> None:  # noqa: ARG002
        """Refuse: what the networks saw are symmetry functions.

        Raises:
            DataError: always.
        """
        raise DataError("only pictures can be saved as the network saw them; this model reads structures.")

    def groups(self, dataset: Dataset, kind: str) -> NDArray[np.int64]:  # noqa: ARG002
        """Refuse: structures have no groups of their own.

        Raises:
            DataError: always.
        """
        raise DataError(f"structures are split by 'random', 'group', 'time' or 'column'. Received: {kind}")

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that `SymmetryFunctions.state` described."""
        from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions

        return SymmetryFunctions.from_state(state)

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the names of examples, and the structures as extended XYZ."""
        if "atoms" not in examples:
            return examples, {}
        table = examples.drop(columns=["atoms", "energy", "forces", "stress"])
        return table, {"structures.extxyz": tables.pack(examples)}

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:
        """Return the examples that `pack` packed."""
        if "structures.extxyz" not in parts:
            return table
        return tables.unpack(table, parts["structures.extxyz"])


def _dataset(frames: Frames, name: str) -> Dataset:
    examples = tables.as_examples(frames)
    groups = same_rows(examples[["key"]])
    copies = int(np.sum(np.bincount(groups) > 1))
    notes = frames.notes
    if copies:
        stand = "One structure stands" if copies == 1 else f"{copies:,} structures stand"
        notes += (f"{stand} more than once; copies share a fold.",)
    return Dataset(
        name=name,
        domain="structures",
        examples=examples,
        targets=(ENERGY,),
        values=frames.energy[:, None].copy(),
        groups=groups,
        rows=frames.row,
        columns=frames.info,
        refused=frames.refused,
        notes=notes,
    )


def frames_of(source: Any, state: Mapping[str, Any]) -> Frames:
    """Return structures, with labels or without.

    Args:
        source: a file, a folder, one `ase.Atoms`, or a list of files or of `ase.Atoms`.
        state: units and names of labels, as `Structures.input_state` gave them.

    Raises:
        DataError: nothing can be read.
    """
    return frames_from(source, _options(state, labelled=False))


def _options(state: Mapping[str, Any], labelled: bool) -> StructureOptions:
    """Return how structures are read, from what a model remembers of those that it learned from."""
    units = {name: state[name] for name in UNITS if name in state}
    names = LabelNames(*(state.get(name) for name in KEYS))
    return StructureOptions(labelled=labelled, names=names, **units)


def as_inputs(frames: Frames) -> Inputs:
    """Return the frames that could be read, and the others in their places."""
    examples = tables.as_examples(frames).set_index(pd.Index(frames.row))
    table = pd.DataFrame({"file": frames.source, "frame": frames.frame}, index=frames.row)
    refused = pd.DataFrame({"file": [r.example for r in frames.refused]}, index=[r.row for r in frames.refused])
    every = pd.Index(sorted([*frames.row.tolist(), *refused.index.tolist()]))
    problems = pd.Series("", index=every, dtype=object)
    for refusal in frames.refused:
        problems[refusal.row] = refusal.reason
    whole = pd.concat([table, refused]).reindex(every) if len(refused) else table
    known = (
        examples.reindex(every).astype(object).where(lambda column: column.notna(), None) if len(refused) else examples
    )
    return Inputs(whole, known, problems.to_numpy(object), np.full(len(every), "", object))
