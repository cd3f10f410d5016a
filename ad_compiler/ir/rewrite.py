"""Changing programs in place, in one sweep: replaced values travel in a map instead of being looked for.

`sweep(block, visit)` calls `visit(op, scope)` on every op in program order, outer before inner, operands
already substituted.  `visit` returns None to keep the op, or the values that stand for its results: the op is
then dropped.  New ops that it puts into `scope.before` go in front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ad_compiler.ir.core import Block, Op, Value, walk

Visit = Callable[[Op, "Scope"], Sequence[Value] | None]


class Scope:
    """Where the sweep stands: the block, the ops around it, and the ops to put before the present one."""

    __slots__ = ("before", "block", "index", "kept", "outer", "owner")

    def __init__(self, block: Block, owner: Op | None, outer: Scope | None) -> None:
        self.block = block
        self.owner = owner
        self.outer = outer
        self.index = 0
        self.kept: list[Op] = []
        self.before: list[Op] = []


def sweep(
    body: Block,
    visit: Visit,
    *,
    leave: Callable[[Op, Scope], Sequence[Value] | None] | None = None,
    values: dict[Value, Value] | None = None,
) -> bool:
    """Whether anything was replaced.  `leave` is called on an op with regions after them, and may replace too."""
    values = {} if values is None else values
    changed = False
    stack = [Scope(body, None, None)]
    while stack:
        scope = stack[-1]
        if scope.index == len(scope.block.ops):
            stack.pop()
            if len(scope.kept) != len(scope.block.ops):
                changed = True
            scope.block.ops = scope.kept
            owner = scope.owner
            if owner is not None and scope.block is owner.regions[-1] and leave is not None:
                outside = stack[-1]
                replacement = leave(owner, outside)
                if replacement is not None:
                    values.update(zip(owner.results, replacement, strict=True))
                    outside.kept.pop()
                    changed = True
                outside.kept.extend(outside.before)
                outside.before.clear()
            continue
        op = scope.block.ops[scope.index]
        scope.index += 1
        if values:
            op.operands = [resolve(operand, values) for operand in op.operands]
        replacement = visit(op, scope)
        scope.kept.extend(scope.before)
        scope.before.clear()
        if replacement is not None:
            values.update(zip(op.results, replacement, strict=True))
            changed = True
            continue
        scope.kept.append(op)
        stack.extend(Scope(region, op, scope) for region in reversed(op.regions))
    return changed


def resolve(value: Value, values: dict[Value, Value]) -> Value:
    """What stands for `value` in the end."""
    while value in values:
        value = values[value]
    return value


def replace_uses(body: Block, values: dict[Value, Value]) -> None:
    """Read `values[v]` wherever `v` is read."""
    if values:
        for op in walk(body):
            op.operands = [resolve(operand, values) for operand in op.operands]
