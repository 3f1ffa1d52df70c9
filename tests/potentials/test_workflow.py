"""Potentials from start to end, on tiny data: figures, folds, uncertainties, bad structures, saved and opened."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

import amalthea as am
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.answers import committee_mean
from amalthea.predictor.predictor import Predictor
from amalthea.workflow.evaluate import evaluate
from tests.potentials.alloys import cell, cluster, frames, labelled

LIST = """number_of_elements 2
cutoff_type 1
elements Al Cu
global_hidden_layers_short 1
global_nodes_short 3
global_activation_short t l
symfunction_short Cu 2 Cu 0.3 0.0 4.5
symfunction_short Cu 2 Al 0.3 0.0 4.5
symfunction_short Cu 2 Cu 2.0 2.5 4.5
symfunction_short Cu 3 Cu Cu 0.02 1.0 2.0 4.5
symfunction_short Al 2 Al 0.3 0.0 4.5
symfunction_short Al 2 Cu 0.3 0.0 4.5
symfunction_short Al 2 Cu 2.0 2.5 4.5
"""

QUICK: dict[str, Any] = {"folds": 3, "members": 2, "epochs": 2, "verbose": 0, "optimizer": "adam"}
QUICK["length_unit"] = "angstrom"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 24 labelled frames, some without an energy or without forces."""
    place = tmp_path_factory.mktemp("alloys")
    images = frames()
    for number, missing in ((2, "energy"), (5, "forces"), (9, "forces"), (14, "energy")):
        known = {name: value for name, value in images[number].calc.results.items() if name != missing}
        images[number].calc = SinglePointCalculator(images[number], **known)
    ase.io.write(place / "all.extxyz", images)
    (place / "input.nn").write_text(LIST)
    return place


def train(folder: Path, images: list[Any] | None = None, **options: Any) -> Predictor:
    path = folder / "all.extxyz"
    if images is not None:
        path = folder / "some.extxyz"
        ase.io.write(path, images)
    trained = am.train(path, features=str(folder / "input.nn"), **{**QUICK, **options})
    assert trained.task == "potential"
    return trained


@pytest.fixture(scope="session")
def potential(folder: Path) -> Predictor:
    return train(folder, group="trajectory")


def test_figures_are_those_of_predictions_by_members_that_never_saw_the_structure(potential: Predictor) -> None:
    examples, folds = potential.examples, potential.out_of_fold["fold"].to_numpy()
    energies, forces, stresses = [], [], []
    for row, fold in enumerate(folds):
        atoms = examples["atoms"].iloc[row]
        said = potential.ready.committee.take([2 * fold, 2 * fold + 1]).answer(atoms)
        energies.append(1000 * (said.energy.mean() - examples["energy"].iloc[row]) / len(atoms))
        if (label := examples["forces"].iloc[row]) is not None:
            forces += (said.forces.mean(axis=0) - label).ravel().tolist()
        if (label := examples["stress"].iloc[row]) is not None:
            stresses += (160.1766208 * (said.stress.mean(axis=0) - label)).tolist()
        assert potential.out_of_fold["prediction"].iloc[row] == pytest.approx(said.energy.mean(), rel=1e-9)
    metrics = potential.validation.targets[0].metrics
    known = np.array(energies)[np.isfinite(energies)]
    assert len(known) == 22
    assert metrics["energy_mae"].value == pytest.approx(np.abs(known).mean())
    assert metrics["energy_rmse"].value == pytest.approx(np.sqrt((known**2).mean()))
    assert metrics["force_mae"].value == pytest.approx(np.abs(forces).mean())
    assert metrics["force_rmse"].value == pytest.approx(np.sqrt(np.square(forces).mean()))
    assert metrics["stress_mae"].value == pytest.approx(np.abs(stresses).mean())
    assert all(figure.error > 0 for figure in metrics.values())


def test_a_trajectory_shares_a_fold(potential: Predictor) -> None:
    runs = np.arange(24) // 4
    folds = potential.out_of_fold["fold"].to_numpy()
    assert all(len(set(folds[runs == run])) == 1 for run in range(6))
    assert set(folds) == {0, 1, 2}


