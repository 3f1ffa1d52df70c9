"""Features kept between runs, by canonical SMILES: an SQLite file that may be lost at any time."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LARGEST = 2**30
"""The bytes beyond which a cache takes nothing more."""

TABLE = "CREATE TABLE IF NOT EXISTS features (smiles TEXT PRIMARY KEY, vector BLOB, checksum INTEGER)"


class FeatureCache:
    """Vectors by SMILES in a file. What cannot be read is not there; what cannot be written is not kept.

    Args:
        path: the file; it is made when the first vector is kept.
        width: the length d of the vectors.

    Example:
        >>> import tempfile
        >>> cache = FeatureCache(Path(tempfile.mkdtemp()) / "cache.sqlite", width=2)
        >>> cache.keep({"CCO": np.array([1, 2], np.float32)})
        >>> cache.find(["CCO", "CCN"])
        {'CCO': array([1., 2.], dtype=float32)}
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path, self.width = path, width

    def find(self, smiles: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors, each of shape (d,), of those molecules that are known."""
        wanted = list(dict.fromkeys(smiles))
        cached: dict[str, NDArray[np.float32]] = {}

        def read(connection: sqlite3.Connection) -> None:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                marks = ",".join("?" * len(some))
                query = f"SELECT smiles, vector, checksum FROM features WHERE smiles IN ({marks})"
                for key, blob, checksum in connection.execute(query, some):
                    if len(blob) == 4 * self.width and zlib.crc32(key.encode() + blob) == checksum:
                        cached[key] = np.frombuffer(blob, "<f4").astype(np.float32)

        if self.path.is_file():
            self._attempt(read)
        return cached

    def keep(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors, each of shape (d,), for the next run."""
        rows = []
        for key, vector in vectors.items():
            blob = vector.astype("<f4").tobytes()
            rows.append((key, blob, zlib.crc32(key.encode() + blob)))

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA synchronous = OFF")  # a crash may cost the cache, and nothing else
            connection.execute(TABLE)
            connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists() or self.path.stat().st_size < LARGEST:
                self._attempt(write)

    def _attempt(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Do something with the file; one that is damaged is removed, one that is locked or read-only left alone."""
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
                action(connection)
        except sqlite3.OperationalError:
            pass
        except (sqlite3.DatabaseError, TypeError):  # TypeError: a damaged row may hold any type
            with contextlib.suppress(OSError):
                self.path.unlink()
