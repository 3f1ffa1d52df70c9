"""What may be raised while a damaged file is read, and how it is said."""

from __future__ import annotations

from amalthea.datasets.messages import shortened
from amalthea.errors import MissingDependencyError

FAILURES = Exception
"""What readers raise on damaged files: written for whole ones, they fail anywhere on others, and with anything
from a `KeyError` to an unset variable. Whatever it is, the frame cannot be read, and the reason is told."""


def reason(error: BaseException) -> str:
    """Return what went wrong, in a few words.

    Example:
        >>> reason(ValueError("could not convert string to float: '****'")), reason(IndexError())
        ("could not convert string to float: '****'", 'IndexError')
    """
    text = " ".join(str(error).split())
    if isinstance(error, KeyError):  # its text is a name and nothing else
        return f"{text} is not known"
    return shortened(text, 400) if len(text) > 2 else type(error).__name__


def need_ase() -> None:
    """Make sure that the library that reads atomic structures is there.

    Raises:
        MissingDependencyError: ASE is not installed.
    """
    try:
        import ase  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'atomic structures need ASE, which is not installed. Install it with: pip install "amalthea[structures]"'
        ) from error
