"""Which names may still be read: after a statement, and at the head of a loop.

    live_names : function node -> {statement: names read after it}, {loop: names read from its head on}

It decides what an `if` must hand out and a loop must carry, never what is right: a name that is live too
long costs a value that nothing reads.  Names that functions inside read are live throughout.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field
from typing import Any

from ad_compiler.frontend.names import FUNCTIONS, binds, free_names, walk_scope

Names = frozenset[str]
NOTHING: Names = frozenset()


@dataclass
class Liveness:
    after: dict[int, Names] = field(default_factory=dict)  # by id of the compound statement
    head: dict[int, Names] = field(default_factory=dict)  # by id of the loop
    always: Names = NOTHING


@dataclass(frozen=True)
class _Targets:
    """What is live where `break` and `continue` lead."""

    leave: Names = NOTHING
    again: Names = NOTHING


@functools.lru_cache(maxsize=512)
def live_names(node: ast.AST) -> Liveness:
    body: list[Any] = node.body if isinstance(node.body, list) else []  # type: ignore[attr-defined]
    inside = [one for part in body for one in ast.walk(part) if isinstance(one, FUNCTIONS)]
    found = Liveness(always=frozenset(name for one in inside for name in free_names(one)))
    _block(found, body, NOTHING, _Targets())
    return found


def _reads(node: ast.AST | None) -> Names:
    """The names that an expression reads (also those of comprehensions and lambdas in it)."""
    if node is None:
        return NOTHING
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))


def _block(found: Liveness, statements: list[ast.stmt], live: Names, targets: _Targets) -> Names:
    for statement in reversed(statements):
        live = _statement(found, statement, live, targets)
    return live


def _statement(found: Liveness, node: ast.stmt, live: Names, targets: _Targets) -> Names:
    """What is live before `node`, given what is live after it."""
    if isinstance(node, ast.If):
        found.after[id(node)] = live
        return _block(found, node.body, live, targets) | _block(found, node.orelse, live, targets) | _reads(node.test)
    if isinstance(node, ast.For | ast.While):
        return _loop(found, node, live, targets)
    if isinstance(node, ast.With):
        found.after[id(node)] = live
        before = _block(found, node.body, live, targets)
        return before.union(*[_reads(item.context_expr) for item in node.items])
    if isinstance(node, ast.Try):
        found.after[id(node)] = live
        final = _block(found, node.finalbody, live, targets)
        handlers = final.union(*[_block(found, one.body, final, targets) for one in node.handlers])
        orelse = _block(found, node.orelse, final, targets)
        return _block(found, node.body, orelse, targets) | handlers | _touched(node.body)
    if isinstance(node, ast.Match):
        found.after[id(node)] = live
        cases = [_block(found, one.body, live, targets) | _reads(one.guard) | _reads(one.pattern) for one in node.cases]
        return live.union(*cases) | _reads(node.subject)
    if isinstance(node, ast.Return):
        return _reads(node.value)
    if isinstance(node, ast.Break):
        return targets.leave
    if isinstance(node, ast.Continue):
        return targets.again
    if isinstance(node, ast.Raise):
        return _reads(node)
    return (live - _killed(node)) | _read_by(node)


def _loop(found: Liveness, node: ast.For | ast.While, live: Names, targets: _Targets) -> Names:
    found.after[id(node)] = live
    leaving = _block(found, node.orelse, live, targets)
    test = _reads(node.test) if isinstance(node, ast.While) else NOTHING
    # a `break` may hold back what the statements after it would have overwritten
    held = live if any(isinstance(one, ast.Break | ast.Return) for one in walk_scope(node.body)) else NOTHING
    head = leaving | test | held
    while True:
        before = _block(found, node.body, head | held, _Targets(live, head))
        if isinstance(node, ast.For):
            before -= frozenset(name for one in ast.walk(node.target) for name in binds(one))
            before |= _reads(node.target)
        if before <= head:
            break
        head |= before
    found.head[id(node)] = head
    return head | (_reads(node.iter) if isinstance(node, ast.For) else NOTHING)


def _killed(node: ast.stmt) -> Names:
    """The names that a simple statement surely binds anew."""
    if isinstance(node, ast.AugAssign):
        return NOTHING
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return NOTHING
    nodes = walk_scope([node])
    unsure = {id(one.target) for one in nodes if isinstance(one, ast.NamedExpr)}  # `a and (x := 1)`
    return frozenset(name for one in nodes if id(one) not in unsure for name in binds(one))


def _read_by(node: ast.stmt) -> Names:
    reads = _reads(node)
    if isinstance(node, ast.AugAssign):
        reads |= frozenset(one.id for one in ast.walk(node.target) if isinstance(one, ast.Name))
    return reads


def _touched(statements: list[ast.stmt]) -> Names:
    return frozenset(one.id for s in statements for one in ast.walk(s) if isinstance(one, ast.Name))
