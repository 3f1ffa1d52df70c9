"""What is written of a structure on its way: a frame with the predictions, and a row of observables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.dynamics import Integrator
from amalthea.potentials.simulation.stopping import Uncertainties


def uncertainties(atoms: Any, calculator: Calculator) -> tuple[Uncertainties, NDArray[np.float64] | None]:
    """Return how sure a potential is of a structure, and of each atom's force, shape (A,), in eV/Å; None: unknown."""
    worst = calculator.get_property("extrapolation", atoms) if calculator.potential is not None else None
    farther = calculator.farther(atoms)
    if calculator.committee.members == 1:
        return Uncertainties(extrapolation=worst, farther=farther), None
    forces_std, energy_std = (calculator.get_property(name, atoms) for name in ("forces_std", "energy_std"))
    return Uncertainties(float(energy_std), float(forces_std.max(initial=0.0)), worst, farther), forces_std


def frame(
    atoms: Any, calculator: Calculator, info: dict[str, Any], energy_std: float | None, forces_std: Any | None
) -> Any:
    """Return a structure with its velocities, and with the predictions where ASE looks for them.

    Args:
        atoms: an `ase.Atoms`.
        calculator: knows the answers for it.
        info: entries of the frame.
        energy_std: the uncertainty of the energy, in eV; None where it is not known.
        forces_std: of each atom's force, shape (A,), in eV/Å; None where it is not known.
    """
    from ase.calculators.singlepoint import SinglePointCalculator

    image = atoms.copy()
    image.set_constraint()
    names = [name for name in ("energy", "forces", "stress") if name in calculator.results]
    image.calc = SinglePointCalculator(image, **{name: calculator.get_property(name, atoms) for name in names})
    image.info = info
    if forces_std is not None:
        image.info["energy_std"] = energy_std
        image.new_array("forces_std", forces_std)
    return image


def row(integrator: Integrator, calculator: Calculator, step: int, known: Uncertainties) -> dict[str, Any]:
    """Return the observables of the structure after a step, by the names of the columns; None where there is none."""
    from ase.units import GPa

    atoms = integrator.atoms
    conserved, pressure = integrator.conserved(), None
    if "stress" in calculator.results:
        pressure = float(-atoms.get_stress(include_ideal_gas=True)[:3].mean() / GPa)
    return {
        "step": step,
        "time_ps": step * integrator.dynamics.timestep / 1000,
        "temperature_K": float(atoms.get_temperature()),
        "potential_energy_eV": float(atoms.get_potential_energy()),
        "kinetic_energy_eV": float(atoms.get_kinetic_energy()),
        "conserved_energy_eV": conserved if np.isfinite(conserved) else None,
        "volume_A3": float(atoms.get_volume()) if atoms.pbc.all() else None,
        "pressure_GPa": pressure,
        "energy_std_eV": known.energy_std,
        "largest_force_std_eV_per_A": known.forces_std,
        "extrapolation": 0.0 if known.extrapolation is None else known.extrapolation.excess,
    }
