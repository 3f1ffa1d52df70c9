"""A photographed or drawn digit in the form of MNIST's: light strokes on black, in a box, centred by their mass.

Source of the form: LeCun, Bottou, Bengio and Haffner, Proc. IEEE 86, 2278 (1998), section III A.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.images.pictures import fit_picture
from amalthea.errors import DataError

BOX = 20 / 28
"""The longer side of the strokes as a share of the picture's side, as in MNIST."""

_WORKING_SIDE = 280  # a photograph is made smaller to this before it is looked at
_WINDOW = 0.3  # of the longer side: wider than any stroke, narrower than any shadow
_FAINT = 0.1  # of full contrast: what differs less from the paper is not drawn
_SPECK = 0.08  # of the largest stroke's ink
_THIN = 1.6 / 28  # strokes thinner than this are widened to it
_BLACK = 25  # of 255

NOTHING_DRAWN = "nothing is drawn in it"

Grey = NDArray[np.float64]


def like_mnist(pixels: NDArray[np.uint8], size: int = 28, box: float = BOX) -> NDArray[np.uint8]:
    """Return a picture of one handwritten digit in the form of MNIST's; what has this form already comes back as it is.

    Args:
        pixels: shape (h, w, c), c 1 or 3: dark on light or light on dark, evenly lit or not.
        size: the side of the result, in pixels.
        box: the longer side of the digit, as a share of `size`.

    Returns:
        Shape (size, size, 1): strokes light on black, scaled into the box with their proportions kept, the centre of
        their mass in the middle.

    Raises:
        DataError: nothing is drawn in it.

    Example:
        >>> drawn = np.full((90, 60, 3), 230, np.uint8)
        >>> drawn[10:70, 30:36] = 40
        >>> digit = like_mnist(drawn)[:, :, 0]
        >>> np.flatnonzero(digit.max(axis=1))[[0, -1]], digit[0, 0], digit.max()
        (array([ 4, 23]), np.uint8(0), np.uint8(255))
    """
    if pixels.shape == (size, size, 1) and _is_ready(pixels[:, :, 0], box):
        return pixels
    # What is drawn, without shadows, specks and the edge of the paper.
    ink = _main_strokes(_ink(_grey(pixels)))
    # Cut to the digit, so that its longer side fills MNIST's box whatever the photo's frame.
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = box * size / max(ink.shape)
    # A pen's line would all but vanish when it is made small: it is widened first.
    ink = _widened(ink, _THIN * size / scale)
    # One scale for both sides keeps the proportions.
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    fitted = fit_picture(np.rint(ink * 255).astype(np.uint8)[:, :, None], (height, width, 1))
    return _centred(fitted[:, :, 0], size)


def is_handwriting(images: NDArray[np.uint8]) -> bool:
    """Say whether a training set has MNIST's form: single thin light strokes, amid black, in the middle.

    Args:
        images: shape (n, h, w, c).

    Example:
        >>> is_handwriting(np.random.default_rng(0).integers(0, 256, (50, 28, 28, 1)).astype(np.uint8))
        False
    """
    count, height, width, channels = images.shape
    if channels != 1 or not count or height != width or height < 8:
        return False
    forms = [_form(image) for image in _sample(images) if image.any()]
    if not forms:
        return False
    # The median form: single odd pictures decide nothing.
    black, corners, offset, thickness, _ = np.median(forms, axis=0)
    return bool(black > 0.4 and corners < 0.02 and offset < 0.1 and thickness < 0.3)


def is_light_on_black(image: NDArray[np.uint8]) -> bool:
    """Say whether something light stands in a picture with dark corners.

    Args:
        image: shape (h, w, 1).

    Example:
        >>> is_light_on_black(np.pad(np.full((4, 4, 1), 255, np.uint8), ((2, 2), (2, 2), (0, 0))))
        True
    """
    return bool(image.max() > _BLACK and image[:: len(image) - 1 or 1, :: image.shape[1] - 1 or 1].mean() < 0.3 * 255)


def ink_box(images: NDArray[np.uint8]) -> float:
    """Return the longer side of the strokes as a share of the pictures' side: 20/28 in MNIST.

    Args:
        images: shape (n, h, w, 1), light strokes on black.

    Example:
        >>> square = np.pad(np.full((1, 14, 14, 1), 255, np.uint8), ((0, 0), (7, 7), (7, 7), (0, 0)))
        >>> ink_box(square)
        0.5
    """
    forms = [_form(image) for image in _sample(images) if image.any()]
    return float(np.median(forms, axis=0)[4]) if forms else BOX


