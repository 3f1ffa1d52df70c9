"""Forecasts with the defaults, beside what the literature has: ETTh1, M4 hourly, airline, carbon dioxide, sunspots.

ETTh1 and M4 hourly on their own test sets; the others on the last half of their time, out of fold.

    AMALTHEA_DATA=/path/to/data python benchmarks/forecasts.py [NAME ...]
"""

from __future__ import annotations

import sys
import time

import amalthea as am

KNOWN = {
    "etth1": "scaled MSE / MAE: PatchTST .370/.400, DLinear .375/.399, NHITS .378/.393",
    "m4-hourly": "sMAPE / MASE / OWA: winner 9.3/.89/.44, seasonal naive 13.9/1.19/.63",
    "airline": "",
    "co2": "",
    "sunspots": "",
}
METRICS = ("scaled_mse", "scaled_mae", "smape", "mase", "owa")


def main(names: list[str]) -> None:
    """Train on each data set, and print its figures, the best baseline's, and what is known."""
    for name in names or list(KNOWN):
        start = time.process_time()
        predictor = am.train(name, verbose=0)
        spent = time.process_time() - start
        summary = predictor.validation.compared[0]
        figures, simple = (
            (summary.test, summary.test_baselines) if summary.test else (summary.metrics, summary.baselines)
        )
        best = min(simple, key=lambda each: simple[each][summary.main].value)
        covered = figures.get("coverage_90", summary.coverage)
        print(f"{name}: {spent:.0f} CPU s, 90 % intervals hold {covered}   {KNOWN.get(name, '')}")
        for label, row in (("this", figures), (best, simple[best])):
            print(f"  {label:30s} " + "  ".join(f"{each} {row[each]}" for each in METRICS if each in row), flush=True)


main(sys.argv[1:])
