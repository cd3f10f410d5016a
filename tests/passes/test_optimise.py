"""All passes together: the derivatives of the four programs that lead the architecture, and time."""

from __future__ import annotations

import time
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from ad_compiler.ir.clone import clone_module
from ad_compiler.ir.core import walk
from ad_compiler.ir.printer import show
from ad_compiler.passes import optimise
from ad_compiler.primitives.evaluate import parse, verify
from ad_compiler.transforms.jvp import jvp
from ad_compiler.transforms.vjp import grad
from tests.passes.support import compare, samples

LECTURE = """
    func f(%x1: f64, %x2: f64) -> f64
      %a = log %x1                                      # line 2
      %b = multiply %x1, %x2                            # line 2
      %c = add %a, %b                                   # line 2
      %d = sin %x2                                      # line 2
      %e = subtract %c, %d                              # line 2
      return %e
    """
POWER = """
    func power(%x: f64, %n: i64) -> f64
      %a.2 = for 0, %n, 1, 1.0                          # line 3
        do(%i, %a: f64)
          %a.1 = multiply %a, %x                        # line 4
          yield %a.1
      return %a.2
    """
JACOBI = """
    func jacobi(%steps: i64, %A: f64[n], %B: f64[n]) -> f64
      %A.1, %B.1 = for 1, %steps, 1, %A, %B             # line 2
        do(%t, %A.2, %B.2)
          %0 = getitem[index=(:-2,)] %A.2               # line 3
          %1 = getitem[index=(1:-1,)] %A.2              # line 3
          %2 = add %0, %1                               # line 3
          %3 = getitem[index=(2:,)] %A.2                # line 3
          %4 = add %2, %3                               # line 3
          %5 = multiply 0.33333, %4                     # line 3
          %B.3 = setitem[index=(1:-1,)] %B.2, %5        # line 3
          %6 = getitem[index=(:-2,)] %B.3               # line 4
          %7 = getitem[index=(1:-1,)] %B.3              # line 4
          %8 = add %6, %7                               # line 4
          %9 = getitem[index=(2:,)] %B.3                # line 4
          %10 = add %8, %9                              # line 4
          %11 = multiply 0.33333, %10                   # line 4
          %A.3 = setitem[index=(1:-1,)] %A.2, %11       # line 4
          yield %A.3, %B.3
      %12 = multiply %A.1, %A.1                         # line 5
      %13 = sum %12                                     # line 5
      return %13
    """
NETWORK = """
    func loss(%W1: f64[p, q], %b1: f64[q], %W2: f64[q, r], %b2: f64[r], %X: f64[m, p], %y: f64[m, r]) -> f64
      %0 = matmul %X, %W1                               # line 2
      %1 = add %0, %b1                                  # line 2
      %h = tanh %1                                      # line 2
      %2 = matmul %h, %W2                               # line 3
      %z = add %2, %b2                                  # line 3
      %3 = subtract %z, %y                              # line 4
      %4 = power %3, 2                                  # line 4
      %5 = mean %4                                      # line 4
      return %5
    """
PROGRAMS = {
    "lecture": (LECTURE, [0, 1]),
    "power": (POWER, [0]),
    "jacobi": (JACOBI, [1, 2]),
    "network": (NETWORK, [0, 1, 2, 3]),
}


@pytest.mark.parametrize("mode", ["grad", "jvp"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_four_programs(name: str, mode: str, golden: Callable[..., None]) -> None:
    text, wrt = PROGRAMS[name]
    primal = optimise(parse(dedent(text)), debug=True)
    derivative = grad(primal, wrt) if mode == "grad" else jvp(primal, wrt)
    before = clone_module(derivative)
    optimise(derivative, debug=True)
    compare(before, derivative, *samples(before), exact=False)
    golden(show(derivative), f"passes/golden/{name}_{mode}.txt")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_users_own_program_stays(name: str) -> None:
    module = parse(dedent(PROGRAMS[name][0]))
    assert show(optimise(clone_module(module))) == show(module)


@pytest.mark.parametrize("name", PROGRAMS)
def test_second_derivatives(name: str) -> None:
    text, wrt = PROGRAMS[name]
    gradient = optimise(grad(parse(dedent(text)), wrt), debug=True)
    second = jvp(gradient, wrt)
    verify(second)
    before = clone_module(second)
    optimise(second, debug=True)
    compare(before, second, *samples(before), exact=False)
    assert show(optimise(clone_module(second))) == show(second), "a second run finds nothing more"


def straight_line(statements: int) -> str:
    ops = ("multiply %a{0}, %x", "add %a{0}, %y", "sin %a{0}", "exp %a{0}", "subtract %a{0}, %x", "tanh %a{0}")
    lines = [f"  %a{k + 1} = {ops[k % len(ops)].format(k)}  # line {k + 2}" for k in range(statements)]
    head = "func f(%x: f64[n], %y: f64[n])\n  %a0 = multiply %x, %y\n"
    return head + "\n".join(lines) + f"\n  %s = sum %a{statements}\n  return %s\n"


def test_time_grows_with_the_size() -> None:
    """2,000 statements take about ten times as long as 200; the limit leaves room for a busy machine."""

    def seconds(statements: int) -> float:
        modules = [grad(parse(straight_line(statements)), [0, 1]) for _ in range(3)]
        took = []
        for module in modules:
            start = time.process_time()
            optimise(module)
            took.append(time.process_time() - start)
        return min(took)

    small, large = seconds(200), seconds(2000)
    assert large < 40 * small
    assert small < 1.0


def test_no_recursion_over_nested_branches() -> None:
    """A long chain of `elif`."""
    depth = 1500
    lines = ["func f(%x: f64)"]
    for k in range(depth):
        pad = "  " * (2 * k + 1)
        lines += [f"{pad}%c{k} = less %x, {float(k)}", f"{pad}%r{k}: f64 = if %c{k}", f"{pad}  then"]
        lines += [f"{pad}    %a{k} = multiply %x, 2.0", f"{pad}    yield %a{k}", f"{pad}  else"]
    lines += ["  " * (2 * depth + 1) + "yield %x"]
    lines += ["  " * (2 * k + 1) + f"yield %r{k}" for k in range(depth - 1, 0, -1)]
    lines += ["  return %r0"]
    text = "\n".join(lines) + "\n"
    module = parse(text)
    verify(module)
    optimise(module, debug=True)
    assert show(clone_module(module)) == show(module)
    assert sum(1 for _ in walk(module.functions["f"].body)) > depth


def test_a_program_without_anything_to_do() -> None:
    module = parse("func f(%x: f64)\n  return %x\n")
    assert optimise(module) is module
    arguments: list[Any] = [np.float64(1.0)]
    compare(module, module, *arguments)
