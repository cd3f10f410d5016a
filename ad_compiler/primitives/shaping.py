"""Other arrangements of the same elements: all linear, with transposes among themselves."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.types import ONE, Dim, Symbol, Tensor, Type, derived, rank
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast as undo
from ad_compiler.primitives.declare import constant, linear
from ad_compiler.primitives.shapes import filled, fresh, like_second, normal_axes, tensor, wanted_shape, with_shape


def _int(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor("i64", ())


# ---------------------------------------------------------------------------- broadcasting

unbroadcast = linear(
    runtime._unbroadcast, "y, x", infer=like_second, helper=True, shape_only=("x",), views=True,
    y=lambda ct, y: broadcast_like(ct, y),
    x=None,
)  # fmt: skip
broadcast_like = linear(
    lambda y, x: np.broadcast_to(y, np.shape(x))[()], "y, x", name="broadcast_like", infer=like_second,
    emit="np.broadcast_to(y, np.shape(x))", shape_only=("x",), views=True, readonly=True,
    y=lambda ct, y: undo(ct, y),
    x=None,
)  # fmt: skip


def _broadcast_to_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return with_shape(types, wanted_shape(attributes["shape"]))


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
    return with_shape(types, wanted_shape(attributes["shape"]))


def _ravel_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = tensor(types[0]).shape
    return with_shape(types, shape if rank(types[0]) == 1 else (Dim(derived("size", shape)),))


def reshape_back(ct: Any, x: Any) -> Any:
    return ct if ct.value.type.shape == x.value.type.shape else reshape_like(ct, x)


reshape = linear(
    lambda x, *slots, shape: np.reshape(x, filled(shape, slots)), "x, shape", operands="x, *slots", name="reshape",
    infer=_reshape_type, also=(np.reshape,), methods=("reshape",), views=True,
    x=reshape_back,
    slots=None,
)  # fmt: skip
reshape_like = linear(
    lambda y, x: np.reshape(y, np.shape(x))[()], "y, x", name="reshape_like", infer=like_second,
    emit="np.reshape(y, np.shape(x))", shape_only=("x",), views=True,
    y=lambda ct, y: reshape_back(ct, y),
    x=None,
)  # fmt: skip
ravel = linear(
    np.ravel, "x", infer=_ravel_type, methods=("ravel",), views=True,
    x=reshape_back,
)  # fmt: skip
flatten = linear(
    lambda x: np.ravel(x).copy(), "x", name="flatten", infer=_ravel_type, methods=("flatten",),
    emit="np.ravel(x).copy()",
    x=reshape_back,
)  # fmt: skip


def _expanded_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axis = tensor(types[0]).shape, attributes["axis"]
    axes = axis if isinstance(axis, tuple) else (axis,)
    if isinstance(shape, Symbol):
        return with_shape(types, derived("expand_dims", shape, axes))
    width = len(shape) + len(axes)
    places = normal_axes(axes, width)
    rest = iter(shape)
    return with_shape(types, tuple(ONE if k in places else next(rest) for k in range(width)))


def _squeezed_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axis = tensor(types[0]).shape, attributes.get("axis")
    if isinstance(shape, Symbol) or axis is None:
        if isinstance(shape, tuple) and builtins.all(dim.symbol is None for dim in shape):
            return with_shape(types, tuple(dim for dim in shape if dim != ONE))
        return with_shape(types, derived("squeeze", shape, axis))
    places = normal_axes(axis, len(shape))
    return with_shape(types, tuple(dim for k, dim in enumerate(shape) if k not in places))


expand_dims = linear(
    np.expand_dims, "x, axis", operands="x", infer=_expanded_type, views=True,
    x=lambda ct, axis: squeeze(ct, axis=axis),
)  # fmt: skip
squeeze = linear(
    np.squeeze, "x, axis=None", operands="x", infer=_squeezed_type, methods=("squeeze",), views=True,
    x=lambda ct, x, axis: reshape_like(ct, x) if axis is None else expand_dims(ct, axis=axis),
)  # fmt: skip


def atleast_type(width: int) -> Any:
    def infer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
        shape = tensor(types[0]).shape
        if isinstance(shape, Symbol):
            return with_shape(types, derived("atleast", width, shape))
        return with_shape(types, (ONE,) * (width - len(shape)) + shape)

    return infer


atleast_1d = linear(np.atleast_1d, "x", infer=atleast_type(1), views=True, x=reshape_back)
atleast_2d = linear(np.atleast_2d, "x", infer=atleast_type(2), views=True, x=reshape_back)

# ---------------------------------------------------------------------------- permutations


def _permutation(axes: Any, width: int) -> tuple[int, ...]:
    return tuple(range(width))[::-1] if axes is None else tuple(axis % width for axis in axes)


def _transposed_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, axes = tensor(types[0]).shape, attributes.get("axes")
    if isinstance(shape, Symbol):
        return with_shape(types, fresh(len(axes)) if axes is not None else derived("transpose", shape))
    return with_shape(types, tuple(shape[k] for k in _permutation(axes, len(shape))))


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
        return with_shape(types, derived(*key, shape))
    order = move(np.empty(tuple(range(2, 2 + len(shape))))).shape
    return with_shape(types, tuple(shape[length - 2] for length in order))


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
