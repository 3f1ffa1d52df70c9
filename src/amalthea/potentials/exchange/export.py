"""The verb `export`: a potential as files of another program."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amalthea.datasets.messages import did_you_mean, listed
from amalthea.errors import AmaltheaError
from amalthea.potentials.exchange.n2p2_export import Exported, export_n2p2
from amalthea.potentials.potential import Potential


class Format(NamedTuple):
    """A program whose files can be written.

    Args:
        write: called with a potential or its file, a folder, members (None: all) and structures to compare on (None:
            those of the training); writes a folder a member and returns a record of each.
        remark: what one must know who uses the files.
    """

    write: Callable[..., tuple[Exported, ...]]
    remark: str


FORMATS = {
    "n2p2": Format(
        export_n2p2,
        "The files hold Å and eV, but do not say so: in LAMMPS, cflength 1.0 cfenergy 1.0, as in in.lammps. "
        "Beyond the training range they do not bend as the model does: there they answer otherwise.",
    )
}
"""By what `--to` calls them."""


@dataclasses.dataclass(frozen=True)
class Export:
    """What was written.

    Args:
        folder: where.
        members: a record of each member.
        remark: what one must know who uses the files.
    """

    folder: Path
    members: tuple[Exported, ...]
    remark: str

    def as_json(self) -> dict[str, Any]:
        """Return what `amalthea export --json` prints."""
        return {"output": str(self.folder), "members": [member.as_json() for member in self.members]}

    def __str__(self) -> str:
        return "\n".join([*map(str, self.members), self.remark])


def export(
    model: str | os.PathLike[str] | Potential,
    folder: str | os.PathLike[str],
    *,
    to: str,
    member: int | Sequence[int] | None = None,
    structures: Any = None,
) -> Export:
    """Write a potential as files of another program: for n2p2 and LAMMPS's pair_style hdnnp, a folder a member.

    Each folder holds one member of the committee and not its mean; how far it is from the mean is told. Units: Å, eV.
    Inside of its training range a member answers there as here; beyond, the files' networks do not bend.

    Args:
        model: a trained potential, or its file.
        folder: where the members' folders shall lie; a new or an empty one. It is written whole or not at all.
        to: the program that shall read the files: one of `FORMATS`.
        member: the number of the member to write, from 0, or several; None: all that answer.
        structures: a file, or `ase.Atoms`, on which the members are compared with their mean; None: the training
            structures, at most 50 of them.

    Raises:
        AmaltheaError: the program is not known here, or the model is no potential.
        DataError: the folder cannot be written to, there is no such member, or the program lacks what the potential
            uses.
    """
    if to not in FORMATS:
        raise AmaltheaError(
            f"A potential can be exported to {listed(FORMATS)}.{did_you_mean(to, list(FORMATS))} Received: {to}"
        )
    members = [member] if isinstance(member, int) else member
    write, remark = FORMATS[to]
    return Export(Path(folder), write(model, folder, members, structures), remark)
