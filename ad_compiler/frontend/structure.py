"""Between meanings and trees: what goes into a function and comes out of one.

take_in  : Tree, name   -> Meaning, and the values of its leaves are new parameters
hand_out : Meaning      -> Tree, and the values of its leaves
given    : Tree, values -> Meaning
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ad_compiler.frontend import views
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.names import outside
from ad_compiler.frontend.values import (
    Choice,
    Closure,
    Entries,
    Group,
    Items,
    Meaning,
    OneShot,
    Reference,
    Static,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, Tree, TupleTree, map_leaves
from ad_compiler.ir.types import Dim, ListType, Opaque, Symbol, Tensor, TupleType, Type, is_scalar


def take_in(low: Lowering, tree: Tree, name: str, flat: Iterator[Value]) -> Meaning:
    """The argument of this structure, its leaves from `flat`."""
    if isinstance(tree, Leaf):
        value = next(flat)
        if isinstance(value.type, TupleType) or is_scalar(value.type) or isinstance(value.type, Opaque):
            return low.wrap(value, name)
        root = low.root(value, name)
        root.argument = name
        return Reference(root)
    if isinstance(tree, Fixed):
        return outside(low, tree.value, name)
    if isinstance(tree, TupleTree):
        return Group(tuple(take_in(low, item, f"{name}_{k}", flat) for k, item in enumerate(tree.items)))
    if isinstance(tree, ListTree):
        items = tuple(take_in(low, item, f"{name}_{k}", flat) for k, item in enumerate(tree.items))
        return Reference(low.root(Items(items), name))
    parts = tuple(take_in(low, item, _joined(name, key), flat) for key, item in zip(tree.keys, tree.items, strict=True))
    if isinstance(tree, DictTree):
        return Reference(low.root(Entries(tree.keys, parts), name))
    if issubclass(tree.cls, tuple):
        return Group(parts, tree.cls)
    return Reference(low.root(Entries(tree.keys, parts, tree.cls), name))


def _joined(name: str, key: Any) -> str:
    text = str(key)
    return f"{name}_{text}" if text.isidentifier() or text.isdigit() else name


def parameters_of(tree: Tree, name: str) -> list[Value]:
    """A value for each leaf, named after the argument."""
    if isinstance(tree, Leaf):
        return [Value(tree.payload, name)]
    if isinstance(tree, Fixed):
        return []
    keys = tree.keys if isinstance(tree, DictTree | RecordTree) else range(len(tree.items))
    return [
        value for key, item in zip(keys, tree.items, strict=True) for value in parameters_of(item, _joined(name, key))
    ]


def hand_out(low: Lowering, meaning: Meaning, flat: list[Value], name: str = "") -> Tree:
    """The structure of a result; the values of its leaves are added to `flat`."""
    low.check_usable(meaning)
    if isinstance(meaning, Group):
        items = tuple(hand_out(low, item, flat) for item in meaning.items)
        return TupleTree(items) if meaning.cls is tuple else RecordTree(meaning.cls, meaning.cls._fields, items)
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Items):
            return ListTree(tuple(hand_out(low, item, flat) for item in content.items))
        if isinstance(content, Entries) and content.cls is OneShot:
            low.refuse("ADC101", "an iterator cannot be handed out", help="make it a list: `list(…)`")
        if isinstance(content, Entries):
            items = tuple(hand_out(low, item, flat) for item in content.items)
            if content.cls is dict:
                return DictTree(content.keys, items)
            return RecordTree(content.cls, content.keys, items)
    if isinstance(meaning, Static) and not isinstance(meaning.value, bool | int | float | complex):
        return Fixed(meaning.value)
    if isinstance(meaning, Choice):
        low.refuse(
            "ADC114",
            "the function returns a value on one path and none, or something of another kind, on another",
            help="return the same structure on every path",
        )
    if isinstance(meaning, Closure):
        low.refuse("ADC101", "a function that is returned cannot leave the function that is differentiated")
    value = low.value(meaning)
    flat.append(value)
    return Leaf(value.type)


def given(low: Lowering, tree: Tree, flat: Iterator[Value]) -> Meaning:
    """The result of a call of this structure."""
    return take_in(low, tree, "", flat)


# ------------------------------------------------------------------------------- types without lengths


def generalised(type: Type) -> Type:
    """The type with every length unknown, each by itself."""
    if isinstance(type, Tensor):
        return Tensor(
            type.dtype, Symbol() if isinstance(type.shape, Symbol) else tuple(Dim(Symbol()) for _ in type.shape)
        )
    if isinstance(type, ListType):
        return ListType(generalised(type.element))
    if isinstance(type, TupleType):
        return TupleType(tuple(map(generalised, type.elements)))
    return type


def generalised_tree(tree: Tree) -> Tree:
    return map_leaves(tree, lambda leaf: Leaf(generalised(leaf.payload)))


def form(tree: Tree) -> Any:
    """A key that is the same for trees that differ in lengths only."""
    if isinstance(tree, Leaf):
        return type_form(tree.payload)
    if isinstance(tree, Fixed):
        plain = isinstance(tree.value, str | int | float | complex | type(None))
        return "fixed", type(tree.value).__name__, repr(tree.value) if plain else id(tree.value)
    keys = getattr(tree, "keys", None)
    return type(tree).__name__, keys, id(getattr(tree, "cls", None)), tuple(map(form, tree.items))


def type_form(type: Type) -> Any:
    if isinstance(type, Tensor):
        return type.dtype, None if isinstance(type.shape, Symbol) else len(type.shape)
    if isinstance(type, ListType):
        return "list", type_form(type.element)
    if isinstance(type, TupleType):
        return "tuple", tuple(map(type_form, type.elements))
    return type
