"""What Keras's users bring equals the network trained alone, or is refused with a sentence and a way out."""

from __future__ import annotations

import numpy as np
import pytest
from kinds import MADE, SENTENCES, SERVED, TAGS, assert_as_alone, chain
from networks import FEATURES, FOLD_IDS, TARGET, am, layers


@pytest.mark.parametrize("name", SERVED)
def test_members_are_what_the_network_is_alone(name: str) -> None:
    assert_as_alone(SERVED[name], SERVED[name].build())


def test_figures_that_a_model_adds_are_kept() -> None:
    history = assert_as_alone(SERVED["compute_loss_of_inputs"], SERVED["compute_loss_of_inputs"].build()).history
    assert list(history.history) == ["bias", "loss", "mae"]


def test_the_mean_is_judged_without_what_is_masked() -> None:
    ensemble = assert_as_alone(SERVED["masks"], SERVED["masks"].build())
    real = SENTENCES != 0
    answers = ensemble.predict(SENTENCES).mean.argmax(axis=-1)
    expected = (answers == TAGS)[real].mean()
    np.testing.assert_allclose(ensemble.evaluate(SENTENCES, TAGS)["accuracy"], expected, rtol=1e-6)


@pytest.mark.parametrize("name", MADE)
def test_a_function_that_makes_the_model_serves_every_model(name: str) -> None:
    case, layer = MADE[name]
    assert_as_alone(case, case.build)
    with pytest.raises(am.AmaltheaError, match=rf"'{layer}(_\d+)?' .*Ensemble\(make_model\)"):
        am.Ensemble(case.build(), folds=2, members=1).fit(case.x, case.y, epochs=1, fold_ids=FOLD_IDS)


def test_a_function_must_make_a_new_compiled_model() -> None:
    model = chain(layers.Dense(1))
    with pytest.raises(am.AmaltheaError, match="new model"):
        am.Ensemble(lambda: model, folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)
    for wrong in (object(), lambda: None):
        with pytest.raises(am.AmaltheaError, match="Compile the model"):
            am.Ensemble(wrong)
