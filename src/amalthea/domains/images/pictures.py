"""One picture file, as people have them, to an array of bytes; what had to be converted is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.errors import DataError, required

if TYPE_CHECKING:
    from PIL import Image

_NAMES = "png jpg jpeg jpe jfif tif tiff bmp gif webp pgm ppm pbm pnm avif heic heif"

SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())
"""File names that end like this are pictures; those that cannot be read are refused, and not passed over."""

MOST_PIXELS = 50_000_000
"""More pixels than this are read by JPEG alone, which can be decoded at a part of its size ..."""

LARGEST = 178_000_000
"""... up to these; a larger picture is refused by what its header says, before any memory is used."""

EACH, TOGETHER, FIRST, BRIGHTEST = "each", "set", "first", "max"
"""Words for `Decoding`."""

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "AVIF")  # none that starts another program
_UNREADABLE = "is no picture that can be read (PNG, JPEG, TIFF, BMP, GIF and WebP can)"


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How pictures are read that have more than eight bits, or several frames.

    Args:
        frame: of a stack of equal frames "max" takes the brightest value of all (maximum intensity projection), "first"
            or a number from 1 takes one; None: "max" of TIFF, else the first.
        intensity: "set": one range of values for all pictures becomes 0 to 255, "each": each one's own.
        span: that range, where it is known already.
        side: the longer side that is wanted in the end, in pixels: a larger JPEG is decoded at a part of its size.
    """

    frame: str | None = None
    intensity: str = EACH
    span: tuple[float, float] | None = None
    side: int | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A picture's pixels."""

    # shape (h, w, c), c 1 where the picture has no colour, else 3; uint8, or float32 where no range was taken yet
    pixels: NDArray[np.uint8] | NDArray[np.float32]
    notes: tuple[str, ...] = ()  # what was converted, as phrases to be counted: "CMYK, converted to RGB"


def is_picture_name(path: Path) -> bool:
    """Say whether a file is a picture by its name; hidden files are none.

    Example:
        >>> is_picture_name(Path("cells/a.TIF")), is_picture_name(Path(".a.png")), is_picture_name(Path("a.csv"))
        (True, False, False)
    """
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def picture_size(path: Path) -> tuple[int, int]:
    """Return the height and width that a picture's header tells, turned as the camera was held; nothing is decoded.

    Raises:
        DataError: as `open_picture`.
    """
    with _opened(path) as image:
        width, height = image.size
        lies = image.format != "TIFF" and _orientation(image) >= 5  # Pillow turns TIFF by itself
        return (width, height) if lies else (height, width)


def open_picture(path: Path, decoding: Decoding = Decoding()) -> Picture:
    """Read a picture, turned as the camera was held, with transparent parts on white and 8 bits a channel.

    Args:
        path: PNG, JPEG, TIFF, BMP, GIF or WebP.
        decoding: what becomes of more than 8 bits, and of several frames.

    Raises:
        DataError: the picture cannot be used; the message is the reason as a short phrase, without the file's name.
        MissingDependencyError: Pillow is not installed.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> path = Path(tempfile.mkdtemp()) / "red.png"
        >>> Image.new("RGBA", (3, 2), (255, 0, 0, 255)).save(path)
        >>> open_picture(path).pixels.shape
        (2, 3, 3)
    """
    with _opened(path) as image:
        notes = []
        if image.format == "JPEG" and decoding.side:
            image.draft(image.mode, (2 * decoding.side, 2 * decoding.side))
        if image.mode == "RGB" and any("16" in str(tile) for tile in getattr(image, "tile", ())):
            notes.append("of 16 bits a channel, the upper 8 kept")
        try:
            if getattr(image, "n_frames", 1) > 1:
                image, remark = _one_frame(image, decoding.frame)
                notes.append(remark)
            image.load()
        except DataError:
            raise
        except Exception as error:  # Pillow's readers raise whatever the damage leads to
            raise DataError(_damaged(error)) from error
        orientation = _orientation(image)
        pixels, converted = _bytes(image, decoding)
    notes += converted
    if orientation != 1:
        pixels = _turned(pixels, orientation)
        notes.append("turned as the camera was held")
    if pixels.shape[2] == 3 and (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, :1]
    return Picture(np.ascontiguousarray(pixels), tuple(notes))


def fit_picture(pixels: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    """Return a picture with another size and number of channels; all of it is kept, stretched where sides differ.

    Args:
        pixels: shape (h, w, c), c 1 or 3, uint8; or float32 with one channel.
        shape: the height, width and channels wanted.

    Returns:
        An array of that shape; what has it already is returned as it is.

    Example:
        >>> fit_picture(np.full((40, 20, 3), 7, np.uint8), (10, 10, 1)).max(axis=(0, 1))
        array([7], dtype=uint8)
    """
    height, width, channels = shape
    if pixels.shape == shape:
        return pixels
    library = pillow()
    image = library.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    # Lanczos keeps thin strokes; its reducing gap keeps large photos fast.
    if image.size != (width, height):
        image = image.resize((width, height), library.Resampling.LANCZOS, reducing_gap=3.0)
    if pixels.dtype != np.uint8:
        return np.asarray(image, np.float32).reshape(height, width, 1)
    image = image.convert("L" if channels == 1 else "RGB")
    return np.asarray(image, np.uint8).reshape(shape)


def _opened(path: Path) -> Image.Image:
    """Return a picture whose header was read, refused if it is too large."""
    library = pillow()
    limit = f"of more than {LARGEST // 1_000_000} million pixels"
    try:
        if path.stat().st_size == 0:
            raise DataError("is an empty file")
        image: Image.Image = library.open(path, formats=_FORMATS)
    except library.UnidentifiedImageError as error:
        raise DataError(_UNREADABLE) from error
    except (library.DecompressionBombError, library.DecompressionBombWarning) as error:
        raise DataError(f"is a picture {limit}, too large") from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror.lower()}" if error.strerror else _damaged(error)
        raise DataError(reason) from error
    except DataError:
        raise
    except Exception as error:
        raise DataError(_UNREADABLE) from error
    width, height = image.size
    most = LARGEST if image.format == "JPEG" else 2 * MOST_PIXELS + 1_000_000
    if width * height > most or min(width, height) < 1:
        image.close()
        raise DataError(f"is a picture of {width:,} x {height:,} pixels, " + ("too large" if width else "empty"))
    return image


