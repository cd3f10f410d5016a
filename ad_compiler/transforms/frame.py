"""A reverse block being built, and the cotangents that belong to it.

A cotangent belongs to the frame of the block that defines its value; a frame inside it sees the outer
cotangents through its own rules (a loop carries them as accumulators, a branch yields them), which are the
subclasses in `regions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ad_compiler.analysis.activity import Activity
from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block, Function, Module, Op, Value
from ad_compiler.ir.types import is_scalar
from ad_compiler.primitives.rules import NoRule, pullback
from ad_compiler.transforms.common import add, companion, no_rule, wrap, zeros


class Adjoint(Protocol):
    """What a frame asks of the transformation that it belongs to."""

    source: Module
    target: Module
    function: Function
    builder: Builder
    facts: Activity
    handlers: dict[str, Callable[[Frame, Op], None]]

    def sibling(self, function: Function) -> Adjoint: ...

    def forward(self) -> list[Value]: ...

    def activate(self, wrt: Sequence[int], results: Sequence[Value]) -> None: ...

    def seed(self, results: Sequence[Value], seeds: Sequence[Value]) -> None: ...

    def reverse(self, wrt: Sequence[int]) -> list[Value]: ...


class Frame:
    """A reverse block being built, and the cotangents of the values that its forward block defines."""

    def __init__(self, adjoint: Adjoint, forward: Block, parent: Frame | None = None) -> None:
        self.adjoint = adjoint
        self.builder = adjoint.builder
        self.forward = forward
        self.parent = parent
        self.cotangents: dict[int, Value | Late] = {}
        self.values: dict[int, Value] = {}  # by id, every value that `cotangents` has had an entry for
        self.own = {id(value) for value in forward.parameters}
        self.own.update(id(result) for op in forward.ops for result in op.results)

    # -- cotangents -----------------------------------------------------------------------------

    def cotangent(self, value: Value) -> Value | None:
        """The cotangent of `value` as far as it has been accumulated, in this frame's block."""
        found = self.cotangents.get(id(value))
        if isinstance(found, Late):
            with found.builder.at(found.op.span):
                found = found.build()
            self.cotangents[id(value)] = found
        if found is not None or id(value) in self.own:
            return found
        found = self.outer_cotangent(value)
        if found is not None:
            self.values[id(value)] = value
            self.cotangents[id(value)] = found
        return found

    def outer_cotangent(self, value: Value) -> Value | None:
        """The cotangent that a value from around this frame has when the frame begins."""
        return None

    def accumulate(self, value: Value, bar: Value, *, fresh: bool = False) -> None:
        """Add `bar` to the cotangent of `value`.  `fresh`: it was computed for this, and is nobody else's."""
        before = self.cotangent(value)
        self.values[id(value)] = value
        hint = companion(value, "_bar") or "s_bar"  # of a value without a name
        made = bar.op
        if fresh and made is not None and made is self.builder.block.ops[-1] and made.name in SCATTERS:
            bar = scatter_into(self.builder, made, before, value)
        elif before is not None:
            bar = add(self.builder, before, bar, hint)
        if bar.hint in ("", "s_bar"):
            bar.hint = hint
        self.cotangents[id(value)] = bar

    def take(self, value: Value) -> Value | None:
        """The cotangent of `value`, which no later op contributes to any more."""
        found = self.cotangent(value)
        self.cotangents.pop(id(value), None)
        return found

    def active(self, value: Value) -> bool:
        return self.adjoint.facts.is_active(value)

    # -- the walk -------------------------------------------------------------------------------

    def walk(self, ops: Sequence[Op]) -> None:
        """The adjoints of `ops`, last first."""
        for op in reversed(list(ops)):  # the adjoints of regions insert ops into the list
            if op.name in ("yield", "return") or not any(self.active(result) for result in op.results):
                continue
            self.build_late(op)
            with self.builder.at(op.span):
                handler = self.adjoint.handlers.get(op.name)
                if handler is not None:
                    handler(self, op)
                else:
                    self.plain(op)

    def build_late(self, op: Op) -> None:
        """The cotangents that wait are built before the sweep goes on to another line of the source."""
        for key, late in list(self.cotangents.items()):
            if not isinstance(late, Late):
                continue
            if late.op.span is None or op.span is None or late.op.span.line != op.span.line:
                self.cotangent(self.values[key])

    def plain(self, op: Op) -> None:
        bars = [self.take(result) if self.active(result) else None for result in op.results]
        if all(bar is None for bar in bars):
            return
        wanted = {k for k, operand in enumerate(op.operands) if self.active(operand)}
        if op.name == "opaque":
            raise no_rule(op)
        if op.name == "setitem" and is_overwrite(op):
            self.overwrite(op, bars[0], wanted)
            return
        if op.name == "append" and bars[0] is not None:
            self.unappend(op, bars[0])
            return
        # the operand that the result rebinds comes last: `x_bar += a_bar * a`, then `a_bar = a_bar * x`
        names = {result.hint for result in op.results if result.hint}
        for k in sorted(wanted, key=lambda k: (op.operands[k].hint in names, k)):
            before = len(self.builder.block.ops)
            contribution = self.pull(op, bars, k)
            if contribution is not None:
                fresh = contribution.op in self.builder.block.ops[before:]
                self.accumulate(op.operands[k], contribution, fresh=fresh)

    def unappend(self, op: Op, bar: Value) -> None:
        """`ys = append(xs, v)`: x̄s and v̄ are what one `pop` of ȳs gives."""
        xs, v = op.operands
        rest, last = self.builder.emit("pop", [bar], types=[bar.type, v.type])
        rest.hint, last.hint = companion(xs, "_bar"), companion(v, "_bar")
        if self.active(xs):
            self.accumulate(xs, rest)
        if self.active(v):
            self.accumulate(v, last)

    def pull(self, op: Op, bars: Sequence[Value | None], position: int) -> Value | None:
        """What `op` contributes to the cotangent of its operand at `position`, by the operand's rule."""
        try:
            contribution = pullback(
                op.name,
                op.attributes,
                wrap(self.builder, op.operands),
                wrap(self.builder, op.results),
                [None if bar is None else wrap(self.builder, [bar])[0] for bar in bars],
                {position},
            )[position]
        except NoRule as missing:
            raise no_rule(op, missing.operand, missing.reason) from None
        return None if contribution is None else contribution.value

    def overwrite(self, op: Op, bar: Value | None, wanted: set[int]) -> None:
        """`x' = setitem(x, v)`: v̄ is read first; clearing the slot of x̄ waits until x̄ is asked for, so that
        the emitted code reads the slot where it stands and then writes a zero into it."""
        assert bar is not None
        if 1 in wanted:
            v_bar = self.pull(op, [bar], 1)
            if v_bar is not None:
                self.accumulate(op.operands[1], v_bar)
        if 0 in wanted:
            before = self.cotangent(op.operands[0])
            late = Late(self, op, bar)
            if before is None:
                self.values[id(op.operands[0])] = op.operands[0]
                self.cotangents[id(op.operands[0])] = late
            else:
                self.accumulate(op.operands[0], late.build())


