"""Lists and tuples as values: no op changes one, each gives a new one.  All linear, transposes of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import IndexItem, SliceItem, Slot
from ad_compiler.ir.types import (
    INT,
    UNDEFINED,
    Dim,
    ListType,
    Symbol,
    Tensor,
    TupleType,
    Type,
    freshen,
    is_scalar,
    join,
    unknown,
)
from ad_compiler.primitives import runtime
from ad_compiler.primitives.declare import constant, linear, ops
from ad_compiler.primitives.indexing import index_of
from ad_compiler.primitives.rules import zeros_like
from ad_compiler.primitives.shapes import tensor


def _element(type: Type) -> Type:
    """What is known of each element; two elements need not have the same lengths."""
    return type.element if isinstance(type, ListType) else unknown()


def _one_element(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return freshen(_element(types[0]))


def _joined(types: Sequence[Type]) -> Type:
    result: Type = UNDEFINED
    for type in types:
        result = join(result, type)
    return result


def _list_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return ListType(_joined(types))


def _grown(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return ListType(join(_element(types[0]), types[1]))


def _first(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return types[0] if isinstance(types[0], ListType) else ListType(unknown())


def _int(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return INT


def _zero(value: Any) -> Any:
    """Zeros like a value, also where the value is a plain number."""
    return zeros_like(value)


def _or_zero(ct: Any, value: Any) -> Any:
    return _zero(value) if ct is None else ct


def _changed(xs: list[Any], i: int, v: Any) -> list[Any]:
    result = list_builtin(xs)
    result[i] = v
    return result


list_builtin, tuple_builtin = list, tuple

# ---------------------------------------------------------------------------- making and growing

list = linear(
    lambda *xs: list_builtin(xs), "*xs", operands="*xs", name="list", infer=_list_type, emit="xs",
    xs=lambda ct, position: list_get(ct, position),
)  # fmt: skip
append = linear(
    lambda xs, v: [*xs, v], "xs, v", name="append", infer=_grown, emit="[*xs, v]",
    xs=lambda ct: pop(ct)[0],
    v=lambda ct: pop(ct)[1],
)  # fmt: skip


def _popped(types: Sequence[Type], attributes: dict[str, Any]) -> tuple[Type, Type]:
    return _first(types, attributes), _one_element(types, attributes)  # type: ignore[return-value]


pop = linear(
    lambda xs: (list_builtin(xs[:-1]), xs[-1]), "xs", name="pop", infer=_popped, results=2,
    xs=lambda ct, out: append(_or_zero(ct[0], out[0]), _or_zero(ct[1], out[1])),
)  # fmt: skip
list_len = constant(lambda xs: len(xs), "xs", name="list_len", infer=_int, emit="len(xs)", shape_only=("xs",))

# ---------------------------------------------------------------------------- elements

list_get = linear(
    lambda xs, i: xs[i], "xs, i", name="list_get", infer=_one_element, emit="xs[i]",
    xs=lambda ct, xs, i: list_add_at(ops.zeros_like(xs), ct, i),
    i=None,
)  # fmt: skip
list_set = linear(
    _changed, "xs, i, v", name="list_set",
    infer=lambda types, attributes: ListType(join(_element(types[0]), types[2])),
    xs=lambda ct, i: list_set(ct, i, _zero(list_get(ct, i))),
    i=None,
    v=lambda ct, i: list_get(ct, i),
)  # fmt: skip
list_add_at = linear(
    lambda xs, v, i: _changed(xs, i, runtime._add(xs[i], v)), "xs, v, i", name="list_add_at", infer=_first,
    xs=lambda ct: ct,
    v=lambda ct, i: list_get(ct, i),
    i=None,
    jvp=lambda xs, v, i, xs_dot, v_dot: xs_dot if v_dot is None else list_add_at(
        ops.zeros_like(xs) if xs_dot is None else xs_dot, v_dot, i
    ),
)  # fmt: skip

# ---------------------------------------------------------------------------- parts

_BEFORE = (SliceItem(None, Slot(0)),)
_AFTER = (SliceItem(Slot(0), None),)

list_concat = linear(
    lambda a, b: [*a, *b], "a, b", name="list_concat", emit="a + b",
    infer=lambda types, attributes: ListType(join(_element(types[0]), _element(types[1]))),
    a=lambda ct, a: list_slice(ct, list_len(a), index=_BEFORE),
    b=lambda ct, a: list_slice(ct, list_len(a), index=_AFTER),
)  # fmt: skip


def _list_slice(xs: Any, *slots: Any, index: Sequence[IndexItem]) -> Any:
    return xs[index_of(index, slots)]


def _list_scatter(y: Any, xs: Any, *slots: Any, index: Sequence[IndexItem]) -> Any:
    result = runtime._zeros_like(xs)
    result[index_of(index, slots)] = y
    return result


list_slice = linear(
    _list_slice, "xs, *slots, index", operands="xs, *slots", name="list_slice", infer=_first, emit="xs[index]",
    xs=lambda ct, xs, slots, index: list_scatter(ct, xs, *slots, index=index),
    slots=None,
)  # fmt: skip
list_scatter = linear(
    _list_scatter, "y, xs, *slots, index", operands="y, xs, *slots", name="list_scatter",
    infer=lambda types, attributes: _first(types[1:], attributes), shape_only=("xs",),
    emit="_list_scatter(y, xs, index)",
    y=lambda ct, slots, index: list_slice(ct, *slots, index=index),
    xs=None,
    slots=None,
)  # fmt: skip
list_repeat = linear(
    lambda xs, n: xs * n, "xs, n", name="list_repeat", infer=_first, emit="xs * n",
    xs=lambda ct, xs: list_repeat_bar(ct, xs),
    n=None,
)  # fmt: skip
list_repeat_bar = linear(
    runtime._list_repeat_bar, "y, xs", infer=lambda types, attributes: _first(types[1:], attributes), helper=True,
    shape_only=("xs",),
    y=lambda ct, y, xs: list_repeat(ct, list_len(y) // list_len(xs)),
    xs=None,
)  # fmt: skip
list_reverse = linear(
    lambda xs: xs[::-1], "xs", name="list_reverse", infer=_first, emit="xs[::-1]",
    xs=lambda ct: list_reverse(ct),
)  # fmt: skip

# ---------------------------------------------------------------------------- lists as arrays


def _stacked(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    element = tensor(_element(types[0]))
    if isinstance(element.shape, Symbol):
        return Tensor(element.dtype, Symbol())
    place = attributes.get("axis", 0) % (len(element.shape) + 1)
    # the type of an element says what is true of each, not that they are equal: but to be stacked they must be
    return Tensor(element.dtype, (*element.shape[:place], Dim(Symbol()), *element.shape[place:]))


def _stack_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    axis = attributes.get("axis", 0)
    if is_scalar(_element(types[0])):
        return "np.array(xs)"
    return f"np.stack(xs, axis={axis})" if axis else "np.stack(xs)"


def _list_stack(xs: Any, *, axis: int = 0) -> Any:
    return np.stack(xs, axis) if xs else np.array(xs)


def _list_like(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return _first(types[1:], attributes)


list_stack = linear(
    _list_stack, "xs, axis=0", operands="xs", infer=_stacked, emit=_stack_text,
    xs=lambda ct, xs, axis: list_unstack(ct, xs, axis=axis),
)  # fmt: skip
list_unstack = linear(
    lambda y, xs, *, axis=0: list_builtin(np.moveaxis(y, axis, 0)), "y, xs, axis=0", operands="y, xs",
    name="list_unstack", infer=_list_like, shape_only=("xs",),
    emit=lambda types, attributes: "list(np.moveaxis(y, axis, 0))" if attributes.get("axis", 0) else "list(y)",
    y=lambda ct, axis: list_stack(ct, axis=axis),
    xs=None,
)  # fmt: skip


def _list_joined(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    element = tensor(_element(types[0]))
    if isinstance(element.shape, Symbol) or not element.shape or attributes.get("axis", 0) is None:
        return Tensor(element.dtype, Symbol())
    dims = list_builtin(element.shape)
    dims[attributes.get("axis", 0)] = Dim(Symbol())
    return Tensor(element.dtype, tuple_builtin(dims))


list_join = linear(
    lambda xs, *, axis=0: np.concatenate(xs, axis), "xs, axis=0", operands="xs", name="list_join",
    infer=_list_joined,
    emit=lambda types, attributes: "np.concatenate(xs, axis)" if attributes.get("axis", 0) else "np.concatenate(xs)",
    xs=lambda ct, xs, axis: list_split(ct, xs, axis=axis),
)  # fmt: skip
list_split = linear(
    runtime._list_split, "y, xs, axis=0", operands="y, xs", infer=_list_like, helper=True, shape_only=("xs",),
    y=lambda ct, axis: list_join(ct, axis=axis),
    xs=None,
)  # fmt: skip

# ---------------------------------------------------------------------------- tuples

tuple = linear(
    lambda *xs: tuple_builtin(xs), "*xs", operands="*xs", name="tuple", emit="(*xs,)",
    infer=lambda types, attributes: TupleType(tuple_builtin(types)),
    xs=lambda ct, position: tuple_get(ct, position=position),
)  # fmt: skip


def _tuple_element(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    whole = types[0]
    return whole.elements[attributes["position"]] if isinstance(whole, TupleType) else unknown()


def _tuple_bar(ct: Any, t: Any, position: Any) -> Any:
    """`position` is the attribute; the other parts get zeros."""
    if not isinstance(t.value.type, TupleType):  # the tape of a recursive call: its parts are known when running
        return tuple_add_at(ops.zeros_like(t), ct, position=position)
    parts = [tuple_get(t, position=k) for k in range(len(t.value.type.elements))]
    k = position % len(parts)
    return tuple(*[ct if j == k else _zero(part) for j, part in enumerate(parts)])


tuple_get = linear(
    lambda t, *, position: t[position], "t, *, position", operands="t", name="tuple_get", infer=_tuple_element,
    emit="t[position]",
    t=_tuple_bar,
)  # fmt: skip
tuple_add_at = linear(
    runtime._tuple_add_at, "t, v, *, position", operands="t, v", infer=lambda types, attributes: types[0], helper=True,
    emit="_tuple_add_at(t, v, position)",
    t=lambda ct: ct,
    v=lambda ct, position: tuple_get(ct, position=position),
)  # fmt: skip
