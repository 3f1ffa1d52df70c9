"""The sections of a report on a potential."""

from __future__ import annotations

from amalthea.potentials.report import imported
from amalthea.potentials.report.citations import ASE, BEHLER, BEHLER_PARRINELLO
from amalthea.potentials.report.context import PotentialContext, held_out_energies
from amalthea.potentials.report.data import energies_per_atom, structure_blocks
from amalthea.potentials.report.error_breakdown import group_blocks
from amalthea.potentials.report.learning_curve import curve_blocks
from amalthea.potentials.report.methods import layers, potential_sentences
from amalthea.potentials.report.metrics import by_fold
from amalthea.potentials.report.parity import energy_blocks, force_blocks, worst_blocks
from amalthea.potentials.report.quality import in_words
from amalthea.potentials.report.symmetry_functions import function_blocks
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph, Section
from amalthea.reporting.calibration import FEWEST, certainty_blocks, coverage_block, uncertainty_plot
from amalthea.reporting.citations import bibtex, works
from amalthea.reporting.context import Context
from amalthea.reporting.data import copies, distribution, notes, outliers, refused_rows
from amalthea.reporting.learning import loss_blocks
from amalthea.reporting.methods import command, method_blocks, text
from amalthea.reporting.metrics import figure_blocks, known_metrics
from amalthea.reporting.parity import agreement_blocks
from amalthea.reporting.range import range_blocks
from amalthea.reporting.sections import section
from amalthea.reporting.summary import verdict_blocks
from amalthea.reporting.translate import Words

USUAL = {"features": "auto", "network": "potential", "split": "random"}
"""Settings that the command need not say."""


def context(predictor: Predictor, words: Words, learning_curve: bool) -> PotentialContext:
    """Return the held-out energies of a potential."""
    return PotentialContext(predictor, words, held_out_energies(predictor, words), learning_curve)


def sections(context: Context) -> list[Section]:
    """Return the sections, in the order in which they are read; of a potential trained elsewhere what it holds."""
    assert isinstance(context, PotentialContext)
    words = context.words
    if not context.predictor.validation.examples:
        return imported.sections(context)
    unvalidated = words(
        "There is no validation loss: potentials learn for a fixed number of epochs and set no structures "
        "aside, so it cannot be seen where overfitting began; the held-out figures above judge the "
        "networks as they are in the last epoch."
    )
    reading = words("Where the errors are, and which parts of an atom's surroundings the energies hang on.")
    main = ("energy_mae", "force_mae", "stress_mae")
    return [
        section(context, "verdict", verdict_blocks(context, in_words, main)),
        section(context, "figures", _figures(context)),
        section(context, "agreement", _agreement(context)),
        section(context, "certainty", _certainty(context)),
        section(context, "range", range_blocks(context)),
        section(context, "learning", [*loss_blocks(context, unvalidated), *curve_blocks(context)]),
        section(context, "importance", [*group_blocks(context), *function_blocks(context)], reading),
        section(context, "data", _data(context)),
        section(context, "methods", _methods(context)),
    ]


def _figures(context: PotentialContext) -> list[Block]:
    (summary,) = context.predictor.validation.targets
    note = context.words("The baseline “mean” knows the composition alone, and predicts no forces.")
    folds, sizes = by_fold(context.predictor.out_of_fold) if summary.metrics else ({}, {})
    drawn = [name for name in ("energy_mae", "force_mae") if name in known_metrics(summary)]
    return figure_blocks(context, summary, folds, sizes, drawn, note)


def _agreement(context: PotentialContext) -> list[Block]:
    blocks = agreement_blocks(context, energy_blocks)
    if any(each.metrics for each in context.predictor.validation.targets):
        blocks += [*force_blocks(context), *worst_blocks(context, next(iter(context.judged), None))]
    return blocks


def _certainty(context: PotentialContext) -> list[Block]:
    forces = context.forces
    blocks = certainty_blocks(context) if context.judged or forces is None else []
    if forces is not None and forces.structures >= FEWEST:
        blocks += [
            Paragraph(context.words("Forces"), "head"),
            coverage_block(context, forces.judged),
            uncertainty_plot(context, forces.judged),
        ]
    return blocks


def _data(context: PotentialContext) -> list[Block]:
    words = context.words
    energies = energies_per_atom(context.predictor)
    blocks: list[Block] = []
    if energies.notna().any():
        blocks.append(distribution(context, 0, energies, words("energy per atom"), words("eV/atom")))
    blocks += [*structure_blocks(context), *refused_rows(context), *copies(context)]
    for judged in context.judged:
        blocks += outliers(context, judged, described=context.gallery.has_examples)
    return [*blocks, *notes(context, words("Said while training (in English)"))]


def _methods(context: PotentialContext) -> list[Block]:
    predictor = context.predictor
    features = [context.words("atom-centred symmetry functions")]
    return method_blocks(
        context,
        text(context, context.learned(), features, potential_sentences(context)),
        layers(context),
        command(predictor, USUAL),
        bibtex(predictor, [*works(predictor), BEHLER_PARRINELLO, BEHLER, ASE]),
    )
