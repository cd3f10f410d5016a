"""Where each value is alive: `Liveness(function body)` numbers the ops and answers `live_after(value, position)`.

Every op has a position, a structured op also an `end`; a value is alive in the gaps between the position that
defines it and the last ones that read it.  Branches not taken are holes; a value from outside a loop that is
read in it lives through all of it; what a closure captures lives to the end of the block of the closure.

With `carried=True` a loop's carried value also counts as alive where its *variable* must hold it: at the
loop's head, and from the end of the body over the back edge and the exit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from ad_compiler.ir.core import Block, Op, Value

LOOPS = ("for", "while")
Segment = tuple[int, int]


class Layout:
    """The positions of the ops of a body, and which block and op each stands in."""

    def __init__(self, body: Block) -> None:
        self.body = body
        self.at: dict[Op, int] = {}
        self.end: dict[Op, int] = {}  # of structured ops: where their results are defined
        self.block_of: dict[Op, Block] = {}
        self.owner: dict[Block, Op | None] = {body: None}
        self.start: dict[Block, int] = {body: 0}
        self.home: dict[Value, Block] = {}  # the block that defines it
        self.defined: dict[Value, int] = {}  # the position that defines it
        self.ops: list[Op] = []
        self._number(body)

    def _number(self, body: Block) -> None:
        position = 0
        for value in body.parameters:
            self.home[value], self.defined[value] = body, 0
        stack: list[tuple[Block, Iterator[Op]]] = [(body, iter(body.ops))]
        while stack:
            block, ops = stack[-1]
            op = next(ops, None)
            position += 2
            if op is None:
                stack.pop()
                owner = self.owner[block]
                if owner is not None and block is owner.regions[-1]:
                    self.end[owner] = position
                    self._define(owner, position)
                elif owner is not None:
                    following = owner.regions[owner.regions.index(block) + 1]
                    self._enter(following, owner, position, stack)
                continue
            self.at[op] = position
            self.block_of[op] = block
            self.ops.append(op)
            if op.regions:
                position += 2
                self._enter(op.regions[0], op, position, stack)
            else:
                self.end[op] = position
                self._define(op, position)

    def _enter(self, block: Block, owner: Op, position: int, stack: list[tuple[Block, Iterator[Op]]]) -> None:
        self.owner[block] = owner
        self.start[block] = position
        for k, value in enumerate(block.parameters):
            index = owner.name == "for" and k == 0
            head = owner.name in LOOPS and block is owner.regions[0] and not index
            self.home[value] = block
            self.defined[value] = self.at[owner] if head else position
        stack.append((block, iter(block.ops)))

    def _define(self, op: Op, position: int) -> None:
        for value in op.results:
            self.home[value] = self.block_of[op]
            self.defined[value] = position

    def within(self, op: Op, position: int) -> bool:
        """Whether the position lies inside the structured op."""
        return self.at[op] < position < self.end[op]

    def around(self, op: Op) -> Iterator[Op]:
        """The structured ops that `op` stands in, from the innermost out."""
        owner = self.owner[self.block_of[op]]
        while owner is not None:
            yield owner
            owner = self.owner[self.block_of[owner]]


class Liveness:
    """`site` gives the op at whose position another one is really evaluated (itself, unless it was folded);
    `reads` leaves out operands that do not count."""

    def __init__(
        self,
        layout: Layout,
        *,
        site: Callable[[Op], Op] = lambda op: op,
        reads: Callable[[Op], list[Value]] = lambda op: op.operands,
        carried: bool = False,
    ) -> None:
        self.layout = layout
        self.marks: dict[Value, dict[Block, int]] = {}
        self.segments: dict[Value, list[Segment]] = {}
        extra: dict[Value, list[Segment]] = {}
        for op in layout.ops:
            there = site(op)
            last = 1 if is_stop(layout, there) else 3 if there.name == "for" else 0
            for k, value in enumerate(reads(op)):
                late = 1 if k < last or (last and there is not op) else 0  # read after carried values are assigned
                self._use(value, layout.block_of[there], layout.at[there] + late)
            if carried and op.name in LOOPS:
                for segment, value in _carried_segments(layout, op):
                    extra.setdefault(value, []).append(segment)
            if op.name == "closure":
                for value in op.results:  # it holds what it captured
                    self._use(value, layout.block_of[op], layout.at[layout.block_of[op].ops[-1]] + 1)
        for value in layout.defined:
            self.segments[value] = self._merge(value, extra.get(value, []))

    def _use(self, value: Value, block: Block, position: int) -> None:
        layout = self.layout
        home = layout.home[value]
        marks = self.marks.setdefault(value, {})
        late = False  # read by a closure, which may be called at any time from there on
        while marks.get(block, -1) < position:
            marks[block] = position
            if block is home:
                return
            owner = layout.owner[block]
            assert owner is not None, f"%{value.hint} is read outside its scope"
            block = layout.block_of[owner]
            late = late or owner.name == "closure"
            if late:
                position = layout.at[block.ops[-1]] + 1
            elif owner.name in LOOPS:
                position = layout.end[owner]
            else:
                position = layout.at[owner]

    def _merge(self, value: Value, extra: list[Segment]) -> list[Segment]:
        layout = self.layout
        found = list(extra)
        for block, last in self.marks.get(value, {}).items():
            first = layout.defined[value] if block is layout.home[value] else layout.start[block]
            if last > first:
                found.append((first, last))
        found.sort()
        merged: list[Segment] = []
        for first, last in found:
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return merged

    def live_after(self, value: Value, position: int) -> bool:
        """Whether something that comes after `position` reads the value that it has there."""
        segments = self.segments[value]
        k = bisect_right(segments, (position, 1 << 60)) - 1
        return k >= 0 and position < segments[k][1]

    def ends(self, value: Value) -> int:
        """The last position at which it is alive."""
        segments = self.segments[value]
        return segments[-1][1] if segments else self.layout.defined[value]


def is_stop(layout: Layout, op: Op) -> bool:
    """Whether the first operand of `op`, a `yield`, says that its loop stops: it is read after the others."""
    if op.name != "yield":
        return False
    block = layout.block_of[op]
    owner = layout.owner[block]
    return owner is not None and bool(owner.attributes.get("breaks")) and block is owner.regions[-1]


def edges(op: Op) -> Iterator[tuple[Value, Value, str]]:
    """How values flow through a structured op: (from, to, "enter" | "stay" | "back" | "exit" | "branch")."""
    if op.name == "if":
        for region in op.regions:
            for value, result in zip(region.ops[-1].operands, op.results, strict=True):
                yield value, result, "branch"
    elif op.name in LOOPS:
        skip = 1 if op.attributes.get("breaks") else 0
        lead = 3 if op.name == "for" else 0
        heads = op.regions[0].parameters[1 if lead else 0 :]
        for value, head in zip(op.operands[lead:], heads, strict=True):
            yield value, head, "enter"
        if op.name == "while":
            for head, parameter in zip(heads, op.regions[1].parameters, strict=True):
                yield head, parameter, "stay"
        for value, head in zip(op.regions[-1].ops[-1].operands[skip:], heads, strict=True):
            yield value, head, "back"
        for head, result in zip(heads, op.results, strict=True):
            yield head, result, "exit"


def _carried_segments(layout: Layout, op: Op) -> Iterator[tuple[Segment, Value]]:
    body = op.regions[-1]
    head, last, end = layout.at[op], layout.at[body.ops[-1]], layout.end[op]
    for value in op.regions[0].parameters[1 if op.name == "for" else 0 :]:
        yield (head, layout.start[op.regions[0]]), value
        yield (last, end), value
        if op.name == "while":
            yield (head, layout.start[body]), value
    if op.name == "while":
        for value in body.parameters:
            yield (layout.start[body], layout.start[body] + 1), value


def branch_segments(layout: Layout, op: Op) -> Iterator[Segment]:
    """Where the results of an `if` are alive before its end: after the yield of each branch."""
    for region in op.regions:
        last = layout.at[region.ops[-1]]
        yield last, last + 2
