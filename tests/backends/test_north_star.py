"""The four outputs that the architecture asks for, from adjoints written by hand."""

from __future__ import annotations

import numpy as np

N = np.random.default_rng(0).normal


def test_straight_line(emits) -> None:
    """The logarithm is not computed: no derivative reads it."""
    emits(
        """
func f_grad(%x1: f64, %x2: f64) -> tuple(f64, f64)
  %0 = log %x1                       # line 2, forward
  %1 = divide 1.0, %x1               # line 2, reverse
  %x1_bar = add %x2, %1              # line 2, reverse
  %2 = cos %x2                       # line 2, reverse
  %x2_bar = subtract %x1, %2         # line 2, reverse
  return %x1_bar, %x2_bar
""",
        """
def f_grad(x1, x2):
    # reverse sweep
    x1_bar = x2 + 1.0 / x1                      # line 2
    x2_bar = x1 - np.cos(x2)
    return x1_bar, x2_bar
""",
        (2.0, 5.0),
    )


def test_power(emits) -> None:
    """One value taped for each trip: the one that a derivative reads."""
    emits(
        """
func power_grad(%x: f64, %n: i64) -> f64
  %a_tape = list # forward
  %a_tape.1: list[f64], %a.1: f64 = for 0, %n, 1, %a_tape, 1.0     # line 3, forward
    do(%i: i64, %a_tape.2: list[f64], %a: f64)
      %a_tape.3 = append %a_tape.2, %a      # line 4, forward
      %a.2 = multiply %a, %x                # line 4, forward
      yield %a_tape.3, %a.2
  %x_bar: f64, %a_bar: f64, %a_tape.4: list[f64] = for[reversed=True] 0, %n, 1, 0.0, 1.0, %a_tape.1  # line 3, reverse
    do(%i.1: i64, %x_bar.1: f64, %a_bar.1: f64, %a_tape.5: list[f64])
      %a_tape.6, %a.3 = pop %a_tape.5         # line 4, reverse
      %0 = multiply %a_bar.1, %a.3            # line 4, reverse
      %x_bar.2 = add %x_bar.1, %0             # line 4, reverse
      %a_bar.2 = multiply %a_bar.1, %x        # line 4, reverse
      yield %x_bar.2, %a_bar.2, %a_tape.6
  return %x_bar
""",
        """
def power_grad(x, n):
    # forward sweep
    a_tape = []
    a = 1.0
    for i in range(n):
        a_tape.append(a)
        a = a * x                               # line 4
    # reverse sweep
    x_bar, a_bar = 0.0, 1.0
    for i in range(n - 1, -1, -1):
        a = a_tape.pop()
        x_bar += a_bar * a                      # line 4
        a_bar = a_bar * x
    return x_bar
""",
        (1.3, 5),
        (1.3, 0),
    )


