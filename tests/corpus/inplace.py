"""In-place kernels: element and slice assignment, augmented assignment on parts, accumulation."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0, 0.7, 0.3])
M = np.array([[0.5, -1.0, 0.3], [2.0, 0.4, 1.1], [0.2, 0.9, -0.6]])


@example(V)
def element_assignment(x):
    y = np.zeros(5)
    y[0] = x[0] * x[1]
    y[3] = np.sin(x[2])
    y[-1] = y[0] * y[3]
    return np.sum(y)


@example(V)
def element_augmented(x):
    y = x.copy()
    y[0] += x[1] ** 2
    y[1] *= x[2]
    y[2] -= y[0]
    y[3] /= 1.0 + y[1] ** 2
    y[4] **= 2
    return np.sum(y * x)


@example(V)
def slice_assignment(x):
    y = np.zeros_like(x)
    y[1:] = x[:-1] ** 2
    y[:1] = x[-1]
    y[::2] = y[::2] * 3.0
    return np.sum(y * y)


@example(V)
def slice_augmented(x):
    y = x.copy()
    y[1:] += x[:-1] * 2.0
    y[:3] *= x[2:]
    y[::2] -= 1.0
    y[1::2] /= x[0]
    return np.sum(y**2)


@example(V)
def scalar_into_slice(x):
    y = x.copy()
    y[1:4] = x[0] * x[4]
    y[0] = 0.0
    return np.sum(y**2)


@example(M, np.array([0.2, 0.4, -0.8]))
def vector_into_matrix(A, v):
    B = A.copy()
    B[:] = v * B
    B[0, :] = v
    B[:, 2] += v
    B[1:, :2] *= v[0]
    return np.sum(B**2)


@example(V)
def whole_array_augmented(x):
    y = np.ones(5)
    y += x
    y *= x
    y -= 0.5
    y /= 2.0 + x**2
    y **= 2
    return np.sum(y)


@example(V)
def cumulative_by_loop(x):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] * 0.9 + x[i] ** 2
    return np.sum(y)


@example(V)
def recurrence_of_products(x):
    y = x.copy()
    for i in range(1, y.size):
        y[i] = y[i] * y[i - 1] + np.sin(y[i])
    return y[-1]


@example(V)
def fibonacci_like(x):
    n = 8
    f = np.empty(n)
    f[0] = x[0]
    f[1] = x[1]
    for i in range(2, n):
        f[i] = f[i - 1] + f[i - 2] * x[2]
    return f[n - 1]


@example(M, np.array([1.0, -0.5, 2.0]))
def matrix_vector_by_loops(A, x):
    n, m = A.shape
    y = np.zeros(n)
    for i in range(n):
        for j in range(m):
            y[i] += A[i, j] * x[j]
    return np.sum(y**2)


@example(M, M.T + 0.5)
def matrix_product_by_loops(A, B):
    n = A.shape[0]
    C = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += A[i, k] * B[k, j]
            C[i, j] = s
    return np.sum(C * C)


@example(V, V[::-1] + 0.1, 4)
def jacobi(A, B, steps):
    for t in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return np.sum(A * A)


@example(np.arange(25.0).reshape(5, 5) / 10 - 1, 3)
def seidel_by_loops(A, steps):
    n = len(A)
    for t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = (A[i - 1, j] + A[i, j - 1] + A[i, j] + A[i + 1, j] + A[i, j + 1]) / 5.0
    return np.sum(A**2)


@example(np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 5.0]]))
def cholesky(A):
    n = A.shape[0]
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[j, :j]
            A[i, j] /= A[j, j]
        A[i, i] -= np.dot(A[i, :i], A[i, :i])
        A[i, i] = np.sqrt(A[i, i])
    return np.sum(np.log(np.diag(A))) + A[2, 0] * A[1, 0]


@example(np.array([[4.0, 1.0, 0.5], [1.2, 3.0, 0.2], [0.7, 0.3, 5.0]]), np.array([1.0, 2.0, -1.0]))
def gaussian_elimination(A, b):
    n = len(b)
    A = A.copy()
    b = b.copy()
    for k in range(n - 1):
        for i in range(k + 1, n):
            factor = A[i, k] / A[k, k]
            A[i, k:] -= factor * A[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return np.sum(x**2)


@example(np.array([2.0, 2.5, 3.0, 2.2]), np.array([0.5, 0.4, 0.3]), np.array([1.0, -1.0, 0.5, 2.0]))
def thomas_tridiagonal(d, e, b):
    n = len(d)
    c = np.zeros(n)
    g = np.zeros(n)
    c[0] = e[0] / d[0]
    g[0] = b[0] / d[0]
    for i in range(1, n):
        m = d[i] - e[i - 1] * c[i - 1]
        if i < n - 1:
            c[i] = e[i] / m
        g[i] = (b[i] - e[i - 1] * g[i - 1]) / m
    for i in range(n - 2, -1, -1):
        g[i] -= c[i] * g[i + 1]
    return np.sum(g * g)


@example(M)
def gram_schmidt(A):
    Q = A.copy()
    n = Q.shape[1]
    for k in range(n):
        Q[:, k] /= np.sqrt(np.sum(Q[:, k] ** 2))
        for j in range(k + 1, n):
            Q[:, j] -= (Q[:, k] @ Q[:, j]) * Q[:, k]
    return np.sum(Q * np.arange(9).reshape(3, 3))


@example(V, np.array([0, 2, 2, 1, 4]), wrt="x")
def histogram_with_weights(x, bins):
    h = np.zeros(5)
    for i in range(len(x)):
        h[bins[i]] += x[i] ** 2
    return np.sum(h**2)


@example(V, np.array([0, 2, 2]), wrt="x")
def scatter_by_index_array(x, idx):
    y = x.copy()
    y[idx[1:]] = x[0] * x[1]
    y[[0, 3]] *= 2.0
    return np.sum(y**2)


@example(V)
def mask_assignment(x):
    y = x.copy()
    y[y < 0] = 0.0
    y[x > 0.6] *= 3.0
    return np.sum(y**2)


@example(V, 3)
def overwritten_in_a_loop(x, n):
    y = x.copy()
    for k in range(n):
        y[:] = np.sin(y) + x * y[0]
    return np.sum(y)


@example(V, 3)
def history_in_rows(x, n):
    H = np.zeros((n + 1, x.size))
    H[0] = x
    for t in range(n):
        H[t + 1] = np.tanh(H[t] * 1.1 + 0.1)
        H[t + 1, 0] = H[t, 1] * H[t, 2]
    return np.sum(H[-1]) + np.sum(H[:, 0])


@example(V)
def conditional_writes(x):
    y = np.zeros_like(x)
    for i in range(x.size):
        if x[i] > 0.4:
            y[i] = x[i] ** 2
        elif x[i] < 0:
            y[i] -= x[i]
        else:
            y[0] += x[i]
    return np.sum(y * y)


@example(V)
def insertion_sort(x):
    y = x.copy()
    for i in range(1, len(y)):
        key = y[i]
        j = i - 1
        while j >= 0 and y[j] > key:
            y[j + 1] = y[j]
            j -= 1
        y[j + 1] = key
    return np.sum(y * np.arange(len(y)))


@example(V)
def prefix_products_in_place(x):
    for i in range(1, x.shape[0]):
        x[i] *= x[i - 1]
    return np.sum(x)


@example(np.array([[0.0, 3.0, 10.0], [1.5, 0.0, 4.0], [2.5, 7.0, 0.0]]))
def floyd_warshall(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = min(d[i, j], d[i, k] + d[k, j] + 0.3)
    return d[0, 2] + d[2, 1] * d[1, 2]


@example(M)
def accumulate_rows(A):
    total = np.zeros(3)
    for i in range(3):
        total += A[i] * total[0] + A[i] ** 2
        total[1] = A[i, 0]
    return np.sum(total)


@example(V, 0.4)
def dead_write(x, s):
    y = x.copy()
    y[2] = s * 100.0
    y[2] = x[0] * x[1]
    return np.sum(y)


@example(V)
def with_break_and_writes(x):
    y = np.zeros(5)
    for i in range(5):
        y[i] = x[i] ** 2
        if y[i] > 3.0:
            break
        y[i] *= 2.0
    return np.sum(y**2)
