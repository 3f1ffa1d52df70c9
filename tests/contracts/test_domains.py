"""What every domain must keep: features belong to a row alone, and survive being saved as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains import domain, domains, recognise
from amalthea.domains.protocol import Defaults, Domain, Featurizer, Featurizing
from amalthea.errors import DataError

Y = [1.5, 2.5, 0.5, 4.5, 3.5, 2.25]
SAMPLES = {
    "molecules": (
        pd.DataFrame({"drug": ["CCO", "OCC", "c1ccccc1", "CC(", "CCN.Cl", "CC(=O)O"], "y": Y}),
        pd.DataFrame({"drug": ["CCO", "CC(", "c1ccncc1"]}),
    ),
    "tables": (
        pd.DataFrame({"mass": [2, 2, 3.5, None, 1, 8], "colour": ["a", "a", "b", None, "b", "a"], "y": Y}),
        pd.DataFrame({"mass": [2, None, 5.5], "colour": ["a", None, "b"]}),
    ),
    "signals": (
        pd.DataFrame(
            {
                "1nm": [0.5, 0.5, 3, None, 2, 1],
                "2nm": [1, 1, 2, None, 4, None],
                "3nm": [0.25, 0.25, 5, None, 1, 1],
                "4nm": [2, 2, 1, None, 0, 1],
                "5nm": [1, 1, 3.5, None, 2, 1],
                "y": Y,
            }
        ),
        pd.DataFrame(
            {
                "1nm": [0.5, None, 1],
                "2nm": [1, None, 2],
                "3nm": [0.25, None, 0],
                "4nm": [2, None, 5],
                "5nm": [1, None, 1],
            }
        ),
    ),
}
"""For each domain a table whose first two rows are copies and whose fourth is bad; inputs whose second is bad."""

ASKED = {"signals": {"sequence": ("1nm:5nm",)}}
"""What must be asked for where a table does not show it."""

CASES = [(name, choice) for name in (*SAMPLES, "images") for choice in domain(name).feature_choices]


def pictures(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the samples of the images domain, whose pictures lie in a folder."""
    random = np.random.default_rng(0)
    for name in ("one", "copy", "other", "fifth", "sixth"):
        pixels = random.integers(0, 256, (6, 5, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    (folder / "copy.png").write_bytes((folder / "one.png").read_bytes())
    (folder / "bad.png").write_bytes(b"no picture")
    table = pd.DataFrame({"picture": [f"{name}.png" for name in ("one", "copy", "other", "bad", "fifth", "sixth")]})
    samples = table.assign(y=Y), table.iloc[[0, 3, 4]].reset_index(drop=True)
    for sample in samples:
        sample.attrs["folder"] = str(folder)
    return samples


def text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as if it were read from a file that lies where the pictures do."""
    read = as_text(table)
    read.attrs["folder"] = table.attrs.get("folder", ".")
    return read


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    home: Domain
    dataset: Dataset
    featurizer: Featurizer
    asked: pd.DataFrame

    @property
    def features(self) -> np.ndarray:
        return self.featurizer.transform(self.dataset.examples)[0]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    name, choice = request.param
    table, asked = pictures(tmp_path) if name == "images" else SAMPLES[name]
    home = domain(name)
    dataset = home.dataset(text(table), "sample", ReadOptions(target=("y",), **ASKED.get(name, {})))
    return Case(home, dataset, home.featurizers(dataset, choice)[0], asked)


@pytest.mark.parametrize("name", [*(name for name in SAMPLES if name not in ASKED), "images"])
def test_a_domain_recognises_its_own(name: str, tmp_path: Path) -> None:
    assert domain(name).name == name
    table, _ = pictures(tmp_path) if name == "images" else SAMPLES[name]
    assert recognise(text(table)).name == name


@pytest.mark.parametrize("name", [each.name for each in domains()])
def test_every_domain_has_what_all_have(name: str) -> None:
    home = domain(name)
    if isinstance(home, Featurizing):
        assert home.feature_choices[0] == home.network_choices[0] == "auto"
    assert not home.claims(Path("table.csv"))
    assert not home.claims(Path("nowhere"))


def test_an_unknown_domain_brings_the_list() -> None:
    with pytest.raises(DataError, match="images, molecules"):
        domain("galaxies")


def test_a_network_is_proposed_for_the_features(case: Case) -> None:
    defaults = case.home.defaults(case.dataset, "auto")
    assert isinstance(defaults, Defaults)
    featurizer = case.home.featurizers(case.dataset, "auto")[0]
    model = case.home.network(featurizer, case.dataset.targets, defaults, steps=10)
    assert model.compiled
    assert model.input_shape == (None, *featurizer.shape)
    assert model.output_shape == (None, sum(target.width for target in case.dataset.targets))


def test_a_bad_row_is_refused_and_the_others_are_kept(case: Case) -> None:
    assert [refusal.row for refusal in case.dataset.refused] == [4]
    assert case.dataset.rows.tolist() == [1, 2, 3, 5, 6]
    assert case.dataset.values[:, 0].tolist() == [1.5, 2.5, 0.5, 3.5, 2.25]
    assert case.dataset.domain == case.home.name


def test_copies_share_a_group_and_their_features(case: Case) -> None:
    groups = case.dataset.groups
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == len(groups) - 1
    np.testing.assert_array_equal(case.features[0], case.features[1])


def test_every_feature_has_a_name_of_its_own(case: Case) -> None:
    assert case.features.shape == (len(case.dataset), *case.featurizer.shape)
    assert np.prod(case.featurizer.shape) == len(case.featurizer.feature_names)
    assert case.features.dtype == case.featurizer.dtype
    assert len(set(case.featurizer.feature_names)) == len(case.featurizer.feature_names)
    assert not np.isinf(case.features).any()


def test_a_featurizer_survives_json(case: Case) -> None:
    again = case.home.restore(json.loads(json.dumps(case.featurizer.state())))
    np.testing.assert_array_equal(again.transform(case.dataset.examples)[0], case.features)
    assert list(again.feature_names) == list(case.featurizer.feature_names)
    assert (again.name, again.metric) == (case.featurizer.name, case.featurizer.metric)
    assert again.state() == case.featurizer.state()


def test_features_of_a_row_do_not_depend_on_other_rows(case: Case) -> None:
    for row in range(len(case.dataset)):
        alone, _ = case.featurizer.transform(case.dataset.examples.iloc[[row]])
        np.testing.assert_array_equal(alone[0], case.features[row])


def test_a_bad_input_stays_in_its_place(case: Case) -> None:
    inputs = case.home.inputs(case.asked, json.loads(json.dumps(case.home.input_state(case.dataset))))
    assert len(inputs) == len(inputs.examples) == len(inputs.problems) == len(inputs.warnings) == 3
    assert [bool(problem) for problem in inputs.problems] == [False, True, False]
    assert inputs.examples.index.equals(inputs.table.index)
    assert inputs.examples.iloc[1].drop("name", errors="ignore").isna().all()
    features, problems = case.featurizer.transform(inputs.examples)
    assert problems[1] or np.isnan(features[1]).all()
    np.testing.assert_array_equal(features[0], case.features[0])


def test_progress_ends_with_all_rows(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMALTHEA_CACHE", str(tmp_path))
    seen: list[tuple[int, int]] = []
    case.featurizer.transform(case.dataset.examples, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(case.dataset), len(case.dataset))


def test_packed_examples_are_unpacked_as_they_were(case: Case) -> None:
    table, parts = case.home.pack(case.dataset.examples)
    again = case.home.unpack(table, parts)
    assert list(again) == [*table, *(name for name in case.dataset.examples if name not in table)]
    np.testing.assert_array_equal(case.featurizer.transform(again)[0], case.features)


def test_an_unknown_kind_of_group_is_refused(case: Case) -> None:
    with pytest.raises(DataError, match="colour"):
        case.home.groups(case.dataset, "colour")
