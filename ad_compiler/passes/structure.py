"""Rewrites of what is not arithmetic: indices, shapes, broadcasts, tuples and lists, branches on constants.

A rule gets the op and a `Maker` for new ones, and answers with the value that stands for the result, or None.
`ALWAYS` is for all code, `CONTAINERS` for all but a forward sweep (whose tapes are made as they are read); the
rest is for derivative code, where the sign of a zero does not matter: the user's own stays as it was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ad_compiler.ir.core import Op, Value, yielded
from ad_compiler.ir.printer import show_value
from ad_compiler.ir.rewrite import Scope
from ad_compiler.ir.types import (
    FLOAT,
    UNKNOWN_DTYPE,
    ListType,
    Symbol,
    Tensor,
    Type,
    is_scalar,
    same_shape,
)
from ad_compiler.passes.pattern import Maker, number_of
from ad_compiler.primitives.declare import REGISTRY

RESHAPES = (
    "reshape broadcast_to reshape_like unbroadcast broadcast_like ravel flatten squeeze atleast_1d atleast_2d spread"
).split()
Rule = Callable[[Op, Maker, "Counter[Value]"], Value | None]


def once(op: Op, ours: bool, uses: Counter[Value]) -> tuple[Value, list[Op]] | None:
    """What stands for the one result of `op`, and the new ops that make it."""
    if len(op.results) != 1:
        return None
    for table in (ALWAYS, CONTAINERS if op.phase != "forward" else {}, OURS if ours else {}):
        for rule in table.get(op.name, ()):
            maker = Maker(op)
            value = rule(op, maker, uses)
            if value is not None:
                return value, maker.ops
    if ours:
        maker = Maker(op)
        value = _unspread(op, maker)
        if value is not None:
            return value, maker.ops
    return None


def made_by(value: Value, *names: str) -> Op | None:
    """The op that makes the value, if it is one of these."""
    return value.op if value.op is not None and value.op.name in names else None


def _same_type(a: Type, b: Type) -> bool:
    return a == b and not (isinstance(a, Tensor) and a.dtype == UNKNOWN_DTYPE)


# -- identities ----------------------------------------------------------------------------------------


def _operand(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """copy(x) -> x, as values."""
    return op.operands[0]


def _same_shaped(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """reshape, unbroadcast, spread, … to the shape that it has -> x"""
    old, new = op.operands[0].type, op.results[0].type
    same_dtype = isinstance(old, Tensor) and isinstance(new, Tensor) and old.dtype == new.dtype
    return op.operands[0] if same_dtype and same_shape(old, new) else None


def _same_typed(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """astype to the dtype that it has; sum of a number -> x"""
    return op.operands[0] if _same_type(op.operands[0].type, op.results[0].type) else None


def _float_of_float(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    return op.operands[0] if op.operands[0].type == FLOAT else None


def _transpose_twice(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    inner = made_by(op.operands[0], "transpose")
    if inner is None:
        return None
    outer_axes, inner_axes = op.attributes.get("axes"), inner.attributes.get("axes")
    if outer_axes is None and inner_axes is None:
        return inner.operands[0]
    if outer_axes is None or inner_axes is None:
        return None
    width = len(outer_axes)
    composed = [inner_axes[axis] % width for axis in outer_axes]
    return inner.operands[0] if composed == list(range(width)) else None


def _number_first(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """x * c -> c * x"""
    x, c = op.operands
    if made_by(c, "constant") is None or made_by(x, "constant") is not None:
        return None
    swapped = maker.make("multiply", [c, x])
    swapped.type = op.results[0].type
    return swapped


def _unbroadcast_twice(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """Summed down to s, times a number, and down to u -> times the number, down to u: u broadcasts to s, and s to ct.

    What matters is that the shape of s is not asked for any more: a loop would have to tape it.
    """
    inner, factors = op.operands[0], []
    while (scaled := made_by(inner, "multiply", "divide", "negative")) is not None:
        inner = next((value for value in scaled.operands if not is_scalar(value.type)), inner)
        if scaled.name == "divide" and inner is not scaled.operands[0]:
            return None
        if sum(not is_scalar(value.type) for value in scaled.operands) != 1:
            return None
        factors.append((scaled, inner))
    summed = made_by(inner, "unbroadcast")
    if summed is None:
        return None
    value = summed.operands[0]
    for scaled, old in reversed(factors):
        value = maker.make(scaled.name, [value if operand is old else operand for operand in scaled.operands])
    return maker.make("unbroadcast", [value, op.operands[1]])


# -- tuples and lists ----------------------------------------------------------------------------------


def _tuple_get(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    made = made_by(op.operands[0], "tuple")
    return made.operands[op.attributes["position"]] if made is not None else None


def _list_get(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """[a, b][1] -> b; append(xs, v)[-1] -> v"""
    index = number_of(op.operands[1])
    display, appended = made_by(op.operands[0], "list"), made_by(op.operands[0], "append")
    if type(index) is int and display is not None and -len(display.operands) <= index < len(display.operands):
        return display.operands[index]
    return appended.operands[1] if type(index) is int and index == -1 and appended is not None else None


def _list_len(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    zeros, display = made_by(op.operands[0], "zeros_like"), made_by(op.operands[0], "list")
    if zeros is not None and isinstance(zeros.operands[0].type, ListType):
        return maker.make("list_len", [zeros.operands[0]])
    return maker.constant(len(display.operands)) if display is not None else None


# -- indices -------------------------------------------------------------------------------------------


def _read_back(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """setitem(x, v, i)[i] -> v, where v fills the slot as it is, and no element is named twice"""
    written = made_by(op.operands[0], "setitem")
    if written is None or not _same_type(written.operands[1].type, op.results[0].type):
        return None
    same = written.attributes["index"] == op.attributes["index"] and written.operands[2:] == op.operands[1:]
    return written.operands[1] if same and all(is_scalar(slot.type) for slot in op.operands[1:]) else None


def _same_place(a: Type, b: Type) -> bool:
    return same_shape(a, b) or (isinstance(a, ListType) and isinstance(b, ListType))


def _add_scatter(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """acc + scatter(ct, x, i) -> add_at(acc, ct, i), and the same for an add_at into zeros"""
    for acc, part in (op.operands, op.operands[::-1]):
        made = made_by(part, "scatter", "add_at", "list_add_at")
        if made is None or uses[part] > 1 or not _same_place(acc.type, part.type):
            continue
        if not _keeps_dtype(acc.type, op.results[0].type):
            continue
        base, *rest = made.operands
        if made.name == "scatter":
            return maker.make("add_at", [acc, base, *rest[1:]], **made.attributes)
        if made_by(base, "zeros_like") is not None:
            return maker.make(made.name, [acc, *rest], **made.attributes)
    return None


def _keeps_dtype(acc: Type, total: Type) -> bool:
    """An `add_at` has the dtype of its first operand, a sum that of both."""
    return not isinstance(acc, Tensor) or not isinstance(total, Tensor) or acc.dtype == total.dtype


def _subtract_scatter(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """acc - scatter(ct, x, i) -> add_at(acc, -ct, i)"""
    acc, part = op.operands
    made = made_by(part, "scatter")
    if made is None or uses[part] > 1 or not same_shape(acc.type, part.type):
        return None
    if not _keeps_dtype(acc.type, op.results[0].type):
        return None
    negated = maker.make("negative", [made.operands[0]])
    return maker.make("add_at", [acc, negated, *made.operands[2:]], **made.attributes)


def _negate_scatter(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """-scatter(ct, x, i) -> scatter(-ct, x, i)"""
    made = made_by(op.operands[0], "scatter")
    if made is None or uses[op.operands[0]] > 1:
        return None
    negated = maker.make("negative", [made.operands[0]])
    return maker.make("scatter", [negated, *made.operands[1:]], **made.attributes)


# -- zeros ---------------------------------------------------------------------------------------------


def _zero_number(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """zeros_like of a float -> 0.0"""
    return maker.constant(0.0) if op.operands[0].type == FLOAT and op.results[0].type == FLOAT else None


def _add_zeros(op: Op, maker: Maker, uses: Counter[Value]) -> Value | None:
    """zeros_like(x) + y -> y"""
    for zeros, other in (op.operands, op.operands[::-1]):
        if made_by(zeros, "zeros_like") is None:
            continue
        lists = isinstance(other.type, ListType) and isinstance(zeros.type, ListType)
        if lists or (same_shape(zeros.type, other.type) and _same_type(other.type, op.results[0].type)):
            return other
    return None


# -- broadcasts that an elementwise op does itself -----------------------------------------------------


def _unspread(op: Op, maker: Maker) -> Value | None:
    """spread(ct, x) * y -> ct * y where y has the shape of x; f(spread(ct, x), number) -> spread(f(ct, number), x)"""
    primitive = REGISTRY.get(op.name)
    if primitive is None or primitive.kind not in ("elementwise", "constant") or op.attributes:
        return None
    if not any(made_by(value, "spread", "broadcast_like") for value in op.operands):
        return None
    if not all(isinstance(value.type, Tensor) for value in op.operands):
        return None
    operands = list(op.operands)
    for k, value in enumerate(operands):
        others = operands[:k] + operands[k + 1 :]
        if any(same_shape(value.type, other.type) for other in others):
            operands[k] = _thin(value, maker) or value
    if operands != op.operands:
        result = maker.make(op.name, operands)
    else:
        found = _spread_result(op, maker)
        if found is None:
            return None
        result = found
    new, old = result.type, op.results[0].type
    if not isinstance(new, Tensor) or not isinstance(old, Tensor) or new.dtype != old.dtype:
        return None
    result.type = old
    return result


def _thin(value: Value, maker: Maker) -> Value | None:
    """What broadcasts to the value beside something of its shape."""
    made = made_by(value, "spread", "broadcast_like")
    if made is None:
        return None
    inner = made.operands[0]
    axis = made.attributes.get("axis")
    if made.name == "broadcast_like" or made.attributes.get("keepdims") or axis is None or is_scalar(inner.type):
        return inner
    shape = value.type.shape if isinstance(value.type, Tensor) else Symbol()
    if isinstance(shape, Symbol):
        return None
    axes = sorted(one % len(shape) for one in (axis if isinstance(axis, tuple) else (axis,)))
    if axes == list(range(len(axes))):  # broadcasting adds leading axes by itself
        return inner
    return maker.make("expand_dims", [inner], axis=axis)


def _spread_result(op: Op, maker: Maker) -> Value | None:
    """All operands are numbers or spread alike: compute first, spread then."""
    spreads = [made for value in op.operands if (made := made_by(value, "spread", "broadcast_like"))]
    first = spreads[0]
    alike = all(
        one.operands[1:] == first.operands[1:] and one.attributes == first.attributes and one.name == first.name
        for one in spreads
    )
    inner = []
    for value in op.operands:
        made = made_by(value, "spread", "broadcast_like")
        if not alike or (made is None and not is_scalar(value.type)):
            return None
        inner.append(value if made is None else made.operands[0])
    computed = maker.make(op.name, inner)
    return maker.make(first.name, [computed, *first.operands[1:]], **first.attributes)


# -- ops of several results, branches ------------------------------------------------------------------


def several(op: Op, scope: Scope, values: dict[Value, Value]) -> list[Value] | None:
    """What stands for the results of an op that may have more than one."""
    if op.name == "pop":
        appended = made_by(op.operands[0], "append")
        return list(appended.operands) if appended is not None else None
    if op.name != "if":
        return None
    condition = number_of(op.operands[0])
    if type(condition) in (bool, int, float):
        taken = op.regions[0] if condition else op.regions[1]
        scope.block.ops[scope.index : scope.index] = taken.ops[:-1]
        return list(yielded(taken))
    _agreeing_constants(op, scope, values)
    return None


def _agreeing_constants(op: Op, scope: Scope, values: dict[Value, Value]) -> None:
    """A result that is the same number on both branches is that number."""
    for result, then, other in zip(op.results, *(yielded(region) for region in op.regions), strict=True):
        if result in values or made_by(then, "constant") is None or made_by(other, "constant") is None:
            continue
        texts = [(type(number), show_value(number)) for number in (number_of(then), number_of(other))]
        if texts[0] == texts[1] and texts[0][0] in (bool, int, float):
            maker = Maker(op)
            values[result] = maker.constant(number_of(then))
            scope.before.extend(maker.ops)


Table = dict[str, tuple[Rule, ...]]

ALWAYS: Table = {"copy": (_operand,)}

CONTAINERS: Table = {
    "tuple_get": (_tuple_get,),
    "list_get": (_list_get,),
    "list_len": (_list_len,),
}

OURS: Table = {
    "add": (_add_zeros, _add_scatter),
    "astype": (_same_typed,),
    "getitem": (_read_back,),
    "multiply": (_number_first,),
    "negative": (_negate_scatter,),
    "subtract": (_subtract_scatter,),
    "to_float": (_float_of_float,),
    "transpose": (_transpose_twice,),
    "zeros_like": (_zero_number,),
    **dict.fromkeys(("sum", "mean", "prod", "max", "min"), (_same_typed,)),
    **dict.fromkeys(RESHAPES, (_same_shaped,)),
    "unbroadcast": (_same_shaped, _unbroadcast_twice),
}
