"""Which ops may write in place, and the copies that make it right.

`take_ownership(function)` changes `function` (a program of its own, only for emission) so that every op that
stands for a write (`setitem`, `append`, …) can be written as one, on the very object that its first operand
is.  It inserts `fresh` ops, which are real copies, where a value would otherwise see a write that comes after
it, or where the object is not ours: a caller's argument, something a closure captured, a read-only view.

Each value has the objects that it may be or hold (`top`, `inside`), named by the op that made them.  In a loop
an object of the present trip and those of earlier trips have different names.  A write conflicts with every
other value that may hold its object and is read later.  The cheapest copy wins: of the view or the tape's
element that outlives the write, else of the written array, outside the loop where that is possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ad_compiler.analysis.liveness import LOOPS, Layout, Liveness, edges
from ad_compiler.analysis.tapes import sole_pops
from ad_compiler.ir.core import Block, Function, Op, Value, captured
from ad_compiler.ir.types import ListType, Opaque, Tensor, Type, Undefined, is_scalar, same_shape
from ad_compiler.primitives.declare import REGISTRY

WRITES = ("setitem", "add_at", "append", "pop", "list_set", "list_add_at")
ELEMENTS = ("list_get", "tuple_get", "pop")  # their result is an element of the first operand
HOLDERS = ("append", "list_set", "list", "tuple")  # they put operands into an object
VIEWS = frozenset(
    "getitem transpose reshape ravel broadcast_to expand_dims squeeze swapaxes moveaxis flip diagonal diag spread "
    "unbroadcast reshape_like copy stop_gradient hook real imag atleast_1d atleast_2d split".split()
)
READ_ONLY = frozenset("broadcast_to spread diagonal diag".split())
NOTHING: frozenset[int] = frozenset()
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


def may_share(type: Type) -> bool:
    """Whether a value of this type may be an object that something else holds too."""
    return not is_scalar(type) and not isinstance(type, Undefined)


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


def index_is_array(op: Op) -> bool:
    """Whether a slot of the op's index may be an array."""
    first = {"getitem": 1, "setitem": 2, "add_at": 2, "scatter": 2}.get(op.name, 1)
    return any(not is_scalar(slot.type) for slot in op.operands[first:])


@dataclass(slots=True)
class _Conflict:
    """A write of `op`, an object it writes, and the value that must not see it (None: the object is not ours)."""

    op: Op
    root: int
    holder: Value | None


@dataclass(slots=True)
class _Roots:
    """The names of objects: an op (or parameter) that makes them, of this trip of its loops or of earlier ones."""

    number: dict[tuple[object, bool], int] = field(default_factory=dict)
    site: list[Op | None] = field(default_factory=list)
    ours: list[bool] = field(default_factory=list)
    source: list[object] = field(default_factory=list)
    young: dict[int, int] = field(default_factory=dict)  # old -> the same of the present trip

    def get(self, source: object, site: Op | None, *, ours: bool, old: bool = False) -> int:
        key = (source, old)
        if key not in self.number:
            self.number[key] = len(self.site)
            self.site.append(site)
            self.ours.append(ours)
            self.source.append(source)
        return self.number[key]

    def old(self, root: int) -> int:
        aged = self.get(self.source[root], self.site[root], ours=self.ours[root], old=True)
        self.young.setdefault(aged, root)
        return aged


