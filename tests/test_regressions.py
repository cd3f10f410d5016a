"""Programs on which other tools are silently wrong, each with its gradient derived by hand.

The cases of point 7 of what people ask for (aliases, views, augmented writes, repeated indices, division that
never un-broadcasts, integer arguments, `x * 1.0` taken for an alias), and their near relatives.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import ad_compiler
from ad_compiler import grad, value_and_grad, vjp

V = np.array([0.5, -1.2, 2.0])


def check(f, args, expected, argnums=0, value=None):
    """The gradient is as expected, the value is the primal's, and no argument has changed, called twice."""
    kept = [np.copy(argument) if isinstance(argument, np.ndarray) else argument for argument in args]
    plain = f(*[np.copy(argument) if isinstance(argument, np.ndarray) else argument for argument in args])
    compiled = value_and_grad(f, argnums=argnums)
    for _ in range(2):
        out, gradient = compiled(*args)
        assert out == plain
        if value is not None:
            assert_allclose(out, value, rtol=1e-14)
        if isinstance(argnums, tuple):
            assert isinstance(gradient, tuple)
            for got, wanted in zip(gradient, expected, strict=True):
                assert_allclose(got, wanted, rtol=1e-13, atol=1e-13)
        else:
            assert_allclose(gradient, expected, rtol=1e-13, atol=1e-13)
        for before, after in zip(kept, args, strict=True):
            assert np.array_equal(before, after)


def test_write_through_an_alias():
    def f(x):
        y = x * 2.0
        z = y
        z[0] = 7.0
        return np.sum(y * y)

    # y = (7, 2 x1, 2 x2): the gradient is (0, 8 x1, 8 x2)
    check(f, (V,), [0.0, 8 * V[1], 8 * V[2]], value=49 + 4 * (V[1] ** 2 + V[2] ** 2))


def test_write_through_a_view():
    def f(x):
        y = x * 2.0
        v = y[1:]
        v[0] = x[0] * x[2]
        return np.sum(y * y)

    # (2 x0)^2 + (x0 x2)^2 + (2 x2)^2
    a, _, c = V
    check(f, (V,), [8 * a + 2 * a * c * c, 0.0, 2 * a * a * c + 8 * c])


def test_view_sees_later_writes_of_its_base():
    def f(x):
        y = x * 1.0
        v = y[:2]
        y[0] = x[2] * x[2]
        return v[0] * v[1]

    # x2^2 * x1
    check(f, (V,), [0.0, V[2] ** 2, 2 * V[2] * V[1]])


def test_element_augmented():
    def f(x):
        y = x * 3.0
        y[0] += x[1] * x[2]
        return np.sum(y * y)

    a, b, c = V
    first = 3 * a + b * c
    check(f, (V,), [6 * first, 2 * first * c + 18 * b, 2 * first * b + 18 * c])


def test_slice_multiplied_in_place():
    def f(x, e):
        y = x * 1.0
        y[1:] *= e
        return np.sum(y)

    e = 1.5
    check(f, (V, e), ([1.0, e, e], V[1] + V[2]), argnums=(0, 1))


def test_augmented_assignment_of_an_aliased_array_is_a_write():
    def f(x):
        y = x * 1.0
        z = y
        z += x
        return np.sum(y * y)

    # y = 2 x
    check(f, (V,), 8 * V)


def test_augmented_assignment_of_a_number_is_a_rebinding():
    def f(x):
        y = x * 1.0
        z = y
        z += x
        return y * z

    # x * 2x
    check(f, (1.3,), 4 * 1.3)


def test_plain_assignment_of_an_aliased_array_is_a_rebinding():
    def f(x):
        y = x * 1.0
        z = y
        z = z + x
        return np.sum(y * z)

    check(f, (V,), 4 * V)


def test_argument_written_through_an_alias_in_the_primal():
    def f(x):
        y = x
        y[0] = 5.0
        return np.sum(x * x)

    check(f, (V,), [0.0, 2 * V[1], 2 * V[2]])


def test_repeated_indices_read():
    def f(x):
        return np.sum(x[np.array([0, 0, 2])] * np.array([1.0, 10.0, 100.0]))

    check(f, (V,), [11.0, 0.0, 100.0])


