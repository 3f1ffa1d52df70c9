"""The verb `import`: a model of a potential that another program trained."""

from __future__ import annotations

import os
from pathlib import Path

from amalthea.datasets.output_path import check_output
from amalthea.potentials.exchange.n2p2_import import import_n2p2
from amalthea.potentials.n2p2 import units
from amalthea.predictor.predictor import Predictor


def import_model(
    folder: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    length_unit: str = "bohr",
    energy_unit: str = "hartree",
) -> Predictor:
    """Make a model of a potential in n2p2's or RuNNer's files, which answers as one trained here does.

    The files do not say their units: without arguments they are bohr and hartree (CODATA 2018, as ASE has them).

    Args:
        folder: that with input.nn, scaling.data and weights.*.data.
        output: where to save the model; None: it is only returned.
        length_unit: the files' unit of length, "bohr" or "angstrom".
        energy_unit: the files' unit of energy, "hartree" or "eV".

    Raises:
        DataError: a file is missing or cannot be understood, or the potential uses what is not known here.
        AmaltheaError: the model cannot be saved there.
    """
    check_output(None if output is None else Path(output))
    potential = import_n2p2(folder, units.length_unit(length_unit), units.energy_unit(energy_unit))
    if output is not None:
        potential.save(output)
    return potential
