"""From the arguments of a call to their types; and a key for them that is quick to compute.

    signature_of : value -> Tree of Types
    flatten      : value, Tree -> leaves
    aliases      : leaves -> pairs that share memory
    Binder       : a function's parameters; binds calls, gives their keys and their trees

Two calls with equal keys may run the same compiled derivative.  What a key holds: the structure, dtypes,
ranks, which lengths are 1, and which lengths are equal *within the call*.  Numbers are data; strings, None,
functions and other objects are fixed, and part of the key (by value where they cannot change, else by identity).
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, Tree, TupleTree
from ad_compiler.ir.types import BOOL, FLOAT, INT, ONE, Dim, ListType, Symbol, Tensor

LONG = 32  # a list of more numbers than this is one value, not that many
DEEPEST = 64  # nesting of containers
KEPT = 1024  # exact shapes remembered by a binder

Memo = dict[int, Symbol]

_DTYPES = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32", np.dtype(np.bool_): "bool"}
_DTYPES |= {np.dtype(f"{kind}{bits}"): f"{kind[0]}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_SCALARS = {float: FLOAT, int: INT, bool: BOOL, np.float64: FLOAT, np.bool_: BOOL}
_LETTERS = "nmklpq"
_FOREIGN = ("jax", "jaxlib", "torch", "pandas", "dask", "cupy", "tensorflow", "xarray", "polars", "scipy", "sympy")
_BY_VALUE = (str, bytes, type(None), range, enum.Enum, np.dtype, type(Ellipsis))
_CONVERT = "convert it before the call, for example with "


# ------------------------------------------------------------------------------------ values to types


def signature_of(value: Any, memo: Memo | None = None, *, path: str = "the argument") -> Tree:
    """The structure and the types of a live value.  Values of one call share `memo`, length -> symbol.

    Raises ArgumentError for what cannot be differentiated and is not plain data either, with `path` and
    where in it the thing is.
    """
    return _signature(value, {} if memo is None else memo, path, 0)


def _signature(value: Any, memo: Memo, path: str, depth: int) -> Tree:
    kind = type(value)
    if kind in _SCALARS:
        return Leaf(_SCALARS[kind])
    if kind is np.ndarray or kind is np.memmap:
        return Leaf(_array_type(value, memo, path))
    if isinstance(value, set | frozenset):
        return Fixed(frozenset(value))
    if depth > DEEPEST:
        raise _refuse(path, "is nested too deeply, or contains itself", "pass a flatter structure")
    if isinstance(value, enum.Enum):
        return Fixed(value)
    if isinstance(value, np.generic):
        return Leaf(Tensor(_dtype(value.dtype, path, "number"), ()))
    if isinstance(value, bool | int | float):
        return Leaf(BOOL if isinstance(value, bool) else INT if isinstance(value, int) else FLOAT)
    if isinstance(value, list | tuple | dict) or _is_record(value):
        return _container(value, memo, path, depth)
    _check_data(value, path)
    return Fixed(value)


def _container(value: Any, memo: Memo, path: str, depth: int) -> Tree:
    if _is_record(value):
        keys = _fields(value)
        items = [_signature(getattr(value, key), memo, f"{path}.{key}", depth + 1) for key in keys]
        return RecordTree(type(value), keys, tuple(items))
    if isinstance(value, dict):
        items = [_signature(item, memo, f"{path}[{key!r}]", depth + 1) for key, item in value.items()]
        return DictTree(tuple(value), tuple(items))
    if isinstance(value, list) and (kind := _long_list(value)) is not None:
        return Leaf(ListType(_SCALARS[kind]))
    items = [_signature(item, memo, f"{path}[{k}]", depth + 1) for k, item in enumerate(value)]
    return ListTree(tuple(items)) if isinstance(value, list) else TupleTree(tuple(items))


def _array_type(array: np.ndarray, memo: Memo, path: str) -> Tensor:
    dtype = _dtype(array.dtype, path, "array")
    if not array.shape:  # a zero-dimensional array is no number: it can be written into
        return Tensor(dtype, Symbol())
    return Tensor(dtype, tuple(ONE if length == 1 else Dim(_symbol(length, memo)) for length in array.shape))


def _symbol(length: int, memo: Memo) -> Symbol:
    if length not in memo:
        count = len(memo)
        label = _LETTERS[count] if count < len(_LETTERS) else f"n{count}"
        memo[length] = Symbol(label, many=True)
    return memo[length]


def _dtype(dtype: np.dtype, path: str, what: str) -> str:
    known = _DTYPES.get(dtype)
    if known is not None and dtype.isnative:
        return known
    if dtype.kind == "c":
        raise _refuse(path, f"is a complex {what}", "pass the real and the imaginary part as two arguments")
    if dtype.hasobject:
        raise _refuse(path, f"is an {what} of Python objects", f"{_CONVERT}`np.asarray(x, dtype=float)`")
    if not dtype.isnative:
        raise _refuse(path, f"is a {what} in foreign byte order", f"{_CONVERT}`x.astype(x.dtype.newbyteorder('='))`")
    way = f"{_CONVERT}`x.astype(np.float64)`" if dtype.kind == "f" else "pass numbers"
    raise _refuse(path, f"is {'an' if what[0] == 'a' else 'a'} {what} of dtype {dtype}", way)


def _check_data(value: Any, path: str) -> None:
    """Refuse what looks like numbers and is not of a kind we know; anything else is data."""
    name = type(value).__name__
    if isinstance(value, np.ma.MaskedArray):
        raise _refuse(path, "is a masked array", "pass its data and its mask as two arrays, and use `np.where`")
    if isinstance(value, np.matrix):
        raise _refuse(path, "is a `np.matrix`, whose `*` is a matrix product", f"{_CONVERT}`np.asarray(x)`")
    if isinstance(value, np.ndarray):
        raise _refuse(path, f"is a {name}, a subclass of array", f"{_CONVERT}`np.asarray(x)`")
    if isinstance(value, complex):
        raise _refuse(path, "is a complex number", "pass the real and the imaginary part as two arguments")
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return
    root = (type(value).__module__ or "").partition(".")[0]
    if root in _FOREIGN or hasattr(type(value), "__array__"):
        raise _refuse(path, f"is a {root}.{name}, not a NumPy array", f"{_CONVERT}`np.asarray(x)`")
    if isinstance(value, types.GeneratorType | Iterator):
        raise _refuse(path, f"is a {name}, which can be read only once", "pass `list(x)`")
    if root in ("decimal", "fractions"):
        raise _refuse(path, f"is a {name}", f"{_CONVERT}`float(x)`")


def _refuse(path: str, message: str, way: str) -> ArgumentError:
    return ArgumentError(Diagnostic("ADC205", f"{path} {message}", None, (), (), way))


def _is_record(value: Any) -> bool:
    if isinstance(value, tuple):
        return hasattr(type(value), "_fields")
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(type(value)._fields)  # type: ignore[attr-defined]
    return tuple(field.name for field in dataclasses.fields(value) if field.init)


def _long_list(value: list[Any]) -> type | None:
    """The type of the numbers in a long list of one type of number; None for any other list."""
    if len(value) <= LONG:
        return None
    kinds = set(map(type, value))
    kind = next(iter(kinds))
    return kind if len(kinds) == 1 and kind in _SCALARS else None


def flatten(value: Any, tree: Tree) -> list[Any]:
    """The leaves of a live value, in the order of the tree's."""
    found: list[Any] = []
    _flatten(value, tree, found)
    return found


