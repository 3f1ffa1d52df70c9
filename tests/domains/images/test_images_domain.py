"""What the images domain makes of files and folders before anything is trained, and of networks of one's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.workflow.digits import images, labels, write_folder, write_idx, write_npz, write_paths

import amalthea as am  # before Keras: it chooses the backend
from amalthea.datasets.dataset import Inputs, Target
from amalthea.domains import domain
from amalthea.domains.column_features import Columns
from amalthea.domains.custom_models import wrap_user_model
from amalthea.domains.images.featurizers import Pixels
from amalthea.domains.protocol import Defaults
from amalthea.errors import DataError

import keras  # isort: skip

IMAGES = domain("images")
DIGIT = Target("digit", "classification", classes=tuple("0123456789"))
NUMBER = Target("ink", "regression")


# Labels


def test_names_of_folders_and_labels_of_idx_files_are_classes(tmp_path):
    for source in (write_folder(tmp_path / "digits", range(30)), write_idx(tmp_path / "idx", 30, 10)):
        assert am.read(source).targets == (Target("label", "classification", classes=tuple("0123456789")),)
    assert am.read(tmp_path / "digits", task="regression").targets[0].task == "regression"


def test_a_folder_is_a_class_whatever_its_name(tmp_path):
    write_folder(tmp_path / "digits", range(40))
    for name in ("other", "na", "None"):
        (tmp_path / "digits" / name).mkdir()
        Image.fromarray(images()[50]).save(tmp_path / "digits" / name / "one.png")
    data = am.read(tmp_path / "digits")
    assert not data.refused
    assert sorted(data.targets[0].classes) == sorted([*"0123456789", "other", "na", "None"])
    assert data.labels(0).tolist() == [Path(name).parts[0] for name in data.examples["name"]]


def test_numbers_without_a_gap_are_classes_and_others_are_numbers(tmp_path):
    codes = np.arange(40) % 7
    for values, task in ((codes, "classification"), (np.eye(7)[codes], "classification"), (codes * 1.5, "regression")):
        np.savez(tmp_path / "a.npz", x=images()[:40], y=values)
        assert am.read(tmp_path / "a.npz").targets[0].task == task


def test_a_test_set_that_came_along_has_the_classes_of_training(tmp_path):
    data = am.read(write_npz(tmp_path / "digits.npz", 50, 20), "digit")
    assert data.test.targets == data.targets
    assert data.targets[0].name == "digit"
    assert data.test.labels(0).tolist() == [str(label) for label in labels()[50:70]]
    assert IMAGES.defaults(data, "auto").folds == 1
    assert IMAGES.defaults(dataclasses.replace(data, test=None), "auto").folds == 5


def test_copies_are_one_group(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.concatenate([images()[:9], images()[:3]]), y=np.arange(12) % 3)
    assert am.read(tmp_path / "a.npz").groups.tolist() == [*range(9), 0, 1, 2]


def test_labelled_pictures_are_found_in_every_form(tmp_path):
    data = am.read(write_npz(tmp_path / "digits.npz", 50, 20))
    folder = write_folder(tmp_path / "parts" / "test", range(50, 60))
    write_folder(tmp_path / "parts" / "train", range(5))
    idx = write_idx(tmp_path / "idx", 30, 10)
    expected = {
        folder: [Path(name).parts[0] for name in IMAGES.inputs(folder, IMAGES.input_state(data)).table["name"]],
        tmp_path / "parts": sorted(str(label) for label in labels()[50:60]),
        idx: [str(label) for label in labels()[30:40]],
        idx / "train-images-idx3-ubyte": [str(label) for label in labels()[:30]],
        tmp_path / "digits.npz": [str(label) for label in labels()[50:70]],
    }
    for source, told in expected.items():
        assert IMAGES.inputs(source, IMAGES.input_state(data)).table["label"].tolist() == told
    (loose := tmp_path / "loose").mkdir()
    Image.fromarray(images()[0]).save(loose / "a.png")
    assert list(IMAGES.inputs(loose, IMAGES.input_state(data)).table) == ["name"]


def test_several_folders_and_files_are_one_table(tmp_path):
    data = am.read(write_npz(tmp_path / "digits.npz", 50, 20))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(images()[0]).save(tmp_path / name / "same.png")
    given = [tmp_path / "a" / "same.png", tmp_path / "b", tmp_path / "digits.npz", tmp_path / "no.png", tmp_path / "no"]
    asked = IMAGES.inputs(given, IMAGES.input_state(data))
    assert asked.table["name"].tolist()[:3] == [str(given[0]), f"{tmp_path / 'b'}/same.png", f"{given[2]}/1"]
    assert asked.table["name"].is_unique
    assert [bool(problem) for problem in asked.problems] == [False] * 22 + [True] * 2


# What the network saw


def test_what_the_network_saw_is_written_under_names_of_their_own(tmp_path):
    names = ["a/1.png", "a_1.JPG", "3", "..", "x" * 300 + ".png", "bad.png"]
    seen = [images()[row][:, :, None] for row in range(5)]
    table = pd.DataFrame({"name": names, "image": [*seen, None]})
    asked = Inputs(table, table, np.full(6, "", object), np.full(6, "", object))
    for _ in range(2):  # a second time over the first
        IMAGES.save_inputs(asked, tmp_path / "seen")
    files = sorted((tmp_path / "seen").iterdir())
    assert {path.name for path in files} == {"a_1.png", "a_1_2.png", "3.png", "picture.png", "x" * 80 + ".png"}
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "seen" / "a_1_2.png")), images()[1])
    assert list(tmp_path.iterdir()) == [tmp_path / "seen"]
    with pytest.raises(DataError, match="cannot be written"):
        IMAGES.save_inputs(asked, files[0])


# Features and packing


def test_a_picture_of_another_shape_is_a_problem_and_no_crash():
    pixels, problems = Pixels((8, 8, 1)).transform(pd.DataFrame({"image": [np.zeros((9, 8, 1), np.uint8)]}))
    assert "(9, 8, 1)" in problems[0]
    assert not pixels.any()


@pytest.mark.parametrize("shape", [(0, 8, 1), (8, 8, 2), (10**6, 10**6, 3), (-8, -8, 1)])
def test_a_shape_that_no_picture_has_is_refused(shape):
    with pytest.raises(DataError, match="there are no pictures"):
        IMAGES.restore({"name": "pixels", "shape": shape})


def test_names_of_millions_of_pixels_cost_nothing():
    names = Pixels((4000, 4000, 3)).feature_names
    assert len(names) == 48_000_000
    assert (names[0], names[-1]) == ("row 0 column 0 channel 0", "row 3999 column 3999 channel 2")
    assert names[2:4] == ["row 0 column 0 channel 2", "row 0 column 1 channel 0"]


def test_packed_is_unpacked(tmp_path):
    examples = am.read(write_npz(tmp_path / "digits.npz", 50, 20)).examples
    table, parts = IMAGES.pack(examples)
    again = IMAGES.unpack(table, parts)
    assert sum(map(len, parts.values())) < 50 * 64 + 200
    np.testing.assert_array_equal(np.stack(list(again["image"])), images()[:50, :, :, None])
    assert again["key"].tolist() == examples["key"].tolist()
    with pytest.raises(DataError, match="do not fit"):
        IMAGES.unpack(table[:-1], parts)


# A network of one's own


def sequential(outputs: int, end: str | None, shape: tuple[int, ...] = (8, 8, 1), loss: str = "") -> keras.Model:
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(outputs, activation=end)])
    if loss:
        model.compile(optimizer="rmsprop", loss=loss, metrics=["accuracy"])
    return model


def adopted(path: Path | str, target: Target = DIGIT) -> keras.Model:
    return wrap_user_model(str(path), Pixels((8, 8, 1)), [target], Defaults(), 10, ["auto", "dense"])


def test_a_compiled_network_keeps_its_optimizer_and_its_loss(tmp_path):
    sequential(10, "softmax", loss="sparse_categorical_crossentropy").save(tmp_path / "own.keras")
    model = adopted(tmp_path / "own.keras")
    assert (type(model.optimizer), model.loss) == (keras.optimizers.RMSprop, "sparse_categorical_crossentropy")
    ensemble = am.Ensemble(model, folds=1, members=2)
    ensemble.fit(images()[:200, :, :, None], labels()[:200], epochs=15, verbose=0)
    assert ensemble.evaluate(images()[:200, :, :, None], labels()[:200])["accuracy"] > 0.7


@pytest.mark.parametrize("target", [DIGIT, NUMBER])
def test_a_network_with_a_linear_end_gets_the_exit_of_the_domain(tmp_path, target):
    sequential(target.width, None).save(tmp_path / "own.keras")
    model = adopted(tmp_path / "own.keras", target)
    assert model.compiled
    answer = np.asarray(model(images()[:3, :, :, None]))
    assert answer.shape == (3, target.width)
    if target is DIGIT:
        np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-5)


def test_a_network_of_flat_inputs_sees_the_same_numbers(tmp_path):
    flat = sequential(10, "softmax", (64,), "sparse_categorical_crossentropy")
    flat.save(tmp_path / "own.keras")
    asked = images()[:3]
    expected = np.asarray(flat(asked.reshape(3, 64) / np.float32(255)))
    np.testing.assert_allclose(np.asarray(adopted(tmp_path / "own.keras")(asked[..., None])), expected, rtol=1e-5)


def test_a_network_that_scales_by_itself_sees_bytes(tmp_path):
    inner = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255)])
    own = keras.Sequential([keras.Input((8, 8, 1)), inner, keras.layers.Flatten(), keras.layers.Dense(10)])
    own.save(tmp_path / "own.keras")
    model = adopted(tmp_path / "own.keras")
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling)]


REFUSED = {
    "another number of outputs": ((11, None), "must answer with 10 numbers"),
    "no probabilities": ((10, "sigmoid"), "must end in softmax"),
    "another size": ((10, None, (28, 28, 1)), "does not take examples of shape"),
    "one-hot classes": ((10, "softmax", (8, 8, 1), "categorical_crossentropy"), "sparse_categorical_crossentropy"),
    "a loss for numbers": ((10, "softmax", (8, 8, 1), "mse"), "sparse_categorical_crossentropy"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_network_that_does_not_fit_is_one_sentence(tmp_path, case):
    arguments, said = REFUSED[case]
    sequential(*arguments).save(tmp_path / "own.keras")
    with pytest.raises(DataError, match=said) as caught:
        adopted(tmp_path / "own.keras")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_module:missing", "cannot be found"),
        ("own_nowhere:network", "cannot be found"),
        ("own_module:fails", r"called as function\(\(8, 8, 1\), 10\), failed: ZeroDivisionError"),
        ("own_module:number", "no Keras model but 3"),
        ("own_module:classy", "get_config"),
        ("own_wrong:network", "cannot be imported: SyntaxError"),
        ("nothing.keras", "no such network"),
        ("text.keras", "cannot be opened"),
        ("nonsense", "There are: auto, dense; or"),
    ],
)
def test_what_is_no_network_is_one_sentence(tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "own_module", raising=False)
    Path("text.keras").write_text("a text")
    Path("own_wrong.py").write_text("def network(:\n")
    Path("own_module.py").write_text(
        "import keras\n"
        "def fails(shape, outputs):\n    return 1 / 0\n"
        "def number(shape, outputs):\n    return 3\n"
        "class Classy(keras.Model):\n"
        "    def __init__(self, outputs):\n"
        "        super().__init__()\n"
        "        self.end = keras.layers.Dense(outputs[0])\n"
        "    def call(self, x):\n"
        "        return self.end(keras.ops.reshape(x, (-1, 64)))\n"
        "def classy(shape, outputs):\n    return Classy({0: outputs})\n"
    )
    with pytest.raises(DataError, match=said) as caught:
        adopted(name)
    assert "\n" not in str(caught.value)


def test_a_function_in_the_current_folder_makes_networks_for_tables_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("table_network.py").write_text(
        "import keras\n"
        "def network(shape, outputs):\n"
        "    return keras.Sequential([keras.Input(shape), keras.layers.Dense(outputs)])\n"
    )
    featurizer = Columns(["a", "b"], {})
    model = wrap_user_model("table_network:network", featurizer, [NUMBER], Defaults(), 10)
    assert model.input_shape == (None, 2)
    assert model.output_shape == (None, 1)


def test_a_table_of_paths_from_python_begins_where_it_says(tmp_path):
    path = write_paths(tmp_path / "paths.csv", tmp_path / "pictures", range(20))
    table = pd.read_csv(path)
    table.attrs["folder"] = str(tmp_path)
    assert len(am.read(table, "ink")) == 20
    assert am.read(table, "ink").domain == "images"
