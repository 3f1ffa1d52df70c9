"""Equations of motion: ASE's integrators, how they are set up, and their state, so that they can go on exactly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError

Kind = Literal["nve", "langevin", "nose-hoover", "npt"]
"""Constant energy; a Langevin thermostat; a Nosé-Hoover chain; the same with Martyna, Tobias and Klein's barostat."""

Arrays = dict[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Dynamics:
    """What is simulated.

    Args:
        kind: what is kept constant, and how.
        steps: the number of steps, from the beginning.
        timestep: in fs.
        temperature: in K: of the first velocities, and of the thermostat.
        temperature_end: in K; the thermostat goes there from `temperature`, the same bit with every step.
        pressure: in GPa, for "npt".
        friction: of "langevin", in 1/fs.
        thermostat_time: of "nose-hoover" and "npt", in fs.
        barostat_time: of "npt", in fs.
        seed: of the first velocities and of "langevin".
        interval: the steps from one frame and row of observables to the next.

    Raises:
        AmaltheaError: a number that makes no sense.
    """

    kind: Kind = "langevin"
    steps: int = 10_000
    timestep: float = 1.0
    temperature: float = 300.0
    temperature_end: float | None = None
    pressure: float = 0.0
    friction: float = 0.01
    thermostat_time: float = 100.0
    barostat_time: float = 1000.0
    seed: int = 0
    interval: int = 10

    def __post_init__(self) -> None:
        if self.kind not in ("nve", "langevin", "nose-hoover", "npt"):
            raise AmaltheaError(f"The dynamics are nve, langevin, nose-hoover or npt. Received: {self.kind}")
        for name in ("timestep", "friction", "thermostat_time", "barostat_time", "interval"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise AmaltheaError(f"The {name.replace('_', ' ')} must be above 0. Received: {getattr(self, name)}")
        if self.steps < 0:
            raise AmaltheaError(f"The number of steps cannot be negative. Received: {self.steps}")
        ends = [self.temperature] if self.temperature_end is None else [self.temperature, self.temperature_end]
        if not all(np.isfinite(end) and end >= 0 for end in ends):
            raise AmaltheaError(f"Temperatures are in K, 0 or more. Received: {', '.join(map(str, ends))}")
        if self.kind in ("nose-hoover", "npt") and min(ends) == 0:
            raise AmaltheaError(
                f"At 0 K nothing moves, and the thermostat of {self.kind} has nothing to work with. Use langevin."
            )
        if self.kind == "nve" and self.temperature_end is not None:
            raise AmaltheaError("At constant energy nothing leads to another temperature. Use a thermostat.")

    def target(self, step: int) -> float:
        """Return the thermostat's temperature after so many steps, in K.

        Example:
            >>> Dynamics(steps=100, temperature=300, temperature_end=500).target(50)
            400.0
        """
        if self.temperature_end is None:
            return self.temperature
        return self.temperature + (self.temperature_end - self.temperature) * min(1.0, step / max(1, self.steps))


class Integrator:
    """One of ASE's integrators at work on atoms that have a calculator.

    Args:
        dynamics: what is simulated.
        atoms: with velocities and a calculator.
    """

    def __init__(self, dynamics: Dynamics, atoms: Any) -> None:
        self.dynamics, self.atoms = dynamics, atoms
        self.random = np.random.default_rng([dynamics.seed, 1])
        if dynamics.kind == "npt" and not atoms.pbc.all():
            raise AmaltheaError("Constant pressure needs a structure that is periodic in all directions.")
        self._ase = _integrator(dynamics, atoms, self.random)

    def step(self, number: int) -> None:
        """Do a step, the first of which has the number 1."""
        if self.dynamics.temperature_end is not None:
            self._heat(self.dynamics.target(number))
        self._ase.step()

    def conserved(self) -> float:
        """Return the energy that exact dynamics would conserve, in eV; NaN for Langevin's."""
        if self.dynamics.kind == "langevin":
            return float("nan")
        if self.dynamics.kind == "nve":
            return float(self.atoms.get_total_energy())
        return float(self._ase.get_conserved_energy())

    def state(self) -> Arrays:
        """Return all that the next step follows from, but for the calculator, as arrays."""
        state: Arrays = {
            "positions": self.atoms.positions.copy(),
            "momenta": self.atoms.get_momenta(),
            "cell": self.atoms.cell.array.copy(),
            "random": np.array(json.dumps(self.random.bit_generator.state)),
        }
        return state | {path: np.array(_find(self._ase, path)) for path in _INNER[self.dynamics.kind]}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state."""
        atoms = self.atoms
        atoms.set_cell(state["cell"], apply_constraint=False)
        atoms.positions = state["positions"]
        atoms.set_momenta(state["momenta"], apply_constraint=False)
        # An integrator is made anew and given back what the old one remembered, down to the random numbers to come.
        self._ase = _integrator(self.dynamics, atoms, self.random)
        self.random.bit_generator.state = json.loads(str(state["random"]))
        for path in _INNER[self.dynamics.kind]:
            *owner, name = path.split(".")
            value = state[path]
            setattr(_find(self._ase, ".".join(owner)), name, value.copy() if value.ndim else float(value))

    def _heat(self, temperature: float) -> None:
        if self.dynamics.kind == "langevin":
            self._ase.set_temperature(temperature_K=temperature)
            return
        from ase.units import kB

        for part in ("_thermostat", "_barostat"):  # ASE offers no other way
            if hasattr(self._ase, part):
                getattr(self._ase, part)._kT = kB * temperature


_CHAIN = ("_thermostat._eta", "_thermostat._p_eta")
_INNER: dict[Kind, tuple[str, ...]] = {
    "nve": (),
    "langevin": (),
    "nose-hoover": _CHAIN,
    "npt": (*_CHAIN, "_barostat._xi", "_barostat._p_xi", "_eps", "_p_eps", "_cell0", "_volume0"),
}
"""What ASE's integrators remember beside the atoms, by the names of its attributes: it has no interface for this."""


def set_velocities(atoms: Any, dynamics: Dynamics) -> None:
    """Draw velocities at the dynamics' temperature (Maxwell, Boltzmann), without a motion of the whole."""
    from ase.units import kB

    # Drawn with another seed than the thermostat's noise, which must not repeat these numbers.
    masses = atoms.get_masses()[:, None]
    drawn = np.random.default_rng([dynamics.seed, 0]).normal(size=(len(atoms), 3))
    momenta = drawn * np.sqrt(masses * kB * dynamics.temperature)
    atoms.set_momenta(momenta - masses * momenta.sum(axis=0) / masses.sum())


def _integrator(dynamics: Dynamics, atoms: Any, random: np.random.Generator) -> Any:
    from ase.constraints import FixCom
    from ase.md.langevin import Langevin
    from ase.md.nose_hoover_chain import IsotropicMTKNPT, NoseHooverChainNVT
    from ase.md.verlet import VelocityVerlet
    from ase.units import GPa, fs

    step, temperature = dynamics.timestep * fs, dynamics.temperature
    if dynamics.kind == "nve":
        return VelocityVerlet(atoms, step)
    if dynamics.kind == "langevin":
        # Noise pushes the whole as well: held by a constraint, which ASE prefers to the integrator's own way.
        if len(atoms) > 1:
            atoms.set_constraint(FixCom())
        return Langevin(
            atoms, step, temperature_K=temperature, friction=dynamics.friction / fs, fixcm=False, rng=random
        )
    if dynamics.kind == "nose-hoover":
        return NoseHooverChainNVT(atoms, step, temperature_K=temperature, tdamp=dynamics.thermostat_time * fs)
    return IsotropicMTKNPT(
        atoms,
        step,
        temperature_K=temperature,
        pressure_au=dynamics.pressure * GPa,
        tdamp=dynamics.thermostat_time * fs,
        pdamp=dynamics.barostat_time * fs,
    )


def _find(owner: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        owner = getattr(owner, name)
    return owner
