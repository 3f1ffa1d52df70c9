"""A page that shows the figures of an explanation in their order, each with its caption and how it is read."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from amalthea.datasets.files import write_whole
from amalthea.errors import MissingDependencyError
from amalthea.reporting.sentences import Sentences, sentences_in
from amalthea.reporting.translate import ENGLISH, languages

READING = {
    "graph": (
        "One example on its way through the network, and the gradient back",
        "Read it from left to right: numbers flow along the arrows into the loss. The gradient flows back and says of "
        "each number by how much the loss would change with it; a step of training moves the weights against it.",
    ),
    "step": (
        "One step on the same mini-batch",
        "SGD moves each weight in proportion to its gradient; the others divide by how large gradients usually are, so "
        "that small ones count as well. Where predicted and actual change of the loss differ, the step was too long "
        "for a straight line to describe the loss.",
    ),
    "generalization": (
        "Learning and overfitting",
        "As long as both losses fall, the network learns what holds in general. Where that of training falls and that "
        "of validation rises, it learns its examples by heart: it overfits.",
    ),
    "trajectories": (
        "The paths of the networks' weights, on the surface of the loss",
        "Each line is a network on its way from its random start to its end, seen in the plane in which the networks "
        "moved most. They start and end in different places and disagree most where the data say least: that is why "
        "their answers are averaged.",
    ),
}
"""By figure, its title and how it is read."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --ground: #ffffff; --faint: #5c6470; --line: #d9d9d9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --ground: #16181d; --faint: #a2abb8; --line: #3a3f49 } }
body { font: 17px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0 auto;
  padding: 1rem 1.25rem 4rem; max-width: 75rem }
figure { margin: 2.5rem 0; border-top: 1px solid var(--line) }
img { display: block; max-width: 100%; height: auto; margin: 0.5rem auto }
p, figcaption { max-width: 45rem } .faint { color: var(--faint); font-size: 0.9rem } a { color: inherit }
"""


def write_pages(
    folder: Path,
    name: str,
    files: Mapping[str, Sequence[Path]],
    captions: Mapping[str, str],
    missing: Mapping[str, str],
    language: str = ENGLISH,
) -> tuple[Path, ...]:
    """Write `index.html` in a language, and `index.TAG.html` in each other one for which all is installed.

    Args:
        folder: where the figures lie.
        name: the model's.
        files: by figure, its files.
        captions: by figure, what it shows.
        missing: by figure, why it was not made.
        language: the tag of the first page's language.
    """
    pages: dict[str, tuple[str, Sentences]] = {language: ("index.html", sentences_in(language))}
    for tag in languages():
        try:
            pages.setdefault(tag, (f"index.{tag}.html", sentences_in(tag)))
        except MissingDependencyError:
            continue
    written = []
    for tag, (file, say) in pages.items():
        others = [(other, place) for other, (place, _) in pages.items() if other != tag]
        figures = [_figure(figure, files[figure], captions.get(figure, ""), say) for figure in files]
        absent = [f"<p>{escape(say(READING[figure][0]))}: {escape(say(why))}</p>" for figure, why in missing.items()]
        text = _page(say, name, [*figures, *absent], others)
        write_whole(folder / file, functools.partial(Path.write_text, data=text, encoding="utf-8"))
        written.append(folder / file)
    return tuple(written)


def _page(say: Sentences, name: str, parts: Sequence[str], others: Sequence[tuple[str, str]]) -> str:
    title = escape(say(f"How {name} learned"))
    links = " · ".join(f'<a lang="{tag}" href="{place}">{tag}</a>' for tag, place in others)
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{say.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f'<header><h1>{title}</h1><p class="faint">{links}</p></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _figure(name: str, files: Sequence[Path], caption: str, say: Sentences) -> str:
    title, reading = (escape(say(text)) for text in READING[name])
    pictures = [path.name for path in files if path.suffix == ".svg"]
    light = next((each for each in pictures if "dark" not in each), pictures[0])
    dark = next((each for each in pictures if "dark" in each), light)
    alternative = escape(say(caption), quote=True)
    links = " · ".join(f'<a href="{path.name}">{path.name}</a>' for path in files)
    return (
        f'<figure id="{name}">\n<h2>{title}</h2>\n<a href="{light}"><picture>'
        f'<source srcset="{dark}" media="(prefers-color-scheme: dark)"><img src="{light}" alt="{alternative}">'
        "</picture></a>\n"
        f'<figcaption><p>{alternative}</p>\n<p>{reading}</p>\n<p class="faint">{links}</p></figcaption>\n</figure>'
    )
