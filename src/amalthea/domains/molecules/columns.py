"""Which column of a table holds SMILES: found by its content, its name only breaks ties."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from amalthea.datasets.columns import is_missing
from amalthea.domains.molecules.cleaning import parsed
from amalthea.errors import DataError

SAMPLE = 50

ALPHABET = re.compile(r"^[A-Za-z0-9@+\-\[\]()\\/%=#$.:*~]+$")

EVIDENCE = re.compile(r"[\[\]()=#]|CC|[cnos]\d|[CNOcno]\d")
"""What tells SMILES from words and from symbols of elements: brackets, bonds, rings, chains."""


def find_smiles_column(table: pd.DataFrame, share: float = 0.8) -> str | None:
    """Return the name of the column that holds SMILES, None where there is none.

    Most values of a sample of 50 can be read, and some have what words have not; of a column that is called SMILES,
    half will do. Of several such columns one called so comes first, then the first one.

    Args:
        table: all columns as text.
        share: how many of the values must be readable.

    Raises:
        DataError: the first line of the file is a molecule where the header should be.

    Example:
        >>> find_smiles_column(pd.DataFrame({"pole": ["N", "S"], "structure": ["CCO", "c1ccccc1"]}, dtype="str"))
        'structure'
    """
    names = [name for name in map(str, table.columns) if _holds_smiles(table[name], _called_smiles(name), share)]
    if not names:
        return None
    chosen = min(names, key=lambda name: (not _called_smiles(name), name.lower() != "smiles"))
    if EVIDENCE.search(chosen) and ALPHABET.match(chosen) and parsed(chosen) is not None:
        raise DataError(
            f"the first line, which should name the columns, holds the molecule '{chosen}'. "
            "Put a line with a name such as 'smiles' above it, or call the file .smi."
        )
    return chosen


def holds_smiles(column: pd.Series) -> bool:
    """Say whether a column holds SMILES."""
    return _holds_smiles(column, _called_smiles(str(column.name)), 0.8)


def _called_smiles(name: str) -> bool:
    return "smiles" in name.lower()


def _holds_smiles(column: pd.Series, called_so: bool, share: float) -> bool:
    known = column[~is_missing(column)]
    if known.empty:
        return False
    rows = np.unique(np.linspace(0, len(known) - 1, SAMPLE).astype(int))
    sample = [str(text).split(maxsplit=1)[0] for text in known.iloc[rows]]  # behind it: a name, an extension
    # Columns of numbers and of prose are ruled out before RDKit is loaded.
    plausible = [text for text in sample if ALPHABET.match(text) and re.search("[A-Za-z]", text)]
    needed = 0.5 if called_so else share
    if len(plausible) < needed * len(sample):
        return False
    telling = sum(EVIDENCE.search(text) is not None for text in plausible)
    if not called_so and telling < 0.2 * len(sample):
        return False
    return sum(parsed(text) is not None for text in plausible) >= needed * len(sample)
