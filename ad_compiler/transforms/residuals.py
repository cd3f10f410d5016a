"""Bringing primal values from a region to its adjoint: recompute, tape, or yield.

A reverse block reads values that the forward region defined.  `export_loop` and `export_branch` look at what
it really reads and provide each one:

    recompute   a cheap op whose operands the reverse block has: the loop's index, values from outside,
                other residuals; `A[i]` of an array from outside, scalar arithmetic
    tape        in a loop: appended to a list in the forward loop, popped in the reverse one
    yield       in a branch: one more result of the forward `if`
"""

from __future__ import annotations

from collections.abc import Iterable

from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block, Op, Value, captured, terminator, walk
from ad_compiler.ir.types import INT, UNDEFINED, ListType, Tensor, freshen, is_scalar
from ad_compiler.primitives import builder as primitive_builder
from ad_compiler.primitives import lookup
from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.transforms.common import repeat

DEPTH = 4  # how many cheap ops deep a value may be recomputed

CHEAP_SCALARS = frozenset(
    "add subtract multiply divide floor_divide mod negative absolute square sign maximum minimum less "
    "less_equal greater greater_equal equal not_equal logical_and logical_or logical_not to_float to_int".split()
)
CHEAP = frozenset(
    "constant getitem list_get tuple_get transpose list_len dim size reshape ravel swapaxes moveaxis "
    "expand_dims squeeze".split()
)


def export_branch(op: Op, which: int, block: Block) -> None:
    """Provide the reverse block of branch `which` of the forward `op` with what it reads of that branch."""
    region = op.regions[which]
    prune(block)
    inside = {id(result) for inner in region.ops for result in inner.results}
    substitution: dict[int, Value] = {}
    prelude = primitive_builder(Block())
    prelude.phase = "reverse"
    for value in _needed(block, inside, shapes=region):
        if _recomputable(value, inside, substitution, DEPTH):
            _recompute(prelude, value, inside, substitution)
        else:
            substitution[id(value)] = _yield_from(op, which, value)
    install(block, prelude.block, substitution)


def _yield_from(op: Op, which: int, value: Value) -> Value:
    """A further result of the `if`: `value` from its branch, undefined from the other."""
    for k, region in enumerate(op.regions):
        last = terminator(region)
        if k == which:
            last.operands.append(value)
            continue
        undefined = Op("undefined", [], span=op.span, phase="forward")
        undefined.results = [Value(UNDEFINED, "", undefined)]
        region.ops.insert(len(region.ops) - 1, undefined)
        last.operands.append(undefined.results[0])
    result = Value(value.type, value.hint, op)
    op.results.append(result)
    return result


def export_loop(around: Block, op: Op, loop: Op, counted: bool) -> None:
    """Provide the body of the reverse `loop` with what it reads of the body of the forward `op`.

    `around` is the block of `op`.  `counted` says that the reverse loop runs over trip numbers, not over the
    range of the forward loop.
    """
    body, block = op.regions[-1], loop.regions[0]
    prune(block)
    inside = {id(value) for value in body.parameters}
    inside.update(id(result) for inner in body.ops for result in inner.results)
    substitution: dict[int, Value] = {}
    prelude = primitive_builder(Block())
    prelude.phase = "reverse"
    if op.name == "for" and not counted:
        substitution[id(body.parameters[0])] = block.parameters[0]
    elif op.name == "for" and not op.attributes.get("reversed"):
        substitution[id(body.parameters[0])] = _index_of_trip(prelude, op, block.parameters[0])
    for value in _needed(block, inside, shapes=body, loop=op):
        if id(value) in substitution:
            continue
        if _recomputable(value, inside, substitution, DEPTH):
            _recompute(prelude, value, inside, substitution)
        else:
            tape = _tape(around, op, value)
            with prelude.at(op.span):
                substitution[id(value)] = _pop(loop, prelude, tape, value)
    install(block, prelude.block, substitution)


