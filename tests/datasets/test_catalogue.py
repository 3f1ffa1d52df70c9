"""The catalogue finds its data, downloads them with a checksum, and says what to do where it cannot."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from amalthea.datasets import catalogue
from amalthea.datasets.catalogue import CATALOGUE, Entry, Source, entries, known, load, locate
from amalthea.datasets.dataset import ReadOptions
from amalthea.domains import recognise
from amalthea.domains.protocol import Domain
from amalthea.errors import DataError, MissingDependencyError

SERIES = ("airline", "co2", "sunspots")
CONTENT = b"smiles,y\nCCO,1.5\nCCCO,2.5\nCCCCO,3\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "alcohols.csv").write_bytes(CONTENT)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def alcohols(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    source = Source("alcohols/alcohols.csv", server + "alcohols.csv", hashlib.sha256(CONTENT).hexdigest())
    entry = dataclasses.replace(CATALOGUE["esol"], name="alcohols", files=(source,), target="y", references={})
    monkeypatch.setitem(CATALOGUE, "alcohols", entry)
    monkeypatch.setenv("AMALTHEA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AMALTHEA_DATA", raising=False)
    return entry


def change_source(monkeypatch: pytest.MonkeyPatch, entry: Entry, **changes: str) -> None:
    source = dataclasses.replace(entry.files[0], **changes)
    monkeypatch.setitem(CATALOGUE, entry.name, dataclasses.replace(entry, files=(source,)))


def domain_of(table: pd.DataFrame, options: ReadOptions) -> Domain:
    return recognise(table)


def test_a_download_is_kept(alcohols: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alcohols.describe()["lies"] == "to be downloaded"
    (path,) = locate("alcohols")
    assert path == tmp_path / "cache" / "alcohols" / "alcohols.csv"
    assert path.read_bytes() == CONTENT
    assert alcohols.describe()["lies"] == str(path)
    change_source(monkeypatch, alcohols, address="http://127.0.0.1:9/alcohols.csv")
    assert locate("alcohols") == (path,)


def test_a_damaged_file_in_the_cache_is_fetched_again(alcohols: Entry) -> None:
    (path,) = locate("alcohols")
    path.write_bytes(CONTENT[:10])
    assert locate("alcohols")[0].read_bytes() == CONTENT


def test_a_folder_of_data_goes_first(alcohols: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "data" / "alcohols" / "alcohols.csv"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(CONTENT + b"CCCCCO,4\n")
    monkeypatch.setenv("AMALTHEA_DATA", str(tmp_path / "data"))
    assert locate("alcohols") == (mine,)
    assert len(load("alcohols", ReadOptions(), domain_of)) == 4


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.csv", None])
def test_without_internet_the_address_and_the_variable_are_named(
    alcohols: Entry, server: str, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address or server + "nothing-here.csv"
    change_source(monkeypatch, alcohols, address=address)
    with pytest.raises(DataError) as caught:
        locate("alcohols")
    for said in (address, "AMALTHEA_DATA", "alcohols/alcohols.csv", "internet"):
        assert said in str(caught.value)


def test_another_file_than_expected_is_not_kept(
    alcohols: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_source(monkeypatch, alcohols, sha256="0" * 64)
    with pytest.raises(DataError, match="its SHA-256 differs"):
        locate("alcohols")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_cache_that_cannot_be_written_is_named(
    alcohols: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AMALTHEA_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be kept in .*AMALTHEA_CACHE"):
        locate("alcohols")


def test_an_unknown_name_brings_the_list() -> None:
    assert not known("esoll")
    with pytest.raises(DataError, match=r"no data set 'esoll'. It has: cmet, esol, mnist, silicon, etth1, m4-hourly, "):
        locate("esoll")


def test_every_entry_tells_what_it_is() -> None:
    names = [entry.name for entry in entries()]
    assert names[:6] == ["cmet", "esol", "mnist", "silicon", "etth1", "m4-hourly"]
    assert {"gunpoint", "italy-power", "japanese-vowels", "coffee", "coffee-origins", "glucose", *SERIES} < set(names)
    for entry in entries():
        described = entry.describe()
        assert all(described[word] for word in ("what", "rows", "megabytes", "licence", "citation", "lies"))
        assert all(source.package or len(source.sha256) == 64 for source in entry.files)


def test_wheels_carry_cmet_and_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMALTHEA_DATA", raising=False)
    assert all(path.is_file() for name in ("cmet", "digits") for path in locate(name))


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        catalogue.importlib.util, "find_spec", lambda name: None if name == "rdkit" else find_spec(name)
    )
    with pytest.raises(MissingDependencyError, match="rdkit, which is not installed"):
        locate("cmet")


def test_cmet_is_classified_at_its_threshold_unless_told_otherwise() -> None:
    dataset = load("cmet", ReadOptions(), domain_of)
    assert len(dataset) == 1017
    assert dataset.targets[0].threshold == 6.5
    activity = dataset.columns["Act"].astype(float)
    assert (dataset.values[:, 0] == (activity >= 6.5)).all()
    assert load("cmet", ReadOptions(threshold=7.0), domain_of).values.sum() == (activity >= 7).sum()
    for options in (ReadOptions(threshold=float("nan")), ReadOptions(task="regression")):
        assert load("cmet", options, domain_of).targets[0].task == "regression"
    assert len(dataset.fingerprint) == 64
    assert dataset.rows.tolist() == list(range(2, 1019))
