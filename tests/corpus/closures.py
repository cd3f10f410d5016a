"""Nested functions, lambdas, closures over values, functions as arguments and results."""

import functools

import numpy as np

from tests.corpus import example

GAIN = 1.7
OFFSETS = np.array([0.1, 0.2, 0.3])
V = np.array([0.5, -1.2, 2.0])


@example(0.6)
def global_constants(x):
    return GAIN * x**2 + np.sum(OFFSETS * x)


@example(0.6, 1.3)
def nested_function(x, y):
    def inner(t):
        return t * t + y

    return inner(x) * inner(y)


@example(0.6)
def lambda_inside(x):
    square = lambda t: t * t
    return square(x) + square(square(x) + 1.0)


@example(0.6, 1.3)
def closure_over_value(x, y):
    s = x * y

    def scaled(t):
        return s * t

    total = 0.0
    for k in range(3):
        total += scaled(k + x)
    return total


@example(0.6)
def late_binding(x):
    factor = 1.0

    def scaled(t):
        return factor * t

    a = scaled(x)
    factor = x * x
    return a + scaled(x)


@example(0.6)
def function_as_argument(x):
    def twice(f, t):
        return f(f(t))

    return twice(np.sin, x) + twice(lambda t: t**2 + 1.0, x)


@example(0.6)
def function_as_result(x):
    def adder(a):
        def add(b):
            return a * b + a

        return add

    return adder(x)(2.0) + adder(x * x)(x)


@example(0.6, 3)
def nonlocal_counter(x, n):
    total = 0.0

    def accumulate(v):
        nonlocal total
        total = total + v * v

    for i in range(n):
        accumulate(x * i + 1.0)
    return total


@example(V)
def closure_writes_array(x):
    y = x.copy()

    def relax(i):
        y[i] = 0.5 * (y[i] + y[i - 1] ** 2)

    for i in range(1, 3):
        relax(i)
    return np.sum(y)


@example(0.6, 1.3)
def partial_application(x, y):
    def model(a, b, c):
        return a * b + c**2

    f = functools.partial(model, x, c=y)
    return f(2.0) * f(y)


@example(0.6)
def list_of_functions(x):
    total = 0.0
    for f in (np.sin, np.cos, lambda t: t**3):
        total = total * 0.5 + f(x)
    return total


@example(0.6)
def dict_of_functions(x):
    table = {"square": lambda t: t * t, "cube": lambda t: t * t * t}
    return table["square"](x) + table["cube"](x + 1.0)


@example(0.6)
def default_captures_value(x):
    total = 0.0
    for k in range(3):
        f = lambda t, k=k: t * k + t**2
        total += f(x)
    return total


def make_model(scale):
    def model(w, b):
        return scale * w * b + np.tanh(w)

    return model


example(0.6, 1.3)(make_model(2.5))


def make_array_model(data):
    def residual(w):
        return np.sum((data * w - 1.0) ** 2)

    return residual


example(np.array([0.2, 0.3, 0.5]))(make_array_model(V))

example(0.6, 0.9)(lambda x, y: x * np.exp(y) - y)


@example(0.6, 2.0)
def functions_chosen_by_branch(x, s):
    if s > 1.0:
        f = np.sin
    else:
        f = np.cos
    return f(x) * s


@example(0.8)
def newton_with_function_arguments(a):
    def solve(f, df, x):
        for _ in range(6):
            x = x - f(x) / df(x)
        return x

    return solve(lambda x: x**3 - a, lambda x: 3 * x**2, 1.0)


@example(1.4)
def trapezoid_of_function(b):
    def integrate(f, lo, hi, n):
        h = (hi - lo) / n
        s = 0.5 * (f(lo) + f(hi))
        for i in range(1, n):
            s += f(lo + i * h)
        return s * h

    return integrate(lambda t: np.exp(-t * t) * b, 0.0, b, 8)
