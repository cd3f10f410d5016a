"""The terms of primitives: what an operation is as a SymPy formula, at the point where its numbers stand.

    term_of : (primitive, numbers, terms, the number of the result, attributes) -> the result's term, or None

A term is a SymPy expression, an object array of them, or a list.  Everything that only moves or adds elements
is NumPy's own code on object arrays.  A choice (`maximum`, `where`, `abs`) is the one that the numbers make.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from ad_compiler.primitives.declare import Primitive


class UncheckedError(Exception):
    """This program cannot be looked at in this way; the text says why."""


# floats that stand for a number which no float is
EXACT: dict[float, Any] = {
    math.pi: sympy.pi,
    math.e: sympy.E,
    math.tau: 2 * sympy.pi,
    math.log(2.0): sympy.log(2),
    math.log(10.0): sympy.log(10),
    1.0 / math.log(2.0): 1 / sympy.log(2),
    1.0 / math.log(10.0): 1 / sympy.log(10),
    math.pi / 180.0: sympy.pi / 180,
    180.0 / math.pi: 180 / sympy.pi,
    2.0 / math.sqrt(math.pi): 2 / sympy.sqrt(sympy.pi),
}


def lift(value: Any) -> Any:
    """A number as an exact term, an array of floats as an object array; integers and the rest as they are."""
    if isinstance(value, bool | int | np.integer | np.bool_) or value is None:
        return value
    if isinstance(value, float | np.floating):
        return exact(float(value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.asarray(np.frompyfunc(lambda number: exact(float(number)), 1, 1)(value), object)
    if isinstance(value, list | tuple):
        return type(value)(map(lift, value))
    return value


def exact(number: float) -> Any:
    """The number that a float stands for: a known constant, or its shortest decimal."""
    if not math.isfinite(number):
        raise UncheckedError("infinities and nan have no exact formula")
    return EXACT.get(number) or (-EXACT[-number] if -number in EXACT else sympy.Rational(repr(number)))


ELEMENTS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "float_power": lambda a, b: a**b,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "sqrt": sympy.sqrt,
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "exp": sympy.exp,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: sympy.exp(x) - 1,
    "log": sympy.log,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x),
    "logaddexp": lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)),
    "logaddexp2": lambda a, b: sympy.log(2**a + 2**b) / sympy.log(2),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "arctan2": sympy.atan2,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "arcsinh": sympy.asinh,
    "arccosh": sympy.acosh,
    "arctanh": sympy.atanh,
    "deg2rad": lambda x: x * sympy.pi / 180,
    "rad2deg": lambda x: x * 180 / sympy.pi,
    "sinc": lambda x: sympy.sin(sympy.pi * x) / (sympy.pi * x),
    "erf": sympy.erf,
    "erfc": sympy.erfc,
}

Special = Callable[[Sequence[Any], Sequence[Any], Any, dict[str, Any]], Any]
INDEXING = ("getitem", "setitem", "add_at", "scatter", "last_write", "take")  # booleans are masks there
SAME = ("to_float", "copy", "real", "conjugate")  # the identity on terms


def term_of(
    primitive: Primitive,
    numbers: Sequence[Any],
    terms: Sequence[Any],
    result: Any,
    attributes: dict[str, Any],
) -> Any:
    """The result's term, or None where it is constant around this point."""
    name = primitive.name
    if primitive.kind == "constant":
        return None if primitive.results == 1 else (None,) * primitive.results
    if name in SAME:
        return terms[0]
    if name not in INDEXING:
        terms = [_counted(term) for term in terms]
    if name in SPECIAL:
        return _tidy(SPECIAL[name](numbers, terms, result, attributes))
    if name in ELEMENTS and not isinstance(terms[0], list | tuple):
        return _tidy(np.frompyfunc(_total(ELEMENTS[name]), len(terms), 1)(*terms))
    if primitive.kind == "elementwise" and primitive.formula is not None:
        return _tidy(np.frompyfunc(_total(primitive.formula), len(terms), 1)(*terms))
    if primitive.kind == "elementwise" and name not in ELEMENTS:
        raise UncheckedError(f"`{name}` has no formula")
    try:
        found = primitive.implementation(*terms, **attributes)
    except Exception as error:  # NumPy has no code for objects here
        raise UncheckedError(f"`{name}` cannot be written as a formula") from error
    return tuple(map(_tidy, found)) if primitive.results > 1 else _tidy(found)


def _counted(term: Any) -> Any:
    """Booleans as 0 and 1, which is what they are in arithmetic."""
    if isinstance(term, bool | np.bool_):
        return int(term)
    return term.astype(int) if isinstance(term, np.ndarray) and term.dtype == bool else term


