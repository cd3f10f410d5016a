"""Reading and writing arrays through references: what a view shows, and what a write to it changes.

read      : Reference -> Value           the root's content, through the steps of the path
write     : Reference, Value -> ()       the root's content with the view replaced; aliases become stale
type_of   : Reference -> Type
rearrange : Reference, op -> Reference   `x.T`, `x.reshape(…)`, where it surely is a view
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.values import (
    Conflict,
    Entries,
    Index,
    Items,
    Meaning,
    Rearranged,
    Reference,
    Root,
    Scalar,
    Stale,
    Step,
    pair,
)
from ad_compiler.ir.core import Block, IndexItem, SliceItem, Slot, Value
from ad_compiler.ir.types import ListType, Tensor, Type, is_scalar, join, rank


def content_of(low: Lowering, root: Root) -> Any:
    """What a root holds; a diagnostic when that is no longer known."""
    content = low.state.content(root)
    if content is None:
        low.refuse("ADC103", "this object is not bound on every path that leads here")
    if isinstance(content, Stale):
        problem = content.diagnostic
        low.refuse(problem.code, problem.message, labels=problem.labels, help=problem.help)
    return content


def read(low: Lowering, reference: Reference) -> Value:
    from ad_compiler.frontend import containers

    content = content_of(low, reference.root)
    if isinstance(content, Items):
        return containers.as_list_value(low, content)
    if isinstance(content, Entries):
        low.refuse("ADC101", f"{'a dict' if content.cls is dict else 'an object'} cannot be used as a number here")
    if not reference.path:
        return content
    cached = low.state.reads.get(reference)
    if cached is not None and cached[0] is content:
        return cached[1]
    before = read(low, Reference(reference.root, reference.path[:-1]))
    value = _apply(low, before, reference.path[-1])
    low.state.reads[reference] = (content, value)
    return value


def type_of(low: Lowering, reference: Reference) -> Type | None:
    """The type of what is read; None for a dict or an object."""
    content = content_of(low, reference.root)
    if isinstance(content, Value) and not reference.path:
        return content.type
    if isinstance(content, Entries | Items):
        return None
    with low.scratch():
        return read(low, reference).type


def _apply(low: Lowering, value: Value, step: Step) -> Value:
    if isinstance(step, Index):
        return low.builder.one("getitem", value, *step.slots, index=step.items)
    return low.builder.one(step.name, value, *step.slots, **dict(step.attributes))


# ----------------------------------------------------------------------------------------------- writing


def write(low: Lowering, reference: Reference, value: Value) -> None:
    """Replace what the reference shows by `value`, which is broadcast and converted if the last step is an index."""
    root = reference.root
    before = content_of(low, root)
    check_own(low, root)
    after = _put(low, before, reference.path, value)
    if after is not value or not after.hint:
        after.hint = after.hint or root.hint
    low.state.heap[root] = after
    home = root.home
    held = None if home is None else low.state.content(home.holder)
    touch(low, root)
    if home is not None and isinstance(held, Value) and low.state.order.get(home.holder) is home.order:
        if (home.holder, home.holder) not in low.state.holds:  # it still lies there, and nowhere else
            low.state.heap[home.holder] = low.builder.one("list_set", held, home.position, after, hint=held.hint)


def check_own(low: Lowering, root: Root) -> None:
    """Refuse to change what belongs to the world outside the function."""
    around = [root, *(b if a is root else a for a, b in low.state.aliases if root in (a, b))]
    for one in around:
        if one.outside is not None:
            name = one.hint or "this"
            low.refuse(
                "ADC113",
                f"`{name}` belongs to the world outside the function, and is written here",
                help=f"work on a copy of `{name}`",
            )


def _put(low: Lowering, base: Value, path: tuple[Step, ...], value: Value) -> Value:
    """`base` with the part that `path` shows replaced."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if rest:
        value = _put(low, _apply(low, base, step), rest, value)
    if isinstance(step, Index):
        return low.builder.one("setitem", base, value, *step.slots, index=step.items)
    if step.back == "reshape_like":
        return low.builder.one("reshape_like", value, base)
    return low.builder.one(step.back, value, **dict(step.back_attributes))


def touch(low: Lowering, root: Root, *, elements: bool = True) -> None:
    """What may be the same memory as `root`, which was just written, is no longer known.

    A list that has grown is another list, but the arrays in it are what they were: then `elements` is False.
    """
    twins = [b if a is root else a for a, b in low.state.aliases if root in (a, b)]
    for other in twins:
        if not _follow(low, root, other):
            _lose(low, other)
    if elements:
        changed = {root, *twins}
        for holder, held in list(low.state.holds):
            if held in changed:
                _lose(low, holder)


def _follow(low: Lowering, root: Root, other: Root) -> bool:
    """Give `other` the content it has after `root` was written, where a test says whether they are the same."""
    after, before = low.state.content(root), low.state.content(other)
    if isinstance(before, Stale):
        return True
    if not all(isinstance(one, Value) and isinstance(one.type, Tensor) for one in (after, before)):
        return False
    assert isinstance(after, Value) and isinstance(before, Value)
    origin, reverse = low.state.origins.get(root), low.state.origins.get(other)
    if origin is not None and any(side is not None and side.root is other for side in origin.sides):

        def written(side: Reference | None) -> Value:
            return before if side is None or side.root is not other else _put(low, before, side.path, after)

        changed = _select(low, origin.test, lambda: written(origin.sides[0]), lambda: written(origin.sides[1]))
    elif reverse is not None and any(side is not None and side.root is root for side in reverse.sides):

        def seen(side: Reference | None) -> Value:
            return before if side is None or side.root is not root else read(low, side)

        changed = _select(low, reverse.test, lambda: seen(reverse.sides[0]), lambda: seen(reverse.sides[1]))
    else:
        return False
    changed.hint = other.hint
    low.state.heap[other] = changed
    return True


