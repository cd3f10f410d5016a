"""What a name can stand for while a function is lowered, and the state that says what it stands for now.

    Variable -> Meaning                what a name is bound to, on the path being lowered
    Root     -> Content                what a mutable object (an array, a list, a dict, a record) holds

A `Meaning` is immutable.  Two names of one array are two `Reference`s to one `Root`, and a view is a
`Reference` with a path of steps into it; the root's content is replaced when the array is written, so that
every name sees it.  `aliases` are pairs of roots that may be the same memory on some path: a write to
one makes the other `Stale`, and reading a stale root is a diagnostic.  `holds` says the
same of a list whose length varies and the arrays in it, of which the list value has copies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ad_compiler.diagnostics.source import Span
from ad_compiler.ir.core import IndexItem, Value

if TYPE_CHECKING:
    from ad_compiler.frontend.read import Definition

# ---------------------------------------------------------------------------------------------- meanings


@dataclass(frozen=True, slots=True, eq=False)
class Static:
    """A Python object known when compiling: a literal, a string, None, a module, a function, a type."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A number, or another immutable object, that the program computes."""

    value: Value


@dataclass(frozen=True, slots=True)
class Index:
    """A step into an array by an index: `items` as in the `index` attribute, `slots` what it refers to."""

    items: tuple[IndexItem, ...]
    slots: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Rearranged:
    """A step that shows the same elements in another arrangement: `transpose`, `reshape`, `flip`…

    `back` says how a changed view becomes the array again: the name and attributes of an op, or
    "reshape_like".
    """

    name: str
    attributes: tuple[tuple[str, Any], ...]
    slots: tuple[Value, ...]
    back: str
    back_attributes: tuple[tuple[str, Any], ...] = ()


Step: TypeAlias = Index | Rearranged


class Root:
    """The identity of a mutable object.  `serial` orders roots as they came about."""

    __slots__ = ("argument", "contiguous", "hint", "home", "outside", "serial", "span")

    def __init__(self, serial: int, hint: str = "", span: Span | None = None) -> None:
        self.serial = serial
        self.hint = hint
        self.span = span
        self.argument = ""  # the parameter of the function that brought it
        self.outside: Content | None = None  # what it holds, if it belongs to the world around the function
        self.home: Home | None = None
        self.contiguous = False  # surely in C order: `reshape` is a view

    def __repr__(self) -> str:
        return f"<root {self.serial} {self.hint}>"


@dataclass(frozen=True, slots=True)
class Home:
    """Where an array taken out of a list (whose length varies) still lies: written there too, while it does."""

    holder: Root
    position: Value
    order: Order  # the list's when it was taken out


