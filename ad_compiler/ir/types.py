"""What is known of a value before it is computed.

A `Tensor` is a number or an array: a dtype and a shape.  A shape is a tuple of `Dim` when the rank is
known, and a bare `Symbol` when it is not: two values with the *same* `Symbol` have equal shapes, whatever
those are.  A `Dim` is `symbol + offset`: `A[1:-1]` of an axis `n` has the dim `n - 2`, so that
`A[:-2] + A[2:]` is seen not to broadcast.  Symbols compare by identity; nothing else is ever assumed equal.

`Tensor` with shape `()` is an immutable scalar.  A zero-dimensional *array* has an unknown shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

FLOATS = ("f32", "f64")
COMPLEXES = ("c64", "c128")
INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
UNKNOWN_DTYPE = "?"


class Symbol:
    """An unknown length (or an unknown whole shape).  `many` promises that the length is not 1.

    `parts`: what was broadcast together to give it, if that is where it comes from.  `origin`: what it was
    `derived` from.
    """

    __slots__ = ("__weakref__", "label", "many", "origin", "parts")

    def __init__(self, label: str = "?", *, many: bool = False, parts: frozenset[Any] = frozenset()) -> None:
        self.label = label
        self.many = many
        self.parts = parts
        self.origin: tuple[Hashable, ...] = ()

    def __repr__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class Dim:
    """The length of one axis, `symbol + offset`; a plain number when `symbol` is None."""

    symbol: Symbol | None
    offset: int = 0


ONE = Dim(None, 1)
Shape: TypeAlias = tuple[Dim, ...] | Symbol


@dataclass(frozen=True, slots=True)
class Tensor:
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class ListType:
    element: Type


@dataclass(frozen=True, slots=True)
class TupleType:
    elements: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """A Python object that is data to us: a string, a generator, a tape of a recursive call."""

    label: str = "object"


@dataclass(frozen=True, slots=True)
class Undefined:
    """A name that no path has bound yet; joins with anything."""


Type: TypeAlias = Tensor | ListType | TupleType | Opaque | Undefined

FLOAT = Tensor("f64", ())
INT = Tensor("i64", ())
BOOL = Tensor("bool", ())
UNDEFINED = Undefined()


def unknown(dtype: str = UNKNOWN_DTYPE) -> Tensor:
    """A number or an array of which nothing is known."""
    return Tensor(dtype, Symbol())


def array(rank: int, dtype: str = "f64") -> Tensor:
    """An array of known rank and unknown lengths, any of which may be 1."""
    return Tensor(dtype, tuple(Dim(Symbol()) for _ in range(rank)))


def is_scalar(type: Type) -> bool:
    return isinstance(type, Tensor) and type.shape == ()


def rank(type: Type) -> int | None:
    return len(type.shape) if isinstance(type, Tensor) and isinstance(type.shape, tuple) else None


def is_inexact(type: Type) -> bool:
    """Whether the value surely is a float or a complex number (an array of them)."""
    return isinstance(type, Tensor) and type.dtype in FLOATS + COMPLEXES


def may_vary(type: Type) -> bool:
    """Whether a value of this type can carry a derivative: not an integer, a bool or an opaque object."""
    if isinstance(type, Tensor):
        return type.dtype == UNKNOWN_DTYPE or is_inexact(type)
    if isinstance(type, ListType):
        return may_vary(type.element)
    if isinstance(type, TupleType):
        return any(may_vary(element) for element in type.elements)
    return isinstance(type, Opaque) and type.label == "tape"


def surely_many(dim: Dim) -> bool:
    """Whether the length is known not to be 1."""
    if dim.symbol is None:
        return dim.offset != 1
    return dim.symbol.many and dim.offset == 0


def same_shape(a: Type, b: Type) -> bool:
    """Whether the two are tensors proven to have equal shapes."""
    return isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape


def broadcast(*shapes: Shape) -> Shape:
    """The shape NumPy broadcasts these to; a fresh symbol where that is not known."""
    known = [shape for shape in shapes if shape != ()]
    if not known:
        return ()
    if all(shape == known[0] for shape in known):
        return known[0]
    if any(isinstance(shape, Symbol) for shape in known):
        return _broadcast_parts(known)
    width = max(len(shape) for shape in known)  # type: ignore[arg-type]
    padded = [(ONE,) * (width - len(shape)) + shape for shape in known]  # type: ignore[arg-type,operator]
    return tuple(_broadcast_dim(dims) for dims in zip(*padded, strict=True))


def _broadcast_dim(dims: tuple[Dim, ...]) -> Dim:
    rest = [dim for dim in dims if dim != ONE]
    if not rest:
        return ONE
    many = next((dim for dim in rest if surely_many(dim)), None)
    if many is not None:
        return many  # the others are equal to it, or 1, or NumPy raises
    if all(dim == rest[0] for dim in rest):
        return rest[0]
    merged = _broadcast_parts([dim.symbol if _is_merged(dim) else dim for dim in rest])
    return Dim(merged) if isinstance(merged, Symbol) else merged


def _is_merged(dim: Dim) -> bool:
    return dim.symbol is not None and dim.offset == 0 and bool(dim.symbol.parts)


_DERIVED: WeakValueDictionary[Any, Symbol] = WeakValueDictionary()


def derived(*key: Hashable) -> Symbol:
    """The unknown that is a function of what is in `key`: the same symbol whenever the same is asked for."""
    symbol = _DERIVED.get(key)
    if symbol is None:
        _DERIVED[key] = symbol = Symbol()
        symbol.origin = key
    return symbol


def _broadcast_parts(items: Sequence[Any]) -> Any:
    """Broadcasting is associative, commutative and idempotent, so a set of parts names its result."""
    parts: frozenset[Any] = frozenset()
    for item in items:
        parts |= item.parts if isinstance(item, Symbol) and item.parts else {item}
    if len(parts) == 1:
        return next(iter(parts))
    symbol = derived("broadcast", parts)
    symbol.parts = parts
    return symbol


def promote(*dtypes: str) -> str:
    """The dtype of an arithmetic result: NumPy's, as far as it matters to a derivative."""
    if UNKNOWN_DTYPE in dtypes:
        known_complex = any(dtype in COMPLEXES for dtype in dtypes)
        return "c128" if known_complex else UNKNOWN_DTYPE
    if any(dtype in COMPLEXES for dtype in dtypes):
        return "c64" if all(dtype in ("c64", "f32", "bool") for dtype in dtypes) else "c128"
    if any(dtype in FLOATS for dtype in dtypes):
        return "f32" if all(dtype in ("f32", "bool") for dtype in dtypes) else "f64"
    integers = [dtype for dtype in dtypes if dtype != "bool"]
    if not integers:
        return "bool"
    return integers[0] if len(set(integers)) == 1 else "i64"


