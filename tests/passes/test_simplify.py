"""The table of rewrites: each proven by SymPy, each fuzzed with nan, inf, signed zeros, dtypes and shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy

from ad_compiler.ir.clone import clone_module
from ad_compiler.ir.core import Block, Function, Module, Value, walk
from ad_compiler.ir.printer import show
from ad_compiler.ir.types import Dim, Symbol, Tensor, Type
from ad_compiler.passes.dce import dce
from ad_compiler.passes.pattern import NUMBER_VARIABLES, Node, Rewrite, Variable
from ad_compiler.passes.simplify import CLOSE, EXACT, simplify
from ad_compiler.primitives import builder
from ad_compiler.primitives.evaluate import evaluate, verify
from ad_compiler.primitives.expression import Operand
from tests.passes.support import check, unchanged

TABLE = [pytest.param(one, id=f"{name}-{k}-{one.pattern.name}") for name, table in (("exact", EXACT), ("close", CLOSE))
         for k, one in enumerate(table)]  # fmt: skip
NUMBERS = (2.0, -1.0, 0.5, 3.0, -4, -0.7)
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5, 3.7, 1e150, -1e-150)


def numbers_for(one: Rewrite) -> Iterator[dict[str, Any]]:
    """What the number variables of the rewrite may be."""
    names = [name for name in one.variables if name in NUMBER_VARIABLES]
    for chosen in itertools.product(NUMBERS, repeat=len(names)):
        numbers = dict(zip(names, chosen, strict=True))
        read = one.when.__code__.co_varnames[: one.when.__code__.co_argcount] if one.when else ()
        if one.when is None or one.when(**{name: numbers[name] for name in read}):
            yield numbers


# -- proof ---------------------------------------------------------------------------------------------


class Term(Operand):
    """A SymPy term in the place of a value."""

    MEANING = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "power": lambda a, b: a**b,
        "negative": lambda a: -a,
        "reciprocal": lambda a: 1 / a,
        "where": lambda p, a, b: sympy.Piecewise((a, p > 0), (b, True)),
    }

    def __init__(self, term: Any) -> None:
        self.term = term

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Term:
        terms = [one.term if isinstance(one, Term) else sympy.nsimplify(one, rational=True) for one in operands]
        return Term(self.MEANING[name](*terms))


@pytest.mark.parametrize("one", TABLE)
def test_sympy_proves(one: Rewrite) -> None:
    for numbers in itertools.islice(numbers_for(one), 6):
        bound = {name: numbers.get(name, Term(sympy.Symbol(name, real=True))) for name in one.variables}
        before = one.before(*[bound[name] for name in one.variables])
        after = one.after(*[bound[name] for name in one.after.__code__.co_varnames[: one.after.__code__.co_argcount]])
        assert sympy.simplify(before.term - after.term) == 0


# -- fuzz ----------------------------------------------------------------------------------------------


def program(one: Rewrite, types: dict[str, Type], numbers: dict[str, Any]) -> Module:
    """The left side of the rewrite, in derivative code."""
    body = Block()
    build = builder(body)
    build.phase = "reverse"
    values = {name: Value(type, name) for name, type in types.items()}
    body.parameters = list(values.values())

    def emit(pattern: Any) -> Value:
        if isinstance(pattern, Variable):
            return values[pattern.name] if pattern.name in values else build.constant(numbers[pattern.name])
        if isinstance(pattern, Node):
            return build.one(pattern.name, *[emit(operand) for operand in pattern.operands])
        return build.constant(pattern)

    build.terminate("return", [emit(one.pattern)])
    return Module("f", {"f": Function("f", body)})


N, M = Dim(Symbol("n", many=True)), Dim(Symbol("m", many=True))
SHAPES: dict[str, tuple[Dim, ...]] = {"scalar": (), "vector": (N,), "column": (N, Dim(None, 1)), "matrix": (N, M)}


def typings(one: Rewrite, dtype: str) -> Iterator[dict[str, Type]]:
    """Types for the tensor variables: numbers, arrays, arrays that broadcast against each other."""
    names = [name for name in one.variables if name not in NUMBER_VARIABLES]
    plans = [("scalar",) * len(names), ("vector",) * len(names)]
    if len(names) > 1:
        plans += [("scalar", "vector"), ("vector", "scalar"), ("vector", "column"), ("matrix", "vector")]
    for plan in plans:
        kinds = dict(zip(names, plan, strict=True))
        wrong = {name for name, kind in kinds.items() if name in ("XY" if kind == "scalar" else "s")}
        if wrong:
            continue
        if "matrix" in plan and "vector" in plan:  # (n, m) against (m,)
            yield {name: Tensor(dtype, SHAPES[kind] if kind == "matrix" else (M,)) for name, kind in kinds.items()}
        else:
            yield {name: Tensor("bool" if name == "p" else dtype, SHAPES[kind]) for name, kind in kinds.items()}


def values_for(type: Type, random: np.random.Generator, *, whole: bool = False) -> Any:
    """Special numbers in the shape that the type says; `whole` ones for an unknown dtype."""
    assert isinstance(type, Tensor)
    size = tuple(dim.offset if dim.symbol is None else 7 if dim.symbol is N.symbol else 5 for dim in type.shape)
    if type.dtype == "bool":
        return random.integers(0, 2, size=size).astype(bool) if size else bool(random.integers(2))
    if type.dtype == "i64" or whole:
        return random.integers(-3, 4, size=size) if size else int(random.integers(-3, 4))
    chosen = random.choice(SPECIAL, size=size)
    if type.dtype == "f32":
        with np.errstate(all="ignore"):
            return chosen.astype(np.float32) if size else np.float32(chosen)
    return chosen if size else np.float64(chosen)


def agree(before: Any, after: Any, exact: bool) -> None:
    before, after = np.asarray(before), np.asarray(after)
    assert before.dtype == after.dtype
    assert before.shape == after.shape
    if exact:
        both = np.isnan(before) & np.isnan(after) if before.dtype.kind == "f" else np.zeros(before.shape, bool)
        np.testing.assert_array_equal(before[~both], after[~both])
        if before.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(before[~both]), np.signbit(after[~both]))
    else:
        np.testing.assert_allclose(after, before, rtol=1e-6 if before.dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("dtype", ["f64", "f32", "i64", "?"])
@pytest.mark.parametrize("one", TABLE)
def test_fuzz(one: Rewrite, dtype: str) -> None:
    random = np.random.default_rng(0)
    exact = one in EXACT
    applied = 0
    for types, numbers in itertools.product(typings(one, dtype), itertools.islice(numbers_for(one), 8)):
        before = program(one, types, numbers)
        after = clone_module(before)
        simplify(after.functions["f"], after)
        verify(after)
        dce(after.functions["f"], after)
        verify(after)
        applied += show(before) != show(after)
        for k in range(6):
            arguments = [values_for(type, random, whole=dtype == "?" and k % 2 > 0) for type in types.values()]
            with np.errstate(all="ignore"):
                try:
                    (expected,) = evaluate(before, *arguments)
                except (TypeError, ValueError, ZeroDivisionError):  # e.g. integers to negative powers
                    continue
                agree(expected, evaluate(after, *arguments)[0], exact)
    if dtype == "f64":
        assert applied, "the rewrite never applied"


def test_the_users_own_arithmetic_stays() -> None:
    for phase in ("", "  # forward"):
        unchanged(
            simplify,
            f"func f(%x: f64, %y: f64)\n  %a = multiply %x, 1.0{phase}\n  %b = negative %y{phase}\n"
            f"  %c = add %a, %b{phase}\n  %d = power %c, 1{phase}\n  return %d\n",
        )


def test_chains_end_in_one_sweep() -> None:
    check(
        lambda function, module: simplify(function, module) and dce(function, module),
        """
        func f(%x: f64, %ct: f64) -> f64
          %a = negative %ct                                 # reverse
          %b = divide 1.0, %x                               # reverse
          %c = multiply %a, %b                              # reverse
          %d = multiply %c, 2.0                             # reverse
          %e = multiply %d, 0.5                             # reverse
          %x_bar = add %ct, %e                              # reverse
          return %x_bar
        """,
        """
        func f(%x: f64, %ct: f64) -> f64
          %0 = divide %ct, %x                               # reverse
          %x_bar = subtract %ct, %0                         # reverse
          return %x_bar
        """,
        exact=False,
    )


def test_a_negation_that_is_read_elsewhere_is_not_doubled() -> None:
    text = """
        func f(%a: f64, %b: f64) -> f64
          %n = negative %a                                  # reverse
          %c = multiply %n, %b                              # reverse
          %d = multiply %c, %n                              # reverse
          return %d
        """
    unchanged(simplify, text)


def test_x_times_zero_stays() -> None:
    unchanged(simplify, "func f(%x: f64)\n  %a = multiply 0.0, %x  # reverse\n  return %a\n")


def test_no_rewrite_makes_more_ops() -> None:
    for table in (EXACT, CLOSE):
        for one in table:
            numbers = next(numbers_for(one))
            for types in typings(one, "f64"):
                before = program(one, types, numbers)
                count = sum(op.name != "constant" for op in walk(before.functions["f"].body))
                for round in (simplify, dce):
                    round(before.functions["f"], before)
                assert sum(op.name != "constant" for op in walk(before.functions["f"].body)) <= count


def test_a_number_is_read_as_python_would() -> None:
    """True is not 1, and 1 is not taken for 1.0 where that changes the dtype."""
    unchanged(simplify, "func f(%x: f64)\n  %a = multiply True, %x  # reverse\n  return %a\n")
    unchanged(simplify, "func f(%x: i64)\n  %a = multiply 1.0, %x  # reverse\n  return %a\n")
