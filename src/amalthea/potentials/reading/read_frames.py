"""Atomic structures from files and folders: read, checked, and each that cannot be used named."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from amalthea.datasets.dataset import Refusal
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.domains.protocol import Progress
from amalthea.errors import DataError
from amalthea.potentials.reading.discovery import find_files
from amalthea.potentials.reading.formats import N2P2, find_format, read_n2p2, read_with_ase
from amalthea.potentials.reading.frames import Frames, Read, frame_name, plain
from amalthea.potentials.reading.geometry import compact, nearest_distance, problem_of
from amalthea.potentials.reading.label_names import LABELS, NONE, LabelNames, shown
from amalthea.potentials.reading.labels import OPTIONS, Labels, entries_of, find_labels, known_names, notes_on_labels
from amalthea.potentials.reading.mismatches import notes_on_mismatches, per_atom_energy
from amalthea.potentials.reading.outliers import find_outliers
from amalthea.potentials.reading.read_errors import FAILURES, need_ase, reason

PARTS_OF_STRUCTURES = frozenset(
    {"numbers", "positions", "momenta", "masses", "tags", "initial_magmoms", "initial_charges"}
)
"""Names of what makes a structure, or moves it, and labels none."""

STRONGEST = 100.0
"""In eV/Å: larger forces are named."""


@dataclasses.dataclass(frozen=True)
class StructureOptions:
    """How files of structures are to be read.

    Args:
        labelled: frames are for training: those with neither energy nor forces are refused, and energies are compared.
        names: what the labels are called, where the usual names mislead.
        length_unit: the unit of n2p2's files: "bohr" or "angstrom".
        energy_unit: the unit of n2p2's files: "hartree" or "ev".
    """

    labelled: bool = True
    names: LabelNames = dataclasses.field(default_factory=LabelNames)
    length_unit: str = "bohr"
    energy_unit: str = "hartree"


class _Entry(NamedTuple):
    """One frame on its way: whence it came, what was read, its labels, and why it cannot be used ("" if it can)."""

    source: str
    frame: int
    atoms: Any
    labels: Labels
    problem: str


def read_frames(
    paths: Sequence[Path], progress: Progress | None = None, options: StructureOptions | None = None
) -> Frames:
    """Read atomic structures with their energies, forces and stresses, in eV and Å.

    Frames that have an energy or forces are kept and used for what they have. What cannot be used is refused frame by
    frame: damaged ones, atoms on top of each other, cells without volume, energies in another unit.

    Args:
        paths: files and folders. Of a folder, all files of structures in it and below it are read, in order of name.
        progress: called with the number of files that were read, and of all.
        options: labels, units, and whether labels are needed.

    Raises:
        DataError: there is no such file, or no frame can be used.
        MissingDependencyError: ASE is not installed.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "atoms.xyz"
        >>> _ = path.write_text("1\\nenergy=-0.1\\nAr 0 0 0\\n1\\nenergy=-0.2\\nAr 0 0\\n")
        >>> frames = read_frames([path])
        >>> frames.energy.tolist(), frames.refused[0].reason
        ([-0.1], 'the frame from line 4 cannot be read (...)')
    """
    need_ase()
    options = options or StructureOptions()
    files, notes = find_files(paths, options.labelled)
    entries: list[_Entry] = []
    for done, (name, path) in enumerate(files.items()):
        read, remarks = _read_file(name, path, options)
        entries.extend(read)
        notes.extend(remarks)
        if progress is not None:
            progress(done + 1, len(files))
    if not entries:
        raise DataError(f"{listed(files, 3)}: no frame was found. Give a file of atomic structures.")
    if options.labelled:
        _ask(options.names, entries)
        options, entries = _with_total_energies(options, entries)
    # Compared only when each was looked at by itself: damaged frames would spoil what the others have in common.
    if options.labelled:
        entries, remarks = _compared(entries)
        notes.extend(remarks)
    return _assembled(entries, notes, options)


def _read_file(name: str, path: Path, options: StructureOptions) -> tuple[list[_Entry], list[str]]:
    """Return the frames of a file, judged one by one, and notes on the file."""
    entries: list[_Entry] = []
    notes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # readers warn of constraints, charges and the like, which are not used
        for read in _frames(path, options):
            if read.note:
                notes.append(read.note)
            if read.atoms is not None or read.problem:
                entries.append(_judged(name, len(entries) + 1, read, options))
    if not entries:
        entries.append(_Entry(name, 1, None, Labels(), "the file holds no frames"))
    return entries, notes


def _frames(path: Path, options: StructureOptions) -> Iterator[Read]:
    """Yield the frames of a file; where reading fails, the last one says why."""
    file_format = find_format(path)
    try:
        if file_format is not None and file_format.name == N2P2:
            yield from read_n2p2(path, options.length_unit, options.energy_unit)
        else:
            yield from (read_with_ase if file_format is None else file_format.read)(path)
    except FAILURES as error:
        yield Read(None, f"the file cannot be read from here on ({reason(error)})")


def _judged(name: str, frame: int, read: Read, options: StructureOptions) -> _Entry:
    if read.atoms is None:
        return _Entry(name, frame, None, Labels(), read.problem)
    read = read._replace(atoms=compact(read.atoms))
    if problem := problem_of(read.atoms):
        return _Entry(name, frame, read.atoms, Labels(), problem)
    labels = find_labels(read.atoms, options.names)
    if options.labelled and np.isnan(labels.energy) and labels.forces is None:
        why = "; ".join(labels.problems[label] for label in ("energy", "forces") if label in labels.problems)
        return _Entry(name, frame, read.atoms, labels, "no energy and no forces" + (f" ({why})" if why else ""))
    return _Entry(name, frame, read.atoms, labels, "")


def _ask(names: LabelNames, entries: Sequence[_Entry]) -> None:
    """Make sure that the names of labels that were asked for are there.

    Raises:
        DataError: no frame has one of them.
    """
    there = sorted({shown(name) for entry in entries if entry.atoms is not None for name in entries_of(entry.atoms)})
    for label in LABELS:
        asked = names.asked(label)
        if asked and asked.lower() != NONE and asked not in there:
            raise DataError(
                f"{OPTIONS[label]} {asked}: no frame has it.{did_you_mean(asked, there)} There are: {listed(there)}."
            )


def _with_total_energies(options: StructureOptions, entries: list[_Entry]) -> tuple[StructureOptions, list[_Entry]]:
    """Take another entry for the energy where the one that was taken is that one divided by the number of atoms."""
    good = [entry for entry in entries if not entry.problem]
    total = per_atom_energy([(entry.atoms, entry.labels) for entry in good])
    if options.names.energy or not total:
        return options, entries
    options = dataclasses.replace(options, names=dataclasses.replace(options.names, energy=total))
    return options, [e if e.problem else e._replace(labels=find_labels(e.atoms, options.names)) for e in entries]


def _compared(entries: Sequence[_Entry]) -> tuple[list[_Entry], list[str]]:
    """Refuse frames whose energy cannot belong to the others; name those that are far off or have strong forces."""
    good = [index for index, entry in enumerate(entries) if not entry.problem]
    outliers = find_outliers(
        [entries[index].atoms for index in good], np.array([entries[index].labels.energy for index in good])
    )
    wrong = {good[index]: why for index, why in outliers.wrong.items()}
    compared = [entry._replace(problem=wrong.get(i, entry.problem)) for i, entry in enumerate(entries)]
    notes = []
    if outliers.far:
        names = _named([entries[good[index]] for index in outliers.far])
        notes.append(f"The energies of {counted(len(outliers.far), 'frame')} are far from the others' ({names}); kept.")
    kept = [entry for entry in compared if not entry.problem]
    notes.extend(_notes_on_lengths(kept))
    notes.extend(notes_on_mismatches([(frame_name(e.source, e.frame), e.atoms, e.labels) for e in kept]))
    strong = [e for e in kept if e.labels.forces is not None and np.abs(e.labels.forces).max() > STRONGEST]
    if strong:
        notes.append(f"{counted(len(strong), 'frame')} with forces above {STRONGEST:g} eV/Å ({_named(strong)}); kept.")
    return compared, notes


def _notes_on_lengths(entries: Sequence[_Entry], most: int = 20) -> list[str]:
    """Say which files have neighbours at half or at twice the usual distance, as a wrong unit of length gives."""
    notes = []
    for source in dict.fromkeys(entry.source for entry in entries):
        frames = [entry.atoms for entry in entries if entry.source == source][:most]
        usual = float(np.median([nearest_distance(atoms) for atoms in frames]))
        if 0.45 < usual < 0.66:
            notes.append(f"{source}: neighbours are at about half the usual distance. Were Å taken for bohr?")
        elif 1.8 < usual < 2.3:
            notes.append(f"{source}: neighbours are at about twice the usual distance. Is it in bohr and not in Å?")
    return notes


def _named(entries: Sequence[_Entry]) -> str:
    return listed((frame_name(entry.source, entry.frame) for entry in entries), 5).replace(", frame", " frame")


def _unread(entries: Sequence[_Entry]) -> str:
    """Return the names of what stands with frames and is no part of a structure."""
    frames = [entry.atoms for entry in entries if entry.atoms is not None]
    names = dict.fromkeys(shown(name) for atoms in frames for name in entries_of(atoms))
    return listed([repr(name) for name in names if name not in PARTS_OF_STRUCTURES], 8)


def _assembled(entries: Sequence[_Entry], notes: Sequence[str], options: StructureOptions) -> Frames:
    """Return the good frames as a record, all others as refusals.

    Raises:
        DataError: no frame is good.
    """
    refused = tuple(
        Refusal(row, frame_name(entry.source, entry.frame), entry.problem)
        for row, entry in enumerate(entries, 1)
        if entry.problem
    )
    rows = np.array([row for row, entry in enumerate(entries, 1) if not entry.problem], np.int64)
    good = [entries[row - 1] for row in rows]
    if options.labelled and not good:
        first = "; ".join(f"{refusal.example}: {refusal.reason}" for refusal in refused[:3])
        more = "; ..." if len(refused) > 3 else ""
        there = _unread(entries)
        hint = f" What stands with them: {there}; --energy-key and --forces-key take it." if there else ""
        raise DataError(f"{counted(len(entries), 'frame')} found, and none can be used ({first}{more}).{hint}")
    labels = [entry.labels for entry in good]
    return Frames(
        atoms=[plain(entry.atoms) for entry in good],
        energy=np.array([one.energy for one in labels], np.float64),
        forces=[one.forces for one in labels],
        stress=[one.stress for one in labels],
        source=np.array([entry.source for entry in good], object),
        frame=np.array([entry.frame for entry in good], np.int64),
        row=rows,
        info=_descriptions(good, known_names(options.names)),
        refused=refused,
        notes=(*notes, *notes_on_labels(labels, _numbers(good)), *_notes_on_dropped(good)),
    )


def _numbers(entries: Sequence[_Entry]) -> list[str]:
    """Return the names of the numbers that stand with frames."""
    numbers = (int, float, np.integer, np.floating)
    return [*dict.fromkeys(n for e in entries[:20] for n, v in e.atoms.info.items() if isinstance(v, numbers))]


def _descriptions(entries: Sequence[_Entry], labels: frozenset[str]) -> pd.DataFrame:
    """Return the entries of frames that are one text or one number, as text, and the file of each."""
    records = [{**_scalars(entry.atoms.info, labels), "file": entry.source} for entry in entries]
    return pd.DataFrame(records, dtype="str") if records else pd.DataFrame({"file": []}, dtype="str")


def _scalars(info: Mapping[str, Any], labels: frozenset[str]) -> dict[str, str]:
    scalars = (str, bool, int, float, np.bool_, np.integer, np.floating)
    return {str(name): str(value) for name, value in info.items() if name not in labels and isinstance(value, scalars)}


def _notes_on_dropped(entries: Sequence[_Entry]) -> tuple[str, ...]:
    """Say which labels were dropped from frames that are kept."""
    notes = []
    for label in ("energy", "forces", "stress"):
        dropped = [entry for entry in entries if label in entry.labels.problems]
        if dropped:
            first = dropped[0].labels.problems[label]
            notes.append(
                f"The {label} of {counted(len(dropped), 'frame')} cannot be used ({_named(dropped)}: {first}); "
                "the rest of these frames is."
            )
    return tuple(notes)
