"""Comprehensions and generator expressions.

Over known items they are written out; elsewhere they are loops that append to a list.  A generator is a
`Series` that is lowered where it is consumed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ad_compiler.frontend import containers, control, iteration, listmethods, loops, subscripts
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.names import binds
from ad_compiler.frontend.values import (
    Entries,
    Frame,
    Group,
    Meaning,
    Reference,
    Variable,
)


def list_comprehension(low: Lowering, node: ast.ListComp) -> Meaning:
    return _build(low, node, lambda: _expression(low, node.elt))


def generator(low: Lowering, node: ast.GeneratorExp) -> Meaning:
    """Where it is consumed on the spot (`call_node` says so), the list of its items."""
    if node is not low.consumed:
        low.refuse(
            "ADC101",
            "a generator expression is supported where it is consumed: `sum(… for … in …)`",
            node,
            help="write a list: `[… for … in …]`",
        )
    return list_comprehension(low, node)  # type: ignore[arg-type]


def dict_comprehension(low: Lowering, node: ast.DictComp) -> Meaning:
    pairs = _build(low, node, lambda: Group((_expression(low, node.key), _expression(low, node.value))))
    items = containers.known_items(low, pairs)
    if items is None:
        low.refuse("ADC118", "the keys of a dict must be known when compiling", node)
    entries = Entries((), ())
    for pair in items:
        assert isinstance(pair, Group)
        entries = entries.put(subscripts.static_key(low, pair.items[0], node), pair.items[1])
    return Reference(low.root(entries))


def _expression(low: Lowering, node: ast.expr) -> Meaning:
    from ad_compiler.frontend.expressions import expression

    return expression(low, node)


def _build(low: Lowering, node: Any, element: Callable[[], Meaning]) -> Meaning:
    names = [name for one in node.generators for part in ast.walk(one.target) for name in binds(part)]
    outer = low.frame
    first = _expression(low, node.generators[0].iter)
    frame = Frame(low.serial(), outer.definition, outer, frozenset(names), frozenset())
    frame.scope = outer.scope
    result = containers.new_list(low, ())
    low.frame = frame
    try:
        _generate(low, node.generators, first, lambda: listmethods.append(low, result.root, element()))
    finally:
        low.frame = outer
    for variable in [one for one in low.state.variables if one.owner is frame]:
        if variable.name not in _kept(outer):
            del low.state.variables[variable]
    return result


def _kept(frame: Frame) -> frozenset[str]:
    from ad_compiler.frontend.liveness import live_names

    return live_names(frame.definition.node).always


def _generate(
    low: Lowering, generators: Sequence[ast.comprehension], iterable: Meaning, innermost: Callable[[], None]
) -> None:
    from ad_compiler.frontend.assignment import assign
    from ad_compiler.frontend.expressions import condition

    one, rest = generators[0], generators[1:]

    def each(item: Meaning) -> None:
        assign(low, one.target, item)
        tested(list(one.ifs))

    def tested(tests: list[ast.expr]) -> None:
        if tests:
            holds = condition(low, tests[0])
            control.branch(low, holds, lambda: tested(tests[1:]), lambda: None)
        elif rest:
            _generate(low, rest, _expression(low, rest[0].iter), innermost)
        else:
            innermost()

    walk(low, iterable, each)


def walk(low: Lowering, iterable: Meaning, each: Callable[[Meaning], None]) -> None:
    """`each` for every item."""
    exits = loops.Exits.new(low)
    items = iteration.live(low, iterable)
    flags, low.exits = low.exits, ()
    try:
        if items is not None:
            for item in items:
                each(item())
        else:
            loops.for_each(low, iteration.counting(low, iterable), each, exits, control.always, loops.Seeds())
    finally:
        low.exits = flags


def collect(low: Lowering, iterable: Meaning, condition: Callable[[Meaning], Meaning] | None = None) -> Reference:
    """The list of the items, of those that fulfil `condition`."""
    result = containers.new_list(low, ())

    def each(item: Meaning) -> None:
        if condition is None:
            listmethods.append(low, result.root, item)
        else:
            control.branch(low, condition(item), lambda: listmethods.append(low, result.root, item), lambda: None)

    walk(low, iterable, each)
    return result


def accumulate(
    low: Lowering, iterable: Meaning, start: Meaning, combine: Callable[[Meaning, Meaning], Meaning]
) -> Meaning:
    """The items combined one after another."""
    total = Variable(low.serial(), "")
    low.state.variables[total] = start

    def each(item: Meaning) -> None:
        low.state.variables[total] = combine(low.state.variables[total], item)

    walk(low, iterable, each)
    return low.state.variables.pop(total)
