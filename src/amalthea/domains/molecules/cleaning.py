"""From the SMILES of a file to the molecule that is learned from: its largest fragment, neutral, canonical."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from amalthea.datasets.messages import shortened
from amalthea.errors import required

MOST_ATOMS = 500
"""The largest molecule, in heavy atoms: the cost of its descriptors grows with their third power."""

LONGEST_SMILES = 10_000

COUNTER_IONS = frozenset({3, 11, 12, 13, 19, 20, 30, 37, 38, 55, 56})
"""Atomic numbers of metals that stand beside a drug as its salt; any other metal belongs to a complex."""

NO_METAL = frozenset({1, 2, *range(5, 11), *range(14, 19), *range(32, 37), *range(51, 55), 85, 86})
"""Atomic numbers of nonmetals and half-metals."""


class Cleaned(NamedTuple):
    """A molecule as canonical SMILES; why there is none ("" where there is one); what was changed."""

    smiles: str | None
    problem: str = ""
    changes: tuple[str, ...] = ()
    whole: str | None = None  # the canonical SMILES with all fragments and charges


def clean(smiles: str | None, thorough: bool = True) -> Cleaned:
    """Return a molecule in canonical SMILES.

    Args:
        smiles: as it stands in the file; None where there is none.
        thorough: keep the fragment with most heavy atoms only, and neutralize it where protons can be added or removed;
            a complex of a metal stays as it is. Atom numbers, and text behind the SMILES, are always cut off.

    Example:
        >>> clean("[Na+].[O-]C(=O)C")[:3]
        ('CC(=O)O', '', ('salt removed', 'charge neutralized'))
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
    chem = rdkit()
    text, *behind = text.split(maxsplit=1)
    changes = ["text behind the SMILES cut off"] if behind else []
    molecule = chem.MolFromSmiles(text)
    if molecule is None:
        return Cleaned(None, _unreadable(text))
    if any(atom.GetAtomMapNum() for atom in molecule.GetAtoms()):
        for atom in molecule.GetAtoms():
            atom.SetAtomMapNum(0)
        changes.append("atom numbers removed")
        molecule = chem.MolFromSmiles(chem.MolToSmiles(molecule))  # without numbers, atoms may be alike
    whole = chem.MolToSmiles(molecule)
    if thorough and not _is_complex(molecule):
        molecule, cleaning = _largest_neutral(molecule, text)
        changes += cleaning
    heavy = molecule.GetNumHeavyAtoms()
    if heavy == 0:
        return Cleaned(None, f"'{shortened(text)}' has no heavy atom")
    if heavy > MOST_ATOMS:
        return Cleaned(None, f"has {heavy:,} heavy atoms; at most {MOST_ATOMS} can be used")
    canonical = chem.MolToSmiles(molecule)
    if canonical != whole:
        # What was changed may be aromatic now, or have lost a stereocentre: only a molecule read anew knows.
        molecule = chem.MolFromSmiles(canonical)
        if molecule is None:
            return Cleaned(None, f"'{shortened(text)}' is no molecule any more once cleaned")
        canonical = chem.MolToSmiles(molecule)
    return Cleaned(canonical, "", tuple(changes), whole)


def _largest_neutral(molecule: Any, text: str) -> tuple[Any, list[str]]:
    """Return the fragment with most heavy atoms, neutral, and what was changed."""
    (chooser, uncharger), changes = _standardizers(), []
    if "." in text:
        fragment = chooser.choose(molecule)
        if fragment.GetNumAtoms() < molecule.GetNumAtoms():
            changes.append("salt removed")
            molecule = fragment
    if any(atom.GetFormalCharge() for atom in molecule.GetAtoms()):
        neutral = uncharger.uncharge(molecule)
        before = [atom.GetFormalCharge() for atom in molecule.GetAtoms()]
        if [atom.GetFormalCharge() for atom in neutral.GetAtoms()] != before:
            changes.append("charge neutralized")
            molecule = neutral
    return molecule, changes


def _is_complex(molecule: Any) -> bool:
    """Say whether a molecule holds a metal that is no lone counter-ion: its ligands may be written as fragments."""
    return any(
        atom.GetAtomicNum() not in NO_METAL and (atom.GetDegree() or atom.GetAtomicNum() not in COUNTER_IONS)
        for atom in molecule.GetAtoms()
    )


def _unreadable(text: str) -> str:
    """Return why RDKit cannot read a SMILES, in its own words where it has some."""
    if text.count(">") >= 2:
        return f"'{shortened(text)}' is a reaction, and reactions are not read"
    chem = rdkit()
    unchecked = chem.MolFromSmiles(text, sanitize=False)
    problems = [] if unchecked is None else chem.DetectChemistryProblems(unchecked)
    why = f" ({problems[0].Message().strip().rstrip('.')})" if problems else ""
    return f"'{shortened(text)}' cannot be read as SMILES{why}"


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
    by_heavy_atoms = standardize.CleanupParameters()
    by_heavy_atoms.largestFragmentChooserCountHeavyAtomsOnly = True  # hydrogens of an amine outweigh no drug
    return standardize.LargestFragmentChooser(by_heavy_atoms), standardize.Uncharger()
