"""The public functions: conventions, structures, refusals."""

from __future__ import annotations

import pickle
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import ad_compiler as ad


def lecture(x1: float, x2: float) -> float:
    return np.log(x1) + x1 * x2 - np.sin(x2)


def quadratic(x, A):
    return 0.5 * np.dot(x, A @ x)


def cube(x):
    return x * x * x


def vector(x):
    return np.array([x[0] * x[1], np.sin(x[0]), x[1] ** 2])


A = np.array([[2.0, 0.5], [0.5, 3.0]])
X = np.array([1.5, -0.5])


class TestGrad:
    def test_first_argument_by_default(self) -> None:
        assert ad.grad(lecture)(2.0, 5.0) == 5.5

    def test_argnums(self) -> None:
        both = ad.grad(lecture, argnums=(0, 1))(2.0, 5.0)
        assert isinstance(both, tuple)
        np.testing.assert_allclose(both, (5.5, 2 - np.cos(5.0)), rtol=1e-15)
        assert ad.grad(lecture, argnums=1)(2.0, 5.0) == both[1]
        assert ad.grad(lecture, argnums="x2")(2.0, 5.0) == both[1]
        assert ad.grad(lecture, argnums=-1)(2.0, 5.0) == both[1]
        assert ad.grad(lecture, argnums=("x2", 0))(2.0, 5.0) == (both[1], both[0])
        assert ad.grad(lecture, argnums=(1,))(2.0, 5.0) == (both[1],)

    def test_keywords_and_defaults(self) -> None:
        def f(x, scale=3.0, *, power=2.0):
            return scale * x**power

        assert ad.grad(f)(2.0) == 12.0
        assert ad.grad(f)(2.0, power=3.0) == 36.0
        assert ad.grad(f)(x=2.0, scale=1.0) == 4.0
        assert ad.grad(f, argnums="scale")(2.0) == 4.0

    def test_value_and_grad(self) -> None:
        value, gradient = ad.value_and_grad(quadratic)(X, A)
        assert value == quadratic(X, A)
        np.testing.assert_allclose(gradient, A @ X)

    def test_has_aux(self) -> None:
        def f(x):
            y = np.sin(x)
            return y * y, {"y": y, "name": "sine"}

        gradient, aux = ad.grad(f, has_aux=True)(0.5)
        np.testing.assert_allclose(gradient, np.sin(1.0))
        assert aux == {"y": np.sin(0.5), "name": "sine"}
        (value, aux), gradient = ad.value_and_grad(f, has_aux=True)(0.5)
        assert value == np.sin(0.5) ** 2
        assert aux["y"] == np.sin(0.5)

    def test_unused_argument_has_zeros_of_its_structure(self) -> None:
        def f(x, unused):
            return x * x

        found = ad.grad(f, argnums=1)(1.0, {"a": np.ones(3), "b": (2.0, [np.ones((2, 2))])})
        np.testing.assert_array_equal(found["a"], np.zeros(3))
        assert found["b"][0] == 0.0
        np.testing.assert_array_equal(found["b"][1][0], np.zeros((2, 2)))

    def test_constant_function(self) -> None:
        assert ad.grad(lambda x: 3.0)(2.0) == 0.0

    def test_dtype_is_kept(self) -> None:
        def f(x):
            return np.sum(np.tanh(x) * 2.0)

        assert ad.grad(f)(np.ones(3, np.float32)).dtype == np.float32
        assert ad.grad(f)(np.ones(3)).dtype == np.float64

    def test_arguments_are_left_alone(self) -> None:
        def f(x):
            x[0] = x[1] * 2.0
            x += 1.0
            return np.sum(x * x)

        x = np.array([1.0, 2.0, 3.0])
        gradient = ad.grad(f)(x)
        np.testing.assert_array_equal(x, [1.0, 2.0, 3.0])
        np.testing.assert_allclose(gradient, [0.0, 2 * 5 * 2 + 2 * 3, 2 * 4])

    def test_gradient_does_not_share_memory_with_arguments(self) -> None:
        def f(a, b):
            return np.sum(a * b)

        a, b = np.ones(3), np.arange(3.0)
        a_bar, b_bar = ad.grad(f, (0, 1))(a, b)
        assert not np.shares_memory(a_bar, b)
        assert not np.shares_memory(b_bar, a)
        twice = ad.grad(lambda x, y: np.sum(x + y), (0, 1))(a, b)
        assert not np.shares_memory(*twice)


@dataclass
class Model:
    W: Any
    b: Any


class Pair(NamedTuple):
    first: Any
    second: Any