class Late:
    """A cleared cotangent that is not built before somebody reads it."""

    def __init__(self, frame: Frame, op: Op, bar: Value) -> None:
        self.frame = frame
        self.builder = frame.builder
        self.block = frame.builder.block
        self.op = op
        self.bar = bar

    def build(self) -> Value:
        with self.builder.inside(self.block):
            cleared = self.frame.pull(self.op, [self.bar], 0)
        assert cleared is not None
        cleared.hint = companion(self.op.operands[0], "_bar")
        return cleared


def is_overwrite(op: Op) -> bool:
    return not is_scalar(op.operands[0].type)


SCATTERS = ("scatter", "add_at", "list_add_at")


def scatter_into(builder: Builder, made: Op, before: Value | None, value: Value) -> Value:
    """A contribution to a part of x̄: added there, in place of a whole array of zeros added to all of it."""
    hint = companion(value, "_bar")
    builder.block.ops.pop()
    if made.name == "scatter":
        bar, x, *slots = made.operands
        base = zeros(builder, x) if before is None else before
        return builder.one("add_at", base, bar, *slots, hint=hint, **made.attributes)
    base, *rest = made.operands
    if before is None:
        builder.block.ops.append(made)
        return made.results[0]
    if base.op is None or base.op.name != "zeros_like":
        builder.block.ops.append(made)
        return add(builder, before, made.results[0], hint)
    return builder.one(made.name, before, *rest, hint=hint, **made.attributes)
