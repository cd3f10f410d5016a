"""Methods of lists, dicts, tuples and strings."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ad_compiler.frontend import containers, iteration, subscripts, views
from ad_compiler.frontend.context import Lowering, static_int
from ad_compiler.frontend.values import (
    NONE,
    Attribute,
    Entries,
    Group,
    Items,
    Meaning,
    Reference,
    Root,
    Static,
)
from ad_compiler.ir.core import SliceItem, Slot

Keywords = dict[str, Meaning]

# -------------------------------------------------------------------------------------------------- lists


def append(low: Lowering, root: Root, item: Meaning) -> None:
    low.check_usable(item)
    content = views.content_of(low, root)
    if isinstance(content, Items):
        return containers.changed(low, root, Items((*content.items, item)))
    containers.changed(low, root, low.builder.one("append", content, containers.element_value(low, item)))
    containers.hold(low, root, item)
    return None


def extend(low: Lowering, root: Root, other: Meaning) -> None:
    content, items = views.content_of(low, root), iteration.known(low, other)
    if items is not None and (isinstance(content, Items) or len(items) <= 4):
        for item in items:
            append(low, root, item)
        return
    if not isinstance(other, Reference) or containers.list_value(low, other) is None:
        if items is None:
            from ad_compiler.frontend.comprehensions import collect

            other = collect(low, other)
        else:
            other = containers.new_list(low, items)
    assert isinstance(other, Reference)
    before = containers.materialise(low, root)
    joined = low.builder.one("list_concat", before, containers.materialise(low, other.root))
    containers.changed(low, root, joined)
    containers.copied(low, root, other.root)


def pop(low: Lowering, root: Root, index: Meaning | None) -> Meaning:
    content = views.content_of(low, root)
    at = -1 if index is None else static_int(index)
    if isinstance(content, Items) and at is not None:
        place = containers.position_in(content.items, at)
        if place is None:
            low.refuse("ADC117", "`pop` from a list that is empty here")
        item = content.items[place]
        containers.changed(low, root, Items((*content.items[:place], *content.items[place + 1 :])))
        return item
    before = containers.materialise(low, root)
    if at == -1:
        rest, last = low.builder.emit("pop", [before])
        item = containers.taken(low, root, None, last)
        containers.changed(low, root, rest)
        return item
    assert index is not None
    position = low.value(index)
    item = containers.take(low, root, position)
    if at == 0:
        rest = low.builder.one("list_slice", before, index=(SliceItem(1, None, None),))
    else:
        after = low.builder.one("add", position, low.constant(1))
        first = low.builder.one("list_slice", before, position, index=(SliceItem(None, Slot(0), None),))
        second = low.builder.one("list_slice", before, after, index=(SliceItem(Slot(0), None, None),))
        rest = low.builder.one("list_concat", first, second)
    if isinstance(item, Reference):
        item.root.home = None
    containers.changed(low, root, rest)
    return item


def insert(low: Lowering, root: Root, index: Meaning, item: Meaning) -> None:
    content, at = views.content_of(low, root), static_int(index)
    if isinstance(content, Items) and at is not None:
        items = list(content.items)
        items.insert(at, item)
        return containers.changed(low, root, Items(tuple(items)))
    before = containers.materialise(low, root)
    one = low.builder.one("list", containers.element_value(low, item))
    position = low.value(index)
    first = low.builder.one("list_slice", before, position, index=(SliceItem(None, Slot(0), None),))
    second = low.builder.one("list_slice", before, position, index=(SliceItem(Slot(0), None, None),))
    joined = low.builder.one("list_concat", low.builder.one("list_concat", first, one), second)
    containers.changed(low, root, joined)
    containers.hold(low, root, item)
    return None


def reverse(low: Lowering, root: Root) -> None:
    content = views.content_of(low, root)
    if isinstance(content, Items):
        return containers.changed(low, root, Items(content.items[::-1]))
    return containers.changed(low, root, low.builder.one("list_reverse", content))


def _clear(low: Lowering, root: Root) -> None:
    containers.changed(low, root, Items(()))


def _remove(low: Lowering, root: Root, item: Meaning) -> None:
    place = _index(low, root, item)
    pop(low, root, place)


def _index(low: Lowering, root: Root, item: Meaning) -> Meaning:
    from ad_compiler.frontend.operators import compare

    content = views.content_of(low, root)
    if isinstance(content, Items):
        for k, one in enumerate(content.items):
            equal = compare(low, ast.Eq(), one, item)
            if not isinstance(equal, Static):
                break
            if equal.value:
                return Static(k)
    low.refuse("ADC118", "where this stands in the list must be known when compiling")


def _count(low: Lowering, root: Root, item: Meaning) -> Meaning:
    low.refuse("ADC101", "`count` of a list is not supported")


def _copy(low: Lowering, root: Root) -> Meaning:
    return containers.copy(low, Reference(root), deep=False)


def _sort(low: Lowering, root: Root, **keywords: Meaning) -> None:
    from ad_compiler.frontend.reducing import sorted_items

    items = iteration.known(low, Reference(root))
    if items is None:
        low.refuse("ADC118", "a list is sorted only where its length is known when compiling")
    containers.changed(low, root, Items(tuple(sorted_items(low, items, dict(keywords)))))


METHODS: dict[str, Callable[..., Any]] = {
    "append": append,
    "extend": extend,
    "pop": lambda low, root, index=None: pop(low, root, index),
    "insert": insert,
    "reverse": reverse,
    "clear": _clear,
    "remove": _remove,
    "index": _index,
    "count": _count,
    "copy": _copy,
    "sort": _sort,
}

# -------------------------------------------------------------------------------------------------- dicts


def _entries(low: Lowering, root: Root) -> Entries:
    content = views.content_of(low, root)
    assert isinstance(content, Entries)
    return content


def _get(low: Lowering, root: Root, key: Meaning, default: Meaning = NONE) -> Meaning:
    found = _entries(low, root).get(subscripts.static_key(low, key))
    return default if found is None else found


def _dict_pop(low: Lowering, root: Root, key: Meaning, *default: Meaning) -> Meaning:
    content, wanted = _entries(low, root), subscripts.static_key(low, key)
    found = content.get(wanted)
    if found is None:
        if default:
            return default[0]
        low.refuse("ADC117", f"the dict has no key {wanted!r} here")
    containers.changed(low, root, content.without(wanted))
    return found


def _set_default(low: Lowering, root: Root, key: Meaning, default: Meaning = NONE) -> Meaning:
    content, wanted = _entries(low, root), subscripts.static_key(low, key)
    found = content.get(wanted)
    if found is None:
        containers.changed(low, root, content.put(wanted, default))
        return default
    return found


def _update(low: Lowering, root: Root, *others: Meaning, **keywords: Meaning) -> None:
    content = _entries(low, root)
    for other in others:
        added = low.state.content(other.root) if isinstance(other, Reference) else None
        if isinstance(added, Entries):
            for key, item in zip(added.keys, added.items, strict=True):
                content = content.put(key, item)
            continue
        pairs = iteration.known(low, other)
        if pairs is None:
            low.refuse("ADC118", "the keys given to `update` must be known when compiling")
        for pair in pairs:
            items = containers.known_items(low, pair) or ()
            content = content.put(subscripts.static_key(low, items[0]), items[1])
    for name, item in keywords.items():
        content = content.put(name, item)
    containers.changed(low, root, content)


def _view(name: str) -> Callable[..., Meaning]:
    return lambda low, root: Attribute(Reference(root), f"{name}()")


DICT_METHODS: dict[str, Callable[..., Any]] = {
    "get": _get,
    "pop": _dict_pop,
    "setdefault": _set_default,
    "update": _update,
    "items": _view("items"),
    "keys": _view("keys"),
    "values": _view("values"),
    "copy": _copy,
}


def call_list_method(
    low: Lowering, owner: Reference, name: str, arguments: list[Meaning], keywords: Keywords
) -> Meaning:
    content = views.content_of(low, owner.root)
    table = DICT_METHODS if isinstance(content, Entries) else METHODS
    try:
        result = table[name](low, owner.root, *arguments, **keywords)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            low.refuse("ADC117", f"`{name}` is called with arguments that do not fit it")
        raise
    return NONE if result is None else result


def call_string_method(
    low: Lowering, owner: Static, name: str, arguments: list[Meaning], keywords: Keywords
) -> Meaning:
    from ad_compiler.frontend.names import outside
    from ad_compiler.frontend.text import formatted_by_method

    values = [*arguments, *keywords.values()]
    if all(isinstance(one, Static) for one in values):
        try:
            result = getattr(owner.value, name)(
                *[one.value for one in arguments],  # type: ignore[union-attr]
                **{key: one.value for key, one in keywords.items()},  # type: ignore[union-attr]
            )
        except Exception as error:
            low.refuse("ADC117", f"this call raises {type(error).__name__}: {error}")
        return outside(low, tuple(result) if isinstance(result, list) else result)
    if name == "format":
        return formatted_by_method(low, owner, arguments, keywords)
    low.refuse("ADC118", "the arguments of a method of a string must be known when compiling")


def call_tuple_method(low: Lowering, owner: Group, name: str, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    if name == "_replace":
        fields = owner.cls._fields
        return Group(tuple(keywords.get(f, item) for f, item in zip(fields, owner.items, strict=True)), owner.cls)
    if name == "index":
        return _index(low, containers.new_list(low, owner.items).root, arguments[0])
    low.refuse("ADC116", f"the method `{name}` of a tuple is not supported")
