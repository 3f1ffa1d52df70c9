"""RDKit's descriptors of a molecule (number of rings, polar surface, ...), on all cores."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.columns import float32
from amalthea.domains.molecules.cleaning import parsed, rdkit

WORTH_A_POOL = 500
"""Molecules from which on several processes are faster than one: starting them takes a second or two."""

CHUNK = 50

MOST_ATOMS_FOR_INFORMATION = 150
"""The information content of the adjacency polynomial costs the fourth power of the size, minutes for 500 atoms."""

INFORMATION = ("Ipc", "AvgIpc")


def descriptor_names() -> tuple[str, ...]:
    """Return the names of RDKit's descriptors that need no 3D structure.

    Example:
        >>> "MolLogP" in descriptor_names()
        True
    """
    return tuple(name for name, _ in rdkit("Chem.Descriptors").descList)


def describe(smiles: str, names: Sequence[str]) -> NDArray[np.float32]:
    """Return descriptors of one molecule, shape (d,), NaN where RDKit has no finite value.

    `Ipc` grows exponentially with the size of a molecule and is given as log10(1 + Ipc).

    Args:
        smiles: canonical SMILES.
        names: the d descriptors, by RDKit's names.

    Example:
        >>> describe("CCO", ["RingCount", "HeavyAtomCount"])
        array([0., 3.], dtype=float32)
    """
    functions = dict(rdkit("Chem.Descriptors").descList)
    with rdkit("rdBase").BlockLogs(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        molecule = parsed(smiles)
        large = molecule is None or molecule.GetNumHeavyAtoms() > MOST_ATOMS_FOR_INFORMATION
        values = [math.nan if large and n in INFORMATION else _value(functions[n], molecule) for n in names]
    array = np.array(values, np.float64)
    if "Ipc" in names:
        index = list(names).index("Ipc")
        array[index] = np.log10(1 + array[index])
    return float32(array)


def describe_all(smiles: Sequence[str], names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """Yield the d descriptors of n canonical SMILES, in chunks of shape (some, d), computed on all cores."""
    chunks = [smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK)]
    if len(smiles) < WORTH_A_POOL:
        yield from (_describe_chunk(chunk, names) for chunk in chunks)
        return
    import joblib

    # Loky's processes are started afresh: a fork would be unsafe beside JAX's threads, and Python's own "spawn" would
    # run a user's script a second time.
    pool = joblib.Parallel(n_jobs=joblib.cpu_count(), return_as="generator", idle_worker_timeout=20)
    yield from pool(joblib.delayed(_describe_chunk)(chunk, names) for chunk in chunks)


def _describe_chunk(smiles: Sequence[str], names: Sequence[str]) -> NDArray[np.float32]:
    return np.stack([describe(text, names) for text in smiles])


def _value(function: object, molecule: object) -> float:
    try:
        return float(function(molecule))  # type: ignore[operator]
    except Exception:  # noqa: BLE001  (RDKit's descriptors fail in many ways on strange molecules: all mean "unknown")
        return math.nan