class _Rounds:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.roots = _Roots()
        self.refused: set[Op] = set()
        self.turn = 0
        self.survey()

    # -- which objects a value may be or hold ------------------------------------------------------

    def survey(self) -> None:
        self.layout = Layout(self.function.body)
        self.increments = [op for op in self.layout.ops if is_increment(op) and op not in self.refused]
        self.in_place = set(self.increments)
        self.sole = sole_pops(self.layout)
        self.top: dict[Value, frozenset[int]] = {}
        self.inside: dict[Value, frozenset[int]] = {}
        for value in self.function.body.parameters:
            self.foreign(value, value, None)
        self.changed = True
        while self.changed:
            self.changed = False
            for op in self.layout.ops:
                self.transfer(op)

    def put(self, value: Value, top: frozenset[int], inside: frozenset[int] = NOTHING) -> None:
        if not may_share(value.type):
            return
        if isinstance(value.type, Tensor):
            inside = NOTHING
        before = self.top.get(value, NOTHING), self.inside.get(value, NOTHING)
        after = before[0] | top, before[1] | inside
        if after != before:
            self.top[value], self.inside[value] = after
            self.changed = True

    def foreign(self, value: Value, source: object, site: Op | None) -> None:
        root = frozenset((self.roots.get(source, site, ours=False),))
        self.put(value, root, root)

    def new(self, op: Op) -> frozenset[int]:
        return frozenset((self.roots.get(op, op, ours=True),))

    def reach(self, *values: Value) -> frozenset[int]:
        found = NOTHING
        for value in values:
            found = found | self.top.get(value, NOTHING) | self.inside.get(value, NOTHING)
        return found

    def transfer(self, op: Op) -> None:
        if op.name in ("yield", "return"):
            owner = self.layout.owner[self.layout.block_of[op]]
            if owner is not None:
                self.flow(owner)
            return
        if op.regions:
            for value in op.regions[0].parameters if op.name == "closure" else ():
                self.foreign(value, value, op)
            if op.name == "closure":
                self.put(op.results[0], self.new(op), self.reach(*captured(op)))
            self.flow(op)
            return
        if any(may_share(result.type) for result in op.results):
            self.primitive(op)

    def flow(self, op: Op) -> None:
        for source, target, kind in edges(op):
            top, inside = self.top.get(source, NOTHING), self.inside.get(source, NOTHING)
            if kind == "back":
                top, inside = self.aged(top, op), self.aged(inside, op)
            self.put(target, top, inside)

    def aged(self, roots: frozenset[int], loop: Op) -> frozenset[int]:
        """What objects are called in the next trip."""
        if not roots:
            return roots
        layout, table = self.layout, self.roots
        sites = {root: table.site[root] for root in roots}
        made_here = {root for root, site in sites.items() if site is not None and layout.within(loop, layout.at[site])}
        return (roots - made_here) | {table.old(root) for root in made_here} if made_here else roots

    def primitive(self, op: Op) -> None:
        name, operands, results = op.name, op.operands, op.results
        first = operands[0] if operands else None
        top = self.top.get(first, NOTHING) if first is not None else NOTHING
        inside = self.inside.get(first, NOTHING) if first is not None else NOTHING
        if name in ("setitem", "add_at") or op in self.in_place:
            self.put(results[0], top)
        elif name in ("append", "list_set"):
            self.put(results[0], top, inside | self.reach(*operands[1:]))
        elif name == "list_add_at":
            self.put(results[0], top, inside | self.reach(*operands[1:]) | self.new(op))
        elif name == "pop":
            self.put(results[0], top, inside)
            if op in self.sole:
                mine = frozenset((self.roots.get((op, 1), op, ours=True),))
                self.put(results[1], mine, inside)
            else:
                self.put(results[1], inside, inside)
        elif name in ELEMENTS:
            self.put(results[0], inside, inside)
        elif name in ("list", "tuple"):
            self.put(results[0], self.new(op), self.reach(*operands))
        elif name in ("list_concat", "list_slice"):
            everything = [self.inside.get(operand, NOTHING) for operand in operands]
            self.put(results[0], self.new(op), NOTHING.union(*everything))
        elif name == "fresh":
            self.put(results[0], self.new(op), self.new(op) if op.attributes.get("deep") else inside)
        elif name == "call":
            self.call(op)
        elif name not in REGISTRY or name == "constant":
            for result in results:
                self.foreign(result, op, op)
                self.put(result, self.reach(*operands), self.reach(*operands))
        elif name in VIEWS or REGISTRY[name].views:
            shared = top
            if name in READ_ONLY:
                shared = shared | frozenset((self.roots.get("read-only", None, ours=False),))
            if name == "getitem" and index_is_array(op):
                shared = shared | self.new(op)
            self.put(results[0], shared, inside)
        else:
            for result in results:
                held = NOTHING if isinstance(result.type, Tensor) else self.new(op) | self.reach(*operands)
                self.put(result, self.new(op), held)

    def call(self, op: Op) -> None:
        """Our own functions return arrays that nothing else holds; an opaque result may hold anything."""
        for k, result in enumerate(op.results):
            if isinstance(result.type, Tensor | ListType):
                root = frozenset((self.roots.get((op, k), op, ours=True),))
                self.put(result, root, root)
            else:
                self.foreign(result, op, op)
                self.put(result, self.reach(*op.operands), self.reach(*op.operands))

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
            base = self.base_place(conflict) if patient else (op, 0)
            if base in places:
                continue  # that copy settles this one too
            depth = self.depth(base[0])
            if op in self.in_place:
                if depth >= self.depth(op):
                    self.refused.add(op)
                    return
            elif conflict.holder is not None and patient:
                sources = self.sources(conflict)
                if sources and len(sources) <= 3 and all(self.depth(_op(place)) <= depth for place, _ in sources):
                    places += sources
                    continue
            places.append(base)
        for place, k in places:
            if (place, k) not in done:
                done.add((place, k))
                self.insert(place, k, op)

    def depth(self, op: Op) -> int:
        return sum(1 for owner in self.layout.around(op) if owner.name in LOOPS)

    def base_place(self, conflict: _Conflict) -> tuple[Op, int]:
        """Where to copy the written object: before the write, or before the outermost loop that carries it."""
        current, place = conflict.op.operands[0], (conflict.op, 0)
        earliest = self.layout.defined[conflict.holder] if conflict.holder is not None else -1
        while True:
            made = current.op
            if made is not None:
                if (made.name in WRITES and current is made.results[0]) or made in self.in_place:
                    current = made.operands[0]
                    continue
                return place
            loop = self.layout.owner[self.layout.home[current]]
            if loop is None or loop.name not in LOOPS or self.layout.at[loop] < earliest:
                return place
            lead = 1 if loop.name == "for" else 0
            k = self.layout.home[current].parameters.index(current) - lead
            if k < 0:
                return place
            slot = k + (3 if lead else 0)
            start = loop.operands[slot]
            if conflict.root not in self.top.get(start, NOTHING) or (start.op is not None and start.op.name == "fresh"):
                return place
            current, place = start, (loop, slot)

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
        return op.name in VIEWS or op.name in ELEMENTS or (op.name in REGISTRY and REGISTRY[op.name].views)

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


def is_increment(op: Op) -> bool:
    """Whether `op` accumulates into a cotangent of known shape, so that `x += y` (or `-=`) on the array is the same."""
    if op.name not in ("add", "subtract") or op.phase != "reverse" or not op.results[0].hint:
        return False
    first, result = op.operands[0], op.results[0]
    return (
        first.hint == result.hint
        and not is_scalar(result.type)
        and same_shape(first.type, result.type)
        and isinstance(first.type, Tensor)
        and isinstance(result.type, Tensor)
        and first.type.dtype == result.type.dtype
        and first.type.dtype != "?"
    )
