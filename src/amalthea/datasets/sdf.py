"""SD files: one molecule a record, its properties behind it, read one record at a time.

The format: CTfile Formats, BIOVIA 2020, chapter "SDfiles".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amalthea.datasets.encoding import Record, opened_text, text_encoding
from amalthea.errors import DataError, MissingDependencyError

END = "$$$$"

PROPERTY = re.compile(r"^>.*?<([^<>]+)>")
"""The line above a property's value, such as "> <logS>" or ">  <logS>  (1) "."""


def sdf_records(path: Path) -> Iterator[Record]:
    """Yield a header (smiles, name where there are titles, the properties), and then each record's own values.

    A record that cannot be read keeps its number, with the reason.

    Args:
        path: an existing file.

    Raises:
        DataError: the file is no SD file, or none of its records can be read.
        MissingDependencyError: RDKit is not installed.
    """
    chem = _rdkit(path)
    titled, properties = _survey(path)
    yield Record(0, ["smiles", *(["name"] if titled else []), *properties])
    number, good = 0, 0
    for number, lines in enumerate(_blocks(path), start=1):
        smiles, why = _smiles(chem, lines)
        if not smiles:
            yield Record(number, [], f"record {number} cannot be read as a molecule{why}")
            continue
        good += 1
        values = dict(_properties(lines))
        title = [lines[0].strip()] if titled else []
        yield Record(number, [smiles, *title, *(values.get(name, "") for name in properties)])
    if not good:
        raise DataError(f"{path}: none of its {number:,} records can be read as a molecule. Export the file anew.")


def _rdkit(path: Path) -> Any:
    try:
        from rdkit import Chem
    except ImportError as error:
        raise MissingDependencyError(
            f'{path}: reading SD files needs RDKit. Install it with: pip install "amalthea[molecules]"'
        ) from error
    return Chem


def _survey(path: Path) -> tuple[bool, list[str]]:
    """Return whether any record has a title, and the names of all properties, in the order of their appearance."""
    titled, ended, names = False, False, dict[str, None]()
    for lines in _blocks(path):
        titled = titled or bool(lines[0].strip())
        ended = ended or any(line.startswith("M  END") for line in lines)
        names |= dict.fromkeys(name for name, _ in _properties(lines))
    if not ended:
        raise DataError(f"{path} is no SD file: no molecule ends in it with 'M  END'. Export the molecules anew.")
    return titled, list(names)


def _blocks(path: Path) -> Iterator[list[str]]:
    """Yield the lines of each record, without the line of dollars that ends it."""
    lines: list[str] = []
    with opened_text(path, text_encoding(path)) as stream:
        for line in stream:
            if line.startswith(END):
                yield lines or [""]
                lines = []
            else:
                lines.append(line.rstrip("\n"))
    if any(line.strip() for line in lines):
        yield lines


def _properties(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each property of a record; a value ends at a blank line."""
    rest = iter(lines)
    for line in rest:
        if line.startswith("M  END"):
            break
    for line in rest:
        if header := PROPERTY.match(line):
            value: list[str] = []
            for text in rest:
                if not text.strip():
                    break
                value.append(text)
            yield header[1], "\n".join(value)


def _smiles(chem: Any, lines: list[str]) -> tuple[str, str]:
    """Return the canonical SMILES of a record's molecule; or "" and RDKit's reason, in brackets, where it has one."""
    from rdkit import rdBase

    end = next((place for place, line in enumerate(lines) if line.startswith("M  END")), len(lines))
    block = "\n".join([*lines[:4], *filter(str.strip, lines[4:end]), "M  END"])  # a blank line would end it early
    with rdBase.BlockLogs():
        molecule = chem.MolFromMolBlock(block)
        if molecule is not None:
            return str(chem.MolToSmiles(molecule)), ""
        unchecked = chem.MolFromMolBlock(block, sanitize=False)
        problems = [] if unchecked is None else chem.DetectChemistryProblems(unchecked)
    return "", f" ({problems[0].Message().strip().rstrip('.')})" if problems else ""
