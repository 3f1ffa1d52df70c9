"""The same seed gives the same bits; devices and chunks change nothing but rounding."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from networks import FEATURES, FOLD_IDS, NETWORKS, TARGET, am, assert_close, assert_same, dense

from amalthea.training import sharding as placement
from amalthea.training import trainer


def train(name: str = "dropout_and_noise", seed: int = 0, members: int = 3, **options: Any) -> list[np.ndarray]:
    """Return the weights of a small training."""
    case = NETWORKS[name]
    ensemble = am.Ensemble(case.build(), folds=2, members=members, seed=seed)
    ensemble.fit(case.x, case.y, epochs=3, batch_size=4, fold_ids=FOLD_IDS, **options)
    return list(ensemble.weights.values())


def digest(weights: list[np.ndarray]) -> str:
    """All bits in a few letters."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(values).tobytes() for values in weights)).hexdigest()


def test_same_seed_same_bits_another_seed_others() -> None:
    first = train()
    assert_same(first, train())
    for one, other in zip(first, train(seed=1), strict=True):
        assert one.shape == other.shape
        assert (one != other).any()


def test_same_bits_in_another_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import test_same_weights as test; print(test.digest(test.train()))"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
    )
    assert done.stdout.strip() == digest(train()), done.stderr


def test_members_differ() -> None:
    kernel = train(members=3)[0]
    assert len({values.tobytes() for values in kernel}) == 6


def test_random_layers_have_masks_of_their_own() -> None:
    """Two dropouts of the same size in one network, and the same dropout in two members, never share their masks."""
    keras_ = am.training.trained.keras
    inputs = keras_.Input((64,))
    hidden = keras_.layers.Dense(64, kernel_initializer="identity", trainable=False)(inputs)
    outputs = [keras_.layers.Dropout(0.5)(hidden), keras_.layers.Dropout(0.5)(hidden)]
    model = keras_.Model(inputs, keras_.layers.Dense(1, kernel_initializer="zeros")(keras_.layers.Subtract()(outputs)))
    model.compile(optimizer=keras_.optimizers.SGD(1.0), loss="mse")
    ensemble = am.Ensemble(model, folds=1, members=2)
    ensemble.fit(np.ones((4, 64)), np.ones((4, 1)), epochs=1, batch_size=4)
    first, second = next(v for v in ensemble.weights.values() if v.shape == (2, 64, 1))
    # With equal masks the difference is 0 and the kernel has no gradient.
    assert (first != 0).any()
    assert (first != second).any()


PLACES = {
    "one_device": {"devices": 1},
    "groups_of_one": {"memory": 1},
    "groups_of_some": {"memory": 4_000},
    "small_portions": {"cache": 3_000},
    "portions_of_one": {"cache": 1},
}


@pytest.mark.parametrize(("name", "patience"), [*((name, None) for name in PLACES), ("groups_of_some", 2)])
def test_placement_changes_nothing_but_rounding(
    name: str, patience: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(jax.devices()) >= 2
    seen, how = [], {}

    def choose_placement(*arguments: Any, **options: Any) -> placement.Placement:
        seen.append(placement.choose_placement(*arguments, **options, **how))
        return seen[-1]

    monkeypatch.setattr(trainer, "choose_placement", choose_placement)
    usual = train(members=5, patience=patience)
    how = dict(PLACES[name])
    monkeypatch.setattr(placement, "CACHE_BYTES", how.pop("cache", placement.CACHE_BYTES))
    if "devices" in how:
        how["devices"] = jax.devices()[: how["devices"]]
    assert_close(train(members=5, patience=patience), usual)
    before, after = ((each.group, each.portion, each.mesh.size) for each in seen)
    assert before != after


def test_no_member_depends_on_how_many_there_are() -> None:
    x, y = FEATURES, TARGET
    few, many = (am.Ensemble(dense(), folds=1, members=members) for members in (1, 4))
    for ensemble in (few, many):
        ensemble.fit(x, y, epochs=3)
    assert_close([values[0] for values in few.weights.values()], [values[0] for values in many.weights.values()])
