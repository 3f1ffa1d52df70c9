"""Where a result may be written: looked at before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from amalthea.errors import AmaltheaError


def check_output(output: Path | None, *inputs: Path | str) -> None:
    """Refuse a file that could not be written in the end, or that would replace what is read.

    Raises:
        AmaltheaError: its folder is not there or may not be written to, it is a folder, or it is one of `inputs`.
    """
    if output is None:
        return
    if not output.parent.is_dir():
        raise AmaltheaError(f"There is no folder {output.parent} to write {output.name} to.")
    if output.is_dir():
        raise AmaltheaError(f"{output} is a folder. Give the name of a file to write.")
    if not os.access(output.parent, os.W_OK):
        raise AmaltheaError(f"The folder {output.parent} may not be written to. Choose another one for {output.name}.")
    for path in inputs:
        if os.path.isfile(path) and os.path.realpath(path) == os.path.realpath(output):
            raise AmaltheaError(f"{output} is read here and would be replaced. Choose another name to write to.")
