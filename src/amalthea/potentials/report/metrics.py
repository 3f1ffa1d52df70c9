"""A potential's figures, fold by fold."""

from __future__ import annotations

import pandas as pd


def by_fold(table: pd.DataFrame) -> tuple[dict[int, dict[str, float]], dict[int, int]]:
    """Return each fold's metrics of a potential, and its number of structures.

    Args:
        table: `Predictor.out_of_fold`: energies in eV, errors of forces in eV/Å and of stresses in GPa by structure.
    """
    metrics: dict[int, dict[str, float]] = {}
    sizes: dict[int, int] = {}
    if not {"prediction", "atoms"} <= set(table):
        return metrics, sizes
    for fold, rows in table[table["prediction"].notna() & (table["fold"] >= 0)].groupby("fold"):
        off = 1000 * ((rows["prediction"] - rows["target"]) / rows["atoms"]).dropna()
        values = {"energy_mae": off.abs().mean(), "energy_rmse": (off**2).mean() ** 0.5}
        forces = rows.dropna(subset=["force_mae"]) if "force_mae" in rows else rows.iloc[:0]
        components = forces["atoms"] / max(1, forces["atoms"].sum())
        if len(forces):
            values["force_mae"] = (components * forces["force_mae"]).sum()
            values["force_rmse"] = (components * forces["force_rmse"] ** 2).sum() ** 0.5
        if "stress_mae" in rows:
            values["stress_mae"] = rows["stress_mae"].mean()
        metrics[int(str(fold))] = {name: float(value) for name, value in values.items()}
        sizes[int(str(fold))] = len(rows)
    return metrics, sizes
