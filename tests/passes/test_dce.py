"""Dead code."""

from __future__ import annotations

from ad_compiler.passes.dce import dce
from tests.passes.support import check, unchanged


def test_unread_ops_and_what_only_they_read() -> None:
    check(
        dce,
        """
        func f(%x: f64) -> f64
          %a = sin %x
          %b = exp %a
          %c = cos %x
          return %c
        """,
        """
        func f(%x: f64) -> f64
          %c = cos %x
          return %c
        """,
    )


def test_a_tape_that_nobody_reads_goes_with_its_loop_of_pops() -> None:
    check(
        dce,
        """
        func f(%x: f64, %n: i64) -> f64
          %tape: list[f64] = list                           # forward
          %y, %tape.1: list[f64] = for 0, %n, 1, %x, %tape  # forward
            do(%i, %a, %tape.2: list[f64])
              %tape.3: list[f64] = append %tape.2, %a       # forward
              %b = multiply %a, 2.0                         # forward
              yield %b, %tape.3
          %a_bar, %rest = for[reversed=True] 0, %n, 1, 1.0, %tape.1   # reverse
            do(%j, %ct, %tape.4: list[f64])
              %tape.5: list[f64], %t: f64 = pop %tape.4     # reverse
              %d = multiply %ct, 2.0                        # reverse
              yield %d, %tape.5
          return %a_bar
        """,
        """
        func f(%x: f64, %n: i64) -> f64
          %a_bar: f64 = for[reversed=True] 0, %n, 1, 1.0    # reverse
            do(%j: i64, %ct: f64)
              %d: f64 = multiply %ct, 2.0                   # reverse
              yield %d
          return %a_bar
        """,
    )


def test_carried_values_in_a_cycle_of_their_own() -> None:
    check(
        dce,
        """
        func f(%x: f64, %n: i64) -> f64
          %p, %q, %r = for 0, %n, 1, %x, 1.0, 2.0
            do(%i, %a, %b, %c)
              %d = multiply %b, %c
              %e = add %c, %b
              %g = add %a, 1.0
              yield %g, %d, %e
          return %p
        """,
        """
        func f(%x: f64, %n: i64) -> f64
          %p = for 0, %n, 1, %x
            do(%i, %a)
              %g = add %a, 1.0
              yield %g
          return %p
        """,
    )


def test_invariant_values_of_nested_loops() -> None:
    check(
        dce,
        """
        func f(%x: f64, %k: f64, %n: i64) -> tuple(f64, f64)
          %p, %q = for 0, %n, 1, %x, %k
            do(%i, %a, %b)
              %c, %d = for 0, %n, 1, %a, %b
                do(%j, %u, %v)
                  %w = multiply %u, %v
                  yield %w, %v
              yield %c, %d
          return %p, %q
        """,
        """
        func f(%x: f64, %k: f64, %n: i64) -> tuple(f64, f64)
          %p = for 0, %n, 1, %x
            do(%i, %a)
              %c = for 0, %n, 1, %a
                do(%j, %u)
                  %w = multiply %u, %k
                  yield %w
              yield %c
          return %p, %k
        """,
    )


def test_the_values_of_a_while_loop() -> None:
    check(
        dce,
        """
        func f(%x: f64) -> f64
          %a, %b, %c = while %x, %x, 0.0
            cond(%p, %q, %r)
              %t = less %p, 100.0
              yield %t
            do(%u, %v, %w)
              %s = multiply %u, 2.0
              %z = add %w, %u
              yield %s, %v, %z
          return %a
        """,
        """
        func f(%x: f64) -> f64
          %a = while %x
            cond(%p)
              %t = less %p, 100.0
              yield %t
            do(%u)
              %s = multiply %u, 2.0
              yield %s
          return %a
        """,
    )


def test_what_decides_when_a_loop_stops_is_kept() -> None:
    unchanged(
        dce,
        """
        func f(%x: f64, %n: i64) -> f64
          %p, %q = for[breaks=True] 0, %n, 1, %x, 0.0
            do(%i, %a, %b)
              %c = add %b, 1.0
              %stop = greater %c, 2.0
              %d = multiply %a, 2.0
              yield %stop, %d, %c
          return %p
        """,
    )


def test_results_of_a_branch() -> None:
    check(
        dce,
        """
        func f(%x: f64) -> f64
          %c = less %x, 1.0
          %a, %b, %d = if %c
            then
              %e = sin %x
              %g = cos %x
              yield %e, %g, %x
            else
              yield %x, %x, %x
          %s = add %a, %d
          return %s
        """,
        """
        func f(%x: f64) -> f64
          %c = less %x, 1.0
          %a = if %c
            then
              %e = sin %x
              yield %e
            else
              yield %x
          %s = add %a, %x
          return %s
        """,
    )


def test_an_effect_keeps_its_branch_and_loop() -> None:
    unchanged(
        dce,
        """
        func f(%x: f64, %n: i64) -> f64
          for 0, %n, 1
            do(%i)
              %c = less %i, 2
              if %c
                then
                  effect[template='assert _0_'] %x
                  yield
                else
                  yield
              yield
          return %x
        """,
    )


def test_an_unread_draw_is_kept_for_the_ones_after_it() -> None:
    unchanged(
        dce,
        """
        func f(%x: f64) -> f64
          %r: f64 = opaque[template='1.0']
          return %x
        """,
    )


def test_an_empty_loop_and_an_unread_closure_go() -> None:
    check(
        dce,
        """
        func f(%x: f64, %n: i64) -> f64
          %a = for 0, %n, 1, %x
            do(%i, %b)
              %c = sin %b
              yield %c
          %g = closure
            do(%ct: f64)
              %d = multiply %ct, %a
              yield %d
          return %x
        """,
        """
        func f(%x: f64, %n: i64) -> f64
          return %x
        """,
    )


def test_what_a_closure_captures_is_kept() -> None:
    unchanged(
        dce,
        """
        func f(%x: f64)
          %a = sin %x
          %g = closure
            do(%ct: f64)
              %d = multiply %ct, %a
              yield %d
          return %g
        """,
    )


def test_calls_of_functions_with_effects_are_kept() -> None:
    before = """
        func f(%x: f64) -> f64
          %a: f64 = call[callee='g'] %x
          %b: f64 = call[callee='h'] %x
          return %x

        func g(%x: f64) -> f64
          %a: f64 = call[callee='noisy'] %x
          return %a

        func noisy(%x: f64) -> f64
          effect[template='assert _0_'] %x
          return %x

        func h(%x: f64) -> f64
          return %x
        """
    check(dce, before, before.replace("          %b: f64 = call[callee='h'] %x\n", ""))


def test_the_rule_of_a_hook_is_kept_with_the_hook() -> None:
    check(
        dce,
        """
        func f(%x: f64, %k: f64)
          %limit = exp %k
          %y = hook %x
            do(%x_bar)
              %a = sin %x_bar
              %b = minimum %x_bar, %limit
              yield %b
          return %y
        """,
        """
        func f(%x: f64, %k: f64)
          %limit = exp %k
          %y = hook %x
            do(%x_bar)
              %b = minimum %x_bar, %limit
              yield %b
          return %y
        """,
    )
