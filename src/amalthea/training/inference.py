"""Trained members: each as a model, and all asked for any rows, those that they never saw, or those set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.training.arrays import count_rows, size_in_bytes
from amalthea.training.assignment import Assignment, MemberLayout, evenly
from amalthea.training.convolution import flowing_bytes
from amalthea.training.initialization import Maker, make_variables, normalizations
from amalthea.training.prediction import Aside, Prediction
from amalthea.training.program import answers, judges
from amalthea.training.sharding import choose_placement
from amalthea.training.trainer import compile_like

BLOCK = 4096
"""Rows that are answered in one call of the compiled program."""


class TrainedMembers:
    """All members of an ensemble: asked together, and each as a model by itself.

    Args:
        model: the compiled model, which stays as it is.
        make: makes a model like it.
        trainable: the weights, one array a variable, shape (members, ...).
        others: the model's non-trainable variables, likewise.
        used: shape (members,), False for members that were left out.
        example: one row of the inputs.
    """

    def __init__(
        self,
        model: keras.Model,
        make: Maker,
        trainable: list[NDArray[Any]],
        others: list[NDArray[Any]],
        used: NDArray[np.bool_],
        example: Any,
    ) -> None:
        self.make = make
        self.model, self.trainable, self.others, self.used, self.example = model, trainable, others, used, example
        size = size_in_bytes([values[0] for values in [*trainable, *others]]) + flowing_bytes(model)
        self._placement = choose_placement(len(used), size)
        self._program, self._judges = answers(model, self._placement), judges(model, self._placement)

    def variables_of(self, member: int) -> list[list[NDArray[Any]]]:
        """Return one member's trainable and other variables."""
        return [[values[member] for values in part] for part in (self.trainable, self.others)]

    def model_of(self, member: int) -> keras.Model:
        """Return one member as an ordinary `keras.Model`, compiled as the model was."""
        model = self.make()
        make_variables(model, self.example)
        variables = (model.trainable_variables, model.non_trainable_variables)
        for part, values in zip(variables, self.variables_of(member), strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        for layer in normalizations(model):
            layer.finalize_state()
        if not model.compiled:
            compile_like(model, self.model)
        return model

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return all variables by their order and their paths in the model, stacked, shape (members, ...)."""
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        stacked = zip(variables, [*self.trainable, *self.others], strict=True)
        return {f"{index:05d}/{variable.path}": values for index, (variable, values) in enumerate(stacked)}

    def everyone(self, x: Any) -> Any:
        """Return every member's answers to n rows, shape (members, n, ...)."""
        count = count_rows(x=x)
        blocks = [
            self._block(jax.tree.map(lambda values, s=start: values[s : s + BLOCK], x))
            for start in range(0, count, BLOCK)
        ]
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *blocks)

    def mean_and_std(self, answers: Any) -> tuple[Any, Any]:
        """Return the mean and the standard deviation over the members in use."""
        return _mean_and_std(answers, self.used)

    def scores(self, data: Any, mean: Any, batch_size: int) -> tuple[Any, Any]:
        """Return loss and metrics by name, shape (members,): each member's, and the mean's with its penalties.

        Args:
            data: (x, y, sample weights), arrays of n rows.
            mean: the answers of n rows that are judged in place of each member's.
            batch_size: rows in one step.
        """
        rows = np.arange(count_rows(x=data[0]), dtype=np.int32)
        whole = len(rows) // batch_size * batch_size
        batches = rows[:whole].reshape(-1, batch_size), rows[whole:]
        judged: tuple[Any, Any] = self._by_group(self._judges, (), (data, mean, batches))
        return judged

    def aside(self, x: Any, assignment: Assignment) -> Aside | None:
        """Return what each member says of the rows that it was measured on; None where there are none."""
        if not assignment.sets_aside:
            return None
        answers = self._ask(evenly(assignment.validation, 256), x)
        rows = np.stack(assignment.validation)
        return Aside(rows, jax.tree.map(lambda values: values[:, : rows.shape[1]], answers))

    def answers_to(self, x: Any, rows: Mapping[int, NDArray[np.int64]]) -> dict[int, NDArray[Any]]:
        """Return what some members answer, each to rows of its own, shape (its rows, ...); NaN for those left out.

        Args:
            x: inputs, or `Windows`.
            rows: by member its row numbers.
        """
        answers = self._ask(evenly(tuple(rows.values()), 256), x, np.array(list(rows)))
        return {member: answers[place, : len(rows[member])] for place, member in enumerate(rows)}

    def out_of_fold(self, x: Any, assignment: Assignment) -> Prediction:
        """Return for each row what the members say that never saw it; `members` has shape (M, n, ...)."""
        layout = assignment.layout
        held_out = tuple(assignment.held_out(member) for member in range(len(self.used)))
        by_member = self._ask(evenly(held_out, 256), x)
        count = len(assignment.fold_ids)

        def by_row(values: NDArray[Any]) -> NDArray[Any]:
            placed = np.full((layout.members, count, *values.shape[2:]), np.nan, values.dtype)
            for member, rows in enumerate(held_out):
                placed[layout.position_in_fold(member), rows] = values[member, : len(rows)]
            return placed

        members = jax.tree.map(by_row, by_member)
        return self.pooled(members, assignment.fold_ids, layout)

    def pooled(self, members: Any, fold_ids: NDArray[np.int64], layout: MemberLayout) -> Prediction:
        """Return what the members in use say of the rows of their own fold, of answers of shape (M, n, ...)."""
        members = jax.tree.map(np.copy, members)
        mean = jax.tree.map(lambda values: np.full(values.shape[1:], np.nan, values.dtype), members)
        std = jax.tree.map(np.copy, mean)
        for fold in range(layout.folds):
            rows = np.flatnonzero(fold_ids == fold)
            used = self.used[layout.of_fold(fold)]
            if not used.all():
                jax.tree.map(lambda v, r=rows, u=used: v.__setitem__(np.ix_(~u, r), np.nan), members)
            if used.any():
                centers, spreads = _mean_and_std(jax.tree.map(lambda v, r=rows: v[:, r], members), used)
                for whole, part in ((mean, centers), (std, spreads)):
                    jax.tree.map(lambda w, p, r=rows: w.__setitem__(r, p), whole, part)
        return Prediction(mean=mean, std=std, members=members)

    def _block(self, x: Any) -> Any:
        """Return every member's answers to at most `BLOCK` rows."""
        count = count_rows(x=x)
        # Few sizes, few compilations: a block is filled up to a power of two.
        size = max(32, 1 << (count - 1).bit_length())
        x = jax.tree.map(lambda values: np.resize(values, (size, *values.shape[1:])), x)
        rows = np.arange(size, dtype=np.int32).reshape(-1, min(256, size))
        answers = self._ask(np.broadcast_to(rows, (len(self.used), *rows.shape)), x)
        return jax.tree.map(lambda values: values[:, :count], answers)

    def _ask(self, rows: NDArray[np.int32], x: Any, members: NDArray[np.int64] | None = None) -> Any:
        """Return the answers of members (None: all) to their own rows of `x`, shape (members, steps * batch, ...)."""
        members = np.arange(len(self.used)) if members is None else members
        answered = self._by_group(self._program, (rows,), x, members)
        joined = jax.tree.map(lambda values: values.reshape(len(values), -1, *values.shape[3:]), answered)
        return jax.tree.map(lambda values: _without(values, ~self.used[members]), joined)

    def _by_group(self, program: Any, by_member: tuple[Any, ...], shared: Any, members: Any = None) -> Any:
        """Return what a program says of members (None: all), as many at a time as fit, shape (members, ...)."""
        members = np.arange(len(self.used)) if members is None else members
        placement, total = self._placement, len(members)
        variables = (self.trainable, self.others)
        data = jax.device_put(shared, placement.everywhere)
        parts = []
        for start in range(0, total, placement.group):
            numbers = placement.fill(np.arange(start, min(start + placement.group, total)))
            weights = jax.tree.map(lambda values, n=members[numbers]: values[n], variables)
            asked = (weights, *jax.tree.map(lambda values, n=numbers: values[n], by_member))
            answered = program(*jax.device_put(asked, placement.by_member), data)
            real = min(placement.group, total - start)
            parts.append(jax.tree.map(lambda values, r=real: np.asarray(values)[:r], answered))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _mean_and_std(everyone: Any, used: NDArray[np.bool_]) -> tuple[Any, Any]:
    """Return the mean and the standard deviation over the members in use (0 for a lone one)."""
    degrees = 1 if used.sum() > 1 else 0
    mean = jax.tree.map(lambda values: values[used].mean(axis=0), everyone)
    return mean, jax.tree.map(lambda values: values[used].std(axis=0, ddof=degrees), everyone)


def _without(values: NDArray[Any], left_out: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the members' answers with NaN for those that take no part."""
    if not left_out.any():
        return values
    values = values if values.dtype.kind == "f" else values.astype(np.float32)
    values[left_out] = np.nan
    return values


def split(
    model: keras.Model, members: int, weights: Mapping[str, NDArray[Any]]
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return the trainable and the other variables of all members, of `weights` as `TrainedMembers` gives them.

    Raises:
        AmaltheaError: they do not fit the model.
    """
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    stacked = [weights[name] for name in sorted(weights)]
    if [values.shape for values in stacked] != [(members, *variable.shape) for variable in variables]:
        raise AmaltheaError(
            f"The weights do not fit the network: {len(stacked)} arrays for {len(variables)} variables of {members} "
            "members."
        )
    first = len(model.trainable_variables)
    return stacked[:first], stacked[first:]
