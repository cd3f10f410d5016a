"""Common subexpressions."""

from __future__ import annotations

from ad_compiler.passes.cse import cse
from tests.passes.support import check, unchanged


def test_equal_ops_are_one_also_inside_regions() -> None:
    check(
        cse,
        """
        func f(%x: f64[n], %y: f64[n], %k: i64) -> f64[n]
          %a = multiply %x, %y
          %b = for 0, %k, 1, %x
            do(%i, %c)
              %d = multiply %y, %x                          # reverse
              %e = add %c, %d                               # reverse
              yield %e
          %g = add %a, %b
          return %g
        """,
        """
        func f(%x: f64[n], %y: f64[n], %k: i64) -> f64[n]
          %a = multiply %x, %y
          %b = for 0, %k, 1, %x
            do(%i, %c)
              %e = add %c, %a                               # reverse
              yield %e
          %g = add %a, %b
          return %g
        """,
    )


def test_branches_do_not_see_each_other() -> None:
    unchanged(
        cse,
        """
        func f(%x: f64) -> f64
          %c = less %x, 1.0
          %a = if %c
            then
              %d = exp %x
              yield %d
            else
              %e = exp %x
              yield %e
          %g = exp %x
          %h = add %a, %g
          return %h
        """,
    )


def test_numbers_of_different_kinds_are_different() -> None:
    unchanged(
        cse,
        """
        func f(%x: f64[n])
          %a = multiply %x, 1.0
          %b = multiply %x, 1
          %c = multiply %x, True
          %d = multiply %x, 0.0
          %e = multiply %x, -0.0
          return %a, %b, %c, %d, %e
        """,
    )


def test_attributes_count() -> None:
    check(
        cse,
        """
        func f(%x: f64[n, m])
          %a = sum[axis=0] %x
          %b = sum[axis=1] %x
          %c = sum[axis=0] %x
          return %a, %b, %c
        """,
        """
        func f(%x: f64[n, m])
          %a = sum[axis=0] %x
          %b = sum[axis=1] %x
          return %a, %b, %a
        """,
    )


def test_new_arrays_draws_and_effects_are_not_merged() -> None:
    unchanged(
        cse,
        """
        func f(%x: f64[n])
          %a: f64[n] = zeros_like %x                        # reverse
          %b: f64[n] = zeros_like %x                        # reverse
          %c: list[f64] = list
          %d: list[f64] = list
          %r: f64 = opaque[template='1.0']
          %s: f64 = opaque[template='1.0']
          effect[template='_0_'] %x
          effect[template='_0_'] %x
          return %a, %b, %c, %d, %r, %s
        """,
    )


def test_cheap_things_that_the_user_wrote_twice_stay() -> None:
    unchanged(
        cse,
        """
        func f(%x: f64, %A: f64[n]) -> f64
          %a = multiply %x, %x                              # forward
          %b = multiply %x, %x                              # forward
          %p = getitem[index=(0,)] %A                       # forward
          %q = getitem[index=(0,)] %A                       # forward
          %c = add %a, %b                                   # forward
          %d = multiply %p, %q                              # forward
          %e = add %c, %d                                   # forward
          return %e
        """,
    )


def test_the_name_of_the_user_survives() -> None:
    check(
        cse,
        "func f(%x: f64)\n  %0 = exp %x  # reverse\n  %y = exp %x  # reverse\n  return %0, %y\n",
        "func f(%x: f64)\n  %y = exp %x  # reverse\n  return %y, %y\n",
    )