@dataclass(frozen=True, slots=True)
class Reference:
    """A mutable object, or a view into it."""

    root: Root
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple, or a named tuple (`cls`)."""

    items: tuple[Meaning, ...]
    cls: Any = tuple


class Frame:
    """One activation of a function being lowered: it owns the variables of that call."""

    __slots__ = ("definition", "locals", "nonlocals", "outer", "scope", "serial")

    def __init__(
        self, serial: int, definition: Definition, outer: Frame | None, local: frozenset[str], nonlocals: frozenset[str]
    ) -> None:
        self.serial = serial
        self.definition = definition
        self.outer = outer
        self.locals = local
        self.nonlocals = nonlocals
        self.scope = definition.scope

    def __repr__(self) -> str:
        return f"<frame {self.serial} {self.definition.name}>"


@dataclass(frozen=True, slots=True)
class Closure:
    """A function of the user's: its text, the activation around it, and the values of its defaults."""

    definition: Definition
    outer: Frame | None = None
    defaults: tuple[tuple[str, Meaning], ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """A function with its first arguments filled in: a method, `functools.partial`."""

    function: Meaning
    arguments: tuple[Meaning, ...] = ()
    keywords: tuple[tuple[str, Meaning], ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A method or attribute of an array, a list or a dict, not yet called."""

    owner: Meaning
    name: str


@dataclass(frozen=True, slots=True)
class Range:
    start: Meaning
    stop: Meaning
    step: Meaning


@dataclass(frozen=True, slots=True)
class Slice:
    start: Meaning
    stop: Meaning
    step: Meaning


@dataclass(frozen=True, slots=True)
class Lengths:
    """`x.shape` of an array whose rank is not known."""

    owner: Meaning


@dataclass(frozen=True, slots=True)
class Series:
    """Something to walk over, made of others: `zip`, `enumerate`, `reversed`, `map`, a generator expression.

    `parts` are what it walks over; `make` is applied to the item of each (only `map` and generators).
    """

    kind: str
    parts: tuple[Meaning, ...]
    extra: Any = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two things that have no common type, told apart by `tag`: None or a number, `sin` or `cos`."""

    tag: Meaning
    first: Meaning
    second: Meaning


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a name stands for where two paths meet that cannot be said in one way; an error when it is used."""

    code: str
    message: str
    labels: tuple[tuple[Span, str], ...] = ()
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Unbound:
    """A name that this path has not bound."""


@dataclass(frozen=True, slots=True)
class Poison:
    """What a refused expression stands for: it has been reported, and is not reported again."""


Meaning: TypeAlias = (
    Static
    | Scalar
    | Reference
    | Group
    | Closure
    | Bound
    | Attribute
    | Range
    | Slice
    | Lengths
    | Series
    | Choice
    | Conflict
    | Unbound
    | Poison
)

NONE = Static(None)
ZERO = Static(0)
ONE = Static(1)
LAST = Static(-1)
UNBOUND = Unbound()
POISON = Poison()

# ---------------------------------------------------------------------------------------------- contents


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose length is known."""

    items: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A dict (`cls` is dict) or an object of a class: its keys or attribute names, and what they hold."""

    keys: tuple[Any, ...]
    items: tuple[Meaning, ...]
    cls: Any = dict

    def get(self, key: Any) -> Meaning | None:
        for one, item in zip(self.keys, self.items, strict=True):
            if type(one) is type(key) and one == key:
                return item
        return None

    def put(self, key: Any, item: Meaning) -> Entries:
        if self.get(key) is None:
            return Entries((*self.keys, key), (*self.items, item), self.cls)
        items = tuple(item if k == key else old for k, old in zip(self.keys, self.items, strict=True))
        return Entries(self.keys, items, self.cls)

    def without(self, key: Any) -> Entries:
        kept = [(k, item) for k, item in zip(self.keys, self.items, strict=True) if k != key]
        return Entries(tuple(k for k, _ in kept), tuple(item for _, item in kept), self.cls)


class OneShot:
    """The class of an iterator: `Entries` with its `source`, or `spent` once it has been walked over."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Content that is no longer known: something that may be the same memory was written."""

    diagnostic: Conflict


Content: TypeAlias = Value | Items | Entries | Stale

# ---------------------------------------------------------------------------------------------- the state


@dataclass(frozen=True, slots=True)
class Variable:
    """A name in one activation.  `owner` is a Frame, or the mark of a loop or of a value on its way."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Which elements a list value has, and how many: another one whenever that changes."""

    length: object = field(default_factory=object)


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What a root that was made where two branches met is: the first where `test` held, else the second."""

    test: Value
    sides: tuple[Reference | None, Reference | None]


Pair: TypeAlias = tuple[Root, Root]  # the one with the lower serial first


def pair(a: Root, b: Root) -> Pair:
    return (a, b) if a.serial <= b.serial else (b, a)


@dataclass(slots=True)
class State:
    """Everything that depends on the path: copied where paths part, met where they join (`joins`)."""

    variables: dict[Variable, Meaning] = field(default_factory=dict)
    heap: dict[Root, Content] = field(default_factory=dict)
    aliases: dict[Pair, None] = field(default_factory=dict)
    holds: dict[tuple[Root, Root], None] = field(default_factory=dict)  # (list, array that may lie in it)
    origins: dict[Root, Origin] = field(default_factory=dict)
    order: dict[Root, Order] = field(default_factory=dict)  # of list values
    reads: dict[Reference, tuple[Content, Value]] = field(default_factory=dict)  # views already read
    dead: bool = False  # no run gets here: an exception was raised

    def content(self, root: Root) -> Content | None:
        return self.heap.get(root, root.outside)

    def copy(self) -> State:
        return State(
            dict(self.variables),
            dict(self.heap),
            dict(self.aliases),
            dict(self.holds),
            dict(self.origins),
            dict(self.order),
            dict(self.reads),
            self.dead,
        )


def map_meanings(content: Content, change: Callable[[Meaning], Meaning]) -> Content:
    """The content with `change` applied to the meanings it holds directly."""
    if isinstance(content, Items):
        return Items(tuple(map(change, content.items)))
    if isinstance(content, Entries):
        return Entries(content.keys, tuple(map(change, content.items)), content.cls)
    return content


def same(a: Any, b: Any) -> bool:
    """Whether two meanings are the same thing, not merely equal values."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    match a:
        case Static():
            return same_static(a.value, b.value)
        case Scalar():
            return a.value is b.value
        case Group():
            return a.cls is b.cls and all_same(a.items, b.items)
        case Range() | Slice():
            return all(same(getattr(a, part), getattr(b, part)) for part in ("start", "stop", "step"))
        case Closure():
            if a.definition.node is not b.definition.node or a.outer is not b.outer:
                return False
            return all_same([item for _, item in a.defaults], [item for _, item in b.defaults])
        case Bound():
            named = [name for name, _ in a.keywords] == [name for name, _ in b.keywords]
            return named and all_same(
                [a.function, *a.arguments, *(item for _, item in a.keywords)],
                [b.function, *b.arguments, *(item for _, item in b.keywords)],
            )
        case Attribute():
            return a.name == b.name and same(a.owner, b.owner)
        case Lengths():
            return same(a.owner, b.owner)
        case Series():
            return a.kind == b.kind and a.extra is b.extra and all_same(a.parts, b.parts)
        case Choice():
            return same(a.tag, b.tag) and same(a.first, b.first) and same(a.second, b.second)
    return bool(a == b)


def all_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(same, some, others))


def same_static(a: Any, b: Any) -> bool:
    """Whether two compile-time objects are the same for the program: `1`, `1.0` and `True` are not."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_static, a, b))
    if isinstance(a, float | complex):
        return repr(a) == repr(b)
    try:
        return bool(a == b)
    except Exception:  # an object of the user's may do anything when it is compared
        return False
