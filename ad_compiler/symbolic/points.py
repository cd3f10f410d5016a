"""Points to check a derivative at: values for the leaves of a signature, and directions at them.

A point is taken from what the user said, else from a call of the function with literal arguments in the same
file, else drawn at random in boxes that most programs are defined in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ad_compiler.frontend.read import Definition
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, TupleTree, rebuild
from ad_compiler.ir.trees import Tree as Structure
from ad_compiler.ir.trees import leaves as tree_leaves
from ad_compiler.ir.types import (
    COMPLEXES,
    FLOATS,
    UNKNOWN_DTYPE,
    Dim,
    ListType,
    Opaque,
    Symbol,
    Tensor,
    TupleType,
)
from ad_compiler.symbolic.terms import UncheckedError

Arguments = Mapping[str, Structure]
BOXES = ((0.5, 1.5), (-1.0, 1.0), (0.1, 0.9), (1.2, 3.0), (-0.3, 0.3), (2.0, 9.0))
LENGTHS = (3, 2, 4, 5)
COUNTS = (3, 2, 1, 4, 0)
RANKS = ((), (3,), (3, 3))  # what an argument of unknown rank is tried as


class Sampler:
    """Draws values for types; equal symbols have equal lengths."""

    def __init__(self, seed: int, attempt: int) -> None:
        self.random = np.random.default_rng([seed, attempt])
        self.low, self.high = BOXES[attempt % len(BOXES)]
        self.count = COUNTS[attempt % len(COUNTS)]
        self.rank = RANKS[(attempt // 2) % len(RANKS)]
        self.lengths: dict[int, int] = {}
        self.symbols: list[Symbol] = []  # keeps them alive, so that their ids stay theirs

    def value(self, type: Any) -> Any:
        if isinstance(type, Tensor):
            return self.tensor(type)
        if isinstance(type, ListType):
            return [self.value(type.element) for _ in range(3)]
        if isinstance(type, TupleType):
            return tuple(map(self.value, type.elements))
        what = f" ({type.label})" if isinstance(type, Opaque) else ""
        raise UncheckedError(f"there is no way to draw a value for an argument that is no number{what}")

    def tensor(self, type: Tensor) -> Any:
        shape = self.rank if isinstance(type.shape, Symbol) else tuple(map(self.length, type.shape))
        if type.dtype in (*FLOATS, UNKNOWN_DTYPE):
            drawn: Any = self.random.uniform(self.low, self.high, shape)
            return drawn if shape else float(drawn)
        if type.dtype in COMPLEXES:
            raise UncheckedError("complex arguments are not drawn")
        if type.dtype == "bool":
            return self.random.random(shape) < 0.5 if shape else True
        return self.random.integers(0, 3, shape) if shape else self.count

    def length(self, dim: Dim) -> int:
        if dim.symbol is None:
            return dim.offset
        if id(dim.symbol) not in self.lengths:
            self.lengths[id(dim.symbol)] = LENGTHS[len(self.symbols) % len(LENGTHS)]
            self.symbols.append(dim.symbol)
        return max(self.lengths[id(dim.symbol)] + dim.offset, 0)


def drawn(arguments: Arguments, given: Mapping[str, Any], seed: int, attempt: int) -> dict[str, Any]:
    """A value for each argument: the one given, or one that fits its types."""
    sampler = Sampler(seed, attempt)
    return {name: given[name] if name in given else _build(tree, sampler) for name, tree in arguments.items()}


def _build(tree: Structure, sampler: Sampler) -> Any:
    return rebuild(tree, iter([sampler.value(leaf.payload) for leaf in tree_leaves(tree)]))


def fitted(value: Any, tree: Structure) -> Any:
    """A literal as the types want it: `2` is 2.0 for a float, a nested list an array for a tensor."""
    if isinstance(tree, Fixed):
        return tree.value
    if isinstance(tree, Leaf):
        return _fitted_leaf(value, tree.payload)
    if isinstance(tree, TupleTree | ListTree):
        if not isinstance(value, list | tuple) or len(value) != len(tree.items):
            raise UncheckedError(f"`{value!r}` does not have {len(tree.items)} parts")
        parts = [fitted(part, item) for part, item in zip(value, tree.items, strict=True)]
        return parts if isinstance(tree, ListTree) else tuple(parts)
    if isinstance(tree, DictTree):
        return {key: fitted(value[key], item) for key, item in zip(tree.keys, tree.items, strict=True)}
    return value


def _fitted_leaf(value: Any, type: Any) -> Any:
    if not isinstance(type, Tensor):
        if isinstance(type, ListType) and isinstance(value, list | tuple):
            return [_fitted_leaf(part, type.element) for part in value]
        return value
    real = type.dtype in (*FLOATS, UNKNOWN_DTYPE)
    if isinstance(value, list | tuple):
        return np.array(value, dtype=float if real else None)
    return float(value) if real and isinstance(value, int) and not isinstance(value, bool) else value


def from_calls(definition: Definition) -> dict[str, Any]:
    """The arguments of a call of this function with literal arguments, where its file has one."""
    if definition.function is not None or not isinstance(definition.node, ast.FunctionDef):
        return {}
    names = [one.arg for one in (*definition.node.args.posonlyargs, *definition.node.args.args)]
    for call in ast.walk(ast.parse(definition.source.text)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != definition.name:
            continue
        try:
            values = dict(zip(names, map(ast.literal_eval, call.args), strict=False))
            values |= {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        except (ValueError, TypeError, SyntaxError):
            continue
        if values and len(call.args) <= len(names):
            return values
    return {}


# ------------------------------------------------------------------------------------------------- directions


def is_float(leaf: Any) -> bool:
    return isinstance(leaf, float | np.floating) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")


def direction(leaf: Any, random: np.random.Generator) -> Any:
    """A random tangent (or cotangent) for a leaf, of its structure."""
    if isinstance(leaf, list | tuple):
        return type(leaf)([direction(part, random) for part in leaf])
    if not is_float(leaf):
        return np.zeros(np.shape(leaf)) if np.ndim(leaf) else 0.0
    drawn = random.uniform(0.5, 1.5, np.shape(leaf)) * random.choice([-1.0, 1.0], np.shape(leaf))
    return drawn if isinstance(leaf, np.ndarray) else float(drawn)


def moved(leaf: Any, tangent: Any, step: float) -> Any:
    """leaf + step * tangent."""
    if isinstance(leaf, list | tuple):
        return type(leaf)([moved(a, b, step) for a, b in zip(leaf, tangent, strict=True)])
    return leaf + step * tangent if is_float(leaf) else leaf


def terms(a: Any, b: Any) -> Iterator[float]:
    """The products whose sum is ⟨a, b⟩."""
    if isinstance(a, list | tuple):
        for x, y in zip(a, b, strict=True):
            yield from terms(x, y)
    else:
        yield from np.ravel(np.asarray(a, float) * np.asarray(b, float)).tolist()


def finite(leaf: Any) -> bool:
    if isinstance(leaf, list | tuple):
        return all(map(finite, leaf))
    return not is_float(leaf) or bool(np.all(np.isfinite(leaf)))


def close(a: Any, b: Any) -> bool:
    """Equal up to the order of additions."""
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(close, a, b))
    return bool(np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9, atol=1e-12, equal_nan=True))


def same(a: Any, b: Any) -> bool:
    """Exactly equal."""
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(np.array_equal(a, b, equal_nan=is_float(a))) if isinstance(a, np.ndarray) else bool(a == b or a is b)
