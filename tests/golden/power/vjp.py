import numpy as np


def power_grad(x: float, n: int) -> float:
    """Gradient of `power` (reverse mode)."""
    # forward sweep
    a_tape = []
    a = 1.0
    for i in range(n):
        a_tape.append(a)
        a = a * x                               # line 5
    # reverse sweep
    a_bar, x_bar = 1.0, 0.0
    for i in range(n - 1, -1, -1):
        a = a_tape.pop()
        x_bar += a_bar * a                      # line 5
        a_bar = a_bar * x
    return x_bar
