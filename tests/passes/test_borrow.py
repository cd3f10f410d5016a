"""Shapes from values that are there anyway."""

from __future__ import annotations

from ad_compiler.passes.borrow import borrow
from tests.passes.support import check, unchanged


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


def test_a_branch_is_no_source() -> None:
    unchanged(
        borrow,
        """
        func f(%x: f64[n], %c: bool)
          %s: f64[n] = if %c
            then
              yield %x
            else
              %y = sin %x
              yield %y
          %m = size %s
          return %m
        """,
    )
