"""What becomes a statement, and what is written inside the expression of its only reader.

`schedule(function, ownership)` folds an op into its reader when both stand in the same block, nothing that it
reads is overwritten in between, and the line stays readable.  A value that has the user's name stays a
statement of its own in the primal; in the reverse sweep every cotangent that is read once is folded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from ad_compiler.analysis.liveness import LOOPS, Layout, Liveness, edges, is_stop
from ad_compiler.analysis.memory import HOLDERS, NOTHING, WRITES
from ad_compiler.analysis.ownership import Ownership, reads_content
from ad_compiler.ir.core import Block, Function, Op, Value
from ad_compiler.ir.types import Undefined
from ad_compiler.primitives.declare import REGISTRY

ATOMS = ("constant", "undefined", "captured")  # written where they are read
STATEMENTS = (*WRITES, *LOOPS, "if", "call", "closure", "effect", "opaque", "hook", "yield", "return", *ATOMS)
WIDTH = 84  # of a line
WIDE = 150  # of an expression that the user wrote as one, which may be wrapped


@dataclass(slots=True)
class Schedule:
    """`folded[op]` is the reader in whose expression `op` is written."""

    function: Function
    layout: Layout
    ownership: Ownership
    folded: dict[Op, Op] = field(default_factory=dict)
    readers: dict[Value, list[Op]] = field(default_factory=dict)
    returning: set[Op] = field(default_factory=set)  # the `if`s at a function's end whose branches return

    def site(self, op: Op) -> Op:
        """The op whose statement `op` is written in."""
        while op in self.folded:
            op = self.folded[op]
        return op

    def has_variable(self, value: Value) -> bool:
        return value.op is None or (value.op not in self.folded and value.op.name not in ATOMS)


def schedule(function: Function, ownership: Ownership) -> Schedule:
    return _Folding(function, ownership).run()


def last_statement(folded: Container[Op], block: Block) -> Op | None:
    """The last op of the block that is a statement, before its terminator."""
    for op in reversed(block.ops[:-1]):
        if op.name not in ATOMS and op not in folded:
            return op
    return None


class _Folding:
    def __init__(self, function: Function, ownership: Ownership) -> None:
        self.layout = Layout(function.body)
        self.plan = Schedule(function, self.layout, ownership)
        self.liveness = Liveness(self.layout)
        self.writes: dict[Block, list[tuple[int, frozenset[int]]]] = {block: [] for block in self.layout.owner}
        self.effects: dict[Block, list[int]] = {block: [] for block in self.layout.owner}
        self.renamed: dict[str, list[int]] = {}  # where a value of this name is defined
        self.leaves: dict[Op, list[Value]] = {}
        self.roots: dict[Op, frozenset[int]] = {}
        self.width: dict[Op, int] = {}
        self.indent: dict[Block, int] = {}
        self.survey()

    def survey(self) -> None:
        layout, ownership = self.layout, self.plan.ownership
        for op in layout.ops:
            for operand in op.operands:
                self.plan.readers.setdefault(operand, []).append(op)
            block = layout.block_of[op]
            if op.name in WRITES or op in ownership.increments:
                self.everywhere(self.writes, block, (layout.at[op], ownership.top.get(op.operands[0], NOTHING)))
            if op.name in ("effect", "opaque", "call"):
                self.everywhere(self.effects, block, layout.at[op])
            if op.regions:
                owner = layout.owner[block]
                self.indent[block] = 4 if owner is None else self.indent[layout.block_of[owner]] + 4
        for value, position in layout.defined.items():
            if value.hint:
                self.renamed.setdefault(value.hint, []).append(position)
        for positions in self.renamed.values():
            positions.sort()

    def everywhere(self, events: dict[Block, list[Any]], block: Block, event: Any) -> None:
        """An event in a block is one in the blocks around it too."""
        while True:
            events[block].append(event)
            owner = self.layout.owner[block]
            if owner is None:
                return
            block = self.layout.block_of[owner]

    def find_returns(self) -> None:
        """The nameless results of an `if` at the end that go to `return`: each branch returns by itself."""
        blocks = [(self.layout.body, self.layout.body.ops[-1])]
        while blocks:
            block, last = blocks.pop()
            op = last_statement({}, block)
            if op is None or op.name != "if" or op.phase == "reverse" or not op.results:
                continue
            only = all(self.plan.readers.get(result) == [last] for result in op.results)
            if only and not any(result.hint for result in op.results):
                self.plan.returning.add(op)
                blocks += [(region, region.ops[-1]) for region in op.regions]

    def run(self) -> Schedule:
        self.find_returns()
        for op in self.layout.ops:
            self.fold_into(op)
        return self.plan

    def fold_into(self, op: Op) -> None:
        """Decide which operands are written inside the expression of `op`."""
        chosen: list[Op] = []
        for k, operand in enumerate(op.operands):
            made = operand.op
            if made is not None and self.may_fold(made, op, k):
                chosen.append(made)
        room = self.room(op, chosen)
        while chosen and self.total(op, chosen) > room:
            chosen.remove(max(chosen, key=lambda made: (self.width[made], self.layout.at[made])))
        for made in chosen:
            self.plan.folded[made] = op
        self.note(op, chosen)

    def room(self, op: Op, chosen: list[Op]) -> int:
        same_line = (
            op.phase != "reverse"
            and op.span is not None
            and all(made.span is not None and made.span.line == op.span.line for made in chosen)
        )
        if same_line:
            return WIDE
        target = max((len(result.hint) for result in op.results), default=0) or 6
        return WIDTH - self.indentation(self.layout.block_of[op]) - target - 3

    def indentation(self, block: Block) -> int:
        depth = 4
        owner = self.layout.owner[block]
        while owner is not None:
            depth, owner = depth + 4, self.layout.owner[self.layout.block_of[owner]]
        return depth

    def total(self, op: Op, chosen: list[Op]) -> int:
        width = 6 if op.name in REGISTRY and REGISTRY[op.name].emit is None else 1
        for operand in op.operands:
            made = operand.op
            if made is not None and made.name == "constant":
                width += len(repr(made.attributes["value"])) + 2
            elif made is not None and made in chosen:
                width += self.width[made] + 4
            else:
                width += (len(operand.hint) or 2) + 2
        return width

    def note(self, op: Op, chosen: list[Op]) -> None:
        """What the expression of `op` reads, with all that is folded into it."""
        leaves: dict[Value, None] = {}
        roots = NOTHING
        for operand in op.operands:
            made = operand.op
            if made is not None and made in chosen:
                leaves.update(dict.fromkeys(self.leaves[made]))
                roots = roots | self.roots[made]
            elif made is None or made.name not in ATOMS:
                leaves[operand] = None
        for operand in reads_content(op):
            roots = roots | self.plan.ownership.reach(operand)
        self.leaves[op] = list(leaves)
        self.roots[op] = roots
        self.width[op] = self.total(op, chosen)

    def may_fold(self, made: Op, reader: Op, k: int) -> bool:
        if made.name in STATEMENTS or len(made.results) != 1 or made in self.plan.ownership.increments:
            return False
        value = made.results[0]
        layout = self.layout
        if len(self.plan.readers[value]) != 1 or layout.block_of[made] is not layout.block_of[reader]:
            return False
        if isinstance(value.type, Undefined) or not self.takes_expression(reader, k, made):
            return False
        if value.hint and self.keeps_its_name(made, reader):
            return False
        if made.name in REGISTRY and REGISTRY[made.name].effect:
            return False
        return self.nothing_between(made, reader)

    def takes_expression(self, reader: Op, k: int, made: Op) -> bool:
        """Whether an expression may stand where `reader` has its operand `k`."""
        if reader.name in WRITES and k == 0:
            return False
        if made.name == "fresh":
            return reader.name in (*HOLDERS, "return") or (reader.name == "yield" and self.is_exit(reader))
        if reader in self.plan.ownership.increments:
            return k > 0
        if reader.name in LOOPS:
            return reader.name == "for" and k < 3
        if reader.name == "yield":
            return self.is_test(reader, k, made) or self.is_exit(reader)
        return reader.name not in ("effect", "opaque", "hook", "closure")

    def is_exit(self, reader: Op) -> bool:
        owner = self.layout.owner[self.layout.block_of[reader]]
        return owner is not None and (owner.name == "closure" or owner in self.plan.returning)

    def is_test(self, reader: Op, k: int, made: Op) -> bool:
        """Whether the operand is the condition of a `while`, or the stop of a loop that none of its reads outlives."""
        block = self.layout.block_of[reader]
        owner = self.layout.owner[block]
        if owner is None or owner.name not in LOOPS:
            return False
        if owner.name == "while" and block is owner.regions[0]:
            return True
        if k != 0 or not is_stop(self.layout, reader):
            return False
        back = {target: source for source, target, kind in edges(owner) if kind in ("back", "stay")}
        return not any(leaf in back or leaf in block.parameters for leaf in self.leaves[made])

    def keeps_its_name(self, made: Op, reader: Op) -> bool:
        if made.name == "fresh":
            return False
        if made.phase != "reverse":
            return True
        return reader.name in ("return", "yield") or reader.name in LOOPS

    def nothing_between(self, made: Op, reader: Op) -> bool:
        """Whether what `made` reads is still there, under its name, where `reader` stands."""
        layout, block = self.layout, self.layout.block_of[made]
        first, last = layout.at[made], layout.at[reader]
        events = self.writes[block]
        begin = bisect_left(events, (first, NOTHING), key=lambda event: (event[0], NOTHING))
        roots = self.roots[made]
        for k in range(begin, len(events)):
            position, written = events[k]
            if position >= last:
                break
            if k - begin > 60 or (written & roots):
                return False
        if made.name == "call":
            between = self.effects[block]
            if bisect_left(between, last) - bisect_right(between, first) > 0:
                return False
        for leaf in self.leaves[made]:
            positions = self.renamed.get(leaf.hint, [])
            for position in positions[bisect_right(positions, first) : bisect_left(positions, last)][:20]:
                if not self.liveness.live_after(leaf, position):
                    return False
        return True
