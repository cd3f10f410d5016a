"""Repeating, padding, diagonals and triangles: linear, each with its transpose."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem
from ad_compiler.ir.types import ONE, Dim, Symbol, Type, derived, rank
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast
from ad_compiler.primitives.declare import linear, ops
from ad_compiler.primitives.rules import NoRule
from ad_compiler.primitives.shapes import dim_of, like_second, tensor, total_length, with_shape

# ---------------------------------------------------------------------------- repetition


def _tiled_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, reps = tensor(types[0]).shape, attributes["reps"]
    reps = reps if isinstance(reps, tuple) else (reps,)
    if isinstance(shape, Symbol):
        return with_shape(types, derived("tile", reps, shape))
    width = builtins.max(len(shape), len(reps))
    reps, shape = (1,) * (width - len(reps)) + reps, (ONE,) * (width - len(shape)) + shape
    return with_shape(types, tuple(_scaled(dim, times) for dim, times in zip(shape, reps, strict=True)))


def _scaled(dim: Dim, times: int) -> Dim:
    if dim.symbol is None:
        return dim_of(dim.offset * times)
    return dim if times == 1 else Dim(derived("times", dim, times))


tile = linear(
    np.tile, "x, reps", operands="x", infer=_tiled_type,
    x=lambda ct, x, reps: tile_bar(ct, x, reps=reps),
)  # fmt: skip
tile_bar = linear(
    runtime._tile_bar, "y, x, *, reps", operands="y, x", infer=like_second, helper=True, shape_only=("x",),
    y=lambda ct, reps: tile(ct, reps=reps),
    x=None,
)  # fmt: skip


def _repeated_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, repeats, axis = tensor(types[0]).shape, attributes["repeats"], attributes.get("axis")
    if axis is None:
        shape = shape if rank(types[0]) == 1 else (Dim(derived("size", shape)),)
    if isinstance(shape, Symbol):
        return with_shape(types, derived("repeat", repeats, axis, shape))
    place = (axis or 0) % len(shape)
    dims = [_scaled(dim, repeats) if k == place else dim for k, dim in enumerate(shape)]
    return with_shape(types, tuple(dims))


repeat = linear(
    np.repeat, "x, repeats, axis=None", operands="x", infer=_repeated_type, methods=("repeat",),
    x=lambda ct, x, repeats, axis: repeat_bar(ct, x, repeats=repeats, axis=axis),
)  # fmt: skip
repeat_bar = linear(
    runtime._repeat_bar, "y, x, *, repeats, axis=None", operands="y, x", infer=like_second, helper=True,
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
        return with_shape(types, derived("pad", width, shape))
    pairs = _pairs(width, len(shape))
    lengths = [total_length([dim, dim_of(a + b)]) for dim, (a, b) in zip(shape, pairs, strict=True)]
    return with_shape(types, tuple(lengths))


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
        return with_shape(types, derived("diag", k, shape))
    if len(shape) == 2:
        return with_shape(types, (_length_of_diagonal(shape, k),))
    side = total_length([shape[0], dim_of(abs(k))]) if k else shape[0]
    return with_shape(types, (side, side))


def _diagonal_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape, offset = tensor(types[0]).shape, attributes.get("offset", 0)
    if isinstance(shape, Symbol) or len(shape) != 2:
        return with_shape(types, derived("diagonal", offset, shape))
    return with_shape(types, (_length_of_diagonal(shape, offset),))


def _is_matrix(types: Sequence[Type], attributes: dict[str, Any]) -> bool:
    """Of a matrix NumPy gives a view of the diagonal."""
    return rank(types[0]) != 1


diag = linear(
    np.diag, "x, k=0", operands="x", infer=_diag_type, views=_is_matrix, readonly=_is_matrix,
    x=lambda ct, x, k: diag(ct, k=k) if rank(x.value.type) == 1 else diag_bar(ct, x, k=k),
)  # fmt: skip
diag_bar = linear(
    runtime._diag_bar, "y, x, *, k=0", operands="y, x", infer=like_second, helper=True, shape_only=("x",),
    y=lambda ct, k: diag(ct, k=k),
    x=None,
)  # fmt: skip
diagonal = linear(
    np.diagonal, "x, offset=0", operands="x", infer=_diagonal_type, methods=("diagonal",), views=True, readonly=True,
    x=lambda ct, x, offset: diagonal_bar(ct, x, offset=offset),
)  # fmt: skip
diagonal_bar = linear(
    runtime._diagonal_bar, "y, x, *, offset=0", operands="y, x", infer=like_second, helper=True, shape_only=("x",),
    y=lambda ct, offset: diagonal(ct, offset=offset),
    x=None,
)  # fmt: skip


def _trace_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = tensor(types[0]).shape
    rest = derived("trace", shape) if isinstance(shape, Symbol) else shape[2:]
    return with_shape(types, rest)


trace = linear(
    np.trace, "x, offset=0", operands="x", infer=_trace_type, methods=("trace",),
    x=lambda ct, x, offset: trace_bar(ct, x, offset=offset),
)  # fmt: skip
trace_bar = linear(
    runtime._trace_bar, "y, x, *, offset=0", operands="y, x", infer=like_second, helper=True, shape_only=("x",),
    y=lambda ct, offset: trace(ct, offset=offset),
    x=None,
)  # fmt: skip


def _triangle_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """NumPy makes a matrix of a vector; where the rank is not surely two or more, nothing is known."""
    width = rank(types[0])
    return tensor(types[0]) if width is not None and width >= 2 else with_shape(types, Symbol())


triu = linear(np.triu, "x, k=0", operands="x", infer=_triangle_type, x=lambda ct, x, k: unbroadcast(triu(ct, k=k), x))
tril = linear(np.tril, "x, k=0", operands="x", infer=_triangle_type, x=lambda ct, x, k: unbroadcast(tril(ct, k=k), x))
