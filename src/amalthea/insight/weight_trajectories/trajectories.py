"""The paths of all members of an ensemble through the space of their weights, in one plane."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.insight.computational_graph.text import plain
from amalthea.insight.weight_trajectories.loss_surface import surface
from amalthea.insight.weight_trajectories.principal_plane import Plane, plane_of
from amalthea.progress import Bar, Verbosity
from amalthea.tasks.lessons import lessons_of
from amalthea.training.arrays import whole_number
from amalthea.training.ensemble import Ensemble

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from amalthea.predictor.predictor import Predictor

Floats = NDArray[np.float64]

MARGIN = 0.15
"""How much wider than the paths the picture is, on each side."""

NARROWEST = 0.95
"""The least ratio of its sides."""


@dataclasses.dataclass(frozen=True, eq=False)
class Surface:
    """The loss of the reference member on a grid in the plane.

    Args:
        across: coordinates along the first direction, shape (points,).
        up: along the second, shape (points,).
        training: the mean loss of examples that the member learned from, shape (points up, points across).
        held_out: that of examples that it never saw, likewise; None where there are none.
    """

    across: Floats
    up: Floats
    training: NDArray[np.float32]
    held_out: NDArray[np.float32] | None


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectories:
    """The paths of all members in the plane in which they move most.

    Args:
        folds: of each member, shape (members,).
        seeds: which of its fold's members it is, shape (members,).
        epochs: how many each had learned at each time, shape (members, times).
        plane: the plane, and the members' positions in it.
        reference: the member whose movement the plane shows best; the surface is laid through its end.
        surface: the loss there.
        notes: what a reader should know.
    """

    folds: NDArray[np.int64]
    seeds: NDArray[np.int64]
    epochs: NDArray[np.int64]
    plane: Plane
    reference: int
    surface: Surface
    notes: tuple[str, ...]

    @property
    def positions(self) -> Floats:
        """Where each member was at each time, shape (members, times, 2)."""
        return self.plane.positions

    @property
    def share(self) -> float:
        """How much of the members' movement the plane shows, 0 to 1."""
        return self.plane.share

    def frame(self) -> pd.DataFrame:
        """Return one row a member and time: member, fold, seed, epoch, first, second."""
        members, times = self.epochs.shape
        every = np.repeat(np.arange(members), times)
        return pd.DataFrame(
            {
                "member": every,
                "fold": self.folds[every],
                "seed": self.seeds[every],
                "epoch": self.epochs.ravel(),
                "first": self.positions[..., 0].ravel(),
                "second": self.positions[..., 1].ravel(),
            }
        )

    def data(self) -> dict[str, Any]:
        """Return paths and surfaces as plain numbers and lists, for JSON; numbers that are not finite are null."""
        numbers: dict[str, Any] = plain(
            {
                "share": self.share,
                "notes": list(self.notes),
                "reference": self.reference,
                "members": [
                    {
                        "fold": fold,
                        "seed": seed,
                        "share": share,
                        "in_plane": used,
                        "epochs": epochs,
                        "positions": positions,
                    }
                    for fold, seed, share, used, epochs, positions in zip(
                        self.folds,
                        self.seeds,
                        self.plane.shares,
                        self.plane.used,
                        self.epochs,
                        self.positions,
                        strict=True,
                    )
                ],
                "surface": dataclasses.asdict(self.surface),
            }
        )
        return numbers

    def figure(self, theme: str = "light", title: str = "", caption: str = "") -> Figure:
        """Return the paths on the loss of the training examples and, beside it, of the held-out ones.

        Args:
            theme: "light" or "dark".
            title: the heading.
            caption: sentences below it; empty: the notes.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
        """
        from amalthea.insight.weight_trajectories.trajectory_plots import figure

        return figure(self, theme, title, caption or " ".join(self.notes))

    def __repr__(self) -> str:
        members, times = self.epochs.shape
        return (
            f"<Trajectories of {members} members at {times} epochs; the plane shows {self.share:.0%} of the movement>"
        )


