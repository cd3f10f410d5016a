"""The structure of an argument or a result: which leaves it has and how Python holds them.

`Tree` is a grammar; `leaves` and `rebuild` go between a structure and the flat list of its leaves.  A leaf
carries whatever its owner hangs on it: a type in a signature, a value index in a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Leaf:
    payload: Any = None  # an ir Type, where the tree describes one


@dataclass(frozen=True, slots=True)
class Fixed:
    """A part that is no number: None, a string, a function, known when compiling."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class TupleTree:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class ListTree:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class DictTree:
    keys: tuple[Any, ...]
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class RecordTree:
    """A dataclass or a named tuple: its class and its fields."""

    cls: Any
    keys: tuple[str, ...]
    items: tuple[Tree, ...]


Tree: TypeAlias = Leaf | Fixed | TupleTree | ListTree | DictTree | RecordTree


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves from left to right."""
    if isinstance(tree, Leaf):
        yield tree
    elif not isinstance(tree, Fixed):
        for item in tree.items:
            yield from leaves(item)


def count(tree: Tree) -> int:
    return sum(1 for _ in leaves(tree))


def map_leaves(tree: Tree, change: Callable[[Leaf], Tree]) -> Tree:
    """The same structure with every leaf replaced by `change(leaf)`."""
    if isinstance(tree, Leaf):
        return change(tree)
    if isinstance(tree, Fixed):
        return tree
    items = tuple(map_leaves(item, change) for item in tree.items)
    if isinstance(tree, TupleTree):
        return TupleTree(items)
    if isinstance(tree, ListTree):
        return ListTree(items)
    if isinstance(tree, DictTree):
        return DictTree(tree.keys, items)
    return RecordTree(tree.cls, tree.keys, items)


def rebuild(tree: Tree, flat: Iterator[Any]) -> Any:
    """The Python object of this structure, its leaves taken from `flat`."""
    if isinstance(tree, Leaf):
        return next(flat)
    if isinstance(tree, Fixed):
        return tree.value
    items = [rebuild(item, flat) for item in tree.items]
    if isinstance(tree, ListTree):
        return items
    if isinstance(tree, TupleTree):
        return tuple(items)
    if isinstance(tree, DictTree):
        return dict(zip(tree.keys, items, strict=True))
    return tree.cls(**dict(zip(tree.keys, items, strict=True)))
