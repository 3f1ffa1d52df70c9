"""What a potential is made of, in words: the symmetry functions, the networks and the loss; and one read from files."""

from __future__ import annotations

from amalthea.potentials.potential import PotentialState
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph
from amalthea.reporting.context import Context
from amalthea.reporting.translate import Words, joined
from amalthea.tasks.protocol import Part


def imported(context: Context) -> list[Block]:
    """Return what a potential that was trained elsewhere is, and what is not known of it."""
    words, predictor = context.words, context.predictor
    told = [
        words("The potential “{data}” was trained elsewhere and read from its files.", data=predictor.provenance.data)
    ]
    if isinstance(predictor.state, PotentialState):
        functions = predictor.ready.ranges.functions
        count = sum(map(len, functions.values()))
        told.append(words("Elements: {elements}.", elements=joined(words, list(functions))))
        told.append(words.plural("It sees {n} symmetry function.", "It sees {n} symmetry functions.", count))
    unknown = words(
        "Nothing is known of its errors: judge it on labelled structures with amalthea evaluate. It gives no "
        "uncertainties; where a symmetry function leaves its range in training, it warns."
    )
    return [Paragraph(" ".join(told)), Paragraph(unknown, "care")]


def imported_sentences(context: Context) -> list[str]:
    """Return the text of the methods section for a potential that was trained elsewhere."""
    words, predictor = context.words, context.predictor
    sentences = [
        words(
            "A neural network potential that was trained elsewhere ({data}; {parameters} parameters) was read and used "
            "with Amalthea {amalthea} (Keras {keras} on JAX {jax}).",
            data=predictor.provenance.data,
            parameters=words.count(predictor.parts[0].ensemble.model.count_params()),
            **{name: predictor.provenance.versions.get(name, "?") for name in ("amalthea", "keras", "jax")},
        )
    ]
    return [*sentences, energy_sentence(words, predictor)] if isinstance(predictor.state, PotentialState) else sentences


def energy_sentence(words: Words, predictor: Predictor) -> str:
    """Return from what the energy follows."""
    from amalthea.potentials.symmetry_functions.serialization import as_table

    table = as_table(predictor.ready.ranges.functions)
    told = [
        f"{row['element']}: {row['number']} {row['function']}({row['neighbours']})" for row in table.to_dict("records")
    ]
    return words(
        "The energy is a sum of atomic energies, each answered by its element's own network from symmetry "
        "functions of the atom's surroundings (Behler and Parrinello 2007; Behler 2011; G2: radial, G4: angular "
        "with the distance between the neighbours, G5: angular without it): {functions}; cutoff {cutoff} Å. Forces "
        "and stresses are the energy's analytic derivatives.",
        functions="; ".join(told),
        cutoff=", ".join(words.decimal(reach) for reach in sorted(set(table["cutoff"]))),
    )


def potential_sentences(words: Words, predictor: Predictor) -> list[str]:
    """Return what a potential is made of, and what was minimized."""
    from amalthea.potentials.networks.potential_network import ENERGY_ERROR, FORCE_ERROR, STRESS_ERROR

    return [
        energy_sentence(words, predictor),
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


def potential_layers(words: Words, part: Part) -> list[list[str]]:
    """Return one row for each layer of each element's network: name, kind, output, activation, parameters."""
    rows = []
    for subnet in part.ensemble.model.subnets:
        for layer in subnet.layers:
            name = getattr(layer.activation, "__name__", "")
            rows.append(
                [
                    f"{subnet.name}/{layer.name}",
                    type(layer).__name__,
                    str(layer.units),
                    name,
                    words.count(layer.count_params()),
                ]
            )
    return rows
