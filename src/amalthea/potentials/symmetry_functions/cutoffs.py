"""Where an atom's surroundings end: cutoff functions and compact functions, in JAX.

Their gradients are finite everywhere: what lies outside is cut off before a formula could divide by zero there.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from amalthea.potentials.symmetry_functions.functions import Cutoff


def cutoff(kind: Cutoff, r: jax.Array) -> jax.Array:
    """Return f_c(r): 1 up to the inner radius, 0 at and beyond the cutoff radius, and in between, by `kind`.

    With x = (r - r_i) / (r_c - r_i), r_i = inner * r_c: "hard" 1; "cosine" (cos πx + 1) / 2 (Behler, J. Chem. Phys.
    134, 074106 (2011)); "tanh" tanh³(1 - r/r_c) (ibid.); "tanh_scaled" the same over tanh³(1);
    "exponential" exp(1 - 1/(1 - x²)); "poly1" to "poly4": see `polynomial`. All that are not Behler's: Singraber,
    Behler, Dellago, J. Chem. Theory Comput. 15, 1827 (2019).

    Args:
        kind: the cutoff.
        r: distances in Å, any shape.

    Example:
        >>> cutoff(Cutoff(6.0), jnp.array([0.0, 3.0, 6.0])).round(3).tolist()
        [1.0, 0.5, 0.0]
    """
    inside = r < kind.radius
    start = kind.inner * kind.radius
    x = jnp.where(inside, jnp.maximum((r - start) / (kind.radius - start), 0.0), 0.0)
    match kind.kind:
        case "hard":
            value = jnp.ones_like(r)
        case "cosine":
            value = (jnp.cos(jnp.pi * x) + 1) / 2
        case "tanh":
            value = jnp.tanh(1 - jnp.where(inside, r, 0.0) / kind.radius) ** 3
        case "tanh_scaled":
            value = (jnp.tanh(1 - jnp.where(inside, r, 0.0) / kind.radius) / math.tanh(1.0)) ** 3
        case "exponential":
            value = jnp.exp(1 - 1 / (1 - x**2))
        case _:
            value = polynomial(int(kind.kind.removeprefix("poly")), x)
    return jnp.where(inside, value, 0.0)


def compact(shape: str, left: float, right: float, a: jax.Array) -> jax.Array:
    """Return C(a) = f(|a - m| / w), a bump over (left, right) with its middle at m and half its width w; 0 outside.

    f is a polynomial, e exp(1/(x² - 1)) for "e", and f((2 - x) x) for the asymmetric shapes, which end in "a" (Bircher,
    Singraber, Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021), section 2).

    Args:
        shape: "p1" to "p4" or "e", with a trailing "a" for the asymmetric form.
        left: where the bump begins.
        right: where it ends.
        a: distances or angles, any shape, in the unit of `left` and `right`.

    Example:
        >>> compact("p2", 1.0, 3.0, jnp.array([0.5, 1.0, 2.0, 2.5, 3.0])).tolist()
        [0.0, 0.0, 1.0, 0.5, 0.0]
    """
    inside = (left < a) & (a < right)
    middle, half = (left + right) / 2, (right - left) / 2
    x = jnp.abs(jnp.where(inside, a, middle) - middle) / half
    if shape.endswith("a"):
        x = (2 - x) * x
    inside &= x < 1  # where rounding has reached the end
    x = jnp.where(inside, x, 0.0)
    value = jnp.exp(1 + 1 / (x**2 - 1)) if shape.startswith("e") else polynomial(int(shape[1]), x)
    return jnp.where(inside, value, 0.0)


def polynomial(order: int, x: jax.Array) -> jax.Array:
    """Return a polynomial that falls from 1 at x = 0 to 0 at x = 1, with `order` vanishing derivatives at both ends.

    Args:
        order: 1 to 4.
        x: from 0 to 1, any shape.
    """
    match order:
        case 1:
            return (2 * x - 3) * x**2 + 1
        case 2:
            return ((15 - 6 * x) * x - 10) * x**3 + 1
        case 3:
            return (x * (x * (20 * x - 70) + 84) - 35) * x**4 + 1
        case _:
            return (x * (x * ((315 - 70 * x) * x - 540) + 420) - 126) * x**5 + 1
