"""Molecules as a kind of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.assembly import ParsedTable, assemble, well_formed
from amalthea.datasets.cells import Writing, as_record, plain_numbers
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import iterate_table, malformed, read_table
from amalthea.datasets.messages import did_you_mean, listed
from amalthea.datasets.targets import read_targets
from amalthea.domains.molecules import chembl, drawing, featurizers
from amalthea.domains.molecules.cleaning import Cleaned, clean
from amalthea.domains.molecules.columns import find_smiles_column
from amalthea.domains.molecules.contradictions import kept_whole, notes_on_changes
from amalthea.domains.molecules.grouping import cluster_groups, scaffold_groups
from amalthea.domains.molecules.identity import note_on_tautomers, tautomers
from amalthea.domains.molecules.replicates import join_replicates
from amalthea.domains.networks import dense
from amalthea.domains.protocol import Defaults, Featurizer, Nouns, Pieces
from amalthea.domains.tabular_inputs import Rows
from amalthea.errors import DataError

RDKIT = (
    """@misc{rdkit, title = {{RDKit}: Open-source cheminformatics}, howpublished = {\\url{https://www.rdkit.org}}}"""
)

MORGAN = """@article{rogers2010, author = {Rogers, David and Hahn, Mathew}, title = {Extended-Connectivity
  Fingerprints}, journal = {Journal of Chemical Information and Modeling}, volume = {50}, pages = {742--754},
  year = {2010}}"""
"""The works on which molecules rest, as BibTeX."""


@dataclasses.dataclass(frozen=True)
class SmilesState:
    """What a model remembers of the molecules that it has learned from."""

    column: str  # of their SMILES
    clean: bool  # whether each one's largest fragment was kept, neutralized
    written: Mapping[str, Writing] = dataclasses.field(default_factory=dict)  # how numbers beside them are written


class Molecules(Rows):
    """Molecules given as SMILES, one in each row of a table."""

    name: str = "molecules"
    precedence: int = 30
    nouns: Nouns = Nouns("molecule", "molecules")
    asked_by: str = "smiles"
    input_state_type: Any = SmilesState
    suggestions: Mapping[str, str] = MappingProxyType(
        {"predict": "CCO 'c1ccccc1C(=O)N'", "train": "--split scaffold", "apart": "--features stereo"}
    )
    in_words: bool = True
    groupings: Sequence[str] = ("scaffold", "cluster")
    feature_choices: Sequence[str] = ("auto", "descriptors", "morgan", "both", "stereo")

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:  # noqa: ARG002
        """Return each molecule drawn as SVG; its SMILES where it cannot be drawn."""
        return [drawing.drawn(smiles) for smiles in examples["smiles"]]

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each molecule's SMILES."""
        return [str(smiles) for smiles in examples["smiles"]]

    def parts(self, examples: pd.DataFrame) -> Pieces:  # noqa: ARG002
        """Return that molecules consist of atoms."""
        return Pieces(drawing.without_atoms, drawing.coloured, drawing.READING)

    def works(self, features: Sequence[str]) -> list[str]:
        """Return the works on which molecules and these features rest, as BibTeX."""
        return [RDKIT, MORGAN] if {"morgan", "both", "stereo"} & set(features) else [RDKIT]

    def recognises(self, table: pd.DataFrame) -> bool:
        """Say whether some column holds SMILES, whatever it is called."""
        return find_smiles_column(table) is not None

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table into molecules and targets; each change that cleaning makes is counted in the notes.

        An export of activities from ChEMBL becomes one activity a compound, its replicates joined.

        Raises:
            DataError: the table cannot be used.

        Example:
            >>> table = pd.DataFrame({"drug": ["CCO", "C(O)C", "CCC"], "y": ["1.5", "1.7", "2.1"]}, dtype="str")
            >>> dataset = Molecules().dataset(table, "small", ReadOptions())
            >>> dataset.examples["smiles"].tolist(), dataset.groups.tolist()
            (['CCO', 'CCO', 'CCC'], [0, 0, 1])
        """
        if options.keep:
            raise DataError(f"molecules are learned from their structure alone: --keep {options.keep[0]} has no use.")
        table, refused = well_formed(table)
        if not set(options.target) & set(table.columns):
            table = chembl.with_usual_names(table)
        activities = chembl.read_activities(table, options) if chembl.is_export(table, options) else None
        if activities is not None:
            table, options = activities.table, activities.options
        column = _smiles_column(table, options.smiles)
        table, writings, written = plain_numbers(table, options.keep)
        molecules = _clean_all(table[column], options.clean is not False)
        notes: tuple[str, ...] = (f"The molecules are in column '{column}'.", *written)
        changes = notes_on_changes(table[column], molecules)
        if activities is not None:
            activities, rows = join_replicates(activities, [molecule.smiles for molecule in molecules])
            table, molecules = activities.table, [molecules[row] for row in rows]
            refused, notes = (*refused, *activities.refused), (*activities.notes, *notes)
        labels = read_targets(table, options, [column], unit=chembl.UNIT if activities else "")
        thorough = options.clean is not False
        if options.clean is None and (why := kept_whole(molecules, labels)):
            thorough = False
            molecules = _clean_all(table[column], thorough)
            changes = (why, *notes_on_changes(table[column], molecules))
        alike = tautomers([molecule.smiles for molecule in molecules])
        notes = (*notes, *changes, *note_on_tautomers(alike, [molecule.smiles for molecule in molecules]))
        parsed = ParsedTable(
            examples=_examples(molecules, table.index),
            problems=np.array([molecule.problem for molecule in molecules], dtype=object),
            identity=["smiles"],
            notes=notes,
            noun=self.nouns.one,
            input_state={"column": column, "clean": thorough, **({"written": as_record(writings)} if writings else {})},
            alike=alike,
        )
        return assemble(name, self.name, table, labels, parsed, options, refused)

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn one SMILES, a list of them, a table with a column of them, or a file (a `Path`) into examples.

        Raises:
            DataError: no column holds SMILES.

        Example:
            >>> inputs = Molecules().inputs(["CCO.Cl", "C1CC"], {"column": "smiles", "clean": True})
            >>> inputs.warnings.tolist(), inputs.problems.tolist()
            (['salt removed', ''], ['', "'C1CC' cannot be read as SMILES"])
        """
        if isinstance(source, Path):
            table = read_table(source)
        elif isinstance(source, pd.DataFrame):
            table = as_text(source)
        else:
            given = [source] if isinstance(source, str) else list(source)
            table = pd.DataFrame({state["column"]: given}, dtype=object, index=range(1, len(given) + 1))
        return _inputs(table, _input_column(table, state["column"]), state["clean"])

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the examples of a file, at most `rows` at a time."""
        column = None
        for table in iterate_table(path, rows):
            column = column or _input_column(table, state["column"])
            yield _inputs(table, column, state["clean"])

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the featurizer that is asked for; "auto": descriptors and Morgan counts, to be chosen by measurement.

        The first one is what usually serves: descriptors for a regression, Morgan counts for classes.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"molecules have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        if choice != "auto":
            return (featurizers.make(choice),)
        regression = any(target.task == "regression" for target in dataset.targets)
        return tuple(map(featurizers.make, ("descriptors", "morgan") if regression else ("morgan", "descriptors")))

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that a `state` described."""
        return featurizers.restore(state)

    def groups(self, dataset: Dataset, kind: str) -> NDArray[np.int64]:
        """Return a number for each molecule, the same for molecules that must share a fold in this kind of split.

        Raises:
            DataError: molecules have no such groups.
        """
        if kind not in self.groupings:
            return super().groups(dataset, kind)
        grouped = scaffold_groups if kind == "scaffold" else cluster_groups
        return grouped(dataset.examples["smiles"].tolist())

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return a compiled dense network."""
        if all(target.task == "classification" for target in targets):
            return dense(featurizer, targets, defaults, steps, dropout=0.3)
        return dense(featurizer, targets, defaults, steps, input_dropout=0.05)


def _smiles_column(table: pd.DataFrame, asked: str | None, share: float = 0.8) -> str:
    """Return the column that was asked for, else the one that is found."""
    columns = listed(table.columns)
    if asked is not None and asked not in table.columns:
        hint = did_you_mean(asked, list(table.columns))
        raise DataError(f"there is no column '{asked}'.{hint} The columns are: {columns}.")
    column = asked or find_smiles_column(table, share)
    if column is None:
        raise DataError(f"no column holds SMILES. The columns are: {columns}. Name the right one with --smiles.")
    return column


def _input_column(table: pd.DataFrame, remembered: str) -> str:
    """Return the column of the name that is remembered, else the one that is found: one there must be."""
    return remembered if remembered in table.columns else _smiles_column(table, None, share=0.5)


def _clean_all(column: pd.Series, thorough: bool) -> list[Cleaned]:
    return [clean(text if isinstance(text, str) else None, thorough) for text in column]


def _examples(molecules: Sequence[Cleaned], index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({"smiles": [molecule.smiles for molecule in molecules]}, index=index, dtype=object)


def _inputs(table: pd.DataFrame, column: str, thorough: bool) -> Inputs:
    molecules = _clean_all(table[column], thorough)
    misfits = malformed(table)
    problems = [misfits.get(line, m.problem) for line, m in zip(table.index, molecules, strict=True)]
    warnings = ["; ".join(molecule.changes) if not molecule.problem else "" for molecule in molecules]
    return Inputs(table, _examples(molecules, table.index), np.array(problems, object), np.array(warnings, object))