def test_jacobi(emits) -> None:
    """A loop that is linear in the active values tapes nothing and writes in place, on copies made once."""
    n = "f64[n]"
    emits(
        f"""
func jacobi_grad(%steps: i64, %A: {n}, %B: {n}) -> tuple({n}, {n})
  %A.2: {n}, %B.2: {n} = for 1, %steps, 1, %A, %B                   # line 2, forward
    do(%t: i64, %A.0: {n}, %B.0: {n})
      %1 = getitem[index=(:-2,)] %A.0                   # line 3, forward
      %2 = getitem[index=(1:-1,)] %A.0                  # line 3, forward
      %3 = add %1, %2                                   # line 3, forward
      %4 = getitem[index=(2:,)] %A.0                    # line 3, forward
      %5 = add %3, %4                                   # line 3, forward
      %6 = multiply 0.33333, %5                         # line 3, forward
      %B.1: {n} = setitem[index=(1:-1,)] %B.0, %6       # line 3, forward
      %11 = getitem[index=(:-2,)] %B.1                  # line 4, forward
      %12 = getitem[index=(1:-1,)] %B.1                 # line 4, forward
      %13 = add %11, %12                                # line 4, forward
      %14 = getitem[index=(2:,)] %B.1                   # line 4, forward
      %15 = add %13, %14                                # line 4, forward
      %16 = multiply 0.33333, %15                       # line 4, forward
      %A.1: {n} = setitem[index=(1:-1,)] %A.0, %16      # line 4, forward
      yield %A.1, %B.1
  %A_bar = multiply 2.0, %A.2                           # line 5, reverse
  %B_bar = zeros_like %B                                # reverse
  %A_bar.2: {n}, %B_bar.2: {n} = for[reversed=True] 1, %steps, 1, %A_bar, %B_bar  # line 2, reverse
    do(%t.1: i64, %A_bar.0: {n}, %B_bar.0: {n})
      %20 = getitem[index=(1:-1,)] %A_bar.0             # line 4, reverse
      %s_bar = multiply 0.33333, %20                    # line 4, reverse
      %A_bar.3 = setitem[index=(1:-1,)] %A_bar.0, 0.0   # line 4, reverse
      %B_bar.3 = add_at[index=(:-2,)] %B_bar.0, %s_bar  # line 4, reverse
      %B_bar.4 = add_at[index=(1:-1,)] %B_bar.3, %s_bar # line 4, reverse
      %B_bar.5 = add_at[index=(2:,)] %B_bar.4, %s_bar   # line 4, reverse
      %21 = getitem[index=(1:-1,)] %B_bar.5             # line 3, reverse
      %s_bar.1 = multiply 0.33333, %21                  # line 3, reverse
      %B_bar.6 = setitem[index=(1:-1,)] %B_bar.5, 0.0   # line 3, reverse
      %A_bar.4 = add_at[index=(:-2,)] %A_bar.3, %s_bar.1  # line 3, reverse
      %A_bar.5 = add_at[index=(1:-1,)] %A_bar.4, %s_bar.1 # line 3, reverse
      %A_bar.6 = add_at[index=(2:,)] %A_bar.5, %s_bar.1   # line 3, reverse
      yield %A_bar.6, %B_bar.6
  return %A_bar.2, %B_bar.2
""",
        """
def jacobi_grad(steps, A, B):
    # forward sweep
    A, B = A.copy(), B.copy()                   # the caller's arrays stay as they are
    for t in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])  # line 3
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])  # line 4
    # reverse sweep
    A_bar = 2.0 * A                             # line 5
    B_bar = np.zeros_like(B)
    for t in range(steps - 1, 0, -1):
        s_bar = 0.33333 * A_bar[1:-1]           # line 4
        A_bar[1:-1] = 0.0
        B_bar[:-2] += s_bar
        B_bar[1:-1] += s_bar
        B_bar[2:] += s_bar
        s_bar = 0.33333 * B_bar[1:-1]           # line 3
        B_bar[1:-1] = 0.0
        A_bar[:-2] += s_bar
        A_bar[1:-1] += s_bar
        A_bar[2:] += s_bar
    return A_bar, B_bar
""",
        (4, N(size=7), N(size=7)),
        (1, N(size=7), N(size=7)),
    )


def test_loss(emits) -> None:
    """A network: transposes and sums where the ranks are known."""
    emits(
        """
func loss_grad(%W1: f64[i, h], %b1: f64[h], %W2: f64[h, o], %b2: f64[o], %X: f64[n, i], %y: f64[n, o])
  %1 = matmul %X, %W1                     # line 2, forward
  %2 = add %1, %b1                        # line 2, forward
  %h = tanh %2                            # line 2, forward
  %3 = matmul %h, %W2                     # line 3, forward
  %z = add %3, %b2                        # line 3, forward
  %4 = size %z                            # line 4, reverse
  %5 = divide 2.0, %4                     # line 4, reverse
  %6 = subtract %z, %y                    # line 4, reverse
  %z_bar = multiply %5, %6                # line 4, reverse
  %7 = transpose %h                       # line 3, reverse
  %W2_bar = matmul %7, %z_bar             # line 3, reverse
  %b2_bar = sum[axis=0] %z_bar            # line 3, reverse
  %8 = transpose %W2                      # line 3, reverse
  %h_bar = matmul %z_bar, %8              # line 3, reverse
  %9 = multiply %h, %h                    # line 2, reverse
  %10 = subtract 1.0, %9                  # line 2, reverse
  %s_bar = multiply %h_bar, %10           # line 2, reverse
  %11 = transpose %X                      # line 2, reverse
  %W1_bar = matmul %11, %s_bar            # line 2, reverse
  %b1_bar = sum[axis=0] %s_bar            # line 2, reverse
  return %W1_bar, %b1_bar, %W2_bar, %b2_bar
""",
        """
def loss_grad(W1, b1, W2, b2, X, y):
    # forward sweep
    h = np.tanh(X @ W1 + b1)                    # line 2
    z = h @ W2 + b2                             # line 3
    # reverse sweep
    z_bar = (2.0 / z.size) * (z - y)            # line 4
    W2_bar = h.T @ z_bar                        # line 3
    b2_bar = np.sum(z_bar, axis=0)
    s_bar = (z_bar @ W2.T) * (1.0 - h * h)      # line 2
    W1_bar = X.T @ s_bar
    b1_bar = np.sum(s_bar, axis=0)
    return W1_bar, b1_bar, W2_bar, b2_bar
""",
        (N(size=(3, 4)), N(size=4), N(size=(4, 2)), N(size=2), N(size=(5, 3)), N(size=(5, 2))),
    )