def test_repeated_indices_written():
    def f(x):
        y = np.zeros(3)
        y[np.array([0, 0, 2])] = x  # the last one stays
        return np.sum(y * np.array([1.0, 10.0, 100.0]))

    check(f, (V,), [0.0, 1.0, 100.0])


def test_repeated_indices_augmented_count_once():
    def f(x):
        y = x * 1.0
        y[np.array([0, 0, 2])] += x  # NumPy: y[0] = x[0] + x[1], once
        return np.sum(y * np.array([1.0, 10.0, 100.0]))

    check(f, (V,), [1.0, 1.0 + 10.0, 200.0])


def test_division_unbroadcasts():
    def f(x):
        e = np.exp(x)
        p = e / np.sum(e)
        return p[0]

    p = np.exp(V) / np.sum(np.exp(V))
    check(f, (V,), [p[0] * (1 - p[0]), -p[0] * p[1], -p[0] * p[2]])


def test_division_of_array_by_number():
    def f(x, s):
        return np.sum(x / s)

    check(f, (V, 2.0), ([0.5, 0.5, 0.5], -np.sum(V) / 4.0), argnums=(0, 1))


def test_multiply_array_by_number():
    def f(x, s):
        return np.sum(np.multiply(x, s) * x)

    check(f, (V, 2.0), (4.0 * V, np.sum(V * V)), argnums=(0, 1))


def test_dot_of_three_by_two_dimensions():
    def f(X, W):
        return np.sum(np.dot(X, W))

    X, W = np.arange(12.0).reshape(2, 2, 3), np.arange(6.0).reshape(3, 2) - 2.0
    expected_x = np.broadcast_to(W.sum(axis=1), X.shape)
    expected_w = np.repeat(X.sum(axis=(0, 1))[:, None], 2, axis=1)
    check(f, (X, W), (expected_x, expected_w), argnums=(0, 1))


def test_integer_argument_is_an_error():
    def f(x):
        return x * x

    with pytest.raises(TypeError) as raised:
        grad(f)(3)
    assert isinstance(raised.value, ad_compiler.Error)
    assert "x" in str(raised.value) and "int" in str(raised.value)


def test_integer_array_is_an_error():
    def f(x):
        return np.sum(x * x)

    with pytest.raises(TypeError) as raised:
        grad(f)(np.array([1, 2, 3]))
    assert isinstance(raised.value, ad_compiler.Error)


def test_times_one_is_a_copy():
    def f(x):
        y = x * 1.0
        y[0] = 0.0
        return np.sum(x * x) + np.sum(y)

    check(f, (V,), [2 * V[0], 2 * V[1] + 1, 2 * V[2] + 1])


@pytest.mark.parametrize("copied", ["x * 1.0", "x + 0.0", "x / 1", "x ** 1", "+x", "x - 0", "np.array(x)", "x.copy()"])
def test_neutral_operations_are_copies(copied, tmp_path):
    """The value that looks like `x` is an array of its own, in the result too."""
    f = _define(f"def f(x):\n    y = {copied}\n    y[0] = 2.0\n    return np.sum(x * y)\n", tmp_path)
    check(f, (V,), [2.0, 2 * V[1], 2 * V[2]])


def test_result_is_not_the_argument():
    def f(x):
        return x * 1.0

    x = V.copy()
    out, pullback = vjp(f, x)
    assert not np.shares_memory(out, x)
    ct = np.ones(3)
    (bar,) = pullback(ct)
    assert not np.shares_memory(bar, ct) or np.array_equal(ct, np.ones(3))
    bar[0] = 99.0
    assert np.array_equal(pullback(np.ones(3))[0], np.ones(3))


def test_gradients_of_two_arguments_share_no_memory():
    def f(x, y):
        return np.sum(x + y)

    a, b = grad(f, argnums=(0, 1))(V, V)
    a += 1.0
    assert_allclose(b, np.ones(3))


