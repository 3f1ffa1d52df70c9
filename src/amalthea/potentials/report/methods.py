"""What a potential is made of, in words: the symmetry functions, the networks and the loss."""

from __future__ import annotations

from amalthea.potentials.potential import PotentialState
from amalthea.reporting.blocks import Table
from amalthea.reporting.context import Context
from amalthea.reporting.methods import layer_table


def energy_sentence(context: Context) -> str:
    """Return from what the energy follows."""
    from amalthea.potentials.symmetry_functions.serialization import as_table

    words, table = context.words, as_table(context.predictor.ready.ranges.functions)
    functions = [
        f"{row['element']}: {row['number']} {row['function']}({row['neighbours']})" for row in table.to_dict("records")
    ]
    return words(
        "The energy is a sum of atomic energies, each answered by its element's own network from symmetry "
        "functions of the atom's surroundings (Behler and Parrinello 2007; Behler 2011; G2: radial, G4: angular "
        "with the distance between the neighbours, G5: angular without it): {functions}; cutoff {cutoff} Å. Forces "
        "and stresses are the energy's analytic derivatives.",
        functions="; ".join(functions),
        cutoff=", ".join(words.decimal(reach) for reach in sorted(set(table["cutoff"]))),
    )


def potential_sentences(context: Context) -> list[str]:
    """Return what a potential is made of, and what was minimized; nothing where it kept no state."""
    from amalthea.potentials.networks.potential_network import ENERGY_ERROR, FORCE_ERROR, STRESS_ERROR

    words, predictor = context.words, context.predictor
    if not isinstance(predictor.state, PotentialState):
        return []
    return [
        energy_sentence(context),
        words(
            "The loss is the sum of the mean squared errors of the energies per atom, in units of {energy} eV, of the "
            "force components, in units of {force} eV/Å, and of the stresses times the volume of an atom, in units of "
            "{stress} eV; what has no label counts for nothing.",
            energy=words.number(ENERGY_ERROR),
            force=words.number(FORCE_ERROR),
            stress=words.number(STRESS_ERROR),
        ),
        *(
            [words("SOAP, Shampoo's bases with Adam's steps (Vyas et al. 2025), minimized it.")]
            if predictor.provenance.chosen.get("optimizer") == "soap"
            else []
        ),
    ]


def layers(context: Context) -> list[Table]:
    """Return the layers of each element's network."""
    tables = []
    for part in context.predictor.parts:
        rows = []
        for subnet in part.ensemble.model.subnets:
            for layer in subnet.layers:
                activation = getattr(layer.activation, "__name__", "")
                parameters = context.words.count(layer.count_params())
                name = f"{subnet.name}/{layer.name}"
                rows.append([name, type(layer).__name__, str(layer.units), activation, parameters])
        tables.append(layer_table(context, part, rows))
    return tables
