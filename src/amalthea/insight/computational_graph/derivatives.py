"""What an operation is called, and its local derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from amalthea.insight.computational_graph.tracing import WITHOUT_SLOPE, Operation, Rules, is_key, is_real

LARGEST_JACOBIAN = 1024
"""Numbers that a Jacobian may have to be worked out and shown."""

MOST_NUMBERS = 10
"""Of an array with more numbers than this only shape and mean size are written: ten classes can be read."""

_INFIX = {"add": "+", "add_any": "+", "sub": "−", "mul": "×", "div": "÷", "pow": "^", "dot_general": "·", "rem": "mod"}
_INFIX |= {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠", "and": "and", "or": "or"}

_NAMED = {
    "neg": "−{0}",
    "abs": "|{0}|",
    "sqrt": "√{0}",
    "square": "{0}²",
    "logistic": "sigmoid({0})",
    "integer_pow": "{0}^{y}",
    "broadcast_in_dim": "repeat({0})",
    "convert_element_type": "{0} as {new_dtype}",
    "reduce_sum": "sum({0})",
    "reduce_max": "largest({0})",
    "reduce_min": "smallest({0})",
    "reduce_prod": "product({0})",
    "transpose": "{0}ᵀ",
    "concatenate": "join({all})",
    "stack": "join({all})",
    "select_n": "choose({all})",
}

_ELEMENTWISE = {"add", "add_any", "sub", "mul", "div", "pow", "rem", "neg", "abs", "sqrt", "rsqrt", "square", "exp"}
_ELEMENTWISE |= {"exp2", "expm1", "log", "log1p", "tanh", "logistic", "integer_pow", "sin", "cos", "tan", "max", "min"}
_ELEMENTWISE |= {
    "erf",
    "erfc",
    "sign",
    "floor",
    "ceil",
    "round",
    "atan2",
    "sinh",
    "cosh",
    "asin",
    "acos",
    "atan",
    "cbrt",
}
_ELEMENTWISE |= {"convert_element_type", "copy", "stop_gradient", "select_n", "clamp"}

_LINEAR = {
    "reduce_sum": "1 each",
    "broadcast_in_dim": "1, copies add up",
    "reshape": "1, rearranged",
    "squeeze": "1, rearranged",
    "expand_dims": "1, rearranged",
    "transpose": "1, rearranged",
    "rev": "1, rearranged",
    "concatenate": "1, its part",
    "stack": "1, its part",
    "slice": "1 or 0: a choice",
    "dynamic_slice": "1 or 0: a choice",
    "gather": "1 or 0: a choice",
    "pad": "1",
}

CONTROL = {"while": "a loop (while)", "scan": "a loop (scan)", "cond": "a choice (cond)"}
"""Control flow is shown as one node."""


def title(operation: Operation) -> str:
    """Return what an operation is called: `+`, `tanh`, `a loop (scan)`."""
    name = operation.equation.primitive.name
    if name in CONTROL:
        return CONTROL[name]
    if name.startswith(("custom_jvp_call", "custom_vjp_call")):  # relu and its like carry their own derivative
        inner = operation.equation.params["call_jaxpr"]
        return str(inner.jaxpr.debug_info.func_name).split(" ")[0]
    short = {"abs": "|·|", "neg": "−", "reduce_sum": "sum", "logistic": "sigmoid", "dot_general": "matrix product"}
    return short.get(name, _INFIX.get(name, str(name)))


def expression(operation: Operation, names: Sequence[str]) -> str:
    """Return an operation as a formula of its operands.

    Args:
        operation: the operation.
        names: of its inputs; constants are written as numbers.
    """
    name, parameters = operation.equation.primitive.name, operation.equation.params
    if name in _INFIX and len(names) == 2:
        return f"{names[0]} {_INFIX[name]} {names[1]}"
    if name == "broadcast_in_dim" and operation.equation.outvars[0].aval.size == operation.equation.invars[0].aval.size:
        return f"reshape({names[0]})"
    if name in _NAMED:
        shown = {key: str(value) for key, value in parameters.items()}
        return _NAMED[name].format(*names, all=", ".join(names), **shown)
    return f"{title(operation)}({', '.join(names)})"


def number(value: Any) -> str:
    """Write a number briefly.

    Example:
        >>> number(2.0), number(-0.66554), number(1.5e-7), number(123456.0)
        ('2', '−0.666', '1.5e−07', '1.23e+05')
    """
    return f"{float(value) + 0.0:.3g}".replace("-", "−")


def array(value: Any) -> str:
    """Write an array of up to a few numbers in full, a larger one by its shape and mean size.

    Example:
        >>> array(np.array([[0.1, 0.2], [0.3, 0.4]])), array(np.ones((10, 10)))
        ('[[0.1, 0.2], [0.3, 0.4]]', '10 × 10, mean size 1')
    """
    if isinstance(value, tuple):
        return "; ".join(map(array, value))
    if is_key(value):
        return "a random key"
    value = np.asarray(value, np.float64)
    if value.size > MOST_NUMBERS:
        return f"{shape(value)}, mean size {number(np.abs(value).mean())}"
    if value.ndim:
        return f"[{', '.join(array(row) for row in value)}]"
    return number(value)


def shape(value: Any) -> str:
    """Write an array's shape: `10 × 3`, or `a number`."""
    return " × ".join(map(str, np.shape(value))) or "a number"


