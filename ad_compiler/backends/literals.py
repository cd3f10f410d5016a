"""Python objects and names as expressions: `literal(value)`, `name`, `variable`, `numpy`."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def variable(text: str) -> ast.Name:
    """A name that is a variable of the function, whatever builtin it hides."""
    made = name(text)
    made.local = True  # type: ignore[attr-defined]
    return made


def numpy(text: str) -> ast.Attribute:
    return ast.Attribute(name("np"), text, ast.Load())


def literal(value: Any) -> ast.expr | None:
    """The expression of a Python object; None when there is none."""
    if value is None or value is Ellipsis or isinstance(value, bool | int | str | bytes):
        return ast.Constant(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, complex):
        return ast.Constant(value) if _plain_complex(value) else _call("complex", [value.real, value.imag])
    if isinstance(value, tuple | list):
        items = [literal(item) for item in value]
        if any(item is None for item in items):
            return None
        return (ast.Tuple if isinstance(value, tuple) else ast.List)(items, ast.Load())  # type: ignore[arg-type]
    if isinstance(value, np.dtype):
        return numpy(value.name) if hasattr(np, value.name) and value.isnative else None
    if isinstance(value, type):
        if value in (float, int, bool, complex):
            return name(value.__name__)
        return numpy(value.__name__) if issubclass(value, np.generic) and hasattr(np, value.__name__) else None
    if isinstance(value, np.bool_):
        return ast.Constant(bool(value))
    if isinstance(value, np.generic):
        inner = literal(value.item())
        if inner is None or isinstance(value, np.float64):
            return inner
        return ast.Call(numpy(type(value).__name__), [inner], [])
    if isinstance(value, np.ndarray) and value.size <= 1000 and value.dtype.kind in "biufc":
        inner = literal(value.tolist())
        dtype = literal(value.dtype)
        if inner is None or dtype is None:
            return None
        natural = value.size and np.array(value.tolist()).dtype == value.dtype
        return ast.Call(numpy("array"), [inner], [] if natural else [ast.keyword("dtype", dtype)])
    if isinstance(value, slice):
        parts = [literal(part) for part in (value.start, value.stop, value.step)]
        return None if any(part is None for part in parts) else ast.Call(name("slice"), parts, [])  # type: ignore[arg-type]
    return None


def _float(value: float) -> ast.expr:
    if math.isnan(value):
        return numpy("nan")
    if math.isinf(value):
        return numpy("inf") if value > 0 else ast.UnaryOp(ast.USub(), numpy("inf"))
    return ast.Constant(value)


def _plain_complex(value: complex) -> bool:
    return math.copysign(1.0, value.real) > 0 and value.real == 0 and math.isfinite(value.imag) and value.imag >= 0


def _call(function: str, values: Sequence[Any]) -> ast.expr | None:
    parts = [literal(value) for value in values]
    return None if any(part is None for part in parts) else ast.Call(name(function), parts, [])  # type: ignore[arg-type]
