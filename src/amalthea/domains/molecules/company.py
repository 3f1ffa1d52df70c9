"""What stands beside the molecules of a table: conditions and further molecules that are learned from as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import MISSING_TEXT, is_missing, natural_order
from amalthea.datasets.messages import did_you_mean, listed
from amalthea.datasets.targets import Labels
from amalthea.domains.column_features import Columns
from amalthea.domains.layout import Layout, as_examples, find_layout
from amalthea.domains.molecules.cleaning import clean
from amalthea.domains.molecules.columns import holds_smiles
from amalthea.domains.protocol import Featurizer, Metric, Progress
from amalthea.domains.tabular_inputs import Vectors
from amalthea.errors import DataError

REPEATED, VARIED = 0.2, 0.2
"""Columns are conditions where this share of the rows holds molecules that come again, and where they differ within
this share of such molecules."""


@dataclasses.dataclass(frozen=True)
class Company:
    """The columns beside a molecule that are features.

    Args:
        numbers: the names of the columns of numbers.
        categories: the values of each column of categories, by its name.
        molecules: the names of the columns of further SMILES.
    """

    numbers: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    molecules: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Company:
        """Return what a model remembers."""
        return cls(tuple(state.get("numbers", ())), state.get("categories", {}), tuple(state.get("molecules", ())))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return (*self.numbers, *self.categories, *self.molecules)

    def state(self) -> dict[str, Any]:
        """Return it as JSON; nothing where there is none."""
        return dataclasses.asdict(self) if self.names else {}


def find_company(
    table: pd.DataFrame,
    column: str,
    smiles: Sequence[str | None],
    labels: Labels,
    asked: Sequence[str],
    ignore: Sequence[str],
) -> tuple[Company, tuple[str, ...]]:
    """Decide which columns beside the molecules are features, and say what becomes of the others.

    Further molecules are, and columns that differ among the rows of one molecule: temperature, pH, solvent, assay.

    Args:
        table: n rows, all columns as text.
        column: the name of the molecules' column.
        smiles: n canonical SMILES.
        labels: the targets of the same rows.
        asked: columns that the user wants as features.
        ignore: columns that must not become features.

    Raises:
        DataError: a column that is asked for is not there, or is the target.
    """
    targets = [target.name for target in labels.targets]
    _check(asked, table, [*targets, column])
    others = [name for name in map(str, table.columns) if name not in (column, *targets, *ignore)]
    molecules = [name for name in others if holds_smiles(table[name])]
    same = [name for name in molecules if _same_molecules(table[name], smiles)]
    molecules = [name for name in molecules if name not in same]
    varied = [n for n in others if n not in (*molecules, *same) and (n in asked or _varies(table[n], smiles))]
    layout, notes = Layout((), ()), []
    if varied:
        try:
            layout = find_layout(table[varied], [], [name for name in asked if name in varied], labels)
        except DataError:  # none of them can be a feature: the molecules are enough
            varied = []
    categories = as_examples(table, layout)[list(layout.categories)]
    company = Company(
        layout.numbers,
        {str(name): tuple(natural_order(values.dropna().unique())) for name, values in categories.items()},
        tuple(molecules),
    )
    if company.names:
        notes.append(
            f"Learned from beside the molecules, and asked for at predict: {listed(map(repr, company.names))}."
        )
    notes += layout.notes
    left_out = [name for name in others if name not in (*molecules, *varied)]
    if left_out:
        notes.append(
            f"Left out beside the molecules, for they do not differ among the rows of one molecule: "
            f"{listed(map(repr, left_out))}. --with NAME takes one."
        )
    return company, tuple(notes)


def company_examples(table: pd.DataFrame, company: Company, thorough: bool) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns beside the molecules as examples hold them, and what is wrong with each row.

    Raises:
        DataError: a column is not there.
    """
    absent = [name for name in company.names if name not in table.columns]
    if absent:
        raise DataError(
            f"this model was trained with columns beside the molecules, which are not there: {listed(absent)}. "
            "Give a table with the molecules and these columns."
        )
    layout = Layout(company.numbers, tuple(company.categories))
    examples = as_examples(table, layout, company.categories)
    problems = [""] * len(table)
    for name in company.molecules:
        cleaned = [clean(text if isinstance(text, str) else None, thorough) for text in table[name]]
        examples[name] = pd.Series([each.smiles for each in cleaned], index=table.index, dtype=object)
        problems = [
            old or (each.problem and f"'{name}': {each.problem}") for old, each in zip(problems, cleaned, strict=True)
        ]
    return examples, problems