def test_what_is_missing_is_missing_in_the_table_and_all_is_predicted(potential: Predictor) -> None:
    table = potential.out_of_fold
    assert np.flatnonzero(table["target"].isna()).tolist() == [2, 14]
    assert np.flatnonzero(table["force_mae"].isna()).tolist() == [5, 9]
    assert table[["prediction", "std", "lower", "upper", "applicability"]].notna().all(axis=None)


def test_uncertainties_are_calibrated(potential: Predictor) -> None:
    """The stored constants make the intervals hold 90 % of the held-out energies, and of the components of forces."""
    table = potential.out_of_fold.dropna(subset="target")
    assert ((table["target"] > table["lower"]) & (table["target"] < table["upper"])).mean() >= 0.9
    squares = [(table["prediction"] - table["target"]) ** 2, table["std"] ** 2]
    per_atom = [np.sqrt((own / table["atoms"] ** 2).mean()) for own in squares]
    assert 0.5 < per_atom[0] / per_atom[1] < 2
    said = potential.predict(potential.examples["atoms"].tolist())
    assert (said.std > 0).all()
    assert all(own.shape == (len(a),) for own, a in zip(said.forces_std, potential.examples["atoms"], strict=True))
    rmse = potential.validation.targets[0].metrics["force_rmse"].value
    assert 0.3 * rmse < np.mean(np.concatenate(list(said.forces_std))) < 3 * rmse


