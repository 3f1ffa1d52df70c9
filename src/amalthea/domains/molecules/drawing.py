"""Molecules drawn by RDKit as SVG, and what each atom contributes to an answer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.molecules.cleaning import parsed, rdkit
from amalthea.domains.molecules.company import Accompanied

WIDTH, HEIGHT = 220, 160

MOST_ATOMS = 60
UP, DOWN = (0.34, 0.71, 0.91), (0.90, 0.62, 0.0)  # Okabe and Ito's sky blue and orange
NOTED = 6
"""How many atoms, those that contribute most, bear their number."""

READING = (
    "{target}: blue (+) atoms raise {what}, orange (−) ones lower it; the numbers say by how much it would change "
    "the other way without the atom. With Morgan counts, the fragments that hold the atom are taken away; with "
    "descriptors, the atom is deleted and hydrogen put in its place. The parts need not add up to the whole."
)


def drawn(smiles: Any) -> str:
    """Return a molecule drawn by RDKit as SVG; the SMILES itself where it cannot be drawn.

    Example:
        >>> drawn("CCO")[:4], drawn("not a molecule")
        ('<svg', 'not a molecule')
    """
    molecule = parsed(str(smiles))
    return str(smiles) if molecule is None else _svg(molecule)


def _svg(molecule: Any, width: int = WIDTH, height: int = HEIGHT, **highlights: Any) -> str:
    """Return an RDKit molecule as SVG."""
    draw = rdkit("Chem.Draw.rdMolDraw2D")
    canvas = draw.MolDraw2DSVG(width, height, -1, -1, True)  # letters as text: as outlines they take twice the room
    options = canvas.drawOptions()
    options.clearBackground = False
    options.fixedBondLength = 24
    options.annotationFontScale = 0.8
    draw.PrepareAndDrawMolecule(canvas, molecule, **highlights)
    canvas.FinishDrawing()
    text = str(canvas.GetDrawingText())
    text = text[text.index("<svg") :].replace("\n", " ")
    return re.sub(
        r" class='[^']*'|;stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1| (?= )|<!--.*?-->", "", text
    )


def without_atoms(featurizer: Any, example: pd.Series[Any]) -> NDArray[np.float32]:
    """Return the features of a molecule, and then those without each of its heavy atoms, shape (1 + atoms, d).

    With Morgan counts, the fragments that hold the atom are taken away; with descriptors, the atom is deleted and
    hydrogen put in its place. Of a molecule with too many atoms nothing is returned.

    Sources: Riniker and Landrum, J. Cheminf. 5, 43 (2013), for the bits of a fingerprint; Polishchuk et al., Mol. Inf.
    32, 843 (2013), for the deletion of a part of the molecule.
    """
    molecule = parsed(str(example["smiles"]))
    if molecule is None or not 1 < molecule.GetNumAtoms() <= MOST_ATOMS:
        return np.empty((0, *featurizer.shape), np.float32)
    if not isinstance(featurizer, Accompanied):
        return _without_atoms(featurizer, molecule)
    main = _without_atoms(featurizer.base, molecule)  # what stands beside the molecule stays as it is
    return featurizer.beside(main, pd.DataFrame([example] * len(main)))


def _without_atoms(featurizer: Any, molecule: Any) -> NDArray[np.float32]:
    state = featurizer.state()
    if state["name"] == "morgan":
        return masked_fragments(molecule, state["radius"], state["size"], state.get("stereo", False))
    if state["name"] == "both":
        return np.concatenate([_without_atoms(part, molecule) for part in featurizer.parts], axis=1)
    with rdkit("rdBase").BlockLogs():
        values: NDArray[np.float32] = featurizer.transform(pd.DataFrame({"smiles": deletions(molecule)}))[0]
    values[1:] = np.where(np.isfinite(values[1:]), values[1:], values[0])  # what cannot be said of the fragments
    return values


def deletions(molecule: Any) -> list[str]:
    """Return the SMILES of a molecule, and of it without each heavy atom in turn, hydrogen where bonds were.

    An atom that cannot be taken away leaves the molecule as it is.

    Example:
        >>> from rdkit import Chem
        >>> deletions(Chem.MolFromSmiles("CCO"))
        ['CCO', 'CO', 'C.O', 'CC']
    """
    chem = rdkit()
    whole = chem.MolToSmiles(molecule)
    single = chem.Mol(molecule)
    chem.Kekulize(single, clearAromaticFlags=True)
    return [whole, *(_without(chem, single, number) or whole for number in range(molecule.GetNumAtoms()))]


def _without(chem: Any, molecule: Any, number: int) -> str:
    """Return the SMILES of a molecule without one atom; "" where there is none."""
    changed = chem.RWMol(molecule)
    for bond in changed.GetAtomWithIdx(number).GetBonds():
        neighbour = bond.GetOtherAtom(changed.GetAtomWithIdx(number))
        if neighbour.GetNoImplicit():
            neighbour.SetNumExplicitHs(neighbour.GetNumExplicitHs() + round(bond.GetBondTypeAsDouble()))
    changed.RemoveAtom(number)
    try:
        chem.SanitizeMol(changed)
    except ValueError:  # RDKit's complaints about valences
        return ""
    return str(chem.MolToSmiles(changed))


def masked_fragments(molecule: Any, radius: int, size: int, stereo: bool = False) -> NDArray[np.float32]:
    """Return log(1 + count) of a molecule's fragments, then without those of each atom, shape (1 + atoms, size)."""
    fingerprints = rdkit("Chem.rdFingerprintGenerator")
    generator = fingerprints.GetMorganGenerator(radius=radius, fpSize=size, includeChirality=stereo)
    output = fingerprints.AdditionalOutput()
    output.AllocateBitInfoMap()
    counts = generator.GetCountFingerprintAsNumPy(molecule, additionalOutput=output).astype(np.float64)
    # each fragment is taken from the rows of all the atoms that it holds
    rows = np.tile(counts, (1 + molecule.GetNumAtoms(), 1))
    for bit, environments in output.GetBitInfoMap().items():
        for centre, reach in environments:
            for atom in _atoms_around(molecule, centre, reach):
                rows[1 + atom, bit] -= 1
    logarithms: NDArray[np.float32] = np.log1p(np.maximum(rows, 0)).astype(np.float32)
    return logarithms


