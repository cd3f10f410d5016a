"""Functions that are a formula of others: said once, and the type and both derivatives follow.

The program still calls the NumPy function; the formula is what its derivative differentiates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.types import Symbol, Tensor, Type, rank
from ad_compiler.primitives.declare import composite, constant, ops
from ad_compiler.primitives.reductions import hits
from ad_compiler.primitives.rules import NoRule
from ad_compiler.primitives.shapes import along, tensor

AXES = "x, axis=None, *, keepdims=False"


def _rank(x: Any, primitive: str) -> int:
    """The number of axes, which the formula needs to know."""
    width = rank(x.value.type)
    if width is None:
        raise NoRule(getattr(ops, primitive), "x", "the number of its axes is not known")
    return width


# ---------------------------------------------------------------------------- differences and averages


def _diff(x: Any, n: int, axis: int) -> Any:
    for _ in range(n):
        after = ops.getitem(x, index=along(axis, SliceItem(1, None)))
        before = ops.getitem(x, index=along(axis, SliceItem(None, -1)))
        x = after - before
    return x


def _average(x: Any, axis: Any, weights: Any) -> Any:
    if weights is None:
        return ops.mean(x, axis=axis)
    if isinstance(axis, int) and rank(weights.value.type) == 1 and rank(x.value.type) != 1:
        places = tuple(k for k in range(_rank(x, "average")) if k != axis % _rank(x, "average"))
        weights = ops.expand_dims(weights, axis=places)
    return ops.sum(x * weights, axis=axis) / ops.sum(weights * ops.ones_like(x), axis=axis)


def _trapezoid(y: Any, x: Any, dx: Any, axis: int) -> Any:
    after = ops.getitem(y, index=along(axis, SliceItem(1, None)))
    before = ops.getitem(y, index=along(axis, SliceItem(None, -1)))
    if x is None:
        return ops.sum(0.5 * dx * (after + before), axis=axis)
    steps = _diff(x, 1, -1)
    if rank(y.value.type) != 1 and rank(x.value.type) == 1:
        width = _rank(y, "trapezoid")
        steps = ops.expand_dims(steps, axis=tuple(k for k in range(width) if k != axis % width))
    return ops.sum(0.5 * steps * (after + before), axis=axis)


diff = composite(np.diff, "x, n=1, axis=-1", _diff, operands="x")
ptp = composite(
    np.ptp, AXES, operands="x",
    definition=lambda x, axis, keepdims: ops.max(x, axis=axis, keepdims=keepdims)
    - ops.min(x, axis=axis, keepdims=keepdims),
)  # fmt: skip
average = composite(
    lambda x, weights=None, *, axis=None: np.average(x, axis, weights), "x, axis=None, weights=None", _average,
    operands="x, weights", name="average", also=(np.average,), emit=lambda types, attributes: _average_text(types),
)  # fmt: skip
trapezoid = composite(
    lambda y, x=None, *, dx=1.0, axis=-1: np.trapezoid(y, x, dx, axis), "y, x=None, dx=1.0, axis=-1", _trapezoid,
    operands="y, x", name="trapezoid", also=(np.trapezoid,),
)  # fmt: skip


def _average_text(types: Sequence[Type]) -> str:
    return "np.average(x, axis=axis, weights=weights)" if len(types) == 2 else "np.average(x, axis=axis)"


# ---------------------------------------------------------------------------- nan as a missing number


def _nansum(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.sum(ops.where(ops.isnan(x), 0.0, x), axis=axis, keepdims=keepdims)


def _nanmean(x: Any, axis: Any, keepdims: bool) -> Any:
    return _nansum(x, axis, keepdims) / hits(ops.logical_not(ops.isnan(x)), x, axis, keepdims)


nansum = composite(np.nansum, AXES, _nansum, operands="x")
nanmean = composite(np.nanmean, AXES, _nanmean, operands="x")
nanmax = composite(
    np.nanmax, AXES, operands="x",
    definition=lambda x, axis, keepdims: ops.max(ops.where(ops.isnan(x), -np.inf, x), axis=axis, keepdims=keepdims),
)  # fmt: skip
nanmin = composite(
    np.nanmin, AXES, operands="x",
    definition=lambda x, axis, keepdims: ops.min(ops.where(ops.isnan(x), np.inf, x), axis=axis, keepdims=keepdims),
)  # fmt: skip

# ---------------------------------------------------------------------------- order


def _positions(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    x = tensor(types[0])
    return Tensor("i64", Symbol() if attributes.get("axis", -1) is None else x.shape)


def _sorted(x: Any, axis: Any) -> Any:
    if axis is None:
        x, axis = ops.ravel(x), -1
    return ops.take_along_axis(x, ops.argsort(x, axis=axis), axis=axis)


def _at(x: Any, position: Any, axis: int) -> Any:
    return ops.getitem(x, position, index=along(axis, Slot(0)))


def _median(x: Any, axis: Any, keepdims: bool) -> Any:
    along_axis = -1 if axis is None else axis
    ordered = _sorted(x, axis)
    length = ops.dim(ordered, axis=along_axis)
    middle = 0.5 * (_at(ordered, (length - 1) // 2, along_axis) + _at(ordered, length // 2, along_axis))
    return _kept(middle, x, axis) if keepdims else middle


def _kept(value: Any, x: Any, axis: Any) -> Any:
    """The reduced axes back, as length 1."""
    places = tuple(range(_rank(x, "median"))) if axis is None else axis
    return ops.expand_dims(value, axis=places)


def _quantile(x: Any, q: float, axis: Any, keepdims: bool) -> Any:
    along_axis = -1 if axis is None else axis
    ordered = _sorted(x, axis)
    last = ops.dim(ordered, axis=along_axis) - 1
    place = q * last
    low = ops.int_floor(place)
    high = ops.to_int(ops.minimum(low + 1, last))
    share = place - low
    found = _at(ordered, low, along_axis) * (1.0 - share) + _at(ordered, high, along_axis) * share
    return _kept(found, x, axis) if keepdims else found


argsort = constant(
    lambda x, *, axis=-1, kind=None: np.argsort(x, axis, kind), "x, axis=-1, kind=None", operands="x",
    name="argsort", infer=_positions, also=(np.argsort,), methods=("argsort",),
)  # fmt: skip
searchsorted = constant(
    lambda x, v, *, side="left": np.searchsorted(x, v, side), "x, v, side='left'", operands="x, v",
    name="searchsorted", infer=lambda types, attributes: Tensor("i64", tensor(types[1]).shape),
    also=(np.searchsorted,),
)  # fmt: skip
sort = composite(np.sort, "x, axis=-1", _sorted, operands="x")
median = composite(np.median, AXES, _median, operands="x")
quantile = composite(np.quantile, "x, q, axis=None, *, keepdims=False", _quantile, operands="x")
percentile = composite(
    np.percentile, "x, q, axis=None, *, keepdims=False", operands="x",
    definition=lambda x, q, axis, keepdims: _quantile(x, q / 100.0, axis, keepdims),
)  # fmt: skip


def _interp(x: Any, xp: Any, fp: Any) -> Any:
    """Between the two neighbours; beyond the ends their values, at slope 0."""
    last = ops.dim(xp, axis=0) - 2
    left = ops.minimum(ops.maximum(ops.searchsorted(xp, x, side="right") - 1, 0), last)
    x0, x1, f0, f1 = ops.take(xp, left), ops.take(xp, left + 1), ops.take(fp, left), ops.take(fp, left + 1)
    return f0 + ops.clip((x - x0) / (x1 - x0), 0.0, 1.0) * (f1 - f0)


interp = composite(np.interp, "x, xp, fp", _interp)

# ---------------------------------------------------------------------------- products


def _vdot(a: Any, b: Any) -> Any:
    if rank(a.value.type) == 0 and rank(b.value.type) == 0:
        return a * b
    return ops.matmul(ops.ravel(a), ops.ravel(b))


def _kron(a: Any, b: Any) -> Any:
    match _rank(a, "kron"), _rank(b, "kron"):
        case 1, 1:
            return ops.ravel(ops.outer(a, b))
        case 2, 2:
            blocks = ops.expand_dims(a, axis=(1, 3)) * ops.expand_dims(b, axis=(0, 2))
            rows = ops.dim(a, axis=0) * ops.dim(b, axis=0)
            columns = ops.dim(a, axis=1) * ops.dim(b, axis=1)
            return ops.reshape(blocks, rows, columns, shape=(Slot(0), Slot(1)))
    raise NoRule(getattr(ops, "kron"), "a", "its operands must both have one axis, or two")  # noqa: B009


def _cross(a: Any, b: Any) -> Any:
    """Over the last axis, of three components."""

    def part(x: Any, k: int) -> Any:
        return ops.getitem(x, index=(Ellipsis, k))

    parts = [
        part(a, (k + 1) % 3) * part(b, (k + 2) % 3) - part(a, (k + 2) % 3) * part(b, (k + 1) % 3) for k in range(3)
    ]
    return ops.stack(*parts, axis=-1)


def _cross_3(a: Any, b: Any) -> Any:
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ValueError("np.cross of vectors that have not three components is not supported")
    return np.cross(a, b)


vdot = composite(np.vdot, "a, b", _vdot)
kron = composite(np.kron, "a, b", _kron)
cross = composite(_cross_3, "a, b", _cross, name="cross", also=(np.cross,), emit="np.cross(a, b)")
correlate = composite(
    np.correlate, "a, b, mode='valid'", operands="a, b",
    definition=lambda a, b, mode: ops.convolve(a, ops.flip(b, axis=0), mode=mode),
)  # fmt: skip


def _power_of(a: Any, n: int) -> Any:
    if n < 0:
        a, n = ops.inv(a), -n
    if n == 0:
        return ops.zeros_like(a) + ops.eye(ops.dim(a, axis=-1))
    result = a
    for bit in bin(n)[3:]:
        result = ops.matmul(result, result)
        result = ops.matmul(result, a) if bit == "1" else result
    return result


def _multi_dot(xs: tuple[Any, ...]) -> Any:
    result = xs[0]
    for x in xs[1:]:
        result = ops.matmul(result, x)
    return result


matrix_power = composite(np.linalg.matrix_power, "a, n", _power_of, operands="a")
multi_dot = composite(
    lambda *xs: np.linalg.multi_dot(xs), "xs", _multi_dot, operands="*xs", name="multi_dot",
    also=(np.linalg.multi_dot,), emit="np.linalg.multi_dot([*xs])",
)  # fmt: skip

# ---------------------------------------------------------------------------- arrangement


def _rot90(x: Any, k: int) -> Any:
    turns = k % 4
    if turns == 2:
        return ops.flip(x, axis=(0, 1))
    return x if turns == 0 else ops.flip(ops.swapaxes(x, axis1=0, axis2=1), axis=0 if turns == 1 else 1)


def _as_columns(x: Any) -> Any:
    width = _rank(x, "column_stack")
    return ops.expand_dims(x, axis=-1) if width == 1 else ops.reshape(x, shape=(1, 1)) if width == 0 else x


def _as_depth(x: Any) -> Any:
    width = _rank(x, "dstack")
    axes: dict[int, Any] = {0: (0, 1, 2), 1: (0, 2), 2: (2,)}
    return x if width >= 3 else ops.expand_dims(x, axis=axes[width])


fliplr = composite(np.fliplr, "x", lambda x: ops.flip(x, axis=1), views=True)
flipud = composite(np.flipud, "x", lambda x: ops.flip(x, axis=0), views=True)
rot90 = composite(np.rot90, "x, k=1", _rot90, operands="x", views=True)
column_stack = composite(
    lambda *xs: np.column_stack(xs), "xs", lambda xs: ops.concatenate(*map(_as_columns, xs), axis=1),
    operands="*xs", name="column_stack", also=(np.column_stack,),
)  # fmt: skip
dstack = composite(
    lambda *xs: np.dstack(xs), "xs", lambda xs: ops.concatenate(*map(_as_depth, xs), axis=2),
    operands="*xs", name="dstack", also=(np.dstack,),
)  # fmt: skip
