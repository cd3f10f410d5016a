"""Which ops may write in place, and the copies that make it right.

`take_ownership(function)` changes `function` (a program of its own, only for emission) so that every op that
stands for a write (`setitem`, `append`, …) can be written as one, on the very object that its first operand
is.  It inserts `fresh` ops, which are real copies, where a value would otherwise see a write that comes after
it, or where the object is not ours: a caller's argument, something a closure captured, a read-only view.

A write conflicts with every other value that may hold its object (see `memory`) and is read later.  The cheapest
copy wins: of the view or the tape's element that outlives the write, else of the written array, outside the loop
where that is possible.
"""

from __future__ import annotations

from dataclasses import dataclass

from ad_compiler.analysis.liveness import LOOPS, Liveness, edges
from ad_compiler.analysis.memory import ELEMENTS, HOLDERS, NOTHING, WRITES, Memory, index_is_array, is_view
from ad_compiler.ir.core import Block, Function, Op, Value
from ad_compiler.ir.types import ListType, Opaque, Tensor
from ad_compiler.primitives.declare import REGISTRY

PATIENCE = 12  # rounds of choosing the cheapest copy; after them, a copy at every write in conflict


@dataclass(slots=True)
class Ownership:
    """What holds of the changed function."""

    increments: set[Op]  # additions that may be written `x += y` on an array
    top: dict[Value, frozenset[int]]
    inside: dict[Value, frozenset[int]]

    def reach(self, value: Value) -> frozenset[int]:
        return self.top.get(value, NOTHING) | self.inside.get(value, NOTHING)


def take_ownership(function: Function) -> Ownership:
    """Insert the copies; afterwards all writes can be in place."""
    work = _Rounds(function)
    while work.round():
        pass
    work.returns()
    return Ownership(set(work.increments), work.top, work.inside)


def reads_content(op: Op) -> list[Value]:
    """The operands of which the elements are read, not only the shape."""
    primitive = REGISTRY.get(op.name)
    if primitive is None or not primitive.shape_only:
        return op.operands
    return [
        operand
        for k, operand in enumerate(op.operands)
        if not (isinstance(operand.type, Tensor) and primitive.operand_name(k) in primitive.shape_only)
    ]


@dataclass(slots=True)
class _Conflict:
    """A write of `op`, an object it writes, and the value that must not see it (None: the object is not ours)."""

    op: Op
    root: int
    holder: Value | None