def _total(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` on sympified arguments: plain integers among them would divide as Python does."""
    return lambda *arguments: function(*map(sympy.sympify, arguments))


def _tidy(term: Any) -> Any:
    """Arrays of no dimension are numbers; arrays of another dtype than object have no symbol and are lifted."""
    if isinstance(term, np.ndarray):
        if term.ndim == 0:
            return term.item()
        return term if term.dtype == object else lift(term)
    return term


# ------------------------------------------------------------------------------ choices, made by the numbers


def _pick(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, np.asarray(a, object), np.asarray(b, object))


def _extreme(sign: int) -> Special:
    def choose(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
        a, b = np.asarray(numbers[0]), np.asarray(numbers[1])
        between = (np.asarray(terms[0], object) + np.asarray(terms[1], object)) / sympy.Integer(2)
        return _pick(a == b, between, _pick(sign * a > sign * b, terms[0], terms[1]))

    return choose


def _absolute(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return np.asarray(terms[0], object) * np.sign(numbers[0]).astype(int)


def _where(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return _pick(numbers[0], terms[1], terms[2])


def _clip(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    (x, low, high), term = numbers, terms[0]
    if low is not None:
        term = _pick(np.less(x, low), terms[1], term)
    return (
        term if high is None else _pick(np.greater(np.maximum(x, low) if low is not None else x, high), terms[2], term)
    )


def _mod(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    whole = np.floor_divide(numbers[0], numbers[1]).astype(int)
    return np.asarray(terms[0], object) - whole * np.asarray(terms[1], object)


def _fmod(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    whole = np.trunc(np.divide(numbers[0], numbers[1])).astype(int)
    return np.asarray(terms[0], object) - whole * np.asarray(terms[1], object)


def _cbrt(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    sign = np.where(np.asarray(numbers[0]) < 0, -1, 1)
    return sign * np.frompyfunc(sympy.cbrt, 1, 1)(sign * np.asarray(terms[0], object))


def _reduced_extreme(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    axis, keepdims = attributes.get("axis"), attributes.get("keepdims", False)
    kept = result if keepdims or axis is None else np.expand_dims(result, axis)
    hit = np.asarray(numbers[0]) == kept
    total = np.sum(_pick(hit, terms[0], 0), axis=axis, keepdims=keepdims)
    return total / np.sum(hit, axis=axis, keepdims=keepdims).astype(object)


def _variance(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    axis, keepdims, x = (
        attributes.get("axis"),
        attributes.get("keepdims", False),
        np.asarray(terms[0], object),
    )
    count = int(np.size(numbers[0]) // max(np.size(result), 1))
    away = x - np.sum(x, axis=axis, keepdims=True) / sympy.Integer(count)
    return np.sum(away * away, axis=axis, keepdims=keepdims) / sympy.Integer(count - attributes.get("ddof", 0))


def _deviation(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return np.frompyfunc(sympy.sqrt, 1, 1)(_variance(numbers, terms, result, attributes))


def _norm(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    if attributes.get("ord") not in (None, 2, "fro") or (attributes.get("ord") == 2 and np.ndim(numbers[0]) != 1):
        raise UncheckedError("`norm` of this order cannot be written as a formula")
    x = np.asarray(terms[0], object)
    squares = np.sum(x * x, axis=attributes.get("axis"), keepdims=attributes.get("keepdims", False))
    return np.frompyfunc(sympy.sqrt, 1, 1)(squares)


def _sort(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    axis, x = attributes.get("axis", -1), np.asarray(terms[0], object)
    if axis is None:
        return x.ravel()[np.argsort(numbers[0], axis=None, kind="stable")]
    return np.take_along_axis(x, np.argsort(numbers[0], axis=axis, kind="stable"), axis=axis)


def _nan_to_num(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return _pick(np.isfinite(numbers[0]), terms[0], lift(result))


def _copysign(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    same_sign = np.signbit(np.asarray(numbers[0])) == np.signbit(np.asarray(numbers[1]))
    return np.where(same_sign, 1, -1) * np.asarray(terms[0], object)


def _heaviside(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return _pick(np.equal(numbers[0], 0), terms[1], np.greater(numbers[0], 0).astype(int))


def _matrix(name: str) -> Special:
    def apply(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
        if np.shape(numbers[0])[-1] > 4:
            raise UncheckedError(f"`{name}` of a large matrix cannot be written as a formula")
        stack = np.shape(numbers[0])[:-2]
        made = np.empty(stack if name == "det" else np.shape(numbers[0]), object)
        for place in np.ndindex(stack):
            matrix = sympy.Matrix(terms[0][place])
            determinant = matrix.det(method="berkowitz")
            made[place] = determinant if name == "det" else np.array((matrix.adjugate() / determinant).tolist(), object)
        if name != "solve":
            return made
        right = np.asarray(terms[1], object)
        return (made @ right[..., None])[..., 0] if right.ndim == 1 else made @ right

    return apply


def _einsum(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return np.einsum(attributes["subscripts"], *[np.asarray(term, object) for term in terms])


def _arange(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    start, _, step = terms
    return np.array([start + k * step for k in range(len(result))], object)


def _astype(numbers: Sequence[Any], terms: Sequence[Any], result: Any, attributes: dict[str, Any]) -> Any:
    return terms[0] if np.asarray(result).dtype.kind == "f" else None


SPECIAL: dict[str, Special] = {
    "arange": _arange,
    "astype": _astype,
    "copysign": _copysign,
    "einsum": _einsum,
    "heaviside": _heaviside,
    "inv": _matrix("inv"),
    "det": _matrix("det"),
    "solve": _matrix("solve"),
    "absolute": _absolute,
    "maximum": _extreme(1),
    "minimum": _extreme(-1),
    "where": _where,
    "clip": _clip,
    "mod": _mod,
    "fmod": _fmod,
    "cbrt": _cbrt,
    "max": _reduced_extreme,
    "min": _reduced_extreme,
    "var": _variance,
    "nan_to_num": _nan_to_num,
    "sort": _sort,
    "std": _deviation,
    "norm": _norm,
}
