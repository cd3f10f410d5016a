"""NumPy functions and methods that are made of others, or that write into an array."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ad_compiler.frontend import attributes, containers, iteration, operators, subscripts, views
from ad_compiler.frontend.context import Lowering, static_int, tensor_type
from ad_compiler.frontend.primitive_calls import call_primitive
from ad_compiler.frontend.values import (
    LAST,
    NONE,
    ONE,
    ZERO,
    Group,
    Index,
    Meaning,
    Reference,
    Slice,
    Static,
)
from ad_compiler.ir.types import is_scalar, rank
from ad_compiler.primitives import lookup, spelled

EVERYTHING = Index((Ellipsis,))


def _array(low: Lowering, meaning: Meaning) -> Reference:
    if not isinstance(meaning, Reference) or tensor_type(low, meaning) is None:
        low.refuse("ADC101", "this must be an array")
    return meaning


def fill(low: Lowering, x: Meaning, value: Meaning) -> Meaning:
    views.write(low, views.step_into(low, _array(low, x), EVERYTHING), low.value(value))
    return NONE


def item(low: Lowering, x: Meaning, *index: Meaning) -> Meaning:
    if index:
        return subscripts.get(low, x, index[0] if len(index) == 1 else Group(index))
    type = tensor_type(low, x)
    if type is not None and is_scalar(type):
        return x
    width = None if type is None else rank(type)
    if width is None:
        return low.emit("sum", x)  # there is one element
    return subscripts.get(low, x, Group((Static(0),) * width))


def to_list(low: Lowering, x: Meaning) -> Meaning:
    from ad_compiler.frontend.comprehensions import collect

    if rank(tensor_type(low, x)) != 1:  # type: ignore[arg-type]
        low.refuse("ADC101", "`tolist` is supported for arrays of one axis")
    return collect(low, x)


def contiguous(low: Lowering, x: Meaning, **keywords: Meaning) -> Meaning:
    """A copy or the array itself: which, is not known."""
    from ad_compiler.frontend.primitive_calls import as_array

    result = as_array(low, [x], keywords)
    if not isinstance(result, Reference) or not isinstance(x, Reference) or result != x:
        return result
    made = low.root(low.builder.one("copy", views.read(low, x)))
    views.share_aliases(low, made, x.root)
    made.contiguous = True
    return Reference(made)


def copy_to(low: Lowering, into: Meaning, value: Meaning, **keywords: Meaning) -> Meaning:
    if "where" in keywords:
        value = low.emit("where", keywords["where"], value, into)
    return fill(low, into, value)


def fill_diagonal(low: Lowering, x: Meaning, value: Meaning) -> Meaning:
    target = _array(low, x)
    if rank(tensor_type(low, target)) != 2:  # type: ignore[arg-type]
        low.refuse("ADC101", "`np.fill_diagonal` is supported for arrays of two axes")
    first = low.emit("dim", target, axis=0)
    second = low.emit("dim", target, axis=1)
    indices = low.emit("arange", Static(0), low.emit("minimum", first, second), Static(1))
    subscripts.put(low, target, Group((indices, indices)), value)
    return NONE


def put(low: Lowering, x: Meaning, indices: Meaning, value: Meaning) -> Meaning:
    subscripts.put(low, views.flat(low, x), indices, value)
    return NONE


def add_at(low: Lowering, x: Meaning, index: Meaning, value: Meaning) -> Meaning:
    target = _array(low, x)
    step, _ = subscripts.step(low, index)
    before, added = views.read(low, target), low.value(value)
    after = low.builder.one("add_at", before, added, *step.slots, index=step.items)
    views.write(low, target, after)
    return NONE


def subtract_at(low: Lowering, x: Meaning, index: Meaning, value: Meaning) -> Meaning:
    return add_at(low, x, index, operators.unary(low, ast.USub(), value))


def ufunc_method(
    low: Lowering, ufunc: np.ufunc, name: str, arguments: list[Meaning], keywords: dict[str, Meaning]
) -> Meaning:
    """`np.add.at`, `np.add.reduce`, `np.multiply.outer` and their like."""
    if name == "at" and len(arguments) == 3 and ufunc in (np.add, np.subtract):
        return (add_at if ufunc is np.add else subtract_at)(low, *arguments)
    reductions = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}
    scans = {"add": "cumsum", "multiply": "cumprod"}
    if name == "reduce" and ufunc.__name__ in reductions:
        given = {"axis": Static(0), **keywords} if len(arguments) == 1 else keywords
        return call_primitive(low, lookup(reductions[ufunc.__name__]), arguments, given)
    if name == "accumulate" and ufunc.__name__ in scans:
        given = {"axis": Static(0), **keywords} if len(arguments) == 1 else keywords
        return call_primitive(low, lookup(scans[ufunc.__name__]), arguments, given)
    if name == "outer" and len(arguments) == 2 and rank(tensor_type(low, arguments[0])) == 1:  # type: ignore[arg-type]
        column = subscripts.get(low, arguments[0], Group((Slice(NONE, NONE, NONE), NONE)))
        primitive = spelled(ufunc)
        if primitive is not None and rank(tensor_type(low, arguments[1])) == 1:  # type: ignore[arg-type]
            return low.emit(primitive.name, column, arguments[1])
    low.refuse("ADC111", f"what `np.{ufunc.__name__}.{name}` does here is not known")


def meshgrid(low: Lowering, *parts: Meaning, indexing: Meaning | None = None, **keywords: Meaning) -> Meaning:
    indexing = Static("xy") if indexing is None else indexing
    if keywords or not isinstance(indexing, Static):
        low.refuse("ADC101", "this form of `np.meshgrid` is not supported")
    order = list(range(len(parts)))
    if indexing.value == "xy" and len(parts) > 1:
        order[0], order[1] = 1, 0
    lengths = [iteration.first_length(low, low.value(part)) for part in parts]
    shape = Group(tuple(lengths[order[k]] for k in range(len(parts))))
    found: list[Meaning] = []
    for k, part in enumerate(parts):
        place = order.index(k)
        index = Group(tuple(Slice(NONE, NONE, NONE) if j == place else NONE for j in range(len(parts))))
        spread = call_primitive(low, lookup("broadcast_to"), [subscripts.get(low, part, index), shape], {})
        found.append(containers.copy(low, spread, deep=False))
    return containers.new_list(low, found)


def split(low: Lowering, x: Meaning, parts: Meaning, axis: Meaning = ZERO) -> Meaning:
    """Views of the parts."""
    at, target = static_int(axis), _array(low, x)
    if at is None or at < 0:
        low.refuse("ADC118", "the axis of `np.split` must be known when compiling, and not negative")
    number = static_int(parts)
    bounds: list[Meaning]
    if number is not None:
        whole = subscripts.get(low, attributes.shape_of(low, target), axis)
        _check_divides(low, whole, number)
        size = operators.binary(low, ast.FloorDiv(), whole, Static(number))
        bounds = [operators.binary(low, ast.Mult(), Static(k), size) for k in range(1, number)]
    else:
        known = iteration.known(low, parts)
        if known is None:
            low.refuse("ADC118", "into how many parts `np.split` splits must be known when compiling")
        bounds = known
    ends = [NONE, *bounds, NONE]
    before = (Slice(NONE, NONE, NONE),) * at
    return containers.new_list(
        low,
        [
            subscripts.get(low, target, Group((*before, Slice(ends[k], ends[k + 1], NONE))))
            for k in range(len(ends) - 1)
        ],
    )


def _check_divides(low: Lowering, whole: Meaning, number: int) -> None:
    """NumPy raises for a split into parts that are not equal."""
    known = static_int(whole)
    if known is None:
        message = "array split does not result in an equal division"
        low.builder.emit(
            "effect", [low.value(whole)], types=[], template=f"if _0_ % {number}: raise ValueError({message!r})"
        )
    elif known % number:
        low.refuse("ADC117", "this split does not result in an equal division")


def broadcast_arrays(low: Lowering, *parts: Meaning) -> Meaning:
    shape: Meaning = parts[0]
    for part in parts[1:]:
        shape = low.emit("add", shape, part)
    return Group(tuple(low.emit("broadcast_like", part, shape) for part in parts))


def column_stack(low: Lowering, parts: Meaning) -> Meaning:
    items = iteration.known(low, parts)
    if items is None:
        low.refuse("ADC118", "how many columns are joined must be known when compiling")
    columns = [
        subscripts.get(low, one, Group((Slice(NONE, NONE, NONE), NONE))) if rank(tensor_type(low, one)) == 1 else one  # type: ignore[arg-type]
        for one in items
    ]
    return call_primitive(low, lookup("concatenate"), [Group(tuple(columns))], {"axis": Static(1)})


def flipped(low: Lowering, x: Meaning, axis: int) -> Meaning:
    return call_primitive(low, lookup("flip"), [x], {"axis": Static(axis)})


def diff(low: Lowering, x: Meaning, n: Meaning = ONE, axis: Meaning = LAST) -> Meaning:
    at, times = static_int(axis), static_int(n)
    if at is None or times is None:
        low.refuse("ADC118", "the axis and the order of `np.diff` must be known when compiling")
    lead: tuple[Meaning, ...] = (Static(Ellipsis),) if at < 0 else (Slice(NONE, NONE, NONE),) * at
    trail: tuple[Meaning, ...] = (Slice(NONE, NONE, NONE),) * (-at - 1) if at < 0 else ()
    for _ in range(times):
        upper = subscripts.get(low, x, _plain((*lead, Slice(Static(1), NONE, NONE), *trail)))
        lower = subscripts.get(low, x, _plain((*lead, Slice(NONE, Static(-1), NONE), *trail)))
        x = low.emit("subtract", upper, lower)
    return x


def _plain(items: tuple[Meaning, ...]) -> Meaning:
    return Group(items)


def appended(low: Lowering, x: Meaning, values: Meaning, axis: Meaning = NONE) -> Meaning:
    if isinstance(axis, Static) and axis.value is None:
        flat = [low.emit("ravel", low.wrap(low.value(one))) for one in (x, values)]
        return call_primitive(low, lookup("concatenate"), [Group(tuple(flat))], {})
    return call_primitive(low, lookup("concatenate"), [Group((x, values))], {"axis": axis})


def open_mesh(low: Lowering, *parts: Meaning) -> Meaning:
    """`np.ix_`."""
    found: list[Meaning] = []
    for k, part in enumerate(parts):
        index = Group(tuple(Slice(NONE, NONE, NONE) if j == k else NONE for j in range(len(parts))))
        array = part if tensor_type(low, part) is not None else low.wrap(low.value(Group(tuple(_known(low, part)))))
        found.append(subscripts.get(low, array, index))
    return Group(tuple(found))


def _known(low: Lowering, part: Meaning) -> list[Any]:
    items = iteration.known(low, part)
    if items is None:
        low.refuse("ADC118", "the indices given to `np.ix_` must be an array, or known when compiling")
    return items
