"""Triplets of atoms i, j, k: what the angular functions need of each, in rows as long as there are triplets.

Compiled; called by the entry points only. Everything is a function of three squared distances p = r_ij², q = r_ik² and
w = r_jk²: the cosine is (p + q - w) / (2 r_ij r_ik), and with the vectors v_j and v_k from i, a function's derivative
by v_j is 2 (∂p + ∂w) v_j - 2 ∂w v_k. Square roots are needed per neighbour only, not per triplet.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

from amalthea.potentials.symmetry_functions.kernels.compiling import part
from amalthea.potentials.symmetry_functions.kernels.plan import BUMP_SLOPE, COSINE, GAUSSIAN
from amalthea.potentials.symmetry_functions.kernels.rows import bump, cutoff, exponentiate
from amalthea.potentials.symmetry_functions.kernels.shells import (
    ALONG,
    ASIDE,
    CUT,
    CUT_SLOPE,
    INVERSE,
    PULL_X,
    PULL_Y,
    PULL_Z,
    SQUARE,
    X,
    Y,
    Z,
)

BLOCK = 288
"""Triplets are worked off in blocks of about so many: their rows stay in the processor's nearest caches."""

P, Q, W, INVERSE_P, INVERSE_Q, INVERSE_W, CUT_P, CUT_Q, CUT_W, SLOPE_P, SLOPE_Q, SLOPE_W, COS = range(13)
"""Rows of the table of triplets: squared distances, 1/r, cutoffs, their derivatives by r²; the angle at i.

`measure` multiplies the cutoffs: then CUT_P is the product of all, and the slopes are those of the product.
"""

REGISTERS = 256
"""Bytes that vector instructions work off in one go: four registers of the widest kind."""

STRETCH = 16
"""Loops of a fixed length need no remainder; what they write too much is overwritten later."""

TOTAL, BY_ETA, BY_SHIFT, BY_COS, BY_P, BY_Q, BY_W, SPARE = range(13, 21)
"""Rows of sums over functions, each with its factor (see `pull_sums`), and derivatives by the squared distances."""

ONES = 21
"""The first of the group's own rows (see `Plan`)."""


@part
def fill(table, row, begin, end, value):
    """Set a stretch of a row."""
    for t in range(begin, end):
        table[row, t] = value


