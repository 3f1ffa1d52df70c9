"""A kind of data and a kind of answer that somebody else's package registers, from training to report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PACKAGE = '''
import numpy as np
import pandas as pd

from amalthea.datasets.dataset import Dataset, Inputs, Refusal, Target
from amalthea.domains.networks import defaults_for, dense
from amalthea.domains.protocol import Nouns
from amalthea.domains.tabular_inputs import Rows, Vectors
from amalthea.reporting.blocks import Paragraph, Section
from amalthea.tasks.columns.task import Columns

BASES = "ACGT"


class Shares(Vectors):
    """The share of each base."""

    name, feature_names, quantities, metric = "shares", list(BASES), 4, "euclidean"

    def transform(self, examples, progress=None):
        strands = [str(strand) for strand in examples["strand"]]
        shares = [[strand.count(base) / max(1, len(strand)) for base in BASES] for strand in strands]
        return np.array(shares, np.float32).reshape(len(examples), 4), np.full(len(examples), "", object)

    def state(self):
        return {}


class Strands(Rows):
    """A file NAME.strands: a strand and its value in each line."""

    name, task, precedence, nouns = "strands", "bounds", 5, Nouns("strand", "strands")
    feature_choices = ("auto", "shares")

    def claims(self, path):
        return path.suffix == ".strands"

    def recognises(self, table):
        return False

    def read(self, paths, name, options):
        table = pd.read_csv(paths[0], sep=" ", names=["strand", "value"])
        bad = [not set(strand) <= set(BASES) for strand in table["strand"]]
        refused = tuple(
            Refusal(row + 1, table["strand"][row], "no base is called so") for row in np.flatnonzero(bad).tolist()
        )
        good = table[~np.array(bad)]
        examples = good[["strand"]].reset_index(drop=True)
        groups = pd.factorize(examples["strand"])[0].astype(np.int64)
        return Dataset(
            name, self.name, examples, (Target("value", "regression"),), good[["value"]].to_numpy(float), groups,
            good.index.to_numpy(np.int64) + 1, examples, refused, task=self.task,
        )

    def labelled(self, source, targets, state):
        return self.read([source], source.stem, None)

    def inputs(self, source, state):
        table = pd.DataFrame({"strand": list(source)})
        problems = np.array(["" if set(s) <= set(BASES) else "no base is called so" for s in table["strand"]], object)
        return Inputs(table, table, problems, np.full(len(table), "", object))

    def read_inputs(self, path, state, rows):
        yield self.inputs([line.split()[0] for line in path.read_text().splitlines()], state)

    def input_state(self, dataset):
        return {}

    def featurizers(self, dataset, choice):
        return (Shares(),)

    def restore(self, state):
        return Shares()

    def defaults(self, dataset, network):
        return defaults_for(dataset.targets, len(dataset))

    def network(self, featurizer, targets, defaults, steps):
        return dense(featurizer, targets, defaults, steps)


class Bounds(Columns):
    """The answer is the lower bound alone."""

    name = "bounds"

    def columns(self, predictor, prediction, index):
        return pd.DataFrame(
            {"bound": prediction.lower, "problem": prediction.problems, "warning": prediction.warnings}, index=index
        )

    def sections(self, context):
        many = f"The bounds of {context.predictor.provenance.examples} strands."
        bounds = Section("bounds", "Bounds", "Nothing lies below.", [Paragraph(many)])
        return [bounds, *super().sections(context)]


STRANDS, BOUNDS = Strands(), Bounds()
'''

ENTRY_POINTS = """[amalthea.domains]
strands = outside:STRANDS
[amalthea.tasks]
bounds = outside:BOUNDS
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package, as pip would have laid it, and its data."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "outside.py").write_text(PACKAGE)
    described = folder / "outside-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    random = np.random.default_rng(0)
    strands = ["".join(random.choice(list("ACGT"), 12)) for _ in range(80)]
    lines = [f"{strand} {strand.count('G') + 0.1 * random.normal():.3f}" for strand in strands]
    (folder / "train.strands").write_text("\n".join([*lines[:60], "ACGX 1.0"]) + "\n")
    (folder / "test.strands").write_text("\n".join([*lines[60:], "NNNN 2.0"]) + "\n")
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the package can be found."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "amalthea", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, object]:
    done = run(
        folder, "train", "train.strands", "--test", "test.strands", "-o", "model.amalthea",
        "--folds", "3", "--members", "2", "--epochs", "40", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_trained_and_judged_and_bad_rows_are_told(trained: dict[str, object]) -> None:
    assert trained["examples"] == 60
    assert trained["refused"] == [{"row": 61, "example": "ACGX", "reason": "no base is called so"}]
    assert trained["test_refused"] == [{"row": 21, "example": "NNNN", "reason": "no base is called so"}]
    assert trained["metrics"]["rmse"]["value"] > 0
    assert set(trained["test_baselines"]) == {"mean", "linear", "kernel", "boosting"}


def test_it_is_opened_and_answers_with_columns_of_its_own(folder: Path, trained: dict[str, object]) -> None:
    done = run(folder, "predict", "model.amalthea", "test.strands", "-o", "answers.csv")
    assert done.returncode == 0, done.stderr
    header, *rows = (folder / "answers.csv").read_text().splitlines()
    assert header == "strand,bound,problem,warning"
    assert len(rows) == 21
    assert "no base is called so" in rows[-1]


def test_it_is_evaluated_as_its_test_set_was(folder: Path, trained: dict[str, object]) -> None:
    done = run(folder, "evaluate", "model.amalthea", "test.strands", "--json")
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(done.stdout)
    assert evaluation["metrics"] == trained["test"]
    assert evaluation["baselines"] == trained["test_baselines"]
    assert evaluation["refused"] == trained["test_refused"]


def test_its_report_has_its_own_sections(folder: Path, trained: dict[str, object]) -> None:
    done = run(folder, "report", "model.amalthea", "-o", "report.html")
    assert done.returncode == 0, done.stderr
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The bounds of 60 strands." in page
    assert "learned value from 60 strands of" in page
    assert "There is no such figure for this kind of data yet." in page


@pytest.mark.slow
def test_how_it_learned_is_explained(folder: Path, trained: dict[str, object]) -> None:
    done = run(folder, "explain", "model.amalthea", "-o", "explained", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["files"]) >= {"graph", "step", "trajectories"}
