"""Section 8 for potentials: the symmetry functions, the network and its loss, as text for a methods section."""

from __future__ import annotations

from amalthea.predictor.potential import Potential
from amalthea.predictor.predictor import Part
from amalthea.report.translate import Words


def potential_sentences(words: Words, predictor: Potential) -> list[str]:
    """Return what a potential is made of, and what was minimized."""
    from amalthea.domains.structures.describing import as_table
    from amalthea.domains.structures.network import ENERGY_ERROR, FORCE_ERROR, STRESS_ERROR

    table = as_table(predictor.ranges.functions)
    told = [
        f"{row['element']}: {row['number']} {row['function']}({row['neighbours']})" for row in table.to_dict("records")
    ]
    reaches = ", ".join(sorted(set(table["cutoff"])))
    return [
        words(
            "The energy is a sum of atomic energies, each answered by its element's own network from symmetry "
            "functions of the atom's surroundings (Behler and Parrinello 2007; Behler 2011; G2: radial, G4: angular "
            "with the distance between the neighbours, G5: angular without it): {functions}; cutoff {cutoff} Å. Forces "
            "and stresses are the energy's analytic derivatives.",
            functions="; ".join(told),
            cutoff=reaches,
        ),
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
            if predictor.facts.get("settings", {}).get("optimizer") == "soap"
            else []
        ),
    ]


def potential_layers(part: Part) -> list[list[str]]:
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
                    f"{layer.count_params():,}",
                ]
            )
    return rows
