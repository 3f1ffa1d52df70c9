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

from amalthea.datasets.archive import checked
from amalthea.datasets.assembly import ParsedTable, assemble, well_formed
from amalthea.datasets.cells import Writing, as_record, from_record, plain_numbers
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import iterate_table, malformed, read_table
from amalthea.datasets.messages import did_you_mean, listed
from amalthea.datasets.targets import read_targets
from amalthea.domains.layout import kept_columns
from amalthea.domains.molecules import chembl, drawing, featurizers
from amalthea.domains.molecules.cleaning import Cleaned, clean
from amalthea.domains.molecules.columns import find_smiles_column
from amalthea.domains.molecules.company import Accompanied, Company, company_examples, find_company
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
    numbers: tuple[str, ...] = ()  # columns of numbers beside them, ...
    categories: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)  # ... of categories, ...
    molecules: tuple[str, ...] = ()  # ... and of further molecules


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
        """Return each molecule's SMILES, and what stands beside it."""
        rows = examples.to_dict("records")
        return [
            # Names that begin with # are those of a model's records.
            ", ".join(
                [str(row.pop("smiles")), *(f"{n} {value}" for n, value in row.items() if not str(n).startswith("#"))]
            )
            for row in rows
        ]

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
        company = Company()
        if activities is None:
            asked = [*options.beside, *kept_columns(options.keep, list(map(str, table.columns)))]
            smiles = [molecule.smiles for molecule in molecules]
            company, said = find_company(table, column, smiles, labels, asked, options.ignore)
            notes = (*notes, *said)
        examples, problems = _examples(table, molecules, company, thorough)
        state = {"column": column, "clean": thorough, **company.state()}
        if writings:
            state["written"] = as_record(writings)
        parsed = ParsedTable(
            examples=examples,
            problems=np.array(problems, dtype=object),
            identity=list(examples.columns),
            notes=notes,
            noun=self.nouns.one,
            input_state=state,
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
        return _inputs(table, _input_column(table, state["column"]), state)

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the examples of a file, at most `rows` at a time."""
        column = None
        for table in iterate_table(path, rows):
            column = column or _input_column(table, state["column"])
            yield _inputs(table, column, state)

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the featurizer that is asked for; "auto": descriptors and Morgan counts, to be chosen by measurement.

        The first one is what usually serves: descriptors for a regression, Morgan counts for classes.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"molecules have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        choices: tuple[str, ...] = (choice,)
        if choice == "auto":
            regression = any(target.task == "regression" for target in dataset.targets)
            choices = ("descriptors", "morgan") if regression else ("morgan", "descriptors")
        made, company = tuple(map(featurizers.make, choices)), Company.of(dataset.input_state)
        return tuple(Accompanied(each, company) for each in made) if company.names else made

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that a `state` described."""
        if state.get("name") != "accompanied":
            return featurizers.restore(state)
        stored = checked(
            Company, {k: v for k, v in state.items() if k not in ("name", "base")}, "model.json, featurizers"
        )
        return Accompanied(
            featurizers.restore(checked(dict[str, Any], state.get("base"), "model.json, featurizers")), stored
        )

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


def _examples(
    table: pd.DataFrame, molecules: Sequence[Cleaned], company: Company, thorough: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Return the examples, and what is wrong with each row."""
    smiles = pd.DataFrame({"smiles": [molecule.smiles for molecule in molecules]}, index=table.index, dtype=object)
    beside, problems = company_examples(table, company, thorough)
    reasons = [molecule.problem or problem for molecule, problem in zip(molecules, problems, strict=True)]
    return pd.concat([smiles, beside], axis=1), reasons


def _inputs(table: pd.DataFrame, column: str, state: dict[str, Any]) -> Inputs:
    molecules, company = _clean_all(table[column], state["clean"]), Company.of(state)
    plain = plain_numbers(table, known=from_record(state.get("written", {})))[0] if company.names else table
    examples, reasons = _examples(plain, molecules, company, state["clean"])
    misfits = malformed(table)
    problems = [misfits.get(line, reason) for line, reason in zip(table.index, reasons, strict=True)]
    warnings = ["; ".join(molecule.changes) if not molecule.problem else "" for molecule in molecules]
    return Inputs(table, examples, np.array(problems, object), np.array(warnings, object))
