"""Every function of the corpus: reverse, forward and second order, optimiser on and off.

Compared with differences that know their own error (complex step on analytic functions), with the identity
<ct, J t> = <J' ct, t>, with the primal's own bits; arguments stay as they are; calls and pullbacks repeat.
A refusal is a failure, unless the example says that refusing is right.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest

import ad_compiler
from tests import corpus, numeric
from tests.corpus import Example

EXAMPLES = corpus.load()


def settings(optimise: bool) -> dict[str, Any]:
    """How the optimiser is switched off: the one place that knows."""
    return {} if optimise else {"optimise": False}


class Derivatives:
    """The public functions on the whole argument list, with respect to the example's arguments."""

    def __init__(self, example: Example, optimise: bool) -> None:
        self.example = example
        self.settings = settings(optimise)

    def vjp(self, args: list) -> tuple[Any, Any]:
        """The value, and a pullback to the chosen arguments alone."""
        out, pullback = ad_compiler.vjp(self.example.function, *args, **self.settings)

        def to_chosen(ct: Any) -> tuple:
            bars = pullback(ct)
            assert len(bars) == len(args)
            return tuple(bars[k] for k in self.example.wrt)

        return out, to_chosen

    def jvp(self, args: list, direction: tuple) -> tuple[Any, Any]:
        tangents: list[Any] = [None] * len(args)
        for k, tangent in zip(self.example.wrt, direction, strict=True):
            tangents[k] = tangent
        return ad_compiler.jvp(self.example.function, args, tangents, **self.settings)

    def value_and_grad(self, args: list) -> tuple[Any, tuple]:
        compiled = ad_compiler.value_and_grad(self.example.function, argnums=self.example.wrt, **self.settings)
        return compiled(*args)

    def hvp(self, args: list, direction: tuple) -> Any:
        compiled = ad_compiler.hvp(self.example.function, argnums=self.example.wrt, **self.settings)
        return compiled(*args, direction)


def arguments(example: Example, chosen: tuple | None = None) -> list:
    """Fresh copies of the arguments, some of them replaced."""
    full = copy.deepcopy(list(example.args))
    for k, value in zip(example.wrt, chosen or (), strict=False):
        full[k] = copy.deepcopy(value)
    return full


def plain(example: Example, *chosen: Any) -> Any:
    """The primal on fresh copies."""
    return example.function(*arguments(example, chosen))


@cache
def reference(index: int) -> tuple[tuple, tuple, np.ndarray, np.ndarray]:
    """The chosen arguments, a direction, the derivative along it and what the differences leave open."""
    example = EXAMPLES[index]
    chosen = tuple(example.args[k] for k in example.wrt)
    direction = numeric.random_like(chosen, seed=index)
    if example.analytic:
        return chosen, direction, numeric.complex_step(lambda *a: plain(example, *a), chosen, direction), np.zeros(1)
    derivative, error = numeric.directional(lambda *a: plain(example, *a), chosen, direction)
    return chosen, direction, derivative, error


def over(chosen: list[int]) -> Any:
    return pytest.mark.parametrize("index", chosen, ids=[EXAMPLES[index].name for index in chosen])


def is_scalar_function(example: Example) -> bool:
    out = example.function(*copy.deepcopy(example.args))
    return numeric.is_float(out) and np.shape(out) == ()


EVERY = list(range(len(EXAMPLES)))
SCALAR = {index for index in EVERY if is_scalar_function(EXAMPLES[index])}
optimiser = pytest.mark.parametrize("optimise", [True, False], ids=["optimised", "plain"])


@over(EVERY)
def test_sample_is_sound(index: int) -> None:
    """The function is deterministic and differentiable at its sample; that is about the corpus, not about us."""
    example = EXAMPLES[index]
    chosen, _, derivative, error = reference(index)
    assert numeric.same_bits(plain(example, *chosen), plain(example, *chosen))
    assert np.all(np.isfinite(derivative))
    assert np.all(error <= 1e-8 * max(1.0, float(np.max(np.abs(derivative), initial=0.0))))


def expect_refusal(example: Example, attempt: Any) -> bool:
    """Whether the example is to be refused; if so, that it is, with its code."""
    if example.refused is None:
        return False
    with pytest.raises(ad_compiler.Error) as raised:
        attempt()
    assert raised.value.code == example.refused
    assert raised.value.lineno
    return True


