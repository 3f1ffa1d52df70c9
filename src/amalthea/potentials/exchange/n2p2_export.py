"""A trained potential as the files that n2p2 and LAMMPS's `pair_style hdnnp` read: a folder a member.

The files hold Å and eV; n2p2's files carry no unit, so LAMMPS is told factors of 1 (cflength, cfenergy) with its metal
units. The symmetry functions are scaled by the mean and sigma of each member's own training structures, so that its
weights stay as they were trained, but for the last layer's, which answers in eV. Beyond the training range the files'
networks go on as they are: the bend that bounds a member's answers there (`networks/bounds.py`) has no form in them.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed
from amalthea.errors import DataError
from amalthea.potentials import n2p2
from amalthea.potentials.exchange.lammps import write_lammps
from amalthea.potentials.n2p2.settings import LETTERS, Activation
from amalthea.potentials.networks.committee import Networks, networks
from amalthea.potentials.potential import Potential
from amalthea.potentials.reading.read_frames import StructureOptions
from amalthea.potentials.reading.sources import frames_from
from amalthea.potentials.simulation.calculator import as_potential
from amalthea.potentials.symmetry_functions.functions import reach

OTHER_NAMES: Mapping[str, Activation] = {"cos": "cosine", "exp": "decay"}
"""Activations that n2p2's settings call otherwise than `subnets.ACTIVATIONS`."""

MOST_STRUCTURES = 50
"""Training structures on which the members are compared with their mean, at most."""


@dataclasses.dataclass(frozen=True)
class Exported:
    """One member that was exported, and how far it is from the mean over all members: root mean squares.

    Args:
        member: its number in the ensemble, from 0.
        folder: where its files lie.
        energy: distance in energy, in eV an atom; NaN where there were no structures to compare on.
        forces: distance of the forces' components, in eV/Å.
        structures: on how many structures they were compared.
        members: over how many members the mean goes.
    """

    member: int
    folder: Path
    energy: float
    forces: float
    structures: int
    members: int

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "member": self.member,
            "folder": str(self.folder),
            "energy_rms": self.energy,
            "force_rms": self.forces,
            "structures": self.structures,
        }

    def __str__(self) -> str:
        if self.members == 1:
            return f"{self.folder}: member {self.member}, the potential's only one"
        if not self.structures:
            return f"{self.folder}: member {self.member}; there are no structures to compare it with the mean on"
        return (
            f"{self.folder}: member {self.member}, {1000 * self.energy:.3g} meV/atom and {self.forces:.3g} eV/Å (RMS) "
            f"from the mean over all {self.members} members, on {counted(self.structures, 'structure')}"
        )


def export_n2p2(
    potential: Potential | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    members: Sequence[int] | None = None,
    structures: Any = None,
) -> tuple[Exported, ...]:
    """Write members of a potential as files of n2p2, each with an input of LAMMPS, in a folder `member_N` of its own.

    Args:
        potential: a trained potential, or its file.
        folder: where the folders shall lie; a new or an empty one. It is written whole or not at all.
        members: the numbers of the members in the ensemble, from 0; None: all that answer.
        structures: a file, or a list of `ase.Atoms`, on which the members are compared with their mean; None: the
            potential's training structures, at most 50 of them, evenly chosen.

    Returns:
        What was written, one record a member.

    Raises:
        AmaltheaError: the model is no potential.
        DataError: the folder cannot be written to, there is no such member, or n2p2 lacks what the potential uses: its
            activation function, or cutoffs of several kinds.
    """
    potential = as_potential(potential)
    folder, answering = Path(folder), potential.parts[0].ensemble.used.tolist()
    chosen = answering if members is None else _members(members, answering)
    _check_folder(folder)
    trained = _networks(potential)
    compared = _structures(potential, structures)
    distances = _distances(potential, compared)
    settings = {member: _settings(trained, member) for member in chosen}
    # LAMMPS gets the largest structure with all elements: a smaller one would leave atom types without an atom.
    whole = [atoms for atoms in compared if set(atoms.get_chemical_symbols()) == set(trained.functions)]
    shown = max(whole, key=len, default=None)
    # Written beside the folder and then moved: what fails in the middle leaves nothing behind.
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}-") as temporary:
        for member in chosen:
            inner = Path(temporary) / "whole" / f"member_{member}"
            inner.mkdir(parents=True)
            _write(inner, potential, trained, settings[member], member)
            write_lammps(inner, settings[member].elements, reach(trained.functions), shown, f"member {member}")
        if folder.exists():
            folder.rmdir()
        shutil.move(Path(temporary) / "whole", folder)
    written = []
    for member in chosen:
        energy, forces = distances[answering.index(member)].tolist()
        inner = folder / f"member_{member}"
        written.append(Exported(member, inner, energy, forces, len(compared), len(answering)))
    return tuple(written)