def _one_frame(image: Image.Image, frame: str | None) -> tuple[Image.Image, str]:
    """Return one picture of several frames, and how it came about."""
    count = int(getattr(image, "n_frames", 1))
    if frame is None:
        frame = BRIGHTEST if image.format == "TIFF" and _equal_frames(image, count) else FIRST
    if frame == BRIGHTEST:
        values = None
        for number in range(count):
            image.seek(number)
            values = np.asarray(image) if values is None else np.maximum(values, np.asarray(image))
        projected = np.asarray(values)
        return pillow().fromarray(
            projected.astype(projected.dtype.newbyteorder("="))
        ), f"of {count} frames, the brightest value of all taken (--frame N takes one)"
    number = 1 if frame == FIRST else int(frame)
    if not 1 <= number <= count:
        raise DataError(f"has {count} frames and no frame {number}")
    image.seek(number - 1)
    which = "the first was taken" if number == 1 else f"number {number} was taken"
    return image, f"of {count if frame != FIRST else 'several'} frames, {which}"


def _equal_frames(image: Image.Image, count: int) -> bool:
    """Say whether all frames have one size and kind; previews and the pages of a pyramid have not."""
    kinds = set()
    for number in range(count):
        image.seek(number)
        kinds.add((image.size, image.mode))
    image.seek(0)
    return len(kinds) == 1 and (image.mode in ("L", "RGB", "F", "I") or image.mode.startswith("I;16"))


def _bytes(image: Image.Image, decoding: Decoding) -> tuple[Any, list[str]]:
    """Return the pixels, shape (h, w, 1 or 3), and what was converted; deep ones as they are if a range is to come."""
    # Pillow would cut deep pictures off at 255 where it converts them.
    if image.mode.startswith("I") or image.mode == "F":
        bits = 16 if "16" in image.mode or image.format == "PNG" else 32
        values = np.asarray(image, np.float32)[:, :, None]
        if not np.isfinite(values).all():
            raise DataError("holds values that are no finite numbers")
        if decoding.intensity == EACH:
            own = (float(values.min()), float(values.max()))
            return in_bytes(values, own), [f"of {bits} bits, scaled to 8 by its own range"]
        if decoding.span is None:
            return values, [f"of {bits} bits"]
        return in_bytes(values, decoding.span), [f"of {bits} bits, scaled to 8 by the range of the training set"]
    notes = []
    if image.mode == "CMYK":
        notes.append("CMYK, converted to RGB")
    elif image.mode not in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"):
        notes.append(f"{image.mode}, converted to RGB")
    # What lies behind transparent parts is not in the picture: white, as on a page.
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        if np.asarray(layered)[:, :, 3].min() < 255:
            notes.append("transparent parts shown on white")
        image = pillow().alpha_composite(pillow().new("RGBA", layered.size, "white"), layered)
    # One channel where there is no colour, else three.
    pixels = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"), np.uint8)
    return pixels.reshape(*pixels.shape[:2], -1), notes


def in_bytes(values: NDArray[Any], span: tuple[float, float]) -> NDArray[np.uint8]:
    """Return values as bytes: the first of the span and below it as 0, the second and above it as 255.

    Example:
        >>> in_bytes(np.array([90.0, 100.0, 300.0]), (100.0, 300.0)).tolist()
        [0, 0, 255]
    """
    low, high = span
    share = (values.astype(np.float64) - low) / (high - low) if high > low else np.zeros(values.shape)
    return np.asarray(np.rint(np.clip(255.0 * share, 0, 255)), np.uint8)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's tag 274: 1 as it lies, 3 upside down, 6 and 8 quarter turns, even or 5, 7: mirrored."""
    try:
        orientation = image.getexif().get(274, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError):  # damaged EXIF in a sound picture
        return 1
    return orientation if orientation in range(1, 9) else 1


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an orientation (Exif 2.3, section 4.6.4, tag 274): where the first row and column of the scene lie."""
    # Quarter turns are a transposition and then a flip.
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    down = orientation in (3, 4, 7, 8)
    right = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if down else 1, :: -1 if right else 1]


def _damaged(error: Exception) -> str:
    sentence = (str(error).splitlines() or [type(error).__name__])[0]
    return f"is damaged or cut off ({shortened(sentence, 80)})"


def pillow() -> Any:
    """Return the module `PIL.Image`, or say how to install it."""
    return required("PIL.Image", 'pictures need Pillow. Install it with: pip install "amalthea[images]"')
