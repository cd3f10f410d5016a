"""The looks of `check`: right programs pass, wrong rules are found, and what cannot be decided is left open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ad_compiler.primitives.declare import REGISTRY, Rule
from ad_compiler.primitives.evaluate import parse
from ad_compiler.symbolic import check as checking
from ad_compiler.symbolic import points
from ad_compiler.symbolic.check import Derivatives, extrapolated
from ad_compiler.symbolic.report import NO, OPEN, YES, Report, Verdict

LECTURE = """func f(%x1: f64, %x2: f64) -> f64
  %a = log %x1
  %b = multiply %x1, %x2
  %c = add %a, %b
  %d = sin %x2
  %e = subtract %c, %d
  return %e
"""
POWER = """func power(%x: f64, %n: i64) -> f64
  %a.2: f64 = for 0, %n, 1, 1.0
    do(%i: i64, %a: f64)
      %a.1: f64 = multiply %a, %x
      yield %a.1
  return %a.2
"""
NETWORK = """func net(%x: f64[4,3], %w: f64[3,2]) -> f64
  %h = matmul %x, %w
  %t = tanh %h
  %s = multiply %t, %t
  %r = mean %s
  return %r
"""
SOFTMAX = """func softmax(%x: f64[3]) -> f64[3]
  %m = max %x
  %s = subtract %x, %m
  %e = exp %s
  %t = sum %e
  %r = divide %e, %t
  return %r
"""
PIECES = """func pieces(%x: f64, %y: f64) -> f64
  %a = absolute %x
  %c: bool = less %x, 0.0
  %r: f64 = if %c
    then()
      %u = exp2 %x
      %p = multiply %u, %a
      yield %p
    else()
      yield %y
  %m = maximum %r, %y
  %l = clip %m, 0.1, 0.9
  %k = mod %l, 0.25
  return %k
"""
LISTS = """func lists(%x: f64) -> f64
  %y = sin %x
  %a = list %x, %y
  %b = append %a, %y
  %p = list_get %b, 0
  %q = list_get %b, 2
  %r = multiply %p, %q
  return %r