def test_the_same_array_as_two_arguments():
    def f(x, y):
        x[0] = y[1] * 2.0
        return np.sum(x * y)

    # as if they were two arrays: an argument has no alias that the function's text shows
    x, y = V.copy(), V.copy()
    gradient = grad(f, argnums=(0, 1))(x, y)
    assert_allclose(gradient[0], [0.0, y[1], y[2]])
    assert_allclose(gradient[1], [2 * y[1], 2 * y[0] + x[1], x[2]])


def test_loop_carried_alias():
    def f(x):
        y = x * 1.0
        z = y
        for i in range(2):
            z[i] = z[i] * z[i + 1]
        return np.sum(y)

    a, b, c = V  # y = (ab, bc, c)
    check(f, (V,), [b, a + c, b + 1])


def test_overwritten_value_is_restored():
    def f(x):
        y = x * 1.0
        y[0] = y[0] * y[0]
        y[0] = y[0] * y[0]
        y[0] = y[0] * y[1]
        return y[0]

    a, b, _ = V  # a^4 b
    check(f, (V,), [4 * a**3 * b, a**4, 0.0])


def test_cotangent_of_an_overwritten_slice_is_cleared():
    def f(x):
        y = x * x
        y[1:] = 1.0
        return np.sum(y)

    check(f, (V,), [2 * V[0], 0.0, 0.0])


def test_branch_on_an_overwritten_value():
    def f(x):
        y = x * 1.0
        if y[0] > 0:
            y[0] = -y[1]
        if y[0] > 0:
            y[0] = y[0] * y[0]
        return y[0]

    check(f, (V,), [0.0, 2 * V[1], 0.0])


def test_where_with_a_bad_side():
    def f(x):
        return np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0))

    x = np.array([4.0, 0.0, -1.0])
    check(f, (x,), [0.25, 0.0, 0.0])


def test_unused_argument_gets_zeros_of_its_structure():
    def f(x, p):
        return np.sum(x)

    gradient = grad(f, argnums=1)(V, {"a": np.ones((2, 2)), "b": [1.0, (2.0,)]})
    assert gradient["b"] == [0.0, (0.0,)]
    assert np.array_equal(gradient["a"], np.zeros((2, 2)))


def test_sum_of_one_value_used_twice():
    def f(x):
        return x * x + x

    check(f, (3.0,), 7.0)


def test_linear_function_gives_fresh_ones():
    def f(x):
        return np.sum(x)

    g = grad(f)
    first = g(V)
    first += 5.0
    assert_allclose(g(V), np.ones(3))


def test_mean_over_an_axis_of_length_one():
    def f(x):
        return np.sum(np.mean(x, axis=1, keepdims=True) * x)

    x = np.array([[2.0], [3.0]])
    check(f, (x,), 2 * x)


def test_broadcast_of_length_one_axis():
    def f(x, y):
        return np.sum(x * y)

    x, y = np.array([[2.0], [3.0]]), np.array([[1.0, 10.0, 100.0]])
    check(f, (x, y), (np.full((2, 1), 111.0), np.full((1, 3), 5.0)), argnums=(0, 1))


def test_length_changes_between_calls():
    def f(x, y):
        return np.sum(x * y)

    g = grad(f, argnums=(0, 1))
    for n in (3, 1, 4, 3):
        a, b = g(np.ones(3) if n == 1 else np.ones(n), np.full(n, 2.0))
        assert a.shape == ((3,) if n == 1 else (n,)) and b.shape == (n,)
        assert_allclose(b, 3.0 if n == 1 else 1.0)


def test_true_and_one_are_not_the_same_constant():
    def f(x):
        flags = [True, 1, 1.0]
        return x * flags[1] + x * x * flags[2] + (x if flags[0] is True else 0.0)

    check(f, (2.0,), 6.0)


def test_float32_stays_float32():
    def f(x):
        return np.sum(x * x * 2.0)

    gradient = grad(f)(V.astype(np.float32))
    assert gradient.dtype == np.float32
    assert_allclose(gradient, 4 * V, rtol=1e-6)


def _define(text: str, folder) -> object:
    """The function `f` of a module with this text, in a file, so that its source is found."""
    import importlib.util

    path = folder / "module_under_test.py"
    path.write_text("import numpy as np\n\n\n" + text)
    spec = importlib.util.spec_from_file_location("module_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f