def _flatten(value: Any, tree: Tree, found: list[Any]) -> None:
    if isinstance(tree, Leaf):
        found.append(value)
    elif isinstance(tree, RecordTree):
        for key, item in zip(tree.keys, tree.items, strict=True):
            _flatten(getattr(value, key), item, found)
    elif isinstance(tree, DictTree):
        for key, item in zip(tree.keys, tree.items, strict=True):
            _flatten(value[key], item, found)
    elif not isinstance(tree, Fixed):
        for part, item in zip(value, tree.items, strict=True):
            _flatten(part, item, found)


def aliases(leaves: Sequence[Any]) -> list[tuple[int, int]]:
    """The positions of arrays that share memory (or may: the exact question can be too hard), in pairs."""
    arrays = [(*_bounds(leaf), k) for k, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray) and leaf.size]
    arrays.sort()
    pairs = []
    for first, (_, end, k) in enumerate(arrays):
        for start, _, other in arrays[first + 1 :]:
            if start >= end:
                break
            if _share(leaves[k], leaves[other]):
                pairs.append((min(k, other), max(k, other)))
    return sorted(pairs)


def _bounds(array: np.ndarray) -> tuple[int, int]:
    home = getattr(np.lib, "array_utils", np)  # NumPy 2, NumPy 1
    low, high = home.byte_bounds(array)
    return low, high


