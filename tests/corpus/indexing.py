"""Reading: elements, slices, rows, columns, index arrays, masks, ellipsis, newaxis."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0, 0.7, 0.3])
M = np.array([[0.5, -1.0, 0.3, 0.9], [2.0, 0.4, 1.1, -0.5], [0.2, 0.9, -0.6, 1.3]])
T = np.cos(np.arange(24.0)).reshape(2, 3, 4)


@example(V)
def elements(x):
    return x[0] * x[-1] + x[2] ** 2


@example(V)
def slices(x):
    return np.sum(x[1:] * x[:-1]) + np.sum(x[::2] ** 2) + np.sum(x[3:0:-1]) + np.sum(x[-2:])


@example(M)
def rows_and_columns(A):
    return np.sum(A[0] * A[1]) + np.sum(A[:, 1] ** 2) + A[2, 3] * A[-1, 0] + np.sum(A[1, :])


@example(M)
def blocks(A):
    return np.sum(A[:2, 1:3] ** 2) + np.sum(A[1:, ::2] * A[:-1, 1::2])


@example(T)
def three_axes(A):
    return np.sum(A[:, :, 0] * A[:, :, 1]) + np.sum(A[0, :, 1:]) + np.sum(A[1, 2] ** 2) + A[1, 2, 3]


@example(T)
def ellipsis_and_newaxis(A):
    return np.sum(A[..., 0] ** 2) + np.sum(A[0, ...] * A[1]) + np.sum(A[:, None, 0, :] * A[:, :, 1, None])


@example(V, np.array([0, 2, 2, 4]), wrt="x")
def repeated_index_array(x, idx):
    return np.sum(x[idx] ** 2) + np.sum(x[idx] * np.arange(4))


@example(V)
def literal_index_list(x):
    return np.sum(x[[0, 0, 3]] * np.array([1.0, 2.0, 3.0])) + np.sum(x[np.array([1, 4])] ** 3)


@example(M, np.array([0, 2, 1]), np.array([1, 1, 3]), wrt="A")
def pairs_of_index_arrays(A, i, j):
    return np.sum(A[i, j] ** 2) + np.sum(A[np.arange(3), j] * 2.0) + np.sum(A[i] ** 2)


@example(M, np.array([3, 0, 3]), wrt="A")
def columns_by_index_array(A, j):
    return np.sum(A[:, j] * np.arange(9).reshape(3, 3))


@example(V)
def boolean_mask(x):
    return np.sum(x[x > 0] ** 2) + np.sum(x[np.array([True, False, True, False, True])])


@example(M)
def boolean_mask_of_matrix(A):
    positive = A > 0
    return np.sum(np.log(A[positive])) + np.sum(A[A[:, 0] > 0.3] ** 2)


@example(V, 3, wrt="x")
def variable_bounds(x, k):
    return np.sum(x[:k] ** 2) + np.sum(x[k - 1 :]) + x[k] * x[k - 3]


@example(V)
def negative_indices_in_loop(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[-i] + x[-1 - i] * i
    return total


@example(V, np.array([2, 0, 1]), wrt="x")
def index_read_from_array(x, order):
    total = 1.0
    for k in range(3):
        total = total * x[order[k]] + x[k]
    return total


@example(M)
def chained_reads(A):
    return A[0][1] * A[1][2:][0] + A.T[3][2] + A[1:][0, 0]


@example(V)
def stencil(x):
    return np.sum((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2)


@example(T, 1, wrt="A")
def integer_in_the_middle(A, k):
    return np.sum(A[:, k, :] ** 2) + np.sum(A[:, k - 1, ::2])


@example(V)
def sorting(x):
    return np.sum(np.sort(x) * np.arange(5.0)) + np.sum(x[np.argsort(x)] ** 2 * np.arange(5))


@example(M, np.array([1, 0, 3]), wrt="logits")
def cross_entropy_of_labels(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(logp[np.arange(len(labels)), labels])


@example(V, np.array([0.5, 2.2, 3.1]))
def linear_interpolation(table, where):
    total = 0.0
    for w in where:
        i = int(np.floor(w))
        t = w - i
        total += (1 - t) * table[i] + t * table[i + 1]
    return total


@example(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 2, 1, 2]), np.array([0, 1, 3, 4]), V[:3], wrt="data, x")
def sparse_matrix_vector(data, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            y[i] += data[k] * x[columns[k]]
    return np.sum(y**2)
