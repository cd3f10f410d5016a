"""New arrays: zeros, ones, full, eye, ranges, nested displays."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.trees import Leaf, Tree, leaves, rebuild
from ad_compiler.ir.types import Dim, ListType, Symbol, Tensor, TupleType, Type, promote
from ad_compiler.primitives import runtime
from ad_compiler.primitives.broadcasting import unbroadcast
from ad_compiler.primitives.declare import constant, general, linear, ops
from ad_compiler.primitives.reductions import in_precision_of
from ad_compiler.primitives.shapes import dim_of, dtype_code, filled, tensor, wanted_shape

# ---------------------------------------------------------------------------- by shape


def _zeros(*slots: Any, shape: Any, dtype: Any = None) -> Any:
    return np.zeros(filled(shape, slots), dtype)


def _ones(*slots: Any, shape: Any, dtype: Any = None) -> Any:
    return np.ones(filled(shape, slots), dtype)


def _empty(*slots: Any, shape: Any, dtype: Any = None) -> Any:
    return np.zeros(filled(shape, slots), dtype)


def _full(v: Any, *slots: Any, shape: Any, dtype: Any = None) -> Any:
    return np.full(filled(shape, slots), v, dtype)


def _shaped(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(dtype_code(attributes.get("dtype")), wanted_shape(attributes["shape"]))


def _full_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    given = attributes.get("dtype")
    return Tensor(tensor(types[0]).dtype if given is None else dtype_code(given), wanted_shape(attributes["shape"]))


zeros = constant(_zeros, "shape, dtype=None", operands="*slots", infer=_shaped, also=(np.zeros,))
ones = constant(_ones, "shape, dtype=None", operands="*slots", infer=_shaped, also=(np.ones,))
empty = constant(_empty, "shape, dtype=None", operands="*slots", infer=_shaped, also=(np.empty,))
full = linear(
    _full, "shape, v, dtype=None", operands="v, *slots", infer=_full_type, also=(np.full,),
    v=lambda ct, v: unbroadcast(ct, v),
    slots=None,
)  # fmt: skip

# ---------------------------------------------------------------------------- by example


def _like_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    like, given = types[0], attributes.get("dtype")
    if not isinstance(like, Tensor):
        return like
    return Tensor(like.dtype if given is None else dtype_code(given), like.shape)


def _zeros_like_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """Of an unknown dtype the helper makes floats; without `dtype` NumPy keeps the dtype."""
    like = _like_type(types, attributes)
    if isinstance(like, Tensor) and like.dtype == "?":
        return Tensor("f64", like.shape)
    return like


def _zeros_like(x: Any, *, dtype: Any = None) -> Any:
    return runtime._zeros_like(x) if dtype is None and not _is_integer(x) else np.zeros_like(x, dtype)[()]


def _is_integer(x: Any) -> bool:
    return not isinstance(x, builtins.list | builtins.tuple) and np.asarray(x).dtype.kind in "iub"


def _zeros_like_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    if attributes.get("dtype") is not None:
        return "np.zeros_like(x, dtype=dtype)"
    like = types[0]
    known = isinstance(like, Tensor) and like.dtype != "?"
    return "np.zeros_like(x)" if known else "_zeros_like(x)"


zeros_like = constant(
    _zeros_like, "x, *, dtype=None", operands="x", infer=_zeros_like_type, emit=_zeros_like_text,
    also=(np.zeros_like, np.empty_like), shape_only=("x",),
)  # fmt: skip
ones_like = constant(
    lambda x, *, dtype=None: np.ones_like(x, dtype)[()], "x, *, dtype=None", name="ones_like", operands="x",
    infer=_like_type, also=(np.ones_like,), shape_only=("x",),
)  # fmt: skip
full_like = linear(
    lambda x, v, *, dtype=None: np.full_like(x, v, dtype)[()], "x, v, *, dtype=None", name="full_like",
    operands="x, v", infer=_like_type, also=(np.full_like,), shape_only=("x",),
    x=None,
    v=lambda ct, v: unbroadcast(ct, v),
)  # fmt: skip

# ---------------------------------------------------------------------------- matrices and ranges


def _eye(n: Any, m: Any = None, *, k: int = 0) -> Any:
    return np.eye(n, m, k)


def _eye_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    first = Dim(Symbol())
    return Tensor("f64", (first, first if len(types) == 1 else Dim(Symbol())))


eye = constant(_eye, "n, m=None, *, k=0", operands="n, m", infer=_eye_type, also=(np.eye, np.identity))


def _arange(start: Any, stop: Any, step: Any) -> Any:
    return np.arange(start, stop, step)


def _arange_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(promote(*[tensor(type).dtype for type in types]), (Dim(Symbol()),))


def _arange_dot(out: Any, start_dot: Any, step_dot: Any) -> Any:
    total = None if start_dot is None else ops.broadcast_like(start_dot, out)
    if step_dot is None:
        return total
    growth = step_dot * ops.arange(0, ops.dim(out, axis=0), 1)
    return growth if total is None else total + growth


arange = general(
    _arange, "start, stop, step", infer=_arange_type, also=(np.arange,),
    start=lambda ct: ops.sum(ct),
    stop=None,
    step=lambda ct, out: ops.sum(ct * ops.arange(0, ops.dim(out, axis=0), 1)),
    jvp=_arange_dot,
)  # fmt: skip


def _linspace(start: Any, stop: Any, num: Any = 50, *, endpoint: bool = True) -> Any:
    return np.linspace(start, stop, num, endpoint)


def _linspace_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    ends = [tensor(type) for type in types[:2]]
    dtype = "f32" if all(end.dtype == "f32" for end in ends) else "f64"
    return Tensor(dtype, (Dim(Symbol()),) if all(end.shape == () for end in ends) else Symbol())


def _weights(num: Any, endpoint: bool) -> Any:
    return ops.linspace(0.0, 1.0, num, endpoint=endpoint)


linspace = linear(
    _linspace, "start, stop, num=50, *, endpoint=True", operands="start, stop, num", infer=_linspace_type,
    also=(np.linspace,),
    start=lambda ct, start, num, endpoint: _end(ct, start, 1.0 - _weights(num, endpoint)),
    stop=lambda ct, stop, num, endpoint: _end(ct, stop, _weights(num, endpoint)),
    num=None,
)  # fmt: skip


def _end(ct: Any, end: Any, weights: Any) -> Any:
    """<ct, weights> over the first axis; for ends that are arrays the other axes stay."""
    return unbroadcast(ops.tensordot(in_precision_of(weights, ct), ct, axes=1), end)


# ---------------------------------------------------------------------------- nested displays


def _array(*xs: Any, tree: Tree, dtype: Any = None) -> Any:
    return np.array(rebuild(tree, iter(xs)), dtype)


def _array_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    flat = [tensor(type) for type in types]
    given = attributes.get("dtype")
    dtype = (promote(*[type.dtype for type in flat]) if flat else "f64") if given is None else dtype_code(given)
    lengths, node = [], attributes["tree"]
    while not isinstance(node, Leaf):
        items = getattr(node, "items", ())
        lengths.append(dim_of(len(items)))
        if not items:
            break
        node = items[0]
    inner = flat[0].shape if flat else ()
    if isinstance(inner, Symbol) or any(isinstance(type, ListType | TupleType) for type in types):
        return Tensor(dtype, Symbol())
    return Tensor(dtype, (*lengths, *inner))


def path_to(tree: Tree, position: int) -> tuple[int, ...]:
    """The index at which leaf number `position` stands in the nested display."""
    if isinstance(tree, Leaf):
        return ()
    before = 0
    for k, item in enumerate(tree.items):  # type: ignore[union-attr]
        inside = builtins.sum(1 for _ in leaves(item))
        if position < before + inside:
            return (k, *path_to(item, position - before))
        before += inside
    raise IndexError(position)


array = linear(
    _array, "tree, dtype=None", operands="*xs", infer=_array_type, also=(np.array, np.asarray, np.asanyarray),
    xs=lambda ct, xs, tree, position: _item(ct, xs[position], path_to(tree, position)),
)  # fmt: skip


def _item(ct: Any, x: Any, path: tuple[int, ...]) -> Any:
    return unbroadcast(ops.getitem(ct, index=path) if path else ct, x)