def _select(low: Lowering, test: Value, first: Callable[[], Value], second: Callable[[], Value]) -> Value:
    blocks, values = [Block(), Block()], []
    for block, make in zip(blocks, (first, second), strict=True):
        with low.on(block, low.state.copy()):
            values.append(make())
            low.builder.terminate("yield", values[-1:])
    (result,) = low.builder.emit("if", [test], types=[join(values[0].type, values[1].type)], regions=blocks)
    return result


def _lose(low: Lowering, root: Root) -> None:
    spans = [(low.builder.span, "this write may have changed it")] if low.builder.span else []
    name = f"`{root.hint}`" if root.hint else "this"
    low.state.heap[root] = Stale(
        Conflict(
            "ADC104",
            f"{name} may or may not share memory with what was written before it is read here",
            tuple(spans),
            help="make a copy (`.copy()`) of one of the two, so that they share nothing",
        )
    )


def may_alias(low: Lowering, a: Root, b: Root) -> None:
    """From now on the two may be the same memory."""
    low.state.aliases[pair(a, b)] = None


def share_aliases(low: Lowering, new: Root, old: Root) -> None:
    """`new` may be the memory of `old`, and of whatever `old` may be."""
    for a, b in list(low.state.aliases):
        if old in (a, b):
            may_alias(low, new, b if a is old else a)
    for holder, held in list(low.state.holds):
        if held is old:
            low.state.holds[holder, new] = None
    may_alias(low, new, old)


# --------------------------------------------------------------------------------------------- extending


def step_into(low: Lowering, reference: Reference, step: Index) -> Reference:
    """The view `reference[step]`; `A[i][j]` becomes the one step `A[i, j]`."""
    path = reference.path
    if path and isinstance(path[-1], Index) and all(_is_position(item) for item in path[-1].items):
        last, moved = path[-1], len(path[-1].slots)
        items = last.items + tuple(_shifted(item, moved) for item in step.items)
        if items.count(Ellipsis) <= 1:
            return Reference(reference.root, (*path[:-1], Index(items, last.slots + step.slots)))
    return Reference(reference.root, (*path, step))


def _is_position(item: IndexItem) -> bool:
    return isinstance(item, int | Slot)


def _shifted(item: Any, by: int) -> Any:
    if isinstance(item, Slot):
        return Slot(item.position + by)
    if isinstance(item, SliceItem):
        return SliceItem(_shifted(item.start, by), _shifted(item.stop, by), _shifted(item.step, by))
    return item


def view(low: Lowering, reference: Reference, step: Index, basic: bool | None) -> Meaning:
    """The meaning of `x[…]`: a number, a view, or, for an advanced index, a new array."""
    if basic:
        extended = step_into(low, reference, step)
        value = read(low, extended)
        if is_scalar(value.type):
            return Scalar(value)
        if rank(value.type) is not None:
            return extended
        result = low.root(value)  # a number or a view: which, is not known
        share_aliases(low, result, reference.root)
        return Reference(result)
    value = _apply(low, read(low, reference), step)
    if is_scalar(value.type):
        return Scalar(value)
    result = low.root(value)
    if basic is None:
        share_aliases(low, result, reference.root)
    return Reference(result)


def view_at(low: Lowering, meaning: Meaning, k: int) -> Meaning:
    """`x[k]`."""
    assert isinstance(meaning, Reference)
    return view(low, meaning, Index((k,)), True)


def rearrange(
    low: Lowering, reference: Reference, name: str, slots: tuple[Value, ...], attributes: dict[str, Any]
) -> Meaning:
    """`x.T`, `x.reshape(…)`…: a view where NumPy surely gives one, something that may be one elsewhere."""
    base = type_of(low, reference)
    back, back_attributes = _back(name, attributes, base)
    step = Rearranged(name, tuple(sorted(attributes.items())), slots, back, back_attributes)
    extended = Reference(reference.root, (*reference.path, step))
    value = read(low, extended)
    if is_scalar(value.type):
        return Scalar(value)
    if isinstance(base, ListType):
        return Reference(low.root(value))
    if back and (name not in ("reshape", "ravel") or _surely_view(name, reference, base)):
        return extended
    result = low.root(value)
    share_aliases(low, result, reference.root)
    return Reference(result)


def flat(low: Lowering, meaning: Meaning) -> Reference:
    """`x.flat`: all elements in C order, written through wherever they lie."""
    if not isinstance(meaning, Reference):
        low.refuse("ADC101", "only an array has `flat`")
    return Reference(meaning.root, (*meaning.path, Rearranged("ravel", (), (), "reshape_like")))


def _back(name: str, attributes: dict[str, Any], base: Type | None) -> tuple[str, tuple[tuple[str, Any], ...]]:
    if name == "transpose":
        axes = attributes.get("axes")
        if axes is not None:
            order = [axis % len(axes) for axis in axes]
            axes = tuple(order.index(k) for k in range(len(order)))
        return "transpose", (("axes", axes),)
    if name == "swapaxes" or name == "flip":
        return name, tuple(sorted(attributes.items()))
    if name == "moveaxis":
        return name, (("destination", attributes["source"]), ("source", attributes["destination"]))
    if name in ("reshape", "ravel", "squeeze", "expand_dims"):
        return "reshape_like", ()
    return "", ()


def _surely_view(name: str, reference: Reference, base: Type | None) -> bool:
    """Whether `reshape` or `ravel` is a view: of one axis `reshape` always is, else where the elements lie in order."""
    if name == "reshape" and rank(base) == 1:  # type: ignore[arg-type]
        return True
    return not reference.path and reference.root.contiguous
