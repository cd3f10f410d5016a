"""Dot, matmul, outer, einsum, solves; the linear algebra of models."""

import numpy as np

from tests.corpus import example

u = np.array([0.5, -1.2, 2.0])
v = np.array([1.5, 0.2, -0.7])
A = np.array([[0.5, -1.0, 0.3], [2.0, 0.4, 1.1]])
B = np.array([[1.0, 0.2], [0.3, -0.8], [0.6, 0.5]])
S = np.array([[4.0, 1.0, 0.5], [1.2, 3.0, 0.2], [0.7, 0.3, 5.0]])


@example(u, v)
def dot_of_vectors(x, y):
    return np.dot(x, y) + x @ y + x.dot(y) * np.inner(x, y) + np.vdot(x, y)


@example(A, u, analytic=True)
def matrix_times_vector(M, x):
    return np.sum((M @ x) ** 2) + np.sum(np.dot(M, x)) + np.sum(M.dot(x) ** 3)


@example(A, np.array([0.3, 0.8]), analytic=True)
def vector_times_matrix(M, y):
    return np.sum((y @ M) ** 2) + np.sum(np.dot(y, M) ** 3)


@example(A, B, analytic=True)
def matrix_times_matrix(M, N):
    return np.sum((M @ N) ** 2) + np.sum(np.matmul(M, N) * np.dot(M, N))


@example(np.sin(np.arange(12.0)).reshape(2, 2, 3), B, analytic=True)
def batch_times_matrix(X, W):
    return np.sum(np.tanh(np.dot(X, W))) + np.sum((X @ W) ** 2)


@example(np.sin(np.arange(12.0)).reshape(2, 2, 3), np.cos(np.arange(12.0)).reshape(2, 3, 2), analytic=True)
def batched_products(X, Y):
    return np.sum((X @ Y) ** 2) + np.sum(np.matmul(X, Y[0]))


@example(u, v, analytic=True)
def outer_products(x, y):
    return np.sum(np.outer(x, y) ** 2) + np.sum(np.outer(x, x) @ y)


@example(A, B, analytic=True)
def einsum(M, N):
    return np.sum(np.einsum("ij,jk->ik", M, N) ** 2) + np.einsum("ij,ij->", M, M) + np.sum(np.einsum("ij->j", M) ** 2)


@example(u, A, v, analytic=True)
def einsum_of_three(x, M, y):
    return np.sum(np.einsum("j,ij,j->i", x, M, y) ** 2)


@example(np.array([[2.0, 0.3], [0.3, 1.5]]), np.array([0.4, 1.1]), analytic=True)
def quadratic_form(Q, x):
    return x @ Q @ x + x.T @ (Q + Q.T) @ x


@example(A, analytic=True)
def gram_matrix(M):
    return np.trace(M @ M.T) + np.sum((M.T @ M) ** 2)


@example(S, u)
def solve(M, b):
    return np.sum(np.linalg.solve(M, b) ** 2)


@example(S)
def inverse_and_determinant(M):
    return np.sum(np.linalg.inv(M) ** 2) + np.linalg.det(M) + np.trace(np.linalg.inv(M))


@example(S, u)
def gaussian_log_likelihood(covariance, x):
    residual = x - 0.5
    C = covariance @ covariance.T
    return -0.5 * residual @ np.linalg.solve(C, residual) - 0.5 * np.log(np.linalg.det(C))


@example(A, np.array([0.2, 1.4]), u)
def least_squares(X, y, w):
    r = X @ w - y
    return np.mean(r**2) + 0.1 * np.sum(w**2)


@example(S, u)
def power_iteration(M, x):
    for i in range(6):
        x = M @ x
        x = x / np.linalg.norm(x)
    return x @ M @ x


@example(S + S.T, u)
def conjugate_gradient(M, b):
    x = np.zeros_like(b)
    r = b - M @ x
    p = r
    rs = r @ r
    for i in range(2):
        q = M @ p
        alpha = rs / (p @ q)
        x = x + alpha * p
        r = r - alpha * q
        new = r @ r
        p = r + (new / rs) * p
        rs = new
    return np.sum(x**2)


@example(np.array([0.3, -0.5, 0.8]))
def rotation_matrices(angles):
    a, b, c = angles
    Rx = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(a), -np.sin(a)], [0.0, np.sin(a), np.cos(a)]])
    Ry = np.array([[np.cos(b), 0.0, np.sin(b)], [0.0, 1.0, 0.0], [-np.sin(b), 0.0, np.cos(b)]])
    Rz = np.array([[np.cos(c), -np.sin(c), 0.0], [np.sin(c), np.cos(c), 0.0], [0.0, 0.0, 1.0]])
    return (Rz @ Ry @ Rx @ np.array([1.0, 2.0, 3.0]))[0]


@example(u, v)
def cross_product_by_hand(x, y):
    c = np.array([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]])
    return np.sum(c * c) / np.linalg.norm(x)


@example(A, B)
def tensordot(M, N):
    return np.sum(np.tensordot(M, N, axes=1) ** 2) + np.tensordot(M, N.T, axes=2)
