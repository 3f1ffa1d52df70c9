"""Section 6 for potentials: the symmetry functions' ranges in training, and how much the energies hang on each."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.potential import PotentialState
from amalthea.predictor.predictor import Predictor
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table
from amalthea.reporting.context import Context

Array = NDArray[np.float64]

MOST_ATOMS = 3000
MOST_SHOWN = 20
MOST_ROWS = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Importance:
    """What F symmetry functions of one element mean to a potential.

    Args:
        names: of the functions, in words.
        low: shape (F,): the smallest value in training.
        high: shape (F,): the largest.
        value: shape (F,): mean |dE/dG| times the standard deviation of G, the mean over the networks, in meV.
        error: shape (F,): the standard deviation among the networks.
    """

    names: tuple[str, ...]
    low: Array
    high: Array
    value: Array
    error: Array


def function_importance(predictor: Predictor, seed: int = 0) -> dict[str, Importance]:
    """Return the importance of each element's symmetry functions.

    Args:
        predictor: a potential that kept its examples.
        seed: of the sample of structures, where there are many atoms.

    Source of the measure (the first-order effect of a typical change): Saltelli et al., Global Sensitivity Analysis:
    The Primer, Wiley, 2008, section 1.2.1 (sigma-normalized derivatives).
    """
    from amalthea.potentials.networks.subnets import energies_and_gradients
    from amalthea.potentials.symmetry_functions.serialization import describe

    committee, ranges = predictor.ready.committee, predictor.ready.ranges
    kinds, values = _values(predictor, seed)
    importance = {}
    for number, (element, functions) in enumerate(committee.functions.items()):
        atoms = values[kinds == number, : len(functions)]
        if len(atoms) < 2:
            continue
        _, slopes = energies_and_gradients(committee.layers[element], committee.activations[element], atoms)
        # the standard deviation makes functions of different units comparable, all in meV
        effects = 1000 * np.abs(slopes).mean(axis=1) * atoms.std(axis=0)
        importance[element] = Importance(
            names=tuple(describe(function) for function in functions),
            low=ranges.low[number, : len(functions)],
            high=ranges.high[number, : len(functions)],
            value=effects.mean(axis=0),
            error=effects.std(axis=0, ddof=1) if len(effects) > 1 else np.full(len(functions), np.nan),
        )
    return importance


def _values(predictor: Predictor, seed: int) -> tuple[NDArray[np.int64], Array]:
    """Return the elements' numbers (A,) and the symmetry functions (A, F) of the atoms of some training structures."""
    from amalthea.potentials.networks.training_arrays import surroundings
    from amalthea.potentials.symmetry_functions import kernels

    structures, committee = predictor.examples["atoms"], predictor.ready.committee
    kinds, values, count = [], [], 0
    for position in np.random.default_rng(seed).permutation(len(structures)):
        described = surroundings(structures.iloc[position], committee.elements, committee.cutoff)
        pairs = described.neighbours
        kinds.append(described.kinds)
        values.append(kernels.values(committee.plan, described.kinds, pairs.first, pairs.neighbour, pairs.vector))
        count += len(described.kinds)
        if count >= MOST_ATOMS:
            break
    return np.concatenate(kinds), np.concatenate(values)


def function_blocks(context: Context) -> list[Block]:
    """Return the importance of the symmetry functions, one figure an element."""
    words, predictor = context.words, context.predictor
    if not isinstance(predictor.state, PotentialState):
        return []
    if not len(predictor.examples):
        text = words("The importance of the symmetry functions needs the examples in the model.")
        return [Paragraph(text), *_ranges(context, predictor)]
    importance = function_importance(predictor, context.seed)
    return [_plot(context, element, of_element) for element, of_element in importance.items()]


def _ranges(context: Context, predictor: Predictor) -> list[Table]:
    """Return the ranges of the symmetry functions, one table an element."""
    from amalthea.potentials.symmetry_functions.serialization import describe

    words, ranges = context.words, predictor.ready.ranges
    header = [words("function"), words("lowest in training"), words("highest in training")]
    tables = []
    for number, (element, functions) in enumerate(ranges.functions.items()):
        rows = [
            [describe(function), *(words.number(float(end[number, i]), 4) for end in (ranges.low, ranges.high))]
            for i, function in enumerate(functions[:MOST_ROWS])
        ]
        caption = words("Symmetry functions of {element}", element=element) + "."
        if len(functions) > MOST_ROWS:
            caption += " " + words("Of {count} the first {most} are listed.", count=len(functions), most=MOST_ROWS)
        tables.append(Table(header, rows, caption))
    return tables


def _plot(context: Context, element: str, importance: Importance) -> Plot:
    words = context.words
    order = np.argsort(-importance.value, kind="stable")
    shown = order[:MOST_SHOWN][::-1]
    names = [importance.names[i].replace(", ", " ") for i in shown]
    return Plot(
        f"functions-{element.lower()}",
        words("Symmetry functions of {element}", element=element),
        words(
            "By how much the energy of an atom changes, to first order, with a typical change of the function among "
            "the training structures: mean |dE/dG| times the standard deviation of G; bars: the standard deviation "
            "among the networks. Functions that say the same share their importance."
        ),
        [
            plots.points(
                importance.value[shown],
                range(len(shown)),
                marker={"size": 8},
                text=[
                    words(
                        "range in training: {low} to {high}",
                        low=words.number(float(importance.low[i]), 4),
                        high=words.number(float(importance.high[i]), 4),
                    )
                    for i in shown
                ],
                hovertemplate="%{x:.3g} meV<br>%{text}<extra></extra>",
                **plots.error_bars(importance.error[shown], "x"),
            )
        ],
        plots.layout(
            plots.axis(words("effect on the energy of an atom (meV)"), 28, rangemode="tozero"),
            plots.names_axis(names, 26, tickfont={"size": 11}),
            margin={"l": 10},
        ),
        words(
            "{shown} of {count} functions; the most important: {name}. The CSV holds all of them with their ranges in "
            "training, outside of which the potential warns.",
            shown=len(shown),
            count=len(order),
            name=importance.names[order[0]],
        ),
        {
            "function": [importance.names[i] for i in order],
            "lowest": plots.numbers(importance.low[order]),
            "highest": plots.numbers(importance.high[order]),
            "importance_meV": plots.numbers(importance.value[order]),
            "std_among_networks": plots.numbers(importance.error[order]),
        },
        height=130 + 32 * len(shown),
    )
