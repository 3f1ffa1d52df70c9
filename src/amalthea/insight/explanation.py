"""All that can be shown of how a trained model learned, as files in a folder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from amalthea.datasets.files import write_whole
from amalthea.errors import AmaltheaError, DataError, Stopped
from amalthea.insight import figures
from amalthea.insight.computational_graph.text import plain
from amalthea.insight.index_page import READING, write_pages
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.reporting.translate import ENGLISH, check_language
from amalthea.tasks.lessons import lessons_of
from amalthea.training.arrays import count_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 2_000
"""Of an array with more numbers than this, data files say only how many."""

BARE = (
    "The model was saved without its examples and without its history: there is nothing to show of how it learned. "
    "Explain a model that was trained here."
)

DOING = {
    "graph": "The graph of one example",
    "step": "One step of four optimizers",
    "generalization": "Learning and overfitting",
    "trajectories": "The paths of the weights",
}
"""What is being made."""

LEARNING = {
    "generalization": ": networks learn anew, some of other sizes, some on parts of the data",
    "trajectories": ": networks like the model's learn anew, and their paths are recorded",
}
"""What is trained for it."""


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What was written.

    Args:
        files: by figure ("graph", "step", "generalization", "trajectories"), its files.
        captions: by figure, what it shows, in a sentence or two.
        missing: by figure, why it was not made.
        pages: HTML pages that show the figures in their order, one a language; the first is `index.html`.
    """

    files: dict[str, tuple[Path, ...]]
    captions: dict[str, str]
    missing: dict[str, str]
    pages: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        lines = [f"{name}: {caption}" for name, caption in self.captions.items()]
        return "\n".join([*lines, *(f"{name} is not shown: {why}" for name, why in self.missing.items())])


def explain(
    predictor: Predictor,
    folder: str | os.PathLike[str],
    *,
    example: int | None = None,
    say: Callable[[str], None] | None = None,
    language: str = ENGLISH,
    verbose: Verbosity = "auto",
) -> Explanation:
    """Write figures of how a model learned, in light and dark, as SVG and PNG, and their numbers as JSON and CSV.

    They are: the graph of a network that never saw the example, with its values and gradients; one step of four
    optimizers; how well it generalizes; and the paths of the weights. For the last two, networks are trained anew.

    Args:
        predictor: a trained model.
        folder: made if it is not there.
        example: the training example whose graph is drawn, by `row` in the out-of-fold table; None: the first.
        say: hears what is being done, and which networks are trained for it.
        language: of `index.html`, which shows the figures in their order: "en" or "pt-BR"; it links to the other one.
        verbose: "auto" shows progress bars on a terminal only, 1 always, 0 never.

    Returns:
        The files, and what could not be shown and why.

    Raises:
        AmaltheaError: there is no such example, the folder cannot be written to, or nothing can be shown.
        MissingDependencyError: Matplotlib is not installed.
        Stopped: Ctrl-C was pressed after the first figure was written.
    """
    if not predictor.parts:
        answering = predictor.validation.targets[0].answering
        raise AmaltheaError(f"A simple model answers, {answering}, and no network: explain shows how networks learned.")
    figures.available()
    check_language(language)
    folder = _writable(folder)
    histories = [part.ensemble.history for part in predictor.parts]
    if not len(predictor.examples) and all(history is None or len(history.epoch) < 2 for history in histories):
        raise AmaltheaError(BARE)
    if example is not None and len(predictor.examples):
        lessons_of(predictor).position(example)
    writer = _Writer(folder, verbose, {}, {}, {})
    makers = {"graph": _graph, "step": _step, "generalization": _generalization, "trajectories": _trajectories}
    for name, make in makers.items():
        if say is not None:
            say(f"{DOING[name]}{LEARNING.get(name, '') if len(predictor.examples) else ''} ...")
        try:
            make(writer, predictor, example)
        except AmaltheaError as error:
            writer.missing[name] = str(error)
        except KeyboardInterrupt as error:
            for path in writer.files.pop(name, ()):  # half a figure helps nobody
                path.unlink(missing_ok=True)
            if not writer.files:
                raise
            writer.pages(predictor, language)
            raise Stopped(f"These figures are complete and kept, in {folder}: {', '.join(writer.files)}.") from error
    if not writer.files:
        raise AmaltheaError(" ".join(dict.fromkeys(writer.missing.values())))
    return Explanation(writer.files, writer.captions, writer.missing, writer.pages(predictor, language))


