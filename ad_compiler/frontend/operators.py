"""Operators on meanings: arithmetic, comparison, identity, membership, truth.

On numbers and arrays they become primitives.  On what is known when compiling they are carried out, as far as
integers, booleans and strings go; floats are left to the program, so that it computes what the user wrote.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from ad_compiler.frontend import calls, containers, control, text, views
from ad_compiler.frontend.context import Lowering, describe, is_list, is_number, tensor_type
from ad_compiler.frontend.values import (
    NONE,
    Bound,
    Choice,
    Closure,
    Entries,
    Group,
    Items,
    Meaning,
    Reference,
    Scalar,
    Static,
    pair,
    same,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import BOOL, ListType, Tensor, is_scalar

BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("subtract", operator.sub),
    ast.Mult: ("multiply", operator.mul),
    ast.Div: ("divide", operator.truediv),
    ast.FloorDiv: ("floor_divide", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("power", operator.pow),
    ast.MatMult: ("matmul", operator.matmul),
    ast.BitAnd: ("bitwise_and", operator.and_),
    ast.BitOr: ("bitwise_or", operator.or_),
    ast.BitXor: ("bitwise_xor", operator.xor),
    ast.LShift: ("left_shift", operator.lshift),
    ast.RShift: ("right_shift", operator.rshift),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("less", operator.lt),
    ast.LtE: ("less_equal", operator.le),
    ast.Gt: ("greater", operator.gt),
    ast.GtE: ("greater_equal", operator.ge),
    ast.Eq: ("equal", operator.eq),
    ast.NotEq: ("not_equal", operator.ne),
}
SPECIAL = {
    "add": "__add__", "subtract": "__sub__", "multiply": "__mul__", "divide": "__truediv__", "power": "__pow__",
    "floor_divide": "__floordiv__", "mod": "__mod__", "matmul": "__matmul__", "negative": "__neg__",
    "less": "__lt__", "less_equal": "__le__", "greater": "__gt__", "greater_equal": "__ge__",
    "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip
REFLECTED = {"__lt__": "__gt__", "__le__": "__ge__", "__gt__": "__lt__", "__ge__": "__le__", "__eq__": "__eq__"}
MOST_BITS = 4096  # of an integer computed here


# ---------------------------------------------------------------------------------------------- operators


def binary(low: Lowering, op: ast.operator, a: Meaning, b: Meaning) -> Meaning:
    name, fold = BINARY[type(op)]
    for one in (a, b):
        low.check_usable(one)
    a, b = control.without_none(a), control.without_none(b)
    if isinstance(a, Static) and isinstance(b, Static):
        folded = _folded(fold, a.value, b.value)
        if folded is not None:
            return folded
    if isinstance(a, Choice) or isinstance(b, Choice):
        return control.over_choice(low, a, b, lambda m, n: binary(low, op, m, n))
    special = _special(low, name, a, b)
    if special is not None:
        return special
    if name == "add" and (_is_sequence(low, a) and _is_sequence(low, b)):
        return containers.concatenate(low, a, b)
    if name == "multiply":
        for items, times in ((a, b), (b, a)):
            if _is_sequence(low, items) and not _is_array(low, times):
                return containers.repeat(low, items, times)
    if name in ("bitwise_and", "bitwise_or", "bitwise_xor") and _both_plain_bools(low, a, b):
        name = "logical_" + name.removeprefix("bitwise_")
    if name == "mod" and isinstance(a, Static) and isinstance(a.value, str):
        return text.formatted(low, a, b)
    return low.emit(name, a, b)


def _folded(fold: Callable[[Any, Any], Any], a: Any, b: Any) -> Meaning | None:
    """The result on integers, booleans, strings: what computing it now does not change."""
    if not (isinstance(a, int) and isinstance(b, int)) and not (isinstance(a, str) and isinstance(b, str | int)):
        return None
    if fold is operator.truediv or (isinstance(a, str) and fold is not operator.add):
        return None
    if isinstance(a, int) and isinstance(b, int):
        if fold is operator.pow and (b < 0 or abs(a).bit_length() * b > MOST_BITS):
            return None
        if fold is operator.lshift and not 0 <= b < MOST_BITS:
            return None
    try:
        result = fold(a, b)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return None if isinstance(result, int) and result.bit_length() > MOST_BITS else Static(result)


def _is_sequence(low: Lowering, meaning: Meaning) -> bool:
    return isinstance(meaning, Group) or is_list(low, meaning)


def _is_array(low: Lowering, meaning: Meaning) -> bool:
    return isinstance(meaning, Reference) and tensor_type(low, meaning) is not None


def _special(low: Lowering, name: str, a: Meaning, b: Meaning) -> Meaning | None:
    """`a.__add__(b)` or `b.__radd__(a)` of objects of the user's classes."""
    method = SPECIAL.get(name)
    if method is None:
        return None
    found = calls.method_of(low, a, method)
    if found is not None:
        return calls.call(low, found, [b], {})
    reflected = REFLECTED.get(method, method.replace("__", "__r", 1))
    found = calls.method_of(low, b, reflected)
    return None if found is None else calls.call(low, found, [a], {})


