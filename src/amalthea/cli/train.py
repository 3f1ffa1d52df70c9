"""`amalthea train`."""

from __future__ import annotations

import math
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.closing import closing
from amalthea.cli.console import Console, Debug, Json, Lang, Quiet, Seed, by_target, check_output, figures
from amalthea.cli.units import EnergyUnit, LengthUnit
from amalthea.errors import AmaltheaError, Stopped


class Task(StrEnum):
    """What a target can be."""

    regression = "regression"
    classification = "classification"


class Split(StrEnum):
    """How rows are dealt to folds."""

    random = "random"
    scaffold = "scaffold"
    cluster = "cluster"
    group = "group"
    time = "time"
    column = "column"


def train(
    data: Annotated[
        list[str],
        typer.Argument(
            help="A table (CSV, TSV, Excel, Parquet; molecules also .smi, .sdf), a folder with one folder of pictures "
            "a class, images in .npz or IDX files, sequences in .ts or .npz, files or folders of atomic structures, or "
            "a name from `amalthea data`.",
            show_default=False,
        ),
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to save the model.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="The column to be learned; repeat it for several.")] = None,
    task: Annotated[Task | None, typer.Option(help="What the target is, where the values mislead.")] = None,
    threshold: Annotated[
        str | None, typer.Option(help="Make two classes of a number: value >= THRESHOLD; `none`: keep the number.")
    ] = None,
    smiles: Annotated[str | None, typer.Option(help="The SMILES column, where it is not found by itself.")] = None,
    clean: Annotated[
        bool | None,
        typer.Option(
            help="Keep each molecule's largest fragment, neutralized.",
            show_default="unless that makes copies that contradict one another",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A column to learn from whatever speaks against it; repeatable."),
    ] = None,
    beside: Annotated[
        list[str] | None, typer.Option("--with", help="A column beside the molecules to learn from; repeatable.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.", show_default="the first table")] = None,
    header_line: Annotated[
        int | None, typer.Option(min=1, help="The line with the columns' names.", show_default="looked for")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Refuse the file if one row must be refused.")] = False,
    test: Annotated[Path | None, typer.Option(help="A labelled test set of your own, judged apart.")] = None,
    features: Annotated[
        str,
        typer.Option(
            help="Molecules: auto, descriptors, morgan, both or stereo; sequences: auto, kernels, spectrum or trace."
        ),
    ] = "auto",
    symmetry_functions: Annotated[
        Path | None,
        typer.Option(help="Structures: symmetry functions of your own, in an input.nn as n2p2 reads it."),
    ] = None,
    length_unit: Annotated[
        LengthUnit, typer.Option(help="Of n2p2's files, which do not say it.", case_sensitive=False)
    ] = LengthUnit.bohr,
    energy_unit: Annotated[
        EnergyUnit, typer.Option(help="Of n2p2's files, which do not say it.", case_sensitive=False)
    ] = EnergyUnit.hartree,
    energy_key: Annotated[
        str | None, typer.Option(help="Structures: what the file calls the energy; `none`: it is not read.")
    ] = None,
    forces_key: Annotated[str | None, typer.Option(help="Structures: the same of the forces.")] = None,
    stress_key: Annotated[str | None, typer.Option(help="Structures: the same of the stress or virial.")] = None,
    size: Annotated[
        int | None, typer.Option(min=8, help="Images: the longer side in pixels to which larger ones are shrunk.")
    ] = None,
    intensity: Annotated[
        str | None,
        typer.Option(help="Images of more than 8 bits: one range for the `set`, `each` its own, or LOW,HIGH."),
    ] = None,
    frame: Annotated[str | None, typer.Option(help="Images with frames: `max` of all, `first`, or a number.")] = None,
    label_from_name: Annotated[
        bool, typer.Option("--label-from-name", help="Images: the class stands in a picture's name, as in cat.12.jpg.")
    ] = False,
    time: Annotated[str | None, typer.Option(help="Series: the column that says when.")] = None,
    horizon: Annotated[int | None, typer.Option(min=1, help="Series: the steps that are to be foretold.")] = None,
    series: Annotated[str | None, typer.Option(help="Series: the column that tells them apart.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="Series: columns known in advance, A,B; repeatable.")] = None,
    fixed: Annotated[
        list[str] | None, typer.Option(help="Series: columns that never change within one, A,B; repeatable.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="Series at irregular times: the step to which they are averaged, such as 1h.")
    ] = None,
    sequence: Annotated[
        list[str] | None,
        typer.Option(
            help="Whole sequences: their columns, FIRST:LAST, a pattern with *, or A,B; of .npz the array; repeatable.",
        ),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(help="Sequences with one place a row: the column of places; --series tells them apart."),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            help="Images: auto, convolution, dense, or your own: NAME.keras or module:function; series: auto, gru, "
            "lstm, convolution, nlinear, or your own."
        ),
    ] = "auto",
    model: Annotated[
        str | None,
        typer.Option(
            help="A simple model instead of networks, as the table of baselines names it: linear, kernel, boosting; of "
            "series theta, for instance."
        ),
    ] = None,
    augment: Annotated[
        bool | None,
        typer.Option(help="Shift, turn and scale pictures a little in training.", show_default="with convolution"),
    ] = None,
    split: Annotated[Split, typer.Option(help="How rows are dealt to folds.")] = Split.random,
    group: Annotated[str | None, typer.Option(help="The column whose equal values share a fold.")] = None,
    time_column: Annotated[
        str | None, typer.Option(help="The column that says when: the past predicts the future.")
    ] = None,
    fold_column: Annotated[str | None, typer.Option(help="The column of your own folds.")] = None,
    folds: Annotated[int | None, typer.Option(min=1, help="Folds; 1 holds nothing out.", show_default="5")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Networks a fold.", show_default="10")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes through the training rows.", show_default="the domain's own")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows in one step.", show_default="32")] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="Any of Keras's optimizers.", show_default="the domain's own")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The largest learning rate.", show_default="the domain's own")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Stop a member after so many epochs without improvement.")
    ] = None,
    out_of_fold: Annotated[Path | None, typer.Option(help="Write the out-of-fold predictions to this CSV.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the HTML report there as well.")] = None,
    examples: Annotated[bool, typer.Option(help="Keep the training examples in the model.")] = True,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Train a cross-validated ensemble, and save it.

    No data at hand? `amalthea data` lists data sets with their names: `amalthea train esol -o esol.amalthea` is enough.

    Example: amalthea train solubility.csv --target logS -o solubility.amalthea
    """
    from amalthea.datasets import archive
    from amalthea.workflow.train import train as learn

    console = Console(json, quiet, lang)
    for written in (output, out_of_fold, report):
        check_output(written, *data, *([test] if test else []))
    if output is not None and output == out_of_fold:
        raise AmaltheaError(f"The model and the out-of-fold predictions cannot both be written to {output}.")
    if symmetry_functions is not None and features != "auto":
        raise AmaltheaError("Give --features or --symmetry-functions, not both.")
    predictor = learn(
        data[0] if len(data) == 1 else data,
        tuple(target or ()),
        task=None if task is None else task.value,
        threshold=_threshold(threshold),
        smiles=smiles,
        clean=clean,
        strict=strict,
        keep=tuple(keep or ()),
        beside=tuple(beside or ()),
        sheet=sheet,
        header_line=header_line,
        length_unit=length_unit.value,
        energy_unit=energy_unit.value.lower(),
        energy_key=energy_key,
        forces_key=forces_key,
        stress_key=stress_key,
        size=size,
        intensity=intensity,
        frame=frame,
        label_from_name=label_from_name,
        time=time,
        horizon=horizon,
        series=series,
        known=_names(known),
        fixed=_names(fixed),
        every=every,
        sequence=sequence,
        order=order,
        test=test,
        features=features if symmetry_functions is None else str(symmetry_functions),
        network=network,
        model=model,
        augment=augment,
        split=split.value,
        group=group,
        time_column=time_column,
        fold_column=fold_column,
        folds=folds,
        members=members,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        patience=patience,
        seed=seed,
        verbose=console.verbose,
        say=console.say,
    )
    if output is not None:
        predictor.save(output, examples=examples)
    try:
        if out_of_fold is not None:
            archive.write_table(out_of_fold, predictor.predictions)
        if report is not None:
            from amalthea.reporting.page import report as write_report

            write_report(predictor, report)
    except KeyboardInterrupt as error:
        if output is None:
            raise
        raise Stopped(f"The model is trained and kept, in {output}.") from error
    reading = {
        "target": target,
        "model": model,
        "sequence": sequence,
        "time": time,
        "horizon": horizon,
        "series": series,
    }
    again = _again(data, **reading, known=known, fixed=fixed, every=every, order=order)
    console.result(closing(console, predictor, output, again, " ".join(sys.argv)), _summary(predictor, output))


def _names(words: list[str] | None) -> tuple[str, ...]:
    return tuple(name for word in words or () for name in word.split(","))


def _threshold(text: str | None) -> float | None:
    if text is None:
        return None
    if text.lower() == "none":
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise AmaltheaError(f"--threshold takes a number or `none`. Received: {text}") from error


def _again(data: list[str], **reading: Any) -> str:
    """Return the words that read the same data again."""
    words = []
    for name, value in reading.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        words += [word for each in values for word in (f"--{name}", str(each))]
    return " ".join(["amalthea train", shlex.join([*data, *words])])


def _value(figure: Any) -> float | None:
    return None if figure is None else float(figure.value)


def _summary(predictor: Any, output: Path | None) -> dict[str, Any]:
    validation, provenance = predictor.validation, predictor.provenance
    summaries = [(summary.target, summary) for summary in validation.targets]
    return {
        "model": None if output is None else str(output),
        "task": by_target([(name, summary.task) for name, summary in summaries]),
        "examples": provenance.examples,
        "refused": [vars(refusal) for refusal in provenance.refused],
        "folds": validation.folds,
        "members": validation.members,
        "metrics": by_target([(name, figures(s.metrics)) for name, s in summaries]),
        "test": by_target([(name, None if s.test is None else figures(s.test)) for name, s in summaries]),
        "test_baselines": by_target(
            [(name, {b: figures(of) for b, of in s.test_baselines.items()} or None) for name, s in summaries]
        ),
        "test_refused": [vars(refusal) for refusal in validation.test_refused],
        "baselines": by_target([(name, {b: figures(of) for b, of in s.baselines.items()}) for name, s in summaries]),
        "clusters": by_target([(name, figures(s.clusters.metrics) if s.clusters else None) for name, s in summaries]),
        "calibration": {
            "coverage_90": by_target([(name, _value(s.coverage)) for name, s in summaries]),
            "coverage_90_clusters": by_target(
                [(name, _value(s.clusters.coverage) if s.clusters else None) for name, s in summaries]
            ),
        },
        "seconds": provenance.seconds,
        "notes": list(provenance.notes),
        "verdict": validation.verdict(),
    }
