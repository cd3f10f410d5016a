"""Shapes from values that are there anyway: an operand of which only the shape is read need not be computed.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(borrow, '''
    ... func f(%x: f64[n], %y: f64[n]) -> f64[n]
    ...   %z: f64[n] = multiply %x, %y
    ...   %x_bar: f64[n] = zeros_like %z
    ...   return %x_bar
    ... ''')
    func f(%x: f64[n], %y: f64[n]) -> f64[n]
      %z: f64[n] = multiply %x, %y
      %x_bar: f64[n] = zeros_like %x
      return %x_bar
    <BLANKLINE>

A value that nobody really reads is left for the nearest one that it was made from, with provably the same
shape (and dtype, for what makes an array of it), which is really read or comes from outside; else for a
parameter of the same shape, or for a part of one.  `dce` then removes what only a shape kept alive, tapes too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ad_compiler.analysis.uses import effectful_functions, first_carried, may_be_undefined
from ad_compiler.ir.core import Function, Module, Op, Value
from ad_compiler.ir.rewrite import Scope, sweep
from ad_compiler.ir.types import UNKNOWN_DTYPE, Shape, Symbol, Tensor, same_shape
from ad_compiler.passes.dce import LOOPS, Liveness
from ad_compiler.primitives.declare import REGISTRY

READ_DTYPE = frozenset("zeros_like ones_like full_like scatter spread".split())
SAME_DTYPE = frozenset("setitem add_at copy stop_gradient".split())  # whatever the first operand's dtype is


def borrow(function: Function, module: Module) -> bool:
    """Read shapes from values that stay alive without it."""
    live = Liveness(function, effectful_functions(module), _really_read)
    reads = Counter(value for op in live.places.owner for value in _really_read(op))
    by_shape: dict[Shape, Value] = {}  # parameters, each as the latest value of its name
    for value in reversed(function.body.parameters):
        if isinstance(value.type, Tensor):
            by_shape[value.type.shape] = value
    changed = False

    def visit(op: Op, scope: Scope) -> None:
        nonlocal changed
        for k in shape_only_positions(op):
            dtype = op.name in READ_DTYPE
            source = _source(op.operands[k], live, reads, dtype=dtype)
            if not _is_there(source, live):
                source = _of_parameter(source, by_shape, scope, dtype) or source
            changed |= source is not op.operands[k]
            op.operands[k] = source
        if scope.outer is None and not op.regions:  # the regions of `op`, visited after it, do not see its results
            for value in op.results:
                former = by_shape.get(value.type.shape) if isinstance(value.type, Tensor) else None
                is_later = former is not None and former.hint == value.hint != "" and _is_there(value, live)
                if is_later and not may_be_undefined(value):
                    by_shape[value.type.shape] = value  # type: ignore[union-attr]

    sweep(function.body, visit)
    return changed


def _of_parameter(value: Value, by_shape: dict[Shape, Value], scope: Scope, dtype: bool) -> Value | None:
    """A value of a parameter's name, or a part of one, of the same shape as the value."""
    if not isinstance(value.type, Tensor) or value.type.shape == ():
        return None
    same = by_shape.get(value.type.shape)
    if same is not None:
        return same if not dtype or (same.type == value.type and value.type.dtype != UNKNOWN_DTYPE) else None
    shape = value.type.shape
    kind, base, index = shape.origin if isinstance(shape, Symbol) and len(shape.origin) == 3 else ("", None, ())
    whole = by_shape.get(base)  # type: ignore[call-overload]
    if kind != "part" or whole is None or dtype:
        return None
    part = Op("getitem", [whole], {"index": index}, span=scope.block.ops[scope.index - 1].span, phase="reverse")
    part.results = [Value(Tensor(whole.type.dtype, shape), "", part)]
    scope.before.append(part)
    return part.results[0]


def shape_only_positions(op: Op) -> list[int]:
    """The operands of which only shape and dtype are read."""
    primitive = REGISTRY.get(op.name)
    if primitive is None or not primitive.shape_only:
        return []
    return [k for k in range(len(op.operands)) if primitive.operand_name(k) in primitive.shape_only]


def _really_read(op: Op) -> Iterator[Value]:
    skipped = shape_only_positions(op)
    return (value for k, value in enumerate(op.operands) if k not in skipped)


def _source(value: Value, live: Liveness, reads: Counter[Value], *, dtype: bool) -> Value:
    """The nearest value of the same shape that is alive; else the oldest one."""
    current, seen = value, {value}
    while not _is_there(current, live) or (current is value and _could_be_folded(value, reads)):
        older = next((one for one in _made_from(current, live, dtype) if one not in seen), None)
        if older is None or (_is_there(current, live) and not (older.hint and _is_there(older, live))):
            return current
        seen.add(older)
        current = older
    return current


def _is_there(value: Value, live: Liveness) -> bool:
    """Whether the value exists without anybody asking for its shape."""
    if value in live.values or (value.op is None and value not in live.places.parameter):
        return True
    loop = value.op
    return loop is not None and loop.name in LOOPS and (loop, loop.results.index(value)) in live.carried


def _could_be_folded(value: Value, reads: Counter[Value]) -> bool:
    """Whether the value would need no name, were it not for its shape."""
    return value.op is not None and not value.op.regions and not value.hint and reads[value] == 1


def _made_from(value: Value, live: Liveness, dtype: bool) -> Iterator[Value]:
    """What the value was computed from, as far as it is provably alike."""
    op = value.op
    if op is None:
        loop, _, position = live.places.parameter[value]
        if loop.name in LOOPS and position - (loop.name == "for") >= 0:
            operands = [loop.operands[first_carried(loop) + position - (loop.name == "for")]]
        else:
            operands = []
        same_dtype = False
    elif op.name in LOOPS:
        operands, same_dtype = [op.operands[first_carried(op) + op.results.index(value)]], False
    elif op.name in SAME_DTYPE:
        operands, same_dtype = op.operands[:1], True
    else:
        operands, same_dtype = ([] if op.regions else op.operands), False
    for operand in operands:
        if not same_shape(operand.type, value.type):
            continue
        assert isinstance(operand.type, Tensor)
        assert isinstance(value.type, Tensor)
        known = operand.type.dtype == value.type.dtype != UNKNOWN_DTYPE
        if not dtype or same_dtype or known:
            yield operand
