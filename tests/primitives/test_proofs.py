"""SymPy proves the partial derivatives of every elementwise primitive, and finds planted faults."""

from __future__ import annotations

import dataclasses

import pytest

import ad_compiler.primitives  # noqa: F401  (declares them)
from ad_compiler.primitives.declare import REGISTRY, Rule
from ad_compiler.symbolic.rule_proofs import prove_rule

ELEMENTWISE = sorted(name for name, primitive in REGISTRY.items() if primitive.kind == "elementwise")
WITHOUT_FORMULA = {"astype"}  # a change of dtype


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_partial_is_proved(name: str) -> None:
    verdicts = prove_rule(REGISTRY[name])
    expected = "no formula" if name in WITHOUT_FORMULA else "proved"
    assert verdicts
    assert {verdict.operand: verdict.answer for verdict in verdicts} == dict.fromkeys(
        [operand for operand, rule in REGISTRY[name].rules.items() if rule is not None], expected
    )


@pytest.mark.parametrize("name", ["sin", "tanh", "divide", "power", "maximum", "clip", "arctan2"])
@pytest.mark.parametrize("fault", [lambda p: -p, lambda p: 2.0 * p, lambda p: p + 1.0])
def test_a_wrong_partial_is_found(name: str, fault) -> None:
    primitive = REGISTRY[name]
    operand, rule = next((o, r) for o, r in primitive.rules.items() if r is not None)
    wrong = Rule(lambda *read: fault(rule.formula(*read)), rule.reads)
    planted = dataclasses.replace(primitive, rules={**primitive.rules, operand: wrong})
    assert prove_rule(planted)[0].answer == "failed"


def test_only_elementwise_primitives_have_partials() -> None:
    assert prove_rule(REGISTRY["sum"]) == []
