"""The checks find a wrong rule: each rule is made twice as large, and the samples of its primitive must notice."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from ad_compiler.primitives.declare import REGISTRY, Rule, ops
from tests.primitives.programs import Program
from tests.primitives.samples import DATA, samples_of
from tests.primitives.test_derivatives import check_first_order

RULES = [
    (name, operand)
    for name, primitive in sorted(REGISTRY.items())
    if name not in DATA and primitive.definition is None
    for operand, rule in primitive.rules.items()
    if rule is not None
]


def doubled(rule: Rule) -> Rule:
    def formula(*read: Any) -> Any:
        right = rule.formula(*read)
        return None if right is None else 2.0 * right if isinstance(right, float) else ops.add(right, right)

    return Rule(formula, rule.reads)


@pytest.mark.parametrize(("name", "operand"), RULES)
def test_a_doubled_rule_is_found(name: str, operand: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = REGISTRY[name].rules[operand]
    assert rule is not None
    monkeypatch.setitem(REGISTRY[name].rules, operand, doubled(rule))
    assert any(notices(name, *sample) for sample in samples_of(name))


def notices(name: str, values: tuple[Any, ...], attributes: dict[str, Any]) -> bool:
    given = [value for value in values if value is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            check_first_order(lambda: Program.of(name, values, attributes, "lengths"), given, seed=1)
        except AssertionError:
            return True
    return False
