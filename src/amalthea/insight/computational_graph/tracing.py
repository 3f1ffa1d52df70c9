"""A function's computation, operation by operation, forwards for the values and backwards for the gradients."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from amalthea.errors import AmaltheaError

CALLS = {"jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2"}
"""Primitives that only call: their inner operations are shown instead."""

WITHOUT_SLOPE = {"ceil", "floor", "round", "sign", "stop_gradient"}
"""Operations whose derivative is zero wherever it is defined."""


class Source(NamedTuple):
    """Where a function is written: lines `first` to `last` of a file."""

    file: str
    first: int
    last: int


class Operation(NamedTuple):
    """One equation of a computation.

    Args:
        equation: JAX's, with primitive and parameters.
        inputs: for each operand the number of its value, or the constant itself.
        outputs: the numbers of the values that it computes.
        scope: the named scopes around it, outermost first: Keras's layers.
        line: the line of the traced function that it comes from; None: unknown.
    """

    equation: Any
    inputs: tuple[int | np.ndarray[Any, Any], ...]
    outputs: tuple[int, ...]
    scope: tuple[str, ...]
    line: int | None

    @property
    def operands(self) -> tuple[int, ...]:
        """The numbers of the values that it uses."""
        return tuple(operand for operand in self.inputs if isinstance(operand, int))


@dataclasses.dataclass
class Computation:
    """Operations in the order in which they are computed, with all values and gradients.

    Args:
        operations: those that the result depends on.
        leaves: the numbers of the values that no operation computes: first the arguments, then the constants.
        arguments: how many of the leaves are arguments.
        result: the number of the result.
        values: value of each number.
        gradients: for each number the gradient of the result (of its sum) with respect to it. A number that is
            missing has none: integers, and what lies before an operation without a derivative.
        undefined: those of the missing numbers that lie before an operation through which JAX has no gradient.
        blocked: the positions of these operations.
    """

    operations: list[Operation]
    leaves: list[int]
    arguments: int
    result: int
    values: dict[int, Any]
    gradients: dict[int, Any]
    undefined: set[int]
    blocked: set[int]
    rules: Rules


class Rules:
    """Compiled forward and backward rules, shared by operations that differ in their numbers only."""

    def __init__(self) -> None:
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self._keys: dict[int, tuple[Any, Any]] = {}

    def forward(self, operation: Operation, inputs: Sequence[Any]) -> list[Any]:
        """Return the outputs of an operation."""
        outputs: list[Any] = self._rule("forward", operation.equation)(inputs)
        return outputs

    def backward(self, operation: Operation, inputs: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        """Return the gradients with respect to the real inputs, from those with respect to the real outputs."""
        gradients_of_inputs: list[Any] = self._rule("backward", operation.equation)(inputs, gradients)
        return gradients_of_inputs

    def jacobians(self, operation: Operation, inputs: Sequence[Any]) -> list[Any]:
        """Return the Jacobian of the first real output with respect to each real input, shape (output + input)."""
        jacobians: list[Any] = self._rule("jacobians", operation.equation)(inputs)
        return jacobians

    def _rule(self, kind: str, equation: Any) -> Callable[..., Any]:
        known = self._keys.get(id(equation))
        if known is None:
            known = self._keys[id(equation)] = (equation, _key(equation))  # kept, that its id is not given away
        compiled = self._compiled.get((kind, known[1]))
        if compiled is None:
            compiled = self._compiled[kind, known[1]] = jax.jit(_RULES[kind](equation))
        return compiled


def _key(equation: Any) -> Any:
    """Return what equations have in common that share their rules."""
    shapes = tuple(variable.aval for variable in equation.invars)
    key = (equation.primitive, tuple(equation.params.items()), shapes)
    try:
        hash(key)
    except TypeError:
        return id(equation)
    return key


def _forward(equation: Any) -> Callable[..., list[Any]]:
    def compute(inputs: Sequence[Any]) -> list[Any]:
        outputs = equation.primitive.bind(*inputs, **equation.primitive.get_bind_params(equation.params))
        return list(outputs) if equation.primitive.multiple_results else [outputs]

    return compute


def _real_part(equation: Any, inputs: Sequence[Any]) -> tuple[Callable[..., list[Any]], list[Any]]:
    """Return an equation as a function of its real inputs that gives its real outputs, and these inputs."""
    positions = [position for position, value in enumerate(inputs) if is_real(value)]

    def compute(*chosen: Any) -> list[Any]:
        given = list(inputs)
        for position, value in zip(positions, chosen, strict=True):
            given[position] = value
        return [value for value in _forward(equation)(given) if is_real(value)]

    return compute, [inputs[position] for position in positions]


def _backward(equation: Any) -> Callable[..., list[Any]]:
    def pull(inputs: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        compute, chosen = _real_part(equation, inputs)
        return list(jax.vjp(compute, *chosen)[1](list(gradients)))

    return pull


def _jacobians(equation: Any) -> Callable[..., list[Any]]:
    def differentiate(inputs: Sequence[Any]) -> list[Any]:
        compute, chosen = _real_part(equation, inputs)
        return list(jax.jacrev(lambda *values: compute(*values)[0], argnums=tuple(range(len(chosen))))(*chosen))

    return differentiate


_RULES = {"forward": _forward, "backward": _backward, "jacobians": _jacobians}


def is_real(value: Any) -> bool:
    """Return whether an array has derivatives: floating-point or complex numbers.

    Example:
        >>> is_real(np.float32(1)), is_real(np.int32(1))
        (True, False)
    """
    return _inexact(value.dtype)


@functools.cache
def _inexact(dtype: Any) -> bool:
    return bool(jnp.issubdtype(dtype, jnp.inexact))


def is_key(value: Any) -> bool:
    """Return whether an array holds keys of random numbers."""
    return bool(jnp.issubdtype(value.dtype, jax.dtypes.prng_key))


def trace(function: Callable[..., Any], arguments: Sequence[Any], source: Source | None = None) -> Computation:
    """Trace a function, and compute every value and every gradient of its result.

    Args:
        function: a JAX function with one array as result.
        arguments: what it is called with.
        source: where it was written: which of its lines an operation comes from is noted.

    Raises:
        AmaltheaError: the result is not one array of real numbers or integers.
    """
    closed = jax.make_jaxpr(function)(*arguments)
    if len(closed.jaxpr.outvars) != 1 or jnp.issubdtype(closed.out_avals[0].dtype, jnp.complexfloating):
        received = ", ".join(aval.str_short() for aval in closed.out_avals) or "nothing"
        raise AmaltheaError(f"The function must return one array of real numbers. Received: {received}.")
    values: dict[int, Any] = {}

    def leaf(value: Any) -> int:
        values[len(values)] = value
        return len(values) - 1

    # The leaves of the graph: arguments, and constants that the function closes over.
    flat = [leaf(jnp.asarray(value)) for value in jax.tree.leaves(arguments)]
    constants = [leaf(jnp.asarray(value)) for value in closed.consts]
    # Forwards: each equation is run once, and its values are kept.
    operations: list[Operation] = []
    rules = Rules()
    environment = dict(zip([*closed.jaxpr.invars, *closed.jaxpr.constvars], [*flat, *constants], strict=True))
    tracer = _Tracer(rules, operations, values, constants, source)
    (result,) = tracer.run(closed.jaxpr, environment, (), None)
    if not isinstance(result, int):
        result = leaf(jnp.asarray(result))
        constants.append(result)
    # What the result does not depend on is left out: walk back from it.
    needed = {result}
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            needed.update(operation.operands)
    operations = [operation for operation in operations if needed.intersection(operation.outputs)]
    # Backwards: the gradients.
    leaves = [*flat, *(number for number in constants if number in needed)]
    computation = Computation(operations, leaves, len(flat), result, values, {}, set(), set(), rules)
    _backpropagate(computation)
    return computation


class _Tracer:
    """Run a jaxpr equation by equation, and write down what was done."""

    def __init__(
        self,
        rules: Rules,
        operations: list[Operation],
        values: dict[int, Any],
        constants: list[int],
        source: Source | None,
    ) -> None:
        self.rules, self.operations, self.values = rules, operations, values
        self.constants, self.source = constants, source

    def run(self, jaxpr: Any, environment: dict[Any, Any], scope: tuple[str, ...], line: int | None) -> list[Any]:
        """Return for each result its number, or the constant that it is."""

        def read(atom: Any) -> Any:
            kind: Any = atom.aval
            return np.asarray(atom.val, kind.dtype) if isinstance(atom, Literal) else environment[atom]

        for equation in jaxpr.eqns:
            inside = scope + tuple(part for part in str(equation.source_info.name_stack).split("/") if part)
            here = line if line is not None else self._line(equation)
            inputs = tuple(read(atom) for atom in equation.invars)
            if equation.primitive.name in CALLS:
                outputs = self._call(equation, inputs, inside, here)
            else:
                outputs = self._compute(equation, inputs, inside, here)
            environment.update(zip(equation.outvars, outputs, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _call(self, equation: Any, inputs: tuple[Any, ...], scope: tuple[str, ...], line: int | None) -> list[Any]:
        called = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        jaxpr = getattr(called, "jaxpr", called)
        environment = dict(zip(jaxpr.invars, inputs, strict=True))
        for variable, constant in zip(jaxpr.constvars, getattr(called, "consts", ()), strict=True):
            environment[variable] = len(self.values)
            self.constants.append(len(self.values))
            self.values[len(self.values)] = constant
        return self.run(jaxpr, environment, scope, line)

    def _compute(self, equation: Any, inputs: tuple[Any, ...], scope: tuple[str, ...], line: int | None) -> list[Any]:
        first = len(self.values)
        outputs = tuple(range(first, first + len(equation.outvars)))
        operation = Operation(equation, inputs, outputs, scope, line)
        computed = self.rules.forward(operation, [self.values[x] if isinstance(x, int) else x for x in inputs])
        self.values.update(zip(outputs, computed, strict=True))
        self.operations.append(operation)
        return list(outputs)

    def _line(self, equation: Any) -> int | None:
        """Return the function's line on the way to an equation."""
        traceback, source = equation.source_info.traceback, self.source
        if source is None or traceback is None:
            return None
        lines = (frame.line_num for frame in traceback.frames if frame.file_name == source.file)
        return next((line for line in lines if source.first <= line <= source.last), None)


