"""ASE's trajectories, also those that were cut."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from amalthea.potentials.reading.frames import Read
from amalthea.potentials.reading.read_errors import FAILURES, reason


def read_ase_trajectory(path: Path) -> Iterator[Read]:
    """Yield the frames of an ASE trajectory; of a file that was cut those before the cut."""
    from ase.io.trajectory import TrajectoryReader

    trajectory: Any
    try:
        trajectory = TrajectoryReader(str(path))
    except FAILURES as error:
        trajectory = _first_frames(path)
        if trajectory is None:
            yield Read(None, f"the file is no trajectory, or it was cut too soon ({reason(error)})")
            return
        yield Read(None, note=f"{path.name} was cut: frames beyond {len(trajectory)} cannot be found in it any more.")
    for index in range(len(trajectory)):
        try:
            yield Read(trajectory[index])
        except FAILURES:
            yield Read(None, "the file was cut in this frame or before it")


def _first_frames(path: Path) -> Any | None:
    """Return the frames of a trajectory whose list of frames lay beyond the cut, as far as an older list tells them.

    In ASE's format "ulm" the header (48 bytes) ends with the number of frames and the position of their list: the byte
    at which each frame's own header begins. As the list grows it moves to the end of the file, and the older ones stay.
    The first one, of one entry, lies behind the header: where its number stands again, a longer one begins.
    """
    from ase.io.trajectory import TrajectoryReader

    content = path.read_bytes()
    words = np.frombuffer(content[: len(content) // 8 * 8], "<i8")
    if content[:8] != b"- of Ulm" or len(words) < 8:
        return None
    # The seventh word: behind the header begins the first list, whose one entry is this number.
    first = int(words[6])
    lists = [start for start in np.flatnonzero(words == first).tolist() if first // 8 < start < len(words) - 1]
    if not lists or first <= 0:
        return None
    entries = words[lists[-1] :]
    # Frames lie one behind the other, so a list ends where its entries no longer grow; unused entries are 0.
    ends = np.flatnonzero(np.diff(entries) <= 0)
    # A header that points to the older list makes a whole file of what is there.
    frames = np.array([int(ends[0]) + 1 if len(ends) else len(entries), 8 * lists[-1]], "<i8")
    try:
        return TrajectoryReader(io.BytesIO(content[:32] + frames.tobytes() + content[48:]))
    except FAILURES:
        return None