class Accompanied(Vectors):
    """The features of a molecule, of further molecules, and of the columns beside them; quantities first.

    Args:
        base: makes the features of each molecule.
        company: what stands beside it.

    Example:
        >>> from amalthea.domains.molecules.featurizers import Descriptors
        >>> featurizer = Accompanied(Descriptors(["RingCount"]), Company(("T",), {}, ("solvent",)))
        >>> featurizer.feature_names
        ['T', 'RingCount', 'solvent: RingCount']
        >>> featurizer.transform(pd.DataFrame({"smiles": ["c1ccccc1"], "T": [300.0], "solvent": ["CO"]}))[0]
        array([[300.,   1.,   0.]], dtype=float32)
    """

    metric: Metric = "descriptors"

    def __init__(self, base: Featurizer, company: Company) -> None:
        self.base, self.company, self.name = base, company, base.name
        self.title, self.details = getattr(base, "title", base.name), getattr(base, "details", "")
        self.columns = Columns(company.numbers, company.categories)
        self.beside_columns = len(self.columns.feature_names)
        names = [list(base.feature_names), *([f"{m}: {n}" for n in base.feature_names] for m in company.molecules)]
        self.feature_names: Sequence[str] = [
            *self.columns.feature_names,
            *(name for each in names for name in each[: base.quantities]),
            *(name for each in names for name in each[base.quantities :]),
        ]
        self.quantities = self.columns.quantities + base.quantities * len(names)

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n examples; see `Featurizer.transform`."""
        main, problems = self.base.transform(examples[["smiles"]], progress)
        for name in self.company.molecules:
            reasons = self.base.transform(examples[[name]].set_axis(["smiles"], axis=1))[1]
            problems = np.where(problems == "", reasons, problems)
        return self.beside(main, examples), problems

    def beside(self, main: NDArray[Any], examples: pd.DataFrame) -> NDArray[np.float32]:
        """Return features of the first molecules, shape (n, d), with those of what stands beside them."""
        further = [
            self.base.transform(examples[[name]].set_axis(["smiles"], axis=1))[0] for name in self.company.molecules
        ]
        blocks, leading = [main, *further], self.base.quantities
        parts = [*(block[:, :leading] for block in blocks), *(block[:, leading:] for block in blocks)]
        if self.columns.feature_names:
            parts.insert(0, self.columns.transform(examples)[0])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": "accompanied", "base": self.base.state(), **dataclasses.asdict(self.company)}


def _check(asked: Sequence[str], table: pd.DataFrame, taken: Sequence[str]) -> None:
    for name in asked:
        if name not in table.columns:
            hint = did_you_mean(name, list(table.columns))
            raise DataError(f"--with {name}: no such column.{hint} There are: {listed(table.columns)}.")
        if name in taken:
            raise DataError(f"--with {name}: this is the target or the molecule itself. Name another column.")


def _same_molecules(column: pd.Series, smiles: Sequence[str | None]) -> bool:
    """Say whether a column of SMILES holds the molecules that are learned from already."""
    there = [clean(text).smiles if isinstance(text, str) else None for text in column]
    return bool(np.mean([a == b for a, b in zip(there, smiles, strict=True)]) > 0.9)


def _varies(column: pd.Series, smiles: Sequence[str | None]) -> bool:
    """Say whether a column differs among the rows of one molecule, in enough molecules that come again."""
    frame = pd.DataFrame({"smiles": smiles, "value": column.mask(is_missing(column, MISSING_TEXT)).to_numpy(object)})
    of = frame.dropna(subset=["smiles"]).groupby("smiles")["value"].agg(["size", "nunique"])
    again = of[of["size"] > 1]
    return bool(again["size"].sum() >= REPEATED * len(column) and (again["nunique"] > 1).mean() >= VARIED)
