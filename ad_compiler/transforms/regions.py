"""The adjoints of structured ops: a branch becomes a branch, a loop becomes a reversed loop.

    if c: y = f(x)      ->   if c: x̄ += f̄(ȳ)
    for i: a = f(a, x)  ->   for i reversed: ā, x̄ = f̄ₐ(ā), x̄ + f̄ₓ(ā)

A loop carries the cotangents of its carried values, and an accumulator for every value from outside that
it contributes to.
"""

from __future__ import annotations

from collections.abc import Sequence

from ad_compiler.analysis.activity import carried
from ad_compiler.ir.builder import Builder
from ad_compiler.ir.clone import clone
from ad_compiler.ir.core import Block, Op, Value, walk, yielded
from ad_compiler.ir.types import INT, Tensor, Type, Undefined, join
from ad_compiler.transforms import residuals
from ad_compiler.transforms.common import companion, zeros
from ad_compiler.transforms.frame import Frame


class BranchFrame(Frame):
    """The reverse of one branch: it starts from the cotangents around it."""

    def outer_cotangent(self, value: Value) -> Value | None:
        assert self.parent is not None
        return self.parent.cotangent(value)


class LoopFrame(Frame):
    """The reverse of a loop's body: the cotangent of an outer value is an accumulator that it carries."""

    def __init__(self, parent: Frame, forward: Block, block: Block) -> None:
        super().__init__(parent.adjoint, forward, parent)
        self.block = block
        self.accumulators: list[tuple[Value, Value]] = []  # (the value from outside, the body's parameter)

    def outer_cotangent(self, value: Value) -> Value | None:
        parameter = Value(value.type, companion(value, "_bar"))
        self.block.parameters.append(parameter)
        self.accumulators.append((value, parameter))
        return parameter


def reverse_if(frame: Frame, op: Op) -> None:
    """The adjoint of `op` on the same condition; what both branches contribute is yielded by both."""
    bars = [frame.take(result) if frame.active(result) else None for result in op.results]
    if all(bar is None for bar in bars):
        return
    subframes: list[Frame] = []
    blocks: list[Block] = []
    for region in op.regions:
        block = Block()
        sub: Frame = BranchFrame(frame.adjoint, region, frame)
        with frame.builder.inside(block):
            for value, bar in zip(yielded(region), bars, strict=False):
                if bar is not None and frame.active(value):
                    sub.accumulate(value, bar)
            sub.walk(region.ops)
        subframes.append(sub)
        blocks.append(block)
    touched = _touched(frame, subframes)
    if not touched:
        return
    for sub, block in zip(subframes, blocks, strict=True):
        with frame.builder.inside(block):
            values = [sub.cotangent(value) for value in touched]
            filled = [
                zeros(frame.builder, outer) if bar is None else bar
                for outer, bar in zip(touched, values, strict=True)
            ]
            frame.builder.terminate("yield", filled)
    types: list[Type] = [
        join(a.type, b.type) for a, b in zip(yielded(blocks[0]), yielded(blocks[1]), strict=True)
    ]
    results = frame.builder.emit("if", [op.operands[0]], types=types, regions=blocks)
    for value, bar in zip(touched, results, strict=True):
        bar.hint = companion(value, "_bar")
        frame.values[id(value)] = value
        frame.cotangents[id(value)] = bar
    for k, block in enumerate(blocks):
        residuals.export_branch(op, k, block)


def _touched(frame: Frame, subframes: Sequence[Frame]) -> list[Value]:
    """The values from outside whose cotangent a branch has changed."""
    found: dict[int, Value] = {}
    for sub in subframes:
        for key, value in sub.values.items():
            if key not in sub.own and sub.cotangents.get(key) is not frame.cotangents.get(key):
                found.setdefault(key, value)
    return list(found.values())