@over(EVERY)
@optimiser
def test_example(index: int, optimise: bool) -> None:
    """Everything about one example, so that each derivative is compiled once."""
    example = EXAMPLES[index]
    derivatives = Derivatives(example, optimise)
    if expect_refusal(example, lambda: derivatives.vjp(arguments(example))):
        return
    checks = [check_reverse, check_forward, check_dot_product_identity]
    if index in SCALAR and optimise:
        checks.append(check_value_and_grad)
    if index in SCALAR and example.smooth:
        checks.append(check_second_order)
    for check in checks:
        try:
            check(index, derivatives)
        except Exception as error:
            error.add_note(f"in {check.__name__}")
            raise


def check_reverse(index: int, derivatives: Derivatives) -> None:
    """The pullback; the primal's bits, the arguments afterwards, a second call, a pullback used twice."""
    example = EXAMPLES[index]
    chosen, direction, derivative, error = reference(index)
    given = arguments(example)
    out, pullback = derivatives.vjp(given)
    expected = plain(example, *chosen)
    assert numeric.same_bits(out, expected), f"primal: {out!r}, expected {expected!r}"
    ct = numeric.random_like(out, seed=1000 + index)
    kept_ct = copy.deepcopy(ct)
    bars = pullback(ct)
    assert numeric.same_structure(bars, chosen), f"structure: {bars!r}"
    assert_close(numeric.dot(bars, direction), np.dot(numeric.flat(ct), derivative), np.sum(error))
    _, other_pullback = derivatives.vjp(given)
    other_pullback(numeric.random_like(out, seed=5))
    assert numeric.same_bits(pullback(ct), bars), "the pullback, used twice, and another one in between"
    assert numeric.same_bits(ct, kept_ct), "the cotangent is changed"
    assert numeric.same_bits(given, list(example.args)), "an argument is changed"
    assert numeric.same_bits(derivatives.vjp(given)[0], out), "a second call"


def check_value_and_grad(index: int, derivatives: Derivatives) -> None:
    example = EXAMPLES[index]
    chosen, direction, derivative, error = reference(index)
    expected = plain(example, *chosen)
    given = arguments(example)
    out, bars = derivatives.value_and_grad(given)
    assert numeric.same_bits(float(out), float(expected)), f"primal: {out!r}, expected {expected!r}"
    assert numeric.same_structure(bars, chosen), f"structure: {bars!r}"
    assert_close(numeric.dot(bars, direction), derivative, error)
    assert numeric.same_bits(given, list(example.args)), "an argument is changed"
    assert numeric.same_bits(derivatives.value_and_grad(given), (out, bars)), "a second call"


def check_forward(index: int, derivatives: Derivatives) -> None:
    example = EXAMPLES[index]
    chosen, direction, derivative, error = reference(index)
    given, along = arguments(example), copy.deepcopy(direction)
    out, out_dot = derivatives.jvp(given, along)
    expected = plain(example, *chosen)
    assert numeric.same_bits(out, expected), f"primal: {out!r}, expected {expected!r}"
    assert numeric.same_structure(out_dot, out), f"structure: {out_dot!r}"
    assert_close(numeric.flat(out_dot), derivative, error)
    assert numeric.same_bits((given, along), (list(example.args), direction)), "an argument is changed"


def check_dot_product_identity(index: int, derivatives: Derivatives) -> None:
    """<ct, J t> = <J' ct, t> to rounding: forward and reverse are of one function."""
    example = EXAMPLES[index]
    chosen, _, _, _ = reference(index)
    for seed in range(2):
        direction = numeric.random_like(chosen, seed=77 + seed)
        out, out_dot = derivatives.jvp(arguments(example), direction)
        ct = numeric.random_like(out, seed=99 + seed)
        bars = derivatives.vjp(arguments(example))[1](ct)
        size = float(np.abs(numeric.flat(bars)) @ np.abs(numeric.flat(direction)))
        assert abs(numeric.dot(ct, out_dot) - numeric.dot(bars, direction)) <= 1e-11 * max(1.0, size)


def check_second_order(index: int, derivatives: Derivatives) -> None:
    """Hessian-vector products against differences of the gradient."""
    example = EXAMPLES[index]
    chosen, direction, _, _ = reference(index)
    product = derivatives.hvp(arguments(example), copy.deepcopy(direction))
    assert numeric.same_structure(product, chosen), f"structure: {product!r}"

    def gradient(*moved: Any) -> Any:
        return derivatives.vjp(arguments(example, moved))[1](1.0)

    differences, error = numeric.directional(gradient, chosen, direction)
    assert_close(numeric.flat(product), differences, error, tolerance=1e-6)


def assert_close(actual: Any, expected: Any, error: Any = 0.0, tolerance: float = 1e-7) -> None:
    actual, expected = np.atleast_1d(actual), np.atleast_1d(expected)
    assert numeric.close(actual, expected, error, tolerance), f"got {actual}, expected {expected} ± {error}"
