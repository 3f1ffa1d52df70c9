"""What an example looks like: a molecule drawn, a picture, a structure's file and frame, a row's values."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.domains import domain
from amalthea.errors import MissingDependencyError
from amalthea.reporting.structure_drawing import structure

WIDTH, HEIGHT = 220, 160
THUMBNAIL = 64
"""The most pixels along an edge of a picture in the gallery."""

MOST_VALUES = 14
"""The most columns of a row that are told."""


def drawings(kind: str, examples: pd.DataFrame, point: str = ".") -> list[str]:
    """Return each example as SVG (`<svg ...`), as a data URI of a picture, or else as plain text.

    A domain that has a method `drawings(examples)` draws its examples itself.

    Args:
        kind: the domain's name.
        examples: in the domain's own form; columns whose names begin with # are not part of it.
        point: the decimal mark of numbers that are told.
    """
    own = examples[[name for name in examples.columns if not str(name).startswith("#")]]
    hook = getattr(domain(kind), "drawings", None)
    if hook is not None:
        return [str(drawing) for drawing in hook(own)]
    if kind == "molecules" and "smiles" in own:
        return [molecule(smiles) for smiles in own["smiles"]]
    if kind == "images" and "image" in own:
        return [png([image])[0] for image in own["image"]]
    if kind == "structures" and "atoms" in own:
        return [structure(row["atoms"]) or _structure(row) for row in own.to_dict("records")]
    return [_row({str(name): value for name, value in row.items()}, point) for row in own.to_dict("records")]


def image(drawing: str) -> str:
    """Return a drawing as a data URI; "" for a text.

    As the source of an image, SVG runs no script, whatever the example was.
    """
    if drawing.startswith("<svg"):
        return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return drawing if drawing.startswith("data:image/") else ""


def molecule(smiles: Any, **highlights: Any) -> str:
    """Return a molecule drawn by RDKit as SVG; the SMILES itself where it cannot be drawn.

    Args:
        smiles: the molecule.
        **highlights: of RDKit's `PrepareAndDrawMolecule`.

    Example:
        >>> molecule("CCO")[:4], molecule("not a molecule")
        ('<svg', 'not a molecule')
    """
    chem, draw = drawing_tools()
    from rdkit import rdBase

    with rdBase.BlockLogs():
        parsed = chem.MolFromSmiles(str(smiles))
    return str(smiles) if parsed is None else drawn(draw, parsed, **highlights)


def drawn(draw: Any, parsed: Any, width: int = WIDTH, height: int = HEIGHT, **highlights: Any) -> str:
    """Return an RDKit molecule as SVG."""
    canvas = draw.MolDraw2DSVG(width, height, -1, -1, True)  # letters as text: as outlines they take twice the room
    options = canvas.drawOptions()
    options.clearBackground = False
    options.fixedBondLength = 24
    options.annotationFontScale = 0.8
    draw.PrepareAndDrawMolecule(canvas, parsed, **highlights)
    canvas.FinishDrawing()
    text = str(canvas.GetDrawingText())
    text = text[text.index("<svg") :].replace("\n", " ")
    return re.sub(
        r" class='[^']*'|;stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1| (?= )|<!--.*?-->", "", text
    )


def drawing_tools() -> tuple[Any, Any]:
    """Return RDKit's `Chem` and `rdMolDraw2D`.

    Raises:
        MissingDependencyError: RDKit is not installed.
    """
    try:
        from rdkit import Chem
        from rdkit.Chem.Draw import rdMolDraw2D
    except ImportError as error:
        raise MissingDependencyError("Molecules are drawn by RDKit: pip install amalthea[molecules]") from error
    return Chem, rdMolDraw2D


def png(images: Sequence[NDArray[np.uint8]], columns: int = 1) -> tuple[str, int, int]:
    """Return pictures side by side in one, as a data URI, with the width and height of each.

    Args:
        images: each of shape (height, width) or (height, width, 1 or 3), 0 to 255; made small to 64 pixels.
        columns: how many stand in a row.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError("Pictures need Pillow: pip install amalthea[images]") from error
    tiles = [Image.fromarray(np.squeeze(np.asarray(each, np.uint8))) for each in images]
    for tile in tiles:
        tile.thumbnail((THUMBNAIL, THUMBNAIL))
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    mode = "L" if all(tile.mode == "L" for tile in tiles) else "RGB"
    sheet = Image.new(mode, (width * columns, height * -(-len(tiles) // columns)))
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (width * (place % columns), height * (place // columns)))
    content = io.BytesIO()
    sheet.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode(), width, height


def packed(kind: str, examples: pd.DataFrame, point: str = ".") -> dict[str, Any]:
    """Return the drawings of many examples, packed for the page: a sheet of pictures, or compressed SVG or text."""
    if kind == "images" and "image" in examples and not hasattr(domain(kind), "drawings"):
        columns = max(1, round(len(examples) ** 0.5))
        sheet, width, height = png(list(examples["image"]), columns)
        return {"kind": "sheet", "content": sheet, "width": width, "height": height, "columns": columns}
    content = json.dumps(drawings(kind, examples, point), ensure_ascii=False).encode()
    return {"kind": "list", "content": base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()}


def _structure(row: Mapping[Any, Any]) -> str:
    """Return a structure's formula, and where it stands."""
    formula = str(row["atoms"].get_chemical_formula())
    told = [f"{name}: {_value(row[name])}" for name in ("name", "file", "source", "frame") if name in row]
    return "\n".join([f"{formula} ({len(row['atoms'])})", *told])


def _row(row: dict[str, Any], point: str) -> str:
    told = [f"{name}: {_value(value, point)}" for name, value in list(row.items())[:MOST_VALUES]]
    return "\n".join([*told, "..."] if len(row) > MOST_VALUES else told)


def _value(value: Any, point: str = ".") -> str:
    if isinstance(value, float):
        return "?" if np.isnan(value) else f"{value:.5g}".replace(".", point)
    return "?" if value is None else shortened(str(value))