def _both_plain_bools(low: Lowering, a: Meaning, b: Meaning) -> bool:
    types = [tensor_type(low, one) for one in (a, b)]
    return all(type is not None and is_scalar(type) and type.dtype == "bool" for type in types)


def unary(low: Lowering, op: ast.unaryop, operand: Meaning) -> Meaning:
    low.check_usable(operand)
    operand = control.without_none(operand)
    if isinstance(operand, Choice):
        return control.over_choice(low, operand, NONE, lambda m, _: unary(low, op, m))
    if is_number(operand):
        assert isinstance(operand, Static)
        if isinstance(op, ast.USub):
            return Static(-operand.value)
        if isinstance(op, ast.UAdd):
            return Static(+operand.value)
        if isinstance(operand.value, int):
            return Static(~operand.value)
    name = {ast.USub: "negative", ast.UAdd: "positive", ast.Invert: "invert"}[type(op)]
    special = {"negative": "__neg__", "positive": "__pos__", "invert": "__invert__"}[name]
    method = calls.method_of(low, operand, special)
    if method is not None:
        return calls.call(low, method, [], {})
    if name == "invert" and _both_plain_bools(low, operand, operand):
        low.refuse("ADC101", "`~` of a single boolean is -1 or -2 in Python", help="write `not`")
    return low.emit(name, operand)


# -------------------------------------------------------------------------------------------- comparisons


def compare(low: Lowering, op: ast.cmpop, a: Meaning, b: Meaning) -> Meaning:
    for one in (a, b):
        low.check_usable(one)
    if isinstance(op, ast.Is | ast.IsNot):
        result = _identical(low, a, b)
        return negated(low, result) if isinstance(op, ast.IsNot) else result
    if isinstance(op, ast.In | ast.NotIn):
        result = _contains(low, b, a)
        return negated(low, result) if isinstance(op, ast.NotIn) else result
    name, fold = COMPARISONS[type(op)]
    if not isinstance(op, ast.Eq | ast.NotEq):
        a, b = control.without_none(a), control.without_none(b)
    if isinstance(a, Static) and isinstance(b, Static):
        try:
            result_now = fold(a.value, b.value)
        except Exception:
            result_now = None
        if isinstance(result_now, bool):
            return Static(result_now)
    if isinstance(a, Choice) or isinstance(b, Choice):
        return control.over_choice(low, a, b, lambda m, n: compare(low, op, m, n))
    if isinstance(op, ast.Eq | ast.NotEq):
        known = _structurally_equal(low, a, b)
        if known is not None:
            return negated(low, known) if isinstance(op, ast.NotEq) else known
    special = _special(low, name, a, b)
    return low.emit(name, a, b) if special is None else special


