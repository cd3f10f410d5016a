# arg: W1: float[d, h]
# arg: b1: float[h]
# arg: W2: float[h, k]
# arg: b2: float[k]
# arg: X: float[n, d]
# arg: y: float[n, k]
# wrt: W1, b1, W2, b2
# at: np.ones((3, 4)) / 7, np.linspace(0, 1, 4), np.cos(np.ones((4, 2))), np.ones(2), np.sin(np.arange(15.0)).reshape(5, 3), np.ones((5, 2))
import numpy as np


def loss(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    return np.mean((z - y) ** 2)
