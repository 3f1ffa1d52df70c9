"""What the words mean that the command line, the report and the figures share."""

from __future__ import annotations

import unicodedata

from amalthea.reporting.translate import Words


def glossary(words: Words) -> list[tuple[str, str]]:
    """Return the terms and what they mean, in the alphabetical order of the language.

    Example:
        >>> from amalthea.reporting.translate import in_language
        >>> dict(glossary(in_language()))["epoch"]
        'One pass of a network through all of its training examples.'
    """
    terms = [
        (
            words("baseline"),
            words(
                "A simple model on the same folds: the mean, a linear model, a kernel, boosting. A network that "
                "does not beat it is not worth its trouble."
            ),
        ),
        (
            words("boosting"),
            words("A baseline of many small decision trees, each of which mends what the ones before got wrong."),
        ),
        (
            words("bootstrap"),
            words(
                "How standard errors are found: the figure is computed again and again from rows drawn with "
                "replacement, and its spread is the error."
            ),
        ),
        (
            words("Brier score"),
            words(
                "The mean squared distance of probabilities from what happened, 1 for the true class and 0 for "
                "the others: 0 is perfect, and small is good."
            ),
        ),
        (
            words("calibration"),
            words("Making error bars and probabilities true: of all that is called 80 % sure, 80 % should be right."),
        ),
        (
            words("conformal"),
            words(
                "An interval is made as wide as the errors on held-out examples demand, so that 90 % of it holds "
                "whatever the model is, as long as new examples are like the old ones."
            ),
        ),
        (
            words("ECE"),
            words(
                "Expected calibration error: by how much, on average, the probability of the answer differs from "
                "the share of answers that are right."
            ),
        ),
        (
            words("ensemble"),
            words(
                "Many networks that answer together: their mean is better than one, and where they disagree, "
                "little is known."
            ),
        ),
        (
            words("epoch"),
            words("One pass of a network through all of its training examples."),
        ),
        (
            words("fold"),
            words(
                "One of the equal parts into which the examples are dealt. Each part is held out once, from "
                "networks that learn from the others."
            ),
        ),
        (
            words("held out"),
            words("Kept away from the networks that are judged on it."),
        ),
        (
            words("kernel"),
            words(
                "A baseline that answers from the known examples that resemble the asked one, those that resemble"
                " it more counting more."
            ),
        ),
        (
            words("loss"),
            words("The number that training makes smaller: how wrong the answers are."),
        ),
        (
            words("MAE, RMSE"),
            words(
                "The mean absolute error, and the root of the mean squared error, in the unit of the target. The "
                "second minds large errors more."
            ),
        ),
        (
            words("member"),
            words(
                "One network of the ensemble. It began with weights of its own and saw its examples in an order "
                "of its own."
            ),
        ),
        (
            words("out of fold"),
            words(
                "Answered only by the networks from which the example was held out. All figures and error bars "
                "rest on such answers."
            ),
        ),
        (
            words("outside"),
            words(
                "Farther from the training examples than anything that was judged: an answer there is a guess, "
                "and marked as one."
            ),
        ),
        (
            words("overfitting"),
            words("Learning the training examples by heart: their loss falls, that of held-out examples rises."),
        ),
        (
            words("R²"),
            words("The share of the target's variance that is explained: 1 is perfect, 0 is no better than the mean."),
        ),
        (
            words("ROC AUC, PR AUC"),
            words(
                "How well the examples of a class are ranked before the others: 1 is perfect. By chance, the "
                "first is 0.5, the second the share of the class."
            ),
        ),
        (
            words("scaffold"),
            words(
                "A molecule's rings and what links them. A split by scaffold asks about kinds of molecules that "
                "were never seen."
            ),
        ),
        (
            words("standard error"),
            words(
                "How much a figure would differ with other examples of the same kind: two figures closer than "
                "about two errors are not clearly different."
            ),
        ),
        (
            words("validation loss"),
            words(
                "The loss on examples set aside from training. It tells when to stop; it is no judgement of the "
                "model, for something was chosen by it."
            ),
        ),
    ]
    # Accents count for nothing in the order: é stands where e does.
    return sorted(terms, key=lambda term: unicodedata.normalize("NFD", term[0].casefold()))


def markdown(words: Words, elsewhere: str) -> str:
    """Return the glossary as a page of the documentation.

    Args:
        words: its language.
        elsewhere: a link to the same page in another language.
    """
    lines = [f"# {words('Glossary')}", elsewhere]
    lines += [f"**{term}**: {meaning}" for term, meaning in glossary(words)]
    return "\n\n".join(lines) + "\n"