def join(a: Type, b: Type) -> Type:
    """The least type that covers both: what a name may hold after two paths meet."""
    if a == b or isinstance(b, Undefined):
        return a
    if isinstance(a, Undefined):
        return b
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        dtype = a.dtype if a.dtype == b.dtype else UNKNOWN_DTYPE
        if is_inexact(a) and is_inexact(b):
            dtype = promote(a.dtype, b.dtype)
        return Tensor(dtype, _join_shape(a.shape, b.shape))
    if isinstance(a, ListType) and isinstance(b, ListType):
        return ListType(join(a.element, b.element))
    if isinstance(a, TupleType) and isinstance(b, TupleType) and len(a.elements) == len(b.elements):
        return TupleType(tuple(map(join, a.elements, b.elements)))
    return Opaque()


def _join_shape(a: Shape, b: Shape) -> Shape:
    if a == b:
        return a
    if isinstance(a, Symbol) or isinstance(b, Symbol) or len(a) != len(b):
        return Symbol()
    return tuple(m if m == n else Dim(Symbol()) for m, n in zip(a, b, strict=True))


def freshen(type: Type) -> Type:
    """The same knowledge under new symbols: for a value that is another one in every iteration."""
    if isinstance(type, Tensor):
        if isinstance(type.shape, Symbol):
            return Tensor(type.dtype, Symbol())
        return Tensor(type.dtype, tuple(dim if dim.symbol is None else Dim(Symbol()) for dim in type.shape))
    if isinstance(type, ListType):
        return ListType(freshen(type.element))
    if isinstance(type, TupleType):
        return TupleType(tuple(map(freshen, type.elements)))
    return type
