"""Joining arrays: the transpose of each is the part of the cotangent that came from one operand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.types import Dim, Shape, Symbol, Tensor, Type, promote, rank
from ad_compiler.primitives.declare import linear, ops
from ad_compiler.primitives.rules import NoRule
from ad_compiler.primitives.shapes import along, dim_of, tensor, total_length
from ad_compiler.primitives.shaping import atleast_2d, atleast_type, reshape_back


def _joined(tensors: Sequence[Tensor], axis: int) -> Shape:
    shapes = [type.shape for type in tensors if isinstance(type.shape, tuple)]
    if len(shapes) < len(tensors):
        return Symbol()
    width = len(shapes[0])
    k = axis % width if width else 0
    dims = [_common([shape[j] for shape in shapes]) for j in range(width)]
    if width:
        dims[k] = total_length([shape[k] for shape in shapes])
    return tuple(dims)


def _common(dims: Sequence[Dim]) -> Dim:
    """They must all be equal at run time: the best known of them."""
    return next((dim for dim in dims if dim.symbol is None), dims[0])


def _concatenate_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    tensors = [tensor(type) for type in types]
    axis = attributes.get("axis", 0)
    shape = (Dim(Symbol()),) if axis is None else _joined(tensors, axis)
    return Tensor(promote(*[type.dtype for type in tensors]), shape)


def _part(ct: Any, xs: tuple[Any, ...], position: int, axis: int, length: Any = None) -> Any:
    """The part of `ct` that came from `xs[position]`."""
    length = length or (lambda x: ops.dim(x, axis=axis))
    start = stop = None
    if position:
        start = _sum_of([_length(x, axis, length) for x in xs[:position]])
    if position < len(xs) - 1:
        here = _length(xs[position], axis, length)
        stop = here if start is None else _sum_of([start, here])
    slots: list[Any] = []
    bounds: list[Any] = []
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
        return reshape_back(_part(ct, flat, position, 0), xs[position])
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
        raised = [atleast_type(least)([type], {}) for type in types]
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
    return reshape_back(_part(ct, row, position, 0), xs[position])


hstack = linear(
    lambda *xs: np.hstack(xs), "xs", operands="*xs", name="hstack", infer=_stacked_type(1, 1), also=(np.hstack,),
    xs=_hstack_bar,
)  # fmt: skip
vstack = linear(
    lambda *xs: np.vstack(xs), "xs", operands="*xs", name="vstack", infer=_stacked_type(2, 0), also=(np.vstack,),
    xs=_vstack_bar,
)  # fmt: skip
