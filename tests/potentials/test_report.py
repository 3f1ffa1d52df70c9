"""The report of a potential: its figures are those of structures that the answering networks never saw."""

from __future__ import annotations

import dataclasses
import functools
import json
import re

import numpy as np
import pandas as pd
import pytest

from amalthea.errors import AmaltheaError
from amalthea.potentials.networks.subnets import energies_and_gradients
from amalthea.potentials.refit import force_curve
from amalthea.potentials.report.context import held_out_energies
from amalthea.potentials.report.error_breakdown import by_element
from amalthea.potentials.report.forces import held_out_forces
from amalthea.potentials.report.metrics import by_fold
from amalthea.potentials.report.symmetry_functions import _values, function_importance
from amalthea.reporting import page as page_of
from amalthea.reporting.translate import in_language
from tests.potentials.trained import labelled_with, potential, train
from tests.reporting.pages import Page, read


@functools.cache
def page(language: str = "en") -> Page:
    return read(page_of.render(potential(), language=language))


PLOTS = [
    "figures-energy",
    "figures-force",
    "agreement",
    "energy-errors",
    "force-errors",
    "forces",
    "coverage",
    "uncertainty",
    "held-by-distance",
    "promised-by-distance",
    "distance",
    "coverage-force",
    "uncertainty-force",
    "range-map",
    "losses-1",
    "force-size",
    "functions-al",
    "functions-cu",
    "distribution-1",
]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_page_is_whole(language):
    made = page(language)
    assert list(made.data["plots"]) == PLOTS
    assert [a["data-plot"] for _, a in made.elements if "data-plot" in a] == PLOTS
    for plot in made.data["plots"].values():
        assert len({len(column) for column in plot["table"].values()}) == 1
        assert plot["layout"]["xaxis"]["title"]["text"]
    drawn = [a["src"] for tag, a in made.elements if tag == "img"]
    assert len(drawn) == 8
    assert all(source.startswith("data:image/svg+xml") for source in drawn)


def test_energies_in_the_page_are_those_of_the_table_by_atom():
    table, shown = potential().out_of_fold, page().table("agreement")
    assert shown["row"] == table["row"].tolist()
    assert shown["frame"] == table["frame"].tolist()
    assert shown["true_eV_per_atom"] == pytest.approx(table["target"] / table["atoms"], rel=1e-7)
    off = 1000 * (table["prediction"] - table["target"]) / table["atoms"]
    assert page().table("energy-errors")["error_meV_per_atom"] == pytest.approx(off, rel=1e-4)
    (each,) = held_out_energies(potential(), in_language())
    assert each.error.mean() == pytest.approx(potential().validation.targets[0].metrics["energy_mae"].value)


def test_coverage_is_that_of_the_validation():
    known = potential().validation.targets[0].coverage
    place = page().table("coverage")["nominal"].index(0.9)
    # Structures beyond the usual distances may differ: the page does not know what the composition tells of them.
    assert page().table("coverage")["covered"][place] == pytest.approx(known.value, abs=0.05)


def test_folds_together_have_the_figures_of_the_validation():
    table, metrics = potential().out_of_fold, potential().validation.targets[0].metrics
    folds, sizes = by_fold(table)
    atoms = table.groupby("fold")["atoms"].sum()
    energies = sum(sizes[fold] * folds[fold]["energy_mae"] for fold in folds) / len(table)
    forces = sum(atoms[fold] * folds[fold]["force_rmse"] ** 2 for fold in folds) / atoms.sum()
    assert energies == pytest.approx(metrics["energy_mae"].value)
    assert np.sqrt(forces) == pytest.approx(metrics["force_rmse"].value)
    periodic = table.dropna(subset="stress_mae")
    assert periodic["stress_mae"].mean() == pytest.approx(metrics["stress_mae"].value)


def test_forces_are_answered_by_networks_that_never_saw_the_structure():
    forces = held_out_forces(potential())
    assert not forces.sampled
    own = pd.Series(forces.judged.error).groupby(forces.judged.places).mean()
    assert own.to_numpy() == pytest.approx(potential().out_of_fold["force_mae"].to_numpy(), rel=1e-8)
    errors = by_element(forces)
    assert sum(atoms for atoms, *_ in errors.values()) == potential().out_of_fold["atoms"].sum()
    whole = sum(atoms * error.value for atoms, error, _ in errors.values()) / potential().out_of_fold["atoms"].sum()
    assert whole == pytest.approx(potential().validation.targets[0].metrics["force_mae"].value)


def test_many_atoms_are_sampled(monkeypatch):
    monkeypatch.setattr("amalthea.potentials.report.forces.MOST_ATOMS", 60)
    forces = held_out_forces(potential())
    assert forces.sampled
    assert len(forces.judged) <= 180


