"""What the head of a loop looks like, up to the names of what it carries: two heads that read the same are one.

describe  : State, parameters, entry State -> a nested tuple
refreshed : Type -> Type        lengths that are not known outside the loop become new unknowns
substitute: State, Value -> Value -> State
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ad_compiler.frontend.values import (
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
    Range,
    Reference,
    Root,
    Scalar,
    Series,
    Slice,
    Stale,
    State,
    Static,
    map_meanings,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import Dim, ListType, Shape, Symbol, Tensor, TupleType, Type

Known = set[int]  # ids of the symbols that are known outside the loop


def symbols_of(state: State) -> Known:
    """The symbols in the types of everything in the state."""
    found: Known = set()
    for meaning in state.variables.values():
        _symbols_of_meaning(meaning, found)
    for content in state.heap.values():
        if isinstance(content, Value):
            _symbols_of_type(content.type, found)
        elif isinstance(content, Items | Entries):
            for item in content.items:
                _symbols_of_meaning(item, found)
    return found


def _symbols_of_meaning(meaning: Meaning, found: Known) -> None:
    if isinstance(meaning, Scalar):
        _symbols_of_type(meaning.value.type, found)
    elif isinstance(meaning, Group):
        for item in meaning.items:
            _symbols_of_meaning(item, found)


def _symbols_of_type(type: Type, found: Known) -> None:
    if isinstance(type, Tensor):
        if isinstance(type.shape, Symbol):
            found.add(id(type.shape))
        else:
            found.update(id(dim.symbol) for dim in type.shape if dim.symbol is not None)
    elif isinstance(type, ListType):
        _symbols_of_type(type.element, found)
    elif isinstance(type, TupleType):
        for element in type.elements:
            _symbols_of_type(element, found)


def refreshed(type: Type, known: Known) -> Type:
    if isinstance(type, Tensor):
        return Tensor(type.dtype, _refreshed_shape(type.shape, known))
    if isinstance(type, ListType):
        return ListType(refreshed(type.element, known))
    if isinstance(type, TupleType):
        return TupleType(tuple(refreshed(element, known) for element in type.elements))
    return type


def _refreshed_shape(shape: Shape, known: Known) -> Shape:
    if isinstance(shape, Symbol):
        return shape if id(shape) in known else Symbol()
    return tuple(dim if dim.symbol is None or id(dim.symbol) in known else Dim(Symbol()) for dim in shape)


def skeleton(type: Type, known: Known) -> Any:
    """A type with its unknown lengths made anonymous."""
    if isinstance(type, Tensor):
        if isinstance(type.shape, Symbol):
            return type.dtype, id(type.shape) if id(type.shape) in known else "?"
        return type.dtype, tuple(
            (id(dim.symbol), dim.offset)
            if dim.symbol is not None and id(dim.symbol) in known
            else (dim.offset if dim.symbol is None else "?")
            for dim in type.shape
        )
    if isinstance(type, ListType):
        return "list", skeleton(type.element, known)
    if isinstance(type, TupleType):
        return "tuple", tuple(skeleton(element, known) for element in type.elements)
    return type


class Describer:
    def __init__(self, state: State, parameters: Sequence[Value], entry: State, known: Known) -> None:
        self.state = state
        self.entry = entry
        self.known = known
        self.numbers = {id(value): k for k, value in enumerate(parameters)}
        self.roots: dict[Root, Any] = {}

    def describe(self) -> Any:
        variables = tuple((variable, self.meaning(one)) for variable, one in self.state.variables.items())
        heap = tuple(
            (root.serial, self.content(content)) for root, content in self.state.heap.items() if root in self.entry.heap
        )
        aliases = sorted(
            tuple(sorted((self.label(a), self.label(b)))) for a, b in self.state.aliases if self._met(a, b)
        )
        holds = sorted((self.label(a), self.label(b)) for a, b in self.state.holds if self._met(a, b))
        return variables, heap, tuple(aliases), tuple(holds)

    def _met(self, a: Root, b: Root) -> bool:
        return all(root in self.entry.heap or root in self.roots or root.outside is not None for root in (a, b))

    def label(self, root: Root) -> tuple[str, int]:
        if root in self.entry.heap or root.outside is not None:
            return "root", root.serial
        if root not in self.roots:
            self.roots[root] = len(self.roots)
        return "new", self.roots[root]

    def value(self, value: Value) -> Any:
        number = self.numbers.get(id(value))
        return ("value", id(value)) if number is None else ("carried", number, skeleton(value.type, self.known))

    def content(self, content: Content | None) -> Any:
        if isinstance(content, Value):
            return self.value(content)
        if isinstance(content, Items):
            return "items", tuple(map(self.meaning, content.items))
        if isinstance(content, Entries):
            return "entries", content.keys, id(content.cls), tuple(map(self.meaning, content.items))
        return type(content).__name__

    def meaning(self, meaning: Meaning) -> Any:
        if isinstance(meaning, Scalar):
            return self.value(meaning.value)
        if isinstance(meaning, Static):
            plain = isinstance(meaning.value, int | float | complex | str | type(None))
            return "static", type(meaning.value).__name__, repr(meaning.value) if plain else id(meaning.value)
        if isinstance(meaning, Reference):
            seen = meaning.root in self.roots
            label = self.label(meaning.root)
            if label[0] == "new" and not seen:
                return "reference", label, meaning.path, self.content(self.state.content(meaning.root))
            return "reference", label, meaning.path
        if isinstance(meaning, Closure):
            defaults = tuple(self.meaning(one) for _, one in meaning.defaults)
            return "closure", id(meaning.definition.node), id(meaning.outer), defaults
        parts = tuple(map(self.meaning, parts_of(meaning)))
        return type(meaning).__name__, getattr(meaning, "name", getattr(meaning, "kind", "")), parts


def parts_of(meaning: Meaning) -> Iterator[Meaning]:
    """The meanings that a meaning is made of."""
    if isinstance(meaning, Group):
        yield from meaning.items
    elif isinstance(meaning, Bound):
        yield meaning.function
        yield from meaning.arguments
        yield from (item for _, item in meaning.keywords)
    elif isinstance(meaning, Attribute | Lengths):
        yield meaning.owner
    elif isinstance(meaning, Range | Slice):
        yield from (meaning.start, meaning.stop, meaning.step)
    elif isinstance(meaning, Series):
        yield from meaning.parts
    elif isinstance(meaning, Choice):
        yield from (meaning.tag, meaning.first, meaning.second)
    elif isinstance(meaning, Closure):
        yield from (item for _, item in meaning.defaults)


def map_parts(meaning: Meaning, change: Callable[[Meaning], Meaning]) -> Meaning:
    """The same meaning made of changed parts."""
    if isinstance(meaning, Group):
        return Group(tuple(map(change, meaning.items)), meaning.cls)
    if isinstance(meaning, Bound):
        keywords = tuple((name, change(item)) for name, item in meaning.keywords)
        return Bound(change(meaning.function), tuple(map(change, meaning.arguments)), keywords)
    if isinstance(meaning, Attribute):
        return Attribute(change(meaning.owner), meaning.name)
    if isinstance(meaning, Lengths):
        return Lengths(change(meaning.owner))
    if isinstance(meaning, Range | Slice):
        return type(meaning)(change(meaning.start), change(meaning.stop), change(meaning.step))
    if isinstance(meaning, Series):
        return Series(meaning.kind, tuple(map(change, meaning.parts)), meaning.extra)
    if isinstance(meaning, Choice):
        return Choice(change(meaning.tag), change(meaning.first), change(meaning.second))
    if isinstance(meaning, Closure):
        return Closure(
            meaning.definition, meaning.outer, tuple((name, change(item)) for name, item in meaning.defaults)
        )
    return meaning


def substitute(state: State, mapping: dict[int, Value]) -> State:
    """The state with each value replaced by what `mapping` has for its id."""

    def change(meaning: Meaning) -> Meaning:
        if isinstance(meaning, Scalar):
            new = mapping.get(id(meaning.value))
            return meaning if new is None else Scalar(new)
        return map_parts(meaning, change)

    result = state.copy()
    result.variables = {variable: change(meaning) for variable, meaning in state.variables.items()}
    for root, content in state.heap.items():
        if isinstance(content, Value):
            result.heap[root] = mapping.get(id(content), content)
        elif not isinstance(content, Stale | Conflict):
            result.heap[root] = map_meanings(content, change)
    return result