def _tape(around: Block, op: Op, value: Value) -> Value:
    """Record `value` in every trip of the forward loop; the finished tape."""
    hint = f"{value.hint or 'value'}_tape"
    type = ListType(freshen(value.type))
    empty = Op("list", [], span=op.span, phase="forward")
    empty.results = [Value(type, hint, empty)]
    parameter, result = _carry(around, op, [empty], empty.results[0])
    body = op.regions[-1]
    at = 0 if value.op is None else body.ops.index(value.op) + 1
    span = op.span if value.op is None else value.op.span
    append = Op("append", [parameter, value], span=span, phase="forward")
    append.results = [Value(type, hint, append)]
    while at < len(body.ops) and body.ops[at].name == "append" and body.ops[at].operands[1].op is value.op:
        at += 1  # after the other tapes of this place, so that they stand in the order they were asked for
    body.ops.insert(at, append)
    terminator(body).operands.append(append.results[0])
    return result


def _carry(around: Block, op: Op, before: list[Op], init: Value) -> tuple[Value, Value]:
    """Let the forward loop carry one more value; its parameter in the body and the loop's result.

    The caller appends to the body's `yield`.
    """
    at = around.ops.index(op)
    around.ops[at:at] = before
    op.operands.append(init)
    parameter = Value(init.type, init.hint)
    op.regions[-1].parameters.append(parameter)
    if op.name == "while":
        op.regions[0].parameters.append(Value(init.type, init.hint))
    result = Value(init.type, init.hint, op)
    op.results.append(result)
    return parameter, result


def _pop(loop: Op, prelude: Builder, tape: Value, value: Value) -> Value:
    """Pop `value` at the head of the reverse body."""
    body = loop.regions[0]
    loop.operands.append(tape)
    parameter = Value(tape.type, tape.hint)
    body.parameters.append(parameter)
    rest, popped = prelude.emit("pop", [parameter], types=[tape.type, value.type])
    rest.hint, popped.hint = tape.hint, value.hint
    terminator(body).operands.append(rest)
    loop.results.append(Value(tape.type, tape.hint, loop))
    return popped


def count_trips(around: Block, op: Op) -> Value:
    """Let the forward loop count its trips; the count."""
    zero = Op("constant", [], {"value": 0}, span=op.span, phase="forward")
    zero.results = [Value(INT, "trips", zero)]
    parameter, result = _carry(around, op, [zero], zero.results[0])
    body = op.regions[-1]
    counter = primitive_builder(Block())
    with counter.at(op.span, "forward"):
        more = counter.one("add", parameter, counter.constant(1), hint="trips")
    at = len(body.ops) - 1
    body.ops[at:at] = counter.block.ops
    terminator(body).operands.append(more)
    return result


def _index_of_trip(builder: Builder, op: Op, trip: Value) -> Value:
    """The index that the forward `for`, not itself reversed, had in this trip."""
    start, _, step = op.operands[:3]
    index = trip
    with builder.at(op.span):
        if _number(step) != 1:
            index = builder.one("multiply", index, step)
        if _number(start) != 0:
            index = builder.one("add", start, index)
    if index is not trip:
        index.hint, trip.hint = trip.hint, "k"
    return index


def _number(value: Value) -> object:
    return value.op.attributes["value"] if value.op is not None and value.op.name == "constant" else None


# -- what is needed ------------------------------------------------------------------------------


def _needed(block: Block, inside: set[int], *, shapes: Block, loop: Op | None = None) -> list[Value]:
    """The values of the forward region that the reverse block reads, in program order of the forward region.

    A value of which only the shape is read is replaced, in `block`, by one of provably equal shape and dtype
    from outside, where there is one.
    """
    _borrow_shapes(block, inside, loop)
    order: dict[int, int] = {}
    for value in shapes.parameters:
        order[id(value)] = len(order)
    for op in shapes.ops:
        for result in op.results:
            order[id(result)] = len(order)
    read = [value for value in _free(block) if id(value) in inside]
    read += [base for base in _shared_bases(read) if id(base) in inside and base not in read]
    return sorted(read, key=lambda value: order[id(value)])


def _shared_bases(read: list[Value]) -> list[Value]:
    """The arrays of which two or more nearly whole slices are read: keeping the array is less than keeping those."""
    slices: dict[int, list[Value]] = {}
    for value in read:
        if value.op is not None and value.op.name == "getitem" and _is_nearly_whole(value, value.op.operands[0]):
            slices.setdefault(id(value.op.operands[0]), []).append(value.op.operands[0])
    return [group[0] for group in slices.values() if len(group) > 1]


