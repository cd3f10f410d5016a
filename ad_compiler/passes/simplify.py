"""Algebra: a table of rewrites, proven by SymPy and fuzzed by the tests without being asked.

    >>> from ad_compiler.passes.doc import before_after
    >>> before_after(simplify, '''
    ... func f(%x: f64, %ct: f64) -> f64
    ...   %a = divide 1.0, %x                             # reverse
    ...   %b = multiply %ct, %a                           # reverse
    ...   %c = negative %b                                # reverse
    ...   %x_bar = add %ct, %c                            # reverse
    ...   return %x_bar
    ... ''')
    func f(%x: f64, %ct: f64) -> f64
      %a: f64 = divide 1.0, %x                          # reverse
      %b: f64 = divide %ct, %x                          # reverse
      %c: f64 = negative %b                             # reverse
      %x_bar: f64 = subtract %ct, %b                    # reverse
      return %x_bar
    <BLANKLINE>

They are for derivative code: the user's own arithmetic stays as it was written.  `EXACT` rewrites keep every bit,
also of nan, inf and -0.0; `CLOSE` ones may change the last bit or the sign of a zero.  What is not arithmetic
(indices, shapes, lists) is in `structure`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from ad_compiler.analysis.uses import use_counts
from ad_compiler.ir.core import Function, Module, Op, Value
from ad_compiler.ir.rewrite import Scope, resolve, sweep
from ad_compiler.passes import structure
from ad_compiler.passes.derivative import is_derivative
from ad_compiler.passes.pattern import Rewrite, apply, rewrite
from ad_compiler.primitives.declare import ops

DEPTH = 8  # how many times in a row the outcome of a rewrite is rewritten


def power_of_two(c: float) -> bool:
    """Whether multiplying with it is exact, but for overflow and underflow."""
    return c != 0 and abs(math.frexp(c)[0]) == 0.5


def either_exact(c: float, d: float) -> bool:
    return power_of_two(c) or power_of_two(d)


EXACT: tuple[Rewrite, ...] = (
    rewrite(lambda x: x * 1, lambda x: x),
    rewrite(lambda x: x / 1, lambda x: x),
    rewrite(lambda x: x**1, lambda x: x),
    rewrite(lambda x: x - 0, lambda x: x),
    rewrite(lambda x: x * -1, lambda x: -x),
    rewrite(lambda x: x / -1, lambda x: -x),
    rewrite(lambda x: ops.negative(-x), lambda x: x, dtypes="any"),
    rewrite(lambda p, x: ops.where(p, x, x), lambda x: x, dtypes="any"),
    # the same bits, in the form that we like best
    rewrite(lambda a, b: a + (-b), lambda a, b: a - b),
    rewrite(lambda a, b: a - (-b), lambda a, b: a + b),
    rewrite(lambda a, b: (-a) * (-b), lambda a, b: a * b),
    rewrite(lambda a, b: (-a) / (-b), lambda a, b: a / b),
    rewrite(lambda c, a: c * (-a), lambda c, a: -c * a),
    rewrite(lambda a, b: (-a) * b, lambda a, b: -(a * b)),
    rewrite(lambda a, b: (-a) / b, lambda a, b: -(a / b)),
    rewrite(lambda a, b: a / (-b), lambda a, b: -(a / b)),
    rewrite(lambda c, a: -(c * a), lambda c, a: -c * a),
    rewrite(lambda a, b, c: a + c * b, lambda a, b, c: a - -c * b, when=lambda c: c < 0),
    rewrite(lambda a, b, c: a - c * b, lambda a, b, c: a + -c * b, when=lambda c: c < 0),
    rewrite(lambda x: x + x, lambda x: 2.0 * x),
)

CLOSE: tuple[Rewrite, ...] = (
    rewrite(lambda x: x + 0, lambda x: x),
    rewrite(lambda x: 0 - x, lambda x: -x),
    rewrite(lambda a, b: -(a - b), lambda a, b: b - a),
    rewrite(lambda a, x: a * (1 / x), lambda a, x: a / x, dtypes="any"),
    rewrite(lambda a, x: a * ops.reciprocal(x), lambda a, x: a / x),
    rewrite(lambda c, d, x: c * (d * x), lambda c, d, x: (c * d) * x, when=either_exact, dtypes="any"),
    rewrite(lambda c, d, x: c * (d / x), lambda c, d, x: (c * d) / x, when=either_exact),
    rewrite(lambda c, d, x: c * (x / d), lambda c, d, x: (c / d) * x, when=lambda c, d: power_of_two(d)),
    rewrite(lambda c, d, x: (c * x) / d, lambda c, d, x: (c / d) * x, when=lambda c, d: power_of_two(d)),
    rewrite(lambda c, s, X: s * (c * X), lambda c, s, X: (c * s) * X, when=power_of_two),
    rewrite(lambda c, x: c * x + c * x, lambda c, x: (2 * c) * x, dtypes="any"),
)


def _by_name(*tables: tuple[Rewrite, ...]) -> dict[str, list[Rewrite]]:
    found: dict[str, list[Rewrite]] = defaultdict(list)
    for table in tables:
        for one in table:
            found[one.pattern.name].append(one)
    return dict(found)


REWRITES = _by_name(EXACT, CLOSE)


def simplify(function: Function, module: Module) -> bool:
    """Replace ops by simpler ones; what they were made of stays for `dce`."""
    uses = use_counts(function.body)
    values: dict[Value, Value] = {}

    def once(op: Op) -> tuple[Value, list[Op]] | None:
        if not is_derivative(op):
            return structure.once(op, False, uses)
        makers = {operand.op.name for operand in op.operands if operand.op is not None}
        for one in REWRITES.get(op.name, ()):
            found = apply(one, op, uses) if one.needs <= makers else None
            if found is not None:
                return found
        return structure.once(op, True, uses)

    def visit(op: Op, scope: Scope, depth: int = 0) -> Sequence[Value] | None:
        several = structure.several(op, scope, values)
        if several is not None:
            return several
        found = once(op) if depth < DEPTH else None
        if found is None:
            return None
        value, made = found
        for new in made:
            new.operands = [resolve(operand, values) for operand in new.operands]
            uses.update(new.operands)
            again = visit(new, scope, depth + 1)
            if again is None:
                scope.before.append(new)
            else:
                values[new.results[0]] = again[0]
        value = resolve(value, values)
        if value.op is None or value.op.phase == op.phase:  # a value of the primal is not named after a cotangent
            value.hint = value.hint or op.results[0].hint
        uses[value] += uses[op.results[0]]
        return [value]

    return sweep(function.body, visit, values=values)
