import numpy as np


def power_jvp(x: float, n: int, x_dot):
    """Value and tangent of `power` (forward mode)."""
    a = 1.0
    a_dot = 0.0
    for i in range(n):
        a_1 = a * x                             # line 5
        a_dot = a_dot * x + x_dot * a           # line 5
        a = a_1
    return a, a_dot
