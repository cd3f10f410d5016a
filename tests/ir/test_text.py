"""The text form: what it looks like, and that it reads back the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ad_compiler.ir.core import Function, Module, Parameter, SliceItem, Slot, walk
from ad_compiler.ir.parser import parse
from ad_compiler.ir.printer import show, show_value
from ad_compiler.ir.tokens import ParseError, Unreadable
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, TupleTree
from ad_compiler.ir.types import FLOAT, Dim, ListType, Opaque, Symbol, Tensor, TupleType, Undefined
from ad_compiler.primitives.evaluate import parse as parse_typed
from ad_compiler.primitives.evaluate import verify

PROGRAM = """\
import 'from scipy.special import erf'
main g
func power(%x: f64, %n: i64) -> f64                 # line 3
  doc 'x to the n.'
  %a: f64 = for[reversed=True] 0, %n, 1, 1.0        # line 4
    do(%i: i64, %a.1: f64)
      %a.2: f64 = multiply %a.1, %x                 # line 5, reverse
      yield %a.2
  return %a

func g(%x: f64[n, m?], p = tuple(%W: f64[n-2], dict('b': %b: ?[*1])), keyword k = fixed('s') default "'s'" annotation 'str', *args = tuple(), **rest = dict()) -> tuple(f64, fixed(None))
  %0: f64[?], %1: list[?[*1]] = foo[axis=(0, 1), index=(1:-1, $0, ..., None, ::2, :$1), e=()] %x, 1, -0.0, True, nan, "it's # no comment", %W
  %c: bool = less %x, 2.0
  %r: f64 = if %c
    then
      yield 1.0
    else
      yield 2.0
  effect[template='print(_0_)'] %r                  # line 9, forward
  %o: opaque(a b) = bar numpy('float32', 1.5), complex(1.0, -inf)
  %w: f64 = while[breaks=True] %r
    cond(%w.1: f64)
      %2: bool = less %w.1, 10.0
      yield %2
    do(%w.2: f64)
      %w.3: f64 = add %w.2, 1.0
      yield False, %w.3
  for 0, 3, 1
    do(%i: i64)
      yield
  %f: opaque(function) = closure[name='pullback', parameters=(('x', tree leaf(type f64)),)]
    do(%x_bar: f64)
      yield %x_bar
  %u: undef = undefined
  return %w