def _backpropagate(computation: Computation) -> None:
    """Carry the gradient from the result back to the leaves: the chain rule, one operation at a time."""
    values, gradients, undefined = computation.values, computation.gradients, computation.undefined
    # The gradient of the result with respect to itself is 1.
    if is_real(values[computation.result]):
        gradients[computation.result] = jnp.ones_like(values[computation.result])
    # Each operation hands the gradients of its outputs to its operands; those of several uses add up.
    for position, operation in reversed(list(enumerate(computation.operations))):
        inputs = [values[x] if isinstance(x, int) else x for x in operation.inputs]
        real = [number for number in operation.outputs if is_real(values[number])]
        known = [gradients.get(number) for number in real]
        targets = [x for x, value in zip(operation.inputs, inputs, strict=True) if is_real(value)]
        if undefined.intersection(real):
            undefined.update(x for x in targets if isinstance(x, int))
        elif targets and any(gradient is not None for gradient in known):
            filled = [jnp.zeros_like(values[n]) if g is None else g for n, g in zip(real, known, strict=True)]
            try:
                pulled = computation.rules.backward(operation, inputs, filled)
            except (ValueError, NotImplementedError):  # JAX has no reverse derivative, as of `while`
                computation.blocked.add(position)
                undefined.update(x for x in targets if isinstance(x, int))
                continue
            for target, gradient in zip(targets, pulled, strict=True):
                if isinstance(target, int):
                    before = gradients.get(target)
                    gradients[target] = gradient if before is None else before + gradient
    # Behind an operation without a derivative nothing is known, whatever else was added.
    for number in undefined:
        gradients.pop(number, None)
    outputs = [number for operation in computation.operations for number in operation.outputs]
    for number in [*computation.leaves, *outputs]:
        if number not in undefined and number not in gradients and is_real(values[number]):
            gradients[number] = jnp.zeros_like(values[number])  # on no way to the result
