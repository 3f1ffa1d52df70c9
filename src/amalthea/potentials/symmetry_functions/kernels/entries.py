"""The compiled loops over atoms: values, their derivatives, and gradients pulled back to the neighbours' vectors."""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

from amalthea.potentials.symmetry_functions.kernels.compiling import entry, part
from amalthea.potentials.symmetry_functions.kernels.shells import (
    PULL_ROWS,
    ROWS,
    gather,
    gaussian,
    radial,
    radial_pull,
    spread,
)
from amalthea.potentials.symmetry_functions.kernels.triplets import (
    BLOCK,
    ONES,
    REGISTERS,
    add_values,
    collect,
    fill_rows,
    function_sums,
    measure,
    pad,
    pull_sides,
    pull_sums,
    scatter,
)


@part
def aligned(shape, real):
    """Return an array of zeros that begins where a cache line begins; every vector across two lines costs twice."""
    flat = np.zeros(shape[0] * shape[1] + 64, real)
    start = (-flat.ctypes.data % 64) // flat.itemsize
    return flat[start : start + shape[0] * shape[1]].reshape(shape)


@part
def room(plan, first, start, stop):
    """Return arrays to work in: shells, their pairs and sizes, triplets, their rows and the numbers of their ends."""
    most = 1
    for atom in range(start, stop):
        most = max(most, first[atom + 1] - first[atom])
    most += -most % (REGISTERS // plan.shell_range.itemsize)
    real = plan.shell_range.dtype
    length = BLOCK + most + REGISTERS // plan.shell_range.itemsize
    length += -length % 16
    return (
        np.zeros((plan.shells, ROWS, most), real),
        np.zeros((plan.shells, most), np.int64),
        np.zeros(plan.shells, np.int64),
        aligned((ONES + plan.rows, length), real),
        np.zeros((2, length), np.int64),
    )


@part
def gather_all(plan, atom, kinds, first, neighbour, vector, shells, pairs, sizes):
    """Fill all shells of an atom; return the number of the first."""
    begin = plan.shell_first[kinds[atom]]
    for s in range(plan.shell_first[kinds[atom] + 1] - begin):
        sizes[s] = gather(plan, begin + s, kinds, first[atom], first[atom + 1], neighbour, vector, shells[s], pairs[s])
    return begin


@part
def block(plan, group, shells, sizes, offset, j, table, ends):
    """Fill a block of triplets and their rows, from neighbour j of the left shell on; return the next j and sizes."""
    left, right = plan.group_shells[group, 0] - offset, plan.group_shells[group, 1] - offset
    closed = plan.group_shells[group, 2]
    lower, upper = plan.shell_range[left + offset, 0], plan.shell_range[left + offset, 1]
    least, most = (
        (lower * lower, upper * upper)
        if closed
        else (plan.shell_range.dtype.type(0.0), plan.shell_range.dtype.type(np.inf))
    )
    count = 0
    while j < sizes[left] and count < BLOCK:
        start = j + 1 if left == right else 0
        count = collect(shells[left], j, shells[right], start, sizes[right], least, most, table, ends, count)
        j += 1
    size = pad(upper, table, count)
    measure(plan, group, table, size)
    fill_rows(plan, group, table, size)
    return j, count, size


@entry
def add_all_values(plan, kinds, first, neighbour, vector, start, stop, values):
    """Add the symmetry functions of the atoms from `start` to `stop` to `values`, shape (N, F)."""
    shells, pairs, sizes, table, ends = room(plan, first, start, stop)
    for atom in range(start, stop):
        offset = gather_all(plan, atom, kinds, first, neighbour, vector, shells, pairs, sizes)
        for s in range(plan.shell_first[kinds[atom] + 1] - offset):
            for f in range(plan.radial_first[offset + s], plan.radial_first[offset + s + 1]):
                eta, shift = plan.radial_shape[f]
                gaussian(shells[s], sizes[s], eta, shift)
                values[atom, plan.radial_column[f]] += radial(shells[s], sizes[s])
        for group in range(plan.group_first[kinds[atom]], plan.group_first[kinds[atom] + 1]):
            j = 0
            while j < sizes[plan.group_shells[group, 0] - offset]:
                j, _, size = block(plan, group, shells, sizes, offset, j, table, ends)
                add_values(plan, group, table, size, values, atom)


@entry
def add_all_pulls(plan, kinds, first, neighbour, vector, start, stop, gradient, pulled):
    """Add the gradients (M, N, F) of the atoms from `start` to `stop`, times the derivatives, to `pulled` (M, P, 3)."""
    shells, pairs, sizes, table, ends = room(plan, first, start, stop)
    members = len(gradient)
    pulls = np.zeros((members, plan.shells, PULL_ROWS, shells.shape[2]), shells.dtype)
    for atom in range(start, stop):
        offset = gather_all(plan, atom, kinds, first, neighbour, vector, shells, pairs, sizes)
        shell_count = plan.shell_first[kinds[atom] + 1] - offset
        for s in range(shell_count):
            pulls[:, s, :, : sizes[s]] = shells.dtype.type(0.0)
            for f in range(plan.radial_first[offset + s], plan.radial_first[offset + s + 1]):
                eta, shift = plan.radial_shape[f]
                gaussian(shells[s], sizes[s], eta, shift)
                for member in range(members):
                    factor = gradient[member, atom, plan.radial_column[f]]
                    radial_pull(shells[s], sizes[s], eta, shift, factor, pulls[member, s])
        for group in range(plan.group_first[kinds[atom]], plan.group_first[kinds[atom] + 1]):
            left, right = plan.group_shells[group, 0] - offset, plan.group_shells[group, 1] - offset
            closed, shifted = plan.group_shells[group, 2], plan.group_shells[group, 3]
            j = 0
            while j < sizes[left]:
                j, count, size = block(plan, group, shells, sizes, offset, j, table, ends)
                for member in range(members):
                    pull_sums(plan, group, table, size, gradient, member, atom)
                    pull_sides(closed, shifted, table, size)
                    scatter(table, ends, count, shells[left], shells[right], pulls[member, left], pulls[member, right])
        for s in range(shell_count):
            for member in range(members):
                spread(shells[s], sizes[s], pairs[s], pulls[member, s], pulled[member])


@entry
def add_all_derivatives(plan, kinds, first, neighbour, vector, start, stop, values, derivatives):
    """Add the symmetry functions to `values` (N, F), their derivatives by the vectors to `derivatives` (F, P, 3)."""
    shells, pairs, sizes, table, ends = room(plan, first, start, stop)
    pulls = np.zeros((plan.width, 2, PULL_ROWS, shells.shape[2]), shells.dtype)
    for atom in range(start, stop):
        offset = gather_all(plan, atom, kinds, first, neighbour, vector, shells, pairs, sizes)
        for s in range(plan.shell_first[kinds[atom] + 1] - offset):
            shell, size = shells[s], sizes[s]
            for f in range(plan.radial_first[offset + s], plan.radial_first[offset + s + 1]):
                eta, shift, column = plan.radial_shape[f, 0], plan.radial_shape[f, 1], plan.radial_column[f]
                gaussian(shell, size, eta, shift)
                values[atom, column] += radial(shell, size)
                pulls[0] = shells.dtype.type(0.0)
                radial_pull(shell, size, eta, shift, shells.dtype.type(1.0), pulls[0, 0])
                spread(shell, size, pairs[s], pulls[0, 0], derivatives[column])
        for group in range(plan.group_first[kinds[atom]], plan.group_first[kinds[atom] + 1]):
            left, right = plan.group_shells[group, 0] - offset, plan.group_shells[group, 1] - offset
            closed, shifted, other = plan.group_shells[group, 2], plan.group_shells[group, 3], 0 if left == right else 1
            pulls[:] = shells.dtype.type(0.0)
            j = 0
            while j < sizes[left]:
                j, count, size = block(plan, group, shells, sizes, offset, j, table, ends)
                add_values(plan, group, table, size, values, atom)
                for term in range(plan.term_first[group], plan.term_first[group + 1]):
                    for f in range(plan.function_first[term], plan.function_first[term + 1]):
                        column = plan.function_rows[f, 2]
                        function_sums(plan, term, f, table, size)
                        pull_sides(closed, shifted, table, size)
                        scatter(table, ends, count, shells[left], shells[right], pulls[column, 0], pulls[column, other])
            for term in range(plan.term_first[group], plan.term_first[group + 1]):
                for f in range(plan.function_first[term], plan.function_first[term + 1]):
                    column = plan.function_rows[f, 2]
                    spread(shells[left], sizes[left], pairs[left], pulls[column, 0], derivatives[column])
                    if other:
                        spread(shells[right], sizes[right], pairs[right], pulls[column, 1], derivatives[column])
