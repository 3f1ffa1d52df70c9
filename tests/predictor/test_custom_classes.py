"""A network of one's own classes is opened with them, and says so without them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import amalthea as am
from amalthea.errors import ModelFileError
from tests.predictor.models import table, trained


def test_own_keras_classes_are_passed_by_name(tmp_path):
    import keras

    class Doubling(keras.layers.Layer):
        def call(self, inputs):
            return 2 * keras.ops.nan_to_num(inputs)

    model = keras.Sequential([keras.Input((4,)), Doubling(), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    predictor = trained("number")
    part = predictor.parts[0]
    ensemble = am.Ensemble(model, folds=3, members=2)
    features = part.featurizer.transform(predictor.examples)[0]
    with keras.saving.custom_object_scope({"Doubling": Doubling}):
        ensemble.fit(features, table()["y"].to_numpy(), epochs=1, fold_ids=part.ensemble.fold_ids, verbose=0)
    own = dataclasses.replace(predictor, parts=(dataclasses.replace(part, ensemble=ensemble),))
    own.save(tmp_path / "own.amalthea")

    with pytest.raises(ModelFileError, match=r"custom_objects=\{\.\.\.\}"):
        am.load_model(tmp_path / "own.amalthea")
    opened = am.load_model(tmp_path / "own.amalthea", custom_objects={"Doubling": Doubling})
    asked = table()[["a", "b", "colour"]]
    np.testing.assert_array_equal(opened.predict(asked).mean, own.predict(asked).mean)
    with keras.saving.custom_object_scope({"Doubling": Doubling}):
        assert isinstance(opened.parts[0].ensemble[0].layers[0], Doubling)
