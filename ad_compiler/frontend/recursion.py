"""Recursive functions: each becomes a function of the module, once for every kind of arguments.

A call of a function that is being lowered, with the same kinds of arguments, is recursion.  If that function
was being inlined, the inlining is undone (`_Found`) and a call takes its place.  The types of a recursive
function's results are found by lowering it until they are stable; at first a recursive call counts as a path
that no run takes, so that the base case speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ad_compiler.frontend import structure, views
from ad_compiler.frontend.context import Lowering, Report, Unreachable
from ad_compiler.frontend.names import free_names, new_frame, owner_of
from ad_compiler.frontend.values import (
    Bound,
    Closure,
    Entries,
    Frame,
    Group,
    Items,
    Meaning,
    Reference,
    Stale,
    State,
    Static,
    Unbound,
    Variable,
)
from ad_compiler.ir.core import Block, Function, Parameter, Value
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, Tree, TupleTree, leaves
from ad_compiler.ir.types import Type, freshen, join

MOST_ROUNDS = 12
Keywords = dict[str, Meaning]


@dataclass(slots=True, eq=False)
class Activation:
    """A function being lowered."""

    node: Any
    outer: Frame | None
    kind: Any  # of its arguments: what they are besides numbers and arrays
    instance: Instance | None = None


@dataclass(slots=True, eq=False)
class Instance:
    """A function of the module, for one kind of arguments."""

    name: str
    outputs: Tree | None = None  # None while nothing is known of the result
    calls: int = 0  # how often it calls itself
    arguments: dict[str, Tree] = field(default_factory=dict)


class _Found(Exception):  # noqa: N818
    def __init__(self, activation: Activation) -> None:
        self.activation = activation


# ---------------------------------------------------------------------------------------------- detecting


def kind_of(low: Lowering, meaning: Meaning) -> Any:
    """What a function is lowered for: structure and functions, not numbers or arrays."""
    if isinstance(meaning, Static) and not isinstance(meaning.value, bool | int | float | complex):
        return (
            "static",
            type(meaning.value).__name__,
            meaning.value if isinstance(meaning.value, str) else id(meaning.value),
        )
    if isinstance(meaning, Group):
        return "group", tuple(kind_of(low, item) for item in meaning.items)
    if isinstance(meaning, Closure):
        return "function", id(meaning.definition.node), id(meaning.outer)
    if isinstance(meaning, Bound):
        return "bound", kind_of(low, meaning.function), tuple(kind_of(low, one) for one in meaning.arguments)
    if isinstance(meaning, Reference):
        content = low.state.content(meaning.root)
        if isinstance(content, Items | Entries):
            return type(content).__name__, tuple(kind_of(low, item) for item in content.items)
    return "value"


def _kinds(low: Lowering, bound: Keywords) -> Any:
    return tuple((name, kind_of(low, meaning)) for name, meaning in bound.items())


def active(low: Lowering, function: Closure, bound: Keywords) -> Activation | None:
    """The activation that this call repeats."""
    kind = None
    for one in reversed(low.activations):
        if one.node is function.definition.node and one.outer is function.outer:
            kind = kind or _kinds(low, bound)
            if one.kind == kind:
                return one  # type: ignore[no-any-return]
    return None


def call(low: Lowering, function: Closure, bound: Keywords, inline: Callable[[], Meaning]) -> Meaning:
    """Inline the call, or make it a call of a recursive function."""
    repeated = active(low, function, bound)
    if repeated is not None:
        if repeated.instance is None:
            raise _Found(repeated)
        return _call_instance(low, function, bound)
    activation = Activation(function.definition.node, function.outer, _kinds(low, bound))
    block, size = low.builder.block, len(low.builder.block.ops)
    state, findings = low.state.copy(), low.findings
    low.findings = Report()
    low.activations.append(activation)
    try:
        result = inline()
    except _Found as found:
        if found.activation is not activation:
            raise
        del block.ops[size:]
        low.state = state
        low.findings = Report()
        low.activations.pop()
        try:
            result = _call_instance(low, function, bound)
        finally:
            low.activations.append(activation)
    finally:
        low.activations.pop()
        findings.take(low.findings)
        low.findings = findings
    return result


# ------------------------------------------------------------------------------------------- instances


def _call_instance(low: Lowering, function: Closure, bound: Keywords) -> Meaning:
    """Emit a `call`; lower the function first, if it has not been lowered for such arguments."""
    passed = {**bound, **captured_variables(low, function, bound)}
    flat: list[Value] = []
    trees: dict[Any, Tree] = {}
    for name, meaning in passed.items():
        trees[name] = Fixed(meaning) if is_function(meaning) else structure.hand_out(low, meaning, flat)
    key = (
        id(function.definition.node),
        id(function.outer),
        tuple((str(name), structure.form(tree)) for name, tree in trees.items()),
    )
    instance = low.instances.get(key)
    if instance is None:
        instance = low.instances[key] = Instance(_fresh_name(low, function.definition.name))
        _lower_instance(low, function, bound, trees, instance)
    instance.calls += 1
    if instance.outputs is None:
        low.state.dead = True
        raise Unreachable
    types = [freshen(leaf.payload) for leaf in leaves(instance.outputs)]
    results = low.builder.emit("call", flat, types=types, callee=instance.name)
    result = structure.given(low, instance.outputs, iter(results))
    _may_be_arguments(low, result, passed)
    return result


def is_function(meaning: Meaning) -> bool:
    return isinstance(meaning, Closure | Bound)


def _fresh_name(low: Lowering, name: str) -> str:
    taken = {one.name for one in low.instances.values()} | set(low.module.functions) | {low.module.main}
    unique, k = f"{name}_rec" if name in taken else name, 1
    while unique in taken:
        k += 1
        unique = f"{name}_rec{k}"
    return unique


def captured_variables(low: Lowering, function: Closure, bound: Keywords) -> dict[Any, Meaning]:
    """The variables of activations around it that the function, and functions it is given, read."""
    found: dict[Any, Meaning] = {}
    pending: list[Meaning] = [function, *bound.values()]
    seen: set[int] = set()
    while pending:
        one = pending.pop(0)
        if isinstance(one, Bound):
            pending += [one.function, *one.arguments, *(item for _, item in one.keywords)]
        elif isinstance(one, Closure) and one.outer is not None and id(one) not in seen:
            seen.add(id(one))
            for name in free_names(one.definition.node):
                owner = owner_of(one.outer, name)
                variable = None if owner is None else Variable(owner, name)
                meaning = None if variable is None else low.state.variables.get(variable)
                if variable is not None and meaning is not None and variable not in found:
                    if not isinstance(meaning, Unbound):
                        found[variable] = meaning
                        pending.append(meaning)
    return found


def _lower_instance(
    low: Lowering, function: Closure, bound: Keywords, trees: dict[Any, Tree], instance: Instance
) -> None:
    names = {key: key if isinstance(key, str) else key.name for key in trees}
    wide = {key: tree if isinstance(tree, Fixed) else structure.generalised_tree(tree) for key, tree in trees.items()}
    kind = _kinds(low, bound)
    for _ in range(MOST_ROUNDS):
        before = instance.outputs
        with isolated(low) as body:
            low.activations.append(Activation(function.definition.node, function.outer, kind, instance))
            try:
                made = lower_function(low, function, wide, names, instance.name, body)
            finally:
                low.activations.pop()
        if made is None:
            low.refuse("ADC101", f"`{function.definition.name}` calls itself on every path")
        instance.outputs = made.outputs if before is None else _joined(low, before, made.outputs)
        if before is not None and structure.form(before) == structure.form(instance.outputs):  # type: ignore[arg-type]
            low.module.functions[instance.name] = made
            made.outputs = instance.outputs
            return
    low.refuse("ADC114", f"what `{function.definition.name}` returns has another structure at every depth")


class isolated:  # noqa: N801
    """Lower into a body of its own: another state, another place for captured values."""

    def __init__(self, low: Lowering) -> None:
        self.low = low

    def __enter__(self) -> Block:
        low = self.low
        self.saved = low.state, low.entry, low.outside, low.exits, low.builder.block, low.frame, low.builder.span
        body = Block()
        low.state, low.entry, low.outside, low.exits = State(), body, {}, ()
        low.builder.block = body
        return body

    def __exit__(self, *exception: object) -> None:
        low = self.low
        low.state, low.entry, low.outside, low.exits, low.builder.block, low.frame, low.builder.span = self.saved


def lower_function(
    low: Lowering, function: Closure, trees: dict[Any, Tree], names: dict[Any, str], name: str, body: Block
) -> Function | None:
    """The function of these arguments; None when no path returns."""
    from ad_compiler.frontend.calls import body_result

    frame = new_frame(low, function.outer, function.definition)
    parameters: list[Parameter] = []
    taken: dict[Any, Meaning] = {}
    used: set[str] = set()
    for key, tree in trees.items():
        if isinstance(tree, Fixed) and not isinstance(key, str):
            low.state.variables[key] = tree.value
            continue
        unique = names[key]
        while unique in used:
            unique += "_"
        used.add(unique)
        if isinstance(tree, Fixed):
            meaning = tree.value if is_function(tree.value) else structure.take_in(low, tree, unique, iter(()))
        else:
            values = structure.parameters_of(tree, unique)
            body.parameters.extend(values)
            meaning = structure.take_in(low, tree, unique, iter(values))
            parameters.append(Parameter(unique, tree))
        variable = Variable(frame, key) if isinstance(key, str) else key
        low.state.variables[variable] = meaning
        taken[variable] = meaning
    heap = dict(low.state.heap)
    try:
        result = body_result(low, frame)
    except Unreachable:
        return None
    if low.state.dead:
        return None
    flat: list[Value] = []
    with low.at(function.definition.node):
        _check_unchanged(low, heap, taken, function)
        outputs = structure.hand_out(low, result, flat)
        low.builder.terminate("return", flat)
        return Function(name, body, parameters, outputs, None, low.builder.span)


def _check_unchanged(low: Lowering, heap: dict[Any, Any], taken: dict[Any, Meaning], function: Closure) -> None:
    """A recursive function must leave its arguments and the variables around it as they are, for now."""
    name = function.definition.name
    for root, content in heap.items():
        if low.state.content(root) is not content:
            low.refuse(
                "ADC106",
                f"`{name}` is recursive and writes in place into `{root.hint}`",
                help=f"work on a copy of `{root.hint}` and return it",
            )
    for variable, meaning in taken.items():
        if variable.owner is not None and variable.name not in function_locals(function):
            if low.state.variables.get(variable) is not meaning:
                low.refuse("ADC106", f"`{name}` is recursive and assigns `{variable.name}` outside itself")


def function_locals(function: Closure) -> frozenset[str]:
    from ad_compiler.frontend.names import own_names

    return own_names(function.definition.node)[0]


def _joined(low: Lowering, a: Tree, b: Tree | None) -> Tree:
    """The structure of results that are `a` on one path and `b` on another."""
    if isinstance(a, Leaf) and isinstance(b, Leaf):
        return Leaf(_join(a.payload, b.payload))
    if isinstance(a, TupleTree | ListTree) and type(a) is type(b) and len(a.items) == len(b.items):  # type: ignore[union-attr]
        return type(a)(tuple(_joined(low, m, n) for m, n in zip(a.items, b.items, strict=True)))  # type: ignore[union-attr]
    if isinstance(a, DictTree | RecordTree) and type(a) is type(b) and a.keys == b.keys:  # type: ignore[union-attr]
        items = tuple(_joined(low, m, n) for m, n in zip(a.items, b.items, strict=True))  # type: ignore[union-attr]
        return DictTree(a.keys, items) if isinstance(a, DictTree) else RecordTree(a.cls, a.keys, items)
    if isinstance(a, Fixed) and isinstance(b, Fixed) and structure.form(a) == structure.form(b):
        return a
    low.refuse("ADC114", "a recursive function returns another structure on one path than on another")


def _join(a: Type, b: Type) -> Type:
    return structure.generalised(join(a, b))


def _may_be_arguments(low: Lowering, result: Meaning, passed: dict[Any, Meaning]) -> None:
    """An array that comes back may be one that was given."""
    from ad_compiler.frontend.containers import roots_within

    arrays = [root for meaning in passed.values() for root in roots_within(low.state, meaning)]
    for root in roots_within(low.state, result):
        for one in arrays:
            if not isinstance(low.state.content(one), Stale):
                views.share_aliases(low, root, one)
