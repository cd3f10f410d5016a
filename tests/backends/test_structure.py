"""Branches, loops and closures as Python has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ad_compiler.backends.load import load
from ad_compiler.backends.numpy import emit
from ad_compiler.ir.core import Block, Function, Module, Parameter, Value
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, TupleTree
from ad_compiler.ir.types import FLOAT, Opaque
from ad_compiler.primitives import builder


def test_break(emits) -> None:
    emits(
        """
func f(%x: f64, %n: i64) -> f64
  %x.9: f64, %y.9: f64 = for[breaks=True] 0, %n, 1, %x, 1.0
    do(%i: i64, %x.1: f64, %y.1: f64)
      %x.2 = multiply %x.1, 2.0
      %0 = greater %x.2, 10.0
      %stop: bool, %y.2: f64 = if %0
        then
          yield True, %y.1
        else
          %y.3 = add %y.1, %x.2
          %1 = greater %y.3, 100.0
          %stop.1: bool, %y.4: f64 = if %1
            then
              %y.5 = multiply %y.3, 3.0
              yield True, %y.5
            else
              %y.6 = multiply %y.3, 0.5
              yield False, %y.6
          yield %stop.1, %y.4
      yield %stop, %x.2, %y.2
  %0 = add %x.9, %y.9
  return %0
""",
        """
def f(x, n):
    y = 1.0
    for i in range(n):
        x = x * 2.0
        if x > 10.0:
            break
        y = y + x
        if y > 100.0:
            y = y * 3.0
            break
        y = y * 0.5
    return x + y
""",
        (-3.0, 9),
        (0.01, 9),
        (1.0, 0),
    )


def test_early_return_and_elif(emits) -> None:
    emits(
        """
func f(%x: f64) -> f64
  %0 = greater %x, 1.0
  %1: f64 = if %0
    then
      %2 = sin %x
      yield %2
    else
      %y = multiply %x, %x
      %3 = less %x, -1.0
      %z: f64 = if %3
        then
          yield 1.0
        else
          %4 = less %x, 0.0
          %z.1: f64 = if %4
            then
              %z.2 = cos %y
              yield %z.2
            else
              yield %y
          yield %z.1
      %5 = multiply %z, 3.0
      yield %5
  return %1
""",
        """
def f(x):
    if x > 1.0:
        return np.sin(x)
    y = x * x
    if x < -1.0:
        z = 1.0
    elif x < 0.0:
        z = np.cos(y)
    else:
        z = y
    return z * 3.0
""",
        (2.0,),
        (-2.0,),
        (-0.5,),
        (0.5,),
    )


def test_while(emits) -> None:
    """The condition is the test, or stands in the loop where it takes statements."""
    emits(
        """
func f(%x: f64) -> f64
  %x.1: f64 = while %x
    cond(%x.2: f64)
      %0 = less %x.2, 10.0
      yield %0
    do(%x.3: f64)
      %x.4 = multiply %x.3, 2.0
      yield %x.4
  %x.5: f64 = while %x.1
    cond(%x.6: f64)
      %y = sin %x.6
      %1 = multiply %y, %y
      %2 = less %1, 0.5
      yield %2
    do(%x.7: f64)
      %x.8 = add %x.7, 0.25
      yield %x.8
  return %x.5
""",
        """
def f(x):
    while x < 10.0:
        x = x * 2.0
    while True:
        y = np.sin(x)
        if not y * y < 0.5:
            break
        x = x + 0.25
    return x
""",
        (1.1,),
        (11.0,),
    )


LOOP = """
func f(%n: i64) -> f64
  %x: f64 = {head}, 0.0
    do(%i: i64, %x.0: f64)
      %x.1 = multiply %x.0, 2.0
      %x.2 = add %x.1, %i
      yield %x.2
  return %x
