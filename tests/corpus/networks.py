"""Networks and the tricks that make them train, as a course writes them."""

import numpy as np

from tests.corpus import example

rng = np.random.default_rng(7)
X = rng.normal(size=(5, 3))
W1, b1 = rng.normal(size=(3, 4)) * 0.6, rng.normal(size=4) * 0.2
W2, b2 = rng.normal(size=(4, 2)) * 0.6, rng.normal(size=2) * 0.2
Y = rng.normal(size=(5, 2))
LABELS = np.array([0, 1, 1, 0, 1])
BITS = np.array([True, False, True, True, False])
INPUTS = np.array(
    [[0.52, 1.12, 0.77, 1.0], [0.88, -1.08, 0.15, 1.0], [0.52, 0.06, -1.30, 1.0], [0.74, -2.49, 1.39, 1.0]]
)
TARGETS = np.array([True, True, False, True])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0.0)


@example(np.array([0.88, 0.06, 0.78, 0.75]), INPUTS, TARGETS, wrt="weights")
def logistic_regression(weights, inputs, targets):
    p = sigmoid(np.dot(inputs, weights))
    return -np.sum(np.log(p * targets + (1 - p) * (1 - targets)))


@example(W1, b1, W2, b2, X, Y)
def two_layers(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    return np.mean((z - y) ** 2)


@example(W1, b1, W2, b2, X, Y, wrt="W1, b1, W2, b2")
def two_layers_relu(W1, b1, W2, b2, X, y):
    h = relu(X @ W1 + b1)
    z = h @ W2 + b2
    loss = 0.5 * np.sum((z - y) ** 2) / len(X)
    return loss + 1e-2 * (np.sum(W1**2) + np.sum(W2**2))


@example([(W1, b1), (W2, b2)], X, LABELS, wrt="params")
def classifier(params, X, labels):
    h = X
    for W, b in params[:-1]:
        h = np.tanh(h @ W + b)
    W, b = params[-1]
    logits = h @ W + b
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    logp = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(logp[np.arange(len(labels)), labels])


@example({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, X, Y, wrt="p")
def dictionary_of_weights(p, X, y):
    h = sigmoid(np.dot(X, p["W1"]) + p["b1"])
    out = np.dot(h, p["W2"]) + p["b2"]
    return ((out - y) ** 2).sum(axis=1).mean()


@example(np.vstack([W1, b1]), X)
def bias_as_a_column_of_ones(W, X):
    Xb = np.hstack([X, np.ones((X.shape[0], 1))])
    return np.sum(sigmoid(Xb @ W) ** 2)


@example(W1[:, 0], b1[0], X, BITS, wrt="w, b")
def binary_cross_entropy(w, b, X, t):
    p = sigmoid(X @ w + b)
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))


@example(W1[:, 0], X, np.where(BITS, 1.0, -1.0), wrt="w")
def hinge_loss(w, X, t):
    margins = 1 - t * (X @ w)
    return np.mean(np.where(margins > 0, margins, 0.0) ** 2) + 0.05 * w @ w


@example(W1, X, np.array([1.0, 0.7, 1.3, 0.9]), np.array([0.1, -0.2, 0.0, 0.3]))
def batch_normalised_layer(W, X, gamma, beta):
    z = X @ W
    mu = z.mean(axis=0)
    var = ((z - mu) ** 2).mean(axis=0)
    return np.sum(np.tanh(gamma * (z - mu) / np.sqrt(var + 1e-3) + beta) ** 2)


@example(W1, X)
def layer_normalisation(W, X):
    z = X @ W
    z = (z - z.mean(axis=-1, keepdims=True)) / np.sqrt(z.var(axis=-1, keepdims=True) + 1e-3)
    return np.sum(z**3)


@example(rng.normal(size=(4, 4)) * 0.5, rng.normal(size=(3, 4)) * 0.5, np.zeros(4), X)
def recurrent_network(Wh, Wx, h0, xs):
    h = h0
    loss = 0.0
    for x in xs:
        h = np.tanh(h @ Wh + x @ Wx)
        loss = loss + np.sum(h**2)
    return loss / len(xs)


