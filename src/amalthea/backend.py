"""The one place that chooses Keras's backend, the devices and the compilation cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from amalthea.errors import AmaltheaError


def announce() -> None:
    """Set, before Keras and JAX are imported, what they read from the environment; what is set already stays.

    One CPU device a core: members never talk to each other, so each core trains its own share of them.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if "jax" not in sys.modules:
        os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(cores()))


def prepare() -> None:
    """Check that Keras runs on JAX, and switch the persistent compilation cache on.

    Raises:
        AmaltheaError: Keras was imported before with another backend.
    """
    import jax
    import keras

    if keras.backend.backend() != "jax":
        raise AmaltheaError(
            f"Keras runs on {keras.backend.backend()!r} here, and Amalthea needs 'jax': set KERAS_BACKEND=jax, "
            "or import amalthea before keras."
        )
    folder = cache_folder() / "programs"
    settings: Any = jax.config
    if settings.jax_compilation_cache_dir is None and _writable(folder):
        settings.update("jax_compilation_cache_dir", str(folder))
        settings.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # many small programs add up


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cache_folder() -> Path:
    """Return the folder for what can be computed or downloaded again: `AMALTHEA_CACHE`, else the user's cache."""
    import platformdirs

    chosen = os.environ.get("AMALTHEA_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("amalthea"))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
