"""Asking for a domain costs no library that is not used."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import pandas as pd
from amalthea.datasets import assembly, catalogue, splits
from amalthea.domains import domains, recognise
domains()
table = pd.DataFrame({"x": ["1", "2"], "remark": ["a word", "another"]}, dtype="str")
assert recognise(table).name == "tables"
late = {"rdkit", "pooch", "requests", "sklearn", "joblib", "scipy", "keras", "jax", "ase", "numba", "vesin", "PIL"}
sys.stdout.write(" ".join(sorted(late & sys.modules.keys())))
"""


def test_libraries_are_imported_where_they_are_used() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
