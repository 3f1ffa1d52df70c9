"""What a section of the report is made of; the template knows how each kind of block looks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True)
class Paragraph:
    """A sentence or several.

    Args:
        text: plain text.
        tone: "" for plain, "good", "care" for what to be careful about, "head" for a subheading.
    """

    text: str
    tone: str = ""
    kind: ClassVar[str] = "paragraph"


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text; the first column names the row."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    kind: ClassVar[str] = "table"


@dataclasses.dataclass(frozen=True)
class Text:
    """Text to be copied: a methods section, a command, BibTeX."""

    title: str
    text: str
    kind: ClassVar[str] = "text"


@dataclasses.dataclass(frozen=True)
class Drawing:
    """One example as a picture, and what is to be said of it.

    Args:
        image: a data URI; "" where there is only a text.
        text: the example as text, which stands for the picture where that cannot be seen.
        caption: lines.
    """

    image: str
    text: str
    caption: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Drawings:
    """Several examples side by side; `large` ones have details to be seen."""

    items: Sequence[Drawing]
    large: bool = False
    kind: ClassVar[str] = "drawings"


@dataclasses.dataclass(frozen=True)
class Plot:
    """An interactive figure.

    Args:
        name: unique in the page, letters and hyphens: the name of its exported files.
        title: what it shows.
        reading: one sentence that says how to read it.
        traces: Plotly's traces; colours are names of the page's palette, "@blue" or, with 20 % opacity, "@blue/20".
        layout: Plotly's layout, without what all figures share.
        alt: the figure in words.
        table: its numbers by column, for the CSV export.
        examples: for each point of the first traces, in turn, the number of the example in the gallery and a text;
            empty where hovering shows no examples.
        height: in pixels.
        half: two such figures stand side by side where there is room.
    """

    name: str
    title: str
    reading: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    alt: str
    table: Mapping[str, Sequence[Any]]
    examples: Sequence[Sequence[tuple[int, str]]] = ()
    height: int = 400
    half: bool = False
    kind: ClassVar[str] = "plot"


Block = Paragraph | Table | Text | Drawings | Plot


@dataclasses.dataclass(frozen=True)
class Section:
    """A numbered part of the report.

    Args:
        name: the anchor.
        title: the heading.
        reading: one sentence that says how to read it.
        blocks: what it shows.
    """

    name: str
    title: str
    reading: str
    blocks: Sequence[Block]