def test_importance_is_the_change_of_the_energy_with_a_typical_change_of_the_function():
    found = function_importance(potential())
    committee = potential().ready.committee
    kinds, values = _values(potential(), 0)
    own = values[kinds == 1, : len(committee.functions["Cu"])]
    step = 1e-5 * own.std(axis=0)

    def energy(shift: float) -> np.ndarray:
        moved = own + np.array([0, shift * step[1], 0])
        return energies_and_gradients(committee.layers["Cu"], committee.activations["Cu"], moved)[0]

    slope = np.abs(energy(1.0) - energy(-1.0)) / 2e-5
    assert found["Cu"].value[1] == pytest.approx(1000 * slope.mean(), rel=1e-4)
    ranges = potential().ready.ranges
    assert found["Cu"].low.tolist() == ranges.low[1, :3].tolist()


def test_verdict_and_methods_speak_of_forces():
    text = page().text
    force = potential().validation.targets[0].metrics["force_mae"]
    assert f"{force} eV/Å" in text
    assert "energies, forces and stresses" in text
    assert "Errors by group of structures." in text
    assert "run 11" in text
    for work in ("behler2007", "behler2011", "vyas2025"):
        assert f"{{{work}," in text
    assert "--target" not in text
    assert "--group trajectory" in text


def test_without_examples_only_single_forces_and_functions_are_missing():
    made = read(page_of.render(dataclasses.replace(potential(), examples=pd.DataFrame())))
    assert "Single components of the forces need the examples" in made.text
    assert made.table("figures-force") == page().table("figures-force")
    assert made.table("force-errors") == page().table("force-errors")


@pytest.mark.parametrize(
    ("labels", "folds", "there", "missing"),
    [
        (("energy",), 2, "energy-errors", "force-errors"),
        (("forces",), 2, "force-errors", "energy-errors"),
        pytest.param(("energy", "forces"), 1, "functions-cu", "agreement", marks=pytest.mark.slow),
    ],
)
def test_what_is_not_known_is_not_shown(labels, folds, there, missing):
    made = read(page_of.render(train(labelled_with(*labels), folds=folds, members=1, epochs=1)))
    assert there in made.data["plots"]
    assert missing not in made.data["plots"]
    assert not re.search(r"\bnan\b", made.text)


def test_units_and_words_are_those_of_the_language():
    made = page("pt-BR")
    drawn = json.dumps({name: {**plot, "table": {}} for name, plot in made.data["plots"].items()}, ensure_ascii=False)
    for english in ("meV/atom", "eV/atom", "symmetry functions"):
        assert english not in drawn
        assert english not in made.text.partition("Avisos do treino")[0]
    assert "raiz do erro quadrático médio<br>(meV/átomo)" in drawn
    assert "atributos: funções de simetria" in made.text


def test_the_baseline_knows_no_forces_in_any_fold() -> None:
    """A potential that knows compositions alone is off by the forces themselves."""
    table = potential().out_of_fold
    for fold, own in table.groupby("fold"):
        forces = np.concatenate([potential().examples["forces"].iloc[place].ravel() for place in own.index])
        known = potential().validation.targets[0].baselines_by_fold["mean"][fold]
        assert known == pytest.approx(np.abs(forces).mean())


def test_the_learning_curve_is_judged_on_the_same_held_out_structures() -> None:
    """With all structures, a network of the curve answers as badly as one that learned so from two folds of three."""
    curve = force_curve(potential().ready)
    assert curve.sizes.tolist() == [8, 16, 32]
    assert curve.example_errors.shape == (3, 48)
    assert np.isfinite(curve.example_errors).all()
    assert len(np.unique(curve.groups)) == 48
    own = potential().out_of_fold["force_mae"].to_numpy(float)
    assert curve.errors[-1].value == pytest.approx(own.mean(), rel=0.2)
    made = read(page_of.render(potential(), learning_curve=True))
    drawn = made.table("learning-curve-forces")
    assert list(map(int, drawn["examples"])) == [8, 16, 32]
    assert np.array(drawn["error"], float) == pytest.approx([error.value for error in curve.errors], rel=1e-4)
    assert np.array(drawn["standard_error"], float) == pytest.approx([error.error for error in curve.errors], rel=1e-4)


def test_a_potential_without_structures_gets_no_learning_curve() -> None:
    bare = dataclasses.replace(potential(), examples=pd.DataFrame())
    with pytest.raises(AmaltheaError, match="needs 24 structures"):
        force_curve(bare.ready)
    assert "needs the examples in the model" in read(page_of.render(bare, learning_curve=True)).text
