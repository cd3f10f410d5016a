"""Products and linear algebra.

A product that is linear in both operands comes with two more primitives, its transposes: `matmul_bar_a(ct, a, b)` is
the cotangent of `a` in `a @ b`, for any ranks.  The three are closed under differentiation.  Where ranks are known
the rules say the usual matrix formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.types import (
    Dim,
    Shape,
    Symbol,
    Tensor,
    Type,
    broadcast,
    derived,
    is_scalar,
    promote,
    rank,
)
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast
from ad_compiler.primitives.declare import Primitive, Rule, general, multilinear, ops
from ad_compiler.primitives.reductions import hits
from ad_compiler.primitives.shapes import dim_of, reduced_shape, tensor

# ---------------------------------------------------------------------------- bilinear products


def _like(position: int) -> Callable[[Sequence[Type], dict[str, Any]], Type]:
    def infer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
        dtype = promote(*[tensor(type).dtype for type in types])
        return Tensor(dtype, tensor(types[position]).shape)

    return infer


def bilinear(
    implementation: Any,
    *,
    name: str,
    infer: Any,
    bar_a: Any,
    bar_b: Any,
    a: Callable[..., Any] | None = None,
    b: Callable[..., Any] | None = None,
    attribute: str = "",
    **options: Any,
) -> Primitive:
    """Declare `name(a, b)` and its transposes `name_bar_a(y, a, b)` and `name_bar_b(y, a, b)`.

    <y, name(a, b)> is linear in all three, so each of the three is the gradient of it with respect to one.
    `a` and `b` are formulas `(ct, a, b)` for known ranks; where they answer None the transposes are used.
    `attribute` is `NAME=DEFAULT`, where there is one.
    """
    names = (attribute.partition("=")[0],) if attribute else ()

    def use(suffix: str, operands: Sequence[Any], given: Sequence[Any]) -> Any:
        return getattr(ops, name + suffix)(*operands, **dict(zip(names, given, strict=True)))

    def rule(suffix: str, nice: Callable[..., Any] | None) -> Rule:
        """The cotangent of an operand of the product."""

        def formula(ct: Any, left: Any, right: Any, *given: Any) -> Any:
            answer = None if nice is None else nice(ct, left, right)
            return use(suffix, (ct, left, right), given) if answer is None else answer

        return Rule(formula, ("ct", "a", "b", *names))

    def transposed(reads: str, suffix: str, order: str) -> Rule:
        """The cotangent of an operand of a transpose: one of the three, on operands given by their names."""

        def formula(*read: Any) -> Any:
            values = dict(zip(reads.split(), read, strict=False))
            return use(suffix, [values[one] for one in order.split()], read[len(values) :])

        return Rule(formula, (*reads.split(), *names))

    rest = f", {attribute}" if attribute else ""
    main = multilinear(
        implementation, f"a, b{rest}", operands="a, b", name=name, infer=infer,
        a=rule("_bar_a", a),
        b=rule("_bar_b", b),
        **options,
    )  # fmt: skip
    multilinear(
        bar_a, f"y, a, b{rest}", operands="y, a, b", name=f"{name}_bar_a", infer=_like(1), helper=True,
        shape_only=("a",),
        y=transposed("ct b", "", "ct b"),
        a=None,
        b=transposed("ct y b", "_bar_b", "y ct b"),
    )  # fmt: skip
    multilinear(
        bar_b, f"y, a, b{rest}", operands="y, a, b", name=f"{name}_bar_b", infer=_like(2), helper=True,
        shape_only=("b",),
        y=transposed("ct a", "", "a ct"),
        a=transposed("ct y a", "_bar_a", "y a ct"),
        b=None,
    )  # fmt: skip
    return main


def _ranks(a: Any, b: Any) -> tuple[int | None, int | None]:
    return rank(a.value.type), rank(b.value.type)


def _t(x: Any) -> Any:
    """The transpose of a matrix, or of each matrix in a stack of them."""
    return ops.transpose(x) if rank(x.value.type) == 2 else ops.swapaxes(x, axis1=-1, axis2=-2)


# ---------------------------------------------------------------------------- matmul


def _dtype(types: Sequence[Type]) -> str:
    return promote(*[tensor(type).dtype for type in types])


def matmul_shape(a: Shape, b: Shape) -> Shape:
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return derived("matmul", a, b)
    if not a or not b:
        return Symbol()  # NumPy raises
    rows = a[-2:-1] if len(a) > 1 else ()
    columns = b[-1:] if len(b) > 1 else ()
    stack = broadcast(a[:-2], b[:-2])
    return Symbol() if isinstance(stack, Symbol) else (*stack, *rows, *columns)


def _matmul_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(_dtype(types), matmul_shape(tensor(types[0]).shape, tensor(types[1]).shape))


def _matmul_a(ct: Any, a: Any, b: Any) -> Any:
    match _ranks(a, b):
        case 1, 1:
            return ct * b
        case 2, 1:
            return outer(ct, b)
        case 1, 2:
            return matmul(b, ct)
        case int(m), int(n) if m >= 2 and n >= 2:
            return unbroadcast(matmul(ct, _t(b)), a)
    return None


def _matmul_b(ct: Any, a: Any, b: Any) -> Any:
    match _ranks(a, b):
        case 1, 1:
            return ct * a
        case 2, 1:
            return matmul(_t(a), ct)
        case 1, 2:
            return outer(a, ct)
        case int(m), int(n) if m >= 2 and n >= 2:
            return unbroadcast(matmul(_t(a), ct), b)
    return None


matmul = bilinear(
    lambda a, b: np.matmul(a, b), name="matmul", infer=_matmul_type, emit="a @ b",
    also=(np.matmul, __import__("operator").matmul),
    bar_a=runtime._matmul_bar_a, bar_b=runtime._matmul_bar_b, a=_matmul_a, b=_matmul_b,
)  # fmt: skip

# ---------------------------------------------------------------------------- dot, inner, outer, tensordot


def _dot_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    a, b = (tensor(type).shape for type in types)
    if a == () or b == ():
        shape: Shape = broadcast(a, b)
    elif isinstance(a, Symbol) or isinstance(b, Symbol):
        shape = derived("dot", a, b)
    else:
        shape = (*a[:-1], *b[:-2], *b[-1:]) if len(b) > 1 else a[:-1]
    return Tensor(_dtype(types), shape)


def _dot_a(ct: Any, a: Any, b: Any) -> Any:
    if is_scalar(a.value.type) or is_scalar(b.value.type):
        return unbroadcast(ct * b, a)
    small = all(width is not None and 1 <= width <= 2 for width in _ranks(a, b))
    return _matmul_a(ct, a, b) if small else None


def _dot_b(ct: Any, a: Any, b: Any) -> Any:
    if is_scalar(a.value.type) or is_scalar(b.value.type):
        return unbroadcast(ct * a, b)
    small = all(width is not None and 1 <= width <= 2 for width in _ranks(a, b))
    return _matmul_b(ct, a, b) if small else None


dot = bilinear(
    lambda a, b: np.dot(a, b), name="dot", infer=_dot_type, also=(np.dot,), methods=("dot",),
    bar_a=runtime._dot_bar_a, bar_b=runtime._dot_bar_b, a=_dot_a, b=_dot_b,
)  # fmt: skip


def _inner_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    a, b = (tensor(type).shape for type in types)
    if a == () or b == ():
        shape: Shape = broadcast(a, b)
    elif isinstance(a, Symbol) or isinstance(b, Symbol):
        shape = derived("inner", a, b)
    else:
        shape = (*a[:-1], *b[:-1])
    return Tensor(_dtype(types), shape)


def _both_vectors(formula: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda ct, a, b: formula(ct, a, b) if _ranks(a, b) == (1, 1) else None


inner = bilinear(
    lambda a, b: np.inner(a, b), name="inner", infer=_inner_type, also=(np.inner,),
    bar_a=runtime._inner_bar_a, bar_b=runtime._inner_bar_b,
    a=_both_vectors(lambda ct, a, b: ct * b),
    b=_both_vectors(lambda ct, a, b: ct * a),
)  # fmt: skip


def _outer_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(_dtype(types), tuple(_flat_length(tensor(type)) for type in types))


def _flat_length(type: Tensor) -> Dim:
    if type.shape == ():
        return Dim(None, 1)
    return type.shape[0] if rank(type) == 1 else Dim(derived("size", type.shape))  # type: ignore[index]


outer = bilinear(
    lambda a, b: np.outer(a, b), name="outer", infer=_outer_type, also=(np.outer,),
    bar_a=runtime._outer_bar_a, bar_b=runtime._outer_bar_b,
    a=_both_vectors(lambda ct, a, b: matmul(ct, b)),
    b=_both_vectors(lambda ct, a, b: matmul(a, ct)),
)  # fmt: skip


def _tensordot_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    a, b = (tensor(type).shape for type in types)
    axes = attributes.get("axes", 2)
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return Tensor(_dtype(types), derived("tensordot", _frozen(axes), a, b))
    gone_a, gone_b = runtime._contracted(axes, len(a), len(b))
    rest = [dim for k, dim in enumerate(a) if k not in gone_a] + [dim for k, dim in enumerate(b) if k not in gone_b]
    return Tensor(_dtype(types), tuple(rest))


def _frozen(axes: Any) -> Any:
    return tuple(map(_frozen, axes)) if isinstance(axes, tuple | list) else axes


tensordot = bilinear(
    lambda a, b, *, axes=2: np.tensordot(a, b, axes)[()], name="tensordot", infer=_tensordot_type,
    also=(np.tensordot,), attribute="axes=2",
    bar_a=runtime._tensordot_bar_a, bar_b=runtime._tensordot_bar_b,
)  # fmt: skip



def _convolution_length(a: Dim, b: Dim, mode: str) -> Dim:
    if a.symbol is None and b.symbol is None and a.offset and b.offset:
        long, short = max(a.offset, b.offset), min(a.offset, b.offset)
        return dim_of({"full": long + short - 1, "same": long, "valid": long - short + 1}[mode])
    return Dim(derived("convolve", mode, a, b))


def _convolve_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    a, b = (tensor(type).shape for type in types)
    if isinstance(a, Symbol) or isinstance(b, Symbol) or len(a) != 1 or len(b) != 1:
        return Tensor(_dtype(types), (Dim(Symbol()),))
    return Tensor(_dtype(types), (_convolution_length(a[0], b[0], attributes.get("mode", "full")),))


convolve = bilinear(
    lambda a, b, *, mode="full": np.convolve(a, b, mode), name="convolve", infer=_convolve_type,
    also=(np.convolve,), attribute="mode='full'",
    bar_a=runtime._convolve_bar_a, bar_b=runtime._convolve_bar_b,
)  # fmt: skip

# ---------------------------------------------------------------------------- systems


def _inexact(types: Sequence[Type], shape: Shape) -> Type:
    dtype = _dtype(types)
    return Tensor(dtype if dtype in ("f32", "c64", "c128") else "f64", shape)


def _inv_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return _inexact(types, tensor(types[0]).shape)


inv = general(
    np.linalg.inv, "a", infer=_inv_type,
    a=lambda ct, out: -matmul(matmul(_t(out), ct), _t(out)),
    jvp=lambda a_dot, out: -matmul(matmul(out, a_dot), out),
    emit="np.linalg.inv(a)",
)  # fmt: skip


def _det_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = tensor(types[0]).shape
    return _inexact(types, derived("det", shape) if isinstance(shape, Symbol) else shape[:-2])


def _column(value: Any) -> Any:
    """A number for each matrix, made to multiply the matrices."""
    return value if is_scalar(value.value.type) else ops.expand_dims(value, axis=(-2, -1))


det = general(
    np.linalg.det, "a", infer=_det_type,
    a=lambda ct, a, out: _column(ct * out) * _t(inv(a)),
    jvp=lambda a, a_dot, out: out * ops.sum(_t(inv(a)) * a_dot, axis=(-2, -1)),
    emit="np.linalg.det(a)",
)  # fmt: skip


def _solve_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    a, b = (tensor(type).shape for type in types)
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return _inexact(types, derived("solve", a, b))
    return _inexact(types, b if len(a) == 2 else Symbol())


def _solve_b(ct: Any, a: Any, b: Any) -> Any:
    return unbroadcast(solve(_t(a), ct), b)


def _solve_a(ct: Any, a: Any, out: Any) -> Any:
    grown = solve(_t(a), ct)
    match rank(a.value.type), rank(out.value.type):
        case 2, 1:
            return -outer(grown, out)
        case 2, 2:
            return -matmul(grown, _t(out))
    return -ops.matmul_bar_a(grown, a, out)


def _solve_dot(a: Any, a_dot: Any, b_dot: Any, out: Any) -> Any:
    if a_dot is None:
        return solve(a, b_dot)
    moved = matmul(a_dot, out)
    return solve(a, -moved if b_dot is None else b_dot - moved)


solve = general(
    np.linalg.solve, "a, b", infer=_solve_type, emit="np.linalg.solve(a, b)",
    a=_solve_a,
    b=_solve_b,
    jvp=_solve_dot,
)  # fmt: skip

# ---------------------------------------------------------------------------- norms


def _norm_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    shape = reduced_shape(tensor(types[0]).shape, attributes.get("axis"), attributes.get("keepdims", False))
    return _inexact(types, shape)


def _is_two(ord: Any, axis: Any, x: Any) -> bool:
    """Whether it is the root of the sum of squares."""
    if ord is None or (isinstance(ord, str) and ord in ("fro", "f")):
        return True
    return ord == 2 and (isinstance(axis, int) or (axis is None and rank(x.value.type) == 1))


def _as_reductions(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """A vector norm as a program of other primitives."""
    from ad_compiler.primitives.rules import NoRule

    is_vector = isinstance(axis, int) or (axis is None and rank(x.value.type) == 1)
    if not is_vector or isinstance(ord, str):
        raise NoRule(norm, "x", f"`ord={ord!r}` over these axes")
    return is_vector


def _keep(value: Any, axis: Any, keepdims: bool) -> Any:
    return value if keepdims or axis is None else ops.expand_dims(value, axis=axis)


def _unit(x: Any, out: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """d norm / d x: for the 2-norm x / |x|, and 0 at 0."""
    length = _keep(out, axis, keepdims)
    if _is_two(ord, axis, x):
        return x / ops.where(length.equals(0.0), 1.0, length)
    _as_reductions(x, ord, axis, keepdims)
    if ord == 1:
        return ops.sign(x)
    if ord in (np.inf, -np.inf):
        hit = ops.absolute(x).equals(length)
        return ops.where(hit, ops.sign(x) / hits(hit, x, axis, axis is not None), 0.0)
    if ord == 0:
        return ops.zeros_like(x)
    ratio = ops.absolute(x) / ops.where(length.equals(0.0), 1.0, length)
    return ops.sign(x) * ratio ** (ord - 1)


norm = general(
    np.linalg.norm, "x, ord=None, axis=None, keepdims=False", operands="x", infer=_norm_type,
    x=lambda ct, x, out, ord, axis, keepdims: _keep(ct, axis, keepdims) * _unit(x, out, ord, axis, keepdims),
    jvp=lambda x, x_dot, out, ord, axis, keepdims: ops.sum(
        _unit(x, out, ord, axis, keepdims) * x_dot, axis=axis, keepdims=keepdims
    ),
)  # fmt: skip

