"""The structures that a potential learned from: energies, elements, labels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph, Table
from amalthea.reporting.context import Context


def energies_per_atom(predictor: Predictor) -> pd.Series[Any]:
    """Return the labelled energies in eV an atom; none where the sizes are not known: sums cannot be compared."""
    table = predictor.out_of_fold
    return table["target"] / table["atoms"] if "atoms" in table else table["target"].iloc[:0]


def structure_blocks(context: Context) -> list[Block]:
    """Return which elements the structures hold, and which labels they have."""
    words, examples = context.words, context.predictor.examples
    if not len(examples):
        return []
    counts = [Counter(atoms.get_chemical_symbols()) for atoms in examples["atoms"]]
    sizes = np.array([sum(atoms.values()) for atoms in counts])
    rows = []
    for element in sorted(set().union(*counts)):
        atoms = np.array([each[element] for each in counts])
        rows.append([element, words.count(int((atoms > 0).sum())), words.count(int(atoms.sum()))])
    labels = {words("energies"): examples["energy"].notna()}
    labels |= {words("forces"): examples["forces"].notna(), words("stresses"): examples["stress"].notna()}
    known_labels = ", ".join(f"{name} {words.count(int(known.sum()))}" for name, known in labels.items())
    sentence = words(
        "A structure has {low} to {high} atoms, half of them at most {middle}. Labels: {labels}.",
        low=words.count(int(sizes.min())),
        high=words.count(int(sizes.max())),
        middle=words.count(int(np.median(sizes))),
        labels=known_labels,
    )
    return [Paragraph(sentence), Table([words("element"), words("structures"), words("atoms")], rows)]