def _sample(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images[:: max(1, len(images) // 500), :, :, 0]


def _form(image: NDArray[np.uint8]) -> tuple[float, float, float, float, float]:
    """Return what tells MNIST's form, the lengths as shares of the side of the picture, which is not all black.

    Returns:
        The share of black pixels, the mean of the four corners, how far the centre of mass is from the middle, the
        width of the strokes, the longer side of the box around them.
    """
    side, corner = len(image), max(1, len(image) // 7)
    black = image <= _BLACK
    corners = np.mean(
        [image[:corner, :corner], image[:corner, -corner:], image[-corner:, :corner], image[-corner:, -corner:]]
    )
    offset = max(abs(centre - side / 2) for centre in _centre(image))
    extent = 0 if black.all() else max(np.ptp(places) + 1 for places in np.nonzero(~black))
    width = _stroke_width(image > image.max() / 2)
    return float(black.mean()), float(corners) / 255, offset / side, width / side, extent / side


def _centre(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the row and column of the centre of mass."""
    masses = (image.sum(axis=1, dtype=np.float64), image.sum(axis=0, dtype=np.float64))
    row, column = (float(mass @ np.arange(len(mass)) / mass.sum()) for mass in masses)
    return row, column


def _is_ready(image: NDArray[np.uint8], box: float) -> bool:
    if image.max() < 128:
        return False
    black, corners, offset, _, extent = _form(image)
    pixel = 1 / len(image)  # what is a matter of a pixel or two weighs more in a small picture
    centred = corners < 0.6 * pixel and offset <= 1.5 * pixel
    return black > 0.35 and centred and box - 2 * pixel < extent < box + 1.5 * pixel


def _grey(pixels: NDArray[np.uint8]) -> Grey:
    """Return a picture as brightness from 0 to 1, made smaller to `_WORKING_SIDE`."""
    height, width, _ = pixels.shape
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return fit_picture(pixels, (*size, 1))[:, :, 0] / 255.0


def _ink(grey: Grey) -> Grey:
    """Return how much is drawn at each point, 0 to 1, whichever of ink and paper is darker and however it is lit.

    Raises:
        DataError: nothing is drawn.
    """
    from scipy import ndimage

    side = max(grey.shape)
    # The grain of paper and camera is no ink.
    smooth = ndimage.gaussian_filter(grey, side / _WORKING_SIDE)
    # From here on ink is dark and paper light, as a pen draws.
    if not _is_dark_on_light(smooth):
        smooth = 1 - smooth
    # First light that fades across the page, then shadows: the closing's windows are wider than any stroke.
    smooth = _evenly_lit(smooth)
    window = max(3, round(_WINDOW * side))
    paper = ndimage.grey_closing(smooth, size=(window, window), mode="reflect")
    # Light falls on ink and paper alike: what the ink takes away is a share.
    ink = 1 - smooth / np.maximum(paper, 1 / 255)
    # What stands clearly above the noise of the bare paper is drawn for certain.
    least, bare = np.percentile(ink, (10, 30))  # of bare paper, however much is drawn
    certain = ink > bare + max(_FAINT, 6 * (bare - least), 0.3 * float(ink.max() - bare))
    if not certain.any():
        raise DataError(NOTHING_DRAWN)
    # A thin line is too rare among all points for a threshold that parts them; it is not among those around it.
    near = ndimage.binary_dilation(certain, np.ones((3, 3)), iterations=max(1, side // 56))
    threshold = _otsu(ink[near])
    # From halfway between paper and threshold up to full ink, so that soft edges stay soft.
    paper_level, full = np.median(ink[near & (ink <= threshold)]), np.median(ink[near & (ink > threshold)])
    low = (paper_level + threshold) / 2
    share: Grey = np.clip((ink - low) / max(full - low, 1e-6), 0, 1)
    return share


def _evenly_lit(grey: Grey) -> Grey:
    """Divide by the plane that fits the brightness of the paper: what grows darker to one side is not drawn."""
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    terms, values = np.stack([np.ones_like(rows), rows, columns], axis=-1).reshape(-1, 3), grey.ravel()
    # The plane is fitted anew without what is darker than it: ink must not pull it down.
    used = np.ones(len(values), bool)
    for _ in range(3):
        plane = terms @ np.linalg.lstsq(terms[used], values[used], rcond=None)[0]
        left = values - plane
        used = left >= -max(left[used].std(), 1e-6)
    # In deep shadow the division would raise nothing but noise.
    plane = np.maximum(plane, 0.1 * plane.max())
    lit: Grey = (values / np.maximum(plane, 1 / 255)).reshape(grey.shape)
    return lit


def _is_dark_on_light(grey: Grey) -> bool:
    """Say whether what differs most from its surroundings, and from the rim of the picture, is darker than they are."""
    from scipy import ndimage

    # The rim shows the paper, or the ground that it lies on.
    margin = max(1, round(0.05 * min(grey.shape)))
    rim = np.concatenate(
        [grey[:margin].ravel(), grey[-margin:].ravel(), grey[:, :margin].ravel(), grey[:, -margin:].ravel()]
    )
    around = ndimage.gaussian_filter(grey, _WINDOW / 2 * max(grey.shape), mode="nearest")
    # Around thin strokes there is paper, however it is lit; thick ones are told by the rim.
    lean = [np.percentile(grey - level, (0.1, 99.9)).sum() for level in (around, np.median(rim))]
    return bool(sum(lean) < 0)


def _otsu(values: Grey) -> float:
    """Return the threshold that parts values from 0 to 1 best into two classes.

    Source: Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979), equation 18.
    """
    # Of every threshold, how many values lie below, and their sum.
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    sums = np.cumsum(counts * centres)
    above = below[-1] - below
    known = (below > 0) & (above > 0)
    # The variance between the two classes, greatest where they part best.
    between = np.zeros(256)
    total, mass = below[-1], sums[-1]
    between[known] = (mass * below[known] - total * sums[known]) ** 2 / (below[known] * above[known].astype(np.float64))
    return float(edges[1:][between.argmax()])


def _main_strokes(ink: Grey) -> Grey:
    """Return the ink of the largest stroke and of those near its size; specks, and edges of the paper, are wiped out.

    Raises:
        DataError: what is there is too small to be drawn.
    """
    from scipy import ndimage

    # Strokes are pieces of ink that hang together, over corners too.
    labels, count = ndimage.label(ink > 0.5, structure=np.ones((3, 3)))
    if not count:
        raise DataError(NOTHING_DRAWN)
    amounts = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    # What touches the rim is left out unless the digit itself does.
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = ~np.isin(np.arange(1, count + 1), rim)
    if inside.any() and amounts[inside].max() > 0.2 * amounts.max():
        amounts = np.where(inside, amounts, 0)  # the edge of the paper or a finger, not the digit
    if amounts.max() < 5e-4 * ink.size:
        raise DataError(NOTHING_DRAWN)
    # A digit may have two strokes (a 5's bar): those near the largest stay, with their soft edges.
    kept = np.isin(labels, 1 + np.flatnonzero(amounts >= _SPECK * amounts.max()))
    soft = ndimage.binary_dilation(kept, np.ones((3, 3)), iterations=max(1, round(max(ink.shape) / 90)))
    return np.where(soft, ink, 0)


def _stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the mean width of strokes in pixels: the mean distance to the edge of a line is a quarter of its width."""
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return float(4 * (distance[mask].mean() - 0.5)) if mask.any() else 0.0


def _widened(ink: Grey, wanted: float) -> Grey:
    """Return strokes of at least the wanted width, in pixels."""
    from scipy import ndimage

    reach = (wanted - _stroke_width(ink > 0.5)) / 2
    if reach < 0.5:
        return ink
    steps = np.arange(-int(reach), int(reach) + 1)
    disk = np.hypot(steps[:, None], steps) <= reach
    wide: Grey = ndimage.grey_dilation(np.pad(ink, int(reach)), footprint=disk)
    return wide


def _centred(strokes: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Put strokes into a black picture with the centre of their mass in its middle, as far as they fit."""
    picture = np.zeros((size, size, 1), np.uint8)
    # The centre of mass goes to the middle, unless the strokes would be cut off.
    corner = []
    for length, centre in zip(strokes.shape, _centre(strokes), strict=True):
        corner.append(int(np.clip(round(size / 2 - centre), 0, size - length)))
    top, left = corner
    picture[top : top + strokes.shape[0], left : left + strokes.shape[1], 0] = strokes
    return picture
