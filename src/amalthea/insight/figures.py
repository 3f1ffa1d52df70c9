"""The looks that all figures share: light and dark, in colours that all can tell apart."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from amalthea.errors import AmaltheaError, MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Theme(NamedTuple):
    """The colours of a figure.

    Args:
        ground: behind everything.
        ink: text and axes.
        faint: grid lines.
        surface: the name of Matplotlib's colour map for heights.
        hill: the colour of great heights where the ground's own colour is that of small ones.
        colours: of lines and points, after M. Okabe and K. Ito (2008): colour-blind people can tell them apart.
    """

    ground: str
    ink: str
    faint: str
    surface: str
    hill: str
    colours: tuple[str, ...]


THEMES = {
    "light": Theme(
        "#ffffff", "#1c1c1c", "#d9d9d9", "Blues", "#878d96", ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00")
    ),
    "dark": Theme(
        "#16181d", "#ececec", "#3a3f49", "Blues_r", "#727a87", ("#ff9d4d", "#56b4e9", "#3ccfa0", "#e59cc4", "#f0e442")
    ),
}


def theme(name: str) -> Theme:
    """Return a theme by its name.

    Raises:
        AmaltheaError: there is no such theme.
    """
    if name not in THEMES:
        raise AmaltheaError(f"There is no theme {name!r}. There are: {', '.join(THEMES)}.")
    return THEMES[name]


def available() -> None:
    """Check that figures can be made.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingDependencyError("Figures need Matplotlib: pip install amalthea[plots]") from None


def panels(rows: int, columns: int, look: Theme, size: tuple[float, float]) -> tuple[Figure, list[list[Axes]]]:
    """Return an empty figure and its axes, row by row.

    Args:
        rows: of axes.
        columns: of axes.
        look: its colours.
        size: of one panel, inches wide and high.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    available()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained", facecolor=look.ground)
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        _dress(axes, look)
    return figure, [list(row) for row in grid]


def _dress(axes: Axes, look: Theme) -> None:
    axes.set_facecolor(look.ground)
    axes.tick_params(colors=look.ink, which="both", labelsize=9)
    axes.grid(True, color=look.faint, linewidth=0.6)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_color(look.ink)
        spine.set_visible(name in ("left", "bottom"))


def write(axes: Axes, look: Theme, title: str = "", x: str = "", y: str = "") -> None:
    """Write the title of a panel and the names of its axes."""
    axes.set_title(title, color=look.ink, fontsize=11)
    axes.set_xlabel(x, color=look.ink, fontsize=10)
    axes.set_ylabel(y, color=look.ink, fontsize=10)


def align(row: Sequence[Axes]) -> None:
    """Give panels side by side the same heights."""
    low, high = min(axes.get_ylim()[0] for axes in row), max(axes.get_ylim()[1] for axes in row)
    for axes in row:
        axes.set_ylim(low, high)


def legend(axes: Axes, look: Theme, location: Literal["best", "upper left"] = "best") -> None:
    """Explain a panel's lines, in Matplotlib's `place`."""
    axes.legend(loc=location, fontsize=9, labelcolor=look.ink, facecolor=look.ground, edgecolor=look.faint)


def frame(figure: Figure, look: Theme, title: str, caption: str) -> None:
    """Write a figure's heading, and sentences below it."""
    if title:
        figure.suptitle(title, color=look.ink, fontsize=14, fontweight="bold")
    if caption:
        letters = int(figure.get_figwidth() * 12.5)
        figure.supxlabel("\n".join(textwrap.wrap(caption, letters)), color=look.ink, fontsize=10.5)


def save(figure: Figure | str, path: str | os.PathLike[str], dots: int = 150) -> Path:
    """Write a figure to a file, whole or not at all.

    Args:
        figure: Matplotlib's, or an SVG picture as text.
        path: ends with .svg, .png or .pdf; an SVG text needs .svg.
        dots: per inch, of a .png.

    Raises:
        AmaltheaError: the ending does not fit.
    """
    path = Path(path)
    known: Sequence[str] = (".svg",) if isinstance(figure, str) else (".svg", ".png", ".pdf")
    if path.suffix not in known:
        raise AmaltheaError(f"A figure's file must end with {' or '.join(known)}. Received: {path.name}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        if isinstance(figure, str):
            unfinished.write_text(figure, encoding="utf-8")
        else:
            figure.savefig(unfinished, format=path.suffix[1:], dpi=dots, facecolor=figure.get_facecolor())
            if path.suffix == ".png":
                _shrink(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _shrink(path: Path) -> None:
    """Write a PNG file anew with a palette of 256 colours: a third of the size, and to the eye the same."""
    from PIL import Image  # Matplotlib needs it

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256)
    small.save(path, format="PNG", optimize=True)
