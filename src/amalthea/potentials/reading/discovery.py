"""Which files hold atomic structures: of a folder, all in it and below it."""

from __future__ import annotations

import itertools
import mimetypes
from collections.abc import Iterator, Sequence
from pathlib import Path

from amalthea.datasets.files import existing_file
from amalthea.datasets.messages import counted, listed
from amalthea.errors import DataError
from amalthea.potentials.reading.formats import Format, find_format, is_part

PLOTS = 5
"""Pictures for each file of structures in a folder of these; where there are more, the folder is one of pictures."""


def claims(path: Path) -> bool:
    """Say whether a path is a file of atomic structures, or a folder that holds one, and not pictures almost alone.

    Example:
        >>> claims(Path("run/vasprun.xml")), claims(Path("solubility.csv"))
        (True, False)
    """
    if path.is_dir():
        inside = list(itertools.islice(_inside(path), 1000))
        structures = sum(find_format(inner) is not None for inner in inside)
        pictures = sum((mimetypes.guess_type(inner.name)[0] or "").startswith("image/") for inner in inside)
        return structures > 0 and pictures <= PLOTS * structures
    return find_format(path) is not None


def find_files(paths: Sequence[Path], labelled: bool) -> tuple[dict[str, Path], list[str]]:
    """Return the files to be read, each under the name it is to be called by, and notes on what was left out.

    Raises:
        DataError: there is no such file, or a folder without structures.
    """
    files: dict[str, Path] = {}
    notes: list[str] = []
    for path in map(Path, paths):
        if not path.is_dir():
            name = path.name if path.name not in files else str(path)
            files[name] = existing_file(path)
            continue
        inside = [inner for inner in _inside(path) if not is_part(inner)]
        formats = {inner: find_format(inner) for inner in inside}
        wanted = [inner for inner in inside if _is_wanted(formats[inner], labelled)]
        # VASP writes the same run into both files, and frames that count twice would weigh twice.
        twice = [inner for inner in wanted if labelled and _has_vasprun(inner, wanted)]
        taken = [inner for inner in wanted if inner not in twice]
        if not taken:
            raise DataError(f"{path} holds no files of atomic structures. Name the files to be read.")
        prefix = f"{path.name}/" if len(paths) > 1 else ""
        files |= {prefix + inner.relative_to(path).as_posix(): inner for inner in taken}
        if twice:
            notes.append(f"{counted(len(twice), 'OUTCAR')} left out: the vasprun.xml beside it tells the same run.")
        if others := [inner.name for inner in inside if inner not in wanted]:
            notes.append(f"{counted(len(others), 'file')} in {path} ignored ({listed(others, 5)}).")
    return files, notes


def _inside(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it, in order of name, hidden ones left out."""
    for inner in sorted(folder.iterdir()):
        if inner.name.startswith("."):
            continue
        if inner.is_dir():
            yield from _inside(inner)
        elif inner.is_file():
            yield inner


def _is_wanted(file_format: Format | None, labelled: bool) -> bool:
    return file_format is not None and (file_format.labelled or not labelled)


def _has_vasprun(path: Path, others: Sequence[Path]) -> bool:
    return path.name.lower().startswith("outcar") and any(
        other.parent == path.parent and other.name.lower().startswith("vasprun.xml") for other in others
    )
