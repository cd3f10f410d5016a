"""Which ops are derivative code, where a rewrite may change the last bit.

The user's own operations keep their bits and their form; derivative code is ours.  An op belongs to it when
it is part of the reverse sweep, or when it reads or makes a tangent or a cotangent.
"""

from __future__ import annotations

from ad_compiler.ir.core import Function, Op, Value, walk

SUFFIXES = ("_dot", "_bar")


def derivative_ops(function: Function) -> set[Op]:
    """The ops that are derivative code, structured ones aside."""
    found: set[Op] = set()
    for op in walk(function.body):
        if op.phase == "forward" or op.regions:
            continue
        if op.phase in ("reverse", "tangent") or any(
            is_companion(value) or value.op in found for value in (*op.operands, *op.results)
        ):
            found.add(op)
    return found


def is_companion(value: Value) -> bool:
    """Whether the value is called a tangent or a cotangent."""
    return value.hint.endswith(SUFFIXES)