def _identical(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    """`a is b`, where it can be told: mostly `x is None`."""
    if isinstance(a, Choice):
        return control.over_choice(low, a, b, lambda m, n: _identical(low, m, n))
    if isinstance(b, Choice):
        return _identical(low, b, a)
    if isinstance(a, Static) and isinstance(b, Static):
        singletons = (None, True, False, Ellipsis)
        if any(a.value is one or b.value is one for one in singletons):
            return Static(a.value is b.value)
        return Static(same(a, b))
    if isinstance(a, Static) or isinstance(b, Static):
        known, other = (a, b) if isinstance(a, Static) else (b, a)
        assert isinstance(known, Static)
        if known.value is None and not _may_be_none(other):
            return Static(False)
        if isinstance(known.value, bool) and isinstance(other, Scalar):
            return low.emit("equal", other, known)
        if not isinstance(other, Scalar):
            return Static(False)
        return _opaque_test(low, "_0_ is _1_", other, known)
    if isinstance(a, Reference) and isinstance(b, Reference):
        if a.root is b.root and not a.path and not b.path:
            return Static(True)
        if _surely_distinct(low, a, b):
            return Static(False)
    if type(a) is not type(b):
        return Static(False)
    if isinstance(a, Closure):
        return Static(same(a, b))
    low.refuse("ADC118", "whether these are the same object is not known when compiling")


def _surely_distinct(low: Lowering, a: Reference, b: Reference) -> bool:
    return a.root is not b.root and pair(a.root, b.root) not in low.state.aliases


def _may_be_none(meaning: Meaning) -> bool:
    return isinstance(meaning, Scalar) and not isinstance(meaning.value.type, Tensor)


def _opaque_test(low: Lowering, template: str, *operands: Meaning) -> Meaning:
    values = [low.value(one) for one in operands]
    (result,) = low.builder.emit("opaque", values, types=[BOOL], template=template)
    return Scalar(result)


def _contains(low: Lowering, container: Meaning, item: Meaning) -> Meaning:
    """`item in container`."""
    if isinstance(container, Reference) and not container.path:
        content = views.content_of(low, container.root)
        if isinstance(content, Entries):
            if not isinstance(item, Static):
                low.refuse("ADC118", "a key that is looked for in a dict must be known when compiling")
            return Static(content.get(item.value) is not None)
        if isinstance(content, Value) and isinstance(content.type, ListType):
            return _opaque_test(low, "_0_ in _1_", item, container)
        if isinstance(content, Value):
            return low.emit("any", low.emit("equal", container, item))
    if isinstance(container, Static):
        if isinstance(item, Static):
            return Static(item.value in container.value)
        if isinstance(container.value, range):
            return _opaque_test(low, f"_0_ in {container.value!r}", item)
    items = containers.known_items(low, container)
    if items is None:
        low.refuse("ADC101", f"`in` is not supported for {describe(container)}")
    result: Meaning = Static(False)
    for one in items:
        equal = compare(low, ast.Eq(), item, one)
        if isinstance(equal, Static) and equal.value:
            return equal
        if not isinstance(equal, Static):
            result = equal if isinstance(result, Static) else low.emit("logical_or", result, equal)
    return result


def _structurally_equal(low: Lowering, a: Meaning, b: Meaning) -> Meaning | None:
    """`==` of tuples and lists of known length, and of things that are never equal; None for numbers and arrays."""
    first, second = containers.known_items(low, a), containers.known_items(low, b)
    if first is not None and second is not None and not _either_array(low, a, b):
        if isinstance(a, Group) != isinstance(b, Group) or len(first) != len(second):
            return Static(False)
        result: Meaning = Static(True)
        for m, n in zip(first, second, strict=True):
            equal = compare(low, ast.Eq(), m, n)
            if isinstance(equal, Static):
                if not equal.value:
                    return equal
                continue
            result = equal if isinstance(result, Static) else low.emit("logical_and", result, equal)
        return result
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Static) and (one.value is None or isinstance(one.value, str)):
            if not (isinstance(other, Scalar) and not isinstance(other.value.type, Tensor)):
                return Static(False)
            return _opaque_test(low, "_0_ == _1_", other, one)
    return None


def _either_array(low: Lowering, a: Meaning, b: Meaning) -> bool:
    return _is_array(low, a) or _is_array(low, b)


# -------------------------------------------------------------------------------------- truth and choice


def truth(low: Lowering, meaning: Meaning) -> Meaning:
    low.check_usable(meaning)
    if isinstance(meaning, Static):
        return Static(bool(meaning.value))
    if isinstance(meaning, Group):
        return Static(bool(meaning.items))
    if isinstance(meaning, Choice):
        return control.over_choice(low, meaning, NONE, lambda m, _: truth(low, m))
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Items):
            return Static(bool(content.items))
        if isinstance(content, Entries) and content.cls is dict:
            return Static(bool(content.items))
        if isinstance(content, Entries):
            return Static(True)
        if isinstance(content.type, ListType):
            return low.emit("greater", low.emit("list_len", meaning), Static(0))
    if isinstance(meaning, Closure | Bound):
        return Static(True)
    value = low.value(meaning)
    if is_scalar(value.type) and isinstance(value.type, Tensor) and value.type.dtype == "bool":
        return Scalar(value)
    return Scalar(low.builder.one("to_bool", value))


def negated(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(not meaning.value)
    return low.emit("logical_not", meaning)
