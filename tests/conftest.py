"""What must be set before JAX and Keras are imported."""

from __future__ import annotations

import getpass
import os
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
# Compiled programs are kept between runs: compiling is most of the time that these tests take.
os.environ.setdefault("AMALTHEA_CACHE", str(Path(tempfile.gettempdir()) / f"amalthea-tests-{getpass.getuser()}"))


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what Keras itself does against NumPy 2."""
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    )
