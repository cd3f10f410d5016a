import numpy as np


def jacobi_jvp(steps: int, A, B, A_dot, B_dot):
    """Value and tangent of `jacobi` (forward mode)."""
    # the caller's arrays stay as they are
    A, B, A_dot, B_dot = A.copy(), B.copy(), A_dot.copy(), B_dot.copy()
    for t in range(1, steps):
        s = 0.33333 * (A_dot[:-2] + A_dot[1:-1] + A_dot[2:])  # line 9
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])  # line 9
        B_dot[1:-1] = s                         # line 9
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])  # line 10
        A_dot[1:-1] = 0.33333 * (B_dot[:-2] + s + B_dot[2:])  # line 10
    return np.sum(A * A), np.sum(2.0 * (A_dot * A))
