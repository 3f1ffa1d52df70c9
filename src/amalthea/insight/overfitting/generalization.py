"""Generalization and overfitting: losses, numbers of examples, and sizes of the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from amalthea.errors import AmaltheaError
from amalthea.insight.computational_graph.text import plain
from amalthea.insight.overfitting.overfitting_onset import BY_HEART, Turn, gap, turn_of
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.tasks.lessons import Material, lessons_of
from amalthea.training.history import History, quantiles
from amalthea.training.width_scaling import resized
from amalthea.validation.learning_curve import LearningCurve

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

ASIDE = 0.25
"""The share of its rows on which a network is measured."""

SMALL, LARGE = 1e-9, 4.0
"""Factors of the widths of the small network, of one unit a layer, and of the large one."""


@dataclasses.dataclass(frozen=True, eq=False)
class Generalization:
    """How well what was learned holds for examples that were not seen. What could not be found out is None.

    Args:
        history: losses of all members.
        turn: where those of training and of validation part.
        curve: the error against the number of training examples.
        networks: by "small", "own size" and "large", losses of networks of these sizes.
        missing: for "losses", "turn", "curve", "networks", why it is not there.
        notes: what a reader should know.
    """

    history: History | None
    turn: Turn | None
    curve: LearningCurve | None
    networks: dict[str, History] | None
    missing: dict[str, str]
    notes: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """Return the bands: network ("own", "small", ...), epoch, and low, median and high of each loss."""
        tables = []
        for name, history in ({"own": self.history} | (self.networks or {})).items():
            if history is None:
                continue
            columns: dict[str, Any] = {"network": name, "epoch": [epoch + 1 for epoch in history.epoch]}
            for key in ("loss", "val_loss"):
                if key in history.members:
                    columns |= dict(zip((f"{key}_05", key, f"{key}_95"), quantiles(history.members[key]), strict=True))
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["network", "epoch"])

    def data(self) -> dict[str, Any]:
        """Return everything as plain numbers and lists, for JSON; numbers that are not finite are null."""
        curve, frame = self.curve, self.frame()
        numbers: dict[str, Any] = plain(
            {
                "turn": None if self.turn is None else self.turn.data(),
                "curve": None if curve is None else curve.data(),
                "losses": {
                    name: losses.drop(columns="network").dropna(axis=1, how="all").to_dict("list")
                    for name, losses in frame.groupby("network", sort=False)
                },
                "missing": self.missing,
                "notes": list(self.notes),
            }
        )
        return numbers

    def figure(self, theme: str = "light", title: str = "", caption: str = "") -> Figure:
        """Return losses, learning curve and networks of three sizes as a figure.

        Args:
            theme: "light" or "dark".
            title: the heading.
            caption: sentences below it; empty: what was found, and the notes.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
        """
        from amalthea.insight.overfitting.loss_plots import figure

        return figure(self, theme, title, caption or repr(self).replace("\n", " "))

    def __repr__(self) -> str:
        sentences = [str(part) for part in (self.turn, self.curve) if part is not None]
        return "\n".join(dict.fromkeys([*sentences, *self.missing.values(), *self.notes]))


def generalization(
    predictor: Predictor, *, target: str | None = None, most: int = 2000, verbose: Verbosity = "auto"
) -> Generalization:
    """Return how well what a model learned holds for examples that it did not see.

    Networks are trained anew: on parts of the data, for the learning curve; and narrower and wider ones than the
    model's, all for the same number of epochs, the wide one without what holds a network back (dropout, penalties, a
    learning rate that falls).

    Args:
        predictor: a trained model, with its history and its examples; what needs something missing is left out.
        target: whose error the learning curve shows; None: the first.
        most: examples at most from which networks learn anew.
        verbose: "auto" shows a progress bar on a terminal only, 1 always, 0 never.

    Raises:
        AmaltheaError: the model has neither its history nor its examples; or no such target.
    """
    names = [each.name for each in predictor.targets]
    if target is not None and target not in names:
        raise AmaltheaError(f"The model has no target {target!r}. It has: {', '.join(names)}.")
    lessons = lessons_of(predictor)
    missing: dict[str, str] = {}
    notes: list[str] = []

    def attempt(name: str, find: Callable[[], Any]) -> Any:
        try:
            return find()
        except AmaltheaError as error:
            missing[name] = str(error)
            return None

    history = max(predictor.parts, key=lambda part: float(part.shares.sum())).ensemble.history
    kept = history is not None and len(history.epoch) > 1 and "loss" in history.members
    unwatched = not kept or "val_loss" not in history.members  # type: ignore[union-attr]
    chosen = predictor.targets[0 if target is None else names.index(target)]
    few = min(most, 400 if lessons.large else 1000, len(predictor.examples))
    examples = attempt("networks", lambda: lessons.material(few))
    trainings = lessons.curve_sizes + (0 if examples is None else 3 + (unwatched and not lessons.large))
    with Bar("networks learn", trainings, verbose) as bar:
        networks = None if examples is None else attempt("networks", lambda: _networks(examples, bar))
        if unwatched and lessons.large and networks is not None:  # the same networks need not learn twice
            watched = networks["own size"]
            notes.append(
                f"No validation loss was kept: networks of the model's own size learned anew from {few} pictures, each "
                "measured on a quarter of them."
            )
        elif unwatched:
            watched = attempt("turn", lambda: _watched(lessons.material(most), notes, bar))
            if watched is None and not kept:
                raise AmaltheaError(f"The model was saved without its history. {missing['turn']}")
        if unwatched:
            history = watched or history
            if not kept:
                notes.append("The model was saved without its history.")

        def curve_of() -> LearningCurve:
            curve, remarks = lessons.learning_curve(chosen, most, bar.advance)
            notes.extend(remarks)
            return curve

        curve = attempt("curve", curve_of)
    assert history is not None
    notes += _remarks(predictor, history, networks)
    return Generalization(history, turn_of(history), curve, networks, missing, tuple(dict.fromkeys(notes)))


def _remarks(predictor: Predictor, history: History, networks: dict[str, History] | None) -> list[str]:
    """Return what a reader must know to take the losses for what they are."""
    remarks = []
    apart = gap(history)
    if apart > BY_HEART:
        remarks.append(
            f"At the end the validation loss is {apart:.0f} times the training loss: the networks know their own "
            "examples by heart."
        )
    if networks is not None and len(networks["own size"].epoch) != len(history.epoch):
        remarks.append(
            f"The networks of three sizes learn for {len(networks['own size'].epoch)} epochs, not for "
            f"{len(history.epoch)}, so that overfitting shows."
        )
    if any(restrained(part.ensemble.model) for part in predictor.parts):
        remarks.append(
            "While they learn, dropout or smoothed labels make the training loss larger; validation is without them, "
            "so that its loss may lie below."
        )
    return remarks


def restrained(model: keras.Model) -> bool:
    """Say whether something makes a network's loss larger in training than when it answers."""
    layers = list(model._flatten_layers())
    smoothed = any(getattr(layer, "label_smoothing", 0.0) and max(layer.widths) > 1 for layer in layers)
    return smoothed or any(getattr(layer, "rate", 0.0) for layer in layers if "Dropout" in type(layer).__name__)


