"""Type rules that many primitives share: from the operands' types and the attributes to the results' types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.types import (
    ONE,
    UNKNOWN_DTYPE,
    Dim,
    Shape,
    Symbol,
    Tensor,
    Type,
    broadcast,
    derived,
    promote,
    unknown,
)


def tensor(type: Type) -> Tensor:
    """The operand as a tensor; anything else counts as one of which nothing is known."""
    return type if isinstance(type, Tensor) else unknown()


def same(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """The type of the first operand."""
    return types[0]


def arithmetic(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """Broadcast shapes; the promoted dtype."""
    tensors = [tensor(type) for type in types]
    return Tensor(weak_promote(tensors), broadcast(*[type.shape for type in tensors]))


def inexact(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """Broadcast shapes; integers become float64, as in `np.sin` and `/`."""
    result = arithmetic(types, attributes)
    assert isinstance(result, Tensor)
    return result if result.dtype in ("f32", "c64", "c128") else Tensor("f64", result.shape)


def boolean(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """Broadcast shapes of booleans, as in a comparison."""
    return Tensor("bool", broadcast(*[tensor(type).shape for type in types]))


def integer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor("i64", ())


def weak_promote(tensors: Sequence[Tensor]) -> str:
    """Scalars give way to arrays of the same kind: `2.0 * float32_array` is float32."""
    arrays = [type.dtype for type in tensors if type.shape != ()]
    everything = promote(*[type.dtype for type in tensors])
    if not arrays or everything == UNKNOWN_DTYPE:
        return everything
    from_arrays = promote(*arrays)
    kind = {"bool": "b", "f32": "f", "f64": "f", "c64": "c", "c128": "c"}
    return from_arrays if kind.get(from_arrays) == kind.get(everything) else everything


def normal_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """`axis` as NumPy takes it (None, a number, a tuple, negative ones) as sorted non-negative numbers."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(one % rank for one in axes))


def reduced_shape(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    if axis is None and not keepdims:
        return ()
    if isinstance(shape, Symbol):
        return Symbol()
    axes = normal_axes(axis, len(shape)) if shape else ()
    if keepdims:
        return tuple(ONE if k in axes else dim for k, dim in enumerate(shape))
    return tuple(dim for k, dim in enumerate(shape) if k not in axes)


def reduction(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """The shape without `axis`; the dtype stays (a bool counts as an integer)."""
    operand = tensor(types[0])
    dtype = "i64" if operand.dtype == "bool" else operand.dtype
    return Tensor(dtype, reduced_shape(operand.shape, attributes.get("axis"), attributes.get("keepdims", False)))


def dtype_code(dtype: Any) -> str:
    """Our short name of a NumPy dtype, given as NumPy takes it: `float`, `"float32"`, `np.int64`, None."""
    if isinstance(dtype, str) and dtype in _CODES.values():
        return dtype
    try:
        return _CODES.get(np.dtype(dtype).name, UNKNOWN_DTYPE)
    except TypeError:
        return UNKNOWN_DTYPE


_CODES = {
    "float32": "f32", "float64": "f64", "complex64": "c64", "complex128": "c128", "bool": "bool",
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
}  # fmt: skip


def fresh(rank: int | None) -> Shape:
    """A shape of which only the rank is known, or not even that."""
    return Symbol() if rank is None else tuple(Dim(Symbol()) for _ in range(rank))


def dim_of(length: int) -> Dim:
    """The `Dim` of a length known when compiling."""
    return ONE if length == 1 else Dim(None, length)


def wanted_shape(shape: Any) -> Shape:
    """The shape that a `shape` attribute asks for: numbers are known, slots are not."""
    items = shape if isinstance(shape, tuple | list) else (shape,)
    return tuple(dim_of(item) if isinstance(item, int) and item >= 0 else Dim(Symbol()) for item in items)


def filled(attribute: Any, slots: Sequence[Any]) -> Any:
    """A `shape` attribute with its slots replaced by the numbers that stand there."""
    if isinstance(attribute, tuple | list):
        return tuple(filled(item, slots) for item in attribute)
    return int(slots[attribute.position]) if isinstance(attribute, Slot) else attribute


def with_shape(types: Sequence[Type], shape: Shape) -> Tensor:
    return Tensor(tensor(types[0]).dtype, shape)


def like_second(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """The dtype of the first operand in the shape of the second."""
    return Tensor(tensor(types[0]).dtype, tensor(types[1]).shape)


def total_length(dims: Sequence[Dim]) -> Dim:
    """The sum of lengths, where at most one of them is unknown (and not one cut short at 0)."""
    unknown = [dim for dim in dims if dim.symbol is not None]
    number = sum(dim.offset for dim in dims if dim.symbol is None)
    if not unknown:
        return dim_of(number)
    if len(unknown) == 1 and (unknown[0].offset >= 0 or number == 0):
        return Dim(unknown[0].symbol, unknown[0].offset + number)
    return Dim(derived("total", tuple(dims)))


def along(axis: int, item: Any) -> tuple[Any, ...]:
    """The index that has `item` at `axis` and takes the other axes whole."""
    if axis >= 0:
        return (SliceItem(),) * axis + (item,)
    return (Ellipsis, item) + (SliceItem(),) * (-axis - 1)
