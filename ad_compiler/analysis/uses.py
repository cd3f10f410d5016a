"""Who reads a value, where things stand, and which ops must stay.

- `use_counts`: value -> how often it is read
- `Places`: op -> the op whose region it stands in; parameter of a region -> where it comes in
- `has_effect`: whether an op has to run, and in order, even when nobody reads what it gives
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ad_compiler.ir.core import Block, Module, Op, Value, walk
from ad_compiler.primitives.declare import REGISTRY

EFFECTS = ("effect", "opaque")


def use_counts(body: Block) -> Counter[Value]:
    """How many operands, terminators' included, each value is."""
    return Counter(operand for op in walk(body) for operand in op.operands)


@dataclass(slots=True)
class Places:
    owner: dict[Op, Op | None] = field(default_factory=dict)  # the op that `op` stands in a region of
    parameter: dict[Value, tuple[Op, int, int]] = field(default_factory=dict)  # (op, its region, position)


def places(body: Block) -> Places:
    found = Places()
    blocks: list[tuple[Block, Op | None]] = [(body, None)]
    while blocks:
        block, owner = blocks.pop()
        for op in block.ops:
            found.owner[op] = owner
            for number, region in enumerate(op.regions):
                blocks.append((region, op))
                for position, value in enumerate(region.parameters):
                    found.parameter[value] = (op, number, position)
    return found


def first_carried(op: Op) -> int:
    """Where the carried operands of a loop begin: after start, stop and step of a `for`."""
    return 3 if op.name == "for" else 0


def first_yielded(op: Op) -> int:
    """Where the carried values begin in the `yield` of a loop's body: after the `stop` of one with `breaks`."""
    return 1 if op.attributes.get("breaks") else 0


def effectful_functions(module: Module) -> frozenset[str]:
    """The functions that contain an effect, or call one that does."""
    found = {
        name
        for name, function in module.functions.items()
        if any(has_effect(op, frozenset()) for op in walk(function.body))
    }
    callers: dict[str, set[str]] = {}
    for name, function in module.functions.items():
        for op in walk(function.body):
            if op.name == "call":
                callers.setdefault(op.attributes["callee"], set()).add(name)
    work = list(found)
    while work:
        new = callers.get(work.pop(), set()) - found
        found |= new
        work.extend(new)
    return frozenset(found)


def has_effect(op: Op, effectful: frozenset[str]) -> bool:
    """Whether the op itself (not what is in its regions) has an effect; `effectful` names functions that do."""
    if op.name in EFFECTS:
        return True
    if op.name == "call":
        return op.attributes["callee"] in effectful
    primitive = REGISTRY.get(op.name)
    return primitive is not None and primitive.effect


def may_be_undefined(value: Value) -> bool:
    """Whether some path leaves the value without a definition: a branch or a loop that hands on `undefined`."""
    seen: set[Value] = set()
    work = [value]
    while work:
        current = work.pop()
        op = current.op
        if op is None or current in seen:
            continue
        seen.add(current)
        if op.name == "undefined":
            return True
        position = next(k for k, result in enumerate(op.results) if result is current)
        if op.name == "if":
            work += [region.ops[-1].operands[position] for region in op.regions]
        elif op.name in ("for", "while"):
            work.append(op.operands[first_carried(op) + position])
        elif op.name in ("setitem", "add_at"):
            work.append(op.operands[0])
    return False
