"""The lecture's function, ln(x1) + x1·x2 − sin(x2): its gradient at (2, 5) is (5.5, 1.716…).

    adc emit examples/lecture.py     the source of its gradient
    adc check examples/lecture.py    the gradient, proved and checked at the point that is used below
    python examples/lecture.py       the gradient, used
"""

import numpy as np


def f(x1: float, x2: float) -> float:
    return np.log(x1) + x1 * x2 - np.sin(x2)


if __name__ == "__main__":
    import ad_compiler

    x1_bar, x2_bar = ad_compiler.grad(f, argnums=(0, 1))(2.0, 5.0)
    print(f"f(2, 5) = {f(2.0, 5.0):.6f}")
    print(f"df/dx1  = {x1_bar:.6f}")
    print(f"df/dx2  = {x2_bar:.6f}")
