"""What a `for` walks over: known items (the loop is unrolled), or a count and an item for each index.

known    : Meaning -> the items, or None where their number is not known
counting : Meaning -> Counting       start, stop, step, and the item at an index
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ad_compiler.frontend import calls, containers, views
from ad_compiler.frontend.context import Lowering, describe, static_int
from ad_compiler.frontend.names import outside
from ad_compiler.frontend.values import (
    Attribute,
    Entries,
    Group,
    Index,
    Items,
    Meaning,
    OneShot,
    Order,
    Range,
    Reference,
    Root,
    Scalar,
    Series,
    Static,
)
from ad_compiler.ir.core import Slot, Value
from ad_compiler.ir.types import Dim, ListType, Tensor, is_scalar, rank

MOST_UNROLLED = 64  # elements of a list of numbers; longer ones become list values


@dataclass(frozen=True, slots=True)
class Counting:
    start: Meaning
    stop: Meaning
    step: Meaning
    item: Callable[[Value], Meaning]
    length: Callable[[], Meaning]
    dim: Dim | None = None  # the length, where the types say it
    lists: tuple[Root, ...] = ()  # lists that must keep their length meanwhile

    @property
    def is_plain(self) -> bool:
        """Whether it counts 0, 1, 2, …: then the index is also the position."""
        return static_int(self.start) == 0 and static_int(self.step) == 1


# ------------------------------------------------------------------------------------------- iterators


def one_shot(low: Lowering, series: Series) -> Reference:
    """An iterator, which can be walked over once."""
    return Reference(low.root(Entries(("source",), (series,), OneShot)))


def is_one_shot(low: Lowering, meaning: Meaning) -> bool:
    if not isinstance(meaning, Reference):
        return False
    content = low.state.content(meaning.root)
    return isinstance(content, Entries) and content.cls is OneShot


def _spend(low: Lowering, meaning: Meaning) -> Series:
    """What an iterator walks over; from now on it is spent."""
    assert isinstance(meaning, Reference)
    content = views.content_of(low, meaning.root)
    assert isinstance(content, Entries)
    source = content.get("source")
    if not isinstance(source, Series):
        low.refuse("ADC101", "this iterator has been walked over before", help="make it a list: `list(…)`")
    low.state.heap[meaning.root] = Entries(("spent",), (Static(None),), OneShot)
    return source


def counts(low: Lowering, meaning: Meaning) -> bool:
    """Whether it goes through a range, alone or beside other things."""
    if isinstance(meaning, Range):
        return True
    if isinstance(meaning, Static):
        return isinstance(meaning.value, range)
    content = low.state.content(meaning.root) if isinstance(meaning, Reference) and is_one_shot(low, meaning) else None
    source = content.get("source") if isinstance(content, Entries) else None
    return isinstance(source, Series) and any(counts(low, part) for part in source.parts)


def _tried(low: Lowering, look: Callable[[], Any]) -> Any:
    """What `look` finds; iterators that it spent are as before where it finds nothing."""
    heap = dict(low.state.heap)
    found = look()
    if found is None:
        for root, content in heap.items():
            if isinstance(content, Entries) and content.cls is OneShot:
                low.state.heap[root] = content
    return found


# ---------------------------------------------------------------------------------------------- known items


def known(low: Lowering, meaning: Meaning) -> list[Meaning] | None:
    """All items, where their number is known and they are meanings of their own."""
    low.check_usable(meaning)
    if is_one_shot(low, meaning):
        found: list[Meaning] | None = _tried(low, lambda: _known_of_series(low, _spend(low, meaning)))
        return found
    if isinstance(meaning, Group):
        return list(meaning.items)
    if isinstance(meaning, Reference):
        return _known_of_reference(low, meaning)
    if isinstance(meaning, Static):
        if isinstance(meaning.value, str | tuple | list | range | dict | frozenset):
            return [outside(low, one) for one in meaning.value]
        return None
    if isinstance(meaning, Attribute):
        return _known_of_dict(low, meaning)
    if isinstance(meaning, Range):
        bounds = [static_int(part) for part in (meaning.start, meaning.stop, meaning.step)]
        if None in bounds or bounds[2] == 0:
            return None
        span = range(*bounds)  # type: ignore[arg-type]
        return [Static(k) for k in span] if len(span) <= MOST_UNROLLED else None
    return None


def live(low: Lowering, meaning: Meaning) -> list[Callable[[], Meaning]] | None:
    """What gives each item when its turn comes, where their number is known."""
    low.check_usable(meaning)
    if is_one_shot(low, meaning):
        found: list[Callable[[], Meaning]] | None = _tried(low, lambda: _live_series(low, _spend(low, meaning)))
        return found
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Items):
            size = len(content.items)
            return [functools.partial(_item_now, low, meaning.root, k, size) for k in range(size)]
    if isinstance(meaning, Attribute):
        items = _known_of_dict(low, meaning)
        size = 0 if items is None else len(items)
        return None if items is None else [functools.partial(_entry_now, low, meaning, k, size) for k in range(size)]
    fixed = known(low, meaning)
    return None if fixed is None else [functools.partial(_same, one) for one in fixed]


def _same(meaning: Meaning) -> Meaning:
    return meaning


def _item_now(low: Lowering, root: Root, k: int, size: int) -> Meaning:
    content = views.content_of(low, root)
    if not isinstance(content, Items) or len(content.items) != size:
        low.refuse("ADC101", "this list changes its length while the loop walks over it", help="walk over a copy")
    return content.items[k]


def _entry_now(low: Lowering, view: Attribute, k: int, size: int) -> Meaning:
    items = _known_of_dict(low, view)
    if items is None or len(items) != size:
        low.refuse("ADC101", "this dict changes its size while the loop walks over it", help="walk over a copy")
    return items[k]


def _live_series(low: Lowering, series: Series) -> list[Callable[[], Meaning]] | None:
    parts = [live(low, part) for part in series.parts]
    if any(part is None for part in parts):
        return None
    columns: list[list[Callable[[], Meaning]]] = parts  # type: ignore[assignment]
    if series.kind in ("zip", "map"):
        make = series.extra if series.kind == "map" else None
        return [functools.partial(_row, low, row, make) for row in zip(*columns, strict=False)]
    if series.kind == "enumerate":
        first = static_int(series.extra)
        if first is None:
            return None
        return [functools.partial(_numbered, k, one) for k, one in enumerate(columns[0], first)]
    if series.kind == "reversed":
        return columns[0][::-1]
    if series.kind == "chain":
        return [one for column in columns for one in column]
    fixed = _known_of_series(low, series)
    return None if fixed is None else [functools.partial(_same, one) for one in fixed]


def _row(low: Lowering, row: Sequence[Callable[[], Meaning]], make: Meaning | None) -> Meaning:
    items = [one() for one in row]
    return Group(tuple(items)) if make is None else calls.call(low, make, items, {})


def _numbered(k: int, item: Callable[[], Meaning]) -> Meaning:
    return Group((Static(k), item()))


def _known_of_reference(low: Lowering, meaning: Reference) -> list[Meaning] | None:
    content = views.content_of(low, meaning.root)
    if isinstance(content, Items):
        return list(content.items)
    if isinstance(content, Entries):
        if content.cls is dict:
            return [outside(low, key) for key in content.keys]
        method = calls.method_of(low, meaning, "__iter__")
        return None if method is None else known(low, calls.call(low, method, [], {}))
    return None


def _known_of_dict(low: Lowering, meaning: Attribute) -> list[Meaning] | None:
    owner = meaning.owner
    content = views.content_of(low, owner.root) if isinstance(owner, Reference) else None
    if not isinstance(content, Entries) or meaning.name not in ("items()", "keys()", "values()"):
        return None
    keys = [outside(low, key) for key in content.keys]
    if meaning.name == "items()":
        return [Group(pair) for pair in zip(keys, content.items, strict=True)]
    return list(content.items) if meaning.name == "values()" else keys


def _known_of_series(low: Lowering, meaning: Series) -> list[Meaning] | None:
    parts = [known(low, part) for part in meaning.parts]
    if any(part is None for part in parts):
        return None
    lists: list[list[Meaning]] = parts  # type: ignore[assignment]
    if meaning.kind == "zip":
        return [Group(row) for row in zip(*lists, strict=False)]
    if meaning.kind == "enumerate":
        first = static_int(meaning.extra)
        return None if first is None else [Group((Static(k), item)) for k, item in enumerate(lists[0], first)]
    if meaning.kind == "reversed":
        return lists[0][::-1]
    if meaning.kind == "chain":
        return [item for part in lists for item in part]
    if meaning.kind == "map":
        return [calls.call(low, meaning.extra, list(row), {}) for row in zip(*lists, strict=False)]
    if meaning.kind == "product":
        rows: list[tuple[Meaning, ...]] = [()]
        for part in lists:
            rows = [(*row, item) for row in rows for item in part]
        return [Group(row) for row in rows]
    return None


# --------------------------------------------------------------------------------------------- counting


def counting(low: Lowering, meaning: Meaning) -> Counting:
    """How to count through it; a diagnostic when there is no way."""
    low.check_usable(meaning)
    if is_one_shot(low, meaning):
        return _of_series(low, _spend(low, meaning))
    if isinstance(meaning, Range):
        return _of_range(low, meaning)
    if isinstance(meaning, Static) and isinstance(meaning.value, range):
        r = meaning.value
        return _of_range(low, Range(Static(r.start), Static(r.stop), Static(r.step)))
    if isinstance(meaning, Group):
        return _of_list(low, containers.new_list(low, meaning.items))
    if isinstance(meaning, Attribute) and meaning.name == "flat":
        return counting(low, views.flat(low, meaning.owner))
    if isinstance(meaning, Reference):
        content = views.content_of(low, meaning.root)
        if isinstance(content, Items) or (not meaning.path and isinstance(content.type, ListType)):
            return _of_list(low, meaning)
        if not isinstance(content, Entries):
            return _of_array(low, meaning)
    low.refuse("ADC101", f"a loop over {describe(meaning)} is not supported")


def _of_range(low: Lowering, meaning: Range) -> Counting:
    def length() -> Meaning:
        if static_int(meaning.step) == 1:
            span = meaning.stop if static_int(meaning.start) == 0 else _minus(low, meaning.stop, meaning.start)
            return low.emit("maximum", span, Static(0))
        top = _minus(low, _plus(low, meaning.stop, meaning.step), meaning.start)
        step = static_int(meaning.step)
        if step is None:
            low.refuse("ADC118", "the step of this range must be known when compiling")
        top = _minus(low, top, Static(1 if step > 0 else -1))
        return low.emit("maximum", low.emit("floor_divide", top, meaning.step), Static(0))

    for part in (meaning.start, meaning.stop, meaning.step):
        value = low.value(part) if not isinstance(part, Static) else None
        if value is not None and isinstance(value.type, Tensor) and value.type.dtype in ("f32", "f64", "c128"):
            low.refuse("ADC119", "the bounds of a range must be integers", help="convert them: `int(…)`")
    return Counting(meaning.start, meaning.stop, meaning.step, Scalar, length)


def _plus(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    from ad_compiler.frontend.operators import binary

    return binary(low, ast.Add(), a, b)


def _minus(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    from ad_compiler.frontend.operators import binary

    return binary(low, ast.Sub(), a, b)


def _plain(length: Callable[[], Meaning], item: Callable[[Value], Meaning], **more: Any) -> Counting:
    return Counting(Static(0), length(), Static(1), item, length, **more)


def _of_array(low: Lowering, meaning: Reference) -> Counting:
    """Rows are views; elements are numbers."""
    value = views.read(low, meaning)
    if is_scalar(value.type):
        low.refuse("ADC101", "a loop over a number is not supported")
    dim = value.type.shape[0] if rank(value.type) and isinstance(value.type, Tensor) else None  # type: ignore[index]

    def item(i: Value) -> Meaning:
        return views.view(low, meaning, Index((Slot(0),), (i,)), True)

    return _plain(lambda: first_length(low, value), item, dim=dim)


def first_length(low: Lowering, value: Value) -> Meaning:
    """`len(x)` of an array."""
    type = value.type
    if isinstance(type, Tensor) and isinstance(type.shape, tuple) and type.shape and type.shape[0].symbol is None:
        return Static(type.shape[0].offset)
    return Scalar(low.builder.one("dim", value, axis=0))


def _of_list(low: Lowering, meaning: Reference) -> Counting:
    root = meaning.root
    containers.materialise(low, root)
    low.state.order.setdefault(root, Order())
    return _plain(lambda: low.emit("list_len", Reference(root)), lambda i: containers.take(low, root, i), lists=(root,))


def _of_series(low: Lowering, meaning: Series) -> Counting:
    if meaning.kind == "zip":
        return _of_zip(low, [counting(low, part) for part in meaning.parts])
    if meaning.kind == "enumerate":
        inner = _counted_from_zero(low, counting(low, meaning.parts[0]))

        def numbered(i: Value) -> Meaning:
            return Group((_plus(low, meaning.extra, Scalar(i)) if _is_shifted(meaning) else Scalar(i), inner.item(i)))

        return Counting(inner.start, inner.stop, inner.step, numbered, inner.length, inner.dim, inner.lists)
    if meaning.kind == "reversed":
        inner = counting(low, meaning.parts[0])
        if isinstance(meaning.parts[0], Range) and static_int(inner.step) == 1:
            start, stop = _minus(low, inner.stop, Static(1)), _minus(low, inner.start, Static(1))
            return Counting(start, stop, Static(-1), inner.item, inner.length)
        plain = _counted_from_zero(low, inner)
        start = _minus(low, plain.length(), Static(1))
        return Counting(start, Static(-1), Static(-1), plain.item, plain.length, plain.dim, plain.lists)
    if meaning.kind == "map":
        zipped = _of_zip(low, [counting(low, part) for part in meaning.parts])

        def mapped(i: Value) -> Meaning:
            row = zipped.item(i)
            assert isinstance(row, Group)
            return calls.call(low, meaning.extra, list(row.items), {})

        return Counting(zipped.start, zipped.stop, zipped.step, mapped, zipped.length, None, zipped.lists)
    if meaning.kind in ("product", "ndindex"):
        return _of_product(low, [_counted_from_zero(low, counting(low, part)) for part in meaning.parts])
    low.refuse("ADC101", f"a loop over `{meaning.kind}` is not supported where its length is not known")


def _is_shifted(meaning: Series) -> bool:
    return static_int(meaning.extra) != 0


def _counted_from_zero(low: Lowering, inner: Counting) -> Counting:
    if inner.is_plain:
        return inner

    def item(i: Value) -> Meaning:
        from ad_compiler.frontend.operators import binary

        offset = binary(low, ast.Mult(), Scalar(i), inner.step) if static_int(inner.step) != 1 else Scalar(i)
        return inner.item(low.value(_plus(low, inner.start, offset)))

    return _plain(inner.length, item, dim=inner.dim, lists=inner.lists)


def _of_zip(low: Lowering, parts: list[Counting]) -> Counting:
    if not parts:
        low.refuse("ADC101", "a loop over an empty `zip` is not supported")
    parts = [_counted_from_zero(low, part) for part in parts]

    def length() -> Meaning:
        lengths: list[Meaning] = []
        dims: list[Dim] = []
        for part in parts:
            if part.dim is not None and part.dim in dims:
                continue  # surely the same length as one before
            if part.dim is not None:
                dims.append(part.dim)
            lengths.append(part.length())
        shortest = lengths[0]
        for one in lengths[1:]:
            numbers = static_int(shortest), static_int(one)
            shortest = (
                Static(min(numbers)) if None not in numbers else low.emit("minimum", shortest, one)  # type: ignore[type-var]
            )
        return shortest

    lists = tuple(root for part in parts for root in part.lists)
    return _plain(length, lambda i: Group(tuple(part.item(i) for part in parts)), lists=lists)


def _of_product(low: Lowering, parts: list[Counting]) -> Counting:
    """All combinations, the last part fastest, counted by one index."""
    from ad_compiler.frontend.operators import binary

    lengths = [part.length() for part in parts]

    def length() -> Meaning:
        total = lengths[0]
        for one in lengths[1:]:
            total = binary(low, ast.Mult(), total, one)
        return total

    def item(i: Value) -> Meaning:
        rest: Meaning = Scalar(i)
        found: list[Meaning] = []
        for part, size in reversed(list(zip(parts, lengths, strict=True))[1:]):
            found.append(part.item(low.value(binary(low, ast.Mod(), rest, size))))
            rest = binary(low, ast.FloorDiv(), rest, size)
        found.append(parts[0].item(low.value(rest)))
        return Group(tuple(reversed(found)))

    return _plain(length, item)
