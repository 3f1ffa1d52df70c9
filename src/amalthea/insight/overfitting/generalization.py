"""Learning and learning by heart: losses, numbers of examples, and sizes of the network."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.insight.computational_graph.text import plain
from amalthea.insight.overfitting.overfitting_onset import Turn, turn_of
from amalthea.potentials.potential import Potential, PotentialState
from amalthea.potentials.refit import force_curve
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.tasks.columns.learning_curve import (
    FEWEST_ROWS,
    SHARES,
    gain_of_doubling,
    judgeable,
    learning_curve,
    mean_errors,
)
from amalthea.tasks.columns.refit import Material, material
from amalthea.training.history import History, quantiles
from amalthea.training.width_scaling import resized
from amalthea.validation.metrics import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

    from amalthea.training.ensemble import Ensemble

ASIDE = 0.25
"""The share of its rows on which a network is measured."""

UNWATCHED = "Potentials set no structures aside while they learn, so there is no loss of validation."

PATIENCE = 300.0
"""Of potentials that learned for more seconds than this, no learning curve is made."""

SMALL, LARGE = 1e-9, 4.0
"""Factors of the widths of the networks that are too small and too large."""


@dataclasses.dataclass(frozen=True, eq=False)
class LearningCurve:
    """The error against the number of training examples.

    Args:
        target: whose error.
        measure: what it is called: "mistakes", "root mean square error", with the unit.
        sizes: shape (sizes,).
        errors: shape (sizes,), each with its standard error.
        doubling: the share by which twice the examples would lower the error, if the trend goes on.
    """

    target: str
    measure: str
    sizes: NDArray[np.int64]
    errors: tuple[Figure, ...]
    doubling: Figure

    def __str__(self) -> str:
        value, error = 100 * self.doubling.value, 100 * self.doubling.error
        if not math.isfinite(value):
            return "The networks make no mistakes: more examples would not show."
        return f"If the trend goes on, twice the examples would lower the error by {value:.0f} ± {error:.0f} %."


@dataclasses.dataclass(frozen=True, eq=False)
class Generalization:
    """How well what was learned holds for examples that were not seen. What could not be found out is None.

    Args:
        history: losses of all members.
        turn: where those of training and of validation part.
        curve: the error against the number of training examples.
        networks: by "too small", "fitting" and "too large", losses of networks of these sizes.
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
        """Return the bands: network ("own", "too small", ...), epoch, and low, median and high of each loss."""
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
        found: dict[str, Any] = plain(
            {
                "turn": None if self.turn is None else self.turn.data(),
                "curve": None if curve is None else dataclasses.asdict(curve),
                "losses": {
                    name: own.drop(columns="network").dropna(axis=1, how="all").to_dict("list")
                    for name, own in frame.groupby("network", sort=False)
                },
                "missing": self.missing,
                "notes": list(self.notes),
            }
        )
        return found

    def figure(self, theme: str = "light", title: str = "", caption: str = "") -> Picture:
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
        found = [str(part) for part in (self.turn, self.curve) if part is not None]
        return "\n".join(dict.fromkeys([*found, *self.missing.values(), *self.notes]))


@dataclasses.dataclass(frozen=True, eq=False)
class _Watched(Material):
    """Examples that tell a progress bar when networks have learned from them.

    Args:
        bar: is told.
    """

    bar: Bar

    def fit(self, network: Any, **options: Any) -> Ensemble:
        fitted = super().fit(network, **options)
        self.bar.advance()
        return fitted


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
    if isinstance(predictor.state, PotentialState):
        return _of_potential(predictor.ready, verbose)
    part = max(predictor.parts, key=lambda each: float(each.shares.sum()))
    pictures = len(part.featurizer.shape) > 1
    missing: dict[str, str] = {}
    notes: list[str] = []

    def attempt(name: str, find: Callable[[], Any]) -> Any:
        try:
            return find()
        except AmaltheaError as error:
            missing[name] = str(error)
            return None

    history = part.ensemble.history
    kept = history is not None and len(history.epoch) > 1 and "loss" in history.members
    unwatched = not kept or "val_loss" not in history.members  # type: ignore[union-attr]
    chosen = predictor.targets[0 if target is None else names.index(target)]
    with Bar("networks learn", len(SHARES) + 3 + (unwatched and not pictures), verbose) as bar:

        def given(most: int, places: NDArray[np.int64] | None = None) -> Material:
            return _Watched(**vars(material(predictor, most, places)), bar=bar)

        few = min(most, 400 if pictures else 1000, len(predictor.examples))
        networks = attempt("networks", lambda: _networks(given(few)))
        if unwatched and pictures and networks is not None:  # the same networks need not learn twice
            watched = networks["fitting"]
            notes.append(
                f"No validation loss was kept: networks of the model's own size learned anew from {few} pictures, each "
                "measured on a quarter of them."
            )
        elif unwatched:
            watched = attempt("turn", lambda: _watched(given(most), notes))
            if watched is None and not kept:
                raise AmaltheaError(f"The model was saved without its history. {missing['turn']}")
        if unwatched:
            history = watched or history
            if not kept:
                notes.append("The model was saved without its history.")
        curve = attempt("curve", lambda: _curve(given(most, judgeable(predictor, chosen)), chosen, notes))
    assert history is not None
    return Generalization(history, turn_of(history), curve, networks, missing, tuple(dict.fromkeys(notes)))


