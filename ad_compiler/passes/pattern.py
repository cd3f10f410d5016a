"""Rewrites of arithmetic, written as two lambdas: `rewrite(lambda x: -(-x), lambda x: x)`.

The first lambda is traced into a pattern; the second runs on what the pattern found and makes the new ops.
What a variable may be is in its name:

    c d      a number known when compiling, at hand as a Python number; `when` says which
    s        a scalar
    X Y      an array (not provably a scalar)
    p        anything, a condition for example
    others   a tensor

`dtypes="float"` (the default) takes tensors whose dtype is known to be a float or complex one: there, numbers
do not change dtypes.  `dtypes="any"` is for rewrites that hold for integers, bools and unknowns too.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ad_compiler.ir.core import Op, Value
from ad_compiler.ir.types import Tensor, Type, is_inexact, is_scalar, same_shape
from ad_compiler.primitives import infer
from ad_compiler.primitives.expression import Operand
from ad_compiler.primitives.scalars import type_of_constant

COMMUTATIVE = ("add", "multiply")
NUMBER_VARIABLES = "cde"
Bindings = dict[Any, Any]  # variables by name; the matched ops, each by itself


class Variable(Operand):
    """In a pattern: anything its name allows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Node:
        return Node(name, operands)


class Node(Operand):
    """In a pattern: an op."""

    def __init__(self, name: str, operands: tuple[Any, ...]) -> None:
        self.name = name
        self.operands = operands

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Node:
        return Node(name, operands)


@dataclass(frozen=True, slots=True)
class Rewrite:
    before: Callable[..., Any]
    after: Callable[..., Any]
    pattern: Node
    variables: tuple[str, ...]
    needs: frozenset[str]  # the names of the ops that must stand among the operands
    keeps_all: bool  # whether the new form reads everything that the old one broadcast
    when: Callable[..., bool] | None = None
    dtypes: str = "float"


def rewrite(
    before: Callable[..., Any],
    after: Callable[..., Any],
    *,
    when: Callable[..., bool] | None = None,
    dtypes: str = "float",
) -> Rewrite:
    """The rewrite from one form to the other; `when` reads the numbers by name."""
    names = tuple(inspect.signature(before).parameters)
    pattern = before(*[Variable(name) for name in names])
    assert isinstance(pattern, Node), "a pattern is an operation"
    read = inspect.signature(after).parameters
    trial = after(*[2.0 if name in NUMBER_VARIABLES else Variable(name) for name in read])
    tensors = {name for name in names if name not in NUMBER_VARIABLES}
    needs = frozenset(filter(None, map(_needed, pattern.operands)))
    return Rewrite(before, after, pattern, names, needs, set(_names(trial)) == tensors, when, dtypes)


def _needed(pattern: Any) -> str | None:
    """The name of the op that the operand surely comes from."""
    if isinstance(pattern, Node):
        return pattern.name
    return "constant" if not isinstance(pattern, Variable) or pattern.name in NUMBER_VARIABLES else None


def _names(tree: Any) -> Iterator[str]:
    if isinstance(tree, Variable):
        yield tree.name
    elif isinstance(tree, Node):
        for operand in tree.operands:
            yield from _names(operand)


# -- finding -------------------------------------------------------------------------------------------


def matches(pattern: Any, value: Value, found: Bindings, dtypes: str) -> Iterator[Bindings]:
    """The ways in which the value fits; `found` is what the variables are so far."""
    if isinstance(pattern, Variable):
        yield from _bind(pattern.name, value, found, dtypes)
    elif isinstance(pattern, Node):
        if value.op is not None and value.op.name == pattern.name:
            yield from matches_op(pattern, value.op, found, dtypes)
    elif _is_number(number := number_of(value)) and _same_number(number, pattern):
        yield found


def matches_op(pattern: Node, op: Op, found: Bindings, dtypes: str) -> Iterator[Bindings]:
    found = found | {op: op}
    yield from _all_match(pattern.operands, op.operands, found, dtypes)
    if op.name in COMMUTATIVE and op.operands[0] is not op.operands[1]:
        yield from _all_match(pattern.operands, op.operands[::-1], found, dtypes)


