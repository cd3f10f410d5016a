import numpy as np


def loss_jvp(W1, b1, W2, b2, X, y, W1_dot, b1_dot, W2_dot, b2_dot):
    """Value and tangent of `loss` (forward mode)."""
    h = np.tanh(X @ W1 + b1)                    # line 13
    h_dot = (X @ W1_dot + b1_dot) * (1.0 - h * h)  # line 13
    z = h @ W2 + b2                             # line 14
    z_dot = h_dot @ W2 + h @ W2_dot + b2_dot    # line 14
    s = z - y                                   # line 15
    return np.mean(s ** 2), np.mean(2.0 * z_dot * s)
