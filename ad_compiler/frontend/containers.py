"""Lists and dicts.

A list of known length is `Items` in the heap: exact, its elements any meanings.  Where its length varies
with the run (it grows in a loop, its index is computed) it becomes one SSA value of `ListType`
(`materialise`), whose elements are values: then `holds` remembers which arrays lie in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_compiler.frontend import views
from ad_compiler.frontend.context import Lowering, is_number, static_int
from ad_compiler.frontend.values import (
    Entries,
    Group,
    Home,
    Items,
    Meaning,
    Order,
    Poison,
    Reference,
    Root,
    Scalar,
    Slice,
    State,
    Static,
    map_meanings,
)
from ad_compiler.ir.core import SliceItem, Value
from ad_compiler.ir.trees import Leaf, ListTree, Tree
from ad_compiler.ir.types import ListType, TupleType, Type, is_scalar

# ------------------------------------------------------------------------------------- becoming a value


def new_list(low: Lowering, items: Sequence[Meaning], hint: str = "") -> Reference:
    return Reference(low.root(Items(tuple(items)), hint))


def as_list_value(low: Lowering, content: Items) -> Value:
    return low.builder.one("list", *[element_value(low, item) for item in content.items])


def element_value(low: Lowering, item: Meaning) -> Value:
    """What a list value holds for this element."""
    if isinstance(item, Group):
        return low.builder.one("tuple", *[element_value(low, part) for part in item.items])
    if isinstance(item, Reference) and isinstance(views.content_of(low, item.root), Entries):
        low.refuse(
            "ADC101",
            "a list whose length is not known when compiling cannot hold dicts or objects",
            help="keep one list for each part",
        )
    return low.value(item)


def materialise(low: Lowering, root: Root) -> Value:
    """Make the list one value, if it is not; its elements are shared with whoever else has them."""
    content = views.content_of(low, root)
    if isinstance(content, Value):
        return content
    assert isinstance(content, Items)
    value = as_list_value(low, content)
    value.hint = root.hint
    for item in content.items:
        hold(low, root, item)
    low.state.heap[root] = value
    low.state.order[root] = Order()
    return value


def hold(low: Lowering, root: Root, item: Meaning) -> None:
    """The list value `root` now has a copy of `item`: who writes one makes the other unknown."""
    for part in roots_within(low.state, item):
        pairs = low.state.aliases
        twins = [b if a is part else a for a, b in pairs if part in (a, b)]
        if any((root, twin) in low.state.holds for twin in (part, *twins)):
            low.state.holds[root, root] = None  # the same array may lie in it twice
        low.state.holds[root, part] = None
        _share_elements(low, root, part)


def _share_elements(low: Lowering, root: Root, other: Root) -> None:
    """The arrays in `other`, if that is a list value, may lie in `root` too."""
    content = low.state.content(other)
    if isinstance(content, Value) and isinstance(content.type, ListType):
        for holder, held in list(low.state.holds):
            if holder is other and held is not root:
                low.state.holds[root, root if held is other else held] = None
        low.state.holds[other, root] = None
        low.state.holds[root, other] = None


def roots_within(state: State, item: Meaning) -> list[Root]:
    """The arrays, and lists of arrays, in an element."""
    if isinstance(item, Group):
        return [root for part in item.items for root in roots_within(state, part)]
    if not isinstance(item, Reference):
        return []
    content = state.content(item.root)
    if isinstance(content, Items):
        return [root for part in content.items for root in roots_within(state, part)]
    if isinstance(content, Value) and isinstance(content.type, ListType) and is_scalar(content.type.element):
        return []
    return [item.root]


def holds_arrays(type: Type) -> bool:
    if isinstance(type, TupleType):
        return any(map(holds_arrays, type.elements))
    return not is_scalar(type)


def array_of(low: Lowering, meaning: Meaning) -> Value:
    """`np.array` of a display of numbers and arrays, nested as it is."""
    flat: list[Value] = []
    tree = _display(low, meaning, flat)
    if isinstance(tree, Leaf):
        return flat[0]
    return low.builder.one("array", *flat, tree=tree)


def _display(low: Lowering, meaning: Meaning, flat: list[Value]) -> Tree:
    items = known_items(low, meaning)
    if items is None:
        flat.append(low.value(meaning))
        return Leaf(flat[-1].type)
    return ListTree(tuple(_display(low, item, flat) for item in items))


# ---------------------------------------------------------------------------------------------- elements


def known_items(low: Lowering, meaning: Meaning) -> tuple[Meaning, ...] | None:
    """The elements of a tuple, or of a list of known length."""
    if isinstance(meaning, Group):
        return meaning.items
    if isinstance(meaning, Reference) and not meaning.path:
        content = low.state.content(meaning.root)
        if isinstance(content, Items):
            return content.items
    if isinstance(meaning, Static) and isinstance(meaning.value, str | tuple | list):
        from ad_compiler.frontend.names import outside

        return tuple(outside(low, one) for one in meaning.value)
    return None


def list_value(low: Lowering, meaning: Meaning) -> Value | None:
    """The value of a list whose length is not known."""
    if isinstance(meaning, Reference) and not meaning.path:
        content = low.state.content(meaning.root)
        if isinstance(content, Value) and isinstance(content.type, ListType):
            return content
    return None


def take(low: Lowering, root: Root, position: Value) -> Meaning:
    """`xs[i]` of a list value: a number, or an array that still lies in the list."""
    value = low.builder.one("list_get", materialise(low, root), position)
    return taken(low, root, position, value)


def taken(low: Lowering, root: Root, position: Value | None, value: Value) -> Meaning:
    """An element that was taken out of a list value; with a position, it still lies there."""
    result = low.wrap(value)
    direct = isinstance(result, Reference)
    for part in roots_within(low.state, result):
        for holder, held in list(low.state.holds):
            if holder is root and held is not root:
                content = low.state.content(held)
                if isinstance(content, Value) and isinstance(content.type, ListType):
                    low.state.holds[held, part] = None
                else:
                    views.share_aliases(low, part, held)
        if position is not None or (root, root) in low.state.holds:
            low.state.holds[root, part] = None
        if direct and position is not None:
            part.home = Home(root, position, low.state.order.setdefault(root, Order()))
    return result


def changed(low: Lowering, root: Root, content: Any, *, same_length: bool = False) -> None:
    """The list or dict has another content now."""
    views.check_own(low, root)
    if isinstance(content, Value):
        content.hint = content.hint or root.hint
        before = low.state.order.get(root)
        low.state.order[root] = Order(before.length) if same_length and before is not None else Order()
    low.state.heap[root] = content
    views.touch(low, root, elements=False)


def position_in(items: Sequence[Any], index: int) -> int | None:
    """The position that `index` means, or None when it is out of range."""
    at = index + len(items) if index < 0 else index
    return at if 0 <= at < len(items) else None


def get(low: Lowering, root: Root, index: Meaning) -> Meaning:
    """`xs[index]`."""
    content = views.content_of(low, root)
    if isinstance(index, Slice):
        return _sliced(low, root, content, index)
    known = static_int(index)
    if isinstance(content, Items):
        if known is not None:
            at = position_in(content.items, known)
            if at is None:
                low.refuse("ADC117", f"index {known} is out of range: the list has {len(content.items)} elements here")
            return content.items[at]
        if not content.items:
            low.refuse("ADC117", "the list is empty here")
    return take(low, root, low.value(index))


def put(low: Lowering, root: Root, index: Meaning, item: Meaning) -> None:
    """`xs[index] = item`."""
    content = views.content_of(low, root)
    if isinstance(index, Slice):
        return _put_slice(low, root, content, index, item)
    known = static_int(index)
    if isinstance(content, Items) and known is not None:
        at = position_in(content.items, known)
        if at is None:
            low.refuse("ADC117", f"index {known} is out of range: the list has {len(content.items)} elements here")
        return changed(low, root, Items((*content.items[:at], item, *content.items[at + 1 :])))
    before = materialise(low, root)
    value = low.builder.one("list_set", before, low.value(index), element_value(low, item))
    changed(low, root, value, same_length=True)
    hold(low, root, item)
    return None


def static_slice(index: Slice) -> slice | None:
    parts: list[int | None] = []
    for part in (index.start, index.stop, index.step):
        if isinstance(part, Static) and part.value is None:
            parts.append(None)
        elif is_number(part):
            parts.append(static_int(part))
        else:
            return None
    return slice(*parts)


def _sliced(low: Lowering, root: Root, content: Any, index: Slice) -> Meaning:
    from ad_compiler.frontend.subscripts import slice_item

    known = static_slice(index)
    if isinstance(content, Items) and known is not None:
        return new_list(low, content.items[known])
    before = materialise(low, root)
    slots: list[Value] = []
    item: SliceItem = slice_item(low, index, slots)
    result = low.root(low.builder.one("list_slice", before, *slots, index=(item,)))
    return copied(low, result, root)


def copied(low: Lowering, result: Root, source: Root) -> Reference:
    """`result` is a list value made of the elements of `source`."""
    before = low.state.content(source)
    if isinstance(before, Value) and isinstance(before.type, ListType) and holds_arrays(before.type.element):
        _share_elements(low, result, source)
    return Reference(result)


def _put_slice(low: Lowering, root: Root, content: Any, index: Slice, item: Meaning) -> None:
    known, new = static_slice(index), known_items(low, item)
    if not isinstance(content, Items) or known is None or new is None:
        low.refuse("ADC101", "a slice of a list can be assigned only where the lengths are known when compiling")
    items = list(content.items)
    items[known] = list(new)
    changed(low, root, Items(tuple(items)))


# ------------------------------------------------------------------------------------------------- joining


def concatenate(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    """`a + b` of two tuples or two lists."""
    first, second = known_items(low, a), known_items(low, b)
    if isinstance(a, Group) and isinstance(b, Group):
        return Group(a.items + b.items)
    if first is not None and second is not None:
        return new_list(low, first + second)
    assert isinstance(a, Reference) and isinstance(b, Reference)
    value = low.builder.one("list_concat", materialise(low, a.root), materialise(low, b.root))
    result = low.root(value)
    copied(low, result, a.root)
    copied(low, result, b.root)
    return Reference(result)


def repeat(low: Lowering, items: Meaning, times: Meaning) -> Meaning:
    """`[0.0] * n`."""
    known, count = known_items(low, items), static_int(times)
    if known is not None and count is not None and len(known) * count <= 64:
        if isinstance(items, Group):
            return Group(known * max(count, 0))
        return new_list(low, known * max(count, 0))
    if isinstance(items, Group):
        low.refuse("ADC118", "a tuple is repeated a number of times that must be known when compiling")
    assert isinstance(items, Reference)
    value = low.builder.one("list_repeat", materialise(low, items.root), low.value(times))
    result = low.root(value)
    copied(low, result, items.root)
    if holds_arrays(value.type.element if isinstance(value.type, ListType) else value.type):
        low.state.holds[result, result] = None
    return Reference(result)


def copy(low: Lowering, meaning: Meaning, *, deep: bool) -> Meaning:
    """`x.copy()`, `copy.deepcopy(x)`: what is copied shares nothing, or (a shallow copy) its elements."""
    if isinstance(meaning, Group) and deep:
        return Group(tuple(copy(low, item, deep=True) for item in meaning.items), meaning.cls)
    if not isinstance(meaning, Reference):
        return meaning
    content = views.content_of(low, meaning.root)
    if isinstance(content, Items | Entries):
        fresh = map_meanings(content, lambda item: copy(low, item, deep=True) if deep else item)
        return Reference(low.root(fresh))
    value = views.read(low, meaning)
    result = low.root(low.builder.one("copy", value))
    result.contiguous = True
    if isinstance(value.type, ListType) and not deep:
        return copied(low, result, meaning.root)
    return Reference(result)


def poisoned(items: Sequence[Meaning]) -> bool:
    return any(isinstance(item, Poison) for item in items)


__all__ = ["Scalar", "get", "put"]
