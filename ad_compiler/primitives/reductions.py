"""Reductions and scans, and `spread`, the transpose of `sum`.

Attributes are NumPy's: `axis` is None, a number or a tuple; `keepdims`.  Ties of `max` and `min` share equally;
`norm` and `std` have slope 0 where they are 0; `prod` and `cumprod` are right where elements are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.types import FLOATS, Tensor, Type, rank
from ad_compiler.primitives import runtime
from ad_compiler.primitives.declare import constant, general, linear, ops
from ad_compiler.primitives.shapes import reduction, tensor

AXES = "x, axis=None, *, keepdims=False"


def _mean_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    result = reduction(types, attributes)
    assert isinstance(result, Tensor)
    return result if result.dtype in ("f32", "c64", "c128") else Tensor("f64", result.shape)


def _bool_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    result = reduction(types, attributes)
    assert isinstance(result, Tensor)
    return Tensor("bool", result.shape)


def _position_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    result = reduction(types, attributes)
    assert isinstance(result, Tensor)
    return Tensor("i64", result.shape)


def _sum_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """As `reduction`, but integers are added in 64 bits."""
    result = reduction(types, attributes)
    assert isinstance(result, Tensor)
    return Tensor("i64", result.shape) if result.dtype in ("i8", "i16", "i32") else result


# ---------------------------------------------------------------------------- sum and its transpose


def _fills(types: Sequence[Type], attributes: dict[str, Any]) -> bool:
    """Whether it is one number for all of an array of floats: that takes on the dtype of the array."""
    everywhere = attributes.get("axis") is None and not attributes.get("keepdims", False)
    return everywhere and tensor(types[1]).dtype in FLOATS


def _spread_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    y, x = tensor(types[0]), tensor(types[1])
    return Tensor(x.dtype if _fills(types, attributes) and y.dtype in FLOATS else y.dtype, x.shape)


def _spread_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    axis, keepdims = attributes.get("axis"), attributes.get("keepdims", False)
    if axis is None and not keepdims:
        return "np.full_like(x, y)" if _fills(types, attributes) else "np.broadcast_to(y, np.shape(x))"
    return f"np.broadcast_to({'y' if keepdims else 'np.expand_dims(y, axis)'}, np.shape(x))"


def _is_broadcast(types: Sequence[Type], attributes: dict[str, Any]) -> bool:
    return not _fills(types, attributes)


def _spread(y: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is not None and not keepdims:
        y = np.expand_dims(y, axis)
    if axis is None and not keepdims and isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.full_like(x, y)
    return np.broadcast_to(y, np.shape(x))[()]


sum = linear(
    np.sum, AXES, operands="x", infer=_sum_type, methods=("sum",),
    x=lambda ct, x, axis, keepdims: spread(ct, x, axis=axis, keepdims=keepdims),
)  # fmt: skip
spread = linear(
    _spread, "y, x, axis=None, *, keepdims=False", operands="y, x", infer=_spread_type, emit=_spread_text,
    shape_only=("x",), views=_is_broadcast, readonly=_is_broadcast,
    y=lambda ct, axis, keepdims: sum(ct, axis=axis, keepdims=keepdims),
    x=None,
)  # fmt: skip


def _count(x: Any, *, axis: Any = None) -> int:
    shape = np.shape(x)
    axes = range(len(shape)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    return int(np.prod([shape[k] for k in axes], dtype=int))


def _count_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    axis = attributes.get("axis")
    dims = rank(types[0])
    if axis is None:
        return "x.size" if dims else "np.size(x)"
    axes = axis if isinstance(axis, tuple) else (axis,)
    shape = "x.shape" if dims else "np.shape(x)"
    return " * ".join(f"{shape}[{one}]" for one in axes) or "1"


def _int(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor("i64", ())


count = constant(
    _count, "x, axis=None", operands="x", name="count", infer=_int, emit=_count_text, shape_only=("x",)
)
mean = linear(
    np.mean, AXES, operands="x", infer=_mean_type, methods=("mean",),
    x=lambda ct, x, axis, keepdims: spread(ct / count(x, axis=axis), x, axis=axis, keepdims=keepdims),
)  # fmt: skip

# ---------------------------------------------------------------------------- products


def _keep(value: Any, axis: Any, keepdims: bool) -> Any:
    """A reduced value with its reduced axes back, as length 1, so that it broadcasts against the operand."""
    if keepdims or axis is None:
        return value
    return ops.expand_dims(value, axis=axis)


def _prod_bar(ct: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(axis, tuple):
        if not axis:
            return ct
        first, rest = axis[0], axis[1:]
        inner = prod(x, axis=first, keepdims=True)
        outer_ct = ct if keepdims else ops.expand_dims(ct, axis=axis)
        return _prod_bar(_prod_bar(outer_ct, inner, rest, True), x, first, True)
    return _keep(ct, axis, keepdims) * prod_others(x, axis=axis)


def _prod_dot(x: Any, x_dot: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(axis, tuple):
        for one in axis:
            x, x_dot = prod(x, axis=one, keepdims=True), _prod_dot(x, x_dot, one, True)
        return x_dot if keepdims else ops.squeeze(x_dot, axis=axis)
    return sum(x_dot * prod_others(x, axis=axis), axis=axis, keepdims=keepdims)


prod = general(
    np.prod, AXES, operands="x", infer=_sum_type, methods=("prod",),
    x=_prod_bar,
    jvp=_prod_dot,
)  # fmt: skip


def _same_shape(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return tensor(types[0])


def _last_axis(x: Any, axis: int | None) -> Any:
    """`x` with the axis last; all of it as one axis for None."""
    return ops.ravel(x) if axis is None else ops.moveaxis(x, source=axis, destination=-1)


def _from_last_axis(y: Any, x: Any, axis: int | None) -> Any:
    return ops.reshape_like(y, x) if axis is None else ops.moveaxis(y, source=-1, destination=axis)


def _without_own(x: Any) -> tuple[Any, Any]:
    """The mask of the diagonal, and rows of `x` in each of which one element is replaced by 1."""
    own = ops.eye(ops.dim(x, axis=-1)).equals(1.0)
    return own, ops.where(own, 1.0, ops.expand_dims(x, axis=-2))


def _prod_others_bar(ct: Any, x: Any, axis: Any) -> Any:
    moved, moved_ct = _last_axis(x, axis), _last_axis(ct, axis)
    own, rows = _without_own(moved)
    terms = ops.expand_dims(moved_ct, axis=-1) * prod_others(rows, axis=-1)
    return _from_last_axis(sum(ops.where(own, 0.0, terms), axis=-2), x, axis)


def _prod_others_dot(x: Any, x_dot: Any, axis: Any) -> Any:
    moved, moved_dot = _last_axis(x, axis), _last_axis(x_dot, axis)
    own, rows = _without_own(moved)
    terms = ops.expand_dims(moved_dot, axis=-2) * prod_others(rows, axis=-1)
    return _from_last_axis(sum(ops.where(own, 0.0, terms), axis=-1), x, axis)


prod_others = general(
    runtime._prod_others, "x, axis=None", operands="x", infer=_same_shape, helper=True,
    x=_prod_others_bar,
    jvp=_prod_others_dot,
)  # fmt: skip

# ---------------------------------------------------------------------------- extremes


def in_precision_of(value: Any, like: Any) -> Any:
    """An integer or a float64, cast where it would make float64 of a float32 array."""
    return ops.astype(value, dtype=np.float32) if like.value.type.dtype == "f32" else value


def hits(hit: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements a mask over `x` holds."""
    return in_precision_of(sum(hit, axis=axis, keepdims=keepdims), x)


