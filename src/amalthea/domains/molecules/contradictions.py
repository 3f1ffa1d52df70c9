"""What cleaning changed, and where it would make one molecule of several that behave differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed, shortened
from amalthea.datasets.targets import Labels
from amalthea.domains.molecules.cleaning import Cleaned

FEWEST, SHARE, SPREAD = 6, 0.1, 0.25
"""Copies that cleaning makes contradict one another where there are so many rows of them, in number and as a share of
all, and where their targets vary within copies by such a share of all variance."""


def notes_on_changes(written: pd.Series, molecules: Sequence[Cleaned]) -> tuple[str, ...]:
    """Return a sentence on each kind of change, with its count and three examples.

    Args:
        written: n molecules as they stand in the file.
        molecules: the same, cleaned.

    Example:
        >>> notes_on_changes(pd.Series(["CCO.Cl", "CC"]), [Cleaned("CCO", "", ("salt removed",)), Cleaned("CC")])
        ('Salt removed in 1 molecule: CCO.Cl -> CCO.',)
    """
    pairs: dict[str, list[str]] = {}
    for text, molecule in zip(written, molecules, strict=True):
        for change in molecule.changes:
            pairs.setdefault(change, []).append(f"{shortened(str(text))} -> {shortened(molecule.smiles or '')}")
    return tuple(
        f"{change[0].upper()}{change[1:]} in {counted(len(shown), 'molecule')}: {listed(dict.fromkeys(shown), 3)}."
        for change, shown in pairs.items()
    )


def kept_whole(molecules: Sequence[Cleaned], labels: Labels) -> str:
    """Return why salts must not be removed: what is left would be one molecule with many values; "" if they may.

    The melting point of an ionic liquid hangs on both of its ions; that of a drug's potency on the drug.

    Args:
        molecules: n cleaned molecules.
        labels: the targets of the same n rows.
    """
    cleaned = np.array([molecule.smiles or "" for molecule in molecules], dtype=object)
    whole = np.array([molecule.whole or "" for molecule in molecules], dtype=object)
    usable = (cleaned != "") & np.isfinite(labels.values[:, 0]) & (labels.problems == "")
    rows = pd.DataFrame({"cleaned": cleaned, "whole": whole, "value": labels.values[:, 0]})[usable]
    joined = rows[rows.groupby("cleaned")["whole"].transform("nunique") > 1]
    if len(joined) < max(FEWEST, SHARE * len(rows)):
        return ""
    # Replicates of one and the same salt may scatter: only what salts of one molecule differ by counts.
    means = joined.groupby(["cleaned", "whole"], sort=False)["value"].mean()
    within = _variance_within(means.to_numpy(np.float64), means.index.get_level_values(0))
    if within <= SPREAD * float(rows["value"].var()):
        return ""
    spread = joined.groupby("cleaned")["value"].agg(lambda values: values.max() - values.min()).max()
    target = labels.targets[0]
    names = joined["cleaned"].nunique()
    differ = f", by up to {spread:.3g}" if target.task == "regression" else ""
    return (
        f"Salts are kept: without them, {counted(len(joined), 'row')} would be copies of {names:,} "
        f"molecules whose '{target.name}' differs{differ}. --clean removes them all the same."
    )


def _variance_within(values: NDArray[np.float64], groups: pd.Index) -> float:
    """Return the pooled variance of values within their groups."""
    frame = pd.Series(values).groupby(np.asarray(groups))
    residual = values - frame.transform("mean").to_numpy(np.float64)
    return float(np.sum(residual**2) / max(len(values) - frame.ngroups, 1))
