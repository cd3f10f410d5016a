"""Which objects each value may be or hold.

`top[v]` are the arrays or lists that `v` itself may be, `inside[v]` those that it may hold.  An object is named by
the op that makes it (its *root*); in a loop, the object of the present trip and those of earlier trips have
different names.  Writes (`setitem`, `append`, …) are taken to happen in place: the result is the object of the
first operand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ad_compiler.analysis.liveness import Layout, edges
from ad_compiler.analysis.tapes import sole_pops
from ad_compiler.ir.core import Function, Op, Value, captured
from ad_compiler.ir.types import ListType, Tensor, Type, Undefined, is_scalar, same_shape
from ad_compiler.primitives.declare import REGISTRY

WRITES = ("setitem", "add_at", "append", "pop", "list_set", "list_add_at")
ELEMENTS = ("list_get", "tuple_get", "pop")  # their result is an element of the first operand
HOLDERS = ("append", "list_set", "list", "tuple")  # they put operands into an object
IDENTITIES = ("copy", "stop_gradient", "hook")  # as values; a real copy is a `fresh`
NOTHING: frozenset[int] = frozenset()


def may_share(type: Type) -> bool:
    """Whether a value of this type may be an object that something else holds too."""
    return not is_scalar(type) and not isinstance(type, Undefined)


def is_view(op: Op) -> bool:
    """Whether the result may share memory with the first operand."""
    if op.name in IDENTITIES:
        return True
    primitive = REGISTRY.get(op.name)
    return primitive is not None and primitive.is_view([value.type for value in op.operands], op.attributes)


def is_readonly(op: Op) -> bool:
    """Whether the result may be an array that NumPy does not let anyone write."""
    primitive = REGISTRY.get(op.name)
    return primitive is not None and primitive.is_readonly([value.type for value in op.operands], op.attributes)


def index_is_array(op: Op) -> bool:
    """Whether a slot of the op's index may be an array."""
    first = {"getitem": 1, "setitem": 2, "add_at": 2, "scatter": 2}.get(op.name, 1)
    return any(not is_scalar(slot.type) for slot in op.operands[first:])


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


@dataclass(slots=True)
class Roots:
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


class Memory:
    """The objects of one function.  Ops in `refused` are additions that make a new array after all."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.roots = Roots()
        self.refused: set[Op] = set()
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
        elif is_view(op):
            shared = top
            if is_readonly(op):
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