def _extreme_bar(ct: Any, x: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    hit = x.equals(_keep(out, axis, keepdims))
    share = _keep(ct, axis, keepdims) / hits(hit, x, axis, axis is not None or keepdims)
    return ops.where(hit, share, 0.0)


def _extreme_dot(x: Any, x_dot: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    hit = x.equals(_keep(out, axis, keepdims))
    total = sum(ops.where(hit, x_dot, 0.0), axis=axis, keepdims=keepdims)
    return total / hits(hit, x, axis, keepdims)


max = general(
    np.max, AXES, operands="x", infer=reduction, methods=("max",), also=(np.amax,), x=_extreme_bar, jvp=_extreme_dot
)
min = general(
    np.min, AXES, operands="x", infer=reduction, methods=("min",), also=(np.amin,), x=_extreme_bar, jvp=_extreme_dot
)

# ---------------------------------------------------------------------------- spread of values

MOMENT = "x, axis=None, *, ddof=0, keepdims=False"


def _centred(x: Any, axis: Any, ddof: Any) -> tuple[Any, Any]:
    """x - mean, and the number that `var` divides by."""
    number = count(x, axis=axis)
    return x - mean(x, axis=axis, keepdims=axis is not None), number if ddof == 0 else number - ddof


def _var_bar(ct: Any, x: Any, axis: Any, ddof: Any, keepdims: bool) -> Any:
    centred, number = _centred(x, axis, ddof)
    return _keep(2.0 * ct / number, axis, keepdims) * centred


def _var_dot(x: Any, x_dot: Any, axis: Any, ddof: Any, keepdims: bool) -> Any:
    centred, number = _centred(x, axis, ddof)
    return 2.0 * sum(centred * x_dot, axis=axis, keepdims=keepdims) / number


def _std_bar(ct: Any, x: Any, out: Any, axis: Any, ddof: Any, keepdims: bool) -> Any:
    centred, number = _centred(x, axis, ddof)
    return _keep(ct / (number * _nonzero(out)), axis, keepdims) * centred


def _std_dot(x: Any, x_dot: Any, out: Any, axis: Any, ddof: Any, keepdims: bool) -> Any:
    centred, number = _centred(x, axis, ddof)
    return sum(centred * x_dot, axis=axis, keepdims=keepdims) / (number * _nonzero(out))


def _nonzero(out: Any) -> Any:
    return ops.where(out.equals(0.0), 1.0, out)


var = general(np.var, MOMENT, operands="x", infer=_mean_type, methods=("var",), x=_var_bar, jvp=_var_dot)
std = general(np.std, MOMENT, operands="x", infer=_mean_type, methods=("std",), x=_std_bar, jvp=_std_dot)

# ---------------------------------------------------------------------------- data: booleans and positions

any = constant(np.any, AXES, operands="x", infer=_bool_type, methods=("any",))
all = constant(np.all, AXES, operands="x", infer=_bool_type, methods=("all",))
argmax = constant(np.argmax, AXES, operands="x", infer=_position_type, methods=("argmax",))
argmin = constant(np.argmin, AXES, operands="x", infer=_position_type, methods=("argmin",))
count_nonzero = constant(np.count_nonzero, AXES, operands="x", infer=_position_type)

# ---------------------------------------------------------------------------- scans


def _scan_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    from ad_compiler.ir.types import Dim, derived

    operand = tensor(types[0])
    dtype = "i64" if operand.dtype in ("bool", "i8", "i16", "i32") else operand.dtype
    if attributes.get("axis") is None and rank(operand) != 1:
        return Tensor(dtype, (Dim(derived("size", operand.shape)),))
    return Tensor(dtype, operand.shape)


def _cumsum_bar(ct: Any, x: Any, axis: Any) -> Any:
    along = 0 if axis is None else axis
    total = ops.flip(cumsum(ops.flip(ct, axis=along), axis=along), axis=along)
    return total if axis is not None or rank(x.value.type) == 1 else ops.reshape_like(total, x)


cumsum = linear(np.cumsum, "x, axis=None", operands="x", infer=_scan_type, methods=("cumsum",), x=_cumsum_bar)


def _flattened(bar: Any) -> Any:
    """`cumprod` over None goes over the flattened operand."""

    def rule(ct: Any, x: Any, axis: Any) -> Any:
        if axis is None:
            flat = ops.ravel(x)
            return ops.reshape_like(bar(ct, flat, axis=0), x)
        return bar(ct, x, axis=axis)

    return rule


def _cumprod_dot(x: Any, x_dot: Any, axis: Any) -> Any:
    if axis is None:
        return cumprod_dot(ops.ravel(x_dot), ops.ravel(x), axis=0)
    return cumprod_dot(x_dot, x, axis=axis)


cumprod = general(
    np.cumprod, "x, axis=None", operands="x", infer=_scan_type, methods=("cumprod",),
    x=_flattened(lambda ct, x, axis: cumprod_bar(ct, x, axis=axis)),
    jvp=_cumprod_dot,
)  # fmt: skip


def _prefixes(x: Any) -> tuple[Any, Any]:
    """Row i holds x_0 … x_i and then ones; and the mask of what it holds."""
    length = ops.dim(x, axis=-1)
    held = ops.tril(ops.ones(length, length, shape=_SQUARE, dtype=None)).equals(1.0)
    return held, ops.where(held, ops.expand_dims(x, axis=-2), 1.0)


def _cumprod_mixed(t: Any, ct: Any, x: Any, axis: int) -> Any:
    """The derivative with respect to x of <ct, cumprod_dot(t, x)>, for both directions of it."""
    t, ct, moved = (_last_axis(one, axis) for one in (t, ct, x))
    held, rows = _prefixes(moved)
    moving = ops.where(held, ops.expand_dims(t, axis=-2), 0.0)
    weighted = ops.expand_dims(ct, axis=-1) * _prod_others_bar(moving, rows, -1)
    return _from_last_axis(sum(ops.where(held, weighted, 0.0), axis=-2), x, axis)


def _square() -> tuple[Any, ...]:
    from ad_compiler.ir.core import Slot

    return (Slot(0), Slot(1))


_SQUARE = _square()


def _scan_product_dot(own: str, other: str) -> Any:
    def rule(y: Any, x: Any, y_dot: Any, x_dot: Any, axis: int) -> Any:
        total = None if y_dot is None else getattr(ops, own)(y_dot, x, axis=axis)
        if x_dot is None:
            return total
        second = _cumprod_second(y, x, x_dot, axis, own == "cumprod_bar")
        return second if total is None else total + second

    return rule


def _cumprod_second(y: Any, x: Any, x_dot: Any, axis: int, is_bar: bool) -> Any:
    """The tangent of cumprod_dot(y, x) or cumprod_bar(y, x) as x moves by x_dot."""
    if is_bar:
        return _cumprod_mixed(x_dot, y, x, axis)
    y, x_dot, moved = (_last_axis(one, axis) for one in (y, x_dot, x))
    held, rows = _prefixes(moved)
    spread_y = ops.where(held, ops.expand_dims(y, axis=-2), 0.0)
    moved_second = _prod_others_bar(spread_y, rows, -1)
    return _from_last_axis(sum(ops.where(held, moved_second * ops.expand_dims(x_dot, axis=-2), 0.0), axis=-1), x, axis)


cumprod_bar = general(
    runtime._cumprod_bar, "y, x, *, axis", operands="y, x", infer=_same_shape, helper=True,
    y=lambda ct, x, axis: cumprod_dot(ct, x, axis=axis),
    x=lambda ct, y, x, axis: _cumprod_mixed(ct, y, x, axis),
    jvp=_scan_product_dot("cumprod_bar", "cumprod_dot"),
)  # fmt: skip
cumprod_dot = general(
    runtime._cumprod_dot, "y, x, *, axis", operands="y, x", infer=_same_shape, helper=True,
    y=lambda ct, x, axis: cumprod_bar(ct, x, axis=axis),
    x=lambda ct, y, x, axis: _cumprod_mixed(y, ct, x, axis),
    jvp=_scan_product_dot("cumprod_dot", "cumprod_bar"),
)  # fmt: skip
