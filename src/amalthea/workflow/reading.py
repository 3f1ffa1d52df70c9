"""From a file, a table or a name to a `Dataset`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amalthea.data import catalogue, files
from amalthea.data.columns import as_text
from amalthea.data.dataset import Dataset, ReadOptions, Target
from amalthea.domains import domain, recognise
from amalthea.domains.protocol import Domain
from amalthea.errors import DataError


def read(
    source: str | os.PathLike[str] | pd.DataFrame,
    target: str | Sequence[str] = (),
    *,
    task: Any = None,
    threshold: float | None = None,
    strict: bool = False,
    smiles: str | None = None,
    clean: bool = True,
    ignore: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> Dataset:
    """Read a file, a table or a data set of the catalogue.

    Args:
        source: a file, a pandas table, or a catalogue name ("cmet", "esol").
        target: the column, or columns, to be learned; may be left out where only one can be meant.
        task: "regression" or "classification", where the values suggest the wrong one.
        threshold: makes two classes of a number, value >= threshold; NaN asks for none where the catalogue has one.
        strict: refuse the file if one row must be refused.
        smiles: the SMILES column, where it is not found by itself.
        clean: keep each molecule's largest fragment, neutralized.
        ignore: columns that must not become features.
        keep: columns that become features of a table even where they look like names of the rows.

    Raises:
        DataError: the file cannot be used; the message says what was found and what to do.
    """
    names = (target,) if isinstance(target, str) else tuple(target)
    options = ReadOptions(names, task, threshold, strict, smiles, clean, tuple(ignore), tuple(keep))
    if isinstance(source, pd.DataFrame):
        frame = as_text(source)
        return _domain_of(frame, options).dataset(frame, "table", options)
    if catalogue.known(str(source)):
        return catalogue.load(str(source), options, _domain_of)
    path = Path(source)
    table = files.read_table(path)
    dataset = _domain_of(table, options).dataset(table, path.stem, options)
    return dataclasses.replace(dataset, fingerprint=files.fingerprint(path))


def align(dataset: Dataset, targets: Sequence[Target]) -> Dataset:
    """Return new labelled data with the codes of classes that a model's targets have.

    Raises:
        DataError: the data hold another kind of target, or a class that the model does not know.
    """
    values = dataset.values.copy()
    for index, (own, target) in enumerate(zip(dataset.targets, targets, strict=True)):
        if own.task != target.task:
            raise DataError(f"{target.name!r} is a {target.task} in the model and a {own.task} in these data.")
        unknown = set(own.classes) - set(target.classes)
        if unknown:
            raise DataError(f"The model does not know these classes of {target.name!r}: {', '.join(sorted(unknown))}.")
        if target.task == "classification":
            codes = np.array([target.classes.index(label) for label in own.classes], float)
            known = np.isfinite(values[:, index])
            values[known, index] = codes[values[known, index].astype(int)]
    return dataclasses.replace(dataset, values=values, targets=tuple(targets))


def _domain_of(table: pd.DataFrame, options: ReadOptions) -> Domain:
    return domain("molecules") if options.smiles else recognise(table)
