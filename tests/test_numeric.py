"""The measuring instruments themselves: they see a wrong derivative, and only that."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from tests import numeric

Pair = namedtuple("Pair", "a b")  # noqa: PYI024


@dataclass
class Record:
    w: np.ndarray
    n: int


def tree():
    return {"x": 1.5, "l": [np.array([1.0, 2.0]), (3, "s")], "p": Pair(0.5, None), "r": Record(np.eye(2), 7)}


def test_vectors_of_trees():
    vector = numeric.flat(tree())
    assert vector.tolist() == [1.5, 1.0, 2.0, 0.5, 1.0, 0.0, 0.0, 1.0]
    moved = numeric.unflat(tree(), vector + 1)
    assert moved["x"] == 2.5
    assert moved["l"][0].tolist() == [2.0, 3.0]
    assert moved["l"][1] == (3, "s")
    assert moved["p"] == Pair(1.5, None)
    assert moved["r"].n == 7
    assert numeric.flat(moved).tolist() == (vector + 1).tolist()


def test_same_bits():
    assert numeric.same_bits(tree(), tree())
    assert numeric.same_bits(float("nan"), float("nan"))
    assert not numeric.same_bits(0.0, -0.0)
    assert not numeric.same_bits(1, 1.0)
    assert not numeric.same_bits([1.0], [1.0, 2.0])
    assert not numeric.same_bits([1.0], 1.0)
    assert not numeric.same_bits({"a": 1.0}, {"b": 1.0})
    assert not numeric.same_bits(np.ones(2), np.ones(2, dtype=np.float32))
    assert not numeric.same_bits("s", "t")


def test_same_structure():
    assert numeric.same_structure(tree(), numeric.random_like(tree(), 0))
    assert not numeric.same_structure([1.0], (1.0,))
    assert not numeric.same_structure(np.ones(2), np.ones(3))
    assert not numeric.same_structure({"a": 1.0}, {"b": 1.0})
    assert not numeric.same_structure([1.0], 1.0)


@pytest.mark.parametrize("step", [0.02, 0.005])
def test_differences_know_their_error(step):
    derivative, error = numeric.directional(lambda x, y: np.sin(x) * y, (0.7, 1.3), (1.0, -2.0), step)
    exact = np.cos(0.7) * 1.3 - 2.0 * np.sin(0.7)
    assert abs(derivative[0] - exact) <= max(20 * error[0], 1e-12)
    assert error[0] < 1e-10


def test_a_kink_is_noticed():
    _, error = numeric.directional(abs, (1e-5,), (1.0,))
    assert error[0] > 1e-5
    derivative, error = numeric.directional(abs, (0.01,), (1.0,))  # a kink farther away than the small steps
    assert abs(derivative[0] - 1.0) < 1e-8


def test_complex_step_is_exact():
    derivative = numeric.complex_step(lambda x: np.exp(x) / x, (1.1,), (1.0,))
    assert abs(derivative[0] - (np.exp(1.1) / 1.1 - np.exp(1.1) / 1.21)) < 1e-15


def test_gradient_by_number():
    def f(x, n, p):
        return p["w"] * np.sum(x**n)

    x_bar, p_bar = numeric.numeric_gradient(f, (np.array([1.0, 2.0]), 3, {"w": 0.5}), (0, 2))
    np.testing.assert_allclose(x_bar, [1.5, 6.0], rtol=1e-9)
    assert abs(p_bar["w"] - 9.0) < 1e-9


def test_close():
    assert numeric.close(np.array([1.0]), np.array([1.0 + 1e-9]))
    assert not numeric.close(np.array([1.0]), np.array([1.0 + 1e-5]))
    assert numeric.close(np.array([1.0]), np.array([1.0 + 1e-5]), error=1e-6)
    assert not numeric.close(np.array([np.nan]), np.array([1.0]), error=np.inf)
    assert not numeric.close(np.ones(2), np.ones(3))
    assert numeric.close(np.zeros(0), np.zeros(0))
