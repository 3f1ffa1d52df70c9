"""Structures from wherever they are: files and folders, or Python's own objects, as frames without need of labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amalthea.datasets.dataset import Refusal
from amalthea.errors import AmaltheaError
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.geometry import problem_of
from amalthea.potentials.reading.read_frames import StructureOptions, read_frames


def frames_from(source: Any, options: StructureOptions | None = None) -> Frames:
    """Return the structures of a source; those that cannot be used are refused, each with its reason.

    Args:
        source: a file or folder, an `ase.Atoms`, or a list of either.
        options: the units of n2p2's files; None: as they usually are.

    Raises:
        DataError: there is no such file, or no frame in it.
    """
    if paths := paths_of(source):
        return read_frames(paths, options=options or StructureOptions(labelled=False))
    return frames_in_memory(listed_source(source))


def paths_of(source: Any) -> list[Path]:
    """Return the files and folders that a source names; none where it holds structures themselves."""
    named = listed_source(source)
    return [Path(one) for one in named] if all(isinstance(one, str | os.PathLike) for one in named) else []


def listed_source(source: Any) -> list[Any]:
    """Return a source as a list: of one thing where it is one."""
    return [source] if isinstance(source, str | os.PathLike) or hasattr(source, "get_positions") else list(source)


def frames_in_memory(images: Sequence[Any]) -> Frames:
    """Return `ase.Atoms` as frames without labels; whatever is none, or can be no piece of matter, is refused."""
    problems = [problem_of(image) if hasattr(image, "get_positions") else "it is no ase.Atoms" for image in images]
    good = np.array([row for row, problem in enumerate(problems, 1) if not problem], np.int64)
    return Frames(
        atoms=[images[row - 1].copy() for row in good],
        energy=np.full(len(good), np.nan),
        forces=[None] * len(good),
        stress=[None] * len(good),
        source=np.full(len(good), "given", object),
        frame=good,
        row=good,
        info=pd.DataFrame(index=range(len(good))),
        refused=tuple(Refusal(row, "given", problem) for row, problem in enumerate(problems, 1) if problem),
    )


def output_path(output: str | os.PathLike[str] | None, source: Any, ending: str) -> Path:
    """Return where a result is to be written: `output`, or beside the first file that is read.

    Args:
        output: as it was asked for.
        source: what is read.
        ending: behind the name of the first file, such as "-md".

    Raises:
        AmaltheaError: neither is known.

    Example:
        >>> output_path(None, "melts/silicon.extxyz", "-md").name
        'silicon-md'
    """
    if output is not None:
        return Path(output)
    if not (paths := paths_of(source)):
        raise AmaltheaError("Structures that are no files have no name to write beside. Say where to: output=...")
    return paths[0].with_name(f"{paths[0].stem}{ending}")
