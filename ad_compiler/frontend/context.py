"""What every part of the lowering shares: the builder, the state of the path, the findings.

value : Meaning -> Value      the SSA value of a number, an array, a list
wrap  : Value -> Meaning      what an SSA value is to a name: a number, or a root of its own
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from ad_compiler.diagnostics.diagnostic import Findings
from ad_compiler.diagnostics.source import Span
from ad_compiler.frontend.read import Definition
from ad_compiler.frontend.values import (
    POISON,
    Choice,
    Conflict,
    Frame,
    Group,
    Meaning,
    Poison,
    Reference,
    Root,
    Scalar,
    State,
    Static,
    Unbound,
    Variable,
)
from ad_compiler.ir.core import Block, Module, Value
from ad_compiler.ir.types import ListType, Opaque, Tensor, TupleType, Undefined, is_scalar, rank
from ad_compiler.primitives import builder as new_builder
from ad_compiler.primitives import lookup

NUMBERS = (bool, int, float, complex)


class Refused(Exception):  # noqa: N818
    """A finding has been added; what is being lowered has no meaning."""


class Unreachable(Refused):
    """No run gets here: an exception is raised before."""


class Report(Findings):
    """Findings, and whether anything was refused: refusing without a finding would be our bug."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = False

    def take(self, other: Report) -> None:
        self.extend(other)
        self.refused = self.refused or other.refused


class Lowering:
    """One run of `lower`.  The functions of the other files take it as their first argument, `low`."""

    def __init__(self, module: Module, inner: Callable[..., Any] | None) -> None:
        self.builder = new_builder()
        self.module = module
        self.inner = inner
        self.state = State()
        self.findings = Report()
        self.frame: Frame = None  # type: ignore[assignment]  # set before anything is lowered
        self.exits: tuple[Variable, ...] = ()  # flags that end the block being lowered
        self.activations: list[Any] = []  # of `calls`: the functions being lowered, outermost first
        self.instances: dict[Any, Any] = {}  # of `recursion`: functions of the module, by what they are called with
        self.plans: dict[Any, Any] = {}  # of `loops`: what a loop was found to carry when it was last lowered
        self.entry = self.builder.block  # the body of the function being lowered
        self.outside: dict[int, tuple[Any, Meaning]] = {}  # objects from outside the function, by identity
        self.definitions: dict[int, tuple[Any, Definition]] = {}  # of live functions
        self.optimistic = False  # while a loop is being tried: what cannot be lowered counts as never reached
        self.bottomed = False  # whether anything did
        self.doubtful: set[Value] = set()  # values that may be `undefined`
        self.resolved: dict[tuple[int, str], tuple[Any, Any]] = {}  # names of scopes, as looked up
        self.consumed: ast.AST | None = None  # the generator expression that a call consumes at once
        self._spans: dict[int, tuple[ast.AST, Span]] = {}
        self._serial = 0

    # -- identities

    def serial(self) -> int:
        self._serial += 1
        return self._serial

    def root(self, content: Any, hint: str = "") -> Root:
        """A new mutable object."""
        root = Root(self.serial(), hint, self.builder.span)
        self.state.heap[root] = content
        return root

    # -- findings

    def span(self, node: ast.AST | None) -> Span | None:
        if node is not None:
            return self.frame.definition.span(node)
        return self.builder.span or self.frame.definition.span()

    def report(
        self,
        code: str,
        message: str,
        node: ast.AST | None = None,
        *,
        labels: Sequence[tuple[Span, str]] = (),
        notes: Sequence[str] = (),
        help: str | tuple[str, ...] | None = None,
    ) -> None:
        self.findings.add(code, message, self.span(node), labels=labels, notes=notes, help=help)

    def refuse(self, code: str, message: str, node: ast.AST | None = None, **more: Any) -> NoReturn:
        if self.optimistic:
            self.bottomed = True
            self.state.dead = True
            raise Unreachable
        self.report(code, message, node, **more)
        raise Refused

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Ops appended meanwhile come from `node`."""
        before = self.builder.span
        known = self._spans.get(id(node))
        if known is None or known[0] is not node:
            known = self._spans[id(node)] = (node, self.frame.definition.span(node))
        self.builder.span = known[1]
        try:
            yield
        finally:
            self.builder.span = before

    # -- trying

    @contextmanager
    def scratch(self) -> Iterator[Block]:
        """Append to a block that is thrown away, from a copy of the state."""
        state, self.state = self.state, self.state.copy()
        try:
            with self.builder.inside(Block()) as block:
                yield block
        finally:
            self.state = state

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Look at what something would be: nothing is kept, and being refused (the caller catches it) is no finding."""
        kept = self.findings, self.optimistic, self.bottomed
        self.findings, self.optimistic = Report(), False
        try:
            with self.scratch():
                yield
        finally:
            self.findings, self.optimistic, self.bottomed = kept

    @contextmanager
    def on(self, block: Block, state: State) -> Iterator[None]:
        """Append to `block` from `state`, which changes as it goes."""
        outer, self.state = self.state, state
        try:
            with self.builder.inside(block):
                yield
        finally:
            self.state = outer

    def each(self, steps: Sequence[Callable[[], Any]]) -> list[Any]:
        """All of them, so that the findings of all are collected; refused when one is."""
        results: list[Any] = []
        refused: Refused | None = None
        for step in steps:
            try:
                results.append(step())
            except Refused as one:
                refused = refused or one
        if refused is not None:
            raise refused
        return results

    # -- meanings and values

    def wrap(self, value: Value, hint: str = "") -> Meaning:
        """What a computed value is to a name: numbers are themselves, anything mutable gets a root."""
        type = value.type
        if is_scalar(type) or isinstance(type, Opaque | Undefined):
            return Scalar(value)
        if isinstance(type, TupleType):
            parts = [self.builder.one("tuple_get", value, position=k) for k in range(len(type.elements))]
            return Group(tuple(self.wrap(part) for part in parts))
        return Reference(self.root(value, hint or value.hint))

    def emit(self, name: str, *operands: Meaning, **attributes: Any) -> Meaning:
        """The meaning of a primitive's result."""
        values = [self.value(operand) for operand in operands]
        result = self.wrap(self.builder.one(name, *values, **attributes))
        if isinstance(result, Reference) and rank(values[0].type) == 1 and not lookup(name).views:
            result.root.contiguous = True  # a new array of one axis
        return result

    def constant(self, value: Any, hint: str = "") -> Value:
        return self.builder.one("constant", value=value, hint=hint)

    def value(self, meaning: Meaning, hint: str = "") -> Value:
        """The SSA value; refused for what is no data."""
        from ad_compiler.frontend import containers, views

        if isinstance(meaning, Scalar):
            return meaning.value
        if isinstance(meaning, Reference):
            return views.read(self, meaning)
        if isinstance(meaning, Static) and (isinstance(meaning.value, (*NUMBERS, str)) or meaning.value is None):
            return self.constant(meaning.value, hint)
        if isinstance(meaning, Group):
            return containers.array_of(self, meaning)
        self.check_usable(meaning)
        if isinstance(meaning, Choice):
            return self._present(meaning)
        self.refuse("ADC101", f"{describe(meaning)} cannot be used as a number here")

    def _present(self, choice: Choice) -> Value:
        """The number among a number and None: Python raises on the other path, and so does what we emit."""
        options = [one for one in (choice.first, choice.second) if not (isinstance(one, Static) and one.value is None)]
        if len(options) == 1:
            return self.value(options[0])
        self.refuse("ADC114", "this is one of two things of different kinds, depending on the path taken")

    def check_usable(self, meaning: Meaning) -> None:
        """Report a meaning that stands for a problem."""
        if isinstance(meaning, Poison):
            raise Refused
        if isinstance(meaning, Conflict):
            self.refuse(meaning.code, meaning.message, labels=meaning.labels, help=meaning.help)
        if isinstance(meaning, Unbound):
            self.refuse("ADC103", "this name is not bound on every path that leads here")

    def hinted(self, meaning: Meaning, name: str) -> None:
        """Name a value, or an object that has no name yet, after the variable that it is bound to."""
        if isinstance(meaning, Scalar):
            if not meaning.value.hint and meaning.value.op is not None:
                meaning.value.hint = name
        elif isinstance(meaning, Reference):
            content = self.state.content(meaning.root)
            if not meaning.path:
                meaning.root.hint = meaning.root.hint or name
                if isinstance(content, Value) and not content.hint and content.op is not None:
                    content.hint = name
            else:
                cached = self.state.reads.get(meaning)
                if cached is not None and not cached[1].hint:
                    cached[1].hint = name

    def poison(self, names: Sequence[str]) -> None:
        from ad_compiler.frontend.names import assign_name

        for name in names:
            assign_name(self, name, POISON)


