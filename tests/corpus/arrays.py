"""Array expressions: broadcasting, methods, shapes, creation, joining."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0])
W = np.array([1.5, 0.2, -0.7])
M = np.array([[0.5, -1.0, 0.3], [2.0, 0.4, 1.1]])


@example(V, W, analytic=True)
def elementwise(x, y):
    return np.sum(x * y + x / (2.0 + y) - y**2)


@example(M, V, 0.7, analytic=True)
def broadcasting(A, b, c):
    return np.sum((A + b) * c - A * b / (c + 2.0))


@example(M, np.array([[1.2], [0.3]]), V, analytic=True)
def broadcasting_columns(A, column, row):
    return np.sum((A * column + row) ** 2 / (column**2 + 1.0))


@example(np.array([0.4, 1.1]), V, analytic=True)
def broadcasting_outwards(x, y):
    return np.sum(x[:, None] * y[None, :] + x[:, np.newaxis] ** 2)


@example(V, 2.0, analytic=True)
def array_with_scalar(x, s):
    return np.sum(np.multiply(x, s) + np.add(s, x) - np.subtract(s, x) + np.divide(x, s) + s / (x + 3.0))


@example(np.array(1.5), 0.5)
def zero_dimensional_array(x, y):
    return x * y + np.sin(x)


@example(np.array([1.5]), V)
def length_one(x, y):
    return np.sum(x * y + x)


@example(np.zeros((0,)), 0.5)
def empty_array(x, y):
    return np.sum(x * 2.0) + y**2


@example(M)
def methods(A):
    return A.sum() + A.mean() * A.T.dot(A).sum() + A.reshape(3, 2).sum(axis=0).prod() + A.max() - A.min()


@example(M)
def attributes(A):
    n, m = A.shape
    return A.T.sum() * n + m * A.size * A[0, 0] + len(A) * A.ndim * A[1, 1]


@example(M)
def reshaping(A):
    v = A.reshape(-1)
    B = np.reshape(A, (3, 2))
    return np.sum(v * B.ravel()[::-1]) + np.sum(A.flatten() * v)


@example(M)
def transposing(A):
    B = np.transpose(A)
    return np.sum(B[0] * A[:, 0]) + np.sum(A.T @ A) + np.sum(np.swapaxes(A, 0, 1)[1] ** 2)


@example(np.arange(24.0).reshape(2, 3, 4) / 10 - 1)
def axes_of_three(A):
    B = A.transpose(2, 0, 1)
    C = np.moveaxis(A, 0, -1)
    return np.sum(B[0] * C[:, 0].T) + np.sum(np.sin(B) * B)


@example(V, W)
def joining(x, y):
    z = np.concatenate([x, y, x * y])
    s = np.stack((x, y))
    t = np.vstack([x, y]) * np.hstack([x, y])[:3]
    return np.sum(z**2) + np.sum(s[0] * s[1]) + np.sum(t)


@example(0.3, 1.2)
def array_of_scalars(a, b):
    R = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    v = np.array([b, 1.0])
    return np.sum(R @ v * v)


@example(V)
def creation(x):
    n = x.shape[0]
    a = np.zeros(n) + x
    b = np.ones((n,)) * x + np.full(n, 2.0) * x
    c = np.arange(n) * x + np.linspace(0.0, 1.0, n) * x
    return np.sum(a * b * c) + np.sum(np.eye(n) * np.outer(x, x)) + np.sum(np.zeros_like(x) + x)


@example(V)
def full_of_a_variable(x):
    y = np.full(4, x[0] * x[1])
    z = np.full((2, 2), x[2])
    return np.sum(y**2) + np.sum(z * 3.0)


@example(V)
def tiling(x):
    return np.sum(np.tile(x, 2) * np.arange(6)) + np.sum(np.repeat(x, 2) ** 2 * np.arange(6.0))


@example(V)
def flipping_and_rolling(x):
    return np.sum(np.flip(x) * x) + np.sum(np.roll(x, 1) * x**2) + np.sum(x[::-1] * x)


@example(np.array([[1.0, 2.0, 0.3], [0.1, 0.7, 1.4], [2.2, -0.3, 0.9]]))
def triangles_and_diagonals(A):
    return np.sum(np.tril(A) ** 2) + np.sum(np.triu(A, 1) * A.T) + np.trace(A) * np.sum(np.diag(A) ** 2)


@example(V)
def diagonal_matrix(x):
    D = np.diag(x)
    return np.sum(D @ D) + np.sum(D * np.arange(9).reshape(3, 3))


@example(M)
def squeezing(A):
    B = np.expand_dims(A, 1)
    C = A[None, :, :, None]
    return np.sum(np.squeeze(B) * A) + np.sum(np.squeeze(C, axis=(0, 3)) ** 2)


@example(V)
def broadcast_explicitly(x):
    B = np.broadcast_to(x, (2, 3))
    return np.sum(B * np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


@example(V)
def differences(x):
    return np.sum(np.diff(x) ** 2) + np.sum((x[1:] - x[:-1]) ** 3)


@example(V, analytic=True)
def array_result(x):
    return np.sin(x) * 2.0


@example(M, V, analytic=True)
def matrix_result(A, x):
    return A * x + A @ x[:, None]


@example(V)
def tuple_result(x):
    return np.sum(x), x * 2.0


@example(V)
def dict_result(x):
    return {"total": np.sum(x**2), "scaled": x * 3.0}


@example(V)
def copies(x):
    y = x.copy()
    z = np.array(x)
    u = np.copy(x)
    return np.sum(y * z * u)


@example(V)
def conversions(x):
    return np.sum(np.asarray(x) ** 2) + float(np.sum(x)) + x.astype(float).sum() + np.sum(x).item()


@example(np.array([3.0, 1.0, 2.0]))
def clip_and_masks(x):
    mask = x > 1.5
    return np.sum(np.clip(x, 1.2, 2.5) * x) + np.sum(x * mask) + np.sum(mask) * x[0]


@example(V, np.array([1, 2, 3]), wrt="x")
def integer_array_operand(x, k):
    return np.sum(x**k + k * x + x / k)


@example(V, np.array([True, False, True]), wrt="p")
def boolean_array_operand(p, t):
    return np.sum(p * t + (1 - p) * (1 - t))


@example(V)
def meshgrid_like(x):
    n = len(x)
    X = x.reshape(1, n) - x.reshape(n, 1)
    return np.sum(np.exp(-(X**2)))


@example(V)
def maximum_and_minimum(x):
    return np.sum(np.maximum(x, 0.0) * np.arange(1, 4)) + np.sum(np.minimum(x, x[::-1] * 0.9))
