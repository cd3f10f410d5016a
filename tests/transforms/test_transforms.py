"""Tangent and adjoint of SSA programs against finite differences, through the reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from ad_compiler.ir.core import Module
from ad_compiler.primitives.evaluate import evaluate, parse, verify
from ad_compiler.transforms.jvp import jvp
from ad_compiler.transforms.vjp import grad, joint_vjp, vjp

POWER = """func power(%x: f64, %n: i64) -> f64
  %r: f64 = for 0, %n, 1, 1.0
    do(%i: i64, %a: f64)
      %b: f64 = multiply %a, %x
      yield %b
  return %r
"""

BRANCH = """func f(%x: f64, %y: f64) -> f64
  %c: bool = less %x, %y
  %z: f64 = if %c
    then
      %s: f64 = sin %x
      %t: f64 = multiply %s, %y
      yield %t
    else
      yield %x
  %r: f64 = multiply %z, %z
  return %r
"""

CAPTURE = """func f(%x: f64, %y: f64) -> f64
  %r: f64 = for 0, 3, 1, %x
    do(%i: i64, %a: f64)
      %c: bool = less %a, 2.0
      %b: f64 = if %c
        then
          %t: f64 = multiply %a, %y
          %e: f64 = exp %t
          yield %e
        else
          %q: f64 = sin %a
          yield %q
      yield %b
  %s: f64 = multiply %r, %y
  return %s
"""

NESTED = """func f(%x: f64, %y: f64) -> f64
  %r: f64 = for 0, 3, 1, %x
    do(%i: i64, %a: f64)
      %b: f64 = for 0, 2, 1, %a
        do(%j: i64, %p: f64)
          %k: i64 = add %i, %j
          %q: f64 = multiply %p, %k
          %s: f64 = sin %q
          %t: f64 = add %s, %y
          yield %t
      %d: f64 = multiply %b, %a
      yield %d
  return %r
"""

WHILE = """func f(%x: f64, %y: f64) -> f64
  %r: f64 = while %x
    cond(%a: f64)
      %c: bool = less %a, 50.0
      yield %c
    do(%b: f64)
      %d: f64 = multiply %b, %y
      %e: f64 = exp 0.3
      %g: f64 = add %d, %e
      yield %g
  return %r
"""

BREAKS = """func f(%x: f64, %y: f64) -> f64
  %r: f64 = for[breaks=True] 2, 20, 3, %x
    do(%i: i64, %a: f64)
      %u: f64 = multiply 0.05, %i
      %t: f64 = multiply %a, %u
      %s: f64 = sin %t
      %b: f64 = add %a, %s
      %c: f64 = multiply %b, %y
      %stop: bool = greater %c, 8.0
      yield %stop, %c
  return %r
"""

SWAP = """func f(%x: f64, %y: f64) -> f64
  %p: f64, %q: f64 = for 0, 5, 1, %x, %y
    do(%i: i64, %a: f64, %b: f64)
      %s: f64 = sin %a
      yield %b, %s
  %r: f64 = multiply %p, %q
  return %r
"""

STENCIL = """func f(%A: f64[n], %B: f64[n]) -> f64
  %P: f64[n], %Q: f64[n] = for 1, 4, 1, %A, %B
    do(%t: i64, %a: f64[n], %b: f64[n])
      %l = getitem[index=(:-2)] %a
      %m = getitem[index=(2:)] %a
      %s = multiply %l, %m
      %b1: f64[n] = setitem[index=(1:-1)] %b, %s
      %k = getitem[index=(1:-1)] %b1
      %z = sin %k
      %a1: f64[n] = setitem[index=(1:-1)] %a, %z
      yield %a1, %b1
  %w = multiply %P, %Q
  %r: f64 = sum %w
  return %r
"""

RECURSIVE = """func f(%x: f64, %y: f64) -> f64
  %r: f64 = call[callee='g'] 4, %x, %y
  %s: f64 = multiply %r, %x
  return %s

func g(%n: i64, %a: f64, %b: f64) -> f64
  %c: bool = less_equal %n, 0
  %z: f64 = if %c
    then
      yield %a
    else
      %m: i64 = subtract %n, 1
      %p: f64 = sin %a
      %q: f64 = multiply %p, %b
      %t: f64 = call[callee='g'] %m, %q, %b
      %u: f64 = multiply %t, %a
      yield %u
  return %z