def _share(a: np.ndarray, b: np.ndarray) -> bool:
    try:
        return bool(np.shares_memory(a, b, max_work=10_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


# --------------------------------------------------------------------------------------- calls to keys


class Key:
    """Stands for one signature; compared by identity, so that it hashes at once."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts = parts

    def __repr__(self) -> str:
        return f"Key{self.parts}"


class _Same:
    """An object in a key by identity, kept alive by it."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __hash__(self) -> int:
        return id(self.obj)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.obj is other.obj


class Binder:
    """Binds calls to a function's parameters.

        bound = binder.positional(args, kwargs)    values in the order of the parameters, defaults filled in
        key   = binder.key(bound)                  a hit: some 100 ns an argument
        binder.arguments(bound)                    parameter name -> Tree of Types
        binder.leaves(bound)                       the numbers and arrays, in the order of those trees

    The value of `*args` is a tuple, that of `**kwargs` a dict.  `kinds` are those of `ir.core.Parameter`.
    """

    def __init__(self, parameters: inspect.Signature | Iterable[inspect.Parameter], name: str = "function") -> None:
        given = parameters if isinstance(parameters, inspect.Signature) else inspect.Signature(list(parameters))
        self.signature = given
        self.name = name
        self.parameters = tuple(given.parameters.values())
        self.names = tuple(parameter.name for parameter in self.parameters)
        self.kinds = tuple(_KINDS[parameter.kind] for parameter in self.parameters)
        self._simple = all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in self.parameters)
        self._count = len(self.parameters)
        self._exact: dict[tuple[Any, ...], Key] = {}
        self._keys: dict[tuple[Any, ...], Key] = {}

    # -- binding

    def positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        """The values of all parameters in order; ArgumentError (a TypeError) when the call does not fit."""
        if self._simple:
            if not kwargs and len(args) == self._count:
                return args
            filled = self._filled(args, kwargs)
            if filled is not None:
                return filled
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._unbound(str(error)) from None
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def _filled(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        """`args` and what `kwargs` and defaults give for the rest; None when that does not come out even."""
        values = list(args)
        used = 0
        for parameter in self.parameters[len(args) :]:
            if parameter.name in kwargs:
                values.append(kwargs[parameter.name])
                used += 1
            elif parameter.default is not parameter.empty:
                values.append(parameter.default)
            else:
                return None
        return tuple(values) if used == len(kwargs) and len(values) == self._count else None

    def _unbound(self, why: str) -> ArgumentError:
        shown = f"{self.name}{self.signature.replace(return_annotation=inspect.Signature.empty)}"
        named = next((one for one in self.names if f"'{one}'" in why), None)
        return ArgumentError(
            Diagnostic("ADC208", f"the call does not fit `{self.name}`: {why}", None, (), (), f"call it as `{shown}`"),
            argument=named,
            position=None if named is None else self.names.index(named),
        )

    # -- types

    def arguments(self, bound: Sequence[Any]) -> dict[str, Tree]:
        """The tree of each parameter; lengths that are equal share a symbol.  Raises ArgumentError."""
        memo: Memo = {}
        trees: dict[str, Tree] = {}
        for position, (name, value) in enumerate(zip(self.names, bound, strict=True)):
            try:
                trees[name] = signature_of(value, memo, path=f"argument `{name}`")
            except ArgumentError as error:
                raise ArgumentError(error.diagnostics, argument=name, position=position) from None
        return trees

    def leaves(self, bound: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for value, tree in zip(bound, self.arguments(bound).values(), strict=True):
            _flatten(value, tree, found)
        return found

    def check_aliases(self, bound: Sequence[Any], written: Collection[str]) -> None:
        """Refuse a call in which an argument that the function writes into shares memory with another.

        `written` are the names of the parameters that are written; the compiled function treats each array as
        its own, so the other would not change with it.
        """
        arrays: list[Any] = []
        owners: list[int] = []
        for position, value in enumerate(bound):
            _arrays(value, arrays, 0)
            owners += [position] * (len(arrays) - len(owners))
        for one, other in aliases(arrays):
            a, b = self.names[owners[one]], self.names[owners[other]]
            if a in written or b in written:
                where = f"`{a}` holds two arrays that" if a == b else f"`{a}` and `{b}`"
                message = f"{where} share memory, and `{a if a in written else b}` is written in place"
                raise ArgumentValueError(
                    Diagnostic("ADC206", message, help="pass a copy (`x.copy()`) of one of the two"),
                    argument=b,
                    position=owners[other],
                )

    # -- keys

    def key(self, bound: Sequence[Any]) -> Key:
        """Equal for calls that may share a compiled function.  Raises ArgumentError for refused arguments."""
        parts: list[Any] = []
        for value in bound:
            kind = type(value)
            if kind is np.ndarray:
                parts.append(value.shape)
                parts.append(value.dtype)
            elif kind in _SCALARS:
                parts.append(kind)
            else:
                _parts(value, kind, parts, 0)
        exact = tuple(parts)
        found = self._exact.get(exact)
        return self._new_key(exact, bound) if found is None else found

    def _new_key(self, exact: tuple[Any, ...], bound: Sequence[Any]) -> Key:
        """First time these shapes are seen: the key of their pattern."""
        self.arguments(bound)  # refuses, before anything is remembered
        if len(self._exact) >= KEPT:
            self._exact.clear()
        pattern = _pattern(exact)
        key = self._keys.setdefault(pattern, Key(pattern))
        self._exact[exact] = key
        return key


def _arrays(value: Any, found: list[Any], depth: int) -> None:
    """Append the arrays in a value."""
    if isinstance(value, np.ndarray):
        found.append(value)
    elif depth > DEEPEST:
        return
    elif _is_record(value):
        for field in _fields(value):
            _arrays(getattr(value, field), found, depth + 1)
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _arrays(item, found, depth + 1)


def _parts(value: Any, kind: type, parts: list[Any], depth: int) -> None:
    """Append what identifies the type of `value`, exact shapes as tuples.  Nothing else here is a tuple."""
    if kind is np.ndarray or kind is np.memmap:
        parts.append(value.shape)
        parts.append(value.dtype)
    elif kind in _SCALARS:
        parts.append(kind)
    elif kind is str or value is None:
        parts.append(kind)
        parts.append(value)
    elif depth > DEEPEST:
        parts.append(_Same(value))
    elif kind is tuple or (kind is list and len(value) <= LONG):
        parts.append(kind)
        parts.append(len(value))
        for item in value:
            _parts(item, type(item), parts, depth + 1)
    elif isinstance(value, set | frozenset):
        parts.append(frozenset)
        parts.append(frozenset((type(item), item) for item in value))
    elif isinstance(value, _BY_VALUE):
        parts.append(kind)
        parts.append(value)
    elif isinstance(value, list | tuple | dict) or _is_record(value):
        _container_parts(value, kind, parts, depth)
    elif isinstance(value, np.generic | int | float):
        parts.append(kind)
    else:
        parts.append(_Same(value))


def _container_parts(value: Any, kind: type, parts: list[Any], depth: int) -> None:
    parts.append(kind)
    items: Iterable[Any]
    if _is_record(value) and not isinstance(value, tuple):
        items = [getattr(value, field) for field in _fields(value)]
    elif isinstance(value, dict):
        parts.append(len(value))
        for key in value:
            parts.append(type(key))
            parts.append(_Same(key) if isinstance(key, tuple) else key)
        items = value.values()
    elif kind is list and (scalar := _long_list(value)) is not None:
        parts.append("long")
        parts.append(scalar)
        return
    else:
        parts.append(len(value))
        items = value
    for item in items:
        _parts(item, type(item), parts, depth + 1)


def _pattern(exact: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same with each length replaced by the order of its first appearance; 1 stays."""
    seen: dict[int, int] = {1: 1}
    return tuple(
        tuple(seen.setdefault(length, len(seen) + 1) for length in part) if type(part) is tuple else part
        for part in exact
    )


_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "star",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "kwargs",
}