"""  # noqa: E501


def test_every_construct_reads_back() -> None:
    module = parse(PROGRAM)
    verify_structure = show(module)
    assert verify_structure == PROGRAM
    assert show(parse(verify_structure)) == PROGRAM


def test_what_is_read() -> None:
    module = parse(PROGRAM)
    assert module.main == "g"
    assert module.imports == ("from scipy.special import erf",)
    power, g = module.functions.values()
    assert power.docstring == "x to the n."
    loop = power.body.ops[-2]
    assert loop.name == "for"
    assert loop.attributes == {"reversed": True}
    assert loop.span is not None
    assert loop.span.line == 4
    assert loop.regions[0].ops[0].phase == "reverse"
    assert [parameter.hint for parameter in loop.regions[0].parameters] == ["i", "a"]
    names = [(parameter.name, parameter.kind) for parameter in g.parameters]
    assert names == [
        ("x", "positional"), ("p", "positional"), ("k", "keyword"), ("args", "star"), ("rest", "kwargs"),
    ]  # fmt: skip
    assert g.parameters[2].default == "'s'"
    assert g.parameters[2].tree == Fixed("s")
    foo = next(op for op in g.body.ops if op.name == "foo")
    assert foo.attributes["index"] == (
        SliceItem(1, -1), Slot(0), Ellipsis, None, SliceItem(None, None, 2), SliceItem(None, Slot(1)),
    )  # fmt: skip
    assert [type(op.attributes["value"]) for op in walk(g.body) if op.name == "constant"][:4] == [
        int, float, bool, float,
    ]  # fmt: skip


def test_symbols_that_are_equal_stay_equal() -> None:
    n, anonymous, shape = Symbol("n", many=True), Symbol(), Symbol()
    other = Symbol("n", many=True)
    module = parse("func f(%a: f64, %b: f64, %c: f64, %d: f64, %e: f64, %g: f64)\n  return %a\n")
    types = [
        Tensor("f64", (Dim(n), Dim(n, -2))),
        Tensor("f64", (Dim(other), Dim(None, 3))),
        Tensor("f64", (Dim(anonymous), Dim(Symbol()))),
        Tensor("f64", (Dim(anonymous, 1),)),
        Tensor("?", shape),
        ListType(TupleType((Tensor("f32", shape), Opaque("tape"), Undefined()))),
    ]
    body = module.functions["f"].body
    for value, type in zip(body.parameters, types, strict=True):
        value.type = type
    text = show(module)
    assert "%a: f64[n, n-2], %b: f64[n.1, 3], %c: f64[?1, ?], %d: f64[?1+1], %e: ?[*2]" in text
    assert "%g: list[tuple[f32[*2], opaque(tape), undef]]" in text
    again = parse(text)
    assert show(again) == text
    read = [value.type for value in again.functions["f"].body.parameters]
    assert isinstance(read[0], Tensor)
    assert isinstance(read[3], Tensor)
    assert isinstance(read[4], Tensor)
    assert read[0].shape[0].symbol is read[0].shape[1].symbol  # type: ignore[index]
    assert read[0].shape[0].symbol.many  # type: ignore[index,union-attr]
    assert read[1].shape[0] != read[0].shape[0]  # type: ignore[union-attr,index]
    assert read[3].shape[0].symbol is read[2].shape[0].symbol  # type: ignore[union-attr,index]
    assert not read[3].shape[0].symbol.many  # type: ignore[union-attr,index]


@pytest.mark.parametrize(
    "value",
    [
        0, -3, 10**30, 0.1, -0.0, 1e-300, float("inf"), True, None, "a 'quoted' \\ \n text",
        2j, complex(-1.0, float("inf")),
        (), (1,), (1, (2, "x")), [1, 2], {"a": (1, None)}, Ellipsis, Slot(2),
        (SliceItem(1, Slot(0), -1), Slot(1), 0), np.float32(0.1), np.int8(-3), float, np.float64,
        TupleTree((Leaf(FLOAT), ListTree((Leaf(), Fixed(1))), DictTree(("a", 2), (Leaf(3), Leaf("s"))))),
        Tensor("f64", (Dim(None, 3),)), ListType(FLOAT), Opaque("tape"),
    ],
    ids=repr,
)  # fmt: skip
def test_attributes_read_back(value: object) -> None:
    module = parse(f"func f(%x: f64)\n  %y: f64 = op[value={show_value(value)}] %x\n  return %y\n")
    read = module.functions["f"].body.ops[0].attributes["value"]
    assert read == value
    assert type(read) is type(value)
    assert repr(read) == repr(value)


def test_arrays_and_objects() -> None:
    module = parse("func f()\n  return array([[1.0, -2.0]], 'float32'), object('mystery')\n")
    array, mystery = (op.attributes["value"] for op in module.functions["f"].body.ops[:-1])
    np.testing.assert_array_equal(array, np.array([[1.0, -2.0]], dtype="float32"))
    assert array.dtype == np.float32
    assert mystery == Unreadable("mystery")
    assert show(parse(show(module))) == show(module)
    assert show_value(np.zeros(2000)).startswith("object(")
    assert show_value(print) == "object('print')"


def test_records() -> None:
    @dataclass
    class Layer:
        W: float

    tree = RecordTree(Layer, ("W",), (Leaf(FLOAT),))
    module = parse("func f(%x: f64)\n  return %x\n")
    function = module.functions["f"]
    function.parameters = [Parameter("layer", tree)]
    function.outputs = tree
    text = show(module)
    assert "func f(layer = record Layer('W': %x: f64)) -> record Layer('W': f64)" in text
    assert show(parse(text)) == text


def test_types_are_inferred_where_they_can_be() -> None:
    module = parse_typed(
        """
        # a comment
        func f(%x: f64[n], %k: i64)
          %y = sin %x

          %a, %b = for 0, %k, 1, %y, 0
            do(%i, %c, %d)
              %e = multiply %c, %x
              yield %e, %d
          %c = less %k, 1
          %r = if %c
            then
              yield 1
            else
              yield 2.0
          %z: f64[n] = call[callee='g'] %x
          %w = call[callee='g'] %x
          %h = hook %w
            do(%h_bar)
              yield %h_bar
          return %a, %b, %r, %z, %w, %h

        func g(%x: f64[n]) -> f64[n]
          return %x
        """.replace("\n        ", "\n")
    )
    verify(module)
    x = module.functions["f"].body.parameters[0].type
    types = [value.type for value in module.functions["f"].body.ops[-1].operands]
    assert types == [x, Tensor("i64", ()), Tensor("?", ()), x, x, x]


def test_values_keep_their_hints() -> None:
    module = parse("func f(%x: f64)\n  %0: f64 = sin %x\n  %y.3: f64 = sin %0\n  return %y.3\n")
    ops = module.functions["f"].body.ops
    assert [op.results[0].hint for op in ops[:-1]] == ["", "y"]
    assert "%y: f64 = sin %0" in show(module)


def test_names_that_look_numbered_already() -> None:
    text = "func f(%x: f64)\n  %x.1: f64 = sin %x\n  %1: f64 = sin %x\n  %2: f64 = sin %1\n  return %2, %x.1\n"
    module = parse(text)
    module.functions["f"].body.ops[0].results[0].hint = "x.1"  # not an identifier: printed as x_1
    module.functions["f"].body.ops[1].results[0].hint = "0"
    shown = show(module)
    assert "%x_1: f64 = sin %x" in shown
    assert "%0: f64 = sin %x" in shown
    assert "%1: f64 = sin %0" in shown
    assert show(parse(shown)) == shown


def test_constants_as_ops_and_comments_of_others() -> None:
    module = parse(
        "func f(%x: f64)\n  %c = constant[value=2.0]  # whatever, line x\n  %u = undefined\n  return %c, %u\n"
    )
    assert show(module) == "func f(%x: f64)\n  %u: undef = undefined\n  return 2.0, %u\n"


def test_an_unknown_length_that_is_not_one() -> None:
    module = parse("func f(%x: f64)\n  return %x\n")
    module.functions["f"].body.parameters[0].type = Tensor("f64", (Dim(Symbol(many=True)), Dim(Symbol(many=True))))
    assert "%x: f64[n, n.1]" in show(module)


def test_a_block_alone_can_be_shown() -> None:
    module = parse("func f(%x: f64)\n  %y: f64 = sin %x\n  return %y\n")
    assert show(module.functions["f"].body) == "%y: f64 = sin %x\nreturn %y\n"
    assert show(module.functions["f"]) == show(module)
    assert show(Module("f", {"f": Function("f", module.functions["f"].body)})).startswith("func f(%x: f64)\n")


@pytest.mark.parametrize(
    "text",
    [
        "func f(%x: f64)\n  return %y\n",
        "func f(%x: f64)\n  %y = sin %x\n  return %y\n",
        "func f(%x: f64\n  return %x\n",
        "  return 1\n",
        "func f(%x: f64)\n  return %x extra\n",
        "func f(%x: f64)\n  %y: f64 = op[a=?] %x\n  return %y\n",
        "func f(%x: f64)\n  return what(1)\n",
        "then\n",
        "func f(%x: f64)\n  %y: f64 = 3\n",
    ],
)
def test_what_is_no_program(text: str) -> None:
    with pytest.raises(ParseError, match="line"):
        parse(text)
