import numpy as np


def f_grad(x1: float, x2: float) -> tuple[float, float]:
    """Gradient of `f` (reverse mode)."""
    # reverse sweep
    x2_bar = x1 - np.cos(x2)                    # line 6
    x1_bar = x2 + 1.0 / x1
    return x1_bar, x2_bar