def trajectories(
    trained: Ensemble | Predictor, *, points: int = 31, rows: int = 256, verbose: Verbosity = "auto"
) -> Trajectories:
    """Return the paths of all members in the plane of the first two principal components of their movements.

    Args:
        trained: an ensemble, trained with `fit(..., record=True)`. Or a predictor that keeps its examples: networks
            like its own, two a fold, are trained on at most 2,000 of them anew.
        points: of the loss surface, in each direction.
        rows: examples, at most, that the loss is a mean over.
        verbose: "auto" shows a progress bar on a terminal only, 1 always, 0 never.

    Raises:
        AmaltheaError: the weights were not recorded, nobody moved, or the predictor has no examples.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mean_squared_error")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> ensemble = Ensemble(model, folds=2, members=2)
        >>> _ = ensemble.fit(x, x.sum(axis=1), epochs=10, batch_size=8, record=True)
        >>> paths = trajectories(ensemble, points=5)
        >>> paths.positions.shape, paths.surface.training.shape, paths.share > 0.9
        ((4, 11, 2), (5, 5), True)
    """
    whole_number("points", points, least=2)
    whole_number("rows", rows, least=1)
    with Bar("paths of the weights", total=3, verbose=verbose) as bar:
        return _trajectories(trained, points, rows, bar)


def _trajectories(trained: Ensemble | Predictor, points: int, rows: int, bar: Bar) -> Trajectories:
    notes: list[str] = []
    if not isinstance(trained, Ensemble):
        trained, remarks = lessons_of(trained).recorded()
        notes += remarks
    bar.advance()
    recording, history = trained.recording, trained.history
    if recording is None or history is None:
        raise AmaltheaError("The weights along the training were not recorded: train with fit(..., record=True).")
    plane = plane_of(recording, history.left_out)
    reference = int(np.argmax(np.where(plane.used, plane.shares, -1)))
    across, up = _window(plane, points)
    grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)

    def loss(which: NDArray[np.bool_]) -> NDArray[np.float32] | None:
        chosen = np.flatnonzero(which[reference])[:rows]
        if not len(chosen):
            return None
        losses = surface(trained.model, recording, plane, reference, chosen, grid)
        bar.advance()
        return losses.reshape(points, points)

    learned = loss(recording.learned)
    assert learned is not None  # every member learns from some rows, and a sample has some of them
    everyone = np.arange(len(trained))
    return Trajectories(
        trained.layout.fold_of(everyone),
        trained.layout.position_in_fold(everyone),
        recording.epochs,
        plane,
        reference,
        Surface(across, up, learned, loss(recording.held_out)),
        (*notes, *_notes(plane, reference, trained, history.left_out)),
    )


def _window(plane: Plane, points: int) -> tuple[Floats, Floats]:
    """Return the coordinates of the grid: around the paths of those who neither diverged nor ran away."""
    shown = plane.positions[plane.used].reshape(-1, 2)
    least, most = shown.min(axis=0), shown.max(axis=0)
    wide = np.max(most - least)
    margin = np.maximum(MARGIN * (most - least), (NARROWEST * wide - (most - least)) / 2) + 0.05 * wide
    across, up = (np.linspace(least[k] - margin[k], most[k] + margin[k], points) for k in (0, 1))
    return across, up


def _notes(plane: Plane, reference: int, ensemble: Ensemble, left_out: tuple[int, ...]) -> list[str]:
    sentences = [
        f"The plane shows {plane.share:.0%} of all movement. The surface is the loss of the plane through the end of "
        f"member {reference} (bold), {plane.shares[reference]:.0%} of whose movement it shows; the other paths are "
        "their shadows on it."
    ]
    away = [member for member in np.flatnonzero(~plane.used).tolist() if member not in left_out]
    if left_out:
        sentences.append(f"Diverged, so that the path ends: member(s) {', '.join(map(str, left_out[:10]))}.")
    if away:
        sentences.append(f"Ran far away, out of the picture: member(s) {', '.join(map(str, away[:10]))}.")
    if ensemble.folds == 1 and not ensemble.recording.held_out.any():  # type: ignore[union-attr]
        sentences.append("No example was held out or set aside, so there is no surface of unseen examples.")
    return sentences