@dataclasses.dataclass(frozen=True)
class _Writer:
    folder: Path
    verbose: Verbosity
    files: dict[str, tuple[Path, ...]]
    captions: dict[str, str]
    missing: dict[str, str]

    def figure(self, name: str, draw: Callable[[str], Figure], caption: str) -> None:
        """Write a figure in both themes, as SVG and PNG."""
        with Bar("drawing", total=len(figures.THEMES), verbose=self.verbose) as bar:
            for theme in figures.THEMES:
                drawn = draw(theme)
                for kind in ("svg", "png"):
                    self._add(name, figures.save(drawn, self.folder / f"{name}-{theme}.{kind}"))
                bar.advance()
        self.captions[name] = caption

    def data(self, name: str, numbers: Any, table: pd.DataFrame | None = None) -> None:
        """Write a figure's numbers."""
        text = json.dumps(plain(numbers), allow_nan=False, ensure_ascii=False, indent=1)
        path = self.folder / f"{name}.json"
        write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))
        self._add(name, path)
        if table is not None:
            path = self.folder / f"{name}.csv"
            write_whole(path, lambda unfinished: table.to_csv(unfinished, index=False))
            self._add(name, path)

    def picture(self, name: str, svg: str, caption: str) -> None:
        """Write a picture that is light or dark as the reader's screen is."""
        self._add(name, figures.save(svg, self.folder / f"{name}.svg"))
        self.captions[name] = caption

    def pages(self, predictor: Predictor, language: str) -> tuple[Path, ...]:
        """Write the pages that show the figures."""
        name = Path(predictor.provenance.data).name
        return write_pages(self.folder, name, self.files, self.captions, self.missing, language)

    def _add(self, name: str, path: Path) -> None:
        self.files[name] = (*self.files.get(name, ()), path)


def _graph(writer: _Writer, predictor: Predictor, example: int | None) -> None:
    from amalthea.insight.computational_graph.graph import graph

    with Bar("operations", verbose=writer.verbose):
        unseen = lessons_of(predictor).example(example)
        drawn = graph(unseen.network, *unseen.arguments)
    caption = " ".join([unseen.description, *drawn.notes])
    title = READING["graph"][0]
    writer.picture("graph", drawn.svg(title, caption), caption)
    writer.data("graph", _short(drawn.data()))


def _step(writer: _Writer, predictor: Predictor, example: int | None) -> None:
    from amalthea.insight.gradient_descent import optimizer_steps as updates

    network, x, y = lessons_of(predictor).batch(example)
    taken = updates.steps(network, x, y, verbose=writer.verbose)
    caption = (
        f"One more step of the trained network on {count_rows(y=y)} training examples, by four optimizers at their "
        "usual learning rates: each point is a weight, and gradient times update predicts the change of the loss."
    )
    title = READING["step"][0]
    writer.figure("step", lambda theme: updates.figure(taken, theme, title, caption), caption)
    rows = [
        {
            "optimizer": step.optimizer,
            "learning_rate": step.learning_rate,
            "loss": step.loss,
            "predicted_change": step.predicted_change,
            "actual_change": step.actual_change,
        }
        for step in taken.values()
    ]
    writer.data("step", _short({name: step.data() for name, step in taken.items()}), pd.DataFrame(rows))


def _generalization(writer: _Writer, predictor: Predictor, _: int | None) -> None:
    from amalthea.insight.overfitting.generalization import generalization

    outcome = generalization(predictor, verbose=writer.verbose)
    known = "The losses of all networks along their training. " if outcome.turn is None else ""
    caption = known + repr(outcome).replace("\n", " ")
    title = READING["generalization"][0]
    writer.figure("generalization", lambda theme: outcome.figure(theme, title, caption), caption)
    writer.data("generalization", outcome.data(), outcome.frame())


def _trajectories(writer: _Writer, predictor: Predictor, _: int | None) -> None:
    from amalthea.insight.weight_trajectories.trajectories import trajectories

    large = lessons_of(predictor).large
    points, rows = (17, 64) if large else (31, 256)
    paths = trajectories(predictor, points=points, rows=rows, verbose=writer.verbose)
    title = READING["trajectories"][0]
    writer.figure("trajectories", lambda theme: paths.figure(theme, title), " ".join(paths.notes))
    writer.data("trajectories", paths.data(), paths.frame())


def _short(numbers: Any) -> Any:
    """Return data in which no array has very many numbers: these are named by their count."""
    if isinstance(numbers, dict):
        return {name: _short(part) for name, part in numbers.items()}
    if isinstance(numbers, list | tuple):
        count = _count(numbers)
        return f"{count:,} numbers" if count > MOST_NUMBERS else [_short(part) for part in numbers]
    return numbers


def _count(numbers: Any) -> int:
    """Return how many numbers nested lists hold; dicts within them are counted by themselves."""
    if isinstance(numbers, dict):
        return 0
    return sum(map(_count, numbers)) if isinstance(numbers, list | tuple) else 1


def _writable(folder: str | os.PathLike[str]) -> Path:
    """Return a folder that can be written to, or made: it is made with its first file."""
    path = Path(folder)
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise DataError(f"{there} is a file. Give the name of a folder to write to.")
    if not os.access(there, os.W_OK):
        raise DataError(f"The folder {there} may not be written to. Choose another one.")
    return path
