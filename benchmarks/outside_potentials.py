"""What a potential answers where nobody taught it: ethanol trained on its lower energies, silicon on what it is given.

Trained with the defaults: ethanol on the half of train.xyz with the lower energies, and judged on the other half; on
the whole of it, and judged on the test files; silicon (`--silicon`) on its catalogue's data. Each figure stands beside
what it must be. The error bars' order is the area under the mean error of what is kept, over the share that is kept, in
units of that in an order by chance: below 1 is better than chance.

    AMALTHEA_DATA=/path/to/data python benchmarks/outside_potentials.py [--silicon]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import ase.io
import numpy as np

import amalthea as am
from amalthea.potentials.symmetry_functions.environments import root_mean_square

FILES = ("test_MD", "test_H_removal", "test_norm_mode_874", "test_norm_mode_3005", "test_dimers")


def trained(frames: list[Any]) -> Any:
    """Return a potential that learned from structures with the defaults."""
    with tempfile.TemporaryDirectory() as folder:
        ase.io.write(Path(folder) / "learned.extxyz", frames)
        return am.train(Path(folder) / "learned.extxyz", verbose=0)


def told(name: str, value: float, must: str = "", good: Any = None) -> None:
    """Print one line of the table."""
    print(
        f"{name:68s} {value:10.3f}   {must:22s} {'' if good is None else 'reached' if good else 'MISSED'}", flush=True
    )


def errors(frames: list[Any], answered: Any) -> tuple[Any, Any, list[Any]]:
    """Return what each energy an atom is off by, half its interval, and what each force is off by."""
    sizes = np.array([len(atoms) for atoms in frames])
    energy = np.array([atoms.get_potential_energy() for atoms in frames])
    forces = [
        None if "forces" not in atoms.calc.results or mine is None else mine - atoms.get_forces()
        for atoms, mine in zip(frames, answered.forces, strict=True)
    ]
    return (answered.mean - energy) / sizes, (answered.upper - answered.mean) / sizes, forces


def covered(answered: Any, off: list[Any]) -> float:
    """Return the share of forces' components inside of their intervals."""
    halves = zip(off, answered.forces_half_width, strict=True)
    return float(np.mean(np.concatenate([np.abs(each) <= half[:, None] for each, half in halves])))


def order(error: Any, doubt: Any) -> float:
    """Return the area under the kept rows' mean error, sorted by doubt, in units of that in an order by chance."""
    kept = np.abs(error)[np.argsort(doubt, kind="stable")]
    return float(np.mean(np.cumsum(kept) / np.arange(1, len(kept) + 1)) / kept.mean())


def halves(frames: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the half of the structures with the lower energies, and the other."""
    energy = np.array([atoms.get_potential_energy() for atoms in frames])
    ranks = np.argsort(energy).tolist()
    middle = len(ranks) // 2
    return [frames[row] for row in sorted(ranks[:middle])], [frames[row] for row in sorted(ranks[middle:])]


def upper_half(model: Any, high: list[Any]) -> None:
    """Judge a potential that learned from the lower half of the energies on the upper one."""
    figures, answered = model.validation.targets[0].metrics, model.predict(high)
    off, half, forces = errors(high, answered)
    inside = figures["force_rmse"].value
    beyond = float(np.sqrt(np.mean(np.concatenate(forces) ** 2)))
    told("ethanol, lower half: force RMSE out of fold (eV/Å)", inside, "must .1", inside <= 0.1)
    told("  of the upper half (eV/Å)", beyond)
    told("  as a multiple", beyond / inside, "must 5, try 2.5", beyond < 5 * inside)
    for name, share in (("energies", np.mean(np.abs(off) <= half)), ("forces", covered(answered, forces))):
        told(f"  90 % intervals of {name} cover", share, "must .80-.97, try .85-.95", 0.8 <= share <= 0.97)
    told("  told to lie outside (share)", float(answered.outside.mean()))
    potential = model.ready
    means = [potential.together(potential.committee.answer(atoms)) for atoms in high]
    orders = {
        "sigma": order(off, answered.std),
        "spread": order(off, np.array([each.energy_spread for each in means])),
        "distance": order(off, np.array([root_mean_square(each.distances) for each in means])),
    }
    by_atom = np.sqrt(np.mean(np.concatenate(forces) ** 2, axis=1))
    of_forces = {
        "sigma": order(by_atom, np.concatenate(answered.forces_std)),
        "spread": order(by_atom, np.concatenate([each.forces_spread for each in means])),
        "distance": order(by_atom, np.concatenate([each.distances for each in means])),
    }
    for what, areas in (("energies", orders), ("forces", of_forces)):
        others = f"spread {areas['spread']:.3f}, distance {areas['distance']:.3f}"
        best = areas["sigma"] < min(areas["spread"], areas["distance"])
        told(f"  area of {what}' errors kept, by sigma", areas["sigma"], others, best)


def test_files(model: Any, folder: Path) -> None:
    """Judge a potential that learned from all of train.xyz on the files of structures far outside."""
    figures = model.validation.targets[0].metrics
    told("ethanol, all: force RMSE out of fold (eV/Å)", figures["force_rmse"].value)
    middle = float(np.median(model.out_of_fold["force_rmse"]))
    for name in FILES:
        asked = ase.io.read(folder / f"{name}.xyz", ":")
        answered = model.predict(asked)
        off, half, forces = errors(asked, answered)
        missed = (np.abs(off) > 3 * half) & ~answered.outside
        told(f"{name}: finite energies (share)", float(np.isfinite(off).mean()), "must 1", bool(np.isfinite(off).all()))
        told("  largest error (eV/atom)", float(np.nanmax(np.abs(off))))
        told("  90 % intervals of energies cover", float(np.mean(np.abs(off) <= half)))
        told("  told to lie outside (share)", float(answered.outside.mean()))
        told("  off by three half-widths and not outside (share)", float(missed.mean()), "must 0", not missed.any())
        if forces[0] is not None:
            worst = max(float(np.sqrt(np.mean(each**2))) for each in forces)
            told("  worst frame's force RMSE over the median", worst / middle, "must 10, try 5", worst <= 10 * middle)
            told("  90 % intervals of forces cover", covered(answered, forces))


def silicon() -> None:
    """Train on the catalogue's silicon: nothing of its accuracy may be the price."""
    summary = am.train("silicon", verbose=0).validation.targets[0]
    told("silicon: 90 % intervals of energies cover out of fold", summary.coverage.value)
    for name, known in (("energy_mae", 2.13), ("energy_rmse", 3.55), ("force_mae", 0.0598), ("force_rmse", 0.0954)):
        figure = summary.test[name]
        within = abs(figure.value - known) <= figure.error
        told(f"  test: {name}", figure.value, f"{known} ± {figure.error:.2g}", within)


def main() -> None:
    """Print the table."""
    folder = Path(os.environ["AMALTHEA_DATA"]) / "potentials" / "ethanol"
    frames = ase.io.read(folder / "train.xyz", ":")
    low, high = halves(frames)
    upper_half(trained(low), high)
    test_files(trained(frames), folder)
    if "--silicon" in sys.argv:
        silicon()


if __name__ == "__main__":
    main()
