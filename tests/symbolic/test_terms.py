"""The term of every primitive, evaluated at the numbers, is what the primitive computes there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.symbolic.terms import EXACT, UncheckedError, exact, lift, term_of
from tests.primitives.samples import samples_of

MOVING = [name for name, primitive in REGISTRY.items() if primitive.kind != "constant"]


def symbols(value: Any, values: dict[sympy.Symbol, float]) -> Any:
    """Floats replaced by symbols, which are noted with their values."""
    if isinstance(value, list | tuple):
        return type(value)([symbols(part, values) for part in value])
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        made = np.empty(value.shape, object)
        for place in np.ndindex(value.shape):
            made[place] = symbols(float(value[place]), values)
        return made
    if isinstance(value, float | np.floating):
        symbol = sympy.Symbol(f"x{len(values)}", real=True)
        values[symbol] = float(value)
        return symbol
    return value


def numbers(term: Any, values: dict[sympy.Symbol, float]) -> Any:
    """The term at these values."""
    if isinstance(term, list | tuple):
        return type(term)([numbers(part, values) for part in term])
    if isinstance(term, np.ndarray):
        return np.array([numbers(part, values) for part in term.ravel()], float).reshape(term.shape)
    return float(term.evalf(30, subs=values)) if isinstance(term, sympy.Basic) else term


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert np.shape(found) == np.shape(expected)
        rtol = 1e-5 if np.asarray(expected).dtype == np.float32 else 1e-9
        np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("name", MOVING)
def test_terms_mean_what_numpy_computes(name):
    primitive = REGISTRY[name]
    for operands, attributes in list(samples_of(name))[:6]:
        result = primitive.implementation(*operands, **attributes)
        values: dict[sympy.Symbol, float] = {}
        terms = [symbols(operand, values) for operand in operands]
        if not values or not all(map(np.isfinite, values.values())):
            continue
        try:
            term = term_of(primitive, operands, terms, result, primitive.defaults() | attributes)
        except UncheckedError:
            assert primitive.kind != "elementwise"  # what has no formula is left open by `check`
            continue
        if term is None:  # constant: `astype(int)`
            assert np.asarray(result).dtype.kind in "biu"
            continue
        assert_same(numbers(term, values), result)


def test_known_constants_are_exact():
    assert exact(float(np.log(2.0))) == sympy.log(2)
    assert exact(-np.pi) == -sympy.pi
    assert exact(0.1) == sympy.Rational(1, 10)
    for number, term in EXACT.items():
        assert abs(float(term) - number) <= 1e-16 * max(1.0, abs(number)) * 4


def test_lifting_keeps_what_is_no_float():
    assert lift(3) == 3
    assert lift(True) is True
    assert lift([1.5, 2])[0] == sympy.Rational(3, 2)
    assert lift(np.arange(3)).dtype.kind == "i"
    assert lift(np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(UncheckedError):
        lift(float("inf"))
