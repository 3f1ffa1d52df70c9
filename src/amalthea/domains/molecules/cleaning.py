"""From the SMILES of a file to the molecule that is learned from: its largest fragment, neutral, canonical."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from amalthea.datasets.messages import shortened
from amalthea.errors import MissingDependencyError

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
    from rdkit import rdBase

    text = (smiles or "").strip()
    if not text:
        return Cleaned(None, "no SMILES")
    if len(text) > LONGEST_SMILES:
        return Cleaned(None, f"a SMILES of {len(text):,} characters; at most {LONGEST_SMILES:,} can be used")
    with rdBase.BlockLogs():
        return _clean(text, thorough)


def _clean(text: str, thorough: bool) -> Cleaned:
    chem, chooser, uncharger = tools()
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


@functools.cache
def tools() -> tuple[Any, Any, Any]:
    """Return RDKit's `Chem`, its chooser of the largest fragment, and its neutralizer.

    Raises:
        MissingDependencyError: RDKit is not installed.
    """
    try:
        from rdkit import Chem
        from rdkit.Chem.MolStandardize import rdMolStandardize
    except ImportError as error:
        raise MissingDependencyError(
            'molecules need RDKit, which is not installed. Install it with: pip install "amalthea[molecules]"'
        ) from error
    return Chem, rdMolStandardize.LargestFragmentChooser(), rdMolStandardize.Uncharger()
