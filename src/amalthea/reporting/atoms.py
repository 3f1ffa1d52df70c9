"""What each atom contributes to an answer, drawn on the molecule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.molecules.drawing import drawing_tools, drawn
from amalthea.reporting.blocks import Block, Drawing, Drawings, Paragraph
from amalthea.reporting.captions import told
from amalthea.reporting.context import Context
from amalthea.reporting.drawings import image
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import Output, answers, output

MOST_ATOMS = 60
UP, DOWN = (0.34, 0.71, 0.91), (0.90, 0.62, 0.0)  # Okabe and Ito's sky blue and orange
NOTED = 6
"""How many atoms, those that contribute most, bear their number."""


def atom_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return the worst, the typical and the best molecules with the contributions of their atoms."""
    words = context.words
    chosen = _chosen(context, judged)
    smiles = [str(context.predictor.examples["smiles"].iloc[judged.places[index]]) for _, index in chosen]
    wanted = [
        output(context.predictor, judged.target, _positive(judged, int(judged.truth[index]) if judged.classes else 0))
        for _, index in chosen
    ]
    folds = [int(judged.folds[index]) for _, index in chosen]
    items = [
        Drawing(image(_coloured(context, text, found)), text, [title, *told(context, judged, index)])
        for (title, index), text, found in zip(
            chosen, smiles, contributions(context, smiles, folds, wanted), strict=True
        )
        if len(found)
    ]
    if not items:
        return [Paragraph(words("No molecule of {target} could be drawn.", target=judged.target.name))]
    what = (
        words("the probability of “{label}”", label=judged.target.classes[_positive(judged, 0)])
        if judged.classes and len(judged.target.classes) == 2
        else words("the probability of the true class")
        if judged.classes
        else words("the answer")
    )
    reading = words(
        "{target}: blue (+) atoms raise {what}, orange (−) ones lower it; the numbers say by how much it would change "
        "the other way without the atom. With Morgan counts, the fragments that hold the atom are taken away; with "
        "descriptors, the atom is deleted and hydrogen put in its place. The parts need not add up to the whole.",
        target=judged.target.name,
        what=what,
    )
    return [Paragraph(reading), Drawings(items, large=True)]


def _positive(judged: Judged, code: int) -> int:
    """Return the class whose probability is explained: the second of two, else the true one."""
    return 1 if judged.classes and len(judged.target.classes) == 2 else code


def _chosen(context: Context, judged: Judged) -> list[tuple[str, int]]:
    """Return the worst two, the two in the middle and the best two; for classes by the true class's probability."""
    words = context.words
    badness = 1 - judged.mean if judged.classes else judged.error
    order = np.argsort(-badness, kind="stable")
    middle = len(order) // 2
    return [
        *((words("among the worst"), int(i)) for i in order[:2]),
        *((words("typical"), int(i)) for i in order[middle : middle + 2]),
        *((words("among the best"), int(i)) for i in order[-2:]),
    ]


def contributions(
    context: Context, smiles: Sequence[str], folds: Sequence[int], wanted: Sequence[Output]
) -> list[NDArray[np.float64]]:
    """Return for each heavy atom of molecules the answer minus the answer without it; none where there are too many.

    Args:
        context: the model.
        smiles: the molecules.
        folds: for each of them the fold whose members answer.
        wanted: for each of them the number that is explained.

    Sources: Riniker and Landrum, J. Cheminf. 5, 43 (2013), for the bits of a fingerprint; Polishchuk et al., Mol. Inf.
    32, 843 (2013), for the deletion of a part of the molecule.
    """
    chem, _ = drawing_tools()
    molecules = [chem.MolFromSmiles(text) for text in smiles]
    fit = [molecule is not None and 1 < molecule.GetNumAtoms() <= MOST_ATOMS for molecule in molecules]
    kept = [molecule for molecule, fits in zip(molecules, fit, strict=True) if fits]
    if not kept:
        return [np.empty(0)] * len(molecules)
    features = [
        np.concatenate([_without_atoms(part.featurizer, molecule) for molecule in kept])
        for part in context.predictor.parts
    ]
    sizes = [1 + molecule.GetNumAtoms() if fits else 0 for molecule, fits in zip(molecules, fit, strict=True)]
    said = answers(context.predictor, features, np.repeat(np.asarray(folds, np.int64), sizes))
    own = np.split(said, np.cumsum(sizes)[:-1])
    return [
        rows[0, where.column] - rows[1:, where.column] if len(rows) else np.empty(0)
        for rows, where in zip(own, wanted, strict=True)
    ]


def _without_atoms(featurizer: Any, molecule: Any) -> NDArray[np.float32]:
    """Return the features of a molecule, and then those without each of its atoms, shape (1 + atoms, d)."""
    state = featurizer.state()
    if state["name"] == "morgan":
        return masked_fragments(molecule, state["radius"], state["size"])
    if state["name"] == "both":
        return np.concatenate([_without_atoms(part, molecule) for part in featurizer.parts], axis=1)
    from rdkit import rdBase

    with rdBase.BlockLogs():
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
    chem, _ = drawing_tools()
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


def masked_fragments(molecule: Any, radius: int, size: int) -> NDArray[np.float32]:
    """Return log(1 + count) of a molecule's fragments, then without those of each atom, shape (1 + atoms, size)."""
    chem, _ = drawing_tools()
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=size)
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateBitInfoMap()
    counts = generator.GetCountFingerprintAsNumPy(molecule, additionalOutput=output).astype(np.float64)
    rows = np.tile(counts, (1 + molecule.GetNumAtoms(), 1))
    for bit, environments in output.GetBitInfoMap().items():
        for centre, reach in environments:
            for atom in _atoms_around(chem, molecule, centre, reach):
                rows[1 + atom, bit] -= 1
    logarithms: NDArray[np.float32] = np.log1p(np.maximum(rows, 0)).astype(np.float32)
    return logarithms


def _atoms_around(chem: Any, molecule: Any, centre: int, reach: int) -> set[int]:
    """Return the atoms of a circular fragment."""
    if reach == 0:
        return {centre}
    bonds = chem.FindAtomEnvironmentOfRadiusN(molecule, reach, centre)
    ends = ((molecule.GetBondWithIdx(b).GetBeginAtomIdx(), molecule.GetBondWithIdx(b).GetEndAtomIdx()) for b in bonds)
    return {atom for pair in ends for atom in pair}


def _coloured(context: Context, smiles: str, found: NDArray[np.float64]) -> str:
    """Return the molecule with a disk behind each atom: its colour the sign, its size the magnitude, and numbers."""
    chem, draw = drawing_tools()
    molecule = chem.MolFromSmiles(smiles)
    largest = float(np.abs(found).max())
    shares = np.abs(found) / largest if largest > 0 else np.zeros(len(found))
    decimals = max(0, 1 - int(np.floor(np.log10(largest)))) if largest > 0 else 0
    for number in np.argsort(-shares, kind="stable")[:NOTED].tolist():
        text = f"{found[number]:+.{decimals}f}".replace(".", context.words.point)  # RDKit draws no true minus
        molecule.GetAtomWithIdx(number).SetProp("atomNote", text)
    seen = [number for number, share in enumerate(shares) if share > 0.02]
    return drawn(
        draw,
        molecule,
        330,
        250,
        highlightAtoms=seen,
        highlightAtomColors={number: UP if found[number] > 0 else DOWN for number in seen},
        highlightAtomRadii={number: 0.12 + 0.33 * float(shares[number]) for number in seen},
        highlightBonds=[],
    )
