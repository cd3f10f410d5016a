"""Out of loops: what gives the same in every iteration is computed once, before the loop.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(hoist, '''
    ... func f(%x: f64, %n: i64) -> f64
    ...   %y_bar: f64 = for 0, %n, 1, %x
    ...     do(%i: i64, %a: f64)
    ...       %e: f64 = exp %x                            # reverse
    ...       %b: f64 = multiply %a, %e                   # reverse
    ...       yield %b
    ...   return %y_bar
    ... ''')
    func f(%x: f64, %n: i64) -> f64
      %e: f64 = exp %x                                  # reverse
      %y_bar: f64 = for 0, %n, 1, %x
        do(%i: i64, %a: f64)
          %b: f64 = multiply %a, %e                     # reverse
          yield %b
      return %y_bar
    <BLANKLINE>

The loop may make no trip at all, so only what cannot raise is moved; and only what costs something: arithmetic
on numbers reads better where it is used.  The user's own code stays where the user put it.
"""

from __future__ import annotations

from ad_compiler.ir.core import Block, Function, Module, Op, Value, walk
from ad_compiler.ir.types import Tensor, is_scalar
from ad_compiler.passes.derivative import is_derivative
from ad_compiler.primitives.declare import REGISTRY

# Defined for every number, so that NumPy does not raise.
TOTAL = frozenset(
    "exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan sinh cosh tanh arctan arcsinh arcsin arccos arccosh "
    "arctanh sign floor ceil trunc".split()
)
OPERATORS = frozenset(
    "add subtract multiply negative absolute square less less_equal greater greater_equal equal not_equal where "
    "logical_and logical_or logical_not".split()
)


def hoist(function: Function, module: Module) -> bool:
    """Move loop-invariant derivative code in front of its loop."""
    homes = [(block, op) for block in _blocks(function.body) for op in block.ops if op.name in ("for", "while")]
    changed = False
    for block, loop in reversed(homes):  # inner loops first: what leaves one may leave the next
        moved = _movable(loop)
        if moved:
            at = block.ops.index(loop)
            block.ops[at:at] = moved
            gone = set(moved)
            body = loop.regions[-1]
            body.ops = [op for op in body.ops if op not in gone]
            changed = True
    return changed


def _blocks(body: Block) -> list[Block]:
    """The block and those in it, outer ones first."""
    return [body, *(region for op in walk(body) for region in op.regions)]


def _movable(loop: Op) -> list[Op]:
    """The ops of the body that can stand in front of the loop, with the constants they read, in order."""
    body = loop.regions[-1]
    inside: set[Value] = set(body.parameters)
    constants: dict[Value, Op] = {}
    moved: list[Op] = []
    for op in body.ops:
        if op.name == "constant":
            constants[op.results[0]] = op
            continue
        if is_derivative(op) and worth_moving(op) and not any(value in inside for value in op.operands):
            moved += [constants.pop(value) for value in dict.fromkeys(op.operands) if value in constants]
            moved.append(op)
        else:
            inside.update(op.results)
    return moved


def worth_moving(op: Op) -> bool:
    """Whether the op surely does not raise, and costs more than arithmetic on numbers."""
    if op.name not in TOTAL and op.name not in OPERATORS:
        return False
    if REGISTRY[op.name].effect or not all(isinstance(value.type, Tensor) for value in op.operands):
        return False
    shapes = {value.type.shape for value in op.operands if not is_scalar(value.type)}  # type: ignore[union-attr]
    if not shapes:
        return op.name in TOTAL
    return len(shapes) == 1
