"""What the package promises before anything is asked of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from amalthea import insight
from amalthea.errors import MissingDependencyError
from amalthea.insight import figures


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, amalthea.insight; print([m for m in ('keras', 'jax', 'matplotlib') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names_stay_functions_whatever_else_is_imported():
    for _ in range(2):
        for name in insight.__all__:
            assert callable(getattr(insight, name))


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install amalthea\[plots\]"):
        figures.panels(1, 1, figures.theme("light"), (3, 3))