def reverse_loop(frame: Frame, op: Op) -> None:
    """The loop backwards: over the reversed range, or over as many trips as were really made."""
    builder = frame.builder
    inits, parameters, yields = carried(op)
    chosen = [k for k, parameter in enumerate(parameters) if frame.active(parameter)]
    if not chosen:
        return
    starts = []
    for k in chosen:
        bar = frame.take(op.results[k])
        starts.append(zeros(builder, op.results[k]) if bar is None else bar)
    counted = op.name == "while" or bool(op.attributes.get("breaks"))
    index = Value(INT, "k" if op.name == "while" else op.regions[-1].parameters[0].hint)
    block = Block([index])
    body = op.regions[-1]
    sub = LoopFrame(frame, body, block)
    entering = []
    for k, start in zip(chosen, starts, strict=True):
        entering.append(Value(_cotangent_type(yields[k].type, start.type), companion(parameters[k], "_bar")))
    block.parameters.extend(entering)
    with builder.inside(block):
        for k, bar in zip(chosen, entering, strict=True):
            sub.accumulate(yields[k], bar)
        sub.walk(body.ops)
        leaving = []
        for k in chosen:
            bar = sub.take(parameters[k])
            leaving.append(_zero_of_parameter(builder, parameters[k], inits[k]) if bar is None else bar)
        leaving += [_required(sub.cotangent(outer)) for outer, _ in sub.accumulators]
        builder.terminate("yield", leaving)
    for position, bar in enumerate(leaving[: len(chosen)]):
        block.parameters[1 + position].type = _widen(block.parameters[1 + position].type, bar.type)
    first = []
    for outer, _ in sub.accumulators:
        before = frame.take(outer)
        first.append(zeros(builder, outer) if before is None else before)
    if counted:
        trips = residuals.count_trips(frame.forward, op)
        zero, one = builder.constant(0), builder.constant(1)
        bounds = [zero, trips, one]
        backwards = True
    else:
        bounds = list(op.operands[:3])
        backwards = not op.attributes.get("reversed", False)
    types = [parameter.type for parameter in block.parameters[1:]]
    results = builder.emit(
        "for",
        [*bounds, *starts, *first],
        types=types,
        regions=[block],
    )
    loop = builder.block.ops[-1]
    if backwards:
        loop.attributes["reversed"] = True
    for (outer, _), bar in zip(sub.accumulators, results[len(chosen) :], strict=True):
        bar.hint = companion(outer, "_bar")
        frame.values[id(outer)] = outer
        frame.cotangents[id(outer)] = bar
    for k, bar in zip(chosen, results, strict=False):
        bar.hint = companion(inits[k], "_bar") or companion(parameters[k], "_bar")
        if frame.active(inits[k]):
            frame.accumulate(inits[k], bar)
    residuals.export_loop(frame.forward, op, loop, counted)


def _required(value: Value | None) -> Value:
    assert value is not None
    return value


def _cotangent_type(a: Type, b: Type) -> Type:
    return a if isinstance(b, Undefined) else join(a, b)


def _widen(a: Type, b: Type) -> Type:
    """The type of a carried cotangent: its value may end the body with another type than it starts with."""
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape:
        return a
    return join(a, b)


def _zero_of_parameter(builder: Builder, parameter: Value, init: Value) -> Value:
    """The zero cotangent of a carried value; one that starts undefined has no shape to take it from."""
    if init.op is not None and init.op.name == "undefined":
        return builder.constant(0.0)
    return zeros(builder, parameter)


def reverse_hook(frame: Frame, op: Op) -> None:
    """The user's own rule, run on the cotangent."""
    bar = frame.take(op.results[0])
    if bar is None:
        return
    rule = op.regions[0]
    values = {rule.parameters[0]: bar}
    body = clone(rule, values, keep_parameters=True)
    for inner in walk(body):
        inner.phase = "reverse"
    frame.builder.block.ops.extend(body.ops[:-1])
    (changed,) = yielded(body)
    changed.hint = changed.hint or companion(op.operands[0], "_bar")
    frame.accumulate(op.operands[0], changed)
