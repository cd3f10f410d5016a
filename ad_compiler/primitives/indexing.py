"""Reading and writing parts of arrays.  `index` is a tuple of index items (see `ir/core.py`), slots are operands.

Writing an element twice in one `setitem` keeps the last, and so only the last gets a cotangent; `add_at` adds
repeated ones up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import IndexItem, SliceItem, Slot
from ad_compiler.ir.types import ONE, Dim, Shape, Symbol, Tensor, Type, broadcast, derived, is_scalar
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast
from ad_compiler.primitives.declare import constant, linear, ops
from ad_compiler.primitives.rules import zeros_like
from ad_compiler.primitives.shapes import dim_of, fresh, tensor

# ---------------------------------------------------------------------------- the index as NumPy takes it


def index_of(index: Sequence[IndexItem], slots: Sequence[Any]) -> Any:
    """The index with its slots filled."""

    def fill(item: Any) -> Any:
        if isinstance(item, Slot):
            return slots[item.position]
        if isinstance(item, SliceItem):
            return slice(*[fill(bound) for bound in (item.start, item.stop, item.step)])
        return item

    filled = tuple(fill(item) for item in index)
    return filled[0] if len(filled) == 1 else filled


def _getitem(x: Any, *slots: Any, index: tuple[IndexItem, ...]) -> Any:
    return np.asarray(x)[index_of(index, slots)]


def _setitem(x: Any, v: Any, *slots: Any, index: tuple[IndexItem, ...]) -> Any:
    result = np.array(x)
    result[index_of(index, slots)] = v
    return result


def _add_at(acc: Any, v: Any, *slots: Any, index: tuple[IndexItem, ...]) -> Any:
    result = np.array(acc)
    where = index_of(index, slots)
    if any(np.ndim(slot) for slot in slots):
        np.add.at(result, where, v)
    else:
        result[where] += v
    return result


def _scatter(ct: Any, x: Any, *slots: Any, index: tuple[IndexItem, ...]) -> Any:
    return runtime._scatter(ct, x, index_of(index, slots))


# ---------------------------------------------------------------------------- the shape of a part


def sliced_dim(dim: Dim, item: SliceItem) -> Dim:
    """The length of a slice: `n - 2` stands for max(n - 2, 0), so that `[1:-1]`, `[:-2]` and `[2:]` agree."""
    bounds = (item.start, item.stop, item.step)
    if any(isinstance(bound, Slot) for bound in bounds):
        return Dim(Symbol())
    start, stop, step = (None if bound is None else int(bound) for bound in bounds)  # type: ignore[arg-type]
    if dim.symbol is None:
        return dim_of(len(range(*slice(start, stop, step).indices(dim.offset))))
    if start is None and stop is None and step in (None, 1, -1):
        return dim
    if step in (None, 1) and (start or 0) >= 0 and (stop is None or stop < 0):
        cut = (start or 0) - (stop or 0)
        return dim if cut == 0 else _shortened(dim, cut, item)
    return Dim(derived("slice", dim, start, stop, step))


def _shortened(dim: Dim, cut: int, item: SliceItem) -> Dim:
    if dim.offset <= 0 or cut <= dim.offset:
        return Dim(dim.symbol, dim.offset - cut)
    return Dim(derived("cut", dim, cut))


def indexed_shape(shape: Shape, index: Sequence[IndexItem], slots: Sequence[Type]) -> Shape:
    """The shape of `x[index]` for an `x` of `shape`."""
    if isinstance(shape, Symbol):
        return _unknown_part(shape, index, slots)
    types = [slots[item.position] if isinstance(item, Slot) else None for item in index]
    if any(type is not None and not _is_index_type(type) for type in types):
        return Symbol()
    taken = sum(_axes_taken(item, type) for item, type in zip(index, types, strict=True))
    if taken > len(shape):
        return Symbol()  # NumPy will raise
    items: list[IndexItem] = list(index)
    if Ellipsis not in items:
        items.append(Ellipsis)
        types.append(None)
    has_arrays = any(type is not None and not is_scalar(type) for type in types)
    dims: list[Dim] = []
    arrays: list[Shape] = []
    places: list[int] = []  # where in `items` the advanced indices stand
    first = 0  # the position in `dims` of the first of them
    axis = 0
    for place, (item, type) in enumerate(zip(items, types, strict=True)):
        if item is Ellipsis:
            dims += shape[axis : axis + len(shape) - taken]
            axis += len(shape) - taken
        elif item is None:
            dims.append(ONE)
        elif isinstance(item, SliceItem):
            dims.append(sliced_dim(shape[axis], item))
            axis += 1
        else:
            if has_arrays:
                first = first if places else len(dims)
                places.append(place)
                arrays.append(_array_index_shape(type))
            axis += _axes_taken(item, type)
    if not has_arrays:
        return tuple(dims)
    inner = broadcast(*arrays)
    if isinstance(inner, Symbol):
        return Symbol()
    together = places == list(range(places[0], places[0] + len(places)))
    at = first if together else 0
    return (*dims[:at], *inner, *dims[at:])


def _unknown_part(shape: Symbol, index: Sequence[IndexItem], slots: Sequence[Type]) -> Shape:
    if any(isinstance(item, Slot) and not is_scalar(slots[item.position]) for item in index):
        return Symbol()
    if any(isinstance(bound, Slot) for item in index if isinstance(item, SliceItem) for bound in _bounds(item)):
        return Symbol()
    return derived("part", shape, tuple(map(_what_it_takes, index)))


def _what_it_takes(item: IndexItem) -> IndexItem:
    """The same for indices that take equally much: `[:-2]`, `[1:-1]` and `[2:]` all leave out two."""
    if isinstance(item, int | Slot):
        return 0
    if isinstance(item, SliceItem) and item.step in (None, 1):
        start, stop = item.start or 0, item.stop
        if isinstance(start, int) and start >= 0 and (stop is None or (isinstance(stop, int) and stop < 0)):
            return SliceItem(start - (stop or 0))
    return item


def _bounds(item: SliceItem) -> tuple[Any, ...]:
    return item.start, item.stop, item.step


def _is_index_type(type: Type) -> bool:
    return isinstance(type, Tensor) and not isinstance(type.shape, Symbol) and type.dtype != "?"


def _axes_taken(item: IndexItem, type: Type | None) -> int:
    if item is None or item is Ellipsis:
        return 0
    if isinstance(type, Tensor) and type.dtype == "bool" and isinstance(type.shape, tuple):
        return len(type.shape)
    return 1


def _array_index_shape(type: Type | None) -> Shape:
    if type is None:
        return ()
    assert isinstance(type, Tensor)
    return (Dim(Symbol()),) if type.dtype == "bool" else type.shape


# ---------------------------------------------------------------------------- types


def _getitem_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    x = tensor(types[0])
    return Tensor(x.dtype, indexed_shape(x.shape, attributes["index"], types[1:]))


def _first(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return tensor(types[0])


def _scatter_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    dtype = tensor(types[0]).dtype
    return Tensor(dtype if dtype in ("f32", "f64", "c64", "c128") else "f64", tensor(types[1]).shape)


def _selection_mask_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor("bool", indexed_shape(tensor(types[0]).shape, attributes["index"], types[1:]))


# ---------------------------------------------------------------------------- primitives


def _may_repeat(slots: Sequence[Any], index: Sequence[IndexItem]) -> bool:
    """Whether an element can be named twice: only integer arrays can do that."""
    named = [slots[item.position].value.type for item in index if isinstance(item, Slot)]
    return any(not is_scalar(type) and not (isinstance(type, Tensor) and type.dtype == "bool") for type in named)


def _written(ct: Any, v: Any, slots: tuple[Any, ...], index: Any) -> Any:
    """The cotangent of what `setitem` wrote."""
    part = getitem(ct, *slots, index=index)
    if _may_repeat(slots, index):
        part = ops.where(last_write(ct, *slots, index=index), part, 0.0)
    return unbroadcast(part, v)


getitem = linear(
    _getitem, "x, *slots, index", operands="x, *slots", infer=_getitem_type, views=True, emit="x[index]",
    x=lambda ct, x, slots, index: scatter(ct, x, *slots, index=index),
    slots=None,
)  # fmt: skip
setitem = linear(
    _setitem, "x, v, *slots, index", operands="x, v, *slots", infer=_first,
    x=lambda ct, slots, index: setitem(ct, 0.0, *slots, index=index),
    v=_written,
    slots=None,
    jvp=lambda x, v, slots, index, x_dot, v_dot: setitem(
        zeros_like(x) if x_dot is None else x_dot, 0.0 if v_dot is None else v_dot, *slots, index=index
    ),
)  # fmt: skip
add_at = linear(
    _add_at, "acc, v, *slots, index", operands="acc, v, *slots", infer=_first,
    acc=lambda ct: ct,
    v=lambda ct, v, slots, index: unbroadcast(getitem(ct, *slots, index=index), v),
    slots=None,
    jvp=lambda acc, slots, index, acc_dot, v_dot: acc_dot if v_dot is None else add_at(
        zeros_like(acc) if acc_dot is None else acc_dot, v_dot, *slots, index=index
    ),
)  # fmt: skip
scatter = linear(
    _scatter, "ct, x, *slots, index", operands="y, x, *slots", infer=_scatter_type, shape_only=("x",),
    emit="_scatter(y, x, index)",
    y=lambda ct, slots, index: getitem(ct, *slots, index=index),
    x=None,
    slots=None,
)  # fmt: skip


def _last_write(x: Any, *slots: Any, index: tuple[IndexItem, ...]) -> Any:
    return runtime._last_write(x, index_of(index, slots))


last_write = constant(
    _last_write, "x, *slots, index", operands="x, *slots", infer=_selection_mask_type, shape_only=("x",),
    emit="_last_write(x, index)",
)  # fmt: skip


# ---------------------------------------------------------------------------- take


def _taken(axis: int | None) -> tuple[IndexItem, ...]:
    if axis is None or axis == 0:
        return (Slot(0),)
    if axis > 0:
        return (*(SliceItem(),) * axis, Slot(0))
    return (Ellipsis, Slot(0), *(SliceItem(),) * (-axis - 1))


def _take_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    x, indices, axis = tensor(types[0]), tensor(types[1]), attributes.get("axis")
    integers = Tensor("i64", indices.shape)
    shape = fresh(1) if axis is None else x.shape
    return Tensor(x.dtype, indexed_shape(shape, _taken(axis), [integers]))


def _take_bar(ct: Any, x: Any, indices: Any, axis: int | None) -> Any:
    if axis is None:
        return ops.reshape_like(scatter(ct, ops.ravel(x), indices, index=_taken(None)), x)
    return scatter(ct, x, indices, index=_taken(axis))


def _along_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    x, indices = tensor(types[0]), tensor(types[1])
    if isinstance(x.shape, Symbol) or isinstance(indices.shape, Symbol) or len(x.shape) != len(indices.shape):
        return Tensor(x.dtype, Symbol())
    return Tensor(x.dtype, fresh(len(x.shape)))


def _same(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(tensor(types[0]).dtype, tensor(types[1]).shape)


take_along_axis = linear(
    lambda x, indices, *, axis=-1: np.take_along_axis(x, indices, axis), "x, indices, axis=-1",
    operands="x, indices", name="take_along_axis", infer=_along_type, also=(np.take_along_axis,),
    emit="np.take_along_axis(x, indices, axis)",
    x=lambda ct, x, indices, axis: along_bar(ct, x, indices, axis=axis),
    indices=None,
)  # fmt: skip
along_bar = linear(
    runtime._along_bar, "y, x, indices, *, axis", operands="y, x, indices", infer=_same, helper=True,
    shape_only=("x",),
    y=lambda ct, indices, axis: take_along_axis(ct, indices, axis=axis),
    x=None,
    indices=None,
)  # fmt: skip
take = linear(
    lambda x, indices, *, axis=None: np.take(x, indices, axis), "x, indices, axis=None", operands="x, indices",
    name="take", infer=_take_type, also=(np.take,), methods=("take",),
    x=_take_bar,
    indices=None,
)  # fmt: skip
