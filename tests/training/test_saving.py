"""An ensemble by itself is saved and opened: the same bits, and no code from the file."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from kinds import MADE
from networks import FOLD_IDS, NETWORKS, am, assert_same, dense


@pytest.mark.parametrize(
    "name", ["sequential", "subclassed_unbuilt", "inputs_in_a_dict", "outputs_in_a_tuple", "lambda"]
)
def test_what_is_opened_answers_with_the_same_bits(name: str, tmp_path: Path) -> None:
    case, path = MADE[name][0] if name in MADE else NETWORKS[name], tmp_path / "x.amalthea"
    made = {"model": case.build} if name in MADE else {}
    ensemble = am.Ensemble(made.get("model") or case.build(), folds=2, members=2, seed=3)
    ensemble.fit(case.x, case.y, epochs=2, fold_ids=FOLD_IDS, validation_fraction=0.2)
    ensemble.leave_out([1])
    ensemble.save(path)
    again = am.load_model(path, **made)
    for one, other in ((ensemble.predict(case.x), again.predict(case.x)), (ensemble.out_of_fold, again.out_of_fold)):
        for part in ("mean", "std", "members"):
            assert_same(jax.tree.leaves(getattr(one, part)), jax.tree.leaves(getattr(other, part)))
    assert dict(ensemble.evaluate(case.x, case.y)) == dict(again.evaluate(case.x, case.y))
    assert again.history.left_out == (1,)
    np.testing.assert_array_equal(again.history.members["val_loss"], ensemble.history.members["val_loss"])
    assert_same(again.validation_rows, ensemble.validation_rows)
    assert_same(ensemble[3].get_weights(), again[3].get_weights())


def test_what_cannot_be_opened_says_how(tmp_path: Path) -> None:
    ensemble = am.Ensemble(dense, folds=1, members=2)
    with pytest.raises(am.AmaltheaError, match="not trained"):
        ensemble.save(tmp_path / "x.amalthea")
    case = NETWORKS["sequential"]
    ensemble.fit(case.x, case.y, epochs=1)
    ensemble.save(tmp_path / "x.amalthea")
    with pytest.raises(am.AmaltheaError, match=r"load_model\(path, model=make_model\)"):
        am.load_model(tmp_path / "x.amalthea")
    with pytest.raises(am.AmaltheaError, match="do not fit"):
        am.load_model(tmp_path / "x.amalthea", model=NETWORKS["gru"].build)
    with pytest.raises(am.AmaltheaError, match="holds an ensemble of arrays"):
        am.report(ensemble, tmp_path / "x.html")
