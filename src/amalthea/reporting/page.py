"""The page: all sections in one HTML file that needs nothing else."""

from __future__ import annotations

import dataclasses
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

from amalthea.datasets.archive import plain
from amalthea.datasets.files import write_whole
from amalthea.errors import MissingDependencyError
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.serialization import opened
from amalthea.reporting.blocks import Plot, Section
from amalthea.reporting.glossary import glossary
from amalthea.reporting.translate import Words, in_language
from amalthea.tasks import task

MOST_BYTES = 7_700_000
"""How large the page may become; what Plotly and the sections leave is for drawings."""


def report(
    model: str | os.PathLike[str] | Predictor,
    path: str | os.PathLike[str],
    *,
    language: str = "en",
    learning_curve: bool = False,
    asked: str | os.PathLike[str] | None = None,
) -> None:
    """Write the report of a model: one HTML file that opens offline, written whole or not at all.

    Args:
        model: a trained model, or its file.
        path: the HTML file.
        language: "en" or "pt-BR".
        learning_curve: train again on parts of the data (some minutes) to see what more examples would give.
        asked: a file of examples: where they lie in the training set is shown.

    Raises:
        DataError: the file cannot be written.
        AmaltheaError: the model cannot be opened, or there is no such language.
    """
    page = render(opened(model), language=language, learning_curve=learning_curve, asked=asked)
    write_whole(Path(path), lambda temporary: temporary.write_text(page, encoding="utf-8"))


def render(
    predictor: Predictor,
    *,
    language: str = "en",
    learning_curve: bool = False,
    asked: str | os.PathLike[str] | None = None,
) -> str:
    """Return a model's report: one HTML page with everything in it.

    Args:
        predictor: the model.
        language: one of `languages()`.
        learning_curve: train again on parts of the data (some minutes) to see what more examples would give.
        asked: a file of examples: where they lie in the training set is shown.

    Raises:
        AmaltheaError: there is no such language, or the file cannot be read.
        MissingDependencyError: Jinja2 or Plotly is not installed.
    """
    words = in_language(language)
    environment, plotly = _tools()
    kind = task(predictor.task)
    context = kind.context(predictor, words, learning_curve)
    context = dataclasses.replace(context, asked=None if asked is None else Path(asked))
    sections = kind.sections(context)
    room = MOST_BYTES - len(plotly) - _size(sections)
    template = environment.get_template("report.html")
    return str(
        template.render(
            words=words,
            title=words("Report on {name}", name=predictor.provenance.data),
            subtitle=context.learned(),
            version=predictor.provenance.versions.get("amalthea", "?"),
            sections=sections,
            glossary=glossary(words),
            data=_script_safe({**_data(words, sections), "gallery": context.gallery.pack(room)}),
            plotly=plotly,
            style=_resource("report.css"),
            script=_resource("report.js"),
        )
    )


def _data(words: Words, sections: list[Section]) -> dict[str, Any]:
    """Return what the page's script needs, without the drawings."""
    blocks = [block for section in sections for block in section.blocks]
    plots = [block for block in blocks if isinstance(block, Plot)]
    return {
        "plots": {plot.name: {name: getattr(plot, name) for name in _FIELDS} for plot in plots},
        "separators": words.point + words.thousands,
        "words": {
            "not drawn": words("This example is not drawn: there are too many."),
            "old browser": words("This browser is too old to unpack the drawings."),
        },
    }


def _size(sections: list[Section]) -> int:
    """Return about how many bytes the sections take in the page."""
    return len(json.dumps(plain([dataclasses.asdict(section) for section in sections]), ensure_ascii=False))


_FIELDS = ("title", "traces", "layout", "table", "examples", "height")


def _script_safe(value: dict[str, Any]) -> str:
    """Return JSON that may stand inside a script element: nothing in it can end the element."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _resource(name: str) -> str:
    return (resources.files("amalthea.reporting") / "templates" / name).read_text(encoding="utf-8")


def _tools() -> tuple[Any, str]:
    """Return Jinja's environment and Plotly's script."""
    try:
        import jinja2
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError("A report needs Jinja2 and Plotly: pip install amalthea[report]") from error
    loader = jinja2.DictLoader({"report.html": _resource("report.html")})
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment, get_plotlyjs()