def is_number(meaning: Meaning) -> bool:
    """A Python number known when compiling."""
    return isinstance(meaning, Static) and isinstance(meaning.value, NUMBERS)


def static_int(meaning: Meaning) -> int | None:
    """The integer, where it is known when compiling."""
    if isinstance(meaning, Static) and isinstance(meaning.value, int):
        return int(meaning.value)
    return None


def is_list(low: Lowering, meaning: Meaning) -> bool:
    """A Python list, of known length or not."""
    from ad_compiler.frontend.values import Items

    if not isinstance(meaning, Reference) or meaning.path:
        return False
    content = low.state.content(meaning.root)
    return isinstance(content, Items) or (isinstance(content, Value) and isinstance(content.type, ListType))


def describe(meaning: Meaning) -> str:
    """A few words for a message."""
    if isinstance(meaning, Static):
        value = meaning.value
        name = getattr(value, "__name__", None)
        if value is None:
            return "None"
        return f"`{name}`" if name else f"a {type(value).__name__}"
    words = {
        "Scalar": "a number",
        "Reference": "an array or a list",
        "Group": "a tuple",
        "Closure": "a function",
        "Bound": "a function",
        "Attribute": "a method",
        "Range": "a range",
        "Slice": "a slice",
        "Lengths": "a shape",
        "Series": "an iterator",
        "Choice": "one of two things",
    }
    return words.get(type(meaning).__name__, "this")


def tensor_type(low: Lowering, meaning: Meaning) -> Tensor | None:
    """The type of a number or an array; None for anything else."""
    from ad_compiler.frontend import views

    if isinstance(meaning, Scalar):
        return meaning.value.type if isinstance(meaning.value.type, Tensor) else None
    if isinstance(meaning, Reference):
        type = views.type_of(low, meaning)
        return type if isinstance(type, Tensor) else None
    if is_number(meaning):
        from ad_compiler.primitives.scalars import type_of_constant

        type = type_of_constant(meaning.value)  # type: ignore[union-attr]
        return type if isinstance(type, Tensor) else None
    return None


__all__ = ["Definition", "Lowering", "Refused", "describe", "is_list", "is_number", "static_int", "tensor_type"]
