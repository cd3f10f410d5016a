import numpy as np


def f_jvp(x1: float, x2: float, x1_dot, x2_dot):
    """Value and tangent of `f` (forward mode)."""
    s = x1_dot / x1 + (x1_dot * x2 + x2_dot * x1) - x2_dot * np.cos(x2)  # line 6
    return np.log(x1) + x1 * x2 - np.sin(x2), s
