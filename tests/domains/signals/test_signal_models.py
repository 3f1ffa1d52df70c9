"""Models of sequences: linear ones that are solved, convolutions, and what is told of their answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.dataset import Target
from amalthea.domains import domain
from amalthea.domains.protocol import Defaults, Pieces
from amalthea.domains.signals.closed_form import solve
from amalthea.domains.signals.featurizers import Kernels, Shape, Spectrum, Values

PLACES = [f"{place}nm" for place in range(900, 1020, 4)]


def spectra(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return spectra of three overlapping bands with scatter and a sloping baseline; fat is the middle band."""
    random, x = np.random.default_rng(seed), np.linspace(0, 1, len(PLACES))
    bands = np.array([np.exp(-(((x - centre) / 0.12) ** 2)) for centre in (0.25, 0.5, 0.75)])
    amounts = random.uniform(0, 1, (rows, 3))
    values = random.uniform(0.8, 1.2, (rows, 1)) * (amounts @ bands) + random.normal(size=(rows, 1)) * 0.3 * x
    table = pd.DataFrame(values + 0.002 * random.normal(size=values.shape), columns=PLACES)
    fat = amounts[:, 1] / amounts.sum(axis=1)
    return table.assign(fat=(10 * fat).round(4), kind=np.where(fat > 0.33, "fat", "lean"))


