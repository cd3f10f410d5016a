"""Constant folding, by calling what will be called: Python's operator on Python numbers, else the primitive.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(fold, '''
    ... func f(%x: f64) -> f64
    ...   %n = subtract 3, 1
    ...   %c = multiply 0.5, 4.0                          # reverse
    ...   %y = power %x, %n
    ...   %z = multiply %y, %c
    ...   return %z
    ... ''')
    func f(%x: f64) -> f64
      %y: f64 = power %x, 2
      %z: f64 = multiply %y, 2.0
      return %z
    <BLANKLINE>

A result is kept only if it is finite, came without a warning, and prints as a number that reads back the
same.  The user's own code is folded only where that helps: whole numbers, signs and exponents (`x ** (1 / 3)`);
`2 * np.pi` and `np.sqrt(2.0)` read better than their digits.  The forward sweep stays as it is.
"""

from __future__ import annotations

import cmath
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import Function, Module, Op, Value, walk
from ad_compiler.ir.rewrite import Scope, sweep
from ad_compiler.ir.types import is_scalar
from ad_compiler.passes.derivative import is_derivative
from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.primitives.scalars import type_of_constant

# What the emitted code computes with these, on Python's numbers.
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "mod": operator.mod,
    "power": operator.pow,
    "negative": operator.neg,
    "absolute": abs,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "logical_not": operator.not_,
}
NUMBERS = (bool, int, float, complex)
LARGEST_INTEGER = 2**53


def fold(function: Function, module: Module) -> bool:
    """Replace ops on constants by their result."""
    exponents = _exponents(function)

    def visit(op: Op, scope: Scope) -> Sequence[Value] | None:
        if op.phase == "forward" or len(op.results) != 1 or not op.operands:
            return None
        values = [constant_of(operand) for operand in op.operands]
        if any(type(value) not in NUMBERS for value in values):
            return None
        ours = is_derivative(op)
        if not ours and op.name != "negative" and op.results[0] not in exponents and float in map(type, values):
            return None
        result = folded(op, values, calls=ours)
        return None if result is None else [make_constant(result, op, scope)]

    return sweep(function.body, visit)


def _exponents(function: Function) -> set[Value]:
    """The values that are read as exponents only, and what those alone are made of."""
    readers: dict[Value, list[Op]] = {}
    order = list(walk(function.body))
    for op in order:
        for operand in op.operands:
            readers.setdefault(operand, []).append(op)
    found: set[Value] = set()
    for op in reversed(order):
        for value in op.results:
            if value in readers and all(_raises(value, reader, found) for reader in readers[value]):
                found.add(value)
    return found


def _raises(value: Value, reader: Op, exponents: set[Value]) -> bool:
    """Whether `reader` has the value as its exponent, or computes one from it."""
    if reader.name in ("power", "float_power"):
        return reader.operands[1] is value and reader.operands[0] is not value
    return len(reader.results) == 1 and reader.results[0] in exponents


def constant_of(value: Value) -> Any:
    """The number that the value is known to be; else None."""
    return value.op.attributes["value"] if value.op is not None and value.op.name == "constant" else None


def make_constant(value: Any, like: Op, scope: Scope) -> Value:
    """A constant in front of `like`, which it replaces."""
    op = Op("constant", [], {"value": value}, span=like.span, phase=like.phase)
    op.results = [Value(type_of_constant(value), like.results[0].hint if like.results else "", op)]
    scope.before.append(op)
    return op.results[0]


def folded(op: Op, values: list[Any], *, calls: bool) -> Any:
    """The number that the op gives, or None.  `calls`: also of functions, not only of operators."""
    run = ARITHMETIC.get(op.name)
    if run is None:
        primitive = REGISTRY.get(op.name)
        if not calls or primitive is None or primitive.kind not in ("elementwise", "constant"):
            return None
        if primitive.effect or op.attributes or not is_scalar(op.results[0].type):
            return None
        run = primitive.implementation
    if op.name == "power" and all(type(value) is int for value in values) and not 0 <= values[1] < 64:
        return None
    try:
        with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            result = run(*values)
    except Exception:  # whatever it is, it is the program's to raise
        return None
    result = result.item() if isinstance(result, np.generic) else result
    return result if _is_plain(result) and type_of_constant(result) == op.results[0].type else None


def _is_plain(result: Any) -> bool:
    """Whether the number prints exactly and means the same in Python and in NumPy."""
    if type(result) is bool:
        return True
    if type(result) is int:
        return abs(result) <= LARGEST_INTEGER
    return type(result) in (float, complex) and cmath.isfinite(result)
