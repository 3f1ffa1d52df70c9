"""The report of a potential that was trained elsewhere: what it holds, and what is not known of it."""

from __future__ import annotations

from amalthea.potentials.potential import PotentialState
from amalthea.potentials.report.citations import ASE, BEHLER, BEHLER_PARRINELLO, N2P2
from amalthea.potentials.report.context import PotentialContext
from amalthea.potentials.report.error_breakdown import group_blocks
from amalthea.potentials.report.learning_curve import curve_blocks
from amalthea.potentials.report.methods import energy_sentence, layers
from amalthea.potentials.report.symmetry_functions import function_blocks
from amalthea.reporting.blocks import Block, Paragraph, Section, Text
from amalthea.reporting.citations import ENTRIES, bibtex
from amalthea.reporting.data import notes
from amalthea.reporting.learning import loss_blocks
from amalthea.reporting.range import range_blocks
from amalthea.reporting.sections import section
from amalthea.reporting.summary import cautions
from amalthea.reporting.translate import joined


def sections(context: PotentialContext) -> list[Section]:
    """Return the sections, in the order in which they are read."""
    words = context.words
    reading = words("Where the errors are, and which parts of an atom's surroundings the energies hang on.")
    ranges = words(
        "It came without its training set: the ranges of the symmetry functions tell all that is known of it."
    )
    sentences = {
        "figures": words("It was trained elsewhere, and came without figures of its errors."),
        "agreement": words("It came without its training examples, so there is nothing to compare."),
        "certainty": words("It came without uncertainties, and gives none."),
    }
    return [
        section(context, "verdict", [*_known(context), *cautions(context)]),
        *(section(context, name, [Paragraph(sentence)]) for name, sentence in sentences.items()),
        section(context, "range", range_blocks(context)),
        section(context, "learning", [*loss_blocks(context, ""), *curve_blocks(context)]),
        section(context, "importance", [*group_blocks(context), *function_blocks(context)], reading),
        section(context, "data", [Paragraph(ranges), *notes(context, words("Notes (in English)"))]),
        section(context, "methods", _methods(context)),
    ]


def _known(context: PotentialContext) -> list[Block]:
    """Return what the potential is, and what is not known of it."""
    words, predictor = context.words, context.predictor
    sentences = [
        words("The potential “{data}” was trained elsewhere and read from its files.", data=predictor.provenance.data)
    ]
    if isinstance(predictor.state, PotentialState):
        functions = predictor.ready.ranges.functions
        count = sum(map(len, functions.values()))
        sentences.append(words("Elements: {elements}.", elements=joined(words, list(functions))))
        sentences.append(words.plural("It sees {n} symmetry function.", "It sees {n} symmetry functions.", count))
    unknown = words(
        "Nothing is known of its errors: judge it on labelled structures with amalthea evaluate. It gives no "
        "uncertainties; where a symmetry function leaves its range in training, it warns."
    )
    return [Paragraph(" ".join(sentences)), Paragraph(unknown, "care")]


def _methods(context: PotentialContext) -> list[Block]:
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
    if isinstance(predictor.state, PotentialState):
        sentences.append(energy_sentence(context))
    entries = [ENTRIES["keras"], ENTRIES["jax"], BEHLER_PARRINELLO, BEHLER, N2P2, ASE]
    return [
        Text(words("Methods"), " ".join(sentences)),
        Paragraph(words("It was trained elsewhere: no command of Amalthea's trains it again.")),
        *layers(context),
        Text(words("Citations (BibTeX)"), bibtex(predictor, entries)),
    ]
