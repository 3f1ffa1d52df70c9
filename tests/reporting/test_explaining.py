"""What a model looks at, and which of its data deserve a second look."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import amalthea as am
from amalthea.domains import domain
from amalthea.domains.images.drawing import png
from amalthea.domains.molecules.drawing import deletions, masked_fragments
from amalthea.reporting.attribution import permutation_importance
from amalthea.reporting.context import Context
from amalthea.reporting.data import contradictions, suspicious
from amalthea.reporting.drawings import drawings, image, packed
from amalthea.reporting.out_of_fold import Judged, held_out
from amalthea.reporting.out_of_fold_predict import answers, features_of
from amalthea.reporting.translate import in_language
from amalthea.training.history import History, best_epochs, quantiles
from amalthea.validation.learning_curve import LearningCurve
from tests.predictor.models import trained


@functools.cache
def half_noise() -> am.Predictor:
    """Return a model of two columns of which one says nothing."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"tells": rng.uniform(-1, 1, 120), "noise": rng.uniform(-1, 1, 120)})
    table["y"] = 3 * table["tells"] + 0.05 * rng.normal(size=120)
    return am.train(table, "y", folds=2, members=2, epochs=40, verbose=0)


def answered(errors: np.ndarray, std: np.ndarray, groups: np.ndarray) -> Judged:
    """Return what is known of examples whose true values are 0, 1, 2, ... and whose answers are off by `errors`."""
    count = np.arange(len(errors))
    return dataclasses.replace(
        held_out(half_noise())[0],
        places=count,
        groups=groups,
        truth=count.astype(float),
        mean=count + errors,
        std=std,
    )


def context(predictor: am.Predictor) -> Context:
    return Context(predictor, in_language(), held_out(predictor))


def test_shuffling_a_column_that_says_nothing_costs_nothing():
    each = context(half_noise())
    found = permutation_importance(each, each.judged[0], ["tells", "noise"])
    assert found["tells"].value > 10 * abs(found["noise"].value)


def test_members_that_never_saw_an_example_answer_for_it():
    predictor = half_noise()
    said = answers(predictor, features_of(predictor, predictor.examples), predictor.examples["#fold"].to_numpy())
    assert said[:, 0] == pytest.approx(predictor.out_of_fold["prediction"], rel=1e-4, abs=1e-4)


def test_far_from_a_sure_answer_is_worth_a_look_and_from_an_unsure_one_is_not():
    errors, std = np.full(50, 0.1), np.full(50, 0.2)
    errors[[17, 30, 41]], std[30] = [5.0, 50.0, -9.0], 10.0
    assert suspicious(answered(errors, std, np.arange(50))).tolist() == [41, 17]


def test_copies_that_differ_by_more_than_the_error_contradict_each_other():
    groups = np.arange(50)
    groups[20] = 3
    each = answered(np.zeros(50), np.ones(50), groups)
    assert [group.tolist() for group in contradictions(each)] == [[3, 20]]


def test_masked_fragments_begin_with_the_features_of_the_whole_molecule():
    smiles = "CC(=O)Oc1ccccc1C(=O)O"
    featurizer = domain("molecules").restore({"name": "morgan", "radius": 2, "size": 1024})
    whole = featurizer.transform(pd.DataFrame({"smiles": [smiles]}))[0][0]
    rows = masked_fragments(Chem.MolFromSmiles(smiles), 2, 1024)
    assert rows[0].tolist() == whole.tolist()
    assert (rows[1:] <= whole).all()
    assert (rows[1:].sum(axis=1) < whole.sum()).all()


@pytest.mark.parametrize(
    "smiles", ["CC(=O)Oc1ccccc1C(=O)O", "c1ccc2[nH]ccc2c1", "C[N+](C)(C)CC([O-])=O", "OS(=O)(=O)O"]
)
def test_deleting_an_atom_leaves_molecules_that_can_be_read(smiles):
    whole = Chem.MolFromSmiles(smiles)
    for text in deletions(whole)[1:]:
        left = Chem.MolFromSmiles(text)
        assert left.GetNumAtoms() in (whole.GetNumAtoms() - 1, whole.GetNumAtoms())
        assert not any(atom.GetNumRadicalElectrons() for atom in left.GetAtoms())


def test_gain_of_doubling_is_that_of_the_power_law():
    sizes = np.array([100, 200, 400, 800])
    noise = np.abs(np.random.default_rng(0).normal(1, 0.1, 300))
    gain = LearningCurve("y", "error", sizes, noise / np.sqrt(sizes)[:, None], np.arange(300), 2).doubling
    assert gain.value == pytest.approx(1 - 2**-0.5)
    assert gain.error < 1e-6


def test_losses_of_members_that_have_stopped_do_not_count():
    losses = np.array([[3, 2, 1], [3, 1, np.nan]], np.float32)
    assert quantiles(losses)[1].tolist() == [3.0, 1.5, 1.0]
    history = History({"val_loss": losses}, np.array([3, 2]))
    assert best_epochs(history).tolist() == [3, 2]


def test_pictures_are_packed_into_one_sheet():
    pytest.importorskip("PIL")
    pictures = [np.full((8, 8, 1), value, np.uint8) for value in (0, 100, 200)]
    content = packed("images", pd.DataFrame({"image": pictures}))
    assert (content["kind"], content["width"], content["across"]) == ("sheet", 8, 2)
    assert png(pictures)[0].startswith("data:image/png;base64,")


def test_every_kind_of_example_is_drawn_or_told():
    molecules = trained("molecules, number").examples
    assert all(image(drawing).startswith("data:image/svg") for drawing in drawings("molecules", molecules))
    rows = drawings("tables", trained("number").examples)
    assert all("colour: " in row and "#fold" not in row for row in rows)


def test_no_member_answers_for_what_it_saw_where_all_saw_everything():
    one = trained("one fold")
    assert not held_out(one)
    assert not dataclasses.replace(context(one)).judged
