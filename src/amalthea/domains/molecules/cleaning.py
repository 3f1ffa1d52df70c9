"""From the SMILES of a file to the molecule that is learned from: its largest fragment, neutral, canonical."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from amalthea.datasets.messages import shortened
from amalthea.errors import required

MOST_ATOMS = 500
"""The largest molecule, in heavy atoms: the cost of its descriptors grows with their third power."""

LONGEST_SMILES = 10_000


class Cleaned(NamedTuple):
    """A molecule as canonical SMILES; why there is none ("" where there is one); what was changed."""

    smiles: str | None
    problem: str = ""
    changes: tuple[str, ...] = ()


def clean(smiles: str | None, thorough: bool = True) -> Cleaned:
    """Return a molecule in canonical SMILES.

    Args:
        smiles: as it stands in the file; None where there is none.
        thorough: keep the largest fragment only, and neutralize it where protons can be added or removed.

    Example:
        >>> clean("[Na+].[O-]C(=O)C")
        Cleaned(smiles='CC(=O)O', problem='', changes=('salt removed', 'charge neutralized'))
        >>> clean("C1CC").problem
        "'C1CC' cannot be read as SMILES"
    """
    text = (smiles or "").strip()
    if not text:
        return Cleaned(None, "no SMILES")
    if len(text) > LONGEST_SMILES:
        return Cleaned(None, f"a SMILES of {len(text):,} characters; at most {LONGEST_SMILES:,} can be used")
    with rdkit("rdBase").BlockLogs():
        return _clean(text, thorough)


def _clean(text: str, thorough: bool) -> Cleaned:
    (chooser, uncharger), chem = _standardizers(), rdkit()
    molecule = chem.MolFromSmiles(text)
    if molecule is None:
        return Cleaned(None, f"'{shortened(text)}' cannot be read as SMILES")
    changes = []
    if thorough and "." in text:
        fragment = chooser.choose(molecule)
        if fragment.GetNumAtoms() < molecule.GetNumAtoms():
            changes.append("salt removed")
            molecule = fragment
    if molecule.GetNumHeavyAtoms() == 0:
        return Cleaned(None, f"'{shortened(text)}' has no heavy atom")
    if molecule.GetNumHeavyAtoms() > MOST_ATOMS:
        return Cleaned(None, f"has {molecule.GetNumHeavyAtoms():,} heavy atoms; at most {MOST_ATOMS} can be used")
    if thorough and any(atom.GetFormalCharge() for atom in molecule.GetAtoms()):
        neutral = uncharger.uncharge(molecule)
        before = [atom.GetFormalCharge() for atom in molecule.GetAtoms()]
        if [atom.GetFormalCharge() for atom in neutral.GetAtoms()] != before:
            changes.append("charge neutralized")
            molecule = neutral
    canonical = chem.MolToSmiles(molecule)
    if changes:
        # What was changed may be aromatic now, or have lost a stereocentre: only a molecule read anew knows.
        molecule = chem.MolFromSmiles(canonical)
        if molecule is None:
            return Cleaned(None, f"'{shortened(text)}' is no molecule any more once cleaned")
        canonical = chem.MolToSmiles(molecule)
    return Cleaned(canonical, "", tuple(changes))


def rdkit(module: str = "Chem") -> Any:
    """Return a module of RDKit, or say how to install it."""
    hint = 'molecules need RDKit, which is not installed. Install it with: pip install "amalthea[molecules]"'
    return required(f"rdkit.{module}", hint)


def parsed(smiles: str) -> Any:
    """Return RDKit's molecule of a SMILES, None where it cannot be read; of RDKit's complaints nothing is heard."""
    with rdkit("rdBase").BlockLogs():
        return rdkit().MolFromSmiles(smiles)


@functools.cache
def _standardizers() -> tuple[Any, Any]:
    """Return RDKit's chooser of the largest fragment, and its neutralizer."""
    standardize = rdkit("Chem.MolStandardize.rdMolStandardize")
    return standardize.LargestFragmentChooser(), standardize.Uncharger()
