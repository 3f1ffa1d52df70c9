"""Functions of whole rows of numbers: exponentials and cutoffs, in loops that become vector instructions.

Compiled; the rows are float64 or float32, and constants are turned into their type, or else they would widen the rest.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from amalthea.potentials.symmetry_functions.kernels.compiling import part

LOG2_E = 1 / math.log(2)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
EXPONENTIAL = tuple(1 / math.factorial(k) for k in range(13))
COSINE = tuple((-(math.pi**2) / 4) ** k / math.factorial(2 * k) for k in range(12))
"""cos(π/2 √u) is a series in u: no square root, and twice as fast as one in √u."""
COSINE_SLOPE = tuple(k * COSINE[k] for k in range(1, 12))
TANH_1 = math.tanh(1.0) ** 3


def two_to(n):
    """Return 2^n for a whole number n that is a float: the bits of a float are put together."""


@overload(two_to)
def _two_to(n):
    if n == types.float32:
        return lambda n: np.int32((np.int32(n) + 127) << 23).view(np.float32)
    return lambda n: np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@part
def exponentiate(table, row, size):
    """Replace x by e^x in a row of a table; x <= 0. Below 2^-120 (2^-1000 for float64) it stops falling."""
    real = table.dtype.type
    c = EXPONENTIAL
    least = real(-120.0 * math.log(2.0)) if table.itemsize == 4 else real(-1000.0 * math.log(2.0))
    for t in range(size):
        x = max(table[row, t], least)
        n = np.floor(x * real(LOG2_E) + real(0.5))
        x = (x - n * real(LN2_HIGH)) - n * real(LN2_LOW)
        p = real(c[12])
        p = p * x + real(c[11])
        p = p * x + real(c[10])
        p = p * x + real(c[9])
        p = p * x + real(c[8])
        p = p * x + real(c[7])
        p = p * x + real(c[6])
        p = p * x + real(c[5])
        p = p * x + real(c[4])
        p = p * x + real(c[3])
        p = p * x + real(c[2])
        p = p * x + real(c[1])
        p = p * x + real(c[0])
        table[row, t] = p * two_to(n)


@part
def cosine_cutoff(radius, table, square, value, slope, size):
    """Fill the row `value` with (1 + cos(π r/r_c)) / 2 = cos²(π/2 r/r_c) and `slope` with its derivative by r²."""
    real = table.dtype.type
    scale = real(1.0) / (radius * radius)
    c, d = COSINE, COSINE_SLOPE
    for t in range(size):
        u = table[square, t] * scale
        p = real(c[11])
        p = p * u + real(c[10])
        p = p * u + real(c[9])
        p = p * u + real(c[8])
        p = p * u + real(c[7])
        p = p * u + real(c[6])
        p = p * u + real(c[5])
        p = p * u + real(c[4])
        p = p * u + real(c[3])
        p = p * u + real(c[2])
        p = p * u + real(c[1])
        p = p * u + real(c[0])
        q = real(d[10])
        q = q * u + real(d[9])
        q = q * u + real(d[8])
        q = q * u + real(d[7])
        q = q * u + real(d[6])
        q = q * u + real(d[5])
        q = q * u + real(d[4])
        q = q * u + real(d[3])
        q = q * u + real(d[2])
        q = q * u + real(d[1])
        q = q * u + real(d[0])
        table[value, t] = p * p
        table[slope, t] = real(2.0) * scale * p * q


@part
def cutoff(form, compact, shape, table, square, value, slope, size):
    """Fill the row `value` with a cutoff or compact function of r and `slope` with its derivative by r², from r².

    `shape` is lower, upper, origin, width. All distances lie inside.
    """
    upper, origin, width = shape[1], shape[2], shape[3]
    if form == 1 and compact == 0 and origin == 0:
        cosine_cutoff(upper, table, square, value, slope, size)
        return
    lengths = 1.0 / np.float64(width)
    for t in range(size):
        r = np.sqrt(np.float64(table[square, t]))
        x, inner = (r - origin) * lengths, lengths
        if x < 0.0:
            x, inner = (-x, -inner) if compact > 0 else (0.0, 0.0)
        if compact == 2:
            x, inner = (2.0 - x) * x, inner * (2.0 - 2.0 * x)
        f, df = decay(form, min(x, 1.0))
        table[value, t] = f
        table[slope, t] = 0.5 * df * inner / r


@part
def decay(form, x):
    """Return f(x) and f'(x) of n2p2's cutoff number `form`, for 0 <= x <= 1 (sources: `cutoffs.cutoff`)."""
    if form == 0:
        return 1.0, 0.0
    if form == 1:
        return 0.5 + 0.5 * np.cos(math.pi * x), -0.5 * math.pi * np.sin(math.pi * x)
    if form <= 3:
        tanh = np.tanh(1.0 - x)
        scale = 1.0 if form == 2 else 1.0 / TANH_1
        return scale * tanh**3, -3.0 * scale * tanh * tanh * (1.0 - tanh * tanh)
    if form == 4:
        rest = 1.0 - x * x
        if rest < 1e-3:
            return 0.0, 0.0
        f = np.exp(1.0 - 1.0 / rest)
        return f, -2.0 * x / (rest * rest) * f
    y = x * (1.0 - x)
    if form == 5:
        return (2.0 * x - 3.0) * x**2 + 1.0, -6.0 * y
    if form == 6:
        return ((15.0 - 6.0 * x) * x - 10.0) * x**3 + 1.0, -30.0 * y**2
    if form == 7:
        return (x * (x * (20.0 * x - 70.0) + 84.0) - 35.0) * x**4 + 1.0, -140.0 * y**3
    return (x * (x * ((315.0 - 70.0 * x) * x - 540.0) + 420.0) - 126.0) * x**5 + 1.0, -630.0 * y**4


@part
def bump(form, middle, half, slope, table, cosine, value, size):
    """Fill the row `value` with a compact function of the angle, or with its derivative by the cosine, from the cosine.

    `middle` and `half` the width are in radians. Straight and folded angles add nothing, as in n2p2.
    """
    for t in range(size):
        c = np.float64(table[cosine, t])
        sine = np.sqrt(max(1.0 - c * c, 0.0))
        x = (np.arccos(min(max(c, -1.0), 1.0)) - middle) / half
        if sine <= 0.0 or abs(x) >= 1.0:
            table[value, t] = 0.0
            continue
        f, df = decay(form, abs(x))
        table[value, t] = -df * np.sign(x) / (half * sine) if slope else f
