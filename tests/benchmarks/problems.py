"""What is measured: a function, its arguments, and its gradient as a careful person writes it by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Problem:
    name: str
    function: Callable[..., Any]
    by_hand: Callable[..., Any]  # gives (value, gradients of the arguments in `wrt`)
    args: tuple[Any, ...]
    wrt: tuple[int, ...]


# -- the lecture's function ----------------------------------------------------------------------------


def lecture(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2)


def lecture_by_hand(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2), (x2 + 1.0 / x1, x1 - np.cos(x2))


# -- logistic regression -------------------------------------------------------------------------------


def logistic(w, X, t):
    p = 1.0 / (1.0 + np.exp(-(X @ w)))
    return -np.mean(t * np.log(p) + (1.0 - t) * np.log(1.0 - p))


def logistic_by_hand(w, X, t):
    p = 1.0 / (1.0 + np.exp(-(X @ w)))
    q = 1.0 - p
    value = -np.mean(t * np.log(p) + (1.0 - t) * np.log(q))
    p_bar = ((1.0 - t) / q - t / p) / t.size
    return value, (X.T @ (p_bar * p * q),)


# -- a network of two layers ---------------------------------------------------------------------------


def network(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    return np.mean((z - y) ** 2)


def network_by_hand(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    r = z - y
    z_bar = (2.0 / z.size) * r
    s_bar = (z_bar @ W2.T) * (1.0 - h * h)
    return np.mean(r**2), (X.T @ s_bar, np.sum(s_bar, axis=0), h.T @ z_bar, np.sum(z_bar, axis=0))


# -- a scalar recurrence -------------------------------------------------------------------------------


def recurrence(r, x, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def recurrence_by_hand(r, x, n):
    tape = []
    for _ in range(n):
        tape.append(x)
        x = r * x * (1.0 - x)
    value = x
    r_bar, x_bar = 0.0, 1.0
    for _ in range(n):
        x = tape.pop()
        r_bar += x_bar * x * (1.0 - x)
        x_bar = x_bar * r * (1.0 - 2.0 * x)
    return value, (r_bar, x_bar)


# -- a stencil in place --------------------------------------------------------------------------------


def jacobi(steps, A, B):
    for _ in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return np.sum(A * A)


def jacobi_by_hand(steps, A, B):
    A, B = A.copy(), B.copy()
    for _ in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    A_bar = 2.0 * A
    B_bar = np.zeros_like(B)
    for _ in range(steps - 1, 0, -1):
        s_bar = 0.33333 * A_bar[1:-1]
        A_bar[1:-1] = 0.0
        B_bar[:-2] += s_bar
        B_bar[1:-1] += s_bar
        B_bar[2:] += s_bar
        s_bar = 0.33333 * B_bar[1:-1]
        B_bar[1:-1] = 0.0
        A_bar[:-2] += s_bar
        A_bar[1:-1] += s_bar
        A_bar[2:] += s_bar
    return np.sum(A * A), (A_bar, B_bar)


# -- an element at a time, in place --------------------------------------------------------------------


def smooth_elements(x):
    y = x.copy()
    for i in range(1, len(y)):
        y[i] = 0.5 * y[i - 1] + y[i] * y[i]
    return y[-1]


def smooth_elements_by_hand(x):
    y = x.copy()
    n = len(y)
    for i in range(1, n):
        y[i] = 0.5 * y[i - 1] + y[i] * y[i]
    y_bar = np.zeros_like(x)
    y_bar[-1] = 1.0
    for i in range(n - 1, 0, -1):
        s_bar = y_bar[i]
        y_bar[i - 1] += 0.5 * s_bar
        y_bar[i] = s_bar * 2.0 * x[i]  # y[i] is x[i] until it is written
    return y[-1], (y_bar,)


def problems(quick: bool = False) -> list[Problem]:
    """All of them; smaller ones when `quick`."""
    rng = np.random.default_rng(0)
    rows, steps, cells = (200, 1000, 500) if quick else (2000, 10_000, 2000)
    X, t = rng.normal(size=(rows, 20)), rng.random(rows) < 0.5
    layers = (rng.normal(size=(20, 32)), rng.normal(size=32), rng.normal(size=(32, 5)), rng.normal(size=5))
    return [
        Problem("lecture's function", lecture, lecture_by_hand, (2.0, 5.0), (0, 1)),
        Problem("logistic regression", logistic, logistic_by_hand, (rng.normal(size=20) * 0.1, X, t), (0,)),
        Problem("two-layer network", network, network_by_hand, (*layers, X, rng.normal(size=(rows, 5))), (0, 1, 2, 3)),
        Problem(f"recurrence of {steps} steps", recurrence, recurrence_by_hand, (3.2, 0.3, steps), (0, 1)),
        Problem(
            "stencil in place", jacobi, jacobi_by_hand, (100, rng.normal(size=cells), rng.normal(size=cells)), (1, 2)
        ),
        elements(1000 if quick else 10_000),
    ]


def elements(n: int) -> Problem:
    """The loop over `n` elements."""
    x = np.random.default_rng(1).uniform(0.1, 0.4, n)
    return Problem(f"{n} elements in place", smooth_elements, smooth_elements_by_hand, (x,), (0,))


# -- programs of a given length ------------------------------------------------------------------------


def straight_line(statements: int) -> str:
    """The text of a function of so many statements, one after the other."""
    lines = ["import numpy as np", "", "", "def f(x, y):", "    a = x"]
    forms = ("a = np.sin(a) + {} * y", "b = a * y - {}", "a = b / (1.0 + a * a)", "y = y + np.cos(b) * {}")
    lines += [f"    {forms[k % 4].format(round(0.1 + 0.01 * (k % 50), 2))}" for k in range(statements)]
    return "\n".join([*lines, "    return a * y"]) + "\n"


def nested(statements: int) -> str:
    """The same in loops and branches, up to three deep."""
    lines = ["import numpy as np", "", "", "def f(x, y):", "    a = x", "    b = y"]
    for k in range(0, statements, 8):
        lines += [
            "    for i in range(3):",
            f"        a = np.sin(a) + {0.1 + 0.01 * (k % 50):.2f} * b",
            "        if a > b:",
            "            b = a * y - 0.1",
            "            for j in range(2):",
            "                a = a * 0.5 + b / (1.0 + a * a)",
            "        else:",
            "            b = np.cos(b) * x",
        ]
    return "\n".join([*lines, "    return a * b"]) + "\n"
