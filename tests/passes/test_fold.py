"""Constants."""

from __future__ import annotations

import pytest

from ad_compiler.passes.fold import fold
from tests.passes.support import check, unchanged


@pytest.mark.parametrize(
    ("op", "result"),
    [
        ("multiply 0.5, 4.0", "2.0"),
        ("divide 1.0, 3.0", "0.3333333333333333"),
        ("subtract 3, 1", "2"),
        ("negative 0.0", "-0.0"),
        ("sqrt 2.0", "1.4142135623730951"),
        ("power 2.0, 3", "8.0"),
        ("add 0.1, 0.2", "0.30000000000000004"),
    ],
)
def test_derivative_code_is_folded(op: str, result: str) -> None:
    check(
        fold,
        f"func f(%x: f64) -> f64\n  %a = {op}  # reverse\n  %b = multiply %x, %a\n  return %b\n",
        f"func f(%x: f64) -> f64\n  %b = multiply %x, {result}\n  return %b\n",
    )


@pytest.mark.parametrize(
    "op",
    [
        "divide 1.0, 0.0",  # raises, and must go on doing so
        "log 0.0",  # warns
        "power 1e200, 2.0",  # overflows
        "power 10, 70",  # an integer that is none in NumPy
        "power 2, -1",
        "multiply 1e200, 1e200",  # inf
        "subtract inf, inf",
        "sqrt -1.0",
        "clip 5.0, None, 1.0",  # not a number
        "round[decimals=1] 2.345",
        "dot 2.0, 3.0",
    ],
)
def test_what_raises_or_is_not_finite_stays(op: str) -> None:
    unchanged(fold, f"func f(%x: f64)\n  %a = {op}  # reverse\n  %b = multiply %x, %a\n  return %b\n")


def test_the_users_numbers_stay_as_they_are_written() -> None:
    unchanged(fold, "func f(%x: f64)\n  %a = multiply 2.0, 3.14\n  %b = multiply %a, %x\n  return %b\n")
    unchanged(fold, "func f(%x: f64)\n  %a = subtract 3, 1  # forward\n  %b = multiply %a, %x\n  return %b\n")


def test_an_exponent_is_known() -> None:
    check(
        fold,
        "func f(%x: f64) -> f64\n  %a = divide 1, 4\n  %b = negative %a\n  %c = power %x, %b\n  return %c\n",
        "func f(%x: f64) -> f64\n  %c = power %x, -0.25\n  return %c\n",
    )


def test_signs_of_zeros_and_kinds_of_numbers_are_kept() -> None:
    check(
        fold,
        "func f(%x: f64)\n  %a = multiply -1.0, 0.0  # reverse\n  %b = less 1, 2\n  %c = multiply 2, 3\n"
        "  return %a, %b, %c\n",
        "func f(%x: f64)\n  return -0.0, True, 6\n",
    )
