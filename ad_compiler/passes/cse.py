"""Common subexpressions: what has been computed in a block around is not computed again.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(cse, '''
    ... func f(%x: f64, %y: f64) -> f64
    ...   %a = exp %x
    ...   %b = multiply %x, %y
    ...   %c = multiply %y, %x
    ...   %d = exp %x
    ...   %e = multiply %c, %d
    ...   %g = multiply %b, %e
    ...   return %g
    ... ''')
    func f(%x: f64, %y: f64) -> f64
      %a: f64 = exp %x
      %b: f64 = multiply %x, %y
      %c: f64 = multiply %y, %x
      %e: f64 = multiply %c, %a
      %g: f64 = multiply %b, %e
      return %g
    <BLANKLINE>

Never merged: effects and draws, and what makes a new array or list to be filled, which the backend wants to write
in place (`zeros_like`, `list`, `append`, …).  What the user wrote twice and costs next to nothing stays so.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from ad_compiler.ir.core import STRUCTURED, TERMINATORS, Block, Function, Module, Op, Value
from ad_compiler.ir.printer import show_value
from ad_compiler.ir.rewrite import Scope, sweep
from ad_compiler.ir.types import Tensor, is_scalar
from ad_compiler.passes.derivative import is_derivative
from ad_compiler.primitives.declare import REGISTRY

COMMUTATIVE = frozenset("add multiply equal not_equal".split())  # to the last bit, on numbers
FRESH = frozenset(
    "list tuple append pop list_set list_add_at list_concat list_slice setitem add_at scatter zeros ones full empty "
    "eye zeros_like ones_like full_like array arange linspace copy constant undefined effect opaque hook".split()
)
CHEAP_ON_NUMBERS = frozenset(
    "add subtract multiply divide floor_divide mod power negative positive absolute square less less_equal greater "
    "greater_equal equal not_equal logical_and logical_or logical_not logical_xor getitem to_float to_int "
    "to_bool".split()
)
VIEWS = frozenset(
    "transpose reshape ravel swapaxes moveaxis expand_dims squeeze flip getitem list_get tuple_get list_len size "
    "dim ndim count stop_gradient".split()
)


def cse(function: Function, module: Module) -> bool:
    """Let the second of two equal ops, where the first is in scope, be the first."""
    tables: dict[Block, dict[Hashable, Op]] = {}

    def visit(op: Op, scope: Scope) -> Sequence[Value] | None:
        if not is_mergeable(op):
            return None
        key = key_of(op)
        around: Scope | None = scope
        while around is not None:
            found = tables.get(around.block, {}).get(key)
            if found is not None:
                written_twice = not is_derivative(op) and not is_derivative(found) and is_cheap(op)
                return None if written_twice else _merged(op, found)
            around = around.outer
        tables.setdefault(scope.block, {})[key] = op
        return None

    return sweep(function.body, visit)


def _merged(op: Op, found: Op) -> list[Value]:
    for old, new in zip(op.results, found.results, strict=True):
        if op.phase == found.phase:
            new.hint = new.hint or old.hint
    return found.results


def is_cheap(op: Op) -> bool:
    """Whether computing it twice costs next to nothing."""
    if op.name in VIEWS:
        return all(is_scalar(value.type) for value in op.operands[1:])
    return op.name in CHEAP_ON_NUMBERS and is_scalar(op.results[0].type)


def is_mergeable(op: Op) -> bool:
    if not op.results or op.name in FRESH or op.name in STRUCTURED or op.name in TERMINATORS:
        return False
    primitive = REGISTRY.get(op.name)
    return primitive is not None and not primitive.effect


def key_of(op: Op) -> Hashable:
    """Equal for ops that compute the same."""
    operands = [_operand_key(value) for value in op.operands]
    if op.name in COMMUTATIVE and all(isinstance(value.type, Tensor) for value in op.operands):
        operands.sort(key=repr)
    return op.name, show_value(op.attributes) if op.attributes else "", tuple(operands)


def _operand_key(value: Value) -> Hashable:
    """A value is itself; a constant is its type and its text, so that 1, 1.0, True and -0.0 all differ."""
    if value.op is not None and value.op.name == "constant":
        constant = value.op.attributes["value"]
        text = show_value(constant)
        return ("constant", type(constant).__name__, text if not text.startswith("object(") else id(constant))
    return id(value)
