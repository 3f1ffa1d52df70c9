"""What error bars are worth outside of the training set: scaffolds that were never seen.

    python benchmarks/outside.py esol --seeds 20
    python benchmarks/outside.py cmet --seeds 5

Each seed holds out another fifth of the molecules, whole scaffolds; the rest is trained on with the defaults. Printed
are the share of 90 % intervals that hold, their width over that out of fold, and the area under the error of what is
kept while the least sure are rejected: by sigma, by the members' spread, by distance, and by an oracle. Of classes, the
expected calibration error.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

import amalthea as am
from amalthea.domains import domain
from amalthea.domains.reading import read
from amalthea.validation.metrics import score

LARGEST = 0.1
"""The share of all molecules that a scaffold may have to be held out."""


def held_out(units: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Return a fifth of the rows, whole groups drawn at random."""
    groups, sizes = np.unique(units, return_counts=True)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(sizes <= LARGEST * len(units)))
    enough = int(np.searchsorted(np.cumsum(sizes[order]), 0.2 * len(units))) + 1
    return np.isin(units, groups[order[:enough]])


def rejection_area(error: NDArray[np.float64], doubt: NDArray[np.float64]) -> float:
    """Return the mean, over shares of rejected examples, of the root mean square error of those kept."""
    squares = error[np.argsort(doubt, kind="stable")] ** 2
    return float(np.sqrt(np.cumsum(squares) / np.arange(1, len(squares) + 1)).mean())


def main() -> None:
    """Print a line a seed, and their mean."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data")
    asked.add_argument("--seeds", type=int, default=4)
    asked.add_argument("--members", type=int, default=None)
    options = asked.parse_args()
    data = read(options.data)
    units = domain(data.domain).groups(data, "scaffold")
    lines = []
    for seed in range(options.seeds):
        apart = held_out(units, seed)
        model = am.train(data.take(np.flatnonzero(~apart)), members=options.members, seed=seed, verbose=0)
        asked_for = data.take(np.flatnonzero(apart))
        summary, answer, truth = model.validation.targets[0], model.predict(asked_for.examples), asked_for.values[:, 0]
        main_figure = summary.metrics[summary.main].value
        line = {"seed": seed, "out of fold": main_figure}
        if summary.clusters is not None:
            line["by cluster"] = summary.clusters.metrics[summary.main].value
        values = score(summary.task, truth, answer.mean)
        line["scaffolds"] = values[summary.main]
        if summary.task == "classification":
            line |= {"ECE": values["ece"], "ECE out of fold": summary.metrics["ece"].value}
        else:
            table, error = model.out_of_fold, np.abs(answer.mean - truth)
            width = float(np.mean(answer.upper - answer.lower))
            spread = np.nanstd(answer.members, axis=0)
            line |= {
                "held": float(np.mean((answer.lower <= truth) & (truth <= answer.upper))),
                "width ratio": width / float((table["upper"] - table["lower"]).mean()),
                "held out of fold": summary.coverage.value if summary.coverage else np.nan,
                "area sigma": rejection_area(error, answer.std),
                "spread": rejection_area(error, spread),
                "distance": rejection_area(error, answer.applicability),
                "oracle": rejection_area(error, error),
            }
        lines.append(line)
        print("  ".join(f"{name} {value:.3g}" for name, value in line.items()), flush=True)
    names = [name for name in lines[0] if name != "seed"]
    print("mean:", "  ".join(f"{name} {np.mean([line[name] for line in lines]):.3f}" for name in names))


if __name__ == "__main__":
    main()
