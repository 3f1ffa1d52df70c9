"""Extended XYZ, frame by frame: one that is damaged is named, and those after it are read."""

from __future__ import annotations

import contextlib
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from amalthea.datasets.messages import shortened
from amalthea.potentials.reading.frames import Read

COUNT = re.compile(r"\s*\d+\s*")
COLUMNS = re.compile(r'Properties="?([^\s"]+)')
DECIMALS = re.compile(r"\.(\d*)")


class Block(NamedTuple):
    """The lines of one frame (number of atoms, comment, atoms), and why they are no frame, "" if they are one."""

    line: int
    lines: list[str]
    problem: str = ""


def read_extended_xyz(path: Path) -> Iterator[Read]:
    """Yield the frames of an extended XYZ file (or a plain one, or one packed with gzip).

    A frame with too few or too many lines, or with a line that cannot be read, is given with the reason, and reading
    goes on at the next line that holds nothing but a number of atoms.

    Args:
        path: the file.
    """
    for block in blocks(path):
        yield Read(None, block.problem) if block.problem else _parsed(block)


def blocks(path: Path) -> Iterator[Block]:
    """Yield the lines of each frame as they stand in an extended XYZ file, and of those that are none what is wrong."""
    from ase.io.formats import open_with_compression

    with open_with_compression(str(path), "rb") as stream:
        yield from _blocks(_Lines(stream))


class _Lines:
    """The lines of a stream, with a look at the next one.

    Attributes:
        number: the line, from 1, that was taken last.
        whole: whether every line that was taken ended with a line break.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines = self._decoded(stream)
        self.number, self.whole = 0, True
        self.next = next(self._lines, None)

    @staticmethod
    def _decoded(stream: IO[bytes]) -> Iterator[str]:
        with contextlib.suppress(EOFError, zlib.error):  # a packed file that was cut: what is there is read
            for line in stream:
                yield line.decode("utf-8", errors="replace")

    def take(self) -> str:
        line = self.next
        if line is None:
            raise EOFError("there are no more lines")
        self.number += 1
        self.whole = self.whole and line.endswith("\n")
        self.next = next(self._lines, None)
        return line

    def skip(self) -> None:
        """Go on to the next line that holds nothing but a number of atoms."""
        while self.next is not None and not COUNT.fullmatch(self.next):
            self.take()


def _blocks(lines: _Lines) -> Iterator[Block]:
    while lines.next is not None:
        line = lines.take()
        if not line.strip():
            continue
        start = lines.number
        # Something else than a number of atoms: named once, and passed over to the next frame.
        if not COUNT.fullmatch(line):
            lines.skip()
            yield Block(
                start, [], f"line {start} should hold the number of atoms and is '{shortened(line.strip(), 40)}'"
            )
            continue
        yield _block(lines, start, line)


def _block(lines: _Lines, start: int, count: str) -> Block:
    """Return the frame that begins with this number of atoms."""
    atoms = int(count)
    # As many lines as were announced, unless the next frame begins before: a frame that is too short costs no other.
    taken = [count] + ([lines.take()] if lines.next is not None else [])
    while len(taken) < atoms + 2 and lines.next is not None and not COUNT.fullmatch(lines.next):
        taken.append(lines.take())
    if len(taken) < atoms + 2:
        where = "the file ends" if lines.next is None else "the next frame begins"
        return Block(
            start, [], f"{where} after {max(len(taken) - 2, 0):,} of its {atoms:,} atoms (line {lines.number})"
        )
    while len(taken) < atoms + 5 and (lines.next or "").lstrip().startswith("VEC"):
        taken.append(lines.take())  # cell vectors, as some programs write them
    # One more line of as many fields: then the number of atoms is wrong, and which of them are meant is not known.
    after = lines.next
    if after is not None and atoms and not COUNT.fullmatch(after) and len(after.split()) == len(taken[2].split()):
        extra = lines.number + 1
        lines.skip()
        return Block(start, [], f"it has {atoms:,} atoms by line {start}, but line {extra} holds one more")
    return Block(start, taken, _unequal(taken[1:], start + 1) or ("" if lines.whole else _cut(taken)))


def _unequal(lines: list[str], first: int) -> str:
    """Say where a comment and its atoms (from line `first`) disagree on the number of fields; "" if they agree."""
    fields = [len(line.split()) for line in lines[1:] if not line.lstrip().startswith("VEC")]
    if not fields:
        return ""
    if named := COLUMNS.search(lines[0]):
        named_fields = sum(int(number) for number in named.group(1).split(":")[2::3] if number.isdigit())
        if named_fields > fields[0]:
            return f"line {first} names {named_fields:,} fields for each atom, and the first atom has {fields[0]}"
    for index, number in enumerate(fields, 1):
        if number != fields[0]:
            return f"line {first + index} has {number} fields where the first atom has {fields[0]}"
    return ""


def _cut(lines: list[str]) -> str:
    """Say whether the last number of a file without a last line break lacks digits that all other atoms have."""
    digits = [len(match.group(1)) for line in lines[2:] if (match := DECIMALS.search(line.split()[-1]))]
    written_by_a_program = "Properties=" in lines[1]
    if written_by_a_program and len(digits) > 1 and digits[-1] < min(digits[:-1]):
        return "the file ends in the middle of its last number"
    return ""


def _parsed(block: Block) -> Read:
    from ase.io.extxyz import XYZError, read_xyz

    try:
        atoms: Any = next(read_xyz(io.StringIO("".join(block.lines)), index=0, properties_parser=_entries))
    except KeyError as error:
        unlabelled = [re.sub(r"^(\s*[A-Z][a-z]?)\d+\b", r"\1", line) for line in block.lines[2:]]
        if unlabelled != block.lines[2:]:
            return _parsed(block._replace(lines=[*block.lines[:2], *unlabelled]))
        return Read(None, f"{error} is no element's symbol (frame from line {block.line}){_number(str(error))}")
    except (XYZError, ValueError, TypeError, IndexError, AttributeError) as error:
        return Read(None, f"the frame from line {block.line} cannot be read ({shortened(str(error), 80)})")
    return Read(atoms)


def _number(symbol: str) -> str:
    """Return what to do where a number stands in the place of a symbol."""
    if not symbol.strip("'").isdigit():
        return ""
    return "; is it a type, write the element; is it the atomic number, call the column Z: Properties=Z:I:1:pos:R:3"


def _entries(comment: str) -> dict[str, Any]:
    """Return the entries of a comment line; a stress may have 6 or 9 components, and a remark is no entry."""
    from ase.io.extxyz import key_val_str_to_dict

    if "=" not in comment:
        return {"comment": comment.strip()}
    # ASE takes nothing but 9 components under these two names.
    renamed = re.sub(r"(?<!\S)(stress|virial)(?==)", r"given_\1", comment)
    return dict(key_val_str_to_dict(renamed))
