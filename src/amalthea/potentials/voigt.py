"""Voigt's order of a symmetric tensor's six components, in which stresses are kept: the one that ASE has, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")

_ROWS, _COLUMNS = (np.array(["xyz".index(component[axis]) for component in VOIGT]) for axis in (0, 1))
_COMPONENTS = np.array([[VOIGT.index("".join(sorted(row + column))) for column in "xyz"] for row in "xyz"])


def to_voigt(tensor: Any) -> Any:
    """Return the six components of tensors' symmetric parts.

    Args:
        tensor: shape (..., 3, 3), of NumPy or of JAX.

    Returns:
        Shape (..., 6).

    Example:
        >>> to_voigt(np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]])).tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    return ((tensor + tensor.swapaxes(-1, -2)) / 2)[..., _ROWS, _COLUMNS]


def from_voigt(components: Any) -> Any:
    """Return the symmetric tensors, shape (..., 3, 3), of six components, shape (..., 6): the opposite of `to_voigt`.

    Example:
        >>> from_voigt(np.arange(1, 7)).tolist()
        [[1, 6, 5], [6, 2, 4], [5, 4, 3]]
    """
    return components[..., _COMPONENTS]


def order_in(components: Sequence[str]) -> list[int]:
    """Return where Voigt's components stand in another program's order.

    Example:
        >>> order_in(("xx", "yy", "zz", "xy", "xz", "yz"))
        [0, 1, 2, 5, 4, 3]
    """
    return [components.index(component) for component in VOIGT]
