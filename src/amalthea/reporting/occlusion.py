"""What an answer about a picture hangs on: the change when a patch of it is covered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.images.drawing import png
from amalthea.reporting.blocks import Block, Drawing, Drawings, Paragraph
from amalthea.reporting.captions import told
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import Output, answers, answers_of, features_of, output

PATCHES = 14
"""Patches along each edge."""

UP, DOWN = np.array([86.0, 180.0, 233.0]), np.array([230.0, 159.0, 0.0])


def occlusion_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return pictures with what each part of them contributes."""
    words = context.words
    badness = 1 - judged.mean if judged.classes else judged.error
    order = np.argsort(-badness, kind="stable")
    middle = len(order) // 2
    chosen = [
        *((words("among the worst"), i) for i in order[:2]),
        *((words("typical"), i) for i in order[middle : middle + 2]),
        *((words("among the best"), i) for i in order[-2:]),
    ]
    pictures = [
        np.asarray(context.predictor.examples["image"].iloc[judged.places[index]], np.uint8) for _, index in chosen
    ]
    codes = [int(judged.named[index]) if judged.classes else 0 for _, index in chosen]
    wanted = [output(context.predictor, judged.target, code) for code in codes]
    places = np.array([index for _, index in chosen], np.int64)
    askable = None if judged.askable is None else judged.askable[:, places]
    maps = occlusion(context, pictures, judged.folds[places].tolist(), wanted, askable)
    items = [
        Drawing(png([overlaid(picture, found)])[0], "", [title, *told(context, judged, int(index))])
        for (title, index), picture, found in zip(chosen, pictures, maps, strict=True)
    ]
    reading = words(
        "{target}: blue patches speak for the answer, orange ones against it: each was covered with the picture's "
        "median, and the networks that never saw the picture were asked again.",
        target=judged.target.name,
    )
    return [Paragraph(reading), Drawings(items, large=True)]


def occlusion(
    context: Context,
    pictures: Sequence[NDArray[np.uint8]],
    folds: Sequence[int],
    wanted: Sequence[Output],
    askable: NDArray[np.bool_] | None = None,
) -> list[NDArray[np.float64]]:
    """Return for each picture the answer minus the answer with each patch covered, shape (patches, patches).

    Args:
        context: the model.
        pictures: each of shape (height, width) or (height, width, channels), 0 to 255.
        folds: for each of them the fold whose members answer.
        wanted: for each of them the number that is explained.
        askable: shape (members, pictures): who answers, instead of a fold's members.

    Source: Zeiler and Fergus, ECCV 2014, section 4.2.
    """
    variants = [[picture, *_covered(picture)] for picture in pictures]
    sizes = [len(each) for each in variants]
    examples = pd.DataFrame({"image": pd.Series([each for own in variants for each in own], dtype=object)})
    features = features_of(context.predictor, examples)
    if askable is None:
        answered = answers(context.predictor, features, np.repeat(np.asarray(folds, np.int64), sizes))
    else:
        answered = answers_of(context.predictor, features, np.repeat(askable, sizes, axis=1))
    said = np.split(answered, np.cumsum(sizes)[:-1])
    return [
        (rows[0, where.column] - rows[1:, where.column]).reshape([min(PATCHES, size) for size in picture.shape[:2]])
        for rows, where, picture in zip(said, wanted, pictures, strict=True)
    ]


def _covered(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the picture with each of its patches covered in turn."""
    rows, columns = (np.array_split(np.arange(size), min(PATCHES, size)) for size in picture.shape[:2])
    middle = np.median(picture, axis=(0, 1)).astype(np.uint8)
    covered = []
    for row in rows:
        for column in columns:
            changed = picture.copy()
            changed[row[0] : row[-1] + 1, column[0] : column[-1] + 1] = middle
            covered.append(changed)
    return covered


def overlaid(picture: NDArray[np.uint8], found: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture in grey under its patches' colours."""
    grey = np.squeeze(picture).astype(np.float64)
    grey = grey if grey.ndim == 2 else grey[..., :3].mean(axis=2)
    height, width = grey.shape
    largest = np.abs(found).max()
    shares = found / largest if largest > 0 else found
    up = np.arange(height) * found.shape[0] // height
    across = np.arange(width) * found.shape[1] // width
    shares = shares[up][:, across]
    colour = np.where(shares[..., None] > 0, UP, DOWN)
    weight = 0.75 * np.abs(shares)[..., None]
    return (
        np.asarray((1 - weight) * (0.6 * grey[..., None] + 80) + weight * colour, np.float64)
        .clip(0, 255)
        .astype(np.uint8)
    )