def answers_of(model: am.Predictor, source: object) -> pd.DataFrame:
    return model.table(domain("signals").inputs(source, dict(model.input_state))).reset_index(drop=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> am.Predictor:
    """Return a model of both targets, saved and opened."""
    path = tmp_path_factory.mktemp("models") / "spectra.amalthea"
    predictor = am.train(
        spectra(40), ["fat", "kind"], sequence="900nm:1016nm", features="spectrum", members=2, epochs=2, verbose=0
    )
    predictor.save(path)
    opened = am.load_model(path)
    table = spectra(5, 1)
    pd.testing.assert_frame_equal(answers_of(opened, table), answers_of(predictor, table))
    return opened


def test_a_spectrum_has_numbers_with_intervals_and_classes(model: am.Predictor) -> None:
    new = spectra(40, 1)
    answers = answers_of(model, new.drop(columns=["fat", "kind"]))
    error = answers["fat_prediction"] - new["fat"]
    assert np.sqrt((error**2).mean()) < 0.35 * new["fat"].std()
    assert (answers["kind_prediction"] == new["kind"]).mean() > 0.85
    held = (answers["fat_lower"] <= new["fat"]) & (new["fat"] <= answers["fat_upper"])
    assert held.mean() > 0.7
    figures = am.evaluate(model, new).figures
    assert figures["fat"]["rmse"].value == pytest.approx(np.sqrt((error**2).mean()))


def test_bad_inputs_stay_in_their_places(model: am.Predictor, tmp_path: Path) -> None:
    new = spectra(4, 1).drop(columns=["fat", "kind"])
    new.loc[1] = np.nan
    new.loc[2] = 0.5
    new[PLACES[::-1]].to_csv(tmp_path / "new.csv", index=False)
    answers = answers_of(model, tmp_path / "new.csv")
    assert answers["problem"].tolist() == ["", "no value is known", "", ""]
    assert "the same value everywhere" in answers["warning"][2]
    assert np.isfinite(answers["fat_prediction"][[0, 2, 3]]).all()


def test_the_report_draws_lines_and_the_stretches_that_count(model: am.Predictor, tmp_path: Path) -> None:
    am.report(model, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "blue stretches raise" in page
    assert "There is no such figure" not in page
    drawn = domain("signals").draw(model.examples)
    assert all(each.startswith("<svg") and "polyline" in each for each in drawn)


def test_an_answer_hangs_on_the_stretch_that_carries_it() -> None:
    table = pd.DataFrame(np.zeros((6, 48)), columns=[f"p{place}" for place in range(48)]).assign(y=np.arange(6.0))
    table["p20"] = np.arange(6.0)
    dataset = am.read(table, "y", sequence="p0:p47")
    home = domain("signals")
    parts = home.parts(dataset.examples)
    assert isinstance(parts, Pieces)
    [featurizer] = home.featurizers(dataset, "trace")
    features = parts.without(featurizer, dataset.examples.iloc[5])
    changed = (features[1:] != features[0]).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [9, 10]  # a straight line to it, or without it
    svg = parts.draw(dataset.examples.iloc[5], changed.astype(float), ".")
    assert svg.count('fill-opacity="0.80"') == 2


def test_unequal_lengths_and_channels_are_learned_by_convolutions(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = []
    for number in range(48):
        length, up = int(random.integers(10, 17)), number % 2 == 0
        wave = np.sin(np.arange(length) * (0.4 if up else 1.2) + random.uniform(0, 6))
        second = random.normal(size=length)
        channels = [",".join(f"{each:.3f}" for each in values) for values in (wave, second)]
        lines.append(":".join([*channels, "slow" if up else "fast"]))
    header = "@problemName waves\n@classLabel true slow fast\n@data\n"
    (tmp_path / "waves.ts").write_text(header + "\n".join(lines[:36]) + "\n")
    (tmp_path / "later.ts").write_text(header + "\n".join(lines[36:]) + "\n")
    predictor = am.train(
        tmp_path / "waves.ts", test=tmp_path / "later.ts", features="trace", folds=2, members=1, epochs=25, verbose=0
    )
    summary = predictor.validation.targets[0]
    assert summary.test is not None
    assert summary.test["accuracy"].value >= 0.9


@pytest.mark.parametrize("method", ["ridge", "pls"])
def test_what_is_solved_is_near_the_truth_and_knows_classes(method: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 30)) + 5
    slope = random.normal(size=30)
    labels = np.stack([x @ slope, (x[:, 0] > 5).astype(float)], axis=1)
    labels[3, 0] = labels[4, 1] = np.nan
    number, classes = solve(x, labels, [1, 2], method)
    new = random.normal(size=(200, 30)) + 5
    answers = (new - number.centre) @ number.weights + number.offset
    assert np.corrcoef(answers[:, 0], new @ slope)[0, 1] > 0.98
    logits = (new - classes.centre) @ classes.weights + classes.offset
    assert ((logits[:, 1] > logits[:, 0]) == (new[:, 0] > 5)).mean() > 0.8


@pytest.mark.parametrize("method", ["ridge", "pls"])
def test_columns_and_labels_without_a_difference_are_no_trouble(method: str) -> None:
    x = np.ones((6, 4))
    [number] = solve(x, np.arange(6.0)[:, None], [1], method)
    assert np.allclose((x - number.centre) @ number.weights + number.offset, 0)
    [same] = solve(np.eye(6)[:, :4], np.ones((6, 1)), [1], method)
    assert not same.weights.any()


def test_partial_least_squares_is_that_of_scikit_learn() -> None:
    from sklearn.cross_decomposition import PLSRegression

    from amalthea.domains.signals.closed_form import _by_components, _short

    random = np.random.default_rng(0)
    x, y = random.normal(size=(12, 40)), random.normal(size=(12, 2))
    centred, wanted = x - x.mean(axis=0), y - y.mean(axis=0)
    theirs = PLSRegression(3, scale=False).fit(x, y).predict(x) - y.mean(axis=0)
    for rows in (centred, _short(centred)):
        *_, weights = _by_components(rows, wanted, 3)
        np.testing.assert_allclose(rows @ weights, theirs, atol=1e-8)


@pytest.mark.parametrize("kind", [Kernels, Spectrum, Values])
@pytest.mark.parametrize("places", [1, 2, 5, 9, 300, 5_000])
def test_features_exist_for_the_shortest_and_the_longest(kind: type, places: int) -> None:
    featurizer = kind(Shape(places, 2))
    features = featurizer.features(np.random.default_rng(0).normal(size=(places, 2)).astype(np.float32))
    assert features.shape == featurizer.shape
    assert np.isfinite(features).all()


def test_kernels_do_not_see_the_unit_of_a_trace() -> None:
    trace = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    kernels = Kernels(Shape(50, 1), count=100)
    one, other = kernels.features(trace), kernels.features(1000 * trace + 7)
    np.testing.assert_allclose(one[:200], other[:200], atol=2e-2)


def test_a_convolution_is_made_for_very_short_sequences_and_answers_for_nothing() -> None:
    home, featurizer = domain("signals"), Values(Shape(2, 3, uneven=True))
    model = home.network(
        featurizer, [Target("y", "regression"), Target("k", "classification", ("a", "b"))], Defaults(), 5
    )
    x = np.full((2, *featurizer.shape), np.nan, np.float32)
    x[0] = 1.0
    answers = np.asarray(model(x))
    assert answers.shape == (2, 3)
    assert np.isfinite(answers).all()
