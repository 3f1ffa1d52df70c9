"""Pictures from training to answers: every form in which people have them, and what a model says of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont

import amalthea as am
from amalthea.datasets import archive
from amalthea.errors import ModelFileError
from amalthea.validation.temperature import Temperature
from amalthea.workflow.predict import predictions
from tests.workflow.digits import (
    QUICK,
    images,
    labels,
    photograph,
    trained,
    write_folder,
    write_idx,
    write_npz,
    write_paths,
)

FIELDS = ("mean", "std", "members", "applicability", "problems", "warnings")


def told(predictor: am.Predictor, asked: object) -> list[str]:
    """Return the likeliest class of each picture."""
    prediction = predictor.predict(asked)
    return [prediction.classes[code] for code in prediction.mean.argmax(axis=1)]


# A test set that came along


def test_a_test_set_is_judged_apart_and_nothing_is_held_out():
    summary = trained().validation.targets[0]
    assert (trained().validation.folds, summary.metrics, summary.coverage) == (1, {}, None)
    assert summary.test["accuracy"].value > 0.85
    assert trained().provenance.examples == 700


def test_classes_are_calibrated_on_rows_that_no_member_learned_from():
    (calibration,) = trained().calibrations
    assert isinstance(calibration, Temperature)
    ensemble = trained().parts[0].ensemble
    assert ensemble.aside.rows.shape == (2, 70)
    mean = trained().predict(images()[900:1000]).mean
    raw = ensemble.predict(images()[900:1000, :, :, None]).mean
    np.testing.assert_allclose(mean, calibration.apply(raw.astype(float)), rtol=1e-6)


def test_the_test_set_is_not_learned_from_and_training_pictures_are_known_again(tmp_path):
    test = am.read(write_npz(tmp_path / "digits.npz")).test
    assert not trained().trained_on(test).any()
    known = am.evaluate(trained(), write_folder(tmp_path / "mixed", range(690, 710)))
    assert (known.trained_on, known.examples) == (10, 20)
    assert "training examples" in known.notes[-1]


def test_evaluate_gives_the_figures_of_training(tmp_path):
    figures = am.evaluate(trained(), write_npz(tmp_path / "digits.npz")).figures["label"]
    assert figures["accuracy"].value == trained().validation.targets[0].test["accuracy"].value


# Asked with pictures


def test_all_forms_of_a_picture_have_one_answer(tmp_path):
    folder = write_folder(tmp_path / "asked", range(900, 904))
    np.savez(tmp_path / "asked.npz", x=images()[900:904])
    paths = [folder / str(labels()[row]) / f"{row}.png" for row in range(900, 904)]
    expected = trained().predict(images()[900:904]).mean
    for asked in (tmp_path / "asked.npz", list(images()[900:904]), paths, images()[900:904, :, :, None]):
        np.testing.assert_array_equal(trained().predict(asked).mean, expected)
    np.testing.assert_array_equal(trained().predict(images()[901]).mean, expected[1:2])
    np.testing.assert_array_equal(trained().predict(paths[2]).mean, expected[2:3])
    table = pd.DataFrame({"no": [1, 2], "picture": [str(path) for path in paths[:2]]})
    np.testing.assert_array_equal(trained().predict(table).mean, expected[:2])
    by_name = {path: row for row, path in enumerate(sorted(paths))}
    np.testing.assert_array_equal(trained().predict(folder).mean, expected[[paths.index(path) for path in by_name]])


def test_a_photographed_digit_is_the_digit():
    rows = range(905, 935)
    same = np.array(told(trained(), [photograph(row) for row in rows])) == np.array(told(trained(), images()[905:935]))
    assert same.mean() >= 0.7  # of 8 by 8 pixels little is left


def letter(text: str) -> np.ndarray:
    page = Image.new("L", (120, 120), 255)
    ImageDraw.Draw(page).text((35, 15), text, fill=0, font=ImageFont.load_default(80))
    return np.asarray(page)


def test_what_is_unlike_the_training_set_is_flagged_and_what_is_like_it_is_not():
    noise = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(np.uint8)
    assert (trained().predict(noise).applicability > 95).all()
    letters = trained().predict([letter(text) for text in "AKMRWX"])
    assert (letters.applicability > 95).mean() >= 0.8
    assert all("far from the training set" in warning for warning in trained().predict(noise).warnings)
    assert (trained().predict(images()[900:1100]).applicability > 95).mean() < 0.4


def test_a_blank_picture_is_no_digit_and_costs_no_other_its_answer():
    asked = [np.full((30, 40), 255, np.uint8), images()[900], np.zeros((8, 8), np.uint8), np.zeros((2, 2, 2, 2, 2))]
    prediction = trained().predict(asked)
    assert [bool(problem) for problem in prediction.problems] == [True, False, True, True]
    assert prediction.problems[0] == prediction.problems[2] == "nothing is drawn in it"
    assert np.isnan(prediction.mean[[0, 2, 3]]).all()
    np.testing.assert_array_equal(prediction.mean[1], trained().predict(images()[900]).mean[0])


# Saved and opened


def test_saved_is_opened(tmp_path):
    path = tmp_path / "digits.amalthea"
    trained().save(path)
    opened = am.load_model(path)
    asked = [*images()[900:920], photograph(905), np.full((30, 40), 255, np.uint8)]
    before, after = trained().predict(asked), opened.predict(asked)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(before, field), getattr(after, field))
    np.testing.assert_array_equal(np.stack(list(opened.examples["image"]))[..., 0], images()[:700])
    assert opened.examples["key"].tolist() == trained().examples["key"].tolist()
    assert str(opened.validation) == str(trained().validation)
    opened.save(tmp_path / "again.amalthea")
    again = am.load_model(tmp_path / "again.amalthea")
    np.testing.assert_array_equal(again.predict(asked).mean, before.mean)


def test_without_examples_no_picture_is_in_the_file(tmp_path):
    trained().save(tmp_path / "lean.amalthea", examples=False)
    assert not [name for name in archive.read_parts(tmp_path / "lean.amalthea") if name.startswith("examples")]
    opened = am.load_model(tmp_path / "lean.amalthea")
    np.testing.assert_array_equal(opened.predict(images()[900]).mean, trained().predict(images()[900]).mean)


def _fewer(parts):
    pixels = archive.unpack_arrays(parts["examples/images.safetensors"])["images"]
    parts["examples/images.safetensors"] = archive.pack_arrays({"images": pixels[:-1]})


def _flat(parts):
    pixels = archive.unpack_arrays(parts["examples/images.safetensors"])["images"]
    parts["examples/images.safetensors"] = archive.pack_arrays({"images": pixels.reshape(len(pixels), -1)})


def _shape(*shape):
    def change(parts):
        card = json.loads(parts["model.json"])
        card["featurizers"]["pixels"]["shape"] = shape
        parts["model.json"] = json.dumps(card).encode()

    return change


DAMAGES = {
    "fewer pictures than rows": _fewer,
    "flat pictures": _flat,
    "no array": lambda parts: parts.update({"examples/images.safetensors": archive.pack_arrays({})}),
    "noise": lambda parts: parts.update({"examples/images.safetensors": b"\xff" * 64}),
    "a shape beyond all memory": _shape(10**6, 10**6, 3),
    "a shape of another size": _shape(8, 9, 1),
    "no shape": _shape(),
    "a shape in words": _shape("8", "eight", 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_hostile_model_is_one_sentence(tmp_path, damage):
    path = tmp_path / "digits.amalthea"
    trained().save(path)
    parts = archive.read_parts(path)
    DAMAGES[damage](parts)
    archive.write_parts(path, parts)
    with pytest.raises(ModelFileError) as caught:
        am.load_model(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shape_that_does_not_fit_the_inputs_is_a_problem_of_each(tmp_path):
    path = tmp_path / "digits.amalthea"
    trained().save(path)
    parts = archive.read_parts(path)
    _shape(4, 16, 1)(parts)
    archive.write_parts(path, parts)
    assert "(4, 16, 1) is wanted" in am.load_model(path).predict(images()[900]).problems[0]


# Trained on folders, IDX files and tables of paths


def test_a_folder_with_copies_keeps_them_in_one_fold(tmp_path):
    folder = write_folder(tmp_path / "digits", range(60))
    for row in range(6):
        source = folder / str(labels()[row]) / f"{row}.png"
        (source.parent / f"copy_{row}.png").write_bytes(source.read_bytes())
    predictor = am.train(folder, folds=2, epochs=3, **QUICK)
    assert predictor.targets[0].classes == tuple("0123456789")
    fold = predictor.examples.groupby("key")["#fold"]
    assert fold.nunique().max() == 1
    assert (fold.size() == 2).sum() == 6
    assert set(predictor.validation.targets[0].metrics) == {"accuracy", "roc_auc", "pr_auc", "brier", "ece"}
    assert len(predictor.out_of_fold) == 66


def test_idx_files_and_a_folder_as_test_set_and_the_seed_repeats(tmp_path):
    folder = write_idx(tmp_path / "idx", 100, 30)
    held = write_folder(tmp_path / "held", range(200, 230))
    first, again = (am.train(folder, epochs=1, **QUICK) for _ in range(2))
    other = am.train(folder, epochs=1, test=held, seed=1, **QUICK)
    assert first.validation.targets[0].test is not None
    np.testing.assert_array_equal(first.predict(images()[900:950]).members, again.predict(images()[900:950]).members)
    assert not np.array_equal(first.predict(images()[900:950]).members, other.predict(images()[900:950]).members)
    assert am.evaluate(other, held).figures["label"] == other.validation.targets[0].test


def test_numbers_and_classes_are_learned_from_a_table_of_paths(tmp_path):
    table = write_paths(tmp_path / "paths.csv", tmp_path / "pictures", range(120))
    number = am.train(table, "ink", folds=2, epochs=20, **QUICK)
    assert number.targets[0].task == "regression"
    summary = number.validation.targets[0]
    assert summary.metrics["rmse"].value < summary.baselines["mean"]["rmse"].value
    answer = number.predict(tmp_path / "pictures" / str(labels()[3]) / "3.png")
    assert answer.lower[0] < answer.mean[0] < answer.upper[0]
    assert am.read(table, "parity").targets[0].classes == ("even", "odd")
    assert am.evaluate(number, table).trained_on == 120


def test_a_picture_that_is_not_there_is_refused_with_its_line(tmp_path):
    table = write_paths(tmp_path / "paths.csv", tmp_path / "pictures", range(40))
    lines = table.read_text().splitlines()
    (tmp_path / lines[4].partition(",")[0]).unlink()
    data = am.read(table, "ink")
    assert [refusal.row for refusal in data.refused] == [5]
    assert "no such file" in data.refused[0].reason
    assert len(data) == 39


# What a stranger gets wrong


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"network": "nonsense"}, "auto, convolution, dense.*NAME.keras"),
        ({"features": "morgan"}, "auto, pixels"),
        ({"split": "scaffold"}, "cannot be split by 'scaffold'"),
        ({"network": "nowhere:network", "augment": True}, "augment"),
    ],
)
def test_a_wrong_choice_brings_the_list(tmp_path, options, said):
    with pytest.raises(am.AmaltheaError, match=said):
        am.train(write_npz(tmp_path / "digits.npz", 60, 20), **{**QUICK, "epochs": 1, "folds": 2, **options})


def test_data_that_cannot_be_used_are_one_sentence(tmp_path):
    x, y = images()[:20], labels()[:20]
    np.savez(tmp_path / "short.npz", x_train=x, y_train=y[:19])
    np.savez(tmp_path / "unlabelled.npz", x_train=x)
    write_idx(tmp_path / "idx", 20, 5)
    (tmp_path / "idx" / "train-images-idx3-ubyte").write_bytes(b"\0\0\7\3" + bytes(40))
    write_folder(tmp_path / "three", range(3))
    Image.fromarray(x[0]).save(write_folder(tmp_path / "one class", range(1)) / "0" / "again.png")
    (tmp_path / "loose").mkdir()
    Image.fromarray(x[0]).save(tmp_path / "loose" / "a.png")
    refused = {
        "short.npz": "20 images and there are 19 labels",
        "unlabelled.npz": "no labels",
        "idx": "begins with 00 00 07 03",
        "three": "3 folds or fewer",
        "one class": "two classes are needed",
        "loose": "no labels",
        "loose/a.png": "a single picture",
    }
    for name, said in refused.items():
        with pytest.raises(am.AmaltheaError, match=said) as caught:
            am.train(tmp_path / name, epochs=1, **QUICK)
        assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("side", [1, 3, 8, 40])
def test_pictures_of_any_size_are_learned_by_the_network_of_the_domain(tmp_path, side):
    random = np.random.default_rng(0)
    y = np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x=random.integers(0, 99, (40, side, side)).astype(np.uint8), y=y)
    predictor = am.train(tmp_path / "a.npz", folds=2, members=2, epochs=1, verbose=0)
    assert any("--no-augment" in note for note in predictor.provenance.notes)
    assert predictor.predict(np.zeros((3, side, side), np.uint8)).mean.shape == (3, 2)


def test_pictures_are_nothing_for_a_model_of_tables_and_the_other_way_round(tmp_path):
    from tests.predictor.models import trained as of_tables

    folder = write_folder(tmp_path / "pictures", range(2))
    picture = next(folder.rglob("*.png"))
    with pytest.raises(am.AmaltheaError, match="picture"):
        of_tables("number").predict(picture)
    with pytest.raises(am.AmaltheaError, match="folder"):
        am.evaluate(of_tables("number"), folder)
    with pytest.raises(am.AmaltheaError, match="only pictures"):
        list(predictions(of_tables("number"), [str(_table(tmp_path))], save_input=tmp_path / "seen"))
    with pytest.raises(am.AmaltheaError, match="no column names pictures"):
        trained().predict(_table(tmp_path))
    with pytest.raises(am.AmaltheaError, match="--augment is for pictures"):
        am.train(_table(tmp_path), "y", augment=True, verbose=0)


def _table(folder: Path) -> Path:
    path = folder / "table.csv"
    path.write_text("a,b,colour,y\n" + "".join(f"{row},{row % 3},red,{row * row}\n" for row in range(30)))
    return path


def test_reading_pictures_without_pillow_says_what_to_install(tmp_path, monkeypatch):
    picture = next(write_folder(tmp_path / "one", range(1)).rglob("*.png"))
    path = tmp_path / "digits.amalthea"
    trained().save(path)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    opened = am.load_model(path)
    assert opened.predict(images()[900]).mean.shape == (1, 10)  # what has the model's size needs no Pillow
    with pytest.raises(am.AmaltheaError, match=r"pip install \"amalthea\[images\]\""):
        opened.predict(picture)
    with pytest.raises(am.AmaltheaError, match=r"pip install \"amalthea\[images\]\""):
        list(predictions(opened, [str(_npz(tmp_path))], save_input=tmp_path / "seen"))


def _npz(folder: Path) -> Path:
    np.savez(folder / "asked.npz", x=images()[900:902])
    return folder / "asked.npz"
