"""Molecules grouped for a split: by their scaffold, the rings and what links them; or by likeness, around leaders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.splits import codes
from amalthea.domains.molecules.cleaning import parsed, rdkit

APART = 0.6
"""The Tanimoto distance between leaders, at least: a chemical series stays together, and falls into several clusters
rarely. Two molecules drawn at random are farther apart, at about 0.9."""


def scaffold(smiles: str) -> str:
    """Return the scaffold of a molecule (canonical SMILES) as SMILES, "" where it has no ring (Bemis and Murcko 1996).

    Example:
        >>> scaffold("CCc1ccccc1"), scaffold("CCO")
        ('c1ccccc1', '')
    """
    frame = rdkit("Chem.Scaffolds.MurckoScaffold").GetScaffoldForMol(parsed(smiles))
    return str(rdkit().MolToSmiles(frame, isomericSmiles=False))


def scaffold_groups(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each of n canonical SMILES, shape (n,), one a scaffold; all ring-free molecules share one.

    Example:
        >>> scaffold_groups(["CCO", "Cc1ccccc1", "CCN", "Oc1ccccc1"]).tolist()
        [0, 1, 0, 1]
    """
    return codes(pd.Series([scaffold(text) for text in smiles], dtype="str"))


def cluster_groups(smiles: Sequence[str], apart: float = APART) -> NDArray[np.int64]:
    """Return a number for each molecule, shape (n,), the same for molecules of one cluster.

    Leaders are picked so that no two are closer than `apart` (sphere exclusion, Hudson et al. 1996, Quant.
    Struct.-Act. Relat. 15, 285), and every molecule joins the nearest one. Time and memory grow with the number of
    leaders times that of molecules and with the number of molecules; no matrix of distances is ever held. The order of
    the molecules does not matter.

    Args:
        smiles: n canonical SMILES.
        apart: the smallest Tanimoto distance between leaders, of Morgan fingerprints (radius 2, 2,048 bits).

    Example:
        >>> cluster_groups(["CCCCCO", "CCCCCCO", "CCCc1ccccc1", "CCCCc1ccccc1"]).tolist()
        [0, 0, 1, 1]
    """
    distinct, inverse = np.unique(np.asarray(smiles, dtype=str), return_inverse=True)
    generator = rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(parsed(str(text))) for text in distinct]
    picker = rdkit("SimDivFilters.rdSimDivPickers").LeaderPicker()
    leaders = [prints[index] for index in picker.LazyBitVectorPick(prints, len(prints), apart)]
    likeness = rdkit("DataStructs").BulkTanimotoSimilarity
    nearest = [int(np.argmax(likeness(one, leaders))) for one in prints]
    groups: NDArray[np.int64] = np.array(nearest, np.int64)[inverse]
    return groups
