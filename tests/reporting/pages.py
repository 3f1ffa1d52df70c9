"""Reports of small models, and what stands in them."""

from __future__ import annotations

import dataclasses
import functools
import json
from html.parser import HTMLParser
from typing import Any

from amalthea.reporting import page as page_of
from tests.predictor.models import trained


@dataclasses.dataclass
class Page(HTMLParser):
    """A page taken apart.

    Args:
        elements: the name and the attributes of each element.
        text: all that a reader sees, scripts and styles left out.
        data: what the page's script is given.
    """

    elements: list[tuple[str, dict[str, str]]] = dataclasses.field(default_factory=list)
    text: str = ""
    data: Any = None

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = dict(attrs).get("id", tag) if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "page-data":
            self.data = json.loads(data)
        elif not self._inside:
            self.text += data.replace("\u00a0", " ")

    def table(self, plot: str) -> Any:
        """Return the numbers of a plot, by column."""
        return self.data["plots"][plot]["table"]


def read(html: str) -> Page:
    """Return a page taken apart."""
    page = Page()
    page.feed(html)
    return page


@functools.cache
def page(name: str, language: str = "en") -> Page:
    """Return the report of a model of `tests.predictor.models`."""
    return read(page_of.render(trained(name), language=language))