"""


def test_ranges(emits) -> None:
    for head, text in [
        ("0, %n, 1", "range(n)"),
        ("2, %n, 1", "range(2, n)"),
        ("0, %n, 2", "range(0, n, 2)"),
        ("%n, 0, -1", "range(n, 0, -1)"),
    ]:
        ssa = LOOP.format(head=f"for {head}")
        assert f"for i in {text}:" in emits(ssa, None, (5,), (0,), (1,))
    for head, text in [
        ("0, %n, 1", "range(n - 1, -1, -1)"),
        ("2, %n, 1", "range(n - 1, 1, -1)"),
        ("0, 7, 1", "range(6, -1, -1)"),
        ("-3, %n, 1", "range(n - 1, -4, -1)"),
        ("%n, 9, 1", "range(8, n - 1, -1)"),
        ("0, %n, 2", "reversed(range(0, n, 2))"),
    ]:
        ssa = LOOP.format(head=f"for[reversed=True] {head}")
        assert f"for i in {text}:" in emits(ssa, None, (5,), (0,), (1,))


def test_a_bound_is_read_before_the_loop_changes_its_name(emits) -> None:
    emits(
        """
func f(%k: i64) -> f64
  %s = add %k, 1
  %s.1: f64 = for 0, %s, 1, 2.0
    do(%i: i64, %s.2: f64)
      %s.3 = multiply %s.2, 0.5
      yield %s.3
  return %s.1
""",
        None,
        (3,),
    )


def test_swaps(emits) -> None:
    emits(
        """
func f(%a: f64, %b: f64, %c: f64, %n: i64) -> tuple(f64, f64, f64)
  %a.1: f64, %b.1: f64, %c.1: f64 = for 0, %n, 1, %a, %b, %c
    do(%i: i64, %a.0: f64, %b.0: f64, %c.0: f64)
      yield %b.0, %c.0, %a.0
  return %a.1, %b.1, %c.1
""",
        """
def f(a, b, c, n):
    for i in range(n):
        a, b, c = b, c, a
    return a, b, c
""",
        (1.0, 2.0, 3.0, 4),
    )


def test_what_no_path_binds_is_none_only_where_it_is_carried_on(emits) -> None:
    emits(
        """
func f(%x: f64) -> f64
  %0 = less %x, 0.0
  %y: f64, %z: f64 = if %0
    then
      %y.1 = sin %x
      yield %y.1, 0.5
    else
      %u = undefined
      yield %u, 1.5
  %r: f64 = if %0
    then
      %r.1 = multiply %y, %z
      yield %r.1
    else
      yield %z
  return %r
""",
        """
def f(x):
    s = x < 0.0
    if s:
        y = np.sin(x)
        z = 0.5
    else:
        z = 1.5
    if s:
        r = y * z
    else:
        r = z
    return r
""",
        (1.0,),
        (-1.0,),
    )


def test_recursion(emits) -> None:
    emits(
        """
func f(%x: f64, %n: i64) -> f64
  %0 = less_equal %n, 0
  %1: f64 = if %0
    then
      yield 1.0
    else
      %2 = subtract %n, 1
      %y: f64 = call[callee='f'] %x, %2
      %3 = multiply %y, %x
      yield %3
  return %1
""",
        """
def f(x, n):
    if n <= 0:
        return 1.0
    y = f(x, n - 1)
    return y * x