def _watched(examples: Material, notes: list[str], bar: Bar) -> History:
    """Return the losses of networks like the model's, each measured on a quarter of its rows as well."""
    epochs, members = examples.defaults.epochs, 6 if examples.x.ndim == 2 else 2
    network = resized(examples.network(round(len(examples.x) * (1 - ASIDE)), epochs), 1.0)
    history = _learned(examples, network, members, epochs, bar)
    notes += [
        f"No validation loss was kept: {members} networks like the model's learned anew, each measured on a quarter of "
        "the examples.",
        *examples.notes,
    ]
    return history


def _networks(examples: Material, bar: Bar) -> dict[str, History]:
    """Return the losses of a small network, one of the model's own size, and a large one."""
    pictures, usual = examples.x.ndim > 2, examples.defaults.epochs
    epochs, members = (15, 2) if pictures else (min(max(2 * usual, 60), 200), 4)
    rows = round(len(examples.x) * (1 - ASIDE))
    usual_size, plain_one = (examples.network(rows, epochs, augment=augment) for augment in (True, False))
    choices = {
        "small": resized(usual_size, SMALL),
        "own size": resized(usual_size, 1.0),
        "large": resized(plain_one, 2.0 if pictures else LARGE, free=True),
    }
    return {name: _learned(examples, network, members, epochs, bar) for name, network in choices.items()}


def _learned(examples: Material, network: Any, members: int, epochs: int, bar: Bar) -> History:
    """Return the losses of networks, each measured on a quarter of its rows."""
    history = examples.fit(network, folds=1, members=members, epochs=epochs, aside=ASIDE).history
    assert history is not None
    bar.advance()
    return history
