"""Calls of the user's own functions: keywords, defaults, several results, helpers that write."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0])


def square(x):
    return x * x


def scaled(x, factor=2.0, offset=0.5):
    return factor * x + offset


def both(x, y):
    return x * y, x + y


def sign_of(x):
    if x > 0:
        return 1.0
    return -1.0


def clamp(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value


def add_into(target, source):
    target += source * 2.0


def set_boundary(u, value):
    u[0] = value
    u[-1] = value * value


def scale_row(A, i, s):
    A[i] *= s


def smooth(u):
    v = u.copy()
    v[1:-1] = (u[:-2] + u[1:-1] + u[2:]) / 3.0
    return v


def first_row(A):
    return A[0]


def append_square(values, x):
    values.append(x * x)


@example(0.7)
def one_helper(x):
    return square(x) + square(square(x) + 1.0)


@example(0.7)
def keywords_and_defaults(x):
    return scaled(x) * scaled(x, 3.0) + scaled(x, offset=x) + scaled(factor=x, x=2.0)


@example(0.7, 1.2)
def several_results(x, y):
    p, s = both(x, y)
    q = both(s, p)
    return p * q[0] + q[1]


@example(0.7)
@example(-0.7)
def helper_with_early_return(x):
    return sign_of(x) * x**2 + clamp(x, -0.5, 0.9) * x


@example(V)
def helper_writes_argument(x):
    y = np.zeros(3)
    add_into(y, x)
    add_into(y, x * y)
    return np.sum(y**2)


@example(V)
def helper_writes_view(x):
    y = x.copy()
    add_into(y[1:], x[:-1])
    set_boundary(y, x[1] * x[2])
    return np.sum(y * x)


@example(np.array([[0.5, -1.0], [2.0, 0.4]]), 0.8)
def helper_writes_row(A, s):
    B = A * 1.0
    for i in range(2):
        scale_row(B, i, s + i)
    row = first_row(B)
    row[0] = s
    return np.sum(B**2)


@example(V)
def helper_writes_our_argument(x):
    set_boundary(x, x[1])
    return np.sum(x**2)


@example(V, 3)
def helper_returns_new_array(x, n):
    u = x
    for _ in range(n):
        u = smooth(u) * 1.1
    return np.sum(u * u)


@example(V)
def helper_grows_list(x):
    values = []
    for v in x:
        append_square(values, v)
    append_square(values, values[0])
    return sum(values)


@example(V)
def same_array_twice(x):
    y = x.copy()
    add_into(y, y)
    return np.sum(y**2)


@example(0.7)
def call_in_loop_and_branch(x):
    total = 0.0
    for k in range(4):
        if k % 2:
            total += scaled(x, factor=k)
        else:
            total = square(total) + clamp(x * k, 0.0, 1.0)
    return total


@example(0.7)
def keyword_only(x, *, factor=2.0):
    return x * factor


@example(0.7, 1.1, 2.3)
def star_arguments(*values):
    total = 1.0
    for v in values:
        total = total * v + v
    return total


@example(0.7)
def unpacking_calls(x):
    pair = (x, 3.0)
    options = {"offset": x * x}
    return scaled(*pair) + scaled(x, **options)


@example(0.7)
def result_ignored(x):
    square(x)
    print_nothing(x)
    return x * 2.0


def print_nothing(x):
    return None


@example(V)
def annotated(x: np.ndarray) -> float:
    """A docstring, annotations and a local annotation."""
    total: float = 0.0
    for value in x:
        total += float(value) ** 2
    return total


@example(0.7)
def asserts_and_prints(x):
    assert x > 0, "positive"
    y = x * x
    if x > 1e9:
        print("large", y)
    return y * x


@example(0.7)
@example(1.3)
def raises_on_bad_input(x):
    if x < 0:
        raise ValueError("x must not be negative")
    return np.sqrt(x)


class Material:
    """Only read as a global."""

    density = 2.7


@example(0.7)
def class_attribute(volume):
    return volume * Material.density
