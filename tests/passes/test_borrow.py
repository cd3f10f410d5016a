"""Shapes from values that are there anyway."""

from __future__ import annotations

from textwrap import dedent

import numpy as np

from ad_compiler.ir.clone import clone_module
from ad_compiler.ir.printer import show
from ad_compiler.passes.borrow import borrow
from ad_compiler.primitives.evaluate import parse, verify
from tests.passes.support import check, compare, unchanged


def test_a_chain_of_values_that_only_a_shape_needs() -> None:
    check(
        borrow,
        """
        func f(%x: f64[n], %k: i64) -> tuple(f64[n], i64)
          %a = sin %x
          %b = for 0, %k, 1, %a
            do(%i, %c: f64[n])
              %d = exp %c
              yield %d
          %e = zeros_like %b
          %s = size %a
          return %e, %s
        """,
        """
        func f(%x: f64[n], %k: i64) -> tuple(f64[n], i64)
          %a = sin %x
          %b = for 0, %k, 1, %a
            do(%i, %c: f64[n])
              %d = exp %c
              yield %d
          %e = zeros_like %x
          %s = size %x
          return %e, %s
        """,
    )


def test_a_value_that_is_read_anyway_is_the_best_source() -> None:
    unchanged(
        borrow,
        """
        func f(%x: f64[n]) -> tuple(f64[n], f64[n])
          %a = sin %x
          %e = zeros_like %a
          return %a, %e
        """,
    )


def test_another_shape_or_dtype_is_no_source() -> None:
    unchanged(
        borrow,
        """
        func f(%x: i64[n], %z: ?[n]) -> tuple(f64[n], ?[n])
          %a = multiply %x, 2.0
          %b = zeros_like %a
          %c = multiply %z, 1.5
          %d = zeros_like %c
          return %b, %d
        """,
    )
    check(
        borrow,
        """
        func f(%x: i64[n]) -> i64
          %a = multiply %x, 2.0
          %s = size %a
          return %s
        """,
        """
        func f(%x: i64[n]) -> i64
          %a = multiply %x, 2.0
          %s = size %x
          return %s
        """,
    )


def test_through_the_head_of_a_loop_and_through_writes() -> None:
    check(
        borrow,
        """
        func f(%x: f64[n], %z: ?[*z], %k: i64)
          %s = sin %x
          %w = copy %z
          %v = setitem[index=(0,)] %w, 1.0
          %a, %b = for 0, %k, 1, 0, %s
            do(%i, %c, %t: f64[n])
              %m = size %t
              %d = size %i
              %e = add %m, %d
              yield %e, %t
          %g = zeros_like %v
          return %a, %g
        """,
        """
        func f(%x: f64[n], %z: ?[*z], %k: i64)
          %s = sin %x
          %w = copy %z
          %v = setitem[index=(0,)] %w, 1.0
          %a, %b = for 0, %k, 1, 0, %s
            do(%i, %c, %t: f64[n])
              %m = size %x
              %d = size %i
              %e = add %m, %d
              yield %e, %t
          %g = zeros_like %z
          return %a, %g
        """,
    )


def test_a_branch_is_no_source_but_a_parameter_may_be() -> None:
    before = """
        func f(%x: f64[n], %c: bool)
          %s: f64[n] = if %c
            then
              yield %x
            else
              %y = sin %x
              yield %y
          %m = size %s
          return %m
        """
    check(borrow, before, before.replace("size %s", "size %x"))


def test_a_parameter_of_the_same_shape() -> None:
    check(
        borrow,
        """
        func f(%A: f64[*a], %z: ?[*z])
          %tape: list[f64[*a]] = list %A
          %rest: list[f64[*a]], %v: f64[*a] = pop %tape
          %tape.1: list[?[*z]] = list %z
          %rest.1: list[?[*z]], %w: ?[*z] = pop %tape.1
          %a = size %v
          %b = zeros_like %v
          %c = size %w
          %d = zeros_like %w
          return %a, %b, %c, %d
        """,
        """
        func f(%A: f64[*a], %z: ?[*z])
          %tape: list[f64[*a]] = list %A
          %rest: list[f64[*a]], %v: f64[*a] = pop %tape
          %tape.1: list[?[*z]] = list %z
          %rest.1: list[?[*z]], %w: ?[*z] = pop %tape.1
          %a = size %A
          %b = zeros_like %A
          %c = size %z
          %d = zeros_like %w
          return %a, %b, %c, %d
        """,
    )


def test_a_part_of_a_parameter() -> None:
    """Which a value popped off a tape is known to have the shape of."""
    module = parse(
        dedent(
            """
            func f(%A: f64[*a], %ct: f64[*c])
              %u = getitem[index=(1:-1,)] %A
              %tape: list[f64[?]] = list %u
              %rest: list[f64[?]], %v: f64[?] = pop %tape
              %b = unbroadcast %ct, %v
              %c = zeros_like %v
              return %b, %c
            """
        )
    )
    function = module.functions["f"]
    by_name = {op.name: op for op in function.body.ops}
    by_name["pop"].results[1].type = by_name["getitem"].results[0].type
    before = clone_module(module)
    assert borrow(function, module)
    verify(module)
    compare(before, module, np.arange(5.0), np.ones((2, 3)))
    text = show(module)
    assert "getitem[index=(2:,)] %A" in text
    assert "zeros_like %v" in text, "the dtype is not known from the shape"
