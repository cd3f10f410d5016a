"""Views and aliases: several names, one array."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0, 0.7])
M = np.array([[0.5, -1.0, 0.3], [2.0, 0.4, 1.1]])


@example(V)
def write_through_alias(x):
    y = x * 1.5
    z = y
    z[0] = x[1] * x[2]
    return np.sum(y * y)


@example(V)
def write_through_slice(x):
    y = x * 2.0
    v = y[1:]
    v[0] = x[0] ** 2
    return np.sum(y**2) + np.sum(v)


@example(V)
def read_through_view_after_write(x):
    y = x * 2.0
    v = y[1:3]
    y[1] = x[3] * x[0]
    return np.sum(v**2)


@example(V)
def augmented_through_alias(x):
    y = x * 1.0
    z = y
    z += x**2
    return np.sum(y * z)


@example(V)
def rebinding_is_no_write(x):
    y = x * 1.0
    z = y
    z = z + x**2
    return np.sum(y * z)


@example(M)
def row_view(A):
    B = A * 2.0
    row = B[0]
    row *= 3.0
    row[1] = A[1, 1] ** 2
    return np.sum(B**2)


@example(M)
def column_view(A):
    B = A.copy()
    column = B[:, 1]
    column += A[:, 0] * A[:, 2]
    return np.sum(B**2 * np.arange(6.0).reshape(2, 3))


@example(M)
def transposed_view(A):
    B = A.copy()
    T = B.T
    T[0] = A[:, 1] * 2.0
    T[2, 1] *= 3.0
    return np.sum(B**2)


@example(M)
def raveled_view(A):
    B = A.copy()
    flat = B.ravel()
    flat[4] = A[0, 0] * A[1, 2]
    return np.sum(B**3)


@example(V)
def reshaped_view(x):
    y = x * 1.0
    B = y.reshape(2, 2)
    B[0, 1] = x[0] * x[3]
    B[1] += B[0]
    return np.sum(y**2)


@example(M)
def view_of_view(A):
    B = A.copy()
    part = B[:, 1:]
    inner = part[1]
    inner[0] = A[0, 0] ** 2
    inner *= 2.0
    return np.sum(B * B)


@example(M)
def chained_subscripts(A):
    B = A.copy()
    B[1][0] = A[0, 1] * A[0, 2]
    B.T[1][0] += A[1, 0]
    B[:, ::2][0] *= A[1, 1]
    return np.sum(B**2)


@example(M)
def rows_as_loop_variables(A):
    B = A.copy()
    for row in B:
        row *= row[0]
    return np.sum(B)


@example(M)
def rows_by_enumerate(A):
    B = np.zeros_like(A)
    for i, row in enumerate(B):
        row[:] = A[i] ** 2 * (i + 1)
        row[0] += 1.0
    return np.sum(B * A)


@example(V)
def negative_step_view(x):
    y = x.copy()
    r = y[::-1]
    r[0] = x[0] * x[1]
    r[1:] *= 0.5
    return np.sum(y * x)


@example(V)
def copy_breaks_the_alias(x):
    y = x * 1.0
    z = y.copy()
    z[0] = 100.0 * x[1]
    w = y[1:].copy()
    w *= x[0]
    return np.sum(y * y) + np.sum(z) + np.sum(w)


@example(V)
def fancy_index_copies(x):
    y = x * 1.0
    z = y[[0, 2]]
    z *= 10.0
    return np.sum(y) + np.sum(z * z)


@example(V)
def swap_elements(x):
    y = x.copy()
    y[0], y[1] = y[1], y[0]
    y[2], y[3] = y[3] * y[0], y[2] + y[1]
    return np.sum(y * np.arange(1.0, 5.0))


@example(M)
def swap_rows(A):
    B = A.copy()
    tmp = B[0].copy()
    B[0] = B[1]
    B[1] = tmp
    return np.sum(B * np.arange(6.0).reshape(2, 3) ** 2)


@example(V, 4)
def swapping_buffers(x, n):
    a = x.copy()
    b = np.zeros_like(x)
    for i in range(n):
        b[1:-1] = 0.5 * (a[:-2] + a[2:]) + 0.1 * a[1:-1] ** 2
        a, b = b, a
    return np.sum(a) + np.sum(b**2)


@example(V)
def overlapping_read_and_write(x):
    y = x.copy()
    y[1:] = y[:-1] * y[1:]
    y[:-1] += y[1:]
    return np.sum(y**2)


@example(V)
def argument_written(x):
    x[0] = x[1] * x[2]
    x[1:] *= 2.0
    return np.sum(x**2)


@example(M)
def argument_view_written(A):
    row = A[1]
    row += A[0]
    A[:, 0] = 0.0
    return np.sum(A**2)


@example(V, V.copy() + 1.0)
def copy_one_array_to_another(x, y):
    y[:] = x
    y[0] = x[0] ** 2
    x[1] = 5.0 * y[1]
    return np.sum(x * y)


@example(V, 1.5)
def view_kept_over_a_branch(x, s):
    y = x * 1.0
    v = y[:2]
    if s > 0:
        v *= s
    else:
        v[0] = s
    return np.sum(y**2)


@example(V, 3)
def view_in_a_loop(x, n):
    y = x * 1.0
    v = y[1:3]
    for k in range(n):
        v *= y[0]
        y[0] += v[1]
    return np.sum(y)


@example(np.ones((4, 4)) * 0.3 + np.eye(4))
def interior_of_grid(u):
    v = u.copy()
    interior = v[1:-1, 1:-1]
    interior += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    interior[0, 0] = u[0, 0] ** 2
    return np.sum(v**2)


@example(np.arange(12.0).reshape(3, 4) / 7)
def diagonal_written_by_index(A):
    B = A.copy()
    for i in range(3):
        B[i, i] = A[i, i + 1] ** 2
    return np.sum(B * B)
