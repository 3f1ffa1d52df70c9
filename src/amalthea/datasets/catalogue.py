"""The data sets that Amalthea knows by name: what they are, whence they come, and where they lie."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
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


def _read_catalogue() -> dict[str, Entry]:
    tables = tomllib.loads(resources.files("amalthea.datasets").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return {
        name: Entry(name=name, files=tuple(Source(**file) for file in fields.pop("files")), **fields)
        for name, fields in tables.items()
    }


CATALOGUE = _read_catalogue()
"""The data sets by name."""


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
