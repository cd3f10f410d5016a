import numpy as np


def jacobi_grad(steps: int, A, B):
    """Gradient of `jacobi` (reverse mode)."""
    # forward sweep
    A, B = A.copy(), B.copy()                   # the caller's arrays stay as they are
    for t in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])  # line 9
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])  # line 10
    # reverse sweep
    A_bar = 2.0 * A                             # line 11
    B_bar = np.zeros_like(B)
    for t in range(steps - 1, 0, -1):
        s_bar = 0.33333 * A_bar[1:-1]           # line 10
        B_bar[2:] += s_bar
        B_bar[1:-1] += s_bar
        B_bar[:-2] += s_bar
        A_bar[1:-1] = 0.0
        s_bar = 0.33333 * B_bar[1:-1]           # line 9
        A_bar[2:] += s_bar
        A_bar[1:-1] += s_bar
        A_bar[:-2] += s_bar
        B_bar[1:-1] = 0.0
    return A_bar, B_bar
