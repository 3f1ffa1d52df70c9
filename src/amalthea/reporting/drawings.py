"""What an example looks like in the page."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pandas as pd

from amalthea.domains import domain


def drawings(kind: str, examples: pd.DataFrame, point: str = ".") -> list[str]:
    """Return each example as SVG (`<svg ...`), as a data URI of a picture, or else as plain text.

    Args:
        kind: the domain's name.
        examples: in the domain's own form; columns whose names begin with # are not part of it.
        point: the decimal mark of numbers.
    """
    return domain(kind).draw(proper(examples), point)


def proper(examples: pd.DataFrame) -> pd.DataFrame:
    """Return examples without the columns that a model keeps beside them, whose names begin with #."""
    return examples[[name for name in examples.columns if not str(name).startswith("#")]]


def image(drawing: str) -> str:
    """Return a drawing as a data URI; "" for a text.

    As the source of an image, SVG runs no script, whatever the example was.
    """
    if drawing.startswith("<svg"):
        return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return drawing if drawing.startswith("data:image/") else ""


def packed(kind: str, examples: pd.DataFrame, point: str = ".") -> dict[str, Any]:
    """Return the drawings of many examples, packed for the page: a sheet of pictures, or compressed SVG or text."""
    sheet = getattr(domain(kind), "sheet", None)
    if sheet is not None:
        across = max(1, round(len(examples) ** 0.5))
        content, width, height = sheet(proper(examples), across)
        return {"kind": "sheet", "content": content, "width": width, "height": height, "across": across}
    text = json.dumps(drawings(kind, examples, point), ensure_ascii=False).encode()
    return {"kind": "list", "content": base64.b64encode(gzip.compress(text, 9, mtime=0)).decode()}
