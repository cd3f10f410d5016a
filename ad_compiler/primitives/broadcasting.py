"""Undoing and redoing NumPy's broadcasting, by what the types prove.

    unbroadcast : (ct: S, x: T)  with T broadcastable to S  -> ct: T      sums over what broadcasting repeated
    broadcast   : (t: T, out: S) with T broadcastable to S  -> t: S       its transpose

Both answer their first argument itself where the types prove that nothing is to be done, a plain `sum` where they
tell which axes, and the generic primitive (`unbroadcast`, `broadcast_like`) where they do not.
"""

from __future__ import annotations

from typing import Any

from ad_compiler.ir.core import Value
from ad_compiler.ir.types import ONE, Shape, Symbol, Tensor, Type, surely_many
from ad_compiler.primitives.declare import ops
from ad_compiler.primitives.expression import Expr


def unbroadcast(ct: Expr, operand: Expr, *, of: Type | None = None) -> Expr:
    """The cotangent of `operand`, from the cotangent of what it was broadcast into.

    `of` is the type whose shape `ct` has, where that is known better than from `ct.value.type`.
    """
    wide, narrow = _shape(of or ct.value.type), _shape(operand.value.type)
    if wide is None or narrow is None or wide == narrow:
        return ct  # lists and tuples are never broadcast
    if narrow == ():
        return ops.sum(ct)
    axes = _axes(wide, narrow)
    if axes is None:
        return ops.unbroadcast(ct, operand)
    leading, ones = axes
    if leading:
        ct = ops.sum(ct, axis=_one_or_tuple(leading))
    if ones:
        ct = ops.sum(ct, axis=_one_or_tuple(ones), keepdims=True)
    return refine(ct, operand.value.type)


def broadcast(tangent: Expr, out: Expr) -> Expr:
    """The tangent in the shape of `out`."""
    have, want = _shape(tangent.value.type), _shape(out.value.type)
    if have is None or want is None or have == want or want == ():
        return tangent
    return ops.broadcast_like(tangent, out)


def refine(fresh: Expr, type: Type) -> Expr:
    """Note that a value that was just computed has the shape of `type`."""
    value: Value = fresh.value
    if isinstance(type, Tensor) and isinstance(value.type, Tensor) and value.op is not None:
        value.type = Tensor(value.type.dtype, type.shape)
    return fresh


def _shape(type: Type) -> Shape | None:
    return type.shape if isinstance(type, Tensor) else None


def _axes(wide: Shape, narrow: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Which axes of `wide` are new, and which of the rest have length 1 in `narrow`; None when that is not known."""
    if isinstance(wide, Symbol) or isinstance(narrow, Symbol) or len(wide) < len(narrow):
        return None
    extra = len(wide) - len(narrow)
    ones = []
    for k, (long, short) in enumerate(zip(wide[extra:], narrow, strict=True)):
        if short == ONE:
            if long != ONE:
                ones.append(k)
        elif short != long and not surely_many(short):
            return None
    return tuple(range(extra)), tuple(ones)


def _one_or_tuple(axes: tuple[int, ...]) -> Any:
    return axes[0] if len(axes) == 1 else axes
