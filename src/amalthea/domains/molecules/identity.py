"""Which molecules are the same to the features, or to a chemist: stereoisomers, tautomers."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed
from amalthea.datasets.splits import codes
from amalthea.domains.molecules.cleaning import parsed, rdkit

MOST_ASKED = 2_000
"""Molecules whose canonical tautomer is looked for at most: each takes milliseconds to seconds."""


def tautomers(smiles: Sequence[str | None]) -> NDArray[np.int64]:
    """Return a number for each of n molecules, shape (n,), the same for tautomers of one another.

    Tautomers have the same atoms with the same neighbours. Only where such molecules differ is RDKit's canonical
    tautomer asked for (Sitzmann, Ihlenfeldt and Nicklaus 2010, J. Comput.-Aided Mol. Des. 24, 521, whose rules it
    extends).

    Args:
        smiles: canonical SMILES; None where there is no molecule, which is like no other.

    Example:
        >>> tautomers(["Oc1ccccn1", "O=c1cccc[nH]1", "CCO", None]).tolist()
        [0, 0, 1, 2]
    """
    skeletons = collections.defaultdict(list)
    for text in dict.fromkeys(filter(None, smiles)):
        skeletons[_skeleton(text)].append(text)
    candidates = [text for texts in skeletons.values() if len(texts) > 1 for text in texts][:MOST_ASKED]
    enumerator = rdkit("Chem.MolStandardize.rdMolStandardize").TautomerEnumerator()
    enumerator.SetMaxTautomers(50)
    enumerator.SetMaxTransforms(50)
    enumerator.SetRemoveSp3Stereo(False)  # mirror images are no tautomers
    enumerator.SetRemoveBondStereo(False)
    canonical = {}
    with rdkit("rdBase").BlockLogs():
        for text in candidates:
            canonical[text] = rdkit().MolToSmiles(enumerator.Canonicalize(parsed(text)))
    return codes(pd.Series([canonical.get(text or "", text) for text in smiles], dtype=object))


def note_on_tautomers(groups: NDArray[np.int64], smiles: Sequence[str | None]) -> tuple[str, ...]:
    """Return how many molecules have a tautomer among the others, as a sentence; none if there is none.

    Args:
        groups: what `tautomers` returned, shape (n,).
        smiles: n canonical SMILES.
    """
    forms = pd.Series([text or "" for text in smiles], dtype=object).groupby(groups).unique()
    several = [list(each) for each in forms if len(each) > 1]
    if not several:
        return ()
    shown = listed((" and ".join(each[:2]) for each in several), 3)
    return (f"{counted(sum(map(len, several)), 'molecule')} are tautomers of one another ({shown}) and share a fold.",)


def _skeleton(smiles: str) -> tuple[str, int]:
    """Return which atoms are bound to which, without bond orders and stereo, and how many hydrogens there are."""
    molecule = parsed(smiles)
    hashes, chem = rdkit("Chem.rdMolHash"), rdkit()
    chem.RemoveStereochemistry(molecule)
    hydrogens = sum(atom.GetTotalNumHs() for atom in molecule.GetAtoms())
    return str(hashes.MolHash(molecule, hashes.HashFunction.ElementGraph)), hydrogens
