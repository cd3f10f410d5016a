"""Small functions, each about one thing, with arguments to run them at: what lowering must get right.

`@case(args…)` records; `test_lower.py` compares the SSA's value with the function's own.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

X = np.array([0.5, -1.2, 2.0, 0.7])
A = np.arange(12.0).reshape(3, 4) / 7.0
SCALE = 3.0
TABLE = np.array([2.0, 4.0, 8.0])
NAMES = {"a": 1.5, "b": [2.0, 3.0]}


def case(*args: Any) -> Callable[[Callable], Callable]:
    def record(function: Callable) -> Callable:
        CASES.append((function, args))
        return function

    return record


# ---------------------------------------------------------------------------------------------- branches


@case(2.0)
@case(-2.0)
def if_without_else(x):
    y = 1.0
    if x > 0:
        y = x * x
    return y


@case(2.0)
@case(-2.0)
def branches_bind_different_names(x):
    if x > 0:
        a = x
    else:
        b = x
    return a * 2 if x > 0 else b * 3


@case(0.3, 1.0)
@case(3.0, 1.0)
@case(-3.0, 1.0)
def elif_chain(x, y):
    if x > 2:
        y = y * x
    elif x > 0:
        y = y + x
    else:
        y = y - x
    return y * x


@case(0.5)
@case(5.0)
@case(-5.0)
def early_returns(x):
    if x > 1:
        return x * 2
    if x < -1:
        return x * 3
    y = x * x
    return y + 1


@case(0.5, 1.0)
@case(5.0, 1.0)
@case(5.0, -1.0)
def nested_partial_return(x, y):
    if x > 1:
        if y > 0:
            return x * y
        x = x + 10
    z = x * x
    return z + y


@case(0.5, 1.0, 2)
@case(5.0, 1.0, 1)
@case(5.0, -1.0, 0)
def returns_at_every_depth(x, y, n):
    r = 0.0
    if n > 0:
        if x > 1:
            if y > 0:
                return r + 1
            r = r + x
        elif n > 1:
            return r + 2
        r = r * 2
    else:
        r = 7.0
        if y < 0:
            return r * y
    return r + x


@case(3.0, 0)
@case(3.0, 1)
def a_branch_that_raises(x, n):
    if n == 5:
        raise ValueError(f"bad {n} {x:.2f}")
    y = x * n
    if x < 0:
        z = 1.0
    else:
        if n > 3:
            raise RuntimeError("no")
        z = y + 1
    return y * z


@case(3.0)
def asserting(x):
    assert x > 0, f"x is {x}"
    assert x < 100
    return x * 2


@case(2.0, None)
@case(2.0, 3.0)
def none_argument(x, scale):
    if scale is None:
        scale = 1.0
    return x * scale


@case(2.0, "square")
@case(2.0, "cube")
def string_argument(x, kind):
    if kind == "square":
        return x * x
    elif kind in ("cube", "third"):
        return x**3
    raise ValueError(kind)


@case(np.array([3.0, -1.0, 5.0]))
@case(np.array([-3.0, -1.0]))
def best_so_far_starting_with_none(xs):
    best = None
    for v in xs:
        if v > 0 and (best is None or v > best):
            best = v
    if best is None:
        return -1.0
    return best * 2


@case(0.5)
@case(1.5)
@case(-3.0)
def short_circuits(x):
    a = x > 0 and 1 / x > 1
    b = x < 0 or math.log(x) > 0
    c = not a and not b
    return (1.0 if a else 2.0) + (10.0 if b else 20.0) + (100.0 if c else 200.0)


@case(0.0)
@case(2.0)
def and_or_values(x):
    y = x or 5.0
    z = x and 7.0
    return y * 2 + z


@case(0.5)
@case(1.5)
def chained_comparisons(x):
    return 1.0 if 0 < x < 1 <= 3 else 2.0 if 1 <= x <= 2 else 3.0


@case(0.5)
@case(3.5)
def walrus(x):
    if (y := x * x) > 4:
        return y
    return y + (z := y + 1) * z


@case(1.0, 2)
@case(1.0, 0)
@case(1.0, 7)
def matching(x, n):
    match n:
        case 0:
            y = x
        case 1 | 2:
            y = x * 5
        case _:
            y = x * 9
    match (x, n):
        case (a, 0):
            return y + a
        case (a, b) if b > 5:
            return y - a
    return y


@case(1.0, 2.0)
@case(-1.0, 2.0)
def branch_on_structure(x, y):
    p = (x, [y, x])
    if x > 0:
        p = (y, [x, x * y])
    a, (b, c) = p
    return a + b * c


@case(X, 1.0)
@case(X, -1.0)
def array_chosen_by_branch(x, s):
    if s > 0:
        y = x * 2
    else:
        y = x + 1
    y[0] = 5.0
    return y * x


@case(2.0, True)
@case(2.0, False)
def boolean_argument(x, flag):
    return x if flag else -x


@case(1.5, 2.5)
@case(2.5, 1.5)
def chosen_function(x, y):
    f = np.sin if x > y else np.cos
    g = (lambda t: t * t) if x < y else math.exp
    return f(x) + g(y)


# ------------------------------------------------------------------------------------------------- loops


@case(1.1, 5)
@case(1.1, 0)
def power(x, n):
    a = 1.0
    for _ in range(n):
        a = a * x
    return a


@case(1.1, 5)
def loop_variable_afterwards(x, n):
    s = 0.0
    for i in range(1, n, 2):
        s += x * i
    return s * i


@case(1.1, 5)
def first_bound_in_loop(x, n):
    for i in range(n):
        if i > 0:
            y = y * x + prev
        else:
            y = x
        prev = y
    return y + prev


@case(1.1, 7)
def steps_and_directions(x, n):
    s = 0.0
    for i in range(n, 0, -2):
        s = s * x + i
    for i in range(2, n):
        s = s + i
    for i in reversed(range(1, n)):
        s = s * 0.5 + i
    for i in range(0, n, 3):
        s = s - i * x
    return s


@case(1.1, 4, 3)
def nested_loops(x, n, m):
    s, t = 0.0, 1
    for i in range(n):
        r = x
        for j in range(m):
            r = r * 0.5 + j
            s += r * i
        t = t + i
    return s * t


@case(0.3, 10)
def integer_becomes_float(x, n):
    s = 0
    for i in range(n):
        s += x * i
    return s


@case(10.0)
def while_loop(x):
    n = 0
    while x > 1:
        x = x / 2
        n += 1
    return x * n


@case(10.0)
def while_true_with_break(x):
    k = 0
    while True:
        x = x * 0.5 + 0.1
        k += 1
        if x < 1:
            break
    return x * k


@case(10.0, 6)
@case(10.0, 0)
def break_and_continue(x, n):
    s = 0.0
    for i in range(n):
        if i % 2 == 0:
            continue
        s += x * i
        if s > 30:
            break
        s += 1
    return s


@case(np.array([1.0, -2.0, 3.0]))
@case(np.array([1.0, 2.0, 3.0]))
def return_from_loop(xs):
    for i, v in enumerate(xs):
        if v < 0:
            return v * i
    return 99.0


@case(np.array([1.0, -2.0, 3.0]), 2.0)
@case(np.array([1.0, 2.0, 3.0]), 2.5)
@case(np.array([1.0, 2.0, 3.0]), 9.0)
def for_else(xs, t):
    r = 0.0
    for v in xs:
        if v >= t:
            r = v * 10
            break
        r += v
    else:
        r = -r
    return r


@case(5.0)
@case(0.5)
def while_else(x):
    k = 0
    while x > 1:
        x = x - 1
        k += 1
        if k > 10:
            break
    else:
        k = k + 100
    return x + k


@case(A, 2.0)
@case(A, 0.5)
@case(A, 99.0)
def return_from_nested_loops(M, t):
    n, m = M.shape
    for i in range(n):
        for j in range(m):
            if M[i, j] > t:
                return M[i, j] * 100 + i * 10 + j
        if i == 7:
            break
    return -1.0


@case(8.0)
def while_with_walrus(x):
    total = 0.0
    while (y := x * 0.5) > 0.3:
        x = y
        total += y
    return total


@case(3.0, 20)
def while_with_two_conditions(x, n):
    i = 0
    while i < n and abs(x - 1) > 0.01:
        x = 0.5 * (x + 1 / x)
        i += 1
    return x + i


@case(2.0, 6)
def swapping_scalars(x, n):
    a, b = 0.0, 1.0
    for _ in range(n):
        a, b = b, a + b * x
    return a + b


@case(X)
def loop_over_array(x):
    s = 0.0
    for v in x:
        s = s * 0.5 + v * v
    return s


@case(A)
def loop_over_rows(M):
    t = np.zeros(4)
    for row in M:
        t = t * 0.5 + row
    return t


@case(X, 2 * X)
def zipping(x, y):
    s = 0.0
    for a, b in zip(x, y):
        s += a * b
    for i, (a, b) in enumerate(zip(x, y), start=1):
        s += i * a - b
    return s


@case(X, [1.0, 2.0, 3.0], 3)
def zip_of_different_kinds(x, w, n):
    s = 0.0
    for a, b, k in zip(x, w, range(n)):
        s += a * b * k
    return s


@case(0.5, 3)
def rebinding_the_bound(x, n):
    s = 0.0
    for i in range(n):
        n = 10
        s += x * n * i
        i = 5
    return s + i + n


@case((1.0, 2.0, 3.0))
def unrolled_with_break(t):
    s = 0.0
    for v in t:
        if v > 2.5:
            break
        if v < 1.5:
            continue
        s += v
    else:
        s = 99.0
    return s


@case([1.0, 2.0, 3.0], 1.5)
@case([1.0, 2.0, 3.0], 9.0)
def unrolled_with_return(values, t):
    for k, v in enumerate(values):
        if v > t:
            return v * k
    return -2.0 if t < 0 else -1.0


@case(3, 2)
def product_of_ranges(n, m):
    s = 0.0
    for i, j in itertools.product(range(n), range(m)):
        s = s * 0.5 + i * 10 + j
    for i, j in np.ndindex(n, m):
        s += i * j
    return s


@case(0.1, 3)
def loop_in_a_branch_in_a_loop(x, n):
    s = 1.0
    for i in range(n):
        if i % 2:
            for j in range(i):
                s = s * x + j
        else:
            s += 1
    return s


# ---------------------------------------------------------------------------------- arrays and their views


@case(X)
def element_and_slice_writes(x):
    y = x * 1.0
    y[0] = 3.0
    y[1:3] = y[:2] * 2
    y[-1] += 5
    y[::2] *= 2
    y[::-1][0] -= 1
    return y


@case(A)
def writes_of_every_shape(M):
    B = M * 1.0
    B[0] = 1.0
    B[:, 1] = B[:, 2]
    B[1:, ::2] += 10
    B[..., -1] = 0
    B[1][2] = 7
    B[2, :][1:3] *= 3
    B[None, 0, :][0] += 0.5
    return B


@case(X)
def alias_sees_write(x):
    y = x * 1.0
    z = y
    z[0] = 9
    y[1] = z[0] + 1
    return y + z * 100


@case(X)
def view_sees_write(x):
    y = x * 1.0
    v = y[1:3]
    y[1] = 100
    w = v * 1.0
    v[1] = 7
    return y, w, v


@case(X)
def augmented_is_in_place(x):
    y = x * 1.0
    z = y
    y += 1
    z *= 2
    y = y + 1
    z -= 5
    return y, z


@case(X)
def augmented_view(x):
    y = x * 1.0
    v = y[:2]
    v += 10
    w = v[1:]
    w[:] = 3
    return y


@case(A)
def transposes_are_views(M):
    B = M.copy()
    T = B.T
    T[1] = 5
    B[0, 0] = -1
    T[3, 2] += 2
    S = np.swapaxes(B, 0, 1)
    S[0] *= 2
    return B, T * 1.0


@case(A)
def reshape_is_a_view_of_a_copy(M):
    B = M.copy()
    flat = B.reshape(-1)
    flat[5] = 50
    B.ravel()[0] = 7
    B.reshape(2, 6)[1, 1:3] = 9
    return B


@case(A)
def rows_in_loops_are_views(M):
    B = M * 1.0
    for row in B:
        row *= 2
        row[0] = row[1] + 1
    for i, row in enumerate(B):
        row += i
    for a, b in zip(B[0], B[1]):
        B[2, 0] += a * b
    return B


@case(A, 3)
def row_taken_by_index_in_loop(M, n):
    B = M * 1.0
    for i in range(n):
        row = B[i]
        row[1:] += row[:-1]
        part = row[2:]
        part *= 0.5
    return B


@case(X, 3)
@case(X, 4)
def swapping_buffers(x, n):
    a = x * 1.0
    b = np.zeros_like(a)
    for _ in range(n):
        b[1:-1] = 0.5 * (a[:-2] + a[2:])
        a, b = b, a
    return a, b


@case(X, 3)
def ping_pong(x, n):
    a, b = x * 1.0, x * 2.0
    for _ in range(n):
        b[1:-1] = 0.3 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.3 * (b[:-2] + b[1:-1] + b[2:])
    return a + b


@case(X, 1.0)
@case(X, -1.0)
def write_through_a_chosen_name(x, s):
    a, b = x * 1.0, x * 2.0
    if s > 0:
        c, row = a, b[1:]
    else:
        c, row = b, a[:3]
    c[0] = 5.0
    row *= 2.0
    a[1] = c[0] + row[0]
    return a, b, c, row


@case(X, 3)
@case(X, 4)
def buffers_chosen_by_parity(x, n):
    a, b = x * 1.0, x * 2.0
    for t in range(n):
        if t % 2 == 0:
            src, dst = a, b
        else:
            src, dst = b, a
        dst[1:-1] = 0.5 * (src[:-2] + src[2:])
    return a, b


@case(X, 3)
def three_buffers_rotating(x, n):
    old, now, new = x * 1.0, x * 0.5, np.zeros(4)
    for _ in range(n):
        new[1:-1] = 2 * now[1:-1] - old[1:-1] + 0.1 * (now[:-2] + now[2:])
        old, now, new = now, new, old
    return old, now, new


@case(X, 3)
def buffer_replaced_each_time(x, n):
    u = x * 1.0
    for _ in range(n):
        un = u.copy()
        u[1:-1] = un[1:-1] + 0.1 * (un[2:] - 2 * un[1:-1] + un[:-2])
    return u


@case(X, 3)
def rebinding_in_loop(x, n):
    y = x
    for _ in range(n):
        y = y * 0.5 + x
        y[0] = 1.0
    return y, x


@case(X, 1.0)
@case(X, -1.0)
def writes_in_branches(x, s):
    y = x * 1.0
    z = y
    if s > 0:
        y[0] = s
    else:
        y[1:] *= s
    return z * 2


@case(X, 1.0)
@case(X, -1.0)
def read_of_an_ambiguous_alias(x, s):
    a, b = x * 1.0, x * 2.0
    c = a if s > 0 else b
    return a + b + c


@case(X, 1.0)
@case(X, -1.0)
def copy_of_an_ambiguous_alias(x, s):
    a, b = x * 1.0, x * 2.0
    c = (a if s > 0 else b).copy()
    c[0] = 7
    a[1] = 8
    return a + b + c


@case(X)
def overlapping_assignment(x):
    y = x * 1.0
    y[1:] = y[:-1]
    y[:-1] += y[1:]
    y[:] = y[::-1]
    return y


@case(X)
def advanced_indexing_copies(x):
    y = x * 1.0
    z = y[[0, 2]]
    z[0] = 99
    m = y[y > 0]
    m *= 0
    y[np.array([1, 3])] = 5
    y[[0, 0]] += 1
    y[y > 4] -= 3
    return y, z, m


@case(X)
def add_at_and_friends(x):
    y = np.zeros(4)
    np.add.at(y, np.array([0, 1, 1, 3]), x)
    z = np.empty(4)
    np.multiply(x, 2, out=z)
    np.copyto(y[1:2], 7.0)
    z.fill(0.5) if x[0] > 100 else z[1:].fill(0.25)
    return y, z


@case(X)
def chained_assignment_shares(x):
    a = b = x * 1.0
    a[0] = 5
    c = d = 2.0
    c += 1
    return a + b, c + d


@case(A)
def two_rows_one_array(M):
    B = M * 1.0
    p, q = B[0], B[1]
    p[0], q[0] = q[0], p[0]
    B[0], B[1] = B[1].copy(), B[0].copy()
    p += q
    return B, p * 1.0, q


@case(A)
def flat_index(M):
    B = M * 1.0
    B.flat[5] = 10
    s = 0.0
    for v in B.flat:
        s = s * 0.5 + v
    B.T.flat[1] = 3
    return B, s


@case(A, 1)
def computed_slices(M, k):
    B = M * 1.0
    B[k : k + 2, : M.shape[1] - k] *= 2
    n = len(M)
    B[n - 1, k] = B[:k].sum()
    return B[:, k:]


@case(np.ones((2, 3, 4)) * 0.5)
def three_axes(T):
    B = T * 1.0
    B[0, :, 1] = 2
    B[:, 1][1] += 3
    B[1].T[2] = 4
    plane = B[..., 0]
    plane[0] = 9
    return B, B[0][1][2]


@case(X)
def shape_arithmetic(x):
    y = np.zeros((x.size, 2))
    n, m = y.shape
    y[:, 0] = x
    y[:, 1] = np.arange(n) * m
    return y.reshape(m, n), y.ndim + y.size + len(y), y.T.shape[0]


@case(X)
def creation(x):
    n = len(x)
    a = np.array([[x[0], x[1]], [x[2], 1.0]])
    b = np.full((2, n // 2), x[0])
    c = np.eye(2) + np.ones((2, 2)) * np.linspace(0, 1, 2)
    d = np.array([v * v for v in x])
    return a + b + c, d, np.zeros(3), np.arange(1, 4)


@case(np.array([1, 2, 3]), 2)
def integer_arrays(k, n):
    y = k * n
    y[0] += 5
    y //= 2
    return y, k[1] % n, k / 2


@case(A)
def diagonals_and_swaps(M):
    B = M[:, :3] * 1.0
    for i in range(3):
        B[i, i] = B[i, 0] + 1
    B[[0, 2]] = B[[2, 0]]
    np.fill_diagonal(B, 7.0)
    return B


# ------------------------------------------------------------------------------------------ lists and dicts


@case(0.5)
def list_basics(x):
    xs = [x, 2 * x]
    xs.append(3 * x)
    ys = xs
    ys[0] = 10
    zs = xs[:]
    zs[1] = 20
    xs += [1.0]
    xs.insert(0, -1.0)
    last = xs.pop()
    return xs, zs, last, len(ys), xs[-1]


@case(0.5, 4)
def growing_list(x, n):
    xs = []
    for i in range(n):
        xs.append(x * i)
    s = 0.0
    for v in xs:
        s = s * 2 + v
    return s + xs[n // 2] + xs[-1] + len(xs)


@case(0.5, 4)
@case(0.5, 0)
def maybe_growing_list(x, n):
    xs = [x]
    for i in range(n):
        if i % 2:
            xs.append(xs[-1] * i)
    return sum(xs)


@case(0.5, 5)
def list_as_stack(x, n):
    stack = [x]
    for i in range(n):
        stack.append(stack[-1] * 0.5 + i)
    s = 0.0
    while stack:
        s = s * 0.5 + stack.pop()
    return s


@case(X, 3)
def list_of_arrays(x, n):
    rows = [x]
    for i in range(n):
        rows.append(np.sin(rows[-1]) * i)
    return np.stack(rows), rows[1] + rows[n]


@case(X, 3)
def elements_of_dynamic_list_written(x, n):
    rows = []
    for i in range(n):
        rows.append(x * i)
    rows[1][0] = 50.0
    rows[n - 1] += 1
    for row in rows:
        row[3] = -1.0
    return np.array(rows)


@case(0.5, 4)
def list_written_by_computed_index(x, n):
    table = [0.0] * n
    for i in range(n):
        table[i] = x * i
        table[i - 1] += 1
    return table[0] + 10 * table[1] + 100 * table[n - 1]


@case(0.5)
def nested_known_lists(x):
    grid = [[x, 1.0], [2.0, x * x]]
    row = grid[1]
    row[0] = 5.0
    grid[0], grid[1] = grid[1], grid[0]
    return grid[0][0] * 10 + grid[1][1] + row[1]


@case(X)
def known_list_holds_the_array(x):
    y = x * 1.0
    parts = [y, y * 2]
    parts[0][1] = 8
    y[2] = 9
    parts[1] += y
    for p in parts:
        p[0] = 1
    return y, parts[0] + parts[1]


@case(0.5, 3)
def list_of_tuples(x, n):
    pairs = []
    a, b = x, 1.0
    for i in range(n):
        a, b = b, a * x + i
        pairs.append((a, b, i))
    s = 0.0
    for p, q, k in pairs:
        s = s * 0.5 + p * q * k
    return s + pairs[1][0]


@case(0.5, 3)
def list_of_lists_growing(x, n):
    rows = []
    for i in range(n):
        row = []
        for j in range(i + 1):
            row.append(x * i + j)
        rows.append(row)
    s = 0.0
    for row in rows:
        for v in row:
            s = s * 0.9 + v
    return s + rows[2][1]


@case(0.5, 3)
def comprehensions(x, n):
    a = [x * i for i in range(n)]
    b = [v + 1 for v in a if v > 0.2]
    c = [i * j * x for i in range(2) for j in range(i, 3)]
    d = {k: v * x for k, v in zip("pq", (1.0, 2.0))}
    return sum(a), sum(b), sum(c), d["p"] + d["q"], sum(v * v for v in a)


@case(0.5)
def dict_basics(x):
    d = {"a": x, "b": [x, 1.0]}
    e = d
    e["c"] = x * 2
    d["b"][1] = 5.0
    d["a"] += 1
    d.update(z=7.0)
    s = 0.0
    for key, value in d.items():
        if key != "b":
            s = s * 2 + value
    return s, "c" in d, d.get("nope", 3.0), len(d), sorted(d)


@case({"w": X, "b": 0.5}, 2.0)
def dict_argument(p, x):
    p["b"] = p["b"] * x
    q = {**p, "extra": x}
    return {"out": p["w"] * q["b"], "n": q["extra"]}


@case([(A[:, :3], X[:3]), (A[:, :2].T, X[:2])], np.array([0.1, 0.2, 0.3]))
def layers(params, h):
    for W, b in params:
        h = np.tanh(W @ h[: W.shape[1]] + b)
    for i in range(len(params)):
        h = h * np.sum(params[i][1])
    return h


@case(0.5, 1.5)
def tuples_and_stars(x, y):
    t = (x, y, x * y)
    a, *rest = t
    first, (p, q), last = x, (y, x), 3.0
    u = t[:2] + (9.0,)
    *init, end = [1.0, 2.0, a]
    return a, rest, u, t[-1] == x * y, p - q + last + first, init, end


@case(0.5)
def sequence_functions(x):
    xs = [x, 3 * x, 2 * x]
    return (
        max(xs), min(x, 0.3, 1), sum(xs), any(v > 1 for v in xs), all(v > 0 for v in xs),
        list(map(lambda v: v * 2, xs)), list(reversed(xs)), abs(-x), round(x * 10), divmod(7, 2),
        functools.reduce(operator.mul, xs), list(itertools.accumulate(xs)), float(3), int(2.7), bool(x),
        [a + b for a, b in itertools.pairwise(xs)], max(xs, key=lambda v: -v),
    )  # fmt: skip


@case(X)
def reductions_of_builtins(x):
    return max(x), min(x), sum(x), sum([v * v for v in x]), max([abs(v) for v in x]), any(x > 1), all(v > -2 for v in x)


# -------------------------------------------------------------------------------------------------- calls


def helper_writes(a, k):
    a[k] = 100.0
    a *= 2


def helper_kernel(n, src, dst):
    for i in range(1, n - 1):
        dst[i] = 0.5 * (src[i - 1] + src[i + 1])


def helper_early(x, lim=1.0):
    if x > lim:
        return x, "big"
    return -x, "small"


def variadic(first, *rest, scale=1.0, **options):
    total = first
    for r in rest:
        total = total + r
    for name in options:
        total = total + options[name]
    return total * scale


@case(X)
def helper_writes_into_argument(x):
    y = x * 1.0
    helper_writes(y, 1)
    helper_writes(y[2:], 0)
    return y


@case(X, 2)
def helper_kernel_in_loop(x, n):
    a, b = x * 1.0, x * 1.0
    for _ in range(n):
        helper_kernel(4, a, b)
        helper_kernel(4, b, a)
    return a, b


@case(X)
def same_array_twice(x):
    def axpy(a, b):
        a[1:] += b[:-1]
        b[0] = 7

    y = x * 1.0
    axpy(y, y)
    return y


@case(0.5)
@case(2.5)
def callee_returns_early(x):
    y, kind = helper_early(x)
    z, _ = helper_early(x, lim=3.0)
    return y * z


@case(0.5)
def argument_binding(x):
    args = (x, 2.0)
    more = {"scale": 3.0, "p": x}
    return variadic(1.0) + variadic(*args) + variadic(x, *args, **more) + variadic(first=2.0, q=x)


@case(0.5)
def closures(x):
    k = 2.0

    def f(t):
        return t * k + x

    a = f(1.0)
    k = 5.0
    return a + f(1.0)


@case(0.5, 3)
def nonlocal_state(x, n):
    count, total = 0, 0.0

    def add(v):
        nonlocal count, total
        count += 1
        total = total * 0.5 + v

    for i in range(n):
        add(x * i)
    return total * count


@case(X)
def closure_writes_array(x):
    y = x * 1.0

    def put(i, v):
        y[i] = v

    put(0, 5.0)
    put(-1, y[0])
    return y


@case(0.5)
def functions_as_values(x):
    def compose(f, g):
        return lambda t: f(g(t))

    def adder(n):
        def add(t, m=n * 2):
            return t + n + m

        return add

    table = {"sin": np.sin, "double": lambda t: 2 * t}
    h = functools.partial(variadic, 1.0, scale=2.0)
    return compose(np.sin, adder(2))(x) + table["double"](x) + h(x) + [np.cos, abs][0](x)


@case(0.5)
def late_binding_in_loop(x):
    fs = []
    for k in range(3):
        fs.append(lambda t: t * k)
    return fs[0](x) + fs[2](x)


@case(1.3, 6)
def recursion(x, n):
    if n <= 1:
        return x
    return x * recursion(x, n - 1) + recursion(x * 0.5, n - 2)


@case(1.3, 4)
def recursion_of_a_nested_function(x, n):
    def go(t, k):
        if k == 0:
            return t, 1
        a, b = go(t * x, k - 1)
        return a + 1, b + k

    u, v = go(1.0, n)
    return u * v


@case(X)
def recursion_over_slices(x):
    def total(v):
        if len(v) == 1:
            return v[0]
        m = len(v) // 2
        return total(v[:m]) + 2 * total(v[m:])

    return total(x)


@case([1.0, [2.0, [3.0, 4.0]], 5.0])
def recursion_over_structure(tree):
    def total(t):
        if isinstance(t, list):
            return sum([total(one) for one in t]) * 2
        return t * t

    return total(tree)


@case(0.5)
def nested_quadrature(b):
    def integrate(f, lo, hi):
        s = 0.0
        for i in range(4):
            s += f(lo + (hi - lo) * i / 4)
        return s

    return integrate(lambda x: integrate(lambda y: x * y + b, 0.0, x), 0.0, b)


@case(0.5)
def globals_of_the_module(x):
    return x * SCALE + np.sum(TABLE * x) + TABLE[1] + NAMES["b"][1] + math.pi


@case(X)
def methods_are_spellings(x):
    y = x.reshape(2, -1)
    return y.sum(axis=0), x.mean(), y.T.dot(y), x.max() - x.min(), x.copy().std(), x.clip(0, 1), y.astype(float).ndim


@case(X)
def imports_inside(x):
    import numpy.linalg as la
    from math import sqrt as root

    with np.errstate(all="ignore"):
        y = la.norm(x)
    return y + root(4.0)


@case(X, 3)
def random_draws(x, n):
    np.random.seed(7)
    a = x + np.random.randn(4)
    b = np.random.normal(0.0, 1.0, size=(n, 4)) @ a
    rng = np.random.default_rng(n)
    for _ in range(n):
        a = a * rng.uniform() + rng.normal(size=4)
    return a, b, np.random.randint(0, 5)


@case(2.0, 3)
def text_and_printing(x, n):
    label = f"{n:03d}:{x:.1f}"
    print(label, "value", x, [x, n], end="!\n")
    if n > 2:
        print("many %d" % n, "{} {}".format(x, n))
    return x * n


# ------------------------------------------------------------------------------------------------ objects


@dataclass
class Particle:
    position: float
    velocity: float = 0.0
    trail: list = field(default_factory=list)

    def kick(self, f, dt):
        self.velocity += f * dt
        self.move(dt)

    def move(self, dt):
        self.position = self.position + self.velocity * dt
        self.trail.append(self.position)

    @property
    def energy(self):
        return 0.5 * self.velocity**2 + self.position**2


class Vector(NamedTuple):
    x: float
    y: float

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def dot(self, other):
        return self.x * other.x + self.y * other.y


class Model:
    scale = 2.0

    def __init__(self, w):
        self.w = w
        self.calls = 0

    def __call__(self, t):
        self.calls += 1
        return self.w * t * self.scale

    @staticmethod
    def half(t):
        return t / 2


class Bigger(Model):
    def __call__(self, t):
        return Model.__call__(self, t) + 1


@case(0.5, 3)
def dataclass_inside(x, n):
    p = Particle(x, velocity=1.0)
    for _ in range(n):
        p.kick(-p.position, 0.1)
    q = p
    q.position += 1
    return p.energy, p.position, p.trail[1]


@case(Particle(1.0, 2.0), Vector(0.5, 0.25))
def object_arguments(p, v):
    p.velocity = p.velocity * v.x
    w = v + Vector(1.0, y=p.energy)
    a, b = w
    return w, a * b + v.dot(w), p


@case(0.5)
def plain_classes(x):
    m, n = Model(x), Bigger(x * 2)
    return m(2.0) + n(3.0) + m.calls + Model.half(x) + m.half(x) + isinstance(n, Model)


# -------------------------------------------------------------------------------------- traps, and mixtures


@case(X, 3)
def alias_made_in_loop(x, n):
    y = x * 1.0
    z = x * 2.0
    for i in range(n):
        z = y
        z[i] = 10.0 + i
    return y, z


@case(0.5)
def list_changed_ahead_of_the_loop(x):
    xs = [x, 1.0, 2.0, 3.0]
    d = {"a": x, "b": 2.0}
    for i, v in enumerate(xs):
        if i < 3:
            xs[i + 1] = v * 2 + xs[i + 1]
    for key, v in d.items():
        d["b"] = d["b"] + v
    for u, w in zip(xs, reversed(xs)):
        xs[-1] = xs[-1] + u * w
    return xs, d


@case(X, 4)
def iterators_used_once(x, n):
    pairs = zip(x, range(n))
    total = 0.0
    for v, k in pairs:
        total += v * k
    for i, t in enumerate(range(5)):
        total = total * 0.5 + i * t
    for i in reversed(range(4)):
        total -= i * x[i]
    return total, sum(v * v for v in x), max((abs(v) for v in x), default=0.0)


@case(np.arange(24.0)[::3])
def strided_argument(x):
    y = x.reshape(2, 4) * 1.0
    z = (x * 2.0).ravel()
    z[0] = 50.0
    parts = np.split(y, 2)
    parts[0] += 1.0
    return y, z, x.astype(np.float32, copy=False).dtype == np.float32


@case(X, 5)
def accumulators_of_each_kind(x, n):
    total, best, history = 0.0, -1e9, []
    state = {"count": 0, "sum": np.zeros(4)}
    for i in range(n):
        v = x * i
        total += v.sum()
        best = max(best, v[0])
        state["count"] += 1
        state["sum"] += v
        if i % 2:
            history.append(best)
    return total, best, state["sum"], state["count"], history[-1]


@case(np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]))
def cholesky(A):
    n = A.shape[0]
    L = np.zeros_like(A)
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = np.sqrt(s) if i == j else s / L[j, j]
    return L


@case(np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]), np.array([1.0, 2.0, 3.0]))
def gauss(A, b):
    A, b = A.copy(), b.copy()
    n = len(b)
    for k in range(n):
        p = k + np.argmax(np.abs(A[k:, k]))
        if p != k:
            A[[k, p]] = A[[p, k]]
            b[k], b[p] = b[p], b[k]
        for i in range(k + 1, n):
            f = A[i, k] / A[k, k]
            A[i, k:] -= f * A[k, k:]
            b[i] -= f * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return x


@case(0.0, 1.0, 20)
def bisection(lo, hi, steps):
    def f(t):
        return t**3 + t - 1

    flo = f(lo)
    for _ in range(steps):
        mid = (lo + hi) / 2
        fmid = f(mid)
        if fmid == 0:
            return mid
        if (flo < 0) != (fmid < 0):
            hi = mid
        else:
            lo, flo = mid, fmid
    return (lo + hi) / 2


@case(np.array([0.3, 0.1]), 0.1, 5)
def runge_kutta(y, h, n):
    def f(t, y):
        return np.array([y[1], -y[0] + 0.1 * t])

    t, path = 0.0, [y]
    for _ in range(n):
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        y = y + h * k2
        t += h
        path.append(y)
    return y, path[2], np.array(path)


@case(A, 2)
def heat_with_boundaries(u, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        u[0], u[-1] = u[1], u[-2]
        u[:, 0] = 0
        edge = u[:, -1]
        edge[:] = edge * 0.5
    return u