def local_derivatives(
    operation: Operation, values: Sequence[Any], names: Sequence[str], rules: Rules, blocked: bool
) -> list[tuple[Any, str]]:
    """Return for each input the derivative of the operation's result with respect to it, and how to write it.

    A number or an array of the operand's shape where each number of the result depends on the one in the same place;
    a small Jacobian, shape (result + operand); or None, where words say it: the words then tell what is multiplied.

    Args:
        operation: the operation.
        values: of its inputs.
        names: of its inputs.
        rules: the compiled rules.
        blocked: JAX has no gradient through the operation.
    """
    name = operation.equation.primitive.name
    outputs = [variable.aval for variable in operation.equation.outvars if is_real(variable.aval)]
    real = [operand for operand, value in enumerate(values) if is_real(value)]
    derivatives: list[tuple[Any, str]] = [(None, "none: integers") for _ in values]
    if blocked or not outputs or not real:
        reason = "undefined" if blocked else "none: the result is no real number"
        return [(None, reason) if operand in real else derivatives[operand] for operand in range(len(values))]
    output = outputs[0]
    together = name in _ELEMENTWISE
    if together:
        slopes = rules.backward(operation, values, [np.ones(output.shape, output.dtype)])
    elif max((np.size(values[operand]) for operand in real), default=0) * output.size <= LARGEST_JACOBIAN:
        slopes = rules.jacobians(operation, values)
    else:
        slopes = [None] * len(real)
    for operand, slope in zip(real, slopes, strict=True):
        # What is as large as before was not repeated, whatever the operation is called.
        called = "reshape" if name == "broadcast_in_dim" and output.size == np.size(values[operand]) else name
        words = _words(called, operand, names) if output.size > 1 or np.size(values[operand]) > 1 else None
        if together and np.shape(values[operand]) not in ((), output.shape):
            derivatives[operand] = (None, words or "")
            continue
        slope = None if slope is None else np.asarray(slope)
        if not together and slope is not None and output.shape == np.shape(values[operand]):
            slope = _elementwise_slope(slope, output.shape)
        if together or (slope is not None and slope.size == 1):
            words = None
        derivatives[operand] = (slope, words or (array(slope) if slope is not None else "too many numbers to show"))
    return derivatives


def _elementwise_slope(jacobian: np.ndarray[Any, Any], size: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return a Jacobian's diagonal in the operand's shape, if the rest is zero: relu, softplus."""
    square = jacobian.reshape(int(np.prod(size)), -1)
    diagonal = np.diagonal(square)
    return diagonal.reshape(size) if np.array_equal(np.diag(diagonal), square) else jacobian


def _words(name: str, operand: int, names: Sequence[str]) -> str | None:
    if name == "dot_general":
        return f"∂·{names[1 - operand]}ᵀ" if operand == 0 else f"{names[1 - operand]}ᵀ·∂"
    return _LINEAR.get(name, "copies add up" if name in _ELEMENTWISE else None)


_KINKS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "abs": lambda values: values[0] == 0,
    "max": lambda values: values[0] == values[1],
    "min": lambda values: values[0] == values[1],
}


def remark(operation: Operation, values: Sequence[Any], blocked: bool) -> str:
    """Return what a reader should know of an operation's derivative; empty: nothing.

    Args:
        operation: the operation.
        values: of its inputs.
        blocked: JAX has no gradient through it.
    """
    name = operation.equation.primitive.name
    if blocked:
        return "JAX has no gradient backwards through it: undefined for all before it"
    if name == "stop_gradient":
        return "gradient stopped here: taken as 0"
    if name in WITHOUT_SLOPE:
        return "a step: its gradient is 0 wherever it is defined"
    if not any(is_real(variable.aval) for variable in operation.equation.outvars):
        return "gradient undefined: no real number"
    if name in _KINKS and np.any(_KINKS[name]([np.asarray(value) for value in values])):
        return "a kink here: the derivative is undefined, and JAX takes the mean of both sides"
    return ""
