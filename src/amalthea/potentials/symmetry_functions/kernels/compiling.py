"""How the kernels are compiled: with Numba, once for each kind of machine, kept in Amalthea's cache."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from amalthea.backend import cache_folder
from amalthea.errors import MissingDependencyError

try:
    import numba
except ImportError as error:
    raise MissingDependencyError(
        'atomic structures need numba. Install it with: pip install "amalthea[structures]"'
    ) from error

Function = TypeVar("Function", bound=Callable[..., Any])

REORDER = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, for vector instructions; NaN and infinity keep their meaning."""


def part(function: Function) -> Function:
    """Compile a function that only other compiled functions call, into these: handing over a plan costs 200 numbers."""
    compile_: Any = numba.njit(fastmath=REORDER, error_model="numpy", forceinline=True)
    compiled: Function = compile_(function)
    return compiled


def entry(function: Function) -> Function:
    """Compile a function that Python calls, and keep it for later processes where a folder can be written.

    Numba keeps a function while *its* file stays as it is, whatever happens to the functions that it calls: so the
    folder is named after the contents of all files here. Within it, Numba tells kinds of processors apart.
    """
    folder = cache_folder() / "kernels" / _digest()
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        compile_: Any = numba.njit(fastmath=REORDER, error_model="numpy", nogil=True, cache=_writable(folder))
        compiled: Function = compile_(function)
    finally:
        settings.CACHE_DIR = before
    return compiled


@functools.cache
def _digest() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@functools.cache
def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
