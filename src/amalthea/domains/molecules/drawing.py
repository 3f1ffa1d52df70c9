"""A molecule drawn by RDKit, as SVG."""

from __future__ import annotations

import re
from typing import Any

from amalthea.errors import MissingDependencyError

WIDTH, HEIGHT = 220, 160


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