class TestStructures:
    def test_nested(self) -> None:
        def f(params, x):
            (W, b), scale = params["layer"], params["scale"]
            return np.sum(np.tanh(x @ W + b)) * scale

        rng = np.random.default_rng(0)
        params = {"layer": (rng.normal(size=(3, 2)), rng.normal(size=2)), "scale": 2.0}
        found = ad.grad(f)(params, rng.normal(size=(4, 3)))
        assert list(found) == ["layer", "scale"]
        assert isinstance(found["layer"], tuple)
        assert found["layer"][0].shape == (3, 2)
        assert found["layer"][1].shape == (2,)

    def test_list_of_pairs(self) -> None:
        def loss(params, x):
            for W, b in params:
                x = np.tanh(x @ W + b)
            return np.sum(x)

        params = [(np.eye(2) * 0.5, np.ones(2)), (np.eye(2), np.zeros(2))]
        found = ad.grad(loss)(params, np.ones((3, 2)))
        assert isinstance(found, list)
        assert [tuple(part.shape for part in pair) for pair in found] == [((2, 2), (2,))] * 2

    def test_records(self) -> None:
        def f(model, pair):
            return np.sum(model.W * pair.first) + model.b * pair.second

        model, pair = Model(np.ones(2), 3.0), Pair(np.arange(2.0), 4.0)
        found = ad.grad(f, (0, 1))(model, pair)
        assert isinstance(found[0], Model)
        assert isinstance(found[1], Pair)
        np.testing.assert_array_equal(found[0].W, [0.0, 1.0])
        assert found[0].b == 4.0
        np.testing.assert_array_equal(found[1].first, [1.0, 1.0])
        assert found[1].second == 3.0


class TestRefusals:
    @pytest.mark.parametrize("argnums", [2, -3, "nothing", (0, 5), (0, 0)])
    def test_argnums_out_of_range(self, argnums: Any) -> None:
        with pytest.raises(ValueError, match="argnums") as found:
            ad.grad(lecture, argnums=argnums)(2.0, 5.0)
        assert isinstance(found.value, ad.Error)
        assert found.value.code == "ADC204"

    def test_integer(self) -> None:
        with pytest.raises(TypeError, match="integers are data") as found:
            ad.grad(cube)(2)
        assert found.value.code == "ADC202"
        assert found.value.argument == "x"
        with pytest.raises(TypeError, match="integers are data"):
            ad.grad(lambda x: np.sum(x))(np.arange(3))

    def test_result_is_no_number(self) -> None:
        with pytest.raises(ValueError, match="an array of 1 dimension") as found:
            ad.grad(vector)(X)
        assert found.value.code == "ADC203"
        with pytest.raises(ValueError, match="a structure of 2 values"):
            ad.grad(lambda x: (x, x))(1.0)

    def test_missing_return(self) -> None:
        def f(x):
            x * x

        with pytest.raises(ValueError, match="returns nothing"):
            ad.grad(f)(1.0)

    def test_call_that_does_not_fit(self) -> None:
        with pytest.raises(TypeError, match="does not fit"):
            ad.grad(lecture)(1.0)
        with pytest.raises(TypeError):
            ad.grad(lecture)(1.0, 2.0, 3.0)

    def test_no_function(self) -> None:
        with pytest.raises(TypeError, match="a function is needed"):
            ad.grad(3.0)

    def test_next_call_works(self) -> None:
        gradient = ad.grad(cube)
        with pytest.raises(TypeError):
            gradient(2)
        assert gradient(2.0) == 12.0

    def test_users_own_exceptions_pass_through(self) -> None:
        def f(x):
            if x < 0:
                raise ValueError("negative")
            return np.sqrt(x)

        assert ad.grad(f)(4.0) == 0.25
        with pytest.raises(ValueError, match=r"^negative$"):
            ad.grad(f)(-1.0)


