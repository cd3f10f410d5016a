"""`while`: data-dependent ends, break, continue, `while True`."""

import numpy as np

from tests.corpus import example


@example(0.3)
def doubling(x):
    y = x
    while y < 10.0:
        y = y * 2.0
    return y


@example(2.0, analytic=True)
def newton_square_root(a):
    x = 1.0
    k = 0
    while k < 8:
        x = 0.5 * (x + a / x)
        k += 1
    return x


@example(3.0)
def newton_until_converged(a):
    x = a
    while abs(x * x - a) > 1e-13:
        x = 0.5 * (x + a / x)
    return x


@example(1.7, 100)
def while_true_with_break(x, most):
    total = 0.0
    term = 1.0
    n = 0
    while True:
        total += term
        n += 1
        term = term * x / n
        if term < 1e-12 or n > most:
            break
    return total


@example(0.9, 10)
def counting_down(x, n):
    y = 1.0
    while n > 0:
        y = np.sin(y) * x
        n = n - 1
    return y


@example(1.3, 13)
def power_by_squaring(x, n):
    result = 1.0
    while n > 0:
        if n % 2 == 1:
            result = result * x
        x = x * x
        n //= 2
    return result


@example(0.9, 9)
def continue_in_while(x, n):
    y = x
    i = 0
    while i < n:
        i += 1
        if i % 3 == 0:
            continue
        y = y * x + 0.1
    return y


@example(0.25)
def return_from_while(x):
    y = x
    while True:
        y = y + np.cos(y) * x
        if y > 1.0:
            return y * y


@example(0.25)
@example(5.0)
def possibly_no_iteration(x):
    y = x * 3.0
    while y < 4.0:
        y = y + y * x
    return y


@example(2.0, 0.5)
def bisection_like(a, tolerance):
    low, high = 0.0, a
    while high - low > tolerance * 1e-2:
        middle = (low + high) / 2
        if middle * middle > a:
            high = middle
        else:
            low = middle
    return (low + high) / 2


@example(3.0, 2.0)
def arithmetic_geometric_mean(a, b):
    while abs(a - b) > 1e-12:
        a, b = (a + b) / 2, np.sqrt(a * b)
    return a


@example(0.4, 5)
def nested_whiles(x, n):
    total = 0.0
    i = 0
    while i < n:
        j = 0
        y = x
        while j < i:
            y = y * x + 0.5
            j += 1
        total += y
        i += 1
    return total


@example(np.array([4.0, 1.0, 0.0]))
def gradient_descent_inside(target):
    x = np.zeros(3)
    steps = 0
    while np.linalg.norm(x - target) > 0.5 and steps < 50:
        x = x - 0.2 * (x - target)
        steps += 1
    return np.sum(x**2)


@example(1.0, 0.7)
def adaptive_step(y, rate):
    t = 0.0
    h = 0.3
    while t < 1.0:
        if t + h > 1.0:
            h = 1.0 - t
        k1 = -rate * y
        k2 = -rate * (y + h * k1)
        y = y + h * (k1 + k2) / 2
        t = t + h
        h = h * 1.1
    return y


@example(0.02, 0.3)
def kepler_equation(mean_anomaly, eccentricity):
    E = mean_anomaly
    for i in range(50):
        step = (E - eccentricity * np.sin(E) - mean_anomaly) / (1 - eccentricity * np.cos(E))
        E = E - step
        if abs(step) < 1e-14:
            break
    return E


@example(27, 1.01)
def collatz_weighted(n, w):
    y = 1.0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
            y = y * w
        else:
            n = 3 * n + 1
            y = y + 1e-3 * w
    return y
