"""How blocks end: `break` and early `return` in place of the flags that SSA has for them.

The frontend puts what follows an early exit into the branch that does not exit:

    stop, y' = if c: yield True, y          ->      if c:
               else: …; yield False, y''                break
    yield stop, y'                                  …

    r = if c: yield a                       ->      if c:
        else: …; yield b                                return a
    return r                                        …
                                                    return b
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ad_compiler.backends.comments import mark
from ad_compiler.backends.schedule import Schedule, last_statement
from ad_compiler.ir.core import Block, Op, Value, yielded

if TYPE_CHECKING:
    from ad_compiler.backends.statements import Statements

Finish = Callable[[Value | None], list[ast.stmt]]  # from the value that says whether to stop, what ends the trip


def constant_of(value: Value) -> object:
    """The number that a constant is; None for anything else."""
    if value.op is not None and value.op.name == "constant":
        return value.op.attributes["value"]
    return None


def loop_body(statements: Statements, loop: Op) -> list[ast.stmt]:
    """One trip: the body, the assignments on the way back, and `break` where the loop may be left."""
    block = loop.regions[-1]
    back = statements.flow(loop, "back")

    def finish(stop: Value | None) -> list[ast.stmt]:
        made = statements.moves(back, loop)
        known = None if stop is None else constant_of(stop)
        if stop is None or known is False:
            return made
        if known is True:
            return [*made, ast.Break()]
        return [*made, ast.If(statements.value(stop), [ast.Break()], [])]

    stop = yielded(block)[0] if loop.attributes.get("breaks") else None
    return _trip(statements, block, stop, finish)


def _trip(statements: Statements, block: Block, stop: Value | None, finish: Finish) -> list[ast.stmt]:
    op = None if stop is None else _decider(statements.plan, block, stop)
    if op is None:
        return [*statements.block(block), *finish(stop)]
    k = op.results.index(stop)  # type: ignore[arg-type]
    parts = []
    for region in op.regions:
        pairs = [pair for j, pair in enumerate(zip(yielded(region), op.results, strict=True)) if j != k]

        def and_then(inner: Value | None, pairs: list[tuple[Value, Value]] = pairs) -> list[ast.stmt]:
            return [*statements.moves(pairs, op), *finish(inner)]

        parts.append(_trip(statements, region, yielded(region)[k], and_then))
    return [*statements.block(block, without=op), *_apart(statements, op, parts)]


def _decider(plan: Schedule, block: Block, stop: Value) -> Op | None:
    """The `if` at the end of the block that says whether to stop, and on one side surely does."""
    op = last_statement(plan.folded, block)
    if op is None or op is not stop.op or op.name != "if" or plan.readers.get(stop) != [block.ops[-1]]:
        return None
    k = op.results.index(stop)
    sides = [yielded(region)[k] for region in op.regions]
    if any(constant_of(side) is True for side in sides):
        return op
    inner = [_decider(plan, region, side) for region, side in zip(op.regions, sides, strict=True)]
    return op if any(one is not None for one in inner) else None


def _apart(statements: Statements, op: Op, parts: Sequence[list[ast.stmt]]) -> list[ast.stmt]:
    """`if` with what follows outside of it, where one side leaves."""
    then, other = parts
    test = statements.value(op.operands[0])
    if then and isinstance(then[-1], ast.Break | ast.Return):
        return [mark(ast.If(test, then, []), op), *other]
    if other and isinstance(other[-1], ast.Break | ast.Return):
        return [mark(ast.If(negated(test), other, []), op), *then]
    return [mark(node, op) for node in branch(test, then, other, op)]


SHORT = 60  # columns of a conditional expression


def branch(test: ast.expr, then: list[ast.stmt], other: list[ast.stmt], op: Op) -> list[ast.stmt]:
    """`if`; a conditional expression where both sides only give one variable a short value."""
    if not then:
        return [ast.If(negated(test), other, [])] if other else []
    if len(then) == len(other) == 1 and (op.phase == "reverse" or _on_one_line(op)):
        a, b = then[0], other[0]
        if isinstance(a, ast.Assign) and isinstance(b, ast.Assign) and _same_name(a.targets[0], b.targets[0]):
            made = ast.IfExp(test, a.value, b.value)
            tiny = not any(isinstance(node, ast.IfExp) for part in (a.value, b.value, test) for node in ast.walk(part))
            if tiny and len(ast.unparse(ast.fix_missing_locations(made))) <= SHORT:
                return [ast.Assign(a.targets, made)]
    return [ast.If(test, then, other)]


def _on_one_line(op: Op) -> bool:
    """Whether the user wrote both sides on the line of the condition."""
    if op.span is None:
        return False
    lines = {inner.span.line for region in op.regions for inner in region.ops if inner.span is not None}
    return lines <= {op.span.line} and op.span.line == op.span.end_line and op.span.end_column > op.span.column


def _same_name(a: ast.expr, b: ast.expr) -> bool:
    return isinstance(a, ast.Name) and isinstance(b, ast.Name) and a.id == b.id


def negated(test: ast.expr) -> ast.expr:
    """not test"""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.NotEq):
        flipped = ast.NotEq() if isinstance(test.ops[0], ast.Eq) else ast.Eq()
        return ast.Compare(test.left, [flipped], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def function_body(
    statements: Statements, block: Block, values: Sequence[Value], result: Callable[[Sequence[Value]], list[ast.stmt]]
) -> list[ast.stmt]:
    """The statements of a function and its `return`s; `values` are what it returns."""
    op = last_statement(statements.plan.folded, block)
    if op is None or op not in statements.plan.returning:
        return [*statements.block(block), *result(values)]
    parts = []
    for region in op.regions:
        there = dict(zip(op.results, yielded(region), strict=True))
        parts.append(function_body(statements, region, [there.get(value, value) for value in values], result))
    return [*statements.block(block, without=op), *_apart(statements, op, parts)]
