"""Many networks for about the price of one: K folds times M members of one Keras model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from amalthea.errors import TrainingWarning
from amalthea.progress import Verbosity
from amalthea.training.arrays import as_arrays, count_rows, whole_number
from amalthea.training.assignment import Assignment, assign, deal
from amalthea.training.batches import beside, gathered, weighted
from amalthea.training.buckets import Shapes
from amalthea.training.checks import check_words, prepare, share_aside
from amalthea.training.history import History
from amalthea.training.inference import TrainedMembers
from amalthea.training.initialization import build
from amalthea.training.trained import TrainedEnsemble
from amalthea.training.trainer import Settings, train
from amalthea.training.weight_history import Recorder
from amalthea.training.windows import Windows


class Ensemble(TrainedEnsemble):
    """K folds times M members of one compiled Keras model, trained side by side in one compiled program.

    Member `k * members + m` is the m-th network of fold k; it never sees the rows of fold k. Each member draws its
    trainable weights anew (freeze what must be kept), has its own order of the rows, its own dropout masks, and, where
    the model scales its inputs or targets, statistics of its own training rows. The model itself stays as it was.

    Args:
        model: a compiled `keras.Model`: Sequential, functional or subclassed (with `get_config`); or a function that
            makes one anew at each call, which serves every model: with Lambda layers, without `get_config`, ...
        folds: K; 1 means that nothing is held out: all members see all rows, and `out_of_fold` raises.
        members: M, the number of members a fold.
        seed: everything random follows from it.

    Raises:
        AmaltheaError: the model is not compiled, or a number is not positive.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> ensemble = Ensemble(model, folds=2, members=3)
        >>> history = ensemble.fit(x, x.sum(axis=1), epochs=20, batch_size=8)
        >>> len(ensemble), ensemble.out_of_fold.mean.shape, ensemble.predict(x[:5]).members.shape
        (6, (64, 1), (6, 5, 1))
    """

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 100,
        batch_size: int | None = 32,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        validation_data: Any = None,
        steps_per_epoch: int | None = None,
        groups: ArrayLike | None = None,
        fold_ids: ArrayLike | None = None,
        patience: int | None = None,
        validation_fraction: float | None = None,
        callbacks: Sequence[Any] = (),
        verbose: Verbosity = "auto",
        record: bool = False,
        **words: Any,
    ) -> History:
        """Train all members from the beginning, with the words and the meanings of `keras.Model.fit`.

        In one epoch a member sees each of its rows once, in an order of its own; its last mini-batch is filled from
        its own rows. Ctrl-C stops after the current epoch and keeps what was learned.

        Args:
            x: inputs, shape (n, ...), or a dict or tuple of such arrays; or a `PyDataset`, generator or other giver of
                batches (x, y) or (x, y, weights), which are put together once.
            y: targets, likewise; None where the layers' own losses are all, or with batches.
            epochs: passes through each member's training rows.
            batch_size: rows in one step.
            sample_weight: each row's weight in the loss, shape (n,).
            class_weight: the weight of the rows of each class, by its number.
            validation_data: (x, y) or (x, y, weights) on which all members' validation loss is measured.
            steps_per_epoch: how many batches of a generator are kept; None: all.
            groups: shape (n,): rows with the same value (copies of one example) share a fold.
            fold_ids: shape (n,): the folds themselves, 0 to `folds` - 1, in place of random ones.
            patience: epochs without a lower validation loss after which a member stops by itself, keeping its best
                weights.
            validation_fraction: the share of each member's own training rows (whole groups) set aside to measure its
                validation loss; None: 0.1 with `patience` and no `validation_data`, else 0.
            callbacks: Keras's callbacks, or objects with any of `on_train_begin()`, `on_epoch_begin(epoch)`,
                `on_epoch_end(epoch, logs)`, `on_train_end()`; `logs` holds the means over the members. Each event comes
                once, those of epochs while the last members learn where they cannot all learn at the same time.
            verbose: "auto" shows loss and metrics on a terminal as curves, also those on at most 128 rows of the
                held-out folds where none are set aside (nothing follows from them); "lines" writes a line now and then
                elsewhere, 1 does one or the other always, 0 nothing.
            record: keep the weights of some epochs in `recording`: at most 24, and at most 256 MB (or four epochs).
            words: other words of `keras.Model.fit`, refused with what serves their purpose.

        Returns:
            Losses and metrics by epoch: `history` as in Keras, `members` for each network.

        Raises:
            AmaltheaError: a callback asks for events of single batches, or works on one model while it learns.
            DataError: the arrays do not fit together or do not suit the model, or a fold would be empty.
        """
        check_words(words)
        x, y, sample_weight = gathered(x, y, sample_weight, steps_per_epoch)
        sample_weight = weighted(y, sample_weight, class_weight)
        groups = None if groups is None else np.asarray(groups)
        count = count_rows(x=x, y=y, sample_weight=sample_weight, groups=groups)
        epochs, batch_size = (
            whole_number("epochs", epochs, 1),
            whole_number("batch_size", 32 if batch_size is None else batch_size, 1),
        )
        patience = None if patience is None else whole_number("patience", patience, 1)
        fraction = share_aside(patience, validation_fraction, validation_data is not None)
        assignment = self._assign(count, groups, fold_ids, fraction)
        prepare(self.model, x, y, sample_weight, self.folds)
        if validation_data is not None:
            (x, y, sample_weight), added = beside((x, y, sample_weight), validation_data)
            together = np.arange(count, count + added)
            assignment = dataclasses.replace(assignment, validation=(together,) * len(self))
        recorder = Recorder(len(self), epochs) if record else None
        settings = Settings(self._make, epochs, batch_size, patience, self.seed, callbacks, verbose, recorder)
        history = self._fit(x, y, sample_weight, assignment, settings)
        for note in history.notes:
            warnings.warn(note, TrainingWarning, stacklevel=2)
        return history

    def fit_assigned(self, x: Any, y: Any, assignment: Assignment, **training: Any) -> History:
        """Train all members on the rows that an assignment gives them.

        Args:
            x: inputs as in `fit`; of `Windows` there is no `out_of_fold` afterwards: see `trained`.
            y: targets as in `fit`.
            assignment: who trains on what; of as many folds and members as the ensemble.
            **training: `epochs`, `batch_size`, `patience` and `verbose` as for `fit`.
        """
        x, y = as_arrays(x, "x"), as_arrays(y, "y")
        build(self.model, x, y, None)
        settings = Settings(self._make, seed=self.seed, **{"patience": None, **training})
        return self._fit(x, y, None, assignment, settings)

    def fit_shapes(
        self,
        shapes: Shapes,
        *,
        epochs: int,
        batch_size: int,
        fold_ids: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        callbacks: Sequence[Any] = (),
        verbose: Verbosity = "auto",
        record: bool = False,
    ) -> History:
        """Train all members on examples of several shapes; in one step all members draw from one class of a shape.

        There is no `out_of_fold` afterwards: answers to examples of different shapes fit no array.

        Args:
            shapes: the inputs and targets.
            epochs: passes through each member's training rows.
            batch_size: rows in one step.
            fold_ids: as for `fit`.
            groups: as for `fit`.
            rows: the examples to learn from; None: all.
            callbacks: as for `fit`.
            verbose: as for `fit`.
            record: as for `fit`; the examples kept with the weights are of the class with the most of them.

        Raises:
            DataError: a fold would be empty.
        """
        shapes = shapes.as_arrays()
        epochs, batch_size = whole_number("epochs", epochs, 1), whole_number("batch_size", batch_size, 1)
        assignment = self._assign(len(shapes), groups, fold_ids, 0.0)
        if rows is not None:
            chosen = tuple(np.intersect1d(training, rows) for training in assignment.training)
            assignment = dataclasses.replace(assignment, training=chosen)
        # A batch has room for as many rows as there are at most, so that few large examples do not take that of many.
        batch_size = min(batch_size, max(len(training) for training in assignment.training))
        recorder = Recorder(len(self), epochs) if record else None
        settings = Settings(self._make, epochs, batch_size, None, self.seed, callbacks, verbose, recorder)
        (x, y), *_ = shapes.parts
        build(self.model, x, y, np.ones(len(shapes.rows[0]), np.float32))
        trained = train(self.model, shapes, None, None, assignment, settings)
        self.fold_ids, self.history = assignment.fold_ids, trained.history
        self._keep(trained.trainable, trained.others, x)
        self._out_of_fold, self.aside, self.recording = None, None, None
        if recorder is not None:
            largest = int(np.argmax([len(rows) for rows in shapes.rows]))
            part, numbers = shapes.parts[largest], shapes.rows[largest]
            self.recording = recorder.recording(*part, assignment, trained.history.epochs, self.seed, numbers)
        for note in trained.history.notes:
            warnings.warn(note, TrainingWarning, stacklevel=2)
        return trained.history

    def _fit(self, x: Any, y: Any, sample_weight: Any, assignment: Assignment, settings: Settings) -> History:
        trained = train(self.model, x, y, sample_weight, assignment, settings)
        self.fold_ids, self.history = assignment.fold_ids, trained.history
        self._keep(trained.trainable, trained.others, x)
        whole = not isinstance(x, Windows)
        self._out_of_fold = self._trained.out_of_fold(x, assignment) if whole and self.folds > 1 else None
        self.aside = self._trained.aside(x, assignment) if whole else None
        self.validation_rows = () if self.aside is None else tuple(self.aside.rows)
        recorder, learned = settings.recorder, trained.history.epochs
        self.recording = None if recorder is None else recorder.recording(x, y, assignment, learned, self.seed)
        return trained.history

    def _assign(
        self, count: int, groups: ArrayLike | None, fold_ids: ArrayLike | None, validation_fraction: float
    ) -> Assignment:
        """Give each member its rows, of random folds or of the user's own."""
        together = None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)
        ids = deal(count, self.folds, self.seed, together, fold_ids)
        return assign(ids, self.folds, self.members, validation_fraction, together, self.seed)

    @property
    def trained(self) -> TrainedMembers:
        """The trained members themselves."""
        self._check_trained()
        return self._trained
