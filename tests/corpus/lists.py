"""Lists and tuples: growing, reading, changing, comprehensions, nesting."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0])


@example(0.7, 1.4)
def list_of_scalars(x, y):
    values = [x, y, x * y]
    values[0] = values[1] * 2.0
    return values[0] * values[2] + values[-1]


@example(0.7, 5)
def appending(x, n):
    values = []
    for i in range(n):
        values.append(x**i)
    total = 0.0
    for v in values:
        total += v * v
    return total


@example(0.7, 5)
def appending_and_reading_back(x, n):
    values = [x]
    for i in range(n):
        values.append(np.sin(values[-1]) + values[0] * 0.1)
    return values[-1] * values[n // 2] + len(values)


@example(V)
def list_of_arrays(x):
    layers = []
    h = x
    for k in range(3):
        h = np.tanh(h * (k + 1.0))
        layers.append(h)
    return np.sum(layers[0] * layers[2]) + np.sum(layers[1])


@example(V)
def popping(x):
    stack = [x[0], x[1]]
    stack.append(x[2])
    top = stack.pop()
    next_top = stack.pop()
    return top * next_top + stack[0] ** 2


@example(0.3, 4)
def list_as_a_stack_in_loops(x, n):
    stack = []
    for i in range(n):
        stack.append(x * i + 1.0)
    result = 1.0
    while len(stack) > 0:
        result = result * stack.pop()
    return result


@example(0.4, 6)
def element_assignment_in_list(x, n):
    table = [0.0] * (n + 1)
    table[0] = 1.0
    table[1] = x
    for i in range(2, n + 1):
        table[i] = 2 * x * table[i - 1] - table[i - 2]
    return table[n] + table[n - 1]


@example(0.4, 6)
def augmented_list_elements(x, n):
    bins = [0.0, 0.0, 0.0]
    for i in range(n):
        bins[i % 3] += x ** (i + 1)
    return bins[0] * bins[1] + bins[2] ** 2


@example(V)
def comprehension(x):
    squares = [v * v for v in x]
    shifted = [s + i for i, s in enumerate(squares)]
    return sum(shifted) * squares[0]


@example(V)
def comprehension_with_condition(x):
    positive = [np.log(v) for v in x if v > 0]
    return sum(positive)


@example(0.6)
def comprehension_over_range(x):
    terms = [x**k / (k + 1.0) for k in range(5)]
    pairs = [(a, b * 2.0) for a, b in zip(terms, terms[1:])]  # noqa: RUF007
    return sum([a * b for a, b in pairs])


@example(0.6, 1.2)
def list_aliases(x, y):
    a = [x, y]
    b = a
    b[0] = x * y
    a.append(y * y)
    return a[0] + b[2] * x


@example(0.6, 1.2)
def list_copies(x, y):
    a = [x, y]
    b = list(a)
    c = a[:]
    b[0] = 10.0 * x
    c[1] = 10.0 * y
    return a[0] * a[1] + b[0] * c[1]


@example(0.6, 1.2)
def concatenating_lists(x, y):
    a = [x, y] + [x * y]
    a += [y**2]
    a.extend([x**2, 1.0])
    return sum(a) * a[3]


@example(0.6, 1.2)
def tuples(x, y):
    pair = (x * y, x + y)
    a, b = pair
    triple = pair + (a * b,)
    return triple[0] * triple[2] - pair[1]


@example(V)
def nested_lists(x):
    grid = [[x[0], x[1]], [x[2], x[0] * x[1]]]
    grid[1][0] = grid[0][0] * 2.0
    return grid[1][0] * grid[1][1] + grid[0][1]


@example([0.5, 1.5, -0.7])
def list_argument(values):
    total = 0.0
    for v in values:
        total += np.sin(v) * v
    return total + values[0] * values[-1]


@example([V, 2.0 * V])
def list_of_arrays_argument(arrays):
    total = 0.0
    for a in arrays:
        total = total + np.sum(a**2) * total + np.sum(a)
    return total


@example([0.5, 1.5])
def list_argument_written(values):
    values[0] = values[0] * values[1]
    values.append(values[0] + 1.0)
    return values[0] * values[2]


@example((0.5, (1.5, V)))
def nested_tuple_argument(p):
    a, (b, x) = p
    return a * b + np.sum(x**2) * a


@example(V)
def stacking_a_list(x):
    rows = []
    for i in range(4):
        rows.append(x * i + x**2)
    A = np.array(rows)
    B = np.stack(rows, axis=1)
    return np.sum(A @ B)


@example(V)
def array_from_comprehension(x):
    y = np.array([np.sin(v) * v for v in x])
    return np.dot(y, y)


@example(0.6, 4)
def list_of_pairs(x, n):
    history = []
    a, b = x, 1.0
    for i in range(n):
        a, b = a * b, a + b
        history.append((a, b))
    total = 0.0
    for p, q in history:
        total += p / q
    return total


@example(V)
def list_in_branch(x):
    parts = [x[0]]
    if x[1] < 0:
        parts.append(x[1] * x[2])
    else:
        parts.append(x[2])
    return parts[0] * parts[1]


@example(V)
def mapping_and_reversing(x):
    values = [x[0], x[1], x[2]]
    total = 0.0
    for v in reversed(values):
        total = total * 0.5 + v**2
    for v in values[::-1]:
        total = total * 0.5 + v
    return total
