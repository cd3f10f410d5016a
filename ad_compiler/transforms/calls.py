"""The adjoint of a recursive call: g becomes the pair

    g_fwd(arguments) -> (results, tape)        the primal, with what its adjoint reads packed into a tuple
    g_bwd(tape, result cotangents) -> argument cotangents

made once for each set of active arguments.  The pair of a recursive function calls itself: a tape holds the
tapes of the calls inside.

A call whose function has a rule of the user's names it in an attribute:

    custom_vjp=(fwd, bwd)   fwd(arguments) -> (results, residuals); bwd(residuals, cotangents) -> cotangents of
                            the arguments at the positions in `positions`
    custom_jvp=rule         rule(arguments, tangents) -> (results, tangents), linear in the tangents: its
                            adjoint with respect to them, at tangents of zero, is the reverse rule
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ad_compiler.ir.clone import clone_function
from ad_compiler.ir.core import Block, Function, Op, Parameter, Value, captured, yielded
from ad_compiler.ir.trees import Leaf, TupleTree
from ad_compiler.ir.types import Opaque, may_vary
from ad_compiler.primitives import builder as primitive_builder
from ad_compiler.transforms import residuals
from ad_compiler.transforms.common import companion, zeros

if TYPE_CHECKING:
    from ad_compiler.transforms.frame import Frame

TAPE = Opaque("tape")


def reverse_call(frame: Frame, op: Op) -> None:
    """Turn the forward call into one of `g_fwd`, and append the call of `g_bwd`."""
    if "custom_vjp" in op.attributes:
        _reverse_custom(frame, op)
        return
    builder = frame.builder
    operands = list(op.operands)
    wanted = [k for k, operand in enumerate(operands) if frame.active(operand)]
    bars = []
    for result in op.results:
        bar = frame.take(result)
        if may_vary(result.type):
            bars.append(zeros(builder, result) if bar is None else bar)
    if "custom_jvp" in op.attributes:
        wanted, operands, bars = _along_tangents(frame, op, wanted, bars)
    forward, backward = _pair(frame, op, tuple(wanted))
    op.attributes["callee"] = forward
    tape = Value(TAPE, "tape", op)
    op.results.append(tape)
    types = [op.operands[k].type for k in wanted]
    found = builder.emit("call", [tape, *bars], types=types, callee=backward)
    for k, bar in zip(wanted, found, strict=True):
        frame.accumulate(operands[k], bar)


def _reverse_custom(frame: Frame, op: Op) -> None:
    """The user's own pair."""
    builder = frame.builder
    forward, backward = op.attributes.pop("custom_vjp")
    positions = op.attributes.pop("positions")
    bars = []
    for result in op.results:
        bar = frame.take(result)
        if may_vary(result.type):
            bars.append(zeros(builder, result) if bar is None else bar)
    kept = yielded(frame.adjoint.source.functions[forward].body)[len(op.results) :]
    op.attributes["callee"] = forward
    residual = [Value(value.type, value.hint, op) for value in kept]
    op.results.extend(residual)
    types = [op.operands[k].type for k in positions]
    found = builder.emit("call", [*residual, *bars], types=types, callee=backward)
    for k, bar in zip(positions, found, strict=True):
        if frame.active(op.operands[k]):
            frame.accumulate(op.operands[k], bar)


def _along_tangents(
    frame: Frame, op: Op, wanted: list[int], bars: list[Value]
) -> tuple[list[int], list[Value], list[Value]]:
    """Turn the forward call into one of the user's tangent rule, at tangents of zero.

    The cotangent of a tangent there is that of the operand it belongs to, so the positions wanted are those
    of the tangents, and `operands` maps them back.
    """
    rule = op.attributes.pop("custom_jvp")
    builder = primitive_builder(Block())
    builder.phase = "forward"
    moving = [k for k, operand in enumerate(op.operands) if may_vary(operand.type)]
    dots = [zeros(builder, op.operands[k]) for k in moving]
    around = frame.forward.ops
    at = around.index(op)
    around[at:at] = builder.block.ops
    size = len(op.operands)
    operands = [*op.operands, *[op.operands[k] for k in moving]]
    op.attributes["callee"] = rule
    op.operands.extend(dots)
    primal_bars = [zeros(frame.builder, result) for result in op.results if may_vary(result.type)]
    op.results.extend(
        [Value(result.type, companion(result, "_dot"), op) for result in op.results if may_vary(result.type)]
    )
    return [size + moving.index(k) for k in wanted if k in moving], operands, primal_bars + bars


def _pair(frame: Frame, op: Op, wanted: tuple[int, ...]) -> tuple[str, str]:
    """The names of the pair; it is made when it is not there yet."""
    adjoint = frame.adjoint
    callee = op.attributes["callee"]
    primal = adjoint.source.functions[callee]
    active = [k for k in range(len(primal.body.parameters)) if k in wanted]
    everything = all(k in wanted or not may_vary(v.type) for k, v in enumerate(primal.body.parameters))
    mark = "" if everything else "_" + "".join(map(str, active))
    names = f"{callee}_fwd{mark}", f"{callee}_bwd{mark}"
    if names[0] in adjoint.target.functions:
        return names
    forward = clone_function(primal)
    forward.name = names[0]
    backward = Function(names[1], Block([Value(TAPE, "tape")]), span=primal.span)
    adjoint.target.functions[names[0]] = forward
    adjoint.target.functions[names[1]] = backward

    inner = adjoint.sibling(forward)
    results = inner.forward()
    inner.activate(active, [value for value in results if may_vary(value.type)])
    builder = inner.builder
    builder.block = backward.body
    seeded = [value for value in results if may_vary(value.type)]
    seeds = [Value(value.type, companion(value, "_bar") or "out_bar") for value in seeded]
    backward.body.parameters += seeds
    inner.seed(seeded, seeds)
    bars = inner.reverse(active)
    builder.terminate("return", bars)
    _pack(forward, backward, results)
    backward.parameters = [
        Parameter(value.hint or f"bar_{k}", Leaf(value.type))
        for k, value in enumerate(backward.body.parameters)
    ]
    backward.outputs = TupleTree(tuple(Leaf(value.type) for value in bars))
    forward.outputs = TupleTree(tuple(Leaf(value.type) for value in yielded(forward.body)))
    return names


def _pack(forward: Function, backward: Function, results: list[Value]) -> None:
    """Everything that the backward function reads of the forward one goes through the tape."""
    residuals.prune(backward.body)
    own = {id(value) for value in backward.body.parameters}
    needed = [value for value in captured(Op("", [], regions=[backward.body])) if id(value) not in own]
    builder = primitive_builder(forward.body)
    builder.phase = "forward"
    (tape,) = builder.emit("tuple", needed, types=[TAPE], hint="tape")
    builder.terminate("return", [*results, tape])
    head = primitive_builder(Block())
    head.phase = "reverse"
    given = backward.body.parameters[0]
    substitution = {}
    for k, value in enumerate(needed):
        (got,) = head.emit("tuple_get", [given], types=[value.type], hint=value.hint, position=k)
        substitution[id(value)] = got
    residuals.install(backward.body, head.block, substitution)
