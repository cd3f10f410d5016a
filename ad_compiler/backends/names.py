"""Values -> variables of the emitted function.

`assign_names` first joins values that are one variable to Python (what a loop carries, what is written in
place), as far as they are never alive at the same time; then each group takes its user's name, or that name
with a number where another value alive at the same time has it, or a short letter.  A closure is a scope of
its own, in which the names that it captures keep their meaning.
"""

from __future__ import annotations

import builtins
import keyword
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from ad_compiler.analysis.liveness import Layout, Liveness, Segment, branch_segments, edges
from ad_compiler.analysis.memory import WRITES
from ad_compiler.backends.schedule import Schedule
from ad_compiler.ir.core import Op, Value, captured

LETTERS = ("s", "t", "u", "v", "w", "p", "q", "r")
RESERVED = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "math", "self"} - {"_"})


class Spans:
    """Disjoint pieces of time, sorted."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Iterable[Segment] = ()) -> None:
        self.pieces: list[Segment] = []
        for piece in pieces:
            insort(self.pieces, piece)

    def meets(self, other: Spans) -> bool:
        few, many = (self, other) if len(self.pieces) < len(other.pieces) else (other, self)
        for first, last in few.pieces:
            k = bisect_left(many.pieces, (last, -1))
            if k > 0 and many.pieces[k - 1][1] > first:
                return True
        return False

    def add(self, other: Spans) -> None:
        for piece in other.pieces:
            insort(self.pieces, piece)


@dataclass(slots=True, eq=False)
class Group:
    """Values that share a variable."""

    members: list[Value]
    spans: Spans
    scope: Op | None  # the closure that they are local to
    first: int
    hint: str
    fixed: str | None = None
    joined: list[Group] = field(default_factory=list)


class Naming:
    def __init__(self, plan: Schedule, reserved: Iterable[str], fixed: dict[Value, str]) -> None:
        self.plan = plan
        self.layout = plan.layout
        self.reserved = RESERVED | frozenset(reserved)
        self.fixed = fixed
        self.groups: dict[Value, Group] = {}
        self.make_groups()

    def make_groups(self) -> None:
        plan, layout = self.plan, self.layout
        liveness = Liveness(layout, site=plan.site, carried=True)
        branches: dict[Value, list[Segment]] = {}
        for op in layout.ops:
            if op.name == "if":
                pieces = list(branch_segments(layout, op))
                branches.update((result, pieces) for result in op.results)
        for value, position in sorted(layout.defined.items(), key=lambda item: item[1]):
            if not plan.has_variable(value):
                continue
            pieces = _merged([*liveness.segments[value], *branches.get(value, ()), (position, position + 1)])
            scope = self.scope(layout, value)
            hint = value.hint
            if value.op is not None and value.op.name == "closure":
                hint = value.op.attributes.get("name") or hint or "pullback"
            self.groups[value] = Group([value], Spans(pieces), scope, position, hint, self.fixed.get(value))

    def scope(self, layout: Layout, value: Value) -> Op | None:
        owner = layout.owner[layout.home[value]]
        while owner is not None and owner.name != "closure":
            owner = layout.owner[layout.block_of[owner]]
        return owner

    # -- joining ------------------------------------------------------------------------------------

    def join_all(self) -> None:
        for a, b in self.affinities():
            self.join(a, b)

    def affinities(self) -> Iterable[tuple[Value, Value]]:
        ops = self.layout.ops
        for op in ops:
            if op.name in WRITES or op in self.plan.ownership.increments:
                yield op.operands[0], op.results[0]
        for wanted in (("stay",), ("back",), ("enter", "exit"), ("branch",)):
            for op in ops:
                for source, target, kind in edges(op):
                    if kind in wanted:
                        yield source, target
        for op in ops:
            if op.name == "fresh" or (op.name == "add" and op.phase == "reverse"):
                yield op.operands[0], op.results[0]

    def join(self, a: Value, b: Value) -> None:
        left, right = self.groups.get(a), self.groups.get(b)
        if left is None or right is None or left is right or left.scope is not right.scope:
            return
        if left.hint and right.hint and left.hint != right.hint:
            return
        if left.fixed and right.fixed and left.fixed != right.fixed:
            return
        if left.spans.meets(right.spans):
            return
        if len(left.members) < len(right.members):
            left, right = right, left
        left.members += right.members
        left.spans.add(right.spans)
        left.first = min(left.first, right.first)
        left.hint = left.hint or right.hint
        left.fixed = left.fixed or right.fixed
        self.groups.update((value, left) for value in right.members)

    # -- naming -------------------------------------------------------------------------------------

    def run(self) -> dict[Value, str]:
        self.join_all()
        groups = sorted({id(group): group for group in self.groups.values()}.values(), key=lambda group: group.first)
        hints = {group.hint for group in groups}
        self.letters = [letter for letter in LETTERS if letter not in hints] or ["temporary"]
        depth: dict[Op | None, int] = {None: 0}
        for op in self.layout.ops:
            if op.name == "closure":
                depth[op] = 1 + sum(1 for owner in self.layout.around(op) if owner.name == "closure")
        chosen: dict[Group, str] = {}
        taken: dict[tuple[Op | None, str], Spans] = {}
        forbidden = self.kept_for_closures()
        order = sorted(groups, key=lambda group: (depth[group.scope], group.fixed is None, group.first))
        for group in order:
            if group.scope is not None and group.scope not in forbidden:
                seen = [self.groups[value] for value in captured(group.scope) if value in self.groups]
                forbidden[group.scope] = {chosen[one] for one in seen}
            own = forbidden.get(group.scope, set()) | forbidden.get(group, set())
            name = group.fixed if group.fixed and group.fixed not in own else self.choose(group, taken, own)
            chosen[group] = name
            taken.setdefault((group.scope, name), Spans()).add(group.spans)
        return {value: chosen[group] for value, group in self.groups.items()}

    def kept_for_closures(self) -> dict[Op | Group | None, set[str]]:
        """The names of a closure's parameters are not for what it captures."""
        found: dict[Op | Group | None, set[str]] = {}
        for op in self.layout.ops:
            if op.name == "closure":
                own = {self.fixed[value] for value in op.regions[0].parameters if value in self.fixed}
                for value in captured(op):
                    group = self.groups.get(value)
                    if group is not None and not group.fixed:
                        found.setdefault(group, set()).update(own)
        return found

    def choose(self, group: Group, taken: dict[tuple[Op | None, str], Spans], forbidden: set[str]) -> str:
        for name in self.candidates(group.fixed or group.hint):
            if name in self.reserved or name in forbidden:
                continue
            others = taken.get((group.scope, name))
            if others is None or not others.meets(group.spans):
                return name
        raise AssertionError("there is always another name")

    def candidates(self, hint: str) -> Iterable[str]:
        if hint.isidentifier():
            bases = [hint, f"{hint}_"] if hint in self.reserved else [hint]
        else:
            bases = self.letters
        yield from bases
        number = 1
        while True:
            yield from (f"{base.rstrip('_')}_{number}" for base in bases)
            number += 1


def _merged(pieces: list[Segment]) -> list[Segment]:
    pieces = sorted(pieces)
    merged: list[Segment] = []
    for first, last in pieces:
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def assign_names(plan: Schedule, reserved: Iterable[str], fixed: dict[Value, str]) -> dict[Value, str]:
    """The variable of each value that has one.  `fixed` are the names of parameters."""
    return Naming(plan, reserved, fixed).run()