def _all_match(patterns: tuple[Any, ...], values: list[Value], found: Bindings, dtypes: str) -> Iterator[Bindings]:
    if not patterns:
        yield found
        return
    for first in matches(patterns[0], values[0], found, dtypes):
        yield from _all_match(patterns[1:], values[1:], first, dtypes)


def _bind(name: str, value: Value, found: Bindings, dtypes: str) -> Iterator[Bindings]:
    if name in NUMBER_VARIABLES:
        number = number_of(value)
        if _is_number(number) and found.get(name, number) == number:
            yield found | {name: number}
    elif found.get(name, value) is value and _allowed(name, value.type, dtypes):
        yield found | {name: value}


def _allowed(name: str, type: Type, dtypes: str) -> bool:
    if name == "p":
        return True
    if (name == "s" and not is_scalar(type)) or (name in "XY" and is_scalar(type)):
        return False
    return isinstance(type, Tensor) if dtypes == "any" else is_inexact(type)


def number_of(value: Value) -> Any:
    return value.op.attributes["value"] if value.op is not None and value.op.name == "constant" else None


def _same_number(a: float, b: float) -> bool:
    return a == b and math.copysign(1.0, a) == math.copysign(1.0, b)  # 0.0 is not -0.0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


# -- making --------------------------------------------------------------------------------------------


class Made(Operand):
    """A value in the new form; applying a primitive to it makes an op."""

    def __init__(self, value: Value, maker: Maker) -> None:
        self.value = value
        self.maker = maker

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Made:
        return Made(self.maker.make(name, [self.maker.lift(operand) for operand in operands], **attributes), self.maker)


class Maker:
    """Makes ops in place of `like`: same span, same phase; the last one gets its name."""

    def __init__(self, like: Op) -> None:
        self.like = like
        self.ops: list[Op] = []

    def make(self, name: str, operands: list[Value], **attributes: Any) -> Value:
        (type,) = infer(name, [operand.type for operand in operands], attributes)
        return self._append(Op(name, operands, attributes), type)

    def constant(self, number: Any) -> Value:
        return self._append(Op("constant", [], {"value": number}), type_of_constant(number))

    def lift(self, operand: Any) -> Value:
        return operand.value if isinstance(operand, Made) else self.constant(operand)

    def _append(self, op: Op, type: Type) -> Value:
        op.span, op.phase = self.like.span, self.like.phase
        op.results = [Value(type, "", op)]
        self.ops.append(op)
        return op.results[0]


def apply(one: Rewrite, op: Op, uses: Counter[Value]) -> tuple[Value, list[Op]] | None:
    """What stands for the result of `op`, and the ops that make it; None where the rewrite does not fit."""
    for found in matches_op(one.pattern, op, {}, one.dtypes):
        numbers = {name: found[name] for name in one.variables if name in NUMBER_VARIABLES}
        if one.when is not None and not one.when(**numbers):
            continue
        maker = Maker(op)
        names = inspect.signature(one.after).parameters
        answer = one.after(*[numbers[name] if name in numbers else Made(found[name], maker) for name in names])
        value = maker.lift(answer)
        inner = [made for made in found if isinstance(made, Op) and made is not op]
        freed = 1 + sum(uses[made.results[0]] <= 1 for made in inner)
        made = [one for one in maker.ops if one.name != "constant"]
        if len(made) <= freed and all(map(_is_finite, maker.ops)) and _fits(one, value, op.results[0], maker):
            return value, maker.ops
    return None


def _is_finite(op: Op) -> bool:
    value = op.attributes["value"] if op.name == "constant" else None
    return not isinstance(value, float) or math.isfinite(value)


def _fits(one: Rewrite, new: Value, old: Value, maker: Maker) -> bool:
    """Same dtype, same shape.  A new op that reads all that the old one did has its shape, whatever that is."""
    if not isinstance(new.type, Tensor) or not isinstance(old.type, Tensor) or new.type.dtype != old.type.dtype:
        return False
    if not one.keeps_all and not same_shape(new.type, old.type):
        return False
    if new.op in maker.ops and new.op.name != "constant":
        new.type = old.type
    return True
