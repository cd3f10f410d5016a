"""Loop-invariant code."""

from __future__ import annotations

from ad_compiler.passes.hoist import hoist
from tests.passes.support import check, unchanged


def test_out_of_two_loops_in_one_go() -> None:
    check(
        hoist,
        """
        func f(%x: f64[n], %k: i64) -> f64[n]
          %y = for 0, %k, 1, %x
            do(%i, %a)
              %z = for 0, %k, 1, %a
                do(%j, %b)
                  %s = sin %x                               # reverse
                  %t = multiply 2.0, %s                     # reverse
                  %c = multiply %b, %t                      # reverse
                  yield %c
              yield %z
          return %y
        """,
        """
        func f(%x: f64[n], %k: i64) -> f64[n]
          %s = sin %x                                       # reverse
          %t = multiply 2.0, %s                             # reverse
          %y = for 0, %k, 1, %x
            do(%i, %a)
              %z = for 0, %k, 1, %a
                do(%j, %b)
                  %c = multiply %b, %t                      # reverse
                  yield %c
              yield %z
          return %y
        """,
    )


def test_what_may_raise_or_is_cheap_or_the_users_stays() -> None:
    unchanged(
        hoist,
        """
        func f(%x: f64, %A: f64[n], %B: f64[m?], %k: i64) -> f64[n]
          %y = for 0, %k, 1, %A
            do(%i, %a)
              %p = divide 1.0, %x                           # reverse
              %q = multiply %x, %x                          # reverse
              %r = add %A, %B                               # reverse
              %s = exp %A                                   # forward
              %t = getitem[index=(3,)] %A                   # reverse
              %z = zeros_like %A                            # reverse
              %xs: list[f64] = list %x                      # reverse
              %ys: list[f64] = add %xs, %xs                 # reverse
              %u = multiply %p, %q                          # reverse
              %v = multiply %u, %t                          # reverse
              %w = multiply %v, %a                          # reverse
              %c = multiply %w, %s                          # reverse
              %d = add %c, %z                               # reverse
              yield %d
          return %y
        """,
    )


def test_nothing_leaves_a_branch() -> None:
    unchanged(
        hoist,
        """
        func f(%x: f64, %k: i64) -> f64
          %y = for 0, %k, 1, %x
            do(%i, %a)
              %c = less %a, 1.0
              %d = if %c
                then
                  %e = exp %x                               # reverse
                  yield %e
                else
                  yield %a
              yield %d
          return %y
        """,
    )
