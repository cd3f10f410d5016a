"""Scalar arithmetic: operators, precedence, rebinding, unpacking."""

import numpy as np

from tests.corpus import example


@example(2.0, 5.0, analytic=True)
def lecture(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2)


@example(1.3, -0.7, 2.1, analytic=True)
def polynomial(x, y, z):
    return 3.0 * x**2 * y - 2 * y * z + z**3 - 4


@example(0.7, 1.9, analytic=True)
def rational(x, y):
    return (x + 2.0 * y) / (1.0 + x * y) - x / y


@example(1.7, 2.3, analytic=True)
def power_of_variable(x, y):
    return x**y + y**x


@example(2.5, analytic=True)
def reciprocal_powers(x):
    return x**-2 + 2.0**x + x**0.5 + x**1


@example(0.4, 0.9, analytic=True)
def unary_signs(x, y):
    return -x * +y - -(x - y)


@example(1.1, analytic=True)
def rebinding(x):
    y = x
    y = y * x
    y = y + 1.0
    x = y * x
    return x


@example(0.3, 0.8, analytic=True)
def augmented(x, y):
    total = x
    total += y
    total *= x
    total -= 2.0
    total /= y
    total **= 2
    return total


@example(0.6, 1.4, analytic=True)
def swapping(a, b):
    a, b = b, a
    a, b = a * b, a + b
    return a - 3.0 * b


@example(0.2, 1.2, -0.4, analytic=True)
def unpacking(x, y, z):
    (a, b), c = (x, y * z), z
    first, *rest = (a, b, c)
    return first * rest[0] + rest[1] ** 2


@example(0.9, 1.6, analytic=True)
def chained_assignment(x, y):
    a = b = x * y
    a = a + x
    return a * b


@example(7.3, 2.0, wrt="x")
def modulo_and_floor(x, y):
    return (x % y) * x + (x // y) * x


@example(7.3, 1.7)
def modulo_of_both(x, y):
    return x % y + np.fmod(x, y) * y


@example(3.5, -2.5)
def absolute_values(x, y):
    return abs(x) * y + np.abs(y) * x + abs(x * y)


@example(1.5, analytic=True)
def unused_result(x):
    waste = np.exp(x)
    waste = waste * 2.0
    return x * 3.0


@example(0.5, 1.5)
def unused_argument(x, y):
    return np.sin(x)


@example(0.5)
def constant_result(x):
    return 4.0


@example(0.7)
def identity(x):
    return x


@example(1.5, 2, wrt="x", analytic=True)
def integer_operand(x, n):
    return n * x + x**n - x / n + (n // 2) * x


@example(0.25, analytic=True)
def horner(x):
    p = 1.0
    p = p * x + 0.5
    p = p * x - 2.0
    p = p * x + 3.0
    return p


@example(0.3, -0.8, analytic=True)
def complicated_expression(x, y):
    return ((x + y) * (x - y) + (x * y - (x - (y - 1.0) / (x + 3.0)) ** 2) ** 3) / (1.0 + (x * y) ** 2)


@example(1.2, 0.4, analytic=True)
def repeated_subexpression(x, y):
    a = x * y + 1.0
    b = x * y + 1.0
    return a * b + (x * y + 1.0) / a


@example(2.0, 3.0, analytic=True)
def returns_a_pair(x, y):
    return x * y, x / y


@example(0.7, analytic=True)
def parameter_called_np(np):
    return np * np + 2.0 * np


@example(0.4, 0.6, analytic=True)
def names_that_clash(x_bar, x):
    x_dot = x_bar * x
    x_tape = np.sin(x_dot)
    _unbroadcast = x_tape + x_bar
    return _unbroadcast * x_dot
