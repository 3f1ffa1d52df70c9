"""Arrays in the IDX format, in which MNIST is handed out."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import DataError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_SWELLING = 1_100  # deflate shrinks nothing to less than a thousandth


def is_idx(path: Path) -> bool:
    """Say whether a file is called like an IDX file, or begins like one of 1 to 4 dimensions.

    Example:
        >>> is_idx(Path("train-images-idx3-ubyte.gz")), is_idx(Path("train.csv"))
        (True, False)
    """
    return _called_idx(path) or _kind(path) is not None


def holds_images(path: Path) -> bool:
    """Say whether an IDX file has three or more dimensions; by its name where its beginning is damaged."""
    kind = _kind(path)
    return kind[1] >= 3 if kind else "idx1" not in path.name.lower()


def read_idx(path: Path) -> NDArray[np.generic]:
    """Return the array in an IDX file, plain or gzipped.

    The file is: two zero bytes, a byte for the type, one for the number of dimensions, each dimension as a big-endian
    32-bit integer, then the values, big-endian, the last dimension fastest.

    Raises:
        DataError: a wrong magic number, or fewer or more bytes than the dimensions say; found and expected are told.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, "File formats for the MNIST database".
    """
    try:
        with _stream(path) as stream:
            magic = stream.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= 4:
                raise DataError(
                    f"{path} is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}. Images begin with "
                    "00 00 08 03, labels with 00 00 08 01."
                )
            header = stream.read(4 * magic[3])
            shape = struct.unpack(f">{len(header) // 4}I", header[: len(header) // 4 * 4])
            kind = np.dtype(TYPES[magic[2]])
            expected = math.prod(shape) * kind.itemsize
            possible = len(shape) == magic[3] and expected <= _MOST_SWELLING * os.path.getsize(path)
            content = stream.read(expected + 1) if possible else stream.read(2**20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is a damaged or cut off gzip file ({error}). Download it again.") from error
    if not possible or len(content) != expected:
        length = f"{len(content):,}" if len(content) < expected else "more"
        sides = " x ".join(f"{side:,}" for side in shape)
        raise DataError(
            f"{path} is cut off or damaged: its header promises {sides} values, {expected:,} bytes, and {length} "
            "follow. Download it again."
        )
    return np.frombuffer(content, kind).reshape(shape)


def plain_name(path: Path) -> str:
    """Return a file's name without .gz, and with a hyphen before "idx" however the file was unpacked.

    Example:
        >>> plain_name(Path("train-images.idx3-ubyte")), plain_name(Path("train-images-idx3-ubyte.gz"))
        ('train-images-idx3-ubyte', 'train-images-idx3-ubyte')
    """
    return path.name.lower().removesuffix(".gz").replace(".idx", "-idx")


def companion(path: Path, *replacements: tuple[str, str]) -> Path | None:
    """Return the file beside this one whose name differs by the replacements, if it is there."""
    wanted = plain_name(path)
    for old, new in replacements:
        wanted = wanted.replace(old, new)
    if wanted == plain_name(path):
        return None
    return next((other for other in sorted(path.parent.iterdir()) if plain_name(other) == wanted), None)


def _called_idx(path: Path) -> bool:
    name = plain_name(path)
    return any(f"-idx{dimensions}-" in name for dimensions in (1, 3, 4))


def _kind(path: Path) -> tuple[int, int] | None:
    """Return the type and the number of dimensions that a file's first bytes tell, None where it is no IDX file."""
    try:
        with _stream(path) as stream:
            magic = stream.read(4)
    except (OSError, EOFError, zlib.error):
        return None
    known = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES and 1 <= magic[3] <= 4
    return (magic[2], magic[3]) if known else None


def _stream(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if zipped else path.open("rb")
