"""`for`: ranges, arrays, lists, zip, enumerate; break, continue, early return, else."""

import numpy as np

from tests.corpus import example


@example(1.3, 5, analytic=True)
@example(1.3, 0, analytic=True)
def power(x, n):
    a = 1.0
    for i in range(n):
        a = a * x
    return a


@example(0.7, 4)
def sum_of_powers(x, n):
    total = 0.0
    for k in range(1, n + 1):
        total += x**k / k
    return total


@example(0.7, 9)
def stepped_range(x, n):
    total = 0.0
    for k in range(n, 0, -2):
        total = total * x + k
    for k in range(1, n, 3):
        total = total + np.sin(k * x)
    return total


@example(3.2, 0.5, 12)
def logistic_map(r, x, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


@example(0.1, 0.2, 10)
def two_carried_values(a, b, n):
    for i in range(n):
        a, b = b, a + b * np.cos(a)
    return a * b


@example(np.array([0.3, -0.6, 1.1]))
def over_an_array(x):
    total = 0.0
    for value in x:
        total = total + value * value * np.sin(value)
    return total


@example(np.array([[0.3, -0.6], [1.1, 0.8], [0.4, 0.5]]))
def over_rows(A):
    total = np.zeros(2)
    for row in A:
        total = total * 0.5 + row * row
    return np.sum(total)


@example(np.array([0.3, -0.6, 1.1]))
def by_index(x):
    total = 0.0
    for i in range(len(x)):
        total += (i + 1) * x[i] ** 2
    return total


@example(np.array([0.3, -0.6, 1.1]), np.array([2.0, 0.4, 0.9]))
def over_zip(x, y):
    total = 1.0
    for a, b in zip(x, y):
        total *= a * b + 1.0
    return total


@example(np.array([0.3, -0.6, 1.1]))
def over_enumerate(x):
    total = 0.0
    for i, value in enumerate(x):
        total += value ** (i + 1)
    for i, value in enumerate(x, start=2):
        total += i * value
    return total


@example(0.6)
def over_a_literal_list(x):
    y = 0.0
    for c in [1.0, -2.0, 0.5]:
        y = y * x + c
    for name, scale in (("a", 1.0), ("b", 3.0)):
        y = y + scale * x
    return y


@example(0.6, 1.2)
def over_a_list_of_values(x, y):
    total = 0.0
    for value in [x, y, x * y]:
        total += np.sin(value)
    return total


@example(np.array([[0.3, -0.6], [1.1, 0.8], [0.4, 0.5]]))
def nested_loops(A):
    n, m = A.shape
    total = 0.0
    for i in range(n):
        row = 1.0
        for j in range(m):
            row = row * A[i, j]
        total += row * (i + 1)
    return total


@example(0.9, 6)
def triangular_loops(x, n):
    total = 0.0
    for i in range(n):
        for j in range(i):
            total = total + x / (1.0 + i * j + x)
    return total


@example(0.9, 20)
def with_break(x, n):
    total = 0.0
    term = 1.0
    for k in range(1, n):
        term = term * x / k
        if term < 1e-3:
            break
        total = total + term
    return total


@example(np.array([0.3, -0.6, 1.1, -0.2]))
def with_continue(x):
    total = 0.0
    for value in x:
        if value < 0:
            continue
        total += value**2
    return total


@example(np.array([0.3, 0.6, 1.1, -0.2]), 0.8)
@example(np.array([0.3, 0.6, 1.1, -0.2]), 100.0)
def return_from_a_loop(x, limit):
    total = 0.0
    for i in range(x.shape[0]):
        total = total + x[i] ** 2
        if total > limit:
            return total * limit
    return -total


@example(0.9, 7)
def for_else(x, n):
    y = x
    for i in range(n):
        y = y * 1.1
        if y > 100.0:
            break
    else:
        y = y + np.sin(x)
    return y


@example(0.9, 7)
@example(0.9, 1)
def branch_in_a_loop(x, n):
    y = 0.0
    for i in range(n):
        if i % 2 == 0:
            y = y + x**i
        else:
            y = y * x
    return y


@example(np.array([0.3, -0.6, 1.1, -0.2]))
def data_dependent_branch(x):
    largest = x[0]
    for i in range(1, x.size):
        if x[i] > largest:
            largest = x[i]
    return largest**2


@example(0.3, 8)
def loop_variable_afterwards(x, n):
    total = x
    for i in range(n):
        total = total * x + i
    return total * i


@example(0.3, 4)
def rebinding_the_loop_variable(x, n):
    total = 0.0
    for i in range(n):
        i = i * 2
        total += x**i
    return total


@example(0.7, 3)
def unused_iteration(x, n):
    y = 0.0
    for i in range(n):
        y = np.cos(x)
    return y


@example(0.5, 6)
def value_from_last_iteration(x, n):
    previous = x
    current = x
    for i in range(n):
        previous = current
        current = np.sin(previous) + x
    return current - previous


@example(1.0, 0.5, 10)
def euler_steps(y, rate, n):
    dt = 0.1
    t = 0.0
    for step in range(n):
        y = y + dt * (-rate * y + np.sin(t))
        t += dt
    return y


@example(np.array([0.2, 0.7, -0.3]), 5)
def array_recurrence(x, n):
    h = np.zeros(3)
    for t in range(n):
        h = np.tanh(h + x * 0.5)
    return np.sum(h)


@example(np.array([2.0, -1.0, 0.5, 3.0]), 0.7)
def horner_over_reversed(coefficients, x):
    y = 0.0
    for c in reversed(coefficients):
        y = y * x + c
    return y


@example(np.array([2.0, -1.0, 0.5, 3.0]), 0.7)
def horner_over_slice(coefficients, x):
    y = coefficients[-1]
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y


@example(0.8, 3, 4)
def continue_in_nested_loop(x, n, m):
    total = 0.0
    for i in range(n):
        for j in range(m):
            if (i + j) % 2:
                continue
            if j > 2:
                break
            total = total * 0.5 + x ** (i + j)
        total += x
    return total


@example(np.array([1.2, 0.7]), 3)
def matrix_power_by_loop(x, n):
    A = np.array([[x[0], 0.3], [0.1, x[1]]])
    P = np.eye(2)
    for i in range(n):
        P = P @ A
    return np.trace(P) + P[0, 1]
