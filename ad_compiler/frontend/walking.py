"""`for` and `while` statements: what is walked over, whether the loop is written out, what follows in `else`.

A loop over things of known structure (a tuple, a list of layers, the items of a dict) is written out; over numbers
it counts.  Where a loop that counts a known few cannot be lowered, it is written out too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from ad_compiler.frontend import assignment, containers, control, iteration, loops
from ad_compiler.frontend.context import Lowering, Refused, Report, tensor_type
from ad_compiler.frontend.control import run
from ad_compiler.frontend.expressions import condition, expression
from ad_compiler.frontend.liveness import live_names
from ad_compiler.frontend.names import binds, owner_of, walk_scope
from ad_compiler.frontend.values import Meaning, Reference, Scalar, Static, Variable
from ad_compiler.ir.core import Value


def for_statement(low: Lowering, node: ast.For) -> None:
    try:
        iterable = expression(low, node.iter)
        items = iteration.live(low, iterable) if _unrolls(low, node, iterable) else None
    except Refused:
        low.poison([name for one in walk_scope([node.target]) for name in binds(one)])
        with low.scratch():  # for its findings
            run(low, node.body, control.always)
        raise
    exits = loops.Exits.new(low)
    exits.asked = bool(node.orelse)
    liveness = live_names(low.frame.definition.node)
    live = control.live_in(low, liveness.head.get(id(node)))

    def iterate(item: Meaning) -> None:
        assignment.assign(low, node.target, item)
        run(low, node.body, live, last=frozenset({exits.continued}))

    def count() -> None:
        with low.at(node.iter):
            counting = iteration.counting(low, iterable)
        hint = node.target.id if isinstance(node.target, ast.Name) and not isinstance(iterable, Reference) else ""
        loops.for_each(low, counting, iterate, exits, live, _seeds(low, node), hint)

    if items is None:
        if not iteration.counts(low, iterable):
            count()
        elif not _succeeds(low, count):
            items = iteration.live(low, iterable)
            if items is None:
                count()
    if items is not None:
        loops.unrolled(low, items, iterate, exits, live)
    _orelse(low, node, exits)


def _succeeds(low: Lowering, lower: Callable[[], None]) -> bool:
    """Lower it; undone when something in it cannot be lowered."""
    block, size, state = low.builder.block, len(low.builder.block.ops), low.state.copy()
    findings, low.findings = low.findings, Report()
    bottomed, low.bottomed = low.bottomed, False
    try:
        lower()
        failed = low.bottomed or low.findings.refused or bool(low.findings)
    except Refused:
        failed = True
    finally:
        tried, low.findings, low.bottomed = low.findings, findings, bottomed
    if failed:
        del block.ops[size:]
        low.state = state
        return False
    low.findings.take(tried)
    return True


def _unrolls(low: Lowering, node: ast.For, iterable: Meaning) -> bool:
    """Whether a loop over something of known length is written out."""
    if iteration.counts(low, iterable):
        return _indexes_structure(low, node)
    items = containers.known_items(low, iterable)
    if items is not None and len(items) > iteration.MOST_UNROLLED:
        return not all(isinstance(one, Scalar | Static) and tensor_type(low, one) is not None for one in items)
    return True


def _indexes_structure(low: Lowering, node: ast.For) -> bool:
    """Whether the body indexes, with the loop variable, a tuple or list whose parts have to be told apart."""
    names = {name for one in walk_scope([node.target]) for name in binds(one)}
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript) and any(
            isinstance(part, ast.Name) and part.id in names for part in ast.walk(one.slice)
        ):
            if _is_structure(low, one.value):
                return True
    return False


def _is_structure(low: Lowering, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    try:
        with low.probing():
            owner = expression(low, node)
            if isinstance(owner, Static) and isinstance(owner.value, str):
                return False
            items = containers.known_items(low, owner)
            if items is not None:
                return any(not isinstance(one, Scalar) and not _number(one) for one in items)
            content = low.state.content(owner.root) if isinstance(owner, Reference) else None
            return content is not None and not isinstance(content, Value)
    except Refused:
        return False


def _number(meaning: Meaning) -> bool:
    return isinstance(meaning, Static) and isinstance(meaning.value, int | float | complex)


def while_statement(low: Lowering, node: ast.While) -> None:
    exits = loops.Exits.new(low)
    exits.asked = bool(node.orelse)
    liveness = live_names(low.frame.definition.node)
    live = control.live_in(low, liveness.head.get(id(node)))

    def test() -> Meaning:
        return condition(low, node.test)

    def body() -> None:
        run(low, node.body, live, last=frozenset({exits.continued}))

    binds_names = any(isinstance(one, ast.NamedExpr) for one in ast.walk(node.test))
    loops.while_(low, test, body, exits, live, _seeds(low, node), binds=binds_names)
    _orelse(low, node, exits)


def _orelse(low: Lowering, node: ast.For | ast.While, exits: loops.Exits) -> None:
    broke = low.state.variables.pop(exits.broke, Static(False))
    if not node.orelse or control.exited(low):
        return
    live = control.live_after(low, node)
    skip = control.pending(low)
    if skip is not None:
        broke = skip if isinstance(broke, Static) and not broke.value else low.emit("logical_or", broke, skip)
    control.branch(low, broke, lambda: None, lambda: run(low, node.orelse, live), live)


def _seeds(low: Lowering, node: ast.For | ast.While) -> loops.Seeds:
    """What the text of the body says it changes."""
    nodes = walk_scope([*([node.target] if isinstance(node, ast.For) else []), *node.body])
    assigned: dict[Variable, None] = {}
    written: dict[Variable, None] = {}
    for one in nodes:
        for name in binds(one):
            owner = owner_of(low.frame, name)
            if owner is not None:
                assigned[Variable(owner, name)] = None
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
            base: ast.expr = one
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            owner = owner_of(low.frame, base.id) if isinstance(base, ast.Name) else None
            if owner is not None:
                written[Variable(owner, base.id)] = None  # type: ignore[attr-defined]
    return loops.Seeds(tuple(assigned), tuple(written))