@part
def collect(left, j, right, start, size, least, most, table, ends, count):
    """Add the triplets of neighbour j of the left shell with those of the right one from `start` on; return the count.

    The numbers of j and k go to `ends`. Only those count whose r_jk² lies between `least` and `most`.
    """
    x, y, z = left[X, j], left[Y, j], left[Z, j]
    for k in range(size + (-size) % (REGISTERS // table.itemsize)):  # whole registers are faster than exact bounds
        dx, dy, dz = right[X, k] - x, right[Y, k] - y, right[Z, k] - z
        right[ASIDE, k] = dx * dx + dy * dy + dz * dz
    first = count
    for k in range(start, size):
        ends[1, count] = k
        table[W, count] = right[ASIDE, k]
        count += (right[ASIDE, k] >= least) & (right[ASIDE, k] < most)  # no branch: it could not be foretold
    for t in range(first, count):
        k = ends[1, t]
        table[Q, t], table[INVERSE_Q, t] = right[SQUARE, k], right[INVERSE, k]
        table[CUT_Q, t], table[SLOPE_Q, t] = right[CUT, k], right[CUT_SLOPE, k]
    square, inverse, cut, slope = left[SQUARE, j], left[INVERSE, j], left[CUT, j], left[CUT_SLOPE, j]
    for begin in range(first, count, STRETCH):
        for t in range(begin, begin + STRETCH):
            table[P, t], table[INVERSE_P, t] = square, inverse
        for t in range(begin, begin + STRETCH):
            table[CUT_P, t], table[SLOPE_P, t] = cut, slope
        for t in range(begin, begin + STRETCH):
            ends[0, t] = j
    return count


@part
def pad(upper, table, count):
    """Fill up whole vector registers with triplets that add nothing; return their number with those."""
    real = table.dtype.type
    end = count + (-count) % (REGISTERS // table.itemsize)
    for row in (P, Q, W):
        fill(table, row, count, end, real(0.25) * upper * upper)
    for row in (INVERSE_P, INVERSE_Q):
        fill(table, row, count, end, real(2.0) / upper)
    for row in (CUT_P, CUT_Q, SLOPE_P, SLOPE_Q):
        fill(table, row, count, end, real(0.0))
    return end


@part
def measure(plan, group, table, size):
    """Fill the rows of the angle and the cutoffs of triplets that were collected."""
    real = table.dtype.type
    first, closed, shifted = plan.group_shells[group, 0], plan.group_shells[group, 2], plan.group_shells[group, 3]
    for t in range(size):
        along = real(0.5) * (table[P, t] + table[Q, t] - table[W, t])
        table[COS, t] = along * table[INVERSE_P, t] * table[INVERSE_Q, t]
    if closed:
        form, compact = plan.shell_form[first], plan.shell_compact[first]
        cutoff(form, compact, plan.shell_range[first], table, W, CUT_W, SLOPE_W, size)
        for t in range(size):
            table[SLOPE_P, t] *= table[CUT_Q, t] * table[CUT_W, t]
        for t in range(size):
            table[SLOPE_Q, t] *= table[CUT_P, t] * table[CUT_W, t]
        for t in range(size):
            table[SLOPE_W, t] *= table[CUT_P, t] * table[CUT_Q, t]
        for t in range(size):
            table[CUT_P, t] *= table[CUT_Q, t] * table[CUT_W, t]
        if shifted:
            for t in range(size):
                table[INVERSE_W, t] = real(1.0) / np.sqrt(table[W, t])
    else:
        for t in range(size):
            table[SLOPE_P, t] *= table[CUT_Q, t]
        for t in range(size):
            table[SLOPE_Q, t] *= table[CUT_P, t]
        for t in range(size):
            table[CUT_P, t] *= table[CUT_Q, t]


@part
def fill_rows(plan, group, table, size):
    """Fill the group's rows: 1, the bases, then products and powers of them."""
    real = table.dtype.type
    row = ONES
    fill(table, row, 0, size, real(1.0))
    for base in range(plan.base_first[group], plan.base_first[group + 1]):
        row += 1
        kind, one, other = plan.base_kind[base, 0], plan.base_shape[base, 0], plan.base_shape[base, 1]
        if kind == COSINE:
            for t in range(size):
                table[row, t] = real(1.0) + one * table[COS, t]
        elif kind == GAUSSIAN:
            exponent(plan.group_shells[group, 2], one, other, table, row, size)
            exponentiate(table, row, size)
        else:
            bump(plan.base_kind[base, 1], one, other, kind == BUMP_SLOPE, table, COS, row, size)
    for step in range(plan.step_first[group], plan.step_first[group + 1]):
        row += 1
        left, right, power = ONES + plan.step_rows[step, 0], plan.step_rows[step, 1], plan.step_exponent[step]
        if right >= 0:
            for t in range(size):
                table[row, t] = table[left, t] * table[ONES + right, t]
        else:
            for t in range(size):
                table[row, t] = table[left, t] ** power if table[left, t] > 0 else real(0.0)


@part
def exponent(closed, eta, shift, table, row, size):
    """Fill a row with -eta times the sum of (r - shift)² over the sides of the triplet that count."""
    if shift == 0 and closed:
        for t in range(size):
            table[row, t] = -eta * (table[P, t] + table[Q, t] + table[W, t])
    elif shift == 0:
        for t in range(size):
            table[row, t] = -eta * (table[P, t] + table[Q, t])
    else:
        for t in range(size):
            left, right = table[P, t] * table[INVERSE_P, t] - shift, table[Q, t] * table[INVERSE_Q, t] - shift
            table[row, t] = -eta * (left * left + right * right)
        if closed:
            for t in range(size):
                third = table[W, t] * table[INVERSE_W, t] - shift
                table[row, t] -= eta * third * third


@part
def add_values(plan, group, table, size, values, atom):
    """Add the triplets' part to an atom's row of the symmetry functions, shape (N, F)."""
    for term in range(plan.term_first[group], plan.term_first[group + 1]):
        radial = ONES + plan.term_row[term]
        for t in range(size):
            table[SPARE, t] = table[radial, t] * table[CUT_P, t]
        for function in range(plan.function_first[term], plan.function_first[term + 1]):
            angle = ONES + plan.function_rows[function, 0]
            total = table.dtype.type(0.0)
            for t in range(size):
                total += table[SPARE, t] * table[angle, t]
            values[atom, plan.function_rows[function, 2]] += plan.function_factor[function, 0] * total


@part
def pull_sums(plan, group, table, size, gradient, member, atom):
    """Fill the rows of sums: of f, of f's eta and of eta times shift, and of ∂f/∂cos, each without the cutoffs.

    The factors of the symmetry functions f come from `gradient`, shape (M, N, F).
    """
    for row in (TOTAL, BY_ETA, BY_SHIFT, BY_COS):
        fill(table, row, 0, size, table.dtype.type(0.0))
    for term in range(plan.term_first[group], plan.term_first[group + 1]):
        radial, eta, shift = ONES + plan.term_row[term], plan.term_shape[term, 0], plan.term_shape[term, 1]
        combine(plan, term, 0, gradient, member, atom, table, SPARE, size)
        for t in range(size):
            table[SPARE, t] *= table[radial, t]
        for t in range(size):
            table[TOTAL, t] += table[SPARE, t]
        for t in range(size):
            table[BY_ETA, t] += eta * table[SPARE, t]
        if shift != 0:
            for t in range(size):
                table[BY_SHIFT, t] += eta * shift * table[SPARE, t]
        combine(plan, term, 1, gradient, member, atom, table, SPARE, size)
        for t in range(size):
            table[BY_COS, t] += table[SPARE, t] * table[radial, t]


@part
def function_sums(plan, term, function, table, size):
    """Fill the rows of sums, as `pull_sums` does, for one function alone."""
    radial, eta, shift = ONES + plan.term_row[term], plan.term_shape[term, 0], plan.term_shape[term, 1]
    angle, slope = ONES + plan.function_rows[function, 0], ONES + plan.function_rows[function, 1]
    a, b = plan.function_factor[function, 0], plan.function_factor[function, 1]
    for t in range(size):
        table[TOTAL, t] = a * table[angle, t] * table[radial, t]
    for t in range(size):
        table[BY_ETA, t] = eta * table[TOTAL, t]
    for t in range(size):
        table[BY_SHIFT, t] = shift * table[BY_ETA, t]
    for t in range(size):
        table[BY_COS, t] = b * table[slope, t] * table[radial, t]


@part
def combine(plan, term, which, gradient, member, atom, table, out, size):
    """Fill a row with the sum of a term's rows (0: angle, 1: slope), each with its factor, four at a time."""
    begin, end = plan.function_first[term], plan.function_first[term + 1]
    fill(table, out, 0, size, table.dtype.type(0.0))
    f = begin
    while f + 4 <= end:
        a, row_a = weigh(plan, f, which, gradient, member, atom)
        b, row_b = weigh(plan, f + 1, which, gradient, member, atom)
        c, row_c = weigh(plan, f + 2, which, gradient, member, atom)
        d, row_d = weigh(plan, f + 3, which, gradient, member, atom)
        for t in range(size):
            table[out, t] += (a * table[row_a, t] + b * table[row_b, t]) + (c * table[row_c, t] + d * table[row_d, t])
        f += 4
    while f < end:
        a, row_a = weigh(plan, f, which, gradient, member, atom)
        for t in range(size):
            table[out, t] += a * table[row_a, t]
        f += 1


@part
def weigh(plan, function, which, gradient, member, atom):
    """Return the factor of a function's angle (0) or slope (1), and its row."""
    factor = gradient[member, atom, plan.function_rows[function, 2]] * plan.function_factor[function, which]
    return factor, ONES + plan.function_rows[function, which]


@part
def pull_sides(closed, shifted, table, size):
    """Turn the sums into the factors of v_j in its own derivative, of v_k in its own, and of each in the other's."""
    two = table.dtype.type(2.0)
    for row in (BY_COS, BY_ETA, BY_SHIFT):
        if row != BY_SHIFT or shifted:
            for t in range(size):
                table[row, t] *= table[CUT_P, t]
    if closed:
        for t in range(size):
            table[SPARE, t] = two * (table[TOTAL, t] * table[SLOPE_W, t] - table[BY_ETA, t])
        if shifted:
            for t in range(size):
                table[SPARE, t] += two * table[BY_SHIFT, t] * table[INVERSE_W, t]
    else:
        fill(table, SPARE, 0, size, table.dtype.type(0.0))
    for t in range(size):
        table[BY_W, t] = table[SPARE, t] - table[BY_COS, t] * table[INVERSE_P, t] * table[INVERSE_Q, t]
    for slope, inverse, out in ((SLOPE_P, INVERSE_P, BY_P), (SLOPE_Q, INVERSE_Q, BY_Q)):
        for t in range(size):
            table[out, t] = table[SPARE, t] + two * (table[TOTAL, t] * table[slope, t] - table[BY_ETA, t])
        for t in range(size):
            table[out, t] -= table[BY_COS, t] * table[COS, t] * table[inverse, t] * table[inverse, t]
        if shifted:
            for t in range(size):
                table[out, t] += two * table[BY_SHIFT, t] * table[inverse, t]


@part
def scatter(table, ends, size, left, right, left_pull, right_pull):
    """Add the derivatives by v_j and v_k to the gradients of the two shells, which may be the same."""
    t = 0
    while t < size:
        j = ends[0, t]
        x, y, z = left[X, j], left[Y, j], left[Z, j]
        along = pull_x = pull_y = pull_z = table.dtype.type(0.0)
        while t < size and ends[0, t] == j:
            k, cross = ends[1, t], table[BY_W, t]
            along += table[BY_P, t]
            pull_x += cross * right[X, k]
            pull_y += cross * right[Y, k]
            pull_z += cross * right[Z, k]
            right_pull[ALONG, k] += table[BY_Q, t]
            right_pull[PULL_X, k] -= cross * x
            right_pull[PULL_Y, k] -= cross * y
            right_pull[PULL_Z, k] -= cross * z
            t += 1
        left_pull[ALONG, j] += along
        left_pull[PULL_X, j] -= pull_x
        left_pull[PULL_Y, j] -= pull_y
        left_pull[PULL_Z, j] -= pull_z
