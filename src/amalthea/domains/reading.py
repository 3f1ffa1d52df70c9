"""From a file, a table or a name to a `Dataset`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amalthea.datasets import catalogue, files
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.datasets.encoding import COMPRESSED
from amalthea.datasets.messages import listed
from amalthea.domains import claimed, domain, domains, recognise
from amalthea.domains.protocol import Domain
from amalthea.errors import DataError


def read(
    source: str | os.PathLike[str] | pd.DataFrame | Sequence[str | os.PathLike[str]],
    target: str | Sequence[str] = (),
    *,
    task: Any = None,
    threshold: float | None = None,
    strict: bool = False,
    smiles: str | None = None,
    clean: bool | None = None,
    ignore: Sequence[str] = (),
    keep: Sequence[str] = (),
    beside: Sequence[str] = (),
    sheet: str | None = None,
    header_line: int | None = None,
    length_unit: str = "bohr",
    energy_unit: str = "hartree",
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
    size: int | None = None,
    intensity: str | None = None,
    frame: str | None = None,
    label_from_name: bool = False,
    time: str | None = None,
    horizon: int | None = None,
    series: str | None = None,
    known: Sequence[str] = (),
    fixed: Sequence[str] = (),
    every: str | None = None,
    sequence: str | Sequence[str] | None = None,
    order: str | None = None,
) -> Dataset:
    """Read files, a folder, a table or a data set of the catalogue.

    Args:
        source: a file, several, or a folder; a pandas table; or a catalogue name ("cmet", "mnist").
        target: the column, or columns, to be learned; may be left out where only one can be meant.
        task: "regression" or "classification", where the values suggest the wrong one.
        threshold: makes two classes of a number, value >= threshold; NaN asks for none where the catalogue has one.
        strict: refuse the file if one row must be refused.
        smiles: the SMILES column, where it is not found by itself.
        clean: keep each molecule's largest fragment, neutralized; None: unless that makes copies that contradict one
            another.
        ignore: columns that must not become features.
        keep: columns that become features of a table even where they look like names of the rows, or say the target;
            and numbers, as text, that do not stand for "no value" though they look like it.
        beside: columns beside molecules that become features; those that differ among the rows of one molecule do so
            by themselves.
        sheet: of a workbook; None: the first that holds a table.
        header_line: the line with the columns' names; None: it is looked for.
        length_unit: of n2p2's files, which do not say it: "bohr" or "angstrom".
        energy_unit: of n2p2's files: "hartree" or "ev".
        energy_key: what structures call their energy, where the usual names mislead; "none": it is not read.
        forces_key: the same of forces.
        stress_key: the same of a stress or virial.
        size: pictures with a longer side are shrunk to this one, in pixels; None: 64.
        intensity: of pictures with more than 8 bits: "set" takes one range of values for all, "each" its own for each,
            "LOW,HIGH" these; a model keeps the range.
        frame: of stacks of frames "max" (the brightest value of all), "first" or a number from 1; None: "max" of TIFF.
        label_from_name: a picture's class is what its name says besides numbers, not its folder.
        time: of series, the column that says when; may be left out where only one column holds dates.
        horizon: of series, how many steps are foretold: it makes series of a table.
        series: the column that tells series apart, where there are several.
        known: columns that are known in advance (prices, holidays).
        fixed: columns that never change within a series.
        every: the step to which irregular series are averaged: "1h", "15min", "1d", "1M".
        sequence: of spectra and other whole sequences, one a row: their columns, as a range "850nm:1050nm", a pattern
            "x_*" or names; of an .npz the array; with `order`, the columns of values.
        order: of sequences with one place a row, the column of places ("wavelength"); `series` tells them apart.

    Raises:
        DataError: the file cannot be used; the message says what was found and what to do.
    """
    names = (target,) if isinstance(target, str) else tuple(target)
    if sequence is None and order is not None:
        sequence = ()
    asked = (sequence,) if isinstance(sequence, str) else sequence
    options = ReadOptions(
        names, task, threshold, strict, smiles, clean, tuple(ignore), tuple(keep), tuple(beside),
        sheet, header_line, length_unit, energy_unit, energy_key, forces_key, stress_key,
        size, intensity, frame, label_from_name,
        time, horizon, series, tuple(known), tuple(fixed), every, None if asked is None else tuple(asked), order,
    )  # fmt: skip
    if isinstance(source, pd.DataFrame):
        rows = as_text(source)
        return _domain_of(rows, options).dataset(rows, "table", options)
    if isinstance(source, str) and catalogue.known(source):
        kind = catalogue.CATALOGUE[source].domain
        if not kind:
            return catalogue.load(source, options, _domain_of)
        return _read_files(domain(kind), catalogue.locate(source), source, options)
    paths = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    wanted = _asked(options)
    kinds = [wanted if wanted is not None and wanted.claims(path) else claimed(path) for path in paths]
    if kinds and kinds[0] is not None and all(kind is kinds[0] for kind in kinds):
        return _read_files(kinds[0], paths, paths[0].stem, options)
    if len(paths) != 1:
        raise DataError(f"several files are read together only if all hold structures. Received: {listed(paths)}.")
    table = files.read_table(paths[0], sheet, header_line)
    name = Path(paths[0].stem).stem if paths[0].suffix in COMPRESSED else paths[0].stem
    dataset = _domain_of(table, options).dataset(table, name, options)
    return dataclasses.replace(dataset, fingerprint=files.fingerprint(*paths))


def _read_files(kind: Domain, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
    return dataclasses.replace(kind.read(paths, name, options), fingerprint=files.fingerprint(*paths))


def _domain_of(table: pd.DataFrame, options: ReadOptions) -> Domain:
    return _asked(options) or recognise(table)


def _asked(options: ReadOptions) -> Domain | None:
    """Return the domain whose option was given, if one was."""
    if options.time is not None and options.horizon is None:
        raise DataError(
            f"--time {options.time} makes series of a table only with --horizon: give the number of steps to be "
            f"foretold. For rows whose past is to predict their future: --split time --time-column {options.time}."
        )
    asked = (each for each in domains() if each.asked_by and getattr(options, each.asked_by) is not None)
    return next(asked, None)
