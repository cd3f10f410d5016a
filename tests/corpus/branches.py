"""`if`, `elif`, conditional expressions, short circuits, early returns."""

import numpy as np

from tests.corpus import example


@example(0.7)
@example(-0.7)
def relu_by_branch(x):
    if x > 0:
        y = x * x
    else:
        y = 0.1 * x
    return y


@example(-1.5)
@example(0.3)
@example(2.5)
def three_ways(x):
    if x < 0:
        y = x**2
    elif x < 1.0:
        y = np.sin(x)
    else:
        y = 1.0 / x
    return y * x


@example(0.4, 1.2)
@example(1.4, 0.2)
def only_then(x, y):
    z = x * y
    if x > y:
        z = z * x
        y = y + z
    return z + y**2


@example(0.4)
@example(-0.4)
def early_return(x):
    if x < 0:
        return x**3
    y = np.exp(x)
    return y * x


@example(0.4, 2)
@example(0.4, 5)
@example(0.4, 9)
def returns_in_all_branches(x, n):
    if n < 3:
        return x * n
    elif n < 7:
        if x > 0:
            return np.sin(x)
        return np.cos(x)
    else:
        return x**n


@example(0.8, 0.1)
@example(0.1, 0.8)
def conditional_expression(x, y):
    a = x if x > y else y
    b = (x * y if x > 0.5 else x + y) * a
    return b + (0.0 if b > 1e6 else b * x)


@example(0.8, True)
@example(0.8, False)
def flag(x, squared=False):
    return x * x if squared else 2.0 * x


@example(0.8, "sin")
@example(0.8, "tanh")
@example(0.8, "none")
def string_option(x, activation="sin"):
    if activation == "sin":
        return np.sin(x)
    if activation == "tanh":
        return np.tanh(x)
    return x * 1.0


@example(0.3, 0.9)
def boolean_operators(x, y):
    if x > 0 and y > 0 and not x > y:
        r = x * y
    elif x < 0 or y < -1:
        r = x - y
    else:
        r = 0.0 * x
    return r + x


@example(0.3)
def chained_comparison(x):
    if 0 < x < 1:
        return x * x
    return x


@example(0.3, 0.9)
def names_in_different_branches(x, y):
    if x > y:
        a = x
        b = y
    else:
        b = x
        a = y
    return a**2 - b


@example(0.3)
def branch_leaves_constant(x):
    scale = 1.0
    if x > 10:
        scale = x
    return scale * np.sin(x)


@example(1.2, 0.4)
def nested_branches(x, y):
    r = 0.0
    if x > 0:
        if y > 0:
            r = r + x * y
            if x > y:
                r = r * x
        else:
            r = x - y
        r = r + x
    return r * r


@example(np.array([0.5, -1.0, 2.0]))
def branch_on_array_value(x):
    if np.sum(x) > 0:
        x = x * 2.0
    else:
        x = x - 1.0
    return np.sum(x**3)


@example(np.array([0.5, -1.0, 2.0]), None)
@example(np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.2, 0.3]), wrt="x, weights")
def optional_argument(x, weights=None):
    if weights is None:
        weights = np.ones_like(x)
    return np.sum(weights * x**2)


@example(np.array([0.5, -1.0, 2.0]))
@example(np.array([[0.5, -1.0], [2.0, 0.3]]))
def branch_on_rank(x):
    if x.ndim == 1:
        return np.sum(x * x)
    return np.sum(np.sin(x))


@example(np.array([0.5, -1.0, 2.0]))
def where_instead_of_branch(x):
    return np.sum(np.where(x > 0, x**2, np.exp(x)))


@example(np.array([0.5, -1.0, 2.0]))
def where_guards_the_domain(x):
    safe = np.where(x > 0, x, 1.0)
    return np.sum(np.where(x > 0, np.log(safe), 0.0) + np.where(x > 0, np.sqrt(safe), -x))


@example(0.6, 3.0, 1.5)
@example(5.6, 3.0, 1.5)
def huber(x, centre, delta):
    r = x - centre
    if abs(r) <= delta:
        return 0.5 * r**2
    return delta * (abs(r) - 0.5 * delta)


@example(300.0)
@example(1500.0)
def nasa_polynomial(temperature):
    low = (3.5, -1.2e-4, 5.4e-7)
    high = (2.9, 1.4e-3, -3.9e-7)
    c = low if temperature < 1000.0 else high
    return c[0] + c[1] * temperature + c[2] * temperature**2


@example(1.0, 2.0, 0.5)
@example(1.0, -2.0, 0.5)
def upwind_flux(left, speed, right):
    flux = speed * left if speed > 0 else speed * right
    flux += 0.5 * abs(speed) * (left - right)
    return flux


@example(0.3, 0.4)
def walrus(x, y):
    if (s := x * y) > 0:
        return s + x
    return s


@example(2.0, -3.0, 1.0)
@example(1.0, 2.0, 5.0)
def quadratic_root(a, b, c):
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return -b / (2 * a)
    root = np.sqrt(discriminant)
    return (-b + root) / (2 * a) * (-b - root)
