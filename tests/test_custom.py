"""Rules of the user's: custom_vjp, custom_jvp, formulas, registered functions, hooks on cotangents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import ad_compiler as ad


@ad.custom_vjp
def clipped(x, limit):
    """The identity, whose gradient is clipped."""
    return x * 1.0


def clipped_fwd(x, limit):
    return x * 1.0, limit


def clipped_bwd(limit, out_bar):
    return np.clip(out_bar, -limit, limit), None


clipped.defvjp(clipped_fwd, clipped_bwd)


@ad.custom_jvp
def log1pexp(x):
    return np.log(1.0 + np.exp(x))


@log1pexp.defjvp
def log1pexp_rule(primals, tangents):
    (x,) = primals
    (x_dot,) = tangents
    return log1pexp(x), (1.0 - 1.0 / (1.0 + np.exp(x))) * x_dot


@ad.primitive(formula="x/(1+exp(-x))")
def swish(x):
    return x / (1.0 + np.exp(-x))


@ad.primitive(formula="a*sin(b)")
def wave(a, b):
    return a * np.sin(b)


class TestCustom:
    def test_calling_calls_the_function(self) -> None:
        assert clipped(3.0, 1.0) == 3.0
        assert swish(0.0) == 0.0

    def test_vjp_rule_is_used(self) -> None:
        def f(x):
            return 10.0 * clipped(x, 2.0) + x

        assert ad.grad(f)(3.0) == 3.0
        with pytest.raises(ad.DerivativeError, match="no forward rule"):
            ad.jvp(f, (3.0,), (1.0,))

    def test_jvp_rule_serves_both_modes(self) -> None:
        def f(x):
            return log1pexp(x) * x

        slope = 1.0 - 1.0 / (1.0 + np.exp(0.3))
        expected = slope * 0.3 + np.log(1.0 + np.exp(0.3))
        np.testing.assert_allclose(ad.jvp(f, (0.3,), (1.0,))[1], expected)
        np.testing.assert_allclose(ad.grad(f)(0.3), expected)
        with np.errstate(all="ignore"):
            assert ad.grad(log1pexp)(1000.0) == 1.0  # where the derivative of the body would be nan

    def test_second_order(self) -> None:
        slope = 1.0 - 1.0 / (1.0 + np.exp(0.3))
        np.testing.assert_allclose(ad.grad(ad.grad(log1pexp))(0.3), slope * (1 - slope))
        np.testing.assert_allclose(ad.hessian(log1pexp)(0.3), slope * (1 - slope))

    def test_formula(self) -> None:
        x = np.linspace(-2.0, 2.0, 5)
        s = 1 / (1 + np.exp(-x))
        np.testing.assert_allclose(ad.grad(lambda x: np.sum(swish(x)))(x), s + x * s * (1 - s))
        a_bar, b_bar = ad.grad(wave, (0, 1))(2.0, 0.5)
        np.testing.assert_allclose((a_bar, b_bar), (np.sin(0.5), 2 * np.cos(0.5)))

    @pytest.mark.parametrize(("formula", "why"), [("x/(1+", "cannot be read"), ("x*y", "names y")])
    def test_formula_that_is_wrong(self, formula: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):

            @ad.primitive(formula=formula)
            def f(x):
                return x


class TestRegister:
    def test_function_without_source(self) -> None:
        ad.register(math.erfc, formula="erfc(x)")

        def f(x):
            return math.erfc(x) * 2.0

        expected = -4.0 / math.sqrt(math.pi) * math.exp(-0.25)
        np.testing.assert_allclose(ad.grad(f)(0.5), expected)
        np.testing.assert_allclose(ad.jvp(f, (0.5,), (1.0,))[1], expected)
        with pytest.raises(ValueError, match="registered already"):
            ad.register(math.erfc, formula="erfc(x)")

    def test_one_rule_is_needed(self) -> None:
        with pytest.raises(TypeError, match="exactly one"):
            ad.register(math.gamma)

    def test_without_a_rule_it_is_refused(self) -> None:
        def f(x):
            return math.lgamma(x)

        with pytest.raises(ad.Error) as found:
            ad.grad(f)(2.0)
        assert found.value.source_line is not None
        assert "lgamma" in found.value.source_line


class TestBackward:
    def test_clip(self) -> None:
        def f(x, w):
            h = w * x
            h = ad.backward(h, lambda h_bar: np.clip(h_bar, -1.0, 1.0))
            return h * h

        assert f(2.0, 3.0) == 36.0
        assert ad.grad(f, argnums=(0, 1))(2.0, 3.0) == (3.0, 2.0)
        assert "np.clip(2.0 * h, -1.0, 1.0)" in ad.grad(f).source(2.0, 3.0)

    def test_print(self, capsys: pytest.CaptureFixture[str]) -> None:
        def show(h_bar: Any) -> Any:
            print("cotangent", h_bar)
            return h_bar

        def f(x):
            return 3.0 * ad.backward(x * x, show)

        assert ad.grad(f)(2.0) == 12.0
        assert capsys.readouterr().out == "cotangent 3.0\n"
        assert ad.jvp(f, (2.0,), (1.0,)) == (12.0, 12.0)
