"""The mistakes that a user can mend."""

from __future__ import annotations

import importlib
from typing import Any


class AmaltheaError(Exception):
    """A user's mistake, told in one or two sentences: what was found, where, and what to do about it.

    The command line prints the message and leaves with exit code 2; every other exception is a defect of ours.

    Example:
        >>> raise AmaltheaError("no such file: solubilty.csv (did you mean solubility.csv?)")
        Traceback (most recent call last):
        amalthea.errors.AmaltheaError: no such file: solubilty.csv (did you mean solubility.csv?)
    """


class DataError(AmaltheaError):
    """The data cannot be used as they are."""


class ModelFileError(AmaltheaError):
    """A file is no saved model, is damaged, or needs another version."""


class MissingDependencyError(AmaltheaError):
    """An optional library is needed; the message says how to install it."""


def required(module: str, message: str) -> Any:
    """Return a module of an optional library.

    Args:
        module: its full name.
        message: what needs it, and how to install it.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        importlib.import_module(module.partition(".")[0])  # a part that was imported before is there without it
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(message) from error


class TrainingWarning(UserWarning):
    """Something that a user should know of a training: members that diverged, a stop on request."""


class Stopped(KeyboardInterrupt):
    """The user pressed Ctrl-C when something was kept already: the message says what, and how to go on.

    A `KeyboardInterrupt`, so that loops and notebooks end as they do for any other. The command line prints the message
    and leaves with exit code 130.

    Example:
        >>> str(Stopped("7 of 20 structures are labelled, in water.extxyz. The same command computes the others."))
        '7 of 20 structures are labelled, in water.extxyz. The same command computes the others.'
    """
