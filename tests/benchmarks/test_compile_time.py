"""Time to compile against the number of statements, and the cost of a call that is compiled already."""

from __future__ import annotations

from typing import Any

import pytest

import ad_compiler
from tests.benchmarks import measure, problems


@pytest.mark.parametrize("statements", [10, 100, 1000])
@pytest.mark.parametrize("shape", [problems.straight_line, problems.nested], ids=["straight", "nested"])
def test_compile(benchmark: Any, shape: Any, statements: int) -> None:
    benchmark.group = f"compile, {shape.__name__}"
    benchmark.extra_info["statements"] = statements

    def fresh() -> tuple[tuple, dict]:
        return (ad_compiler.value_and_grad(measure.define(shape(statements)), argnums=(0, 1)),), {}

    benchmark.pedantic(lambda gradient: gradient.compiled(1.1, 0.3), setup=fresh, rounds=3)


@pytest.mark.parametrize("way", ["grad(f)", "emitted function"])
def test_call(benchmark: Any, way: str) -> None:
    def f(x, y):
        return x * y

    gradient = ad_compiler.grad(f)
    benchmark.group = "a call that is compiled already"
    benchmark(gradient if way == "grad(f)" else gradient.compiled(1.5, 2.0), 1.5, 2.0)
