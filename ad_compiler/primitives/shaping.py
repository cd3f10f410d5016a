"""Other arrangements of the same elements: all linear, with transposes among themselves."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.types import ONE, Dim, Shape, Symbol, Tensor, Type, derived, promote, rank
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast as undo
from ad_compiler.primitives.declare import constant, linear, ops
from ad_compiler.primitives.rules import NoRule
from ad_compiler.primitives.shapes import dim_of, filled, fresh, normal_axes, tensor, wanted_shape


def _with_shape(types: Sequence[Type], shape: Shape) -> Tensor:
    return Tensor(tensor(types[0]).dtype, shape)


def _like_second(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """The dtype of the first operand in the shape of the second."""
    return Tensor(tensor(types[0]).dtype, tensor(types[1]).shape)


def _int(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor("i64", ())


# ---------------------------------------------------------------------------- broadcasting

unbroadcast = linear(
    runtime._unbroadcast, "y, x", infer=_like_second, helper=True, shape_only=("x",), views=True,
    y=lambda ct, y: broadcast_like(ct, y),
    x=None,
)  # fmt: skip
broadcast_like = linear(
    lambda y, x: np.broadcast_to(y, np.shape(x))[()], "y, x", name="broadcast_like", infer=_like_second,
    emit="np.broadcast_to(y, np.shape(x))", shape_only=("x",), views=True, readonly=True,
    y=lambda ct, y: undo(ct, y),
    x=None,
)  # fmt: skip


def _broadcast_to_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return _with_shape(types, wanted_shape(attributes["shape"]))


broadcast_to = linear(
    lambda x, *slots, shape: np.broadcast_to(x, filled(shape, slots)), "x, shape", operands="x, *slots",
    name="broadcast_to", infer=_broadcast_to_type, also=(np.broadcast_to,), views=True, readonly=True,
    x=lambda ct, x: undo(ct, x),
    slots=None,
)  # fmt: skip

# ---------------------------------------------------------------------------- questions about the shape

dim = constant(
    lambda x, *, axis: np.shape(x)[axis], "x, *, axis", name="dim", operands="x", infer=_int, shape_only=("x",),
    emit=lambda types, attributes: "x.shape[axis]" if rank(types[0]) else "np.shape(x)[axis]",
)  # fmt: skip
size = constant(
    lambda x: int(np.size(x)), "x", name="size", infer=_int, also=(np.size,), methods=("size",), shape_only=("x",),
    emit=lambda types, attributes: "x.size" if rank(types[0]) else "np.size(x)",
)  # fmt: skip
ndim = constant(
    lambda x: int(np.ndim(x)), "x", name="ndim", infer=_int, also=(np.ndim,), methods=("ndim",), shape_only=("x",),
    emit="np.ndim(x)",
)  # fmt: skip

# ---------------------------------------------------------------------------- reshape


def _reshape_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return _with_shape(types, wanted_shape(attributes["shape"]))


def _ravel_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = tensor(types[0]).shape
    return _with_shape(types, shape if rank(types[0]) == 1 else (Dim(derived("size", shape)),))


def _reshape_back(ct: Any, x: Any) -> Any:
    return ct if ct.value.type.shape == x.value.type.shape else reshape_like(ct, x)


reshape = linear(
    lambda x, *slots, shape: np.reshape(x, filled(shape, slots)), "x, shape", operands="x, *slots", name="reshape",
    infer=_reshape_type, also=(np.reshape,), methods=("reshape",), views=True,
    x=_reshape_back,
    slots=None,
)  # fmt: skip
reshape_like = linear(
    lambda y, x: np.reshape(y, np.shape(x))[()], "y, x", name="reshape_like", infer=_like_second,
    emit="np.reshape(y, np.shape(x))", shape_only=("x",), views=True,
    y=lambda ct, y: _reshape_back(ct, y),
    x=None,
)  # fmt: skip
ravel = linear(
    np.ravel, "x", infer=_ravel_type, methods=("ravel",), views=True,
    x=_reshape_back,
)  # fmt: skip
flatten = linear(
    lambda x: np.ravel(x).copy(), "x", name="flatten", infer=_ravel_type, methods=("flatten",),
    emit="np.ravel(x).copy()",
    x=_reshape_back,
)  # fmt: skip


def _expanded_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axis = tensor(types[0]).shape, attributes["axis"]
    axes = axis if isinstance(axis, tuple) else (axis,)
    if isinstance(shape, Symbol):
        return _with_shape(types, derived("expand_dims", shape, axes))
    width = len(shape) + len(axes)
    places = normal_axes(axes, width)
    rest = iter(shape)
    return _with_shape(types, tuple(ONE if k in places else next(rest) for k in range(width)))


def _squeezed_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axis = tensor(types[0]).shape, attributes.get("axis")
    if isinstance(shape, Symbol) or axis is None:
        if isinstance(shape, tuple) and builtins.all(dim.symbol is None for dim in shape):
            return _with_shape(types, tuple(dim for dim in shape if dim != ONE))
        return _with_shape(types, derived("squeeze", shape, axis))
    places = normal_axes(axis, len(shape))
    return _with_shape(types, tuple(dim for k, dim in enumerate(shape) if k not in places))


expand_dims = linear(
    np.expand_dims, "x, axis", operands="x", infer=_expanded_type, views=True,
    x=lambda ct, axis: squeeze(ct, axis=axis),
)  # fmt: skip
squeeze = linear(
    np.squeeze, "x, axis=None", operands="x", infer=_squeezed_type, methods=("squeeze",), views=True,
    x=lambda ct, x, axis: reshape_like(ct, x) if axis is None else expand_dims(ct, axis=axis),
)  # fmt: skip


def _atleast_type(width: int) -> Any:
    def infer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
        shape = tensor(types[0]).shape
        if isinstance(shape, Symbol):
            return _with_shape(types, derived("atleast", width, shape))
        return _with_shape(types, (ONE,) * (width - len(shape)) + shape)

    return infer


atleast_1d = linear(np.atleast_1d, "x", infer=_atleast_type(1), views=True, x=_reshape_back)
atleast_2d = linear(np.atleast_2d, "x", infer=_atleast_type(2), views=True, x=_reshape_back)

# ---------------------------------------------------------------------------- permutations


def _permutation(axes: Any, width: int) -> tuple[int, ...]:
    return tuple(range(width))[::-1] if axes is None else tuple(axis % width for axis in axes)


def _transposed_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axes = tensor(types[0]).shape, attributes.get("axes")
    if isinstance(shape, Symbol):
        return _with_shape(types, fresh(len(axes)) if axes is not None else derived("transpose", shape))
    return _with_shape(types, tuple(shape[k] for k in _permutation(axes, len(shape))))


def _inverse(axes: Any) -> Any:
    if axes is None:
        return None
    order = _permutation(axes, len(axes))
    return tuple(order.index(k) for k in range(len(order)))


transpose = linear(
    np.transpose, "x, axes=None", operands="x", infer=_transposed_type, methods=("transpose", "T"), views=True,
    emit=lambda types, attributes: _transpose_text(types[0], attributes.get("axes")),
    x=lambda ct, axes: transpose(ct, axes=_inverse(axes)),
)  # fmt: skip


def _transpose_text(type: Type, axes: Any) -> str:
    if axes is not None:
        return "np.transpose(x, axes)"
    return "x.T" if rank(type) else "np.transpose(x)"


def _moved(types: Sequence[Type], key: tuple[Any, ...], move: Any) -> Type:
    """The dims in the order in which `move` leaves the axes of a small array."""
    shape = tensor(types[0]).shape
    if isinstance(shape, Symbol):
        return _with_shape(types, derived(*key, shape))
    order = move(np.empty(tuple(range(2, 2 + len(shape))))).shape
    return _with_shape(types, tuple(shape[length - 2] for length in order))


swapaxes = linear(
    np.swapaxes, "x, axis1, axis2", operands="x", views=True, methods=("swapaxes",),
    infer=lambda types, attributes: _moved(
        types,
        ("swapaxes", attributes["axis1"], attributes["axis2"]),
        lambda small: np.swapaxes(small, attributes["axis1"], attributes["axis2"]),
    ),
    x=lambda ct, axis1, axis2: swapaxes(ct, axis1=axis1, axis2=axis2),
)  # fmt: skip
moveaxis = linear(
    np.moveaxis, "x, source, destination", operands="x", views=True,
    infer=lambda types, attributes: _moved(
        types,
        ("moveaxis", attributes["source"], attributes["destination"]),
        lambda small: np.moveaxis(small, attributes["source"], attributes["destination"]),
    ),
    x=lambda ct, source, destination: moveaxis(ct, source=destination, destination=source),
)  # fmt: skip


def _same(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return tensor(types[0])


flip = linear(
    np.flip, "x, axis=None", operands="x", infer=_same, views=True,
    x=lambda ct, axis: flip(ct, axis=axis),
)  # fmt: skip
roll = linear(
    lambda x, shift, *, axis=None: np.roll(x, shift, axis), "x, shift, axis=None", operands="x, shift", name="roll",
    infer=_same, also=(np.roll,),
    x=lambda ct, shift, axis: roll(ct, -shift, axis=axis),
    shift=None,
)  # fmt: skip

# ---------------------------------------------------------------------------- joining


def _joined(tensors: Sequence[Tensor], axis: int) -> Shape:
    shapes = [type.shape for type in tensors]
    if builtins.any(isinstance(shape, Symbol) for shape in shapes):
        return Symbol()
    width = len(shapes[0])
    k = axis % width if width else 0
    dims = [_common([shape[j] for shape in shapes]) for j in range(width)]  # type: ignore[index]
    if width:
        dims[k] = _total([shape[k] for shape in shapes])  # type: ignore[index]
    return tuple(dims)


def _common(dims: Sequence[Dim]) -> Dim:
    """They must all be equal at run time: the best known of them."""
    return next((dim for dim in dims if dim.symbol is None), dims[0])


def _total(dims: Sequence[Dim]) -> Dim:
    """The sum of lengths, where at most one of them is unknown (and not one cut short at 0)."""
    unknown = [dim for dim in dims if dim.symbol is not None]
    number = builtins.sum(dim.offset for dim in dims if dim.symbol is None)
    if not unknown:
        return dim_of(number)
    if len(unknown) == 1 and (unknown[0].offset >= 0 or number == 0):
        return Dim(unknown[0].symbol, unknown[0].offset + number)
    return Dim(derived("total", tuple(dims)))


def _concatenate_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    tensors = [tensor(type) for type in types]
    axis = attributes.get("axis", 0)
    shape = (Dim(Symbol()),) if axis is None else _joined(tensors, axis)
    return Tensor(promote(*[type.dtype for type in tensors]), shape)


def along(axis: int, item: Any) -> tuple[Any, ...]:
    """The index that has `item` at `axis` and takes the other axes whole."""
    if axis >= 0:
        return (SliceItem(),) * axis + (item,)
    return (Ellipsis, item) + (SliceItem(),) * (-axis - 1)


def _part(ct: Any, xs: tuple[Any, ...], position: int, axis: int, length: Any = None) -> Any:
    """The part of `ct` that came from `xs[position]`."""
    length = length or (lambda x: ops.dim(x, axis=axis))
    start = stop = None
    if position:
        start = _sum_of([_length(x, axis, length) for x in xs[:position]])
    if position < len(xs) - 1:
        here = _length(xs[position], axis, length)
        stop = here if start is None else _sum_of([start, here])
    slots, bounds = [], []
    for bound in (start, stop):
        if bound is None or isinstance(bound, int):
            bounds.append(bound)
        else:
            bounds.append(Slot(len(slots)))
            slots.append(bound)
    return ops.getitem(ct, *slots, index=along(axis, SliceItem(*bounds)))


def _length(x: Any, axis: int, length: Any) -> Any:
    shape = x.value.type.shape
    if isinstance(shape, tuple) and shape and shape[axis].symbol is None:
        return shape[axis].offset
    return length(x)


def _sum_of(lengths: Sequence[Any]) -> Any:
    total = lengths[0]
    for length in lengths[1:]:
        total = total + length
    return total


def _concatenate_bar(ct: Any, xs: tuple[Any, ...], axis: Any, position: int) -> Any:
    if axis is None:
        flat = tuple(ops.ravel(x) for x in xs)
        return _reshape_back(_part(ct, flat, position, 0), xs[position])
    return _part(ct, xs, position, axis)


concatenate = linear(
    lambda *xs, axis=0: np.concatenate(xs, axis), "xs, axis=0", operands="*xs", name="concatenate",
    infer=_concatenate_type, also=(np.concatenate,),
    xs=_concatenate_bar,
)  # fmt: skip


def _stack_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    tensors = [tensor(type) for type in types]
    dtype = promote(*[type.dtype for type in tensors])
    shape = next((type.shape for type in tensors if isinstance(type.shape, tuple)), None)
    if shape is None:
        return Tensor(dtype, Symbol())
    place = attributes.get("axis", 0) % (len(shape) + 1)
    shapes = [type.shape for type in tensors if isinstance(type.shape, tuple)]
    dims = [_common([shape[j] for shape in shapes]) for j in range(len(shape))]
    return Tensor(dtype, (*dims[:place], dim_of(len(types)), *dims[place:]))


stack = linear(
    lambda *xs, axis=0: np.stack(xs, axis), "xs, axis=0", operands="*xs", name="stack",
    infer=_stack_type, also=(np.stack,),
    xs=lambda ct, axis, position: ops.getitem(ct, index=along(axis, position)),
)  # fmt: skip


def _stacked_type(least: int, axis: int) -> Any:
    """hstack and vstack join arrays of at least one or two axes."""

    def infer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
        raised = [_atleast_type(least)([type], {}) for type in types]
        width = rank(raised[0])
        along_axis = 0 if width == 1 else axis
        return Tensor(promote(*[tensor(type).dtype for type in types]), _joined(raised, along_axis))  # type: ignore[arg-type]

    return infer


def _hstack_bar(ct: Any, xs: tuple[Any, ...], position: int) -> Any:
    width = rank(xs[position].value.type)
    if width is None:
        raise NoRule(hstack, "xs", "the number of axes is not known")
    if width == 0:
        return ops.getitem(ct, index=(position,))
    return _part(ct, xs, position, 0 if width == 1 else 1)


def _vstack_bar(ct: Any, xs: tuple[Any, ...], position: int) -> Any:
    width = rank(xs[position].value.type)
    if width is None:
        raise NoRule(vstack, "xs", "the number of axes is not known")
    if width >= 2:
        return _part(ct, xs, position, 0)
    row = tuple(atleast_2d(x) for x in xs)
    return _reshape_back(_part(ct, row, position, 0), xs[position])


hstack = linear(
    lambda *xs: np.hstack(xs), "xs", operands="*xs", name="hstack", infer=_stacked_type(1, 1), also=(np.hstack,),
    xs=_hstack_bar,
)  # fmt: skip
vstack = linear(
    lambda *xs: np.vstack(xs), "xs", operands="*xs", name="vstack", infer=_stacked_type(2, 0), also=(np.vstack,),
    xs=_vstack_bar,
)  # fmt: skip

# ---------------------------------------------------------------------------- repetition


def _tiled_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, reps = tensor(types[0]).shape, attributes["reps"]
    reps = reps if isinstance(reps, tuple) else (reps,)
    if isinstance(shape, Symbol):
        return _with_shape(types, derived("tile", reps, shape))
    width = builtins.max(len(shape), len(reps))
    reps, shape = (1,) * (width - len(reps)) + reps, (ONE,) * (width - len(shape)) + shape
    return _with_shape(types, tuple(_scaled(dim, times) for dim, times in zip(shape, reps, strict=True)))


def _scaled(dim: Dim, times: int) -> Dim:
    if dim.symbol is None:
        return dim_of(dim.offset * times)
    return dim if times == 1 else Dim(derived("times", dim, times))


tile = linear(
    np.tile, "x, reps", operands="x", infer=_tiled_type,
    x=lambda ct, x, reps: tile_bar(ct, x, reps=reps),
)  # fmt: skip
tile_bar = linear(
    runtime._tile_bar, "y, x, *, reps", operands="y, x", infer=_like_second, helper=True, shape_only=("x",),
    y=lambda ct, reps: tile(ct, reps=reps),
    x=None,
)  # fmt: skip


def _repeated_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, repeats, axis = tensor(types[0]).shape, attributes["repeats"], attributes.get("axis")
    if axis is None:
        shape = shape if rank(types[0]) == 1 else (Dim(derived("size", shape)),)
    if isinstance(shape, Symbol):
        return _with_shape(types, derived("repeat", repeats, axis, shape))
    place = (axis or 0) % len(shape)
    dims = [_scaled(dim, repeats) if k == place else dim for k, dim in enumerate(shape)]
    return _with_shape(types, tuple(dims))


repeat = linear(
    np.repeat, "x, repeats, axis=None", operands="x", infer=_repeated_type, methods=("repeat",),
    x=lambda ct, x, repeats, axis: repeat_bar(ct, x, repeats=repeats, axis=axis),
)  # fmt: skip
repeat_bar = linear(
    runtime._repeat_bar, "y, x, *, repeats, axis=None", operands="y, x", infer=_like_second, helper=True,
    shape_only=("x",),
    y=lambda ct, repeats, axis: repeat(ct, repeats=repeats, axis=axis),
    x=None,
)  # fmt: skip


def _pairs(width: Any, axes: int) -> tuple[tuple[int, int], ...]:
    """`pad_width` as NumPy takes it, as one pair for each axis."""
    return tuple((int(a), int(b)) for a, b in np.broadcast_to(np.asarray(width), (axes, 2)))


def _padded_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, width = tensor(types[0]).shape, attributes["pad_width"]
    if isinstance(shape, Symbol):
        return _with_shape(types, derived("pad", width, shape))
    pairs = _pairs(width, len(shape))
    return _with_shape(types, tuple(_total([dim, dim_of(a + b)]) for dim, (a, b) in zip(shape, pairs, strict=True)))


def _pad_bar(ct: Any, x: Any, pad_width: Any) -> Any:
    width = rank(x.value.type)
    if width is None:
        raise NoRule(pad, "x", "the number of axes is not known")
    pairs = _pairs(pad_width, width)
    return ops.getitem(ct, index=tuple(SliceItem(a or None, -b if b else None) for a, b in pairs))


pad = linear(
    np.pad, "x, pad_width", operands="x", infer=_padded_type,
    x=_pad_bar,
)  # fmt: skip

# ---------------------------------------------------------------------------- diagonals and triangles


def _length_of_diagonal(shape: tuple[Dim, ...], offset: int) -> Dim:
    rows, columns = shape
    if rows.symbol is None and columns.symbol is None:
        rows_left = rows.offset - builtins.max(-offset, 0)
        return dim_of(builtins.max(builtins.min(rows_left, columns.offset - builtins.max(offset, 0)), 0))
    if rows == columns and rows.offset <= 0:
        return Dim(rows.symbol, rows.offset - abs(offset))
    return rows if rows == columns and offset == 0 else Dim(derived("diagonal", rows, columns, offset))


def _diag_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, k = tensor(types[0]).shape, attributes.get("k", 0)
    if isinstance(shape, Symbol) or not 1 <= len(shape) <= 2:
        return _with_shape(types, derived("diag", k, shape))
    if len(shape) == 2:
        return _with_shape(types, (_length_of_diagonal(shape, k),))
    side = _total([shape[0], dim_of(abs(k))]) if k else shape[0]
    return _with_shape(types, (side, side))


def _diagonal_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, offset = tensor(types[0]).shape, attributes.get("offset", 0)
    if isinstance(shape, Symbol) or len(shape) != 2:
        return _with_shape(types, derived("diagonal", offset, shape))
    return _with_shape(types, (_length_of_diagonal(shape, offset),))


diag = linear(
    np.diag, "x, k=0", operands="x", infer=_diag_type,
    x=lambda ct, x, k: diag(ct, k=k) if rank(x.value.type) == 1 else diag_bar(ct, x, k=k),
)  # fmt: skip
diag_bar = linear(
    runtime._diag_bar, "y, x, *, k=0", operands="y, x", infer=_like_second, helper=True, shape_only=("x",),
    y=lambda ct, k: diag(ct, k=k),
    x=None,
)  # fmt: skip
diagonal = linear(
    np.diagonal, "x, offset=0", operands="x", infer=_diagonal_type, methods=("diagonal",), views=True, readonly=True,
    x=lambda ct, x, offset: diagonal_bar(ct, x, offset=offset),
)  # fmt: skip
diagonal_bar = linear(
    runtime._diagonal_bar, "y, x, *, offset=0", operands="y, x", infer=_like_second, helper=True, shape_only=("x",),
    y=lambda ct, offset: diagonal(ct, offset=offset),
    x=None,
)  # fmt: skip


def _trace_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = tensor(types[0]).shape
    rest = derived("trace", shape) if isinstance(shape, Symbol) else shape[2:]
    return _with_shape(types, rest)


trace = linear(
    np.trace, "x, offset=0", operands="x", infer=_trace_type, methods=("trace",),
    x=lambda ct, x, offset: trace_bar(ct, x, offset=offset),
)  # fmt: skip
trace_bar = linear(
    runtime._trace_bar, "y, x, *, offset=0", operands="y, x", infer=_like_second, helper=True, shape_only=("x",),
    y=lambda ct, offset: trace(ct, offset=offset),
    x=None,
)  # fmt: skip


def _triangle_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """NumPy makes a matrix of a vector; where the rank is not surely two or more, nothing is known."""
    width = rank(types[0])
    return tensor(types[0]) if width is not None and width >= 2 else _with_shape(types, Symbol())


triu = linear(np.triu, "x, k=0", operands="x", infer=_triangle_type, x=lambda ct, x, k: undo(triu(ct, k=k), x))
tril = linear(np.tril, "x, k=0", operands="x", infer=_triangle_type, x=lambda ct, x, k: undo(tril(ct, k=k), x))
