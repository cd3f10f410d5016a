"""Proving a derivative: the tangent and adjoint programs on symbols, against SymPy's derivative of the primal.

    prove : (primal, tangent, adjoint, positions, leaves, seconds) -> (look, answer, detail)

With outputs yₖ of the primal and inputs xⱼ, all symbols: the tangent program has to give Σⱼ ∂yₖ/∂xⱼ tⱼ, the adjoint
program Σₖ cₖ ∂yₖ/∂xⱼ.  The two are compared in 40 digits at nearby points first; then the difference is shown to be
zero by expanding, by a common denominator, by `simplify`.  Where none succeeds, the digits are evidence and no proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy

from ad_compiler.ir.core import Module
from ad_compiler.symbolic.deadline import TimeUpError, within
from ad_compiler.symbolic.paths import Pair, run_terms
from ad_compiler.symbolic.points import direction, is_float
from ad_compiler.symbolic.terms import UncheckedError

MOST_SYMBOLS = 40
LARGEST = 4_000  # operations of the primal's formulas that are still differentiated
TINY = 1e-12  # coefficients left over by constants that were rounded
DIGITS = 40
# ways to show that a difference is zero, with the size up to which each is tried
STEPS = (
    (LARGEST, sympy.expand),
    (600, lambda difference: sympy.cancel(sympy.together(difference))),
    (120, sympy.simplify),
)


def prove(
    primal: Module,
    tangent: Module,
    adjoint: Module,
    positions: Sequence[int],
    leaves: Sequence[Any],
    seconds: float,
) -> tuple[str, str, str]:
    """The look ("proof", or "digits" for evidence only), "yes" or "no", and what was shown or where it fails.

    Raises `UncheckedError` when it is left open.
    """
    return _Proof(positions, leaves, seconds).run(primal, tangent, adjoint)


class _Proof:
    def __init__(self, positions: Sequence[int], leaves: Sequence[Any], seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.perf_counter() + seconds
        self.values: dict[sympy.Symbol, float] = {}  # where the symbols stand
        self.inputs = [self.pair(leaf, f"x{k}" if k in positions else None) for k, leaf in enumerate(leaves)]
        self.xs = [x for k in positions for x in flat(self.inputs[k].term)]
        self.moving = [leaves[k] for k in positions]
        self.rounded = False
        self.evidence = False

    def run(self, primal: Module, tangent: Module, adjoint: Module) -> tuple[str, str, str]:
        try:
            with within(self.seconds):
                outputs, matrix = self.derivative(primal)
            problem = self.tangent(tangent, len(outputs), matrix) or self.adjoint(adjoint, outputs, matrix)
        except TimeUpError:
            raise UncheckedError("SymPy did not finish in time") from None
        if problem:
            return "proof", "no", problem
        if self.evidence:
            return "digits", "yes", f"SymPy's derivative, evaluated in {DIGITS} digits at random points"
        return "proof", "yes", "equal to SymPy's derivative" + (", up to rounded constants" if self.rounded else "")

    def derivative(self, primal: Module) -> tuple[list[Any], list[list[Any]]]:
        """The terms of the outputs, and SymPy's derivative of each by each input."""
        outputs = run_terms(primal, self.inputs)
        ys = [y for output in outputs for y in flat(output)]
        size = sum(sympy.count_ops(y) for y in ys if isinstance(y, sympy.Expr))
        if size > LARGEST:
            raise UncheckedError(f"its formulas are too large to differentiate ({size} operations)")
        return outputs, [
            [sympy.diff(y, x) if isinstance(y, sympy.Expr) else sympy.S.Zero for x in self.xs] for y in ys
        ]

    def tangent(self, module: Module, count: int, matrix: list[list[Any]]) -> str:
        dots = [self.pair(leaf, f"t{k}", draw=True) for k, leaf in enumerate(self.moving)]
        ts = [t for dot in dots for t in flat(dot.term)]
        results = run_terms(module, [*self.inputs, *dots])[count:]
        found = [y for result in results for y in flat(result)]
        expected = [sum((slope * t for slope, t in zip(row, ts, strict=True)), sympy.S.Zero) for row in matrix]
        return self.compare("the tangent", found, expected)

    def adjoint(self, module: Module, outputs: list[Any], matrix: list[list[Any]]) -> str:
        bars = [self.pair(_numbers(output), f"c{k}", draw=True) for k, output in enumerate(outputs)]
        cs = [c for bar in bars for c in flat(bar.term)]
        results = run_terms(module, [*self.inputs, *bars])[len(outputs) :]
        found = [x for result in results for x in flat(result)]
        expected = [
            sum((c * row[j] for c, row in zip(cs, matrix, strict=True)), sympy.S.Zero) for j in range(len(self.xs))
        ]
        return self.compare("the gradient", found, expected)

    def compare(self, what: str, found: list[Any], expected: list[Any]) -> str:
        """What differs, as text; empty when nothing does."""
        if len(found) != len(expected):
            return f"{what} has {len(found)} components, not {len(expected)}"
        found = [sympy.sympify(one) for one in found]
        with within(self.seconds):
            different = self.different_in_digits(found, expected)
        if different is not None:
            return f"component {different} of {what} is not SymPy's derivative"
        try:
            with within(self.deadline - time.perf_counter()):
                proved = all(self.equal(one, other) for one, other in zip(found, expected, strict=True))
        except TimeUpError:
            proved = False
        self.evidence = self.evidence or not proved
        return ""

    def equal(self, a: Any, b: Any) -> bool:
        """Whether the two are shown to be equal, as far as the time goes."""
        difference = a - b
        if difference == 0:
            return True
        size = sympy.count_ops(difference)
        return any(
            size < most and time.perf_counter() < self.deadline and self.vanishes(simpler(difference))
            for most, simpler in STEPS
        )

    def vanishes(self, expression: Any) -> bool:
        """Zero, or a sum whose coefficients are all rounding errors of constants."""
        if expression == 0:
            return True
        coefficients = expression.as_coefficients_dict().values()
        if all(abs(float(one)) < TINY for one in coefficients):
            self.rounded = True
            return True
        return False

    def different_in_digits(self, found: list[Any], expected: list[Any]) -> int | None:
        """The first component in which the two differ, by more than rounded constants, near where they stand."""
        random = np.random.default_rng(11)
        evaluate = sympy.lambdify(list(self.values), [found, expected], "mpmath", cse=True)
        with mpmath.workdps(DIGITS):
            for _ in range(3):
                near = [mpmath.mpf(value) * (1 + random.uniform(-1e-3, 1e-3)) for value in self.values.values()]
                pairs = list(zip(*evaluate(*near), strict=True))
                largest = max((abs(other) for _, other in pairs), default=0.0)
                for k, (one, other) in enumerate(pairs):
                    if abs(one - other) > TINY * max(abs(one) + abs(other), largest, 1e-20):
                        return k
        return None

    def pair(self, leaf: Any, name: str | None, *, draw: bool = False) -> Pair:
        """A leaf with symbols for its floats; without a name it stays a number."""
        if name is None:
            return Pair(leaf)
        number = direction(leaf, np.random.default_rng(5)) if draw else leaf
        return Pair(number, self.symbols(number, name))

    def symbols(self, number: Any, name: str) -> Any:
        if isinstance(number, list | tuple):
            return type(number)([self.symbols(part, f"{name}_{k}") for k, part in enumerate(number)])
        if not is_float(number):
            return number
        if not np.all(np.isfinite(number)):
            raise UncheckedError("a formula has no place for infinities and nan")
        made = np.empty(np.shape(number), object)
        for place in np.ndindex(made.shape):
            symbol = sympy.Symbol("_".join([name, *map(str, place)]), real=True)
            made[place] = symbol
            self.values[symbol] = float(np.asarray(number)[place])
        if len(self.values) > 3 * MOST_SYMBOLS:
            raise UncheckedError("it has too many numbers to give each a symbol")
        return made if isinstance(number, np.ndarray) else made.item()


def flat(term: Any) -> Iterator[Any]:
    """The expressions in a term, from left to right."""
    if isinstance(term, list | tuple):
        for part in term:
            yield from flat(part)
    elif isinstance(term, np.ndarray):
        yield from term.ravel().tolist()
    else:
        yield term


def _numbers(term: Any) -> Any:
    """Floats in the structure of a term."""
    if isinstance(term, list | tuple):
        return type(term)([_numbers(part) for part in term])
    return np.zeros(term.shape) if isinstance(term, np.ndarray) else 0.0
