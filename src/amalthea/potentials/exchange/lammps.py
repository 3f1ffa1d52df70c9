"""An input for LAMMPS beside a potential in n2p2's files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amalthea.datasets.files import write_whole

INPUT = """\
# {name} of a potential trained by Amalthea, for a LAMMPS built with its package ML-HDNNP (and so with n2p2).
# Run it in this folder: lmp -in in.lammps; on N processes: mpirun -n N lmp -in in.lammps
units        metal
boundary     {boundary}
atom_style   atomic
{structure}
# The potential's files hold Å and eV, as LAMMPS's metal units do: both conversion factors are 1.
pair_style   hdnnp {cutoff} dir "." showew no showewsum 100 maxew 1000 resetew yes cflength 1.0 cfenergy 1.0
pair_coeff   * * {elements}
timestep     0.0005
velocity     all create 300.0 1
fix          1 all nve
thermo       10
thermo_style custom step temp pe ke etotal press
run          100
"""


def write_lammps(folder: Path, elements: Sequence[str], cutoff: float, atoms: Any | None, name: str) -> None:
    """Write `in.lammps`, and `structure.data` where there is a structure.

    Args:
        folder: that of the potential.
        elements: sorted by atomic number; LAMMPS's types count them from 1.
        cutoff: the potential's, in Å.
        atoms: an `ase.Atoms` to begin with; None leaves it to the user.
        name: what the potential is called in the first line.
    """
    structure = "read_data    structure.data"
    if atoms is None:
        structure = f"# Give a structure of your own, with the types {' '.join(elements)}:\n{structure}"
    else:
        write_whole(folder / "structure.data", lambda temporary: _write_structure(temporary, atoms, elements))
    text = INPUT.format(
        name=name.capitalize(),
        boundary=" ".join("p" if periodic else "s" for periodic in (atoms.pbc if atoms is not None else [True] * 3)),
        structure=structure,
        cutoff=math.ceil(round(cutoff * 1e6, 3)) / 1e6,  # it may be rounded up, not down
        elements=" ".join(elements),
    )
    write_whole(folder / "in.lammps", lambda temporary: temporary.write_text(text, "utf-8"))


def _write_structure(path: Path, atoms: Any, elements: Sequence[str]) -> None:
    from ase.io import write

    boxed = atoms.copy()
    if not boxed.pbc.all():
        boxed.center(vacuum=5.0, axis=[axis for axis in range(3) if not boxed.pbc[axis]])
    write(path, boxed, format="lammps-data", specorder=list(elements), masses=True, units="metal", atom_style="atomic")