class TestMaps:
    def test_jvp(self) -> None:
        out, out_dot = ad.jvp(lecture, (2.0, 5.0), (1.0, 0.0))
        assert out == lecture(2.0, 5.0)
        assert out_dot == 5.5
        out, out_dot = ad.jvp(vector, (X,), (np.array([1.0, 2.0]),))
        np.testing.assert_allclose(out_dot, [X[1] + 2 * X[0], np.cos(X[0]), 4 * X[1]])

    def test_jvp_with_a_fixed_argument(self) -> None:
        def f(x, n):
            return x**n

        assert ad.jvp(f, (2.0, 3), (1.0, None))[1] == 12.0

    def test_jvp_refuses_other_shapes(self) -> None:
        with pytest.raises(ValueError, match="shapes"):
            ad.jvp(vector, (X,), (np.ones(3),))
        with pytest.raises(TypeError, match="primals and"):
            ad.jvp(lecture, (1.0, 2.0), (1.0,))

    def test_vjp(self) -> None:
        out, pullback = ad.vjp(vector, X)
        np.testing.assert_array_equal(out, vector(X))
        for _ in range(2):
            (bar,) = pullback(np.array([1.0, 2.0, 3.0]))
            np.testing.assert_allclose(bar, [X[1] + 2 * np.cos(X[0]), X[0] + 6 * X[1]])
        with pytest.raises(ValueError, match="shapes"):
            pullback(np.ones(2))

    def test_two_pullbacks_interleaved(self) -> None:
        def f(x, n):
            a = 1.0
            for _ in range(n):
                a = a * x
            return a

        _, first = ad.vjp(f, 2.0, 3)
        _, second = ad.vjp(f, 3.0, 2)
        assert first(1.0) == (12.0, None)
        assert second(1.0) == (6.0, None)
        assert first(2.0) == (24.0, None)

    @pytest.mark.parametrize("mode", [None, "forward", "reverse"])
    def test_jacobian(self, mode: str | None) -> None:
        expected = np.array([[X[1], X[0]], [np.cos(X[0]), 0.0], [0.0, 2 * X[1]]])
        np.testing.assert_allclose(ad.jacobian(vector, mode=mode)(X), expected)

    @pytest.mark.parametrize("mode", [None, "forward", "reverse"])
    def test_jacobian_of_structures(self, mode: str | None) -> None:
        def f(p):
            return {"a": p["x"] * p["y"], "b": p["y"] ** 2}

        found = ad.jacobian(f, mode=mode)({"x": np.array([1.0, 2.0]), "y": 3.0})
        np.testing.assert_allclose(found["a"]["x"], 3.0 * np.eye(2))
        np.testing.assert_allclose(found["a"]["y"], [1.0, 2.0])
        np.testing.assert_allclose(found["b"]["x"], np.zeros(2))
        assert found["b"]["y"] == 6.0

    def test_jacobian_of_an_empty_array(self) -> None:
        assert ad.jacobian(lambda x: x * 2.0)(np.zeros(0)).shape == (0, 0)

    def test_hessian(self) -> None:
        np.testing.assert_allclose(ad.hessian(quadratic)(X, A), A)
        assert ad.hessian(cube)(2.0) == 12.0
        ((xx, xa), (ax, aa)) = ad.hessian(quadratic, (0, 1))(X, A)
        assert (xx.shape, xa.shape, ax.shape, aa.shape) == ((2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2, 2))
        np.testing.assert_allclose(aa, 0.0)

    def test_hvp(self) -> None:
        np.testing.assert_allclose(ad.hvp(quadratic)(X, A, np.array([1.0, 2.0])), A @ [1.0, 2.0])
        with pytest.raises(ValueError, match="shapes"):
            ad.hvp(quadratic)(X, A, np.ones(3))

    def test_any_order(self) -> None:
        f = np.sin(0.7), np.cos(0.7)
        g = lambda x: np.sin(x)
        for order in range(1, 6):
            g = ad.grad(g)
            np.testing.assert_allclose(g(0.7), (-1) ** (order // 2) * f[order % 2], rtol=1e-12)

    def test_grad_inside(self) -> None:
        def f(x):
            return ad.grad(cube)(x) * x

        assert ad.grad(f)(2.0) == 36.0


class TestDifferentiate:
    def test_bare(self) -> None:
        @ad.differentiate
        def f(x: float, y: float) -> float:
            return x * np.exp(y)

        assert f(2.0, 0.0) == 2.0
        assert f.grad(2.0, 0.0) == 1.0
        assert f.value_and_grad(2.0, 0.0) == (2.0, 1.0)
        assert f.jvp((2.0, 0.0), (0.0, 1.0)) == (2.0, 2.0)
        assert f.vjp(2.0, 0.0)[1](1.0) == (1.0, 2.0)
        assert f.hessian(2.0, 0.0) == 0.0
        assert "def f_grad(" in f.source("reverse")
        assert "def f_jvp(" in f.source("forward")
        assert f.ssa.startswith("func f(")
        assert list(f.stages) == ["ssa", "adjoint", "optimised", "source"]
        assert "<table>" in f._repr_html_()

    def test_options_and_composition(self) -> None:
        @ad.differentiate(wrt=("x", "y"))
        def f(x: float, y: float) -> float:
            return x * y

        @ad.differentiate
        def g(x: float) -> float:
            return f(x, x)

        assert f.grad(2.0, 3.0) == (3.0, 2.0)
        assert g.grad(3.0) == 6.0

    def test_forward(self) -> None:
        @ad.differentiate(mode="forward")
        def f(x):
            return np.sum(x * x)

        np.testing.assert_allclose(f.grad(X), 2 * X)

    def test_method(self) -> None:
        class Physics:
            g = 9.81

            @ad.differentiate
            def height(self, t):
                return 0.5 * 9.81 * t * t

        np.testing.assert_allclose(Physics().height.grad(2.0), 19.62)

    def test_wrong_mode(self) -> None:
        with pytest.raises(ValueError, match="mode"):
            ad.differentiate(mode="sideways")(cube)


SCALE = 2.0


def scaled(x):
    return SCALE * x * x


class TestState:
    def test_a_global_that_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gradient = ad.grad(scaled)
        assert gradient(1.0) == 4.0
        monkeypatch.setitem(globals(), "SCALE", 5.0)
        assert gradient(1.0) == 10.0

    def test_a_closure_that_changes(self) -> None:
        scale = 2.0

        def f(x):
            return scale * x * x

        gradient = ad.grad(f)
        assert gradient(1.0) == 4.0
        scale = 5.0
        assert gradient(1.0) == 10.0

    def test_a_helper_that_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def f(x):
            return scaled(x)

        gradient = ad.grad(f)
        assert gradient(1.0) == 4.0
        monkeypatch.setitem(globals(), "scaled", cube)
        assert gradient(1.0) == 3.0

    def test_compiled_once_for_a_signature(self) -> None:
        gradient = ad.grad(quadratic)
        assert gradient.compiled(X, A) is gradient.compiled(X + 1.0, A * 2.0)
        assert gradient.compiled(np.ones(5), np.ones((5, 5))) is gradient.compiled(X, A)
        assert ad.grad(quadratic) is gradient

    def test_threads(self) -> None:
        gradient = ad.grad(lecture, (0, 1))
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.append(gradient(2.0, 5.0))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1
        assert len(found) == 8

    def test_pickle(self) -> None:
        gradient = pickle.loads(pickle.dumps(ad.grad(lecture)))
        assert gradient(2.0, 5.0) == 5.5

    def test_same_bytes(self) -> None:
        first = ad.emit(lecture, "both")
        assert first == ad.emit(lecture, "both")


class TestEmit:
    def test_lecture(self) -> None:
        text = ad.emit(lecture)
        assert "x1_bar = x2 + 1.0 / x1" in text
        assert "x2_bar = x1 - np.cos(x2)" in text
        namespace: dict[str, Any] = {}
        exec(text, namespace)
        assert namespace["lecture_grad"](2.0, 5.0) == (5.5, 2.0 - np.cos(5.0))
        assert "ad_compiler" not in text

    def test_wrt_and_args(self) -> None:
        text = ad.emit(quadratic, wrt="x", args=(X, A))
        namespace: dict[str, Any] = {}
        exec(text, namespace)
        np.testing.assert_allclose(namespace["quadratic_grad"](X, A), A @ X)

    def test_a_result_that_is_no_number(self) -> None:
        namespace: dict[str, Any] = {}
        exec(ad.emit(vector, args=(X,)), namespace)
        out, pullback = namespace["vector_vjp"](X)
        np.testing.assert_array_equal(out, vector(X))
        np.testing.assert_allclose(pullback(np.array([1.0, 0.0, 0.0]))[0], [X[1], X[0]])


class TestTypesByUse:
    """`adc emit` of a function without annotations: what its parameters are is seen from their use."""

    def test_a_list_of_pairs(self) -> None:
        def mlp(params, x):
            for W, b in params:
                x = np.tanh(x @ W + b)
            return np.sum(x**2)

        namespace: dict[str, Any] = {}
        exec(ad.emit(mlp), namespace)
        rng = np.random.default_rng(0)
        params = [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]
        x = rng.normal(size=(5, 3))
        params_bar, x_bar = namespace["mlp_grad"](params, x)
        for layer, expected in zip(params_bar, ad.grad(mlp)(params, x), strict=True):
            np.testing.assert_allclose(layer[0], expected[0])
            np.testing.assert_allclose(layer[1], expected[1])
        np.testing.assert_allclose(x_bar, ad.grad(mlp, 1)(params, x))

    def test_a_dict(self) -> None:
        def f(p, x):
            return np.sum(p["layer"]["W"] * x) + p["b"]

        namespace: dict[str, Any] = {}
        exec(ad.emit(f, wrt="p"), namespace)
        found = namespace["f_grad"]({"layer": {"W": np.ones(3)}, "b": 2.0}, np.arange(3.0))
        np.testing.assert_array_equal(found["layer"]["W"], [0.0, 1.0, 2.0])
        assert found["b"] == 1.0
