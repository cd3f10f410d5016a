"""`x[…]`: reading, writing and deleting, for arrays, lists, tuples, dicts and objects.

get    : Meaning, index -> Meaning
put    : Meaning, index, Meaning -> ()
step   : index -> Index, and whether NumPy makes a view of it (None: not known)
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ad_compiler.frontend import calls, containers, views
from ad_compiler.frontend.context import Lowering, describe, static_int, tensor_type
from ad_compiler.frontend.values import (
    Attribute,
    Choice,
    Entries,
    Group,
    Index,
    Items,
    Lengths,
    Meaning,
    Range,
    Reference,
    Scalar,
    Slice,
    Static,
)
from ad_compiler.ir.core import SliceItem, Slot, Value
from ad_compiler.ir.types import INTEGERS, ListType, Opaque, Tensor, is_scalar

# --------------------------------------------------------------------------------------------- index items


def step(low: Lowering, index: Meaning) -> tuple[Index, bool | None]:
    parts = index.items if isinstance(index, Group) else (index,)
    slots: list[Value] = []
    basic: bool | None = True
    items = []
    for part in parts:
        item, is_basic = _item(low, part, slots)
        items.append(item)
        if is_basic is False:
            basic = False
        elif is_basic is None and basic:
            basic = None
    return Index(tuple(items), tuple(slots)), basic


def _item(low: Lowering, part: Meaning, slots: list[Value]) -> tuple[Any, bool | None]:
    low.check_usable(part)
    if isinstance(part, Slice):
        return slice_item(low, part, slots), True
    if isinstance(part, Static):
        if isinstance(part.value, slice):
            return SliceItem(part.value.start, part.value.stop, part.value.step), True
        if part.value is None or part.value is Ellipsis:
            return part.value, True
        if isinstance(part.value, int) and not isinstance(part.value, bool):
            return part.value, True
        low.refuse("ADC119", f"{describe(part)} cannot be an index")
    value = low.value(part)
    if isinstance(value.type, Tensor) and value.type.dtype in ("f32", "f64", "c64", "c128"):
        low.refuse("ADC119", "a float cannot be an index", help="convert it: `int(…)`")
    slots.append(value)
    if is_scalar(value.type):
        boolean = isinstance(value.type, Tensor) and value.type.dtype == "bool"
        return Slot(len(slots) - 1), not boolean
    known = isinstance(value.type, Tensor) and isinstance(value.type.shape, tuple)
    return Slot(len(slots) - 1), False if known or (
        isinstance(part, Reference | Group) and _is_display(low, part)
    ) else None


def _is_display(low: Lowering, part: Meaning) -> bool:
    return containers.known_items(low, part) is not None


def slice_item(low: Lowering, part: Slice, slots: list[Value]) -> SliceItem:
    bounds: list[Any] = []
    for bound in (part.start, part.stop, part.step):
        if isinstance(bound, Static) and bound.value is None:
            bounds.append(None)
        elif (known := static_int(bound)) is not None:
            bounds.append(known)
        else:
            value = low.value(bound)
            if isinstance(value.type, Tensor) and value.type.dtype in ("f32", "f64"):
                low.refuse("ADC119", "a float cannot be the bound of a slice", help="convert it: `int(…)`")
            slots.append(value)
            bounds.append(Slot(len(slots) - 1))
    return SliceItem(*bounds)


def static_key(low: Lowering, key: Meaning, node: ast.AST | None = None) -> Any:
    """The key of a dict, which must be known when compiling."""
    low.check_usable(key)
    if isinstance(key, Static):
        return key.value
    if isinstance(key, Group):
        return tuple(static_key(low, item, node) for item in key.items)
    low.refuse(
        "ADC118",
        "the key of a dict must be known when compiling",
        node,
        help="use a list or an array, which can be indexed by a number that is computed",
    )


# ------------------------------------------------------------------------------------------------ reading


def get(low: Lowering, owner: Meaning, index: Meaning) -> Meaning:
    low.check_usable(owner)
    low.check_usable(index)
    if isinstance(owner, Choice):
        owner = low.wrap(low.value(owner))
    if isinstance(owner, Group):
        return _of_tuple(low, owner, index)
    if isinstance(owner, Lengths):
        return _length(low, owner, index)
    if isinstance(owner, Static):
        return _of_static(low, owner, index)
    if isinstance(owner, Range):
        return _of_range(low, owner, index)
    if isinstance(owner, Attribute) and owner.name == "flat":
        return get(low, views.flat(low, owner.owner), index)
    if not isinstance(owner, Reference):
        if isinstance(owner, Scalar) and isinstance(owner.value.type, Opaque):
            return _of_opaque(low, owner, index)
        low.refuse("ADC101", f"{describe(owner)} cannot be indexed")
    content = views.content_of(low, owner.root)
    if isinstance(content, Entries):
        return _of_entries(low, owner, content, index)
    if not owner.path and (isinstance(content, Items) or isinstance(content.type, ListType)):
        return containers.get(low, owner.root, index)
    index_step, basic = step(low, index)
    return views.view(low, owner, index_step, basic)


def _of_tuple(low: Lowering, owner: Group, index: Meaning) -> Meaning:
    if isinstance(index, Slice):
        known = containers.static_slice(index)
        if known is None:
            low.refuse("ADC118", "the bounds of a slice of a tuple must be known when compiling")
        return Group(owner.items[known])
    at = static_int(index)
    if at is not None:
        place = containers.position_in(owner.items, at)
        if place is None:
            low.refuse("ADC117", f"index {at} is out of range: the tuple has {len(owner.items)} elements")
        return owner.items[place]
    items = containers.new_list(low, owner.items)
    return containers.get(low, items.root, index)


def _of_entries(low: Lowering, owner: Reference, content: Entries, index: Meaning) -> Meaning:
    if content.cls is not dict:
        method = calls.method_of(low, owner, "__getitem__")
        if method is None:
            low.refuse("ADC116", f"`{content.cls.__name__}` has no `__getitem__`")
        return calls.call(low, method, [index], {})
    key = static_key(low, index)
    found = content.get(key)
    if found is None:
        known = ", ".join(repr(one) for one in content.keys) or "none"
        low.refuse("ADC117", f"the dict has no key {key!r} here", notes=(f"its keys here: {known}",))
    return found


def _of_static(low: Lowering, owner: Static, index: Meaning) -> Meaning:
    from ad_compiler.frontend.names import outside

    if isinstance(owner.value, str | bytes | range) and isinstance(index, Static):
        try:
            return outside(low, owner.value[index.value])
        except (IndexError, TypeError) as error:
            low.refuse("ADC117", f"this index raises {type(error).__name__}: {error}")
    for name in ("r_", "c_", "s_", "mgrid", "ogrid", "index_exp"):
        if owner.value is getattr(np, name):
            low.refuse("ADC101", f"`np.{name}` is not supported", help="use `np.concatenate`, `np.stack`, `np.arange`")
    low.refuse("ADC101", f"{describe(owner)} cannot be indexed")


def _of_range(low: Lowering, owner: Range, index: Meaning) -> Meaning:
    if isinstance(index, Slice):
        low.refuse("ADC101", "a slice of a range is not supported")
    return low.emit("add", owner.start, low.emit("multiply", index, owner.step))


def _length(low: Lowering, owner: Lengths, index: Meaning) -> Meaning:
    """`x.shape[k]` of an array of unknown rank."""
    axis = static_int(index)
    if axis is None:
        low.refuse("ADC118", "which axis's length this is must be known when compiling")
    return low.emit("dim", owner.owner, axis=axis)


def _of_opaque(low: Lowering, owner: Scalar, index: Meaning) -> Meaning:
    low.refuse("ADC101", "what is inside this object is not known when compiling")


# ------------------------------------------------------------------------------------------------ writing


def put(low: Lowering, owner: Meaning, index: Meaning, item: Meaning) -> None:
    low.check_usable(owner)
    low.check_usable(index)
    low.check_usable(item)
    if isinstance(owner, Attribute) and owner.name == "flat":
        owner = views.flat(low, owner.owner)
    if not isinstance(owner, Reference):
        if isinstance(owner, Group):
            low.refuse("ADC117", "a tuple cannot be changed", help="use a list")
        low.refuse("ADC101", f"an element of {describe(owner)} cannot be assigned")
    content = views.content_of(low, owner.root)
    if isinstance(content, Entries):
        return _put_entry(low, owner, content, index, item)
    if not owner.path and (isinstance(content, Items) or isinstance(content.type, ListType)):
        return containers.put(low, owner.root, index, item)
    value = low.value(item)
    index_step, _ = step(low, index)
    _check_assignable(low, owner, value)
    views.write(low, views.step_into(low, owner, index_step), value)
    return None


def _check_assignable(low: Lowering, owner: Reference, value: Value) -> None:
    """NumPy raises for a complex number in a real array; an integer array would cut a float off, silently."""
    into = tensor_type(low, Reference(owner.root))
    if into is None or not isinstance(value.type, Tensor):
        return
    if value.type.dtype in ("c64", "c128") and into.dtype in ("f32", "f64", *INTEGERS):
        low.refuse("ADC119", "a complex number is assigned into an array of real numbers")


def _put_entry(low: Lowering, owner: Reference, content: Entries, index: Meaning, item: Meaning) -> None:
    if content.cls is not dict:
        method = calls.method_of(low, owner, "__setitem__")
        if method is None:
            low.refuse("ADC116", f"`{content.cls.__name__}` has no `__setitem__`")
        calls.call(low, method, [index, item], {})
        return
    containers.changed(low, owner.root, content.put(static_key(low, index), item))


def delete(low: Lowering, owner: Meaning, index: Meaning) -> None:
    """`del xs[i]`."""
    if isinstance(owner, Reference) and not owner.path:
        content = views.content_of(low, owner.root)
        if isinstance(content, Entries) and content.cls is dict:
            return containers.changed(low, owner.root, content.without(static_key(low, index)))
        if isinstance(content, Items):
            at = static_int(index)
            place = None if at is None else containers.position_in(content.items, at)
            if place is not None:
                kept = (*content.items[:place], *content.items[place + 1 :])
                return containers.changed(low, owner.root, Items(kept))
    low.refuse("ADC101", f"deleting an element of {describe(owner)} is not supported here")
