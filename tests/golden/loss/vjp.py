import numpy as np


def loss_grad(W1, b1, W2, b2, X, y):
    """Gradient of `loss` (reverse mode)."""
    # forward sweep
    h = np.tanh(X @ W1 + b1)                    # line 13
    z = h @ W2 + b2                             # line 14
    # reverse sweep
    z_bar = (2.0 / z.size) * (z - y)            # line 15
    b2_bar = np.sum(z_bar, axis=0)              # line 14
    W2_bar = h.T @ z_bar
    s_bar = (z_bar @ W2.T) * (1.0 - h * h)      # line 13
    b1_bar = np.sum(s_bar, axis=0)
    W1_bar = X.T @ s_bar
    return W1_bar, b1_bar, W2_bar, b2_bar
