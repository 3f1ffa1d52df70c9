"""Molecules grouped by their scaffold: the rings and what links them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.splits import codes
from amalthea.domains.molecules.cleaning import tools


def scaffold(smiles: str) -> str:
    """Return the scaffold of a molecule as SMILES, "" where it has no ring (Bemis and Murcko 1996).

    Args:
        smiles: canonical SMILES.

    Example:
        >>> scaffold("CCc1ccccc1"), scaffold("CCO")
        ('c1ccccc1', '')
    """
    chem = tools()[0]
    from rdkit import rdBase
    from rdkit.Chem.Scaffolds import MurckoScaffold

    with rdBase.BlockLogs():
        frame = MurckoScaffold.GetScaffoldForMol(chem.MolFromSmiles(smiles))  # type: ignore[no-untyped-call]
        scaffold: str = chem.MolToSmiles(frame, isomericSmiles=False)
    return scaffold


def scaffold_groups(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each molecule, the same for the same scaffold; all ring-free molecules share one.

    Args:
        smiles: n canonical SMILES.

    Returns:
        Shape (n,).

    Example:
        >>> scaffold_groups(["CCO", "Cc1ccccc1", "CCN", "Oc1ccccc1"]).tolist()
        [0, 1, 0, 1]
    """
    return codes(pd.Series([scaffold(text) for text in smiles], dtype="str"))
