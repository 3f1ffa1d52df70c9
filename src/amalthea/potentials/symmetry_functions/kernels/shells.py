"""Shells: an atom's neighbours of one element within one cutoff, and the radial functions over them.

Compiled; called by the entry points only.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

from amalthea.potentials.symmetry_functions.kernels.compiling import part
from amalthea.potentials.symmetry_functions.kernels.plan import ANY
from amalthea.potentials.symmetry_functions.kernels.rows import cutoff, exponentiate

X, Y, Z, SQUARE, INVERSE, CUT, CUT_SLOPE, GAUSS, ASIDE, ROWS = range(10)
"""The rows of a shell: the vector, r², 1/r, the cutoff function, its derivative by r², a Gaussian, r_jk²."""

ALONG, PULL_X, PULL_Y, PULL_Z, PULL_ROWS = range(5)
"""A gradient by the neighbours' vectors: the part along the vector, as a factor of it, and the rest."""


@part
def gather(plan, number, kinds, begin, end, neighbour, vector, shell, pairs):
    """Fill a shell with those pairs from `begin` to `end` that belong to it; return how many."""
    kind = plan.shell_kind[number]
    shape = plan.shell_range[number]
    least, most = shape[0] * shape[0], shape[1] * shape[1]
    size = 0
    for pair in range(begin, end):
        if kind in (ANY, kinds[neighbour[pair]]):
            x, y, z = vector[pair, 0], vector[pair, 1], vector[pair, 2]
            square = x * x + y * y + z * z
            if least <= square < most:
                shell[X, size], shell[Y, size], shell[Z, size], shell[SQUARE, size] = x, y, z, square
                pairs[size] = pair
                size += 1
    real = shell.dtype.type
    for t in range(size):
        shell[INVERSE, t] = real(1.0) / np.sqrt(shell[SQUARE, t])
    cutoff(plan.shell_form[number], plan.shell_compact[number], shape, shell, SQUARE, CUT, CUT_SLOPE, size)
    if kind == ANY:
        for t in range(size):
            weight = plan.weight[kinds[neighbour[pairs[t]]]]
            shell[CUT, t] *= weight
            shell[CUT_SLOPE, t] *= weight
    return size


@part
def gaussian(shell, size, eta, shift):
    """Fill the row for it with exp(-eta (r - shift)²)."""
    for t in range(size):
        away = shell[SQUARE, t] * shell[INVERSE, t] - shift
        shell[GAUSS, t] = -eta * away * away
    exponentiate(shell, GAUSS, size)


@part
def radial(shell, size):
    """Return the sum of a radial function over a shell whose Gaussian is there."""
    total = shell.dtype.type(0.0)
    for t in range(size):
        total += shell[GAUSS, t] * shell[CUT, t]
    return total


@part
def radial_pull(shell, size, eta, shift, factor, pull):
    """Add the gradient of a radial function over a shell whose Gaussian is there, times a factor."""
    real = shell.dtype.type
    for t in range(size):
        by_square = shell[CUT_SLOPE, t] - eta * shell[CUT, t] * (real(1.0) - shift * shell[INVERSE, t])
        pull[ALONG, t] += real(2.0) * factor * shell[GAUSS, t] * by_square


@part
def spread(shell, size, pairs, pull, gradient):
    """Add a gradient to those of the pairs, shape (P, 3)."""
    for t in range(size):
        pair, along = pairs[t], pull[ALONG, t]
        gradient[pair, 0] += along * shell[X, t] + pull[PULL_X, t]
        gradient[pair, 1] += along * shell[Y, t] + pull[PULL_Y, t]
        gradient[pair, 2] += along * shell[Z, t] + pull[PULL_Z, t]
