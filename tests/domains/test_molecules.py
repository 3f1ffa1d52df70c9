"""Molecules: the same molecule is the same however it is written, cleaned aloud, and never stops a file."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from amalthea.datasets.catalogue import load
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.datasets.splits import group_folds, together
from amalthea.domains import recognise
from amalthea.domains.molecules import DOMAIN, descriptors
from amalthea.domains.molecules.cache import FeatureCache
from amalthea.domains.molecules.cleaning import clean
from amalthea.domains.molecules.columns import find_smiles_column
from amalthea.domains.molecules.descriptors import describe, descriptor_names
from amalthea.domains.molecules.featurizers import Descriptors, Morgan
from amalthea.domains.molecules.grouping import scaffold
from amalthea.errors import DataError

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@@H](C(=O)O)N",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "O=[N+]([O-])c1ccc(Cl)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "F/C=C/F",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "[2H]C([2H])([2H])O",
    "CC(=O)[O-].[Na+]",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "B(O)(O)c1ccccc1",
]


@pytest.fixture(scope="module")
def cmet() -> Dataset:
    return load("cmet", ReadOptions(), lambda table, _: recognise(table))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(smiles=st.sampled_from(MOLECULES), seed=st.integers(1, 2**31 - 1))
def test_the_way_of_writing_a_molecule_does_not_matter(smiles: str, seed: int) -> None:
    (written,) = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 1, randomSeed=seed)
    first, second = clean(smiles).smiles, clean(written).smiles
    assert first == second
    for featurizer in (Descriptors(["MolWt", "MolLogP", "TPSA", "Ipc", "BalabanJ"]), Morgan()):
        a, _ = featurizer.transform(pd.DataFrame({"smiles": [first]}))
        b, _ = featurizer.transform(pd.DataFrame({"smiles": [second]}))
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_cleaning_what_is_clean_changes_nothing(smiles: str) -> None:
    once = clean(smiles)
    assert clean(once.smiles)[:3] == (once.smiles, "", ())


@pytest.mark.parametrize(
    ("smiles", "cleaned", "changes"),
    [
        ("CCN.Cl", "CCN", ("salt removed",)),
        ("CC[NH3+].[Cl-]", "CCN", ("salt removed", "charge neutralized")),
        ("CC(=O)[O-]", "CC(=O)O", ("charge neutralized",)),
        ("C[N+](C)(C)C", "C[N+](C)(C)C", ()),
        ("C[N+](=O)[O-]", "C[N+](=O)[O-]", ()),
        ("OCC", "CCO", ()),
    ],
)
def test_each_change_is_told(smiles: str, cleaned: str, changes: tuple[str, ...]) -> None:
    assert clean(smiles)[:3] == (cleaned, "", changes)


def test_cleaning_can_be_switched_off() -> None:
    assert clean("CCN.Cl", thorough=False)[:3] == ("CCN.Cl", "", ())


@pytest.mark.parametrize(
    ("smiles", "problem"),
    [
        (None, "no SMILES"),
        ("  ", "no SMILES"),
        ("c1ccccc", "'c1ccccc' cannot be read as SMILES"),
        ("C(C)(C)(C)(C)C", "cannot be read as SMILES"),
        ("[H][H]", "has no heavy atom"),
        ("C" * 501, "has 501 heavy atoms; at most 500"),
        ("C" * 10_001, "a SMILES of 10,001 characters"),
        ("not a molecule", "cannot be read as SMILES"),
    ],
)
def test_what_is_no_molecule_says_why(smiles: str | None, problem: str) -> None:
    cleaned = clean(smiles)
    assert cleaned.smiles is None
    assert problem in cleaned.problem


def test_rdkit_keeps_silent(capfd: pytest.CaptureFixture[str]) -> None:
    rdBase.LogToPythonStderr()
    clean("c1ccccc")
    find_smiles_column(as_text(pd.DataFrame({"smiles": ["c1ccccc", "CCO", "C1CC"]})))
    assert capfd.readouterr() == ("", "")


def test_a_molecule_of_500_atoms_is_described() -> None:
    values = describe("C" * 500, descriptor_names())
    assert values[descriptor_names().index("HeavyAtomCount")] == 500
    assert np.isnan(values[descriptor_names().index("Ipc")])


def test_the_column_is_found_by_its_content() -> None:
    table = as_text(pd.DataFrame({"name": ["ethanol", "benzene"], "structure": ["CCO", "c1ccccc1"], "y": [1, 2]}))
    assert find_smiles_column(table) == "structure"
    assert find_smiles_column(table.drop(columns="structure")) is None


def test_a_column_called_smiles_goes_first() -> None:
    columns = {"product": ["CCO", "CCCC"], "canonical_SMILES": ["C", "N"], "smiles": ["CC", "CCC"]}
    assert find_smiles_column(as_text(pd.DataFrame(columns))) == "smiles"
    del columns["smiles"]
    assert find_smiles_column(as_text(pd.DataFrame(columns))) == "canonical_SMILES"


def test_a_few_bad_smiles_do_not_hide_the_column() -> None:
    values = ["CCO", "c1ccccc1", "CC(C)=O", "CCCl", "CC(", "CCN", None, "CCCC", "CC#N", "O=C=O"]
    assert find_smiles_column(as_text(pd.DataFrame({"drug": values}))) == "drug"
    assert find_smiles_column(as_text(pd.DataFrame({"drug": [*values, "CC(", "CC(", "CC("]}))) is None


def test_a_molecule_in_the_place_of_the_header_is_noticed() -> None:
    with pytest.raises(DataError, match=r"holds the molecule 'CC\(=O\)O'.*call the file .smi"):
        find_smiles_column(as_text(pd.DataFrame({"CC(=O)O": ["CCO", "c1ccccc1"]})))


def test_no_smiles_column_brings_the_columns() -> None:
    table = as_text(pd.DataFrame({"a": [1.5, 2, 3], "y": [1.5, 2, 4]}))
    with pytest.raises(DataError, match=r"no column holds SMILES\. The columns are: a, y\. Name the right one"):
        DOMAIN.dataset(table, "x", ReadOptions(target=("y",)))
    with pytest.raises(DataError, match=r"no column 'SMILES'. Did you mean 'smile'\?"):
        DOMAIN.dataset(as_text(pd.DataFrame({"smile": ["C"]})), "x", ReadOptions(smiles="SMILES"))


def test_changes_are_counted_in_the_notes() -> None:
    table = as_text(pd.DataFrame({"s": ["CCN.Cl", "CCC(=O)[O-].[Na+]", "CCO", "CCCC"], "y": [1.5, 2, 3, 4]}))
    notes = DOMAIN.dataset(table, "x", ReadOptions()).notes
    assert "Salt removed in 2 molecules: CCN.Cl -> CCN, CCC(=O)[O-].[Na+] -> CCC(=O)O." in notes
    assert "Charge neutralized in 1 molecule: CCC(=O)[O-].[Na+] -> CCC(=O)O." in notes
    assert "The molecules are in column 's'." in notes
    assert not any("removed" in note for note in DOMAIN.dataset(table, "x", ReadOptions(clean=False)).notes)


def test_inputs_of_every_kind(tmp_path: Path) -> None:
    state = {"column": "drug", "clean": True}
    path = tmp_path / "new.csv"
    path.write_text("note;compound\nfirst;CCN.Cl\nsecond;CC(\nthird;c1ccccc1\nfourth;a;b\n")
    inputs = DOMAIN.inputs(path, state)
    assert inputs.examples["smiles"].tolist() == ["CCN", None, "c1ccccc1", None]
    assert inputs.warnings.tolist() == ["salt removed", "", "", ""]
    assert inputs.problems.tolist() == [
        "",
        "'CC(' cannot be read as SMILES",
        "",
        "has 3 fields where the header has 2",
    ]
    assert inputs.table["note"].tolist()[:3] == ["first", "second", "third"]
    pieces = list(DOMAIN.read_inputs(path, state, rows=2))
    pd.testing.assert_frame_equal(pd.concat([piece.examples for piece in pieces]), inputs.examples)
    frame = DOMAIN.inputs(pd.DataFrame({"drug": ["CCO"], "other": ["CCCC"]}), state)
    assert frame.examples["smiles"].tolist() == ["CCO"]
    assert DOMAIN.inputs("OCC", state).examples["smiles"].tolist() == ["CCO"]
    assert DOMAIN.inputs(["OCC", None, 5.0], state).problems.tolist() == ["", "no SMILES", "no SMILES"]
    assert len(DOMAIN.inputs([], state)) == 0


def test_scaffolds() -> None:
    assert scaffold("CCC1CCCCC1") == scaffold("OC1CCCCC1") == "C1CCCCC1"
    assert scaffold("C[C@@H]1CCCN1") == scaffold("C[C@H]1CCCN1")
    assert scaffold("CCCO") == ""


def test_scaffolds_and_copies_stay_whole_in_a_split(cmet: Dataset) -> None:
    scaffolds = DOMAIN.groups(cmet, "scaffold")
    for seed in range(3):
        fold_ids = group_folds(together(scaffolds, cmet.groups), 5, seed)
        folds_of = pd.Series(fold_ids).groupby(scaffolds).nunique()
        assert (folds_of == 1).all()
        sizes = np.bincount(fold_ids)
        assert sizes.max() - sizes.min() <= np.bincount(scaffolds).max()
    with pytest.raises(DataError, match="cannot be split by 'colour'"):
        DOMAIN.groups(cmet, "colour")


def test_automatic_features_follow_the_task(cmet: Dataset) -> None:
    assert DOMAIN.featurizers(cmet, "auto")[0].name == "morgan"
    regression = load("cmet", ReadOptions(threshold=float("nan")), lambda table, _: recognise(table))
    assert DOMAIN.featurizers(regression, "auto")[0].name == "descriptors"
    with pytest.raises(DataError, match=r"no features 'images'\. Choose one of: auto, descriptors, morgan, both"):
        DOMAIN.featurizers(cmet, "images")


def test_descriptors_are_finite_and_tame(cmet: Dataset) -> None:
    """`Ipc` reaches 1.5e12 unclipped, which blew a fold up."""
    features, problems = Descriptors().transform(cmet.examples.head(40))
    assert features.dtype == np.float32
    assert not np.isinf(features).any()
    assert not problems.any()
    ipc = features[:, descriptor_names().index("Ipc")]
    assert ((ipc > 1) & (ipc < 30)).all()


def test_descriptors_equal_rdkits_own() -> None:
    from rdkit.Chem import Descriptors as Own

    expected = Own.CalcMolDescriptors(Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O"))
    found = dict(zip(descriptor_names(), describe("CC(=O)Oc1ccccc1C(=O)O", descriptor_names()), strict=True))
    assert found.keys() == expected.keys()
    expected["Ipc"] = np.log10(1 + expected["Ipc"])
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6)


def test_morgan_counts_fragments() -> None:
    features, _ = Morgan().transform(pd.DataFrame({"smiles": ["CCCCCC", "CCO"]}))
    counts = np.expm1(features.astype(float))
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-5)
    assert counts[0].max() == pytest.approx(4), "the four inner atoms of hexane are alike"


def test_several_processes_compute_what_one_does(cmet: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    smiles = cmet.examples["smiles"].tolist()[:60]
    names = ("MolWt", "TPSA")
    alone = np.concatenate(list(descriptors.describe_all(smiles, names)))
    monkeypatch.setattr(descriptors, "WORTH_A_POOL", 1)
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    np.testing.assert_array_equal(np.concatenate(list(descriptors.describe_all(smiles, names))), alone)


FEW = pd.DataFrame({"smiles": ["CCO", "c1ccccc1", None, "CCO", "CCN"]})


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("AMALTHEA_CACHE", str(folder))
    return folder


def never(*arguments: object) -> None:
    raise AssertionError("nothing should have to be computed")


def test_cached_features_are_the_computed_ones(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    computed, problems = Descriptors().transform(FEW, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)
    assert problems.tolist() == ["", "", "no molecule", "", ""]
    assert np.isnan(computed[2]).all()
    monkeypatch.setattr(descriptors, "describe", never)
    np.testing.assert_array_equal(Descriptors().transform(FEW)[0], computed)
    np.testing.assert_array_equal(Descriptors(["TPSA"]).transform(FEW)[0][:, 0], computed[:, _place("TPSA")])


def _place(name: str) -> int:
    return descriptor_names().index(name)


@pytest.mark.parametrize("damage", ["foreign", "truncated", "emptied", "flipped", "another table", "a folder"])
def test_a_damaged_cache_is_computed_anew(cache_folder: Path, damage: str) -> None:
    computed, _ = Descriptors().transform(FEW)
    (path,) = cache_folder.iterdir()
    content = path.read_bytes()
    match damage:
        case "foreign":
            path.write_bytes(b"no database at all, but long enough to be one" * 100)
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "emptied":
            path.write_bytes(b"")
        case "flipped":
            path.write_bytes(bytes(byte ^ 0x01 if 3000 < place < 4000 else byte for place, byte in enumerate(content)))
        case "another table":
            path.unlink()
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE features (colour TEXT)")
            connection.close()
        case "a folder":
            path.unlink()
            path.mkdir()
    for _ in range(2):
        np.testing.assert_array_equal(Descriptors().transform(FEW)[0], computed)


def test_a_cache_that_cannot_be_kept_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AMALTHEA_CACHE", str(tmp_path / "file"))
    assert np.isfinite(Descriptors().transform(FEW)[0][0]).any()


def test_a_vector_with_a_flipped_bit_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    cache = FeatureCache(path, width=3)
    vectors = {"CCO": np.array([1, 2, 3], np.float32), "CCN": np.array([4, 5, np.nan], np.float32)}
    cache.keep(vectors)
    found = cache.find(["CCN", "CCO", "CCC"])
    assert found.keys() == vectors.keys()
    np.testing.assert_array_equal(found["CCN"], vectors["CCN"])
    content = path.read_bytes()
    path.write_bytes(content.replace(vectors["CCO"].tobytes(), np.array([1, 2, 9], np.float32).tobytes()))
    assert path.read_bytes() != content
    assert list(cache.find(["CCN", "CCO"])) == ["CCN"]
    assert FeatureCache(path, width=4).find(["CCN"]) == {}


def _keep_many(path: str, start: int) -> None:
    cache = FeatureCache(Path(path), width=2)
    for number in range(start, start + 40):
        cache.keep({str(number): np.array([number, 1], np.float32)})


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_keep_many, args=(str(path), start)) for start in (0, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = FeatureCache(path, width=2).find(map(str, range(80)))
    assert all(found[str(number)][0] == number for number in range(80))


needs_data = pytest.mark.skipif(
    "AMALTHEA_DATA" not in os.environ, reason="AMALTHEA_DATA is not set: ESOL is not at hand"
)


@needs_data
def test_esol_as_its_page_describes_it() -> None:
    dataset = load("esol", ReadOptions(), lambda table, _: recognise(table))
    assert len(dataset) == 1128
    assert dataset.refused == ()
    assert dataset.targets[0].unit == "log10 mol/L"
    copies = np.bincount(dataset.groups)
    assert (copies == 2).sum() == 11
    assert any("copies of 6, by up to 1.03" in note for note in dataset.notes)
    scaffolds = DOMAIN.groups(dataset, "scaffold")
    assert np.bincount(scaffolds).max() == 317
    delaney = dataset.references["Delaney's linear model"]
    assert np.sqrt(np.mean((delaney - dataset.values[:, 0]) ** 2)) == pytest.approx(0.910, abs=0.001)