def _atoms_around(molecule: Any, centre: int, reach: int) -> set[int]:
    """Return the atoms of a circular fragment."""
    if reach == 0:
        return {centre}
    bonds = rdkit().FindAtomEnvironmentOfRadiusN(molecule, reach, centre)
    ends = ((molecule.GetBondWithIdx(b).GetBeginAtomIdx(), molecule.GetBondWithIdx(b).GetEndAtomIdx()) for b in bonds)
    return {atom for pair in ends for atom in pair}


def coloured(example: pd.Series[Any], contributions: NDArray[np.float64], point: str) -> str:
    """Return the molecule with a disk behind each atom: its colour the sign, its size the magnitude, and numbers."""
    molecule = parsed(str(example["smiles"]))
    largest = float(np.abs(contributions).max())
    shares = np.abs(contributions) / largest if largest > 0 else np.zeros(len(contributions))
    decimals = max(0, 1 - int(np.floor(np.log10(largest)))) if largest > 0 else 0
    for number in np.argsort(-shares, kind="stable")[:NOTED].tolist():
        text = f"{contributions[number]:+.{decimals}f}".replace(".", point)  # RDKit draws no true minus
        molecule.GetAtomWithIdx(number).SetProp("atomNote", text)
    # atoms that hardly contribute bear no disk: the eye should find the others
    seen = [number for number, share in enumerate(shares) if share > 0.02]
    return _svg(
        molecule,
        330,
        250,
        highlightAtoms=seen,
        highlightAtomColors={number: UP if contributions[number] > 0 else DOWN for number in seen},
        highlightAtomRadii={number: 0.12 + 0.33 * float(shares[number]) for number in seen},
        highlightBonds=[],
    )
