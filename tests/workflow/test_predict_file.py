"""A file in, a file out: piece by piece, so that memory does not grow with the file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

import amalthea as am
from amalthea.workflow.predict import predict_file, predictions
from tests.predictor.models import trained

NOTE = 2000
"""Characters in each row that the model does not read."""


def peak(path: Path, rows: int) -> int:
    """Return the memory that predicting for a file of `rows` rows takes at its highest, in bytes."""
    with path.open("w") as stream:
        stream.write("a,b,colour,note\n")
        stream.writelines(f"{row / rows},0.5,red,{'x' * NOTE}\n" for row in range(rows))
    tracemalloc.start()
    try:
        counts = predict_file(trained("number"), [str(path)], path.with_suffix(".out"), rows=200)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert (counts.rows, counts.predicted, counts.problems) == (rows, rows, 0)


def test_memory_does_not_grow_with_the_file(tmp_path):
    peak(tmp_path / "first.csv", 400)  # what is compiled and imported stays
    small, large = peak(tmp_path / "small.csv", 600), peak(tmp_path / "large.csv", 4000)
    assert large - small < 0.3 * (4000 - 600) * NOTE
    assert len(pd.read_csv(tmp_path / "large.out")) == 4000


def test_molecules_in_words_may_have_dots_and_be_long():
    predictor = trained("molecules, classes")
    for asked in (["CCN.Cl"], ["C" * 300], ["CC(=O)O", "C1CC", "CCN.Cl"], ["F/C=C/F"]):
        (table,) = predictions(predictor, asked)
        assert (table["problem"] != "").tolist() == [smiles == "C1CC" for smiles in asked]


@pytest.mark.parametrize("asked", [["nothing.csv"], ["nothing.CSV"], ["nothing.smi"]])
@pytest.mark.parametrize("name", ["number", "molecules, classes"])
def test_a_file_that_is_not_there_is_no_molecule(name, asked):
    with pytest.raises(am.AmaltheaError, match="no such file"):
        list(predictions(trained(name), asked))


def test_one_file_at_a_time(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles\nCCO\n")
    for name in ("number", "molecules, classes"):
        with pytest.raises(am.AmaltheaError, match="one file at a time"):
            predictions(trained(name), [str(path), "CCO"])