def _members(asked: Sequence[int], answering: Sequence[int]) -> list[int]:
    if strange := [member for member in asked if member not in answering]:
        raise DataError(f"there is no member {strange[0]}: the members are {listed(list(map(str, answering)))}.")
    return list(dict.fromkeys(asked))


def _networks(potential: Potential) -> Networks:
    ensemble = potential.parts[0].ensemble
    return networks(
        ensemble.weights,
        potential.ranges.functions,
        ensemble.model.activation,
        potential.energy_of_atoms,
    )


def _structures(potential: Potential, given: Any) -> list[Any]:
    if given is not None:
        units = {name: unit for name, unit in potential.input_state.items() if name in ("length_unit", "energy_unit")}
        return frames_from(given, StructureOptions(labelled=False, **units)).atoms
    if "atoms" not in potential.examples:
        return []
    every = potential.examples["atoms"].tolist()
    return [
        every[row] for row in np.unique(np.linspace(0, len(every) - 1, min(MOST_STRUCTURES, len(every)), dtype=int))
    ]


def _distances(potential: Potential, structures: Sequence[Any]) -> NDArray[np.float64]:
    """Return each member's distance from the mean, shape (M, 2): of energies an atom, and of forces' components."""
    if not structures:
        return np.full((potential.committee.members, 2), np.nan)
    energies, forces = [], []
    for atoms in structures:
        if unknown := sorted(set(atoms.get_chemical_symbols()) - set(potential.committee.elements)):
            raise DataError(f"a structure to compare on holds {listed(unknown)}, which the potential does not know.")
        answer = potential.committee.answer(atoms)
        energies.append((answer.energy - answer.energy.mean()) / len(atoms))
        forces.append((answer.forces - answer.forces.mean(axis=0)).reshape(len(answer.forces), -1))
    both = (np.stack(energies, axis=1), np.concatenate(forces, axis=1))
    distances: NDArray[np.float64] = np.stack([np.sqrt((apart**2).mean(axis=1)) for apart in both], axis=1)
    return distances


def _settings(trained: Networks, member: int) -> n2p2.Settings:
    """Return what input.nn says of a member.

    Raises:
        DataError: an activation function that n2p2 lacks.
    """
    from ase.data import atomic_numbers

    elements = tuple(sorted(trained.functions, key=lambda element: atomic_numbers[element]))
    number_of = {element: number for number, element in enumerate(trained.functions)}
    return n2p2.Settings(
        elements=elements,
        functions={e: tuple(trained.functions[e][n] for n in n2p2.order(trained.functions[e])) for e in elements},
        hidden={e: tuple(bias.shape[1] for _, bias in trained.layers[e][:-1]) for e in elements},
        activations={e: tuple(_activation(name) for name in trained.activations[e]) for e in elements},
        scaling="sigma",
        atom_energy={e: float(trained.atoms[member, number_of[e]]) for e in elements},
        length_unit="angstrom",
        energy_unit="ev",
    )


def _activation(name: str) -> Activation:
    known = {other: other for other in LETTERS.values()}
    for ours, theirs in OTHER_NAMES.items():
        known[ours] = known.pop(theirs)  # type: ignore[index]
    if name not in known:
        raise DataError(f"n2p2 has no activation function '{name}', only {', '.join(known)}: it cannot be exported.")
    return known[name]  # type: ignore[index]


def _write(folder: Path, potential: Potential, trained: Networks, settings: n2p2.Settings, member: int) -> None:
    statistics, low, high = {}, potential.ranges.low, potential.ranges.high
    for number, (element, functions) in enumerate(trained.functions.items()):
        rows = n2p2.order(functions)
        # A function that was constant in training has no scale: its sigma is 1, and its weights are 0.
        inverse = trained.inverse_scale[element][member, rows]
        used = inverse != 0
        statistics[element] = n2p2.Statistics(
            minimum=low[number, rows],
            maximum=high[number, rows],
            mean=trained.center[element][member, rows],
            sigma=np.divide(1.0, inverse, out=np.ones_like(inverse), where=used),
        )
        layers = [(kernel[member], bias[member]) for kernel, bias in trained.layers[element]]
        first, bias = layers[0]
        layers[0] = (first[rows] * used[:, None], bias)
        n2p2.write_weights(folder / n2p2.weights_name(element), layers)
    n2p2.write_input(folder / "input.nn", settings)
    n2p2.write_scaling(folder / "scaling.data", settings, statistics)


def _check_folder(folder: Path) -> None:
    if not folder.absolute().parent.is_dir():
        raise DataError(f"There is no folder {folder.parent} to make {folder.name} in.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is no empty folder. Give the name of a new one.")
    if not os.access(folder.absolute().parent, os.W_OK):
        raise DataError(f"The folder {folder.absolute().parent} may not be written to. Choose another folder.")
