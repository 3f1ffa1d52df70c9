"""Pictures made small, as PNG in a data URI."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import MissingDependencyError

THUMBNAIL = 64
"""The most pixels along an edge."""


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
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (width * (index % columns), height * (index // columns)))
    content = io.BytesIO()
    sheet.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode(), width, height