@example(rng.normal(size=(7, 16)) * 0.4, rng.normal(size=16) * 0.1, X)
def lstm(W, b, xs):
    n = 4
    h = np.zeros(n)
    c = np.zeros(n)
    for t in range(xs.shape[0]):
        gates = np.concatenate([xs[t], h]) @ W + b
        i = sigmoid(gates[:n])
        f = sigmoid(gates[n : 2 * n] + 1.0)
        o = sigmoid(gates[2 * n : 3 * n])
        g = np.tanh(gates[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum(h * h)


@example(
    rng.normal(size=(5, 3)) * 0.5, rng.normal(size=(3, 3)) * 0.5, rng.normal(size=(3, 3)) * 0.5, rng.normal(size=(3, 3))
)
def self_attention(x, Wq, Wk, Wv):
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = q @ k.T / np.sqrt(k.shape[1])
    scores = scores - scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores)
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.sum((weights @ v) ** 2)


@example(rng.normal(size=(6, 6)), rng.normal(size=(3, 3)))
def convolution_by_loops(image, kernel):
    n, m = image.shape
    k = kernel.shape[0]
    out = np.zeros((n - k + 1, m - k + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(image[i : i + k, j : j + k] * kernel)
    return np.sum(np.maximum(out, 0.0) ** 2)


@example(rng.normal(size=(6, 6)), rng.normal(size=(3, 3)))
def convolution_by_shifts(image, kernel):
    out = np.zeros((4, 4))
    for i in range(3):
        for j in range(3):
            out += kernel[i, j] * image[i : i + 4, j : j + 4]
    return np.sum(np.tanh(out))


@example(rng.normal(size=(4, 4)))
def max_pooling(image):
    pooled = image.reshape(2, 2, 2, 2).max(axis=(1, 3))
    return np.sum(pooled**2)


@example(rng.normal(size=(6, 3)) * 0.5, np.array([2, 0, 2, 5]), np.array([1.0, 0.5, -0.5]), wrt="table, w")
def embedding_lookup(table, tokens, w):
    h = table[tokens]
    return np.sum(np.tanh(h @ w)) + np.mean(h**2)


@example([W1, W2], X, "tanh", wrt="weights")
@example([W1, W2], X, "relu", wrt="weights")
def activation_by_name(weights, X, activation="tanh"):
    h = X
    for W in weights:
        z = h @ W
        if activation == "tanh":
            h = np.tanh(z)
        elif activation == "relu":
            h = z * (z > 0)
        else:
            h = z
    return np.mean(h**2)


@example(W1, X, rng.random((5, 4)) < 0.5, wrt="W")
def dropout_with_mask(W, X, mask):
    h = np.tanh(X @ W)
    h = h * mask / 0.5
    return np.sum(h**2)


@example(np.array([0.3, -0.8, 1.2]), np.array([0.5, 0.1, -0.3]), 5)
def momentum_unrolled(w, target, steps):
    velocity = np.zeros_like(w)
    for _ in range(steps):
        gradient = 2.0 * (w - target) * (1.0 + w**2)
        velocity = 0.9 * velocity - 0.05 * gradient
        w = w + velocity
    return np.sum((w - target) ** 2)


@example(rng.normal(size=(4, 2)), np.array([0.2, -0.1]), 0.7)
def radial_basis_network(centres, x, width):
    d2 = np.sum((centres - x) ** 2, axis=1)
    phi = np.exp(-d2 / (2 * width**2))
    return np.sum(phi) / (1.0 + phi[0])


@example(rng.normal(size=(2, 5)), rng.normal(size=(5, 2)), X[:4, :2])
def autoencoder(encoder, decoder, X):
    code = np.tanh(X @ encoder)
    restored = code @ decoder
    return np.mean(np.sum((X - restored) ** 2, axis=1)) + 0.01 * np.sum(np.abs(code))