""",
        (2.0, 5),
    )


class Model:
    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = W, b


def test_structures() -> None:
    """Parameters are taken apart at the head; a record comes back as the class of the parameter it looks like."""
    tree = TupleTree(
        (
            RecordTree(Model, ("W", "b"), (Leaf(FLOAT), Leaf(FLOAT))),
            ListTree((TupleTree((Leaf(FLOAT), Leaf(FLOAT))), Leaf(FLOAT))),
            DictTree(("a", "key 2"), (Leaf(FLOAT), Fixed("text"))),
        )
    )
    values = [Value(FLOAT, hint) for hint in ("W", "b", "", "", "", "")]
    body = Block(values)
    build = builder(body)
    doubled = [build.one("multiply", value, build.constant(2.0)) for value in values]
    build.terminate("return", doubled)
    outputs = tree
    function = Function("f", body, [Parameter("p", tree)], outputs)
    text = emit(Module("f", {"f": function}))
    assert "W = p[0].W" in text
    assert "type(p[0])(W=" in text
    given = (Model(1.0, 2.0), [(3.0, 4.0), 5.0], {"a": 6.0, "key 2": "text"})
    model, pairs, table = load(text)["f"](given)
    assert (model.W, model.b, pairs, table) == (2.0, 4.0, [(6.0, 8.0), 10.0], {"a": 12.0, "key 2": "text"})


def test_pairs_are_unpacked_in_one_line() -> None:
    tree = ListTree((TupleTree((Leaf(FLOAT), Leaf(FLOAT))), TupleTree((Leaf(FLOAT), Leaf(FLOAT)))))
    values = [Value(FLOAT, hint) for hint in ("W0", "b0", "W1", "b1")]
    body = Block(values)
    build = builder(body)
    total = build.one("multiply", values[0], values[3])
    build.terminate("return", [total])
    function = Function(
        "f", body, [Parameter("params", tree), Parameter("k", Fixed(None), default="None")], Leaf(FLOAT)
    )
    text = emit(Module("f", {"f": function}))
    assert "def f(params, k=None):" in text
    assert "(W0, b0), (W1, b1) = params" in text
    assert load(text)["f"]([(2.0, 0.0), (0.0, 4.0)]) == 8.0


def test_kinds_of_parameters() -> None:
    names = [("a", "positional", None), ("rest", "star", None), ("b", "keyword", "2.0"), ("more", "kwargs", None)]
    trees = [Leaf(FLOAT), TupleTree((Leaf(FLOAT),)), Leaf(FLOAT), DictTree(("c",), (Leaf(FLOAT),))]
    values = [Value(FLOAT, hint) for hint in "arbc"]
    body = Block(values)
    build = builder(body)
    total = values[0]
    for value in values[1:]:
        total = build.one("add", total, value)
    build.terminate("return", [total])
    parameters = [
        Parameter(name, tree, kind, default) for (name, kind, default), tree in zip(names, trees, strict=True)
    ]
    text = emit(Module("f", {"f": Function("f", body, parameters, Leaf(FLOAT))}))
    assert "def f(a, *rest, b=2.0, **more):" in text
    assert load(text)["f"](1.0, 10.0, c=100.0) == 113.0


def test_annotations_stay_when_they_can_be_evaluated() -> None:
    x, A = Value(FLOAT, "x"), Value(FLOAT, "A")
    body = Block([x, A])
    build = builder(body)
    build.terminate("return", [x, A])
    parameters = [
        Parameter("x", Leaf(FLOAT), annotation="float"),
        Parameter("A", Leaf(FLOAT), annotation="float[n, 3]"),
    ]
    outputs = TupleTree((Leaf(FLOAT), Leaf(FLOAT)))
    text = emit(Module("f", {"f": Function("f", body, parameters, outputs)}))
    assert "def f(x: float, A) -> tuple[float, float]:" in text
    load(text)


def test_a_closure_may_be_called_twice() -> None:
    """It copies the tape that it empties; its names do not hide what it captures."""
    x = Value(FLOAT, "out_bar")
    body = Block([x])
    build = builder(body)
    tape = build.one("list", x, x, hint="tape")
    bar = Value(FLOAT, "out_bar")
    region = Block([bar])
    with build.inside(region):
        rest, last = build.emit("pop", [tape])
        rest.hint = "tape"
        product = build.one("multiply", last, bar)
        build.terminate("yield", [build.one("add", product, x)])
    (closure,) = build.emit("closure", types=[Opaque("function")], regions=[region], hint="pullback")
    build.terminate("return", [closure])
    text = emit(Module("f", {"f": Function("f", body, [Parameter("out_bar", Leaf(FLOAT))], Leaf(Opaque("function")))}))
    pullback = load(text)["f"](3.0)
    assert pullback(2.0) == pullback(2.0) == 9.0


def test_user_statements_stay_in_order(emits) -> None:
    text = emits(
        """
func f(%x: f64) -> f64
  %y = multiply %x, 2.0
  effect[template='assert _0_ > 0, f"positive, not {_0_}"'] %y
  %z: f64 = opaque[template='max(_0_, 3.0)'] %y
  return %z
""",
        """
def f(x):
    y = x * 2.0
    assert y > 0, f'positive, not {y}'
    z = max(y, 3.0)
    return z
""",
        (2.0,),
    )
    assert np.isfinite(load(text)["f"](1.0))