def _of_potential(potential: Potential, verbose: Verbosity) -> Generalization:
    """Return a potential's losses and, where its training was quick, the error of its forces by structures learned."""
    history, missing = potential.parts[0].ensemble.history, {"networks": UNWATCHED, "turn": UNWATCHED}
    if history is None or not history.epoch:
        raise AmaltheaError("The potential was saved without its history.")
    curve, spent = None, float(potential.predictor.provenance.seconds.get("train", 0.0))
    try:
        if spent > PATIENCE:
            raise AmaltheaError(
                f"The learning curve takes about as long as the training did, {spent / 60:.0f} minutes: "
                "amalthea report --learning-curve draws it."
            )
        with Bar("networks learn", verbose=verbose):
            found, groups = force_curve(potential)
        seed = int(potential.parts[0].ensemble.seed)
        errors = _with_errors(mean_errors(found, groups, 1, seed))
        doubling = gain_of_doubling(found, groups, 1, seed)
        curve = LearningCurve("forces", "mean absolute error (eV/Å)", found.sizes, errors, doubling)
    except AmaltheaError as error:
        missing["curve"] = str(error)
    return Generalization(history, None, curve, None, missing, ())


def _with_errors(means: NDArray[np.float64]) -> tuple[Figure, ...]:
    """Return the means in the first row, with the spread of the resamples below it."""
    return tuple(Figure(float(m), float(s)) for m, s in zip(means[0], means[1:].std(axis=0, ddof=1), strict=True))


def _watched(given: Material, notes: list[str]) -> History:
    """Return the losses of networks like the model's, each measured on a quarter of its rows as well."""
    epochs, members = given.defaults.epochs, 6 if given.x.ndim == 2 else 2
    network = resized(given.network(round(len(given.x) * (1 - ASIDE)), epochs), 1.0)
    ensemble = given.fit(network, folds=1, members=members, epochs=epochs, aside=ASIDE)
    assert ensemble.history is not None
    notes += [
        f"No validation loss was kept: {members} networks like the model's learned anew, each measured on a quarter of "
        "the examples.",
        *given.notes,
    ]
    return ensemble.history


def _curve(given: Material, target: Any, notes: list[str]) -> LearningCurve:
    if int(given.folds.max()) == 0:
        raise AmaltheaError("A learning curve needs examples that were held out: train with two folds or more.")
    if len(given.x) < FEWEST_ROWS:
        raise AmaltheaError(f"{len(given.x)} examples are too few for a learning curve: it takes {FEWEST_ROWS}.")
    found = learning_curve(given, target)
    classes = target.task == "classification"
    power = 1 if classes else 2
    errors = _with_errors(mean_errors(found, given.groups, power, given.seed))
    measure = "share of mistakes" if classes else "root mean square error"
    notes += given.notes
    return LearningCurve(
        target.name,
        f"{measure} ({target.unit})" if target.unit else measure,
        found.sizes,
        errors,
        gain_of_doubling(found, given.groups, power, given.seed),
    )


def _networks(given: Material) -> dict[str, History]:
    """Return the losses of a network that is too small, the model's own, and one that is too large."""
    pictures, usual = given.x.ndim > 2, given.defaults.epochs
    epochs, members = (15, 2) if pictures else (min(max(2 * usual, 60), 200), 4)
    rows = round(len(given.x) * (1 - ASIDE))
    own = given.network(rows, epochs)
    wild = dataclasses.replace(given, defaults=dataclasses.replace(given.defaults, augment=False))
    choices = {
        "too small": resized(own, SMALL),
        "fitting": resized(own, 1.0),
        "too large": resized(wild.network(rows, epochs), 2.0 if pictures else LARGE, free=True),
    }
    found = {}
    for name, network in choices.items():
        history = given.fit(network, folds=1, members=members, epochs=epochs, aside=ASIDE).history
        assert history is not None
        found[name] = history
    return found
