"""Molecules grouped by likeness: each with the leader that it is most alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.molecules.cleaning import tools

APART = 0.6
"""The Tanimoto distance between leaders, at least: a chemical series stays together, and falls into several clusters
rarely. Two molecules drawn at random are farther apart, at about 0.9."""


def cluster_groups(smiles: Sequence[str], apart: float = APART) -> NDArray[np.int64]:
    """Return a number for each molecule, the same for molecules of one cluster.

    Leaders are picked so that no two are closer than `apart` (sphere exclusion, Hudson et al. 1996, Quant.
    Struct.-Act. Relat. 15, 285), and every molecule joins the nearest one. Time and memory grow with the number of
    leaders times that of molecules and with the number of molecules; no matrix of distances is ever held. The order of
    the molecules does not matter.

    Args:
        smiles: n canonical SMILES.
        apart: the smallest Tanimoto distance between leaders, of Morgan fingerprints (radius 2, 2,048 bits).

    Returns:
        Shape (n,).

    Example:
        >>> cluster_groups(["CCCCCO", "CCCCCCO", "CCCc1ccccc1", "CCCCc1ccccc1"]).tolist()
        [0, 0, 1, 1]
    """
    chem = tools()[0]
    from rdkit import DataStructs, rdBase
    from rdkit.Chem import rdFingerprintGenerator
    from rdkit.SimDivFilters.rdSimDivPickers import LeaderPicker

    distinct, inverse = np.unique(np.asarray(smiles, dtype=str), return_inverse=True)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    with rdBase.BlockLogs():
        prints = [generator.GetFingerprint(chem.MolFromSmiles(str(text))) for text in distinct]
    leaders = [prints[index] for index in LeaderPicker().LazyBitVectorPick(prints, len(prints), apart)]
    nearest = [int(np.argmax(DataStructs.BulkTanimotoSimilarity(one, leaders))) for one in prints]
    groups: NDArray[np.int64] = np.array(nearest, np.int64)[inverse]
    return groups