def _is_nearly_whole(part: Value, whole: Value) -> bool:
    """Whether every axis of a slice is as long as the array's but for a constant."""
    a, b = part.type, whole.type
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)) or a.shape == ():
        return False
    if not (isinstance(a.shape, tuple) and isinstance(b.shape, tuple)) or len(a.shape) != len(b.shape):
        return False
    return all(m.symbol is n.symbol and m.symbol is not None for m, n in zip(a.shape, b.shape, strict=True))


def _free(block: Block) -> list[Value]:
    return captured(Op("", [], regions=[block]))


def _borrow_shapes(block: Block, inside: set[int], loop: Op | None) -> None:
    for op in walk(block):
        primitive = REGISTRY.get(op.name)
        if primitive is None or not primitive.shape_only:
            continue
        for k, operand in enumerate(op.operands):
            if id(operand) in inside and primitive.operand_name(k) in primitive.shape_only:
                op.operands[k] = _shape_source(operand, inside, loop)


def _shape_source(value: Value, inside: set[int], loop: Op | None) -> Value:
    """A value from outside of the same type as `value`, among those it was made from; else `value`."""
    seen: set[int] = set()
    work = [value]
    while work:
        current = work.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if id(current) not in inside:
            return current
        work += [source for source in _sources(current, loop) if source.type == value.type]
    return value


def _sources(value: Value, loop: Op | None) -> Iterable[Value]:
    if value.op is not None:
        return value.op.operands
    if loop is not None:
        body = loop.regions[-1]
        lead = 1 if loop.name == "for" else 0
        for k, parameter in enumerate(body.parameters[lead:]):
            if parameter is value:
                return [loop.operands[(3 if lead else 0) + k]]
    return []


def _recomputable(value: Value, inside: set[int], substitution: dict[int, Value], depth: int) -> bool:
    if id(value) in substitution or id(value) not in inside:
        return True
    if depth == 0 or value.op is None or not _is_cheap(value.op):
        return False
    return all(_recomputable(operand, inside, substitution, depth - 1) for operand in value.op.operands)


def _is_cheap(op: Op) -> bool:
    if op.name in CHEAP_SCALARS:
        return all(is_scalar(result.type) for result in op.results)
    if op.name == "getitem":
        return all(is_scalar(slot.type) for slot in op.operands[1:])
    return op.name in CHEAP


def _recompute(builder: Builder, value: Value, inside: set[int], substitution: dict[int, Value]) -> Value:
    if id(value) in substitution:
        return substitution[id(value)]
    if id(value) not in inside:
        return value
    assert value.op is not None
    operands = [_recompute(builder, operand, inside, substitution) for operand in value.op.operands]
    results = repeat(builder, value.op, operands)
    for old, new in zip(value.op.results, results, strict=True):
        substitution[id(old)] = new
    return substitution[id(value)]


def install(block: Block, prelude: Block, substitution: dict[int, Value]) -> None:
    """Put the prelude at the head of `block` and let everything after read what it provides."""
    for op in walk(block):
        op.operands = [substitution.get(id(operand), operand) for operand in op.operands]
    block.ops[:0] = prelude.ops


# -- dropping what nothing reads --------------------------------------------------------------------


def prune(block: Block) -> None:
    """Remove the pure primitives of a reverse block that nothing reads, before asking what it needs."""
    uses: dict[int, int] = {}
    for op in walk(block):
        for operand in op.operands:
            uses[id(operand)] = uses.get(id(operand), 0) + 1
    kept = []
    for op in reversed(block.ops):
        if op.results and _is_pure(op) and not any(uses.get(id(result)) for result in op.results):
            for operand in op.operands:
                uses[id(operand)] -= 1
            continue
        kept.append(op)
    block.ops[:] = reversed(kept)


def _is_pure(op: Op) -> bool:
    if op.regions or op.name in ("effect", "opaque", "call", "hook"):
        return False
    return op.name in ("undefined", "captured") or not lookup(op.name).effect
