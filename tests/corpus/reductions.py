"""Sums, means, products, extremes, with axes; norms; cumulative sums; statistics as people write them."""

import numpy as np

from tests.corpus import example

V = np.array([0.5, -1.2, 2.0, 0.7])
M = np.array([[0.5, -1.0, 0.3], [2.0, 0.4, 1.1]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4) + 1.5


@example(M, analytic=True)
def sum_axes(A):
    return np.sum(A) ** 2 + np.sum(np.sum(A, axis=0) ** 2) + np.sum(np.sum(A, axis=1) ** 3)


@example(M, analytic=True)
def sum_keepdims(A):
    return np.sum(A / (3.0 + np.sum(A, axis=1, keepdims=True))) + np.sum(A * A.sum(0, keepdims=True))


@example(T, analytic=True)
def sum_over_two_axes(A):
    return np.sum(np.sum(A, axis=(0, 2)) ** 2) + np.sum(A.sum(axis=-1) ** 2)


@example(M, analytic=True)
def means(A):
    return np.mean(A**2) + np.sum(np.mean(A, axis=0) ** 2) + np.sum((A - A.mean(axis=1, keepdims=True)) ** 2)


@example(M)
def variances(A):
    return np.var(A) + np.std(A) + np.sum(np.var(A, axis=0)) + np.sum(A.std(axis=1)) + np.var(A, ddof=1)


@example(M)
def products(A):
    return np.prod(A) + np.sum(np.prod(A, axis=0) ** 2) + np.prod(A[0])


@example(M)
def extremes(A):
    return np.max(A) * np.min(A) + np.sum(np.max(A, axis=0) ** 2) + np.sum(A.min(axis=1) * A.max(axis=1))


@example(V)
def positions_of_extremes(x):
    return x[np.argmax(x)] ** 2 + x[np.argmin(x)] * np.max(x) + np.amax(x) + np.amin(x)


@example(V)
def cumulative(x):
    return np.sum(np.cumsum(x) ** 2) + np.sum(np.cumprod(x) * np.arange(4))


@example(M)
def cumulative_axis(A):
    return np.sum(np.cumsum(A, axis=0) ** 2) + np.sum(np.cumsum(A, axis=1) ** 3)


@example(V)
def norms(x):
    return np.linalg.norm(x) + np.sqrt(np.sum(x**2)) + np.linalg.norm(x[1:] - x[:-1]) ** 2


@example(M)
def norm_of_rows(A):
    return np.sum(np.linalg.norm(A, axis=1) * np.array([1.0, 2.0])) + np.linalg.norm(A)


@example(V)
def softmax(x):
    e = np.exp(x - np.max(x))
    p = e / np.sum(e)
    return np.sum(p * np.array([1.0, 2.0, -1.0, 0.5]))


@example(M)
def softmax_rows(A):
    e = np.exp(A - A.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.sum(np.log(p[:, 0])) + np.sum(p * p)


@example(V)
def log_sum_exp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


@example(V, np.array([0.1, 0.9, 1.4, 0.2]))
def correlation(x, y):
    xm = x - x.mean()
    ym = y - np.mean(y)
    return np.sum(xm * ym) / np.sqrt(np.sum(xm**2) * np.sum(ym**2))


@example(M)
def covariance(A):
    centred = A - A.mean(axis=0)
    C = centred.T @ centred / (A.shape[0] - 1)
    return np.sum(C**2)


@example(M, np.array([0.1, 0.2, 0.3]), np.array([1.1, 0.8, 0.9]))
def batch_normalisation(A, shift, scale):
    mean = np.mean(A, axis=0)
    variance = np.var(A, axis=0)
    return np.sum((scale * (A - mean) / np.sqrt(variance + 1e-2) + shift) ** 3)


@example(V)
def skewness(x):
    n = x.size
    c = x - np.sum(x) / n
    m2 = np.sum(c**2) / n
    m3 = np.sum(c**3) / n
    return m3 / m2**1.5


@example(V)
def builtin_sum(x):
    return sum(x) + sum(x * x) + sum([v**3 for v in x]) + sum(v * 2.0 for v in x)


@example(V)
def any_and_all(x):
    y = np.sum(x**2)
    if np.any(x < -1.0) and not np.all(x > 0):
        y = y * x[0]
    return y


@example(V)
def weighted_average(x):
    w = np.exp(-np.arange(len(x)) / 2.0)
    return np.sum(w * x) / np.sum(w) + np.dot(w, x**2)


@example(T)
def reduce_last_axis_only(A):
    return np.sum(np.max(A, axis=-1) * np.mean(A, axis=(1, 2))[:, None])
