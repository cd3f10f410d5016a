"""Proving the rules of primitives: each partial against SymPy's derivative of the primitive's meaning.

    prove_rule : primitive -> a verdict for each operand that has a rule

`proved`: the difference was shown to be zero, in every region where the primitive is one formula.  `evidence`: it
was not, but it is zero in 30 digits at random points.  `failed`: it is not zero there.  Kinks and singular points are
not looked at here; the tests have a table of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from ad_compiler.primitives.declare import Primitive
from ad_compiler.symbolic.meaning import Formula, lifted, meaning

DIGITS = 30
POSITIVE = ("power", "float_power", "sqrt", "log", "log2", "log10", "log1p", "cbrt", "hypot", "arctan2", "arccosh")
CHOICE = sympy.Symbol("chosen", positive=True)  # how far an operand is from the edge of its region


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    operand: str
    answer: str  # "proved", "evidence", "failed", "no formula"
    detail: str = ""


def prove_rule(primitive: Primitive) -> list[RuleVerdict]:
    """A verdict for each operand that has a partial; none for what is not elementwise."""
    if primitive.kind != "elementwise":
        return []
    operands = [operand for operand, rule in primitive.rules.items() if rule is not None]
    try:
        formula = meaning(primitive.name)
    except KeyError:
        return [RuleVerdict(operand, "no formula") for operand in operands]
    symbols = _symbols(primitive)
    value = formula(*symbols.values())
    environment: dict[str, Any] = {name: Formula(symbol) for name, symbol in symbols.items()}
    environment["out"] = Formula(value)
    verdicts = []
    for operand in operands:
        rule = primitive.rules[operand]
        assert rule is not None
        partial = lifted(rule(environment))
        verdicts.append(_compare(operand, _derivative(value, symbols[operand]), partial, primitive.name, symbols))
    return verdicts


def _symbols(primitive: Primitive) -> dict[str, Any]:
    """Real operands, away from 0; positive ones where the formula is about these."""
    positive = primitive.name in POSITIVE
    made = {
        name: sympy.Symbol(name, real=True, nonzero=True, positive=True if positive else None)
        for name in primitive.operands
    }
    if primitive.name == "where":
        made["c"] = sympy.Symbol("c")
    return made


def _derivative(value: Any, symbol: Any) -> Any:
    """SymPy's derivative inside a region: floors and signs are constant there."""
    held: dict[Any, Any] = {}

    def hold(part: Any) -> Any:
        return held.setdefault(part, sympy.Dummy(real=True))

    steps = (sympy.floor, sympy.ceiling, sympy.sign)
    steady = value.replace(lambda part: isinstance(part, steps), hold)
    derivative = sympy.diff(steady, symbol)
    return derivative.subs({dummy: part for part, dummy in held.items()})


def _regions(name: str, symbols: dict[str, Any]) -> Iterator[dict[Any, Any]]:
    """Substitutions that bring the operands into each region of a primitive that chooses."""
    match name:
        case "where":
            yield {symbols["c"]: sympy.true}
            yield {symbols["c"]: sympy.false}
        case "maximum" | "minimum":
            yield {symbols["a"]: symbols["b"] + CHOICE}
            yield {symbols["a"]: symbols["b"] - CHOICE}
        case "clip":
            x, lo, hi = symbols.values()
            further = sympy.Symbol("further", positive=True)
            yield {x: lo + CHOICE, hi: lo + CHOICE + further}
            yield {x: lo - CHOICE, hi: lo + further}
            yield {x: lo + CHOICE + further, hi: lo + CHOICE}
            yield {x: lo + CHOICE, hi: lo - further}
            yield {x: lo - CHOICE - further, hi: lo - CHOICE}
        case "heaviside":
            yield {symbols["x"]: CHOICE}
            yield {symbols["x"]: -CHOICE}
            yield {symbols["x"]: sympy.S.Zero}
        case "fmod" | "copysign":
            b = symbols["b"]
            for a_sign in (1, -1):
                for b_sign in (1, -1):
                    yield {symbols["a"]: a_sign * CHOICE, b: b_sign * sympy.Symbol("other", positive=True)}
        case "absolute" | "cbrt":
            yield {symbols["x"]: CHOICE}
            yield {symbols["x"]: -CHOICE}
        case _:
            yield {}


def _compare(operand: str, expected: Any, partial: Any, name: str, symbols: dict[str, Any]) -> RuleVerdict:
    answers = []
    for region in _regions(name, symbols):
        difference = (expected - partial).subs(region, simultaneous=True)
        if not _vanishes_in_digits(difference):
            return RuleVerdict(operand, "failed", f"SymPy has {expected}, the rule {partial}")
        answers.append(_vanishes(difference))
    answer = "proved" if all(answers) else "evidence"
    return RuleVerdict(operand, answer, str(sympy.simplify(partial)))


def _vanishes(difference: Any) -> bool:
    steps = (sympy.expand, sympy.simplify, lambda d: sympy.simplify(d.rewrite(sympy.exp)), sympy.trigsimp)
    return any(step(difference) == 0 for step in steps)


def _vanishes_in_digits(difference: Any) -> bool:
    """At some points of the region, of which at least one must be inside the domain."""
    if difference == 0:
        return True
    free = sorted(difference.free_symbols, key=str)
    looked = 0
    for k in range(6):
        point = {
            symbol: sympy.Rational(2 + 3 * k + 5 * j, 37) * (1 if symbol.is_positive or (j + k) % 2 else -1)
            for j, symbol in enumerate(free)
        }
        value = difference.evalf(DIGITS, subs=point)
        if not (value.is_number and value.is_finite):
            continue
        looked += 1
        if abs(complex(value)) > 10.0 ** (8 - DIGITS):
            return False
    return looked > 0
