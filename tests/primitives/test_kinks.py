"""What derivatives are at kinks and singular points: one policy, a row for each.

Slopes that exist on both sides and differ: the mean of the two (abs, maximum, minimum, max, min; equal shares among
several). `clip` keeps the slope 1 at its edges. Slopes that are infinite stay infinite (sqrt, log, cbrt). Where the
primitive is the length of a vector (norm, hypot, std) the slope at 0 is 0. Nothing behind a mask leaks through it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.primitives.programs import Program, adjoint_program, run, run_emitted, tangent_program

INF = np.inf
ROWS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]] = [
    ("absolute", (0.0,), {}, (0.0,)),
    ("maximum", (1.0, 1.0), {}, (0.5, 0.5)),
    ("minimum", (1.0, 1.0), {}, (0.5, 0.5)),
    ("maximum", (np.array([1.0, 2.0, 0.0]), np.array([1.0, 0.0, 3.0])), {}, ([0.5, 1, 0], [0.5, 0, 1])),
    ("max", (np.array([2.0, 1.0, 2.0]),), {}, ([0.5, 0, 0.5],)),
    ("min", (np.array([[1.0, 1.0], [0.0, 5.0]]),), {"axis": 1}, ([[0.5, 0.5], [1, 0]],)),
    ("clip", (np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0), {}, ([0, 1, 1, 1, 0], 1.0, 1.0)),
    ("clip", (3.0, 2.0, 1.0), {}, (0.0, 0.0, 1.0)),  # with lo > hi the result is hi
    ("sqrt", (0.0,), {}, (INF,)),
    ("cbrt", (0.0,), {}, (INF,)),
    ("log", (0.0,), {}, (INF,)),
    ("power", (0.0, 0), {}, (0.0,)),
    ("power", (0.0, 1), {}, (1.0,)),
    ("power", (0.0, 2), {}, (0.0,)),
    ("power", (0.0, 2.0), {}, (0.0, 0.0)),
    ("power", (0.0, 0.5), {}, (INF, 0.0)),
    ("power", (0.0, 0.0), {}, (0.0, 0.0)),
    ("power", (np.array([0.0, 0.0, 0.0, 2.0]), np.array([0, 1, 2, 3])), {}, ([0, 1, 0, 12],)),
    ("hypot", (0.0, 0.0), {}, (0.0, 0.0)),
    ("norm", (np.zeros(3),), {}, ([0, 0, 0],)),
    ("norm", (np.array([[0.0, 0.0], [3.0, 4.0]]),), {"axis": 1}, ([[0, 0], [0.6, 0.8]],)),
    ("norm", (np.zeros(2),), {"ord": 1}, ([0, 0],)),
    ("norm", (np.array([1.0, -1.0]),), {"ord": np.inf}, ([0.5, -0.5],)),
    ("norm", (np.zeros(2),), {"ord": 3}, ([0, 0],)),
    ("std", (np.ones(3),), {}, ([0, 0, 0],)),
    ("sinc", (0.0,), {}, (0.0,)),
    ("prod", (np.array([0.0, 2.0, 3.0]),), {}, ([6, 0, 0],)),
    ("prod", (np.array([0.0, 2.0, 0.0]),), {}, ([0, 0, 0],)),
    ("prod", (np.array([[0.0, 2.0], [3.0, 4.0]]),), {"axis": (0, 1)}, ([[24, 0], [0, 0]],)),
    ("cumprod", (np.array([2.0, 0.0, 3.0]),), {}, ([1, 8, 0],)),
    ("where", (np.array([True, False]), np.array([1.0, INF]), 0.0), {}, ([1, 0], 1.0)),
    ("heaviside", (0.0, 0.5), {}, (1.0,)),
]


@pytest.mark.parametrize(("name", "values", "attributes", "expected"), ROWS)
@pytest.mark.parametrize("how", [lambda p, v: run(p, v)[0], run_emitted])
def test_gradient(name: str, values: Any, attributes: Any, expected: Any, how: Any) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        given = [np.float64(v) if isinstance(v, float) else v for v in values]
        results = run(Program.of(name, given, attributes, "lengths"), given)[0]
        seeds = [np.ones(np.shape(result))[()] for result in results]
        bars = how(adjoint_program(Program.of(name, given, attributes, "lengths")), [*given, *seeds])
    assert len(bars) == len(expected)
    for bar, wanted in zip(bars, expected, strict=True):
        np.testing.assert_allclose(bar, wanted)


def test_an_infinite_cotangent_does_not_pass_a_mask() -> None:
    for name in ("maximum", "minimum", "clip"):
        values = [np.array([0.0, 5.0]), 1.0, *([2.0] if name == "clip" else [])]
        program = adjoint_program(Program.of(name, values, {}, "lengths"))
        bars = run(program, [*values, np.array([INF, INF])])[0]
        assert not np.isnan(bars[0]).any()


@pytest.mark.parametrize(("name", "values", "attributes", "expected"), ROWS)
def test_tangent_agrees(name: str, values: Any, attributes: Any, expected: Any) -> None:
    given = [np.float64(v) if isinstance(v, float) else v for v in values]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        program = tangent_program(Program.of(name, given, attributes, "lengths"))
        dots = [np.ones(np.shape(given[k])) for k in program.active[: len(program.active) // 2]]
        tangent = run(program, [*given, *dots])[0][0]
    total = sum(np.sum(part) for part in expected)
    np.testing.assert_allclose(np.sum(tangent), total)
