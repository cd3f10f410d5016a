"""Gradient against primal against a gradient written by hand, side by side; results are compared first."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import ad_compiler
from tests import numeric
from tests.benchmarks import problems
from tests.benchmarks.__main__ import compiled_side_by_side

PROBLEMS = problems.problems(quick=True)


@pytest.mark.parametrize("problem", PROBLEMS, ids=[problem.name for problem in PROBLEMS])
def test_same_as_by_hand(problem: problems.Problem) -> None:
    value, gradient = ad_compiler.value_and_grad(problem.function, argnums=problem.wrt)(*copy.deepcopy(problem.args))
    expected_value, expected = problem.by_hand(*copy.deepcopy(problem.args))
    np.testing.assert_allclose(value, expected_value, rtol=1e-13)
    np.testing.assert_allclose(numeric.flat(gradient), numeric.flat(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("which", ["primal", "emitted", "by_hand"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=[problem.name for problem in PROBLEMS])
def test_gradient(benchmark: Any, problem: problems.Problem, which: str) -> None:
    benchmark.group = problem.name
    benchmark(compiled_side_by_side(problem)[("primal", "emitted", "by_hand").index(which)])


@pytest.mark.parametrize("n", [1000, 10_000, 100_000])
def test_elements_in_place(benchmark: Any, n: int) -> None:
    """Linear in n: pytest-benchmark's table shows 1 : 10 : 100."""
    benchmark.group = "loop over elements, gradient"
    benchmark.extra_info["n"] = n
    benchmark.pedantic(compiled_side_by_side(problems.elements(n))[1], rounds=3)
