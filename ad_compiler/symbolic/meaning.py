"""What elementwise primitives mean, as SymPy formulas: `MEANING[name]` takes and gives SymPy expressions.

`Formula` is the stand-in that runs a rule, or a program through `ir.interpreter`, on these meanings:

    >>> import sympy
    >>> from ad_compiler.primitives import lookup
    >>> lookup("tanh").rules["x"]({"out": Formula(sympy.Symbol("y"))})
    1 - y**2

Unlike `terms`, which follows the path that numbers take, a choice here stays a choice, a `Piecewise`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.primitives.expression import Operand
from ad_compiler.symbolic.terms import ELEMENTS, exact


def _choose(condition: Any, a: Any, b: Any) -> Any:
    if condition in (sympy.true, sympy.S.One):
        return a
    if condition in (sympy.false, sympy.S.Zero):
        return b
    return sympy.Piecewise((a, condition), (b, True))


def _truncated(x: Any) -> Any:
    return _choose(x >= 0, sympy.floor(x), sympy.ceiling(x))


def _clipped(x: Any, lo: Any, hi: Any) -> Any:
    above = _choose(x < lo, lo, x)
    return _choose(above > hi, hi, above)


MEANING: dict[str, Callable[..., Any]] = ELEMENTS | {
    "absolute": sympy.Abs,
    "sign": sympy.sign,
    "cbrt": lambda x: sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3),
    "where": _choose,
    "maximum": lambda a, b: _choose(a > b, a, b),
    "minimum": lambda a, b: _choose(a < b, a, b),
    "clip": _clipped,
    "heaviside": lambda x, h: sympy.Piecewise((0, x < 0), (h, sympy.Eq(x, 0)), (1, True)),
    "copysign": lambda a, b: _choose(b >= 0, sympy.Abs(a), -sympy.Abs(a)),
    "mod": lambda a, b: a - b * sympy.floor(a / b),
    "fmod": lambda a, b: a - b * _truncated(a / b),
    "floor_divide": lambda a, b: sympy.floor(a / b),
    "floor": sympy.floor,
    "ceil": sympy.ceiling,
    "trunc": _truncated,
    "less": sympy.Lt,
    "less_equal": sympy.Le,
    "greater": sympy.Gt,
    "greater_equal": sympy.Ge,
    "equal": sympy.Eq,
    "not_equal": sympy.Ne,
    "logical_and": sympy.And,
    "logical_or": sympy.Or,
    "logical_not": sympy.Not,
    "nan_to_num": lambda x: x,
    "isfinite": lambda x: sympy.true,
    "conjugate": lambda x: x,
    "real": lambda x: x,
    "to_float": lambda x: x,
    "copy": lambda x: x,
    "stop_gradient": lambda x: x,
}


class Formula(Operand):
    """A SymPy expression in the place of a number."""

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = sympy.sympify(term)

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Formula:
        return Formula(meaning(name)(*map(lifted, operands)))

    def constant(self) -> tuple[Any] | None:
        if self.term.is_Integer:
            return (int(self.term),)
        return (float(self.term),) if self.term.is_Rational else None

    def __repr__(self) -> str:
        return str(self.term)


def meaning(name: str) -> Callable[..., Any]:
    """The formula of a primitive; KeyError when there is none."""
    declared = REGISTRY[name].formula if name in REGISTRY else None
    return declared or MEANING[name]


def lifted(operand: Any) -> Any:
    """The SymPy expression of a formula or of a plain number, floats as the exact numbers that they stand for."""
    if isinstance(operand, Formula):
        return operand.term
    return exact(operand) if isinstance(operand, float) else sympy.sympify(operand)


def evaluate(name: str, operands: list[Any], attributes: dict[str, Any]) -> Any:
    """The `apply` with which `ir.interpreter` runs a program of scalars on formulas."""
    if not any(isinstance(operand, Formula) for operand in operands):
        return REGISTRY[name].implementation(*operands, **attributes)
    return Formula(meaning(name)(*map(lifted, operands)))