class _Rounds(Memory):
    """Conflicts are found and settled in rounds; each changes the program and looks at it afresh."""

    turn = 0

    # -- conflicts -----------------------------------------------------------------------------------

    def round(self) -> bool:
        """Find the conflicts and insert copies against them; whether there were any."""
        self.liveness = Liveness(self.layout, reads=reads_content)
        conflicts = self.conflicts()
        if not conflicts:
            return False
        self.turn += 1
        settled: set[int] = set()
        done: set[tuple[object, int]] = set()
        for op, found in conflicts:
            if self.turn <= PATIENCE and any(conflict.root in settled for conflict in found):
                continue  # the copies against an earlier conflict may settle this one
            settled.update(conflict.root for conflict in found)
            self.settle(op, found, done)
        self.survey()
        return True

    def conflicts(self) -> list[tuple[Op, list[_Conflict]]]:
        layout = self.layout
        holders: dict[int, list[Value]] = {}
        upcoming = sorted(self.top, key=lambda value: layout.defined[value])
        at = 0
        found: list[tuple[Op, list[_Conflict]]] = []
        for op in layout.ops:
            if op.name not in WRITES and op not in self.in_place:
                continue
            position = layout.at[op]
            while at < len(upcoming) and layout.defined[upcoming[at]] < position:
                for root in sorted(self.reach(upcoming[at])):
                    holders.setdefault(root, []).append(upcoming[at])
                at += 1
            here: list[_Conflict] = []
            for root in sorted(self.top.get(op.operands[0], NOTHING)):
                if not self.ours(root, op):
                    here.append(_Conflict(op, root, None))
                alive = [value for value in holders.get(root, ()) if self.liveness.ends(value) > position]
                holders[root] = alive
                here += [_Conflict(op, root, w) for w in alive if self.liveness.live_after(w, position)]
                here += [_Conflict(op, root, w) for w in self.disturbed(op) if root in self.reach(w)]
            if here:
                found.append((op, here))
        return found

    def ours(self, root: int, op: Op) -> bool:
        return self.roots.ours[root] and self.closure(self.roots.site[root]) is self.closure(op)

    def closure(self, op: Op | None) -> Op | None:
        if op is None:
            return None
        return next((owner for owner in self.layout.around(op) if owner.name == "closure"), None)

    def disturbed(self, op: Op) -> list[Value]:
        """Operands that the write itself reads while it writes."""
        if op.name in ("setitem", "add_at"):
            return op.operands[1 if op.name == "add_at" and index_is_array(op) else 2 :]
        return op.operands[1:] if op.name in ("append", "list_set", "list_add_at") else []

    # -- copies --------------------------------------------------------------------------------------

    def settle(self, op: Op, conflicts: list[_Conflict], done: set[tuple[object, int]]) -> None:
        """Insert copies against the conflicts of one write; an addition that had better make a new array does."""
        patient = self.turn <= PATIENCE
        places: list[tuple[Op | Value, int]] = []
        for conflict in sorted(conflicts, key=lambda conflict: conflict.holder is not None):
            bases: list[tuple[Op | Value, int]] = self.base_places(conflict) if patient else [(op, 0)]
            if all(base in places for base in bases):
                continue  # those copies settle this one too
            depth = self.depth(_op(bases[0][0]))
            if op in self.in_place:
                if depth >= self.depth(op):
                    self.refused.add(op)
                    return
            elif conflict.holder is not None and patient:
                sources = self.sources(conflict)
                if sources and len(sources) <= 3 and all(self.depth(_op(place)) <= depth for place, _ in sources):
                    places += sources
                    continue
            places += bases
        for place, k in places:
            if (place, k) not in done:
                done.add((place, k))
                self.insert(place, k, op)

    def depth(self, op: Op) -> int:
        return sum(1 for owner in self.layout.around(op) if owner.name in LOOPS)

    def base_places(self, conflict: _Conflict) -> list[tuple[Op | Value, int]]:
        """Where to copy the written object: before the write, or before the outermost loop that carries it in."""
        layout = self.layout
        places: list[tuple[Op | Value, int]] = [(conflict.op, 0)]
        earliest = layout.defined[conflict.holder] if conflict.holder is not None else -1
        written = [conflict.op.operands[0]]
        for loop in layout.around(conflict.op):
            if loop.name == "closure" or layout.at[loop] < earliest:
                break
            if loop.name in LOOPS:
                slots = self.entries(loop, written, conflict.root)
                if not slots:
                    break
                written = [loop.operands[slot] for slot in slots]
                places = [(loop, slot) for slot in slots]
        return places

    def entries(self, loop: Op, written: list[Value], root: int) -> list[int]:
        """The operands by which the object comes into the loop; none when it does not come that way only."""
        layout = self.layout
        lead, skip = (3, 1) if loop.name == "for" else (0, 0)
        heads = loop.regions[0].parameters[skip:]
        found: list[int] = []
        seen: set[Value] = set()
        work = list(written)
        while work:
            value = work.pop()
            if value in seen or root not in self.top.get(value, NOTHING):
                continue
            seen.add(value)
            made = value.op
            if value in heads:
                slot = lead + heads.index(value)
                start = loop.operands[slot]
                if start.op is not None and start.op.name == "fresh":
                    return []
                if root in self.top.get(start, NOTHING):
                    found.append(slot)
                work += [source for source, target, kind in edges(loop) if target is value and kind == "back"]
            elif not layout.within(loop, layout.defined[value]):
                return []  # read from around the loop
            elif made is not None and ((made.name in WRITES and value is made.results[0]) or made in self.in_place):
                work.append(made.operands[0])
            else:
                sources = self.origins(value)
                if sources is None:
                    return []  # a view
                work += sources
        return sorted(found)

    def sources(self, conflict: _Conflict) -> list[tuple[Op | Value, int]] | None:
        """The places where a copy keeps the object out of the holder; None when there are none."""
        assert conflict.holder is not None
        wanted = {conflict.root, self.roots.young.get(conflict.root, conflict.root)}
        found: list[tuple[Op | Value, int]] = []
        seen: set[Value] = set()
        work = [conflict.holder]
        while work:
            value = work.pop()
            if value in seen or not wanted & self.reach(value):
                continue
            seen.add(value)
            origin = self.origins(value)
            if origin is not None:
                work += origin
                continue
            op = value.op
            if op is None:
                return None
            if op.name in HOLDERS and value is op.results[0]:
                first = 0 if op.name in ("list", "tuple") else 1
                for k, operand in enumerate(op.operands[first:], first):
                    if wanted & self.inside.get(operand, NOTHING) or isinstance(operand.type, Opaque):
                        return None
                    if wanted & self.top.get(operand, NOTHING):
                        found.append((op, k))
                if first:
                    work.append(op.operands[0])
            elif self.is_view(op) and wanted & self.top.get(value, NOTHING) and isinstance(value.type, Tensor):
                found.append((value, 0))
            else:
                return None
        return found

    def is_view(self, op: Op) -> bool:
        return op.name in ELEMENTS or is_view(op)

    def origins(self, value: Value) -> list[Value] | None:
        """What flows into the result of a structured op or the parameter of a loop."""
        op = value.op if value.op is not None else self.layout.owner[self.layout.home[value]]
        if op is None or not op.regions or op.name == "closure":
            return None
        found = [source for source, target, _ in edges(op) if target is value]
        return found or None

    def insert(self, place: Op | Value, k: int, why: Op) -> None:
        if isinstance(place, Value):
            assert place.op is not None
            copy = self.fresh(place, place.op)
            block = self.layout.block_of[place.op]
            for op in self.layout.ops:
                op.operands = [copy.results[0] if operand is place else operand for operand in op.operands]
            copy.operands = [place]
            block.ops.insert(block.ops.index(place.op) + 1, copy)
            place.hint, copy.results[0].hint = "", place.hint
            return
        copy = self.fresh(place.operands[k], place)
        if place.name in WRITES and k == 0:
            copy.results[0].hint = place.results[0].hint
        block = self.layout.block_of[place]
        if place.operands[k] in self.function.body.parameters and (k == 0 or place.name in LOOPS):
            copy.attributes["entry"] = True
        block.ops.insert(block.ops.index(place), copy)
        place.operands[k] = copy.results[0]

    def fresh(self, value: Value, near: Op) -> Op:
        op = Op("fresh", [value], phase=near.phase)
        op.results = [Value(value.type, value.hint, op)]
        return op

    # -- results ----------------------------------------------------------------------------------------

    def returns(self) -> None:
        """What leaves a function is held by nobody else: not by its arguments, a closure, another result."""
        for last in [op for op in self.layout.ops if op.name in ("yield", "return")]:
            block = self.layout.block_of[last]
            owner = self.layout.owner[block]
            if owner is None or owner.name == "closure":
                self.leave(last, block)
        self.survey()

    def leave(self, last: Op, block: Block) -> None:
        held = NOTHING
        for value in last.operands:
            if not isinstance(value.type, Tensor | ListType):
                held = held | self.reach(value)
        for k, value in enumerate(last.operands):
            if not isinstance(value.type, Tensor | ListType):
                continue
            mine = self.reach(value)
            if mine & held or not all(self.ours(root, last) for root in mine) or self.repeats(value):
                copy = self.fresh(value, last)
                copy.attributes["deep"] = True
                copy.results[0].hint = ""
                block.ops.insert(len(block.ops) - 1, copy)
                last.operands[k] = copy.results[0]
            held = held | mine

    def repeats(self, value: Value) -> bool:
        """Whether a list may hold one array twice."""
        return False


def _op(place: Op | Value) -> Op:
    if isinstance(place, Value):
        assert place.op is not None
        return place.op
    return place
