"""Where paths meet: one state that stands for several.

    Meeting(low, states, leaf).state() -> State

Two branches of an `if`, or the entry of a loop and the end of its body, are the *edges* of a meeting.  What is
the same on all edges stays; what differs becomes a new SSA value, which the caller makes (`leaf`: a result of
the `if`, a parameter of the loop's body).  A name that stands for different objects on different edges stands
for a new root afterwards, one for each combination of objects; two roots may be the same memory if on some
edge their objects are.  So `a, b = b, a` leaves two roots that are known to be distinct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ad_compiler.frontend.values import (
    POISON,
    UNBOUND,
    Attribute,
    Bound,
    Choice,
    Closure,
    Conflict,
    Content,
    Entries,
    Group,
    Items,
    Lengths,
    Meaning,
    Poison,
    Range,
    Reference,
    Root,
    Scalar,
    Series,
    Slice,
    Stale,
    State,
    Static,
    Unbound,
    Variable,
    pair,
    same,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import ListType

if TYPE_CHECKING:
    from ad_compiler.frontend.context import Lowering

Part: TypeAlias = "Meaning | Content | None"  # what one edge has; None: nothing
Leaf = Callable[[Sequence[Any], str], Value]
NUMBER = (bool, int, float, complex)


class Meeting:
    """`edges` are states that nothing is lowered from any more, but for reading in them."""

    def __init__(self, low: Lowering, edges: Sequence[State], leaf: Leaf, live: Callable[[Variable], bool]) -> None:
        self.low = low
        self.edges = edges
        self.leaf = leaf
        self.live = live
        self.result = State()
        self.made: dict[tuple[Any, ...], Root] = {}  # new roots by what they are on each edge
        self.origins: dict[Root, tuple[Root | None, ...]] = {}  # a root afterwards -> its root on each edge
        self.parts: dict[Root, Sequence[Meaning]] = {}  # a new root -> what it is on each edge
        self.melted: dict[Root, None] = {}  # roots that become list values: their elements are copied

    def state(self) -> State:
        """All variables and all roots, met; in the order in which they came about."""
        variables: dict[Variable, None] = {}
        for edge in self.edges:
            variables.update(dict.fromkeys(edge.variables))
        for variable in variables:
            if not self.live(variable):
                continue
            parts = [edge.variables.get(variable, UNBOUND) for edge in self.edges]
            met = self.meaning(parts, "" if variable.name.startswith("<") else variable.name)
            if not isinstance(met, Unbound):
                self.result.variables[variable] = met
        self._kept_roots()
        self._relations()
        self._orders()
        first = self.edges[0]
        for root, origin in first.origins.items():
            if root in self.result.heap and all(edge.origins.get(root) is origin for edge in self.edges[1:]):
                self.result.origins[root] = origin
        for reference, cached in first.reads.items():
            others = [edge.reads.get(reference) for edge in self.edges[1:]]
            if all(one is not None and one[1] is cached[1] for one in others):
                self.result.reads[reference] = cached
        return self.result

    # -- meanings

    def meaning(self, parts: Sequence[Meaning], hint: str) -> Meaning:
        first = parts[0]
        if all(same(part, first) for part in parts[1:]):
            return first
        for part in parts:
            if isinstance(part, Poison):
                return POISON
        for part in parts:
            if isinstance(part, Conflict):
                return part
        bound = [part for part in parts if not isinstance(part, Unbound)]
        if any(isinstance(part, Choice) for part in bound):
            return self._choice(parts, hint)
        if all(isinstance(part, Reference) for part in bound):
            return self._references(parts, hint)
        if all(_is_number(part) or isinstance(part, Scalar) for part in bound):
            return self._static_or_leaf(parts, bound, hint)
        if all(_is_number(part) or isinstance(part, Scalar | Reference) for part in bound):
            return self._mixed(parts, hint)
        return self._structured(parts, bound, hint)

    def _static_or_leaf(self, parts: Sequence[Meaning], bound: Sequence[Meaning], hint: str) -> Meaning:
        if isinstance(bound[0], Static) and all(same(part, bound[0]) for part in bound):
            return bound[0]  # reading it where it is not bound is an error in Python
        return Scalar(self.leaf(parts, hint))

    def _structured(self, parts: Sequence[Meaning], bound: Sequence[Meaning], hint: str) -> Meaning:
        first = bound[0]
        if isinstance(first, Group) and all(
            isinstance(part, Group) and len(part.items) == len(first.items) and part.cls is first.cls for part in bound
        ):
            return Group(
                tuple(self.meaning([_item(part, k) for part in parts], hint) for k in range(len(first.items))),
                first.cls,
            )
        if all(same(part, first) for part in bound):
            return first
        for kind in (Range, Slice):
            if all(isinstance(part, kind) for part in bound):
                fields = [
                    self.meaning([getattr(part, name, UNBOUND) for part in parts], hint)
                    for name in ("start", "stop", "step")
                ]
                return kind(*fields)
        if isinstance(first, Lengths | Attribute) and all(type(part) is type(first) for part in bound):
            owner = self.meaning([getattr(part, "owner", UNBOUND) for part in parts], hint)
            return Lengths(owner) if isinstance(first, Lengths) else Attribute(owner, first.name)
        if isinstance(first, Bound) and all(isinstance(part, Bound) and _alike(part, first) for part in bound):
            return self._bounds(parts, first, hint)
        if isinstance(first, Closure) and all(
            isinstance(part, Closure) and part.definition.node is first.definition.node and part.outer is first.outer
            for part in bound
        ):
            return self._closures(parts, first, hint)
        return self._choice(parts, hint)

    def _bounds(self, parts: Sequence[Meaning], first: Bound, hint: str) -> Meaning:
        arguments = tuple(
            self.meaning([one.arguments[k] if isinstance(one, Bound) else UNBOUND for one in parts], hint)
            for k in range(len(first.arguments))
        )
        keywords = tuple(
            (name, self.meaning([one.keywords[k][1] if isinstance(one, Bound) else UNBOUND for one in parts], hint))
            for k, (name, _) in enumerate(first.keywords)
        )
        return Bound(first.function, arguments, keywords)

    def _closures(self, parts: Sequence[Meaning], first: Closure, hint: str) -> Meaning:
        defaults = tuple(
            (name, self.meaning([one.defaults[k][1] if isinstance(one, Closure) else UNBOUND for one in parts], hint))
            for k, (name, _) in enumerate(first.defaults)
        )
        return Closure(first.definition, first.outer, defaults)

    def _choice(self, parts: Sequence[Meaning], hint: str) -> Meaning:
        """Two kinds of things, told apart by a tag; more than two are a conflict."""
        made = [part for part in parts if isinstance(part, Choice)]
        kinds: list[Meaning] = [made[0].first, made[0].second] if made else []  # a representative of each
        for part in parts:
            if not isinstance(part, Unbound | Choice) and not any(_same_kind(part, one) for one in kinds):
                kinds.append(part)
        kinds.sort(key=lambda one: not (isinstance(one, Static) and one.value is None))
        agree = all(_same_kind(one.first, kinds[0]) and _same_kind(one.second, kinds[1]) for one in made)
        if len(kinds) != 2 or not agree or any(isinstance(one, Series) for one in kinds):
            return _no_common_form(hint)
        tags, firsts, seconds = [], [], []
        for part in parts:
            tag, first, second = _split(part, kinds)
            tags.append(tag)
            firsts.append(first)
            seconds.append(second)
        tag = self.meaning(tags, hint and f"{hint}_is_none")
        return Choice(tag, self.meaning(firsts, hint), self.meaning(seconds, hint))

    # -- references

    def _references(self, parts: Sequence[Meaning], hint: str) -> Meaning:
        bound = [part for part in parts if isinstance(part, Reference)]
        first = bound[0]
        everywhere = all(edge.content(first.root) is not None for edge in self.edges)
        if all(part.root is first.root and part.path == first.path for part in bound) and everywhere:
            if len(bound) == len(parts) or not first.path:
                return first
        return Reference(self._new_root(parts, hint or first.root.hint))

    def _mixed(self, parts: Sequence[Meaning], hint: str) -> Meaning:
        """A number on one edge, an array on another."""
        return Reference(self._new_root(parts, hint))

    def _new_root(self, parts: Sequence[Meaning], hint: str) -> Root:
        key = tuple((p.root, p.path) if isinstance(p, Reference) else (type(p), id(p)) for p in parts)
        root = self.made.get(key)
        if root is not None:
            return root
        root = self.made[key] = Root(self.low.serial(), hint, self.low.builder.span)
        roots = [part.root if isinstance(part, Reference) else None for part in parts]
        self.origins[root] = tuple(roots)
        self.parts[root] = parts
        root.contiguous = all(one is None or one.contiguous for one in roots)
        contents: list[Any] = []
        for edge, part in zip(self.edges, parts, strict=True):
            whole = edge.content(part.root) if isinstance(part, Reference) else None
            viewed = isinstance(part, Reference) and part.path and not isinstance(whole, Stale)
            contents.append(part if whole is None or viewed else whole)
        self.result.heap[root] = self.content(root, contents, parts)
        return root

    def _kept_roots(self) -> None:
        """The roots that all edges have, by their serial: those there were before the paths parted."""
        first, *others = self.edges
        for root in list(first.heap):
            if root in self.result.heap or not all(root in other.heap for other in others):
                continue
            contents = [edge.heap[root] for edge in self.edges]
            self.origins[root] = (root,) * len(self.edges)
            if all(content is contents[0] for content in contents):
                self.result.heap[root] = contents[0]
            else:
                self.result.heap[root] = self.content(root, contents, [Reference(root)] * len(self.edges))

    def content(self, root: Root, contents: Sequence[Any], parts: Sequence[Meaning]) -> Content:
        """What `root` holds, given what it holds on each edge (a Meaning where that is no whole root)."""
        for content in contents:
            if isinstance(content, Stale):
                return content
        bound = [content for content in contents if content is not None and not isinstance(content, Unbound)]
        if all(isinstance(one, Entries) for one in bound):
            return self._entries(contents, bound, root)
        if any(isinstance(one, Entries) for one in bound):
            return Stale(_no_common_form(root.hint))
        if all(isinstance(one, Items) for one in bound) and len({len(one.items) for one in bound}) == 1:
            size = len(bound[0].items)
            items = [
                self.meaning([one.items[k] if isinstance(one, Items) else UNBOUND for one in contents], root.hint)
                for k in range(size)
            ]
            return Items(tuple(items))
        if any(isinstance(one, Items) for one in bound) and not all(_is_list(one) for one in bound):
            return Stale(_no_common_form(root.hint))
        if any(isinstance(one, Items) for one in bound):
            self.melted[root] = None
        there = [UNBOUND if isinstance(one, Unbound) else part for one, part in zip(contents, parts, strict=True)]
        return self.leaf(there, root.hint)

    def _entries(self, contents: Sequence[Any], bound: Sequence[Any], root: Root) -> Content:
        first = bound[0]
        if any(one.cls is not first.cls or set(one.keys) != set(first.keys) for one in bound):
            return Stale(
                Conflict(
                    "ADC114",
                    f"`{root.hint or 'this'}` has other keys on one path than on another",
                    help="give it the same keys on every path",
                )
            )
        items = [
            self.meaning(
                [(one.get(key) or UNBOUND) if isinstance(one, Entries) else UNBOUND for one in contents], str(key)
            )
            for key in first.keys
        ]
        return Entries(first.keys, tuple(items), first.cls)

    # -- relations between roots

    def _relations(self) -> None:
        for k, edge in enumerate(self.edges):
            standing: dict[Root, list[Root]] = {}  # a root on this edge -> the roots it is afterwards
            copied: dict[Root, list[Root]] = {}  # a root on this edge -> the lists that have a copy of it
            for root, origins in self.origins.items():
                origin = origins[k]
                if origin is None:
                    continue
                standing.setdefault(origin, []).append(root)
                if root in self.melted:
                    self._copied_elements(edge, root, origin, copied)
            for origin, same_one in standing.items():
                self._alias_all(same_one, same_one if origin.outside is None else [*same_one, origin])
            for a, b in edge.aliases:
                self._alias_all(_now(standing, a), _now(standing, b))
            twins: dict[Root, list[Root]] = {}
            for a, b in edge.aliases:
                twins.setdefault(a, []).append(b)
                twins.setdefault(b, []).append(a)
            pairs = [(holder, b) for a, b in edge.holds for holder in _now(standing, a)]
            pairs += [(holder, element) for element, holders in copied.items() for holder in holders]
            for holder, held in pairs:
                for one in (held, *twins.get(held, ())):  # the held one itself may be gone afterwards
                    for now in _now(standing, one):
                        self.result.holds[holder, now] = None

    def _copied_elements(self, edge: State, root: Root, origin: Root, copied: dict[Root, list[Root]]) -> None:
        from ad_compiler.frontend.containers import roots_within

        content = edge.content(origin)
        if not isinstance(content, Items):
            return
        found = [one for item in content.items for one in roots_within(edge, item)]
        for one in found:
            copied.setdefault(one, []).append(root)
        if len(set(found)) < len(found):
            self.result.holds[root, root] = None

    def _alias_all(self, some: Sequence[Root], others: Sequence[Root]) -> None:
        for a in some:
            for b in others:
                if a is not b:
                    self.result.aliases[pair(a, b)] = None

    def _orders(self) -> None:
        for root, origins in self.origins.items():
            orders = [edge.order.get(one) for edge, one in zip(self.edges, origins, strict=True) if one is not None]
            if orders and all(order is orders[0] for order in orders) and origins == (root,) * len(origins):
                if orders[0] is not None:
                    self.result.order[root] = orders[0]


# ------------------------------------------------------------------------------------------------- helpers


def _is_number(part: Any) -> bool:
    return isinstance(part, Static) and isinstance(part.value, NUMBER)


def _now(standing: dict[Root, list[Root]], root: Root) -> list[Root]:
    """The roots that `root` is afterwards; objects from outside the function stay what they are."""
    return standing.get(root, [] if root.outside is None else [root])


def _item(part: Meaning, k: int) -> Meaning:
    return part.items[k] if isinstance(part, Group) else UNBOUND


def _is_list(content: Any) -> bool:
    return isinstance(content, Items) or (isinstance(content, Value) and isinstance(content.type, ListType))


def _alike(a: Bound, b: Bound) -> bool:
    return (
        same(a.function, b.function)
        and len(a.arguments) == len(b.arguments)
        and [name for name, _ in a.keywords] == [name for name, _ in b.keywords]
    )


def _numeric(part: Meaning) -> bool:
    return _is_number(part) or isinstance(part, Scalar | Reference)


def _same_kind(a: Meaning, b: Meaning) -> bool:
    """Whether two meanings have a common form without a choice."""
    if _numeric(a) and _numeric(b):
        return True
    if isinstance(a, Static) and isinstance(b, Static):
        return same(a, b)
    if isinstance(a, Group) and isinstance(b, Group):
        return len(a.items) == len(b.items) and a.cls is b.cls
    if isinstance(a, Closure) and isinstance(b, Closure):
        return a.definition.node is b.definition.node and a.outer is b.outer
    return same(a, b)


def _split(part: Meaning, kinds: Sequence[Meaning]) -> tuple[Meaning, Meaning, Meaning]:
    """The tag, the first and the second option of what one edge has."""
    if isinstance(part, Unbound):
        return UNBOUND, UNBOUND, UNBOUND
    if not isinstance(part, Choice):
        is_first = _same_kind(part, kinds[0])
        return Static(is_first), part if is_first else UNBOUND, UNBOUND if is_first else part
    return part.tag, part.first, part.second


def _no_common_form(hint: str) -> Conflict:
    name = f"`{hint}`" if hint else "this value"
    return Conflict(
        "ADC114",
        f"{name} is of another kind on one path than on another, which cannot be said in one way",
        help="give it the same structure on every path",
    )


def agreeing(live: State, before: State) -> State:
    """An edge that no run takes (it raised): it has what `live` has not changed, and nothing of the rest."""
    state = State(reads=dict(before.reads), order=dict(live.order), origins=dict(live.origins))
    for variable, meaning in live.variables.items():
        if same(meaning, before.variables.get(variable, UNBOUND)):
            state.variables[variable] = meaning
    for root, content in live.heap.items():
        if root in before.heap:
            state.heap[root] = content if before.heap[root] is content else UNBOUND  # type: ignore[assignment]
    return state
