"""Recursive functions."""

import numpy as np

from tests.corpus import example


@example(1.3, 5, wrt="x")
def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


@example(1.3, 13, wrt="x")
def fast_power(x, n):
    if n == 0:
        return 1.0
    half = fast_power(x * x, n // 2)
    if n % 2:
        return half * x
    return half


@example(0.7, 6, wrt="x")
def fibonacci(x, n):
    if n < 2:
        return x if n == 1 else 1.0
    return fibonacci(x, n - 1) + 0.5 * fibonacci(x, n - 2)


@example(0.7, 4, wrt="x")
def continued_fraction(x, depth):
    if depth == 0:
        return x
    return x + 1.0 / (depth + continued_fraction(x * 0.9, depth - 1))


def even_part(x, n):
    return 1.0 if n == 0 else x * odd_part(x + 0.1, n - 1)


def odd_part(x, n):
    return x if n == 0 else np.sin(x) + even_part(x, n - 1)


@example(0.8, 4, wrt="x")
def mutual(x, n):
    return even_part(x, n)


def tree_sum(values, lo, hi):
    if hi - lo == 1:
        return values[lo] ** 2
    middle = (lo + hi) // 2
    return tree_sum(values, lo, middle) * 0.5 + tree_sum(values, middle, hi)


@example(np.array([0.3, 1.2, -0.5, 0.9, 2.0]))
def divide_and_conquer(x):
    return tree_sum(x, 0, len(x))


@example(0.9)
def nested_recursive(x):
    def down(t):
        if t < 0.1:
            return t
        return down(t * 0.5) * x + t

    return down(x)


@example(0.2, 1.4, wrt="a, b")
def adaptive_simpson(a, b):
    def simpson(lo, hi):
        return (hi - lo) / 6 * (np.exp(lo) + 4 * np.exp((lo + hi) / 2) + np.exp(hi))

    def refine(lo, hi, depth):
        if depth == 0:
            return simpson(lo, hi)
        middle = (lo + hi) / 2
        return refine(lo, middle, depth - 1) + refine(middle, hi, depth - 1)

    return refine(a, b, 3)


def hanoi_weight(x, n):
    if n == 0:
        return 0.0
    return 2.0 * hanoi_weight(x, n - 1) + x / n


@example(0.6, 6, wrt="x")
def calls_a_recursive_function(x, n):
    y = hanoi_weight(x, n)
    return np.sin(y * 0.01) + hanoi_weight(x * x, 2)


@example(np.array([3.0, 1.0, 2.0, 0.5]), wrt="x")
def recursion_on_slices(x):
    if len(x) == 1:
        return x[0]
    return x[0] * 0.5 + recursion_on_slices(x[1:]) ** 2


@example(3, 2, 0.4, wrt="x")
def ackermann_like(m, n, x):
    if m == 0:
        return x * (n + 1)
    if n == 0:
        return ackermann_like(m - 1, 1, x) + x
    return ackermann_like(m - 1, n - 1, x * 0.9) * x + 1.0
