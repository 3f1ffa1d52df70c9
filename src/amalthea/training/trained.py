"""An ensemble once it is trained: asked, judged, thinned, saved."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea import backend
from amalthea.errors import AmaltheaError
from amalthea.training.arrays import as_arrays, count_rows, whole_number
from amalthea.training.assignment import MemberLayout
from amalthea.training.batches import gathered
from amalthea.training.checks import check_compiled, check_targets
from amalthea.training.evaluation import Evaluation
from amalthea.training.history import History
from amalthea.training.inference import TrainedMembers, split
from amalthea.training.initialization import Maker, build, clone, make_variables
from amalthea.training.prediction import Aside, Prediction
from amalthea.training.weight_history import Recording
from amalthea.training.windows import take


class TrainedEnsemble:
    """What `Ensemble` is beside its training."""

    model: keras.Model
    """The compiled model, which stays as it is."""

    def __init__(self, model: Any, *, folds: int = 5, members: int = 10, seed: int = 0) -> None:
        backend.prepare()
        given = isinstance(model, keras.Model) or not callable(model)
        self._make: Maker = functools.partial(clone, model) if given else model
        self.from_function = not given
        """Whether a function makes the model, which may then have no configuration."""
        model = self.model = model if given else model()
        check_compiled(model)
        self.folds, self.members = whole_number("folds", folds, 1), whole_number("members", members, 1)
        self.seed = whole_number("seed", seed, 0)
        self.history: History | None = None
        self.fold_ids: NDArray[np.int64] | None = None
        self._out_of_fold: Prediction | None = None
        self.aside: Aside | None = None
        """What the members said of their own validation rows, once trained with some."""
        self.validation_rows: tuple[NDArray[np.int64], ...] = ()
        """The rows that each member set aside while it learned, one array a member; none where it is not known."""
        self.recording: Recording | None = None
        """The members' weights along their training, once trained with `record=True`; see `insight.trajectories`."""

    @property
    def layout(self) -> MemberLayout:
        """How the members are numbered: which belong to which fold."""
        return MemberLayout(self.folds, self.members)

    def __len__(self) -> int:
        return len(self.layout)

    def __repr__(self) -> str:
        state = "trained" if self.history else "not trained"
        return f"<Ensemble of {self.folds} folds x {self.members} members of {self.model.name!r}, {state}>"

    @property
    def out_of_fold(self) -> Prediction:
        """For each training row the prediction by the members that never saw it; `members` has shape (M, n, ...).

        Raises:
            AmaltheaError: not trained yet, or trained with one fold.
        """
        self._check_trained()
        if self._out_of_fold is None:
            raise AmaltheaError(
                "With folds=1 every member saw every row, so there is no out-of-fold prediction: use folds=5."
                if self.folds == 1
                else "This ensemble has no out-of-fold predictions of its own (it was opened from a model's file, or "
                "learned from examples of several shapes): see Predictor.out_of_fold."
            )
        return self._out_of_fold

    def predict(self, x: Any) -> Prediction:
        """Predict with all members.

        Args:
            x: inputs as in `fit`, of n rows.

        Returns:
            The mean over the members, their spread, and each member's own prediction, shape (members, n, ...); NaN
            for members that were left out.
        """
        self._check_trained()
        x = as_arrays(x, "x")
        everyone = self._trained.everyone(x)
        mean, std = self._trained.mean_and_std(everyone)
        return Prediction(mean=mean, std=std, members=everyone)

    def evaluate(self, x: Any, y: Any = None, sample_weight: Any = None, *, batch_size: int = 32) -> Evaluation:
        """Return the loss and metrics of the mean prediction, and their spread over the members.

        The mean has no weights: penalties on weights and activities, and scales of targets, are the members' averages.

        Args:
            x: inputs as in `fit`.
            y: targets as in `fit`.
            sample_weight: each row's weight, or None.
            batch_size: rows of which Keras averages a loss at once.

        Raises:
            DataError: targets that a loss does not take, such as labels out of range.
        """
        self._check_trained()
        x, y, sample_weight = gathered(x, y, sample_weight)
        count_rows(x=x, y=y, sample_weight=sample_weight)
        check_targets(self.model, x, y)  # Keras's losses answer labels out of range with a figure
        build(self.model, x, y, sample_weight)  # its metrics, where it was opened from a file
        of_members, of_mean = self._trained.scores((x, y, sample_weight), self.predict(x).mean, batch_size)
        names = sorted(of_members, key=lambda name: (name != "loss", name))
        members = {name: of_members[name][self.used].astype(np.float64) for name in names}
        return Evaluation({name: float(of_mean[name][self.used].mean()) for name in members}, members)

    def __getitem__(self, number: int) -> keras.Model:
        """Return one member as an ordinary `keras.Model`, compiled as the model was.

        Raises:
            AmaltheaError: the member was left out.
            IndexError: there is no such member.
        """
        self._check_trained()
        number = range(len(self))[number]
        if not self._used[number]:
            raise AmaltheaError(f"Member {number} was left out of this ensemble: see history.notes.")
        return self._trained.model_of(number)

    @property
    def weights(self) -> dict[str, NDArray[Any]]:
        """All variables by their paths in the model, stacked, shape (members, ...)."""
        self._check_trained()
        return self._trained.weights()

    def leave_out(self, members: ArrayLike) -> None:
        """Let some members answer no more, in `predict`, `evaluate` and `out_of_fold`.

        Args:
            members: their numbers, those of `history.notes` for example.

        Raises:
            AmaltheaError: a fold would have no member left.
        """
        self._check_trained()
        assert self.history is not None
        numbers = {range(len(self))[int(number)] for number in np.atleast_1d(members)}
        left_out = numbers.union(self.history.left_out)
        for fold in range(self.folds):
            if left_out.issuperset(self.layout.of_fold(fold).tolist()):
                raise AmaltheaError(f"Fold {fold} would have no member left to answer for its rows.")
        self.history = dataclasses.replace(self.history, left_out=tuple(sorted(left_out)))
        self._keep(self._trained.trainable, self._trained.others, self._trained.example)
        if self._out_of_fold is not None and self.fold_ids is not None:
            self._out_of_fold = self._trained.pooled(self._out_of_fold.members, self.fold_ids, self.layout)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trained ensemble to one file, whole or not at all; `amalthea.load_model` opens it, bit by bit.

        An ensemble that was made of a function is opened with it: `load_model(path, model=make_model)`.

        Args:
            path: by custom `NAME.amalthea`.

        Raises:
            AmaltheaError: not trained yet, or the file cannot be written.
        """
        from amalthea.training.saving import save

        self._check_trained()
        save(self, Path(path), self._trained.example, self._out_of_fold)

    def restore(
        self,
        weights: Mapping[str, NDArray[Any]],
        example: Any,
        fold_ids: NDArray[np.int64],
        history: History,
        out_of_fold: Prediction | None,
        validation_rows: tuple[NDArray[np.int64], ...] | None = None,
    ) -> None:
        """Become the trained ensemble that `weights` (see there) and the other parts describe.

        Args:
            weights: stacked variables, in the order of their names.
            example: one row of the inputs.
            fold_ids: shape (n,).
            history: of the training.
            out_of_fold: the out-of-fold predictions; None with one fold.
            validation_rows: what each member set aside; None where it is not known.

        Raises:
            AmaltheaError: the weights do not fit the model.
        """
        make_variables(self.model, example)
        trainable, others = split(self.model, len(self), weights)
        self.fold_ids, self.history, self._out_of_fold = fold_ids, history, out_of_fold
        self.validation_rows = validation_rows or ()
        self._keep(trainable, others, example)

    @property
    def used(self) -> NDArray[np.int64]:
        """The numbers of the members that answer: all but those that `history` leaves out."""
        return np.flatnonzero(self._used)

    @property
    def _used(self) -> NDArray[np.bool_]:
        left_out = () if self.history is None else self.history.left_out
        return ~np.isin(np.arange(len(self)), left_out)

    def _keep(self, trainable: list[NDArray[Any]], others: list[NDArray[Any]], x: Any) -> None:
        """Keep the members as they were trained, once `history` says who takes part."""
        self._trained = TrainedMembers(self.model, self._make, trainable, others, self._used, take(x, slice(1)))

    def _check_trained(self) -> None:
        if self.history is None:
            raise AmaltheaError("This ensemble is not trained yet: call fit first.")
