"""Random draws: data, drawn once, in order, and never again in the reverse sweep.

`np.random.normal(…)`, and the methods of a generator made by `np.random.default_rng(…)`, become `opaque` ops.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ad_compiler.frontend import containers, effects
from ad_compiler.frontend.context import Lowering, static_int
from ad_compiler.frontend.values import Attribute, Meaning, Scalar, Static
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import FLOAT, INT, Dim, Opaque, Symbol, Tensor, Type

GENERATOR = Opaque("Generator")

# how many parameters stand before `size`; the numbers drawn are floats but for those in INTEGERS
SIZE_AFTER = {
    "random": 0, "random_sample": 0, "standard_normal": 0, "normal": 2, "uniform": 2, "exponential": 1, "lognormal": 2,
    "laplace": 2, "gamma": 2, "beta": 2, "poisson": 1, "binomial": 2, "randint": 2, "integers": 2,
}  # fmt: skip
BY_DIMS = ("rand", "randn")
INTEGERS = ("randint", "integers", "poisson", "binomial")


def is_draw(obj: Any) -> bool:
    """Whether a callable is `np.random.…`."""
    return getattr(np.random, getattr(obj, "__name__", ""), None) == obj and obj is not None


def draw(low: Lowering, obj: Any, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Meaning:
    name = obj.__name__
    if name == "default_rng":
        return _opaque(low, f"np.random.{name}", [], arguments, keywords, GENERATOR)
    if name == "seed":
        operands: list[Value] = []
        call = _call(low, f"np.random.{name}", operands, arguments, keywords)
        effects.emit(low, ast.Expr(call), operands)
        return Static(None)
    return _opaque(low, f"np.random.{name}", [], arguments, keywords, _type(low, name, arguments, keywords))


def is_generator(meaning: Meaning) -> bool:
    return isinstance(meaning, Scalar) and meaning.value.type == GENERATOR


def draw_from(low: Lowering, generator: Attribute, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Meaning:
    """`rng.normal(…)`."""
    found = _type(low, generator.name, arguments, keywords)
    return _opaque(low, f"_0_.{generator.name}", [low.value(generator.owner)], arguments, keywords, found)


def _opaque(
    low: Lowering,
    function: str,
    operands: list[Value],
    arguments: list[Meaning],
    keywords: dict[str, Meaning],
    type: Type,
) -> Meaning:
    call = _call(low, function, operands, arguments, keywords)
    text = ast.unparse(ast.fix_missing_locations(call))
    (value,) = low.builder.emit("opaque", operands, types=[type], template=text)
    return low.wrap(value)


def _call(
    low: Lowering, function: str, operands: list[Value], arguments: list[Meaning], keywords: dict[str, Meaning]
) -> ast.Call:
    parts = [effects.quoted_meaning(low, one, operands) for one in arguments]
    named = [ast.keyword(name, effects.quoted_meaning(low, one, operands)) for name, one in keywords.items()]
    return ast.Call(ast.parse(function, mode="eval").body, parts, named)


def _type(low: Lowering, name: str, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Type:
    """A number, or an array of as many axes as `size` says; unknown where that depends on the other arguments."""
    dtype = "i64" if name in INTEGERS else "f64"
    if name in BY_DIMS:
        return Tensor(dtype, tuple(map(_dim, arguments)))
    before = SIZE_AFTER.get(name)
    if before is None:
        return Tensor("?", Symbol())
    given = [*arguments[:before], *(one for key, one in keywords.items() if key != "size")]
    size = keywords.get("size", arguments[before] if len(arguments) > before else Static(None))
    if isinstance(size, Static) and size.value is None:
        numbers = all(isinstance(one, Scalar | Static) for one in given)
        return (INT if dtype == "i64" else FLOAT) if numbers else Tensor(dtype, Symbol())
    items = containers.known_items(low, size)
    if items is not None:
        return Tensor(dtype, tuple(map(_dim, items)))
    return Tensor(dtype, (_dim(size),)) if isinstance(size, Static | Scalar) else Tensor(dtype, Symbol())


def _dim(size: Meaning) -> Dim:
    known = static_int(size)
    return Dim(Symbol()) if known is None else Dim(None, known)