def test_opened_as_it_was_saved(potential: Predictor, folder: Path) -> None:
    potential.save(folder / "alloys.amalthea")
    opened = am.load_model(folder / "alloys.amalthea")
    assert opened.task == "potential"
    asked = [cluster(7, "CuAl", 50), cell("Cu", 51)]
    one, two = potential.predict(asked), opened.predict(asked)
    for name in ("mean", "std", "lower", "upper", "members", "applicability"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("forces", "forces_std", "stress"):
        for some, others in zip(getattr(one, name), getattr(two, name), strict=True):
            np.testing.assert_array_equal(some, others)
    assert str(opened.validation) == str(potential.validation)
    assert len(opened.examples) == 24
    np.testing.assert_allclose(
        opened.examples["atoms"].iloc[3].positions, potential.examples["atoms"].iloc[3].positions
    )
    assert opened.examples["forces"].iloc[5] is None
    assert repr(opened).startswith("<Predictor of energy")
    assert repr(one).startswith("<Prediction of 2 examples")


def test_parts_that_do_not_fit_are_refused(potential: Predictor, folder: Path) -> None:
    potential.save(folder / "whole.amalthea", examples=False)
    for what in ("low", "functions"):
        with zipfile.ZipFile(folder / "whole.amalthea") as whole, zipfile.ZipFile(folder / "bad.amalthea", "w") as bad:
            for name in whole.namelist():
                content = whole.read(name)
                if name == "model.json":
                    card = json.loads(content)
                    own = card["state"][what]
                    own.pop("Al") if what == "functions" else own.pop()
                    content = json.dumps(card).encode()
                bad.writestr(name, content)
        with pytest.raises(AmaltheaError, match=r"bad\.amalthea"):
            am.load_model(folder / "bad.amalthea")


def test_one_structure_a_list_and_a_file_are_answered_alike(potential: Predictor, folder: Path) -> None:
    images = [cluster(6, "CuAl", 60), cell("Al", 61)]
    ase.io.write(folder / "asked.xyz", images, format="extxyz")
    said = potential.predict(images)
    alone = potential.predict(images[1])
    read = potential.predict(folder / "asked.xyz")
    assert alone.mean[0] == said.mean[1]
    np.testing.assert_allclose(read.mean, said.mean, atol=1e-6)
    np.testing.assert_allclose(potential.predict([str(folder / "asked.xyz")]).mean, read.mean)
    assert len(potential.predict([])) == 0


def test_a_structure_that_cannot_be_answered_stays_in_its_place(potential: Predictor, folder: Path) -> None:
    close, good = Atoms("Cu2", [[0, 0, 0], [0, 0, 0.1]]), cluster(5, "Cu", 70)
    flat = Atoms("Cu", cell=np.zeros((3, 3)), pbc=True)
    lost = Atoms("Cu2", [[0, 0, 0], [0, 0, np.nan]])
    said = potential.predict([good, Atoms("CuO", [[0, 0, 0], [0, 0, 1.9]]), close, flat, lost, Atoms(), "CCO", good])
    assert [bool(problem) for problem in said.problems] == [False, *[True] * 6, False]
    assert "does not know O; it knows Al, Cu" in said.problems[1]
    assert "0.100 Å apart" in said.problems[2]
    assert np.isfinite(said.mean).tolist() == [True, *[False] * 6, True]
    assert said.mean[0] == said.mean[-1]
    assert [own is None for own in said.forces] == [False, *[True] * 6, False]
    (folder / "mixed.xyz").write_text("1\n\nCu 0 0 0\n2\n\nCu 0 0 0\nO 0 0 1.9\n2\n\nCu 0 0 0\nCu 0 0 0.1\n")
    assert [bool(problem) for problem in potential.predict(folder / "mixed.xyz").problems] == [False, True, True]


def test_extrapolation_names_the_atom_and_its_function(potential: Predictor) -> None:
    squeezed = cell("Cu", 3)
    squeezed.set_cell(0.9 * squeezed.cell.array, scale_atoms=True)
    crowd = cell("Cu", 3)
    crowd.set_cell(0.75 * crowd.cell.array, scale_atoms=True)
    said = potential.predict([potential.examples["atoms"].iloc[0], squeezed, crowd])
    assert said.problems[2].startswith("outside")
    assert np.isnan(said.mean[2])
    assert said.extrapolation[0] is None
    assert said.warnings[0] == ""
    worst = said.extrapolation[1]
    assert worst is not None
    assert worst.excess > 0.1
    assert 1 <= worst.atom <= 4
    assert said.warnings[1].startswith(("outside what was learned:", "extrapolates:"))
    assert f"atom {worst.atom} (Cu), G" in said.warnings[1]


def test_evaluated_on_new_labels(potential: Predictor, folder: Path) -> None:
    images = [labelled(cluster(8, "CuAl", 80)), labelled(cell("Cu", 81))]
    strange = Atoms("CuO", [[0, 0, 0], [0, 0, 1.9]])
    strange.calc = SinglePointCalculator(strange, energy=-3.0)
    ase.io.write(folder / "new.xyz", [*images, strange], format="extxyz")
    found = evaluate(potential, str(folder / "new.xyz"))
    errors = np.concatenate(
        [(f - a.get_forces()).ravel() for f, a in zip(potential.predict(images).forces, images, strict=True)]
    )
    assert found.figures["energy"]["force_mae"].value == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert (found.examples, [refusal.reason for refusal in found.refused]) == (2, ["the potential does not know O"])
    again = evaluate(potential, str(folder / "all.extxyz"))
    assert again.trained_on == 24
    ase.io.write(folder / "strange.xyz", strange, format="extxyz")
    with pytest.raises(DataError, match="does not know O"):
        evaluate(potential, str(folder / "strange.xyz"))
    (folder / "table.csv").write_text("energy,x\n1,2\n3,4\n")
    with pytest.raises(DataError, match="no atomic structures"):
        evaluate(potential, str(folder / "table.csv"))


@pytest.mark.slow
def test_a_test_set_is_judged_apart(folder: Path) -> None:
    images = [labelled(cluster(8, "CuAl", 80)), labelled(cell("Cu", 81))]
    ase.io.write(folder / "test.xyz", images, format="extxyz")
    trained = train(folder, test=folder / "test.xyz", members=1, folds=2)
    (summary,) = trained.validation.targets
    assert set(summary.test or {}) == {"energy_mae", "energy_rmse", "force_mae", "force_rmse", "stress_mae"}
    assert "network, test set" in str(trained.validation)
    assert (trained.predict(images).std > 0).all()


@pytest.mark.slow
def test_with_one_fold_nothing_is_held_out(folder: Path) -> None:
    trained = train(folder, folds=1)
    assert not trained.validation.targets[0].metrics
    assert "nothing was held out" in str(trained.validation)
    said = trained.predict(cluster(6, "Cu", 0))
    assert said.lower is None
    assert (said.std > 0).all()
    assert list(trained.out_of_fold.columns[:3]) == ["row", "fold", "target"]


@pytest.mark.slow
def test_from_a_lone_structure(folder: Path) -> None:
    image = labelled(cluster(5, "Cu", 0))
    trained = train(folder, [image], folds=1, members=1)
    assert np.isfinite(trained.predict(image).mean).all()
    with pytest.raises(DataError, match="1 fold"):
        train(folder, [image], folds=2)


@pytest.mark.parametrize("kept", ["energy", "forces"])
def test_from_energies_alone_and_from_forces_alone(folder: Path, kept: str) -> None:
    images, heard = [cluster(4 + n % 3, "Cu", n) for n in range(8)], []
    for atoms in images:
        known = labelled(atoms).calc.results
        atoms.calc = SinglePointCalculator(atoms, **{kept: known[kept]})
    trained = train(folder, images, folds=2, say=heard.append)
    metrics = trained.validation.targets[0].metrics
    assert set(metrics) == ({"energy_mae", "energy_rmse"} if kept == "energy" else {"force_mae", "force_rmse"})
    assert any(("No structure has forces" if kept == "energy" else "No structure has an energy") in s for s in heard)
    said = trained.predict(images)
    assert np.isfinite(said.mean).all()
    assert (said.lower is None) == (kept == "forces")
    assert np.isfinite(np.concatenate(list(said.forces_std))).all()


@pytest.mark.slow
def test_the_past_predicts_the_future(folder: Path) -> None:
    trained = train(folder, time_column="year", members=1)
    table = trained.out_of_fold
    known = table["prediction"].notna().to_numpy()
    assert 0 < known.sum() < 24
    assert np.flatnonzero(known).min() > np.flatnonzero(~known).max()
    assert "the past predicts the future" in str(trained.validation)
    errors = 1000 * (table["prediction"] - table["target"]) / table["atoms"]
    assert trained.validation.targets[0].metrics["energy_mae"].value == pytest.approx(errors.abs().mean())


def test_members_that_were_left_out_say_nothing(potential: Predictor) -> None:
    part = potential.parts[0]
    history = dataclasses.replace(part.ensemble.history, left_out=(1, 4))  # type: ignore[type-var]
    ensemble = am.Ensemble(part.ensemble.model, folds=3, members=2)
    broken = {name: values.copy() for name, values in part.ensemble.weights.items()}
    for values in broken.values():
        values[[1, 4]] = np.nan
    ensemble.restore(broken, None, part.ensemble.fold_ids, history, None)  # type: ignore[arg-type]
    fewer = dataclasses.replace(potential, parts=(dataclasses.replace(part, ensemble=ensemble),))
    asked = cluster(6, "CuAl", 90)
    whole, said = potential.predict(asked), fewer.predict(asked)
    used = [0, 2, 3, 5]
    np.testing.assert_array_equal(said.members[used], whole.members[used])
    assert np.isnan(said.members[[1, 4]]).all()
    assert said.mean[0] == pytest.approx(whole.members[used, 0].mean())
    answer = potential.ready.committee.take(used).answer(asked)
    spread = committee_mean(answer, np.array([0, 1, 1, 2])).energy_spread
    assert spread == pytest.approx(np.std(answer.energy[1:3], ddof=1))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"patience": 3}, "--patience"),
        ({"network": "dense:net"}, "--network"),
        ({"target": "forces"}, "one target"),
        ({"length_unit": "mile"}, "bohr or angstrom"),
        ({"group": "colour"}, "no such column"),
        ({"split": "scaffold"}, "scaffold"),
        ({"features": "nowhere.nn"}, r"nowhere\.nn"),
    ],
)
def test_what_has_no_meaning_here_is_refused(folder: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        am.train(folder / "all.extxyz", **{**QUICK, "features": str(folder / "input.nn"), **options})


def test_units_are_remembered(potential: Predictor) -> None:
    assert potential.input_state["length_unit"] == "angstrom"
