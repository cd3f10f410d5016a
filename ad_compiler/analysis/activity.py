"""Which values are active: varied (depend on an input we differentiate) and useful (reach a result we seed).

    fact     direction  starts from            op                                          loop
    varied   forward    the active parameters  a result is varied when an operand that      carried until stable
                                               can carry a derivative is
    useful   backward   the seeded results     an operand is useful when a varied result is carried until stable

Both are sets of `id(value)`, over a function and all its regions.  Dependence through control flow (a
condition, a trip count, an index) carries no derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ad_compiler.ir.core import Block, Function, Op, Value, terminator, yielded
from ad_compiler.ir.types import may_vary
from ad_compiler.primitives import lookup

# For a call: which results vary when these arguments do (by position), and the other way round.
CallRule = Callable[[Op, list[bool]], list[bool]]


@dataclass(slots=True)
class Activity:
    """`varied` and `useful` hold ids of values; `is_active` is their meet."""

    varied: set[int] = field(default_factory=set)
    useful: set[int] = field(default_factory=set)

    def is_active(self, value: Value) -> bool:
        return id(value) in self.varied and id(value) in self.useful


def activity(function: Function, inputs: Iterable[Value], outputs: Iterable[Value]) -> Activity:
    """The activity of every value of `function` between these parameters and these returned values."""
    facts = Activity()
    facts.varied.update(id(value) for value in inputs)
    _spread_varied(function.body, facts.varied)
    facts.useful.update(id(value) for value in outputs)
    _spread_useful(function.body, facts)
    return facts


def carries_derivative(op: Op, position: int) -> bool:
    """Whether the operand at `position` can pass a derivative on: it has a rule, or lacks one (an error later)."""
    if op.name in ("effect", "undefined", "captured", "global_value"):
        return False
    if op.name == "opaque":  # no rule: an error if the derivative needs it
        return True
    primitive = lookup(op.name)
    if primitive.kind == "constant":
        return False
    name = primitive.operand_name(position).lstrip("*")
    return name not in primitive.rules or primitive.rules[name] is not None


def _spread_varied(block: Block, varied: set[int]) -> None:
    for op in block.ops:
        _vary(op, varied)


def _vary(op: Op, varied: set[int]) -> None:
    if op.name in ("yield", "return"):
        return
    if op.name == "if":
        for region in op.regions:
            _spread_varied(region, varied)
        for k, result in enumerate(op.results):
            _mark(result, any(id(yielded(region)[k]) in varied for region in op.regions), varied)
    elif op.name in ("for", "while"):
        _vary_loop(op, varied)
    elif op.name in ("call", "hook"):
        some = any(id(operand) in varied for operand in op.operands)
        for result in op.results:
            _mark(result, some, varied)
    elif op.name == "closure":
        _spread_varied(op.regions[0], varied)
    else:
        some = any(id(x) in varied and carries_derivative(op, k) for k, x in enumerate(op.operands))
        for result in op.results:
            _mark(result, some, varied)


def _mark(value: Value, condition: bool, facts: set[int]) -> None:
    if condition and may_vary(value.type):
        facts.add(id(value))


def carried(op: Op) -> tuple[list[Value], list[Value], list[Value]]:
    """Of a loop: the initial values, the body's parameters for them, and what the body yields for them."""
    body = op.regions[-1]
    inits = op.operands[3:] if op.name == "for" else op.operands
    parameters = body.parameters[1:] if op.name == "for" else body.parameters
    yields = yielded(body)[1:] if op.attributes.get("breaks") else yielded(body)
    return list(inits), list(parameters), list(yields)


def _vary_loop(op: Op, varied: set[int]) -> None:
    inits, parameters, yields = carried(op)
    for init, parameter in zip(inits, parameters, strict=True):
        _mark(parameter, id(init) in varied, varied)
    while True:
        _spread_varied(op.regions[-1], varied)
        before = len(varied)
        for parameter, value in zip(parameters, yields, strict=True):
            _mark(parameter, id(value) in varied, varied)
        if len(varied) == before:
            break
    for parameter, result in zip(parameters, op.results, strict=True):
        _mark(result, id(parameter) in varied, varied)
    if op.name == "while":
        condition = op.regions[0]
        for outer, inner in zip(parameters, condition.parameters, strict=True):
            _mark(inner, id(outer) in varied, varied)
        _spread_varied(condition, varied)


def _spread_useful(block: Block, facts: Activity) -> None:
    for op in reversed(block.ops):
        _use(op, facts)


def _use(op: Op, facts: Activity) -> None:
    if op.name in ("yield", "return"):
        return
    useful = facts.useful
    if op.name == "if":
        for region in op.regions:
            for result, value in zip(op.results, yielded(region), strict=True):
                if id(result) in useful:
                    useful.add(id(value))
            _spread_useful(region, facts)
    elif op.name in ("for", "while"):
        _use_loop(op, facts)
    elif op.name == "closure":
        useful.update(id(value) for value in terminator(op.regions[0]).operands)
        _spread_useful(op.regions[0], facts)
    elif any(id(result) in useful and id(result) in facts.varied for result in op.results):
        plain = op.name in ("call", "hook")
        useful.update(id(x) for k, x in enumerate(op.operands) if plain or carries_derivative(op, k))


def _use_loop(op: Op, facts: Activity) -> None:
    inits, parameters, yields = carried(op)
    useful = facts.useful
    for result, value in zip(op.results, yields, strict=True):
        if id(result) in useful:
            useful.add(id(value))
    while True:
        _spread_useful(op.regions[-1], facts)
        before = len(useful)
        for parameter, value in zip(parameters, yields, strict=True):
            if id(parameter) in useful:
                useful.add(id(value))
        if len(useful) == before:
            break
    for init, parameter, result in zip(inits, parameters, op.results, strict=True):
        if id(parameter) in useful or id(result) in useful:  # a loop of no iterations hands `init` on
            useful.add(id(init))
            useful.add(id(parameter))
