"""What programs mean."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest
import sympy

from ad_compiler.ir import interpreter
from ad_compiler.ir.interpreter import flatten
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, TupleTree
from ad_compiler.primitives.evaluate import evaluate, parse, verify


def run(text: str, *arguments: Any, **names: Any) -> tuple[Any, ...]:
    module = parse(textwrap.dedent(text))
    verify(module)
    return evaluate(module, *arguments, namespace=names)


def test_primitives_and_constants() -> None:
    assert run("func f(%x: f64)\n  %y = multiply %x, 3.0\n  %z = add %y, %x\n  return %z, None, 'a'\n", 2.0) == (
        8.0,
        None,
        "a",
    )


def test_branches() -> None:
    text = """
        func f(%x: f64)
          %c = less %x, 0.0
          %y = if %c
            then
              %a = negative %x
              yield %a
            else
              yield %x
          return %y
        """
    assert run(text, -2.0) == (2.0,)
    assert run(text, 3.0) == (3.0,)


@pytest.mark.parametrize(
    ("attributes", "bounds", "seen"),
    [
        ("", "0, 4, 1", [0, 1, 2, 3]),
        ("[reversed=True]", "0, 5, 2", [4, 2, 0]),
        ("", "3, 0, -1", [3, 2, 1]),
        ("[reversed=True]", "3, 0, -1", [1, 2, 3]),
        ("", "2, 2, 1", []),
    ],
)
def test_for(attributes: str, bounds: str, seen: list[int]) -> None:
    text = f"""
        func f()
          %empty: list[i64] = list
          %xs = for{attributes} {bounds}, %empty
            do(%i, %ys: list[i64])
              %zs = append %ys, %i
              yield %zs
          return %xs
        """
    assert run(text) == (seen,)


def test_a_loop_that_breaks_keeps_the_last_iteration() -> None:
    text = """
        func f(%n: i64)
          %s = for[breaks=True] 0, %n, 1, 0
            do(%i, %a)
              %b = add %a, %i
              %stop = greater %b, 4
              yield %stop, %b
          return %s
        """
    assert run(text, 100) == (6,)
    assert run(text, 2) == (1,)


def test_while() -> None:
    text = """
        func f(%x: f64)
          %y, %k = while %x, 0
            cond(%a, %b)
              %c = less %a, 100.0
              yield %c
            do(%a.1, %b.1)
              %d = multiply %a.1, 2.0
              %e = add %b.1, 1
              yield %d, %e
          return %y, %k
        """
    assert run(text, 30.0) == (120.0, 2)
    assert run(text, 200.0) == (200.0, 0)
    stopping = text.replace("while %x", "while[breaks=True] %x").replace("yield %d, %e", "yield True, %d, %e")
    assert run(stopping, 3.0) == (6.0, 1)


def test_recursion() -> None:
    text = """
        func factorial(%n: i64) -> i64
          %c = less %n, 2
          %y = if %c
            then
              yield 1
            else
              %m = subtract %n, 1
              %a = call[callee='factorial'] %m
              %b = multiply %n, %a
              yield %b
          return %y
        """
    assert run(text, 5) == (120,)


def test_a_closure_sees_the_values_of_its_place() -> None:
    text = """
        func f(%x: f64)
          %y = multiply %x, %x
          %g = closure[parameters=(('ct', tree tuple(leaf(), leaf())),), tree=tree tuple(leaf(), fixed('end'))]
            do(%a: f64, %b: f64)
              %c = multiply %a, %x
              %d = add %c, %b
              yield %d
          %h = closure
            do(%p: f64)
              yield %p, %y
          return %y, %g, %h
        """
    y, g, h = run(text, 3.0)
    assert y == 9.0
    assert g((2.0, 1.0)) == (7.0, "end")
    assert h(1.0) == (1.0, 9.0)


def test_effects_hooks_and_opaque_expressions() -> None:
    seen: list[Any] = []
    text = """
        import 'import operator'
        func f(%x: f64)
          effect[template='seen.append(_0_)'] %x
          %r: opaque(object) = opaque[template='operator.add(_0_, len(seen))'] %x
          %a: opaque(object), %b: opaque(object) = opaque[template='(_0_, math.pi)'] %x
          %h = hook %x
            do(%h_bar)
              yield 0.0
          %u: undef = undefined
          return %r, %a, %b, %h, %u
        """
    assert run(text, 5.0, seen=seen) == (6.0, 5.0, np.pi, 5.0, None)
    assert seen == [5.0]


def test_nothing_is_written_in_place() -> None:
    array = np.arange(4.0)
    text = """
        func f(%x: f64[n])
          %y = setitem[index=(0,)] %x, 9.0
          %z = add_at[index=(0,)] %y, 1.0
          %e: list[f64] = list 1.0
          %g = append %e, 2.0
          return %x, %y, %z, %e, %g
        """
    x, y, z, e, g = run(text, array)
    assert (x[0], y[0], z[0], e, g) == (0.0, 9.0, 10.0, [1.0], [1.0, 2.0])
    assert array[0] == 0.0


def test_on_other_objects_than_numbers() -> None:
    """With another meaning of the primitives, the program runs on SymPy terms."""
    module = parse(
        "func f(%x: f64, %n: i64)\n  %y = for 0, %n, 1, %x\n    do(%i, %a)\n"
        "      %b = multiply %a, %x\n      yield %b\n"
        "  %z = sin %y\n  return %z\n"
    )
    meaning = {"multiply": lambda a, b: a * b, "sin": sympy.sin}
    x = sympy.Symbol("x")
    (found,) = interpreter.evaluate(module, x, 3, apply=lambda name, operands, attributes: meaning[name](*operands))
    assert sympy.simplify(found - sympy.sin(x**4)) == 0


def test_flatten() -> None:
    class Pair:
        a, b = 5, 6

    tree = TupleTree((
        Leaf(), Fixed("x"), ListTree((Leaf(),)), DictTree(("k",), (Leaf(),)),
        RecordTree(Pair, ("a", "b"), (Leaf(), Leaf())),
    ))  # fmt: skip
    assert flatten((1, "x", [2], {"k": 3}, Pair()), tree) == [1, 2, 3, 5, 6]
