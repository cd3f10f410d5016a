# arg: A: float[n]
# arg: B: float[n]
# at: 4, np.linspace(0.0, 1.0, 7) ** 2, np.linspace(1.0, 0.5, 7)
import numpy as np


def jacobi(steps: int, A, B):
    for t in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return np.sum(A * A)