"""


def look(text: str, wrt: tuple[str, ...], **point: object) -> Report:
    module = parse(text)
    return checking._report(Derivatives(module, wrt, module.main), lambda: iter([point]), 0)


def answers(report: Report) -> dict[str, str]:
    return {verdict.look: verdict.answer for verdict in report.verdicts}


RIGHT = {
    "lecture": (LECTURE, ("x1", "x2"), {"x1": 2.0, "x2": 5.0}),
    "loop": (POWER, ("x",), {"x": 1.3, "n": 4}),
    "no trip": (POWER, ("x",), {"x": 1.3, "n": 0}),
    "network": (NETWORK, ("w",), {"x": np.linspace(0.1, 1.2, 12).reshape(4, 3), "w": np.full((3, 2), 0.3)}),
    "both": (NETWORK, ("x", "w"), {"x": np.linspace(0.1, 1.2, 12).reshape(4, 3), "w": np.full((3, 2), 0.3)}),
    "softmax": (SOFTMAX, ("x",), {"x": np.array([0.1, 0.5, -0.3])}),
    "then": (PIECES, ("x", "y"), {"x": -0.7, "y": 0.3}),
    "else": (PIECES, ("x", "y"), {"x": 0.7, "y": 0.3}),
    "lists": (LISTS, ("x",), {"x": 0.4}),
}


@pytest.mark.parametrize("case", RIGHT)
def test_right_programs_are_proved(case):
    text, wrt, point = RIGHT[case]
    report = look(text, wrt, **point)
    assert report.ok
    assert report.proved
    assert set(answers(report).values()) == {YES}


def test_the_gradient_of_the_lecture():
    report = look(*RIGHT["lecture"][:2], x1=2.0, x2=5.0)
    assert math.isclose(report.gradient["x1"], 5.5)
    assert math.isclose(report.gradient["x2"], 2 - math.cos(5))
    assert "5.5" in str(report)
    assert "1.716" in str(report)


@pytest.mark.parametrize("factor", [-1.0, 1.01, 1 + 1e-9])
@pytest.mark.parametrize(
    ("name", "operand", "text"), [("log", "x", LECTURE), ("tanh", "x", NETWORK), ("exp", "x", SOFTMAX)]
)
def test_a_wrong_rule_is_found(monkeypatch, name, operand, text, factor):
    rule = REGISTRY[name].rules[operand]
    wrong = Rule(lambda *read: factor * rule.formula(*read), rule.reads)
    monkeypatch.setitem(REGISTRY[name].rules, operand, wrong)
    case = {LECTURE: "lecture", NETWORK: "network", SOFTMAX: "softmax"}[text]
    report = look(*RIGHT[case][:2], **RIGHT[case][2])
    assert not report.ok
    assert not report
    assert answers(report)["proof"] == NO
    if abs(factor - 1) > 1e-3:
        assert answers(report)["differences"] == NO


def test_a_transpose_that_is_wrong_in_one_mode_only(monkeypatch):
    rule = REGISTRY["matmul"].rules["b"]
    wrong = Rule(lambda *read: 2.0 * rule.formula(*read), rule.reads)
    monkeypatch.setitem(REGISTRY["matmul"].rules, "b", wrong)
    report = look(*RIGHT["network"][:2], **RIGHT["network"][2])
    assert answers(report)["dot product"] == NO
    assert answers(report)["differences"] == YES


def test_a_point_outside_the_domain_is_left_open():
    report = look(LECTURE, ("x1", "x2"), x1=-1.0, x2=0.0)
    assert not report.ok
    assert answers(report) == {"program": OPEN}


def test_a_kink_is_left_open_by_differences():
    report = look("func f(%x: f64) -> f64\n  %a = absolute %x\n  return %a\n", ("x",), x=0.0)
    assert answers(report)["differences"] in (OPEN, YES)


def test_user_statements_are_not_run(tmp_path):
    marker = tmp_path / "ran"
    text = (
        (
            "func f(%x: f64) -> f64\n"
            f"  effect %x [template=\"open('{marker}', 'w').write(str(_0_))\"]\n"
            "  %y = multiply %x, %x\n  return %y\n"
        )
        .replace("effect %x [template=", "effect[template=")
        .replace("]\n  %y", "] %x\n  %y")
    )
    report = look(text, ("x",), x=1.5)
    assert not marker.exists()
    assert answers(report)["proof"] == YES
    assert answers(report)["emitted code"] == OPEN


def test_ridders_reaches_ten_digits():
    slope, error = extrapolated(lambda h: math.exp(math.sin(1 + h)))
    assert math.isclose(slope, math.cos(1) * math.exp(math.sin(1)), rel_tol=1e-10)
    assert error < 1e-8


def test_reports_as_text_and_json():
    report = Report("f", {"x": np.arange(2.0)}, {"x": np.float64(1.0)}, [Verdict("proof", NO, "because")])
    assert not report.ok
    assert "NOT right" in str(report)
    assert report.as_json()["point"] == {"x": [0.0, 1.0]}
    assert report.as_json()["verdicts"][0]["answer"] == "no"
    assert not Report("f").ok  # nothing was looked at


def test_draws_are_reproducible_and_share_lengths():
    from ad_compiler.ir.trees import Leaf
    from ad_compiler.ir.types import Dim, Symbol, Tensor

    n = Symbol("n", many=True)
    trees = {
        "a": Leaf(Tensor("f64", (Dim(n),))),
        "b": Leaf(Tensor("f64", (Dim(n), Dim(n, -1)))),
        "k": Leaf(Tensor("i64", ())),
    }
    first, second = (points.drawn(trees, {"k": 7}, seed=3, attempt=1) for _ in range(2))
    assert first["a"].shape == (3,)
    assert first["b"].shape == (3, 2)
    assert first["k"] == 7
    np.testing.assert_array_equal(first["b"], second["b"])


def test_a_loop_that_does_not_end_is_not_waited_for(monkeypatch):
    from ad_compiler.symbolic import paths

    monkeypatch.setattr(paths.Quiet.__init__, "__defaults__", (paths.numeric_apply, 1_000))
    text = (
        "func f(%x: f64) -> f64\n  %r: f64 = while %x\n    cond(%a: f64)\n      %c = equal %a, %a\n      yield %c\n"
        "    do(%b: f64)\n      %d = multiply %b, 1.0\n      yield %d\n  return %r\n"
    )
    report = look(text, ("x",), x=1.0)
    assert answers(report) == {"program": OPEN}
    assert "too long" in str(report)
