"""Dead code elimination: what nobody reads is gone, carried values that only feed themselves included.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(dce, '''
    ... func f(%x: f64, %n: i64) -> f64
    ...   %y: f64, %z: f64, %w: f64 = for 0, %n, 1, %x, 0.0, %x
    ...     do(%i: i64, %a: f64, %b: f64, %c: f64)
    ...       %d: f64 = multiply %a, %c
    ...       %e: f64 = add %b, 1.0
    ...       yield %d, %e, %c
    ...   return %y
    ... ''')
    func f(%x: f64, %n: i64) -> f64
      %y: f64 = for 0, %n, 1, %x
        do(%i: i64, %a: f64)
          %d: f64 = multiply %a, %x
          yield %d
      return %y
    <BLANKLINE>

Two steps: carried values that never change and branches that agree are replaced by what they are; then what
can be reached backwards from the results and the effects is marked, and the rest dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ad_compiler.analysis.uses import effectful_functions, first_carried, first_yielded, has_effect, places
from ad_compiler.ir.core import Function, Module, Op, Value, walk, yielded
from ad_compiler.ir.rewrite import replace_uses, resolve

LOOPS = ("for", "while")


def dce(function: Function, module: Module) -> bool:
    """Drop what nobody reads.  Ops with an effect stay."""
    changed = _drop_invariants(function)
    live = Liveness(function, effectful_functions(module))
    return _sweep(function, live) or changed


# -- values that are another value all along -----------------------------------------------------------


def _drop_invariants(function: Function) -> bool:
    """A carried value that is yielded as it came, a result that both branches give: replaced."""
    values: dict[Value, Value] = {}
    structured = [op for op in walk(function.body) if op.name in LOOPS or op.name == "if"]
    for op in reversed(structured):  # inner ones first
        if op.name == "if":
            _agreeing(op, values)
        else:
            _invariant(op, values)
    replace_uses(function.body, values)
    return bool(values)


def _agreeing(op: Op, values: dict[Value, Value]) -> None:
    then, other = (yielded(region) for region in op.regions)
    same = [k for k in range(len(op.results)) if resolve(then[k], values) is resolve(other[k], values)]
    for k in same:
        values[op.results[k]] = then[k]
    _drop(op, set(same))


def _invariant(op: Op, values: dict[Value, Value]) -> None:
    leaving = yielded(op.regions[-1])
    same = set()
    for k, result in enumerate(op.results):
        heads = _heads(op, k)
        init = op.operands[first_carried(op) + k]
        if resolve(leaving[first_yielded(op) + k], values) in (*heads, resolve(init, values)):
            same.add(k)
            values.update(dict.fromkeys([*heads, result], init))
    _drop(op, same)


def _heads(op: Op, k: int) -> list[Value]:
    """The parameters, of each region of the loop, that hold its carried value `k`."""
    return [region.parameters[k + (op.name == "for")] for region in op.regions]


def _drop(op: Op, positions: set[int]) -> None:
    """Take results, what is yielded for them, and a loop's carried values with them, away."""
    if not positions:
        return
    kept = [k for k in range(len(op.results)) if k not in positions]
    bodies = op.regions if op.name == "if" else op.regions[-1:]
    lead = first_yielded(op)
    for region in bodies:
        last = region.ops[-1]
        last.operands = last.operands[:lead] + [last.operands[lead + k] for k in kept]
    if op.name in LOOPS:
        lead = first_carried(op)
        op.operands = op.operands[:lead] + [op.operands[lead + k] for k in kept]
        for region in op.regions:
            lead = int(op.name == "for")
            region.parameters = region.parameters[:lead] + [region.parameters[lead + k] for k in kept]
    op.results = [op.results[k] for k in kept]


# -- what is reached -----------------------------------------------------------------------------------


class Liveness:
    """Marks backwards from the function's results and from effects.  `reads` gives the operands that count."""

    def __init__(
        self,
        function: Function,
        effectful: frozenset[str],
        reads: Callable[[Op], Iterable[Value]] = lambda op: op.operands,
    ) -> None:
        self.places = places(function.body)
        self.reads = reads
        self.ops: set[Op] = set()
        self.values: set[Value] = set()
        self.carried: set[tuple[Op, int]] = set()
        self.work: list[Value] = list(yielded(function.body))
        for op in self.places.owner:
            if has_effect(op, effectful):
                self.mark_op(op)
        while self.work:
            self.mark_value(self.work.pop())

    def mark_op(self, op: Op | None) -> None:
        """The op has to run: so do the ops around it, and what decides whether and how often."""
        while op is not None and op not in self.ops:
            self.ops.add(op)
            if op.name in LOOPS:
                self.work.extend(op.operands[: first_carried(op)])
                if op.name == "while":
                    self.work.extend(yielded(op.regions[0]))
                self.work.extend(yielded(op.regions[-1])[: first_yielded(op)])
            else:
                self.work.extend(self.reads(op))
                if op.name in ("closure", "hook"):
                    self.work.extend(yielded(op.regions[0]))
            op = self.places.owner[op]

    def mark_value(self, value: Value) -> None:
        if value in self.values:
            return
        self.values.add(value)
        if value.op is not None:
            self.mark_op(value.op)
            if value.op.name == "if" or value.op.name in LOOPS:
                self.mark_result(value.op, value.op.results.index(value))
        elif value in self.places.parameter:
            op, _, position = self.places.parameter[value]
            self.mark_op(op)
            position -= op.name == "for"
            if op.name in LOOPS and position >= 0:
                self.mark_result(op, position)

    def mark_result(self, op: Op, k: int) -> None:
        if (op, k) in self.carried:
            return
        self.carried.add((op, k))
        if op.name == "if":
            self.work.extend(yielded(region)[k] for region in op.regions)
        else:
            self.work.append(op.operands[first_carried(op) + k])
            self.work.append(yielded(op.regions[-1])[first_yielded(op) + k])


def _sweep(function: Function, live: Liveness) -> bool:
    changed = False
    blocks = [function.body]
    while blocks:
        block = blocks.pop()
        kept = [op for op in block.ops[:-1] if op in live.ops]
        kept.append(block.ops[-1])
        changed |= len(kept) != len(block.ops)
        block.ops = kept
        for op in kept:
            if op.name == "if" or op.name in LOOPS:
                dead = {k for k in range(len(op.results)) if (op, k) not in live.carried}
                changed |= bool(dead)
                _drop(op, dead)
            blocks.extend(op.regions)
    return changed
