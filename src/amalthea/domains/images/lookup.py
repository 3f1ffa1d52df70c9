"""Pictures that a table names in other words than their paths: other folders, no suffix, another case."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from amalthea.domains.images.files import hidden
from amalthea.domains.images.pictures import is_picture_name

MOST = 200_000
"""Files that are looked at, and ..."""

LEVELS = 3
"""... levels of folders below that of the table."""


class Lookup:
    """Finds pictures in a folder and below it.

    A path is tried as it stands; then the end of it, from the longest to the name alone; then the name without its
    suffix: without regard to case, to the form of accents, and to what stands before (`./`, an address, another
    computer's folders). Of several pictures called alike the one in the folder is taken that holds most others.

    Args:
        folder: where the table lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, texts: Sequence[str]) -> list[Path | None]:
        """Return the picture that each text names, None where there is none."""
        candidates = [self._candidates(text) for text in texts]
        parents = Counter(path.parent for paths in candidates for path in paths)
        return [max(paths, key=lambda path: parents[path.parent], default=None) for paths in candidates]

    def _candidates(self, text: str) -> list[Path]:
        if not text or len(text) > 1_000 or "\0" in text:
            return []
        direct = self.folder / text
        if is_picture_name(direct) and os.path.isfile(direct):
            return [direct]
        parts = PurePosixPath(_plain(text)).parts
        for start in range(len(parts)):
            if paths := self._ends.get("/".join(parts[start:])):
                return paths
        return []

    @cached_property
    def _ends(self) -> dict[str, list[Path]]:
        """The pictures by each end of their paths, with and without suffix."""
        ends: dict[str, list[Path]] = {}
        for path in _pictures(self.folder):
            parts = _plain(path.relative_to(self.folder).as_posix()).split("/")
            for start in range(len(parts)):
                end = "/".join(parts[start:])
                for name in (end, end.rpartition(".")[0]):
                    ends.setdefault(name, []).append(path)
        return ends


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip().replace("\\", "/")).casefold()


def _pictures(folder: Path) -> Iterable[Path]:
    seen = 0
    for directory, folders, files in os.walk(folder):
        deep = len(Path(directory).relative_to(folder).parts) >= LEVELS
        folders[:] = [] if deep else sorted(name for name in folders if not hidden(name))
        seen += len(files) + len(folders)
        if seen > MOST:
            return
        yield from (Path(directory, name) for name in files if is_picture_name(Path(name)))
