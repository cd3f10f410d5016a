"""The value of an expression of literals: `1 / 60`, `(2, 3)`, `-np.pi`, `math.sqrt(2)`.

    evaluate : expression, what names stand for -> number, string, None, or a tuple of these

It calculates; it never runs anything of the program.  The sizes of numbers are bounded.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

BITS = 4096  # of an integer

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
_NAMES = "sqrt exp log log2 log10 sin cos tan sinh cosh tanh radians degrees"
_CALLS = (
    [getattr(math, name) for name in f"{_NAMES} asin acos atan atan2 hypot".split()]
    + [getattr(np, name) for name in f"{_NAMES} arcsin arccos arctan arctan2 hypot float64 float32".split()]
    + [float, int, complex, abs, min, max, bool]
)


class NotConstantError(Exception):
    """The expression is not one of literals; the message is a clause that says why."""


def evaluate(node: ast.expr, part: Callable[[ast.expr], Any]) -> Any:
    """The value of `node`; `part` gives the object of a (dotted) name or raises NotConstantError."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple) and not any(isinstance(one, ast.Starred) for one in node.elts):
        return tuple(evaluate(one, part) for one in node.elts)
    if isinstance(node, ast.Name | ast.Attribute):
        return _plain(part(node), node)
    try:
        return _computed(node, part)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise NotConstantError(f"computing it raises {type(error).__name__}: {error}") from None


def _computed(node: ast.expr, part: Callable[[ast.expr], Any]) -> Any:
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_number(evaluate(node.operand, part)))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        a, b = _number(evaluate(node.left, part)), _number(evaluate(node.right, part))
        return _bounded(_power(a, b) if isinstance(node.op, ast.Pow) else _BINARY[type(node.op)](a, b))
    if isinstance(node, ast.Call) and not node.keywords and isinstance(node.func, ast.Name | ast.Attribute):
        function = _function(node.func, part)
        if function is not None:
            with np.errstate(all="ignore"):
                return _bounded(function(*[_number(evaluate(one, part)) for one in node.args]))
    raise NotConstantError("it is not made of literals alone, so its value is known only when the file runs")


def _function(node: ast.expr, part: Callable[[ast.expr], Any]) -> Callable[..., Any] | None:
    """One of the functions that are computed here, or None."""
    try:
        found = part(node)
    except NotConstantError:
        return None
    return next((known for known in _CALLS if known is found), None)


def _plain(value: Any, node: ast.expr) -> Any:
    if isinstance(value, bool | int | float | complex | str | None | np.floating | tuple):
        return value
    raise NotConstantError(f"`{ast.unparse(node)}` is not a number")


def _number(value: Any) -> Any:
    if isinstance(value, bool | int | float | complex | np.floating):
        return value
    raise NotConstantError("it is not made of numbers alone")


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() * abs(b) > BITS:
        raise NotConstantError("it is too large a number")
    return a**b


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > BITS:
        raise NotConstantError("it is too large a number")
    return value