"""

SCALARS = {"power": (POWER, [0], (1.3, 5)), "branch": (BRANCH, [0, 1], (1.0, 5.0))}
SCALARS["other branch"] = (BRANCH, [0, 1], (6.0, 5.0))
SCALARS["capture"] = (CAPTURE, [0, 1], (0.7, 0.9))
SCALARS["nested"] = (NESTED, [0, 1], (0.7, 0.9))
SCALARS["while"] = (WHILE, [0, 1], (0.7, 1.9))
SCALARS["breaks"] = (BREAKS, [0, 1], (0.7, 1.4))
SCALARS["no trip"] = (WHILE, [0, 1], (70.0, 1.9))
SCALARS["swap"] = (SWAP, [0, 1], (0.7, 0.4))
SCALARS["recursive"] = (RECURSIVE, [0, 1], (0.7, 1.4))
SCALARS["stencil"] = (STENCIL, [0, 1], (np.linspace(0.1, 1.1, 6), np.linspace(2.0, 1.0, 6)))


def differences(module: Module, wrt: list[int], leaves: tuple, direction: list) -> np.ndarray:
    """d result / d direction, by a central difference of fourth order."""

    def at(step: float) -> np.ndarray:
        moved = list(leaves)
        for k, d in zip(wrt, direction, strict=True):
            moved[k] = leaves[k] + step * d
        return np.asarray(evaluate(module, *moved)[0])

    h = 2e-4
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def directions(wrt: list[int], leaves: tuple) -> list[list]:
    rng = np.random.default_rng(0)
    return [[rng.normal(size=np.shape(leaves[k]))[()] for k in wrt] for _ in range(3)]


@pytest.mark.parametrize("name", SCALARS)
def test_gradient_tangent_and_second_order(name: str) -> None:
    text, wrt, leaves = SCALARS[name]
    module = parse(text)
    verify(module)
    gradient = grad(module, wrt)
    verify(gradient)
    tangent = jvp(module, wrt)
    verify(tangent)
    joint = joint_vjp(module, wrt)
    verify(joint)
    bars = evaluate(gradient, *leaves)
    assert evaluate(joint, *leaves, 1.0)[1:] is not None
    for bar, other in zip(bars, evaluate(joint, *leaves, 1.0)[1:], strict=True):
        np.testing.assert_allclose(bar, other, rtol=1e-12)
    _, pullback = evaluate(vjp(module, wrt), *leaves)
    for _ in range(2):  # a pullback can be called again
        for bar, other in zip(bars, pullback(1.0), strict=True):
            np.testing.assert_allclose(bar, other, rtol=1e-12)
    second = jvp(gradient, wrt)
    verify(second)
    for direction in directions(wrt, leaves):
        expected = differences(module, wrt, leaves, direction)
        inner = sum(np.sum(bar * d) for bar, d in zip(bars, direction, strict=True))
        np.testing.assert_allclose(inner, expected, rtol=1e-7)
        np.testing.assert_allclose(evaluate(tangent, *leaves, *direction)[1], expected, rtol=1e-7)
        curved = evaluate(second, *leaves, *direction)[len(bars) :]
        for k, dot in enumerate(curved):
            np.testing.assert_allclose(
                dot, _difference_of_gradient(gradient, wrt, leaves, direction, k), rtol=1e-6, atol=1e-8
            )


@pytest.mark.parametrize("name", SCALARS)
def test_reverse_over_reverse(name: str) -> None:
    """The adjoint of the adjoint, along a direction, is the Hessian-vector product of forward over reverse."""
    text, wrt, leaves = SCALARS[name]
    gradient = grad(parse(text), wrt)
    twice = joint_vjp(gradient, wrt)
    verify(twice)
    (direction, *_) = directions(wrt, leaves)
    ahead = evaluate(jvp(gradient, wrt), *leaves, *direction)[len(wrt) :]
    back = evaluate(twice, *leaves, *direction)[len(wrt) :]
    for a, b in zip(ahead, back, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def _difference_of_gradient(
    gradient: Module, wrt: list[int], leaves: tuple, direction: list, position: int
) -> np.ndarray:
    def at(step: float) -> np.ndarray:
        moved = list(leaves)
        for k, d in zip(wrt, direction, strict=True):
            moved[k] = leaves[k] + step * d
        return np.asarray(evaluate(gradient, *moved)[position])

    h = 2e-4
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
