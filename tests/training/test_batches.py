"""Mini-batches, and where members lie."""

from __future__ import annotations

import itertools

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import am  # noqa: F401  (it chooses the backend)

from amalthea.training.assignment import assign, batches, batches_by_epoch, evenly
from amalthea.training.sharding import choose_placement


@given(count=st.integers(1, 40), batch=st.integers(1, 50), more=st.integers(0, 3), seed=st.integers(0, 99))
def test_every_row_is_met_before_any_is_met_again(count: int, batch: int, more: int, seed: int) -> None:
    rows = np.arange(count) * 3 + 1
    steps = -(-count // batch) + more
    drawn = batches(rows, steps, batch, np.random.default_rng(seed))
    assert drawn.shape == (steps, batch)
    assert sorted(drawn.ravel()[:count].tolist()) == rows.tolist()
    counts = [int((drawn == row).sum()) for row in rows]
    assert max(counts) - min(counts) <= 1


def test_orders_differ_between_members_and_epochs_and_not_with_company() -> None:
    assignment = assign(np.arange(30) % 3, 3, 2, 0.0, None, 0)
    alone = list(itertools.islice(batches_by_epoch(assignment, np.array([4]), 5, 4, 0), 3))
    beside = list(itertools.islice(batches_by_epoch(assignment, np.array([5, 4, 4]), 5, 4, 0), 3))
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one[0], other[1])
        assert (other[0] != other[1]).any()
    assert (alone[0] != alone[1]).any()


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), batch=st.integers(1, 12))
def test_short_members_repeat_their_own_rows(sizes: list[int], batch: int) -> None:
    starts = np.cumsum([0, *sizes])
    rows = tuple(np.arange(start, start + size) for start, size in zip(starts, sizes, strict=False))
    filled = evenly(rows, batch)
    assert filled.shape[0] == len(sizes)
    assert filled.shape[2] <= batch
    for own, each in zip(rows, filled, strict=True):
        np.testing.assert_array_equal(each.ravel()[: len(own)], own)
        assert set(each.ravel().tolist()) == set(own.tolist())


@given(
    members=st.integers(1, 500),
    size=st.integers(1, 10**8),
    devices=st.integers(1, 2),
    memory=st.integers(1, 10**10),
)
@settings(deadline=None)
def test_all_members_find_a_place(members: int, size: int, devices: int, memory: int) -> None:
    placement = choose_placement(members, size, devices=jax.devices()[:devices], memory=memory)
    assert 1 <= placement.group <= members
    assert placement.group == 1 or placement.group * size <= memory
    assert placement.padded >= placement.group
    assert placement.padded % (placement.portion * placement.mesh.size) == 0
    filled = placement.fill(np.arange(placement.group))
    assert filled.tolist() == [*range(placement.group), *[placement.group - 1] * (placement.padded - placement.group)]
    # Whether one network is computed by itself depends on its size alone.
    assert (placement.portion == 1) == (choose_placement(1, size).portion == 1)
