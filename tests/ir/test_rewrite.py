"""Copies, and sweeps that replace."""

from __future__ import annotations

from ad_compiler.ir.clone import clone, clone_function
from ad_compiler.ir.core import walk
from ad_compiler.ir.printer import show
from ad_compiler.ir.rewrite import replace_uses, sweep
from ad_compiler.primitives.evaluate import parse, verify

TEXT = """\
func f(%x: f64, %n: i64) -> f64
  %y: f64 = sin %x
  %l: f64 = for 0, %n, 1, %y
    do(%i: i64, %a: f64)
      %c: bool = less %a, %y
      %r: f64 = if %c
        then
          %b: f64 = cos %a
          yield %b
        else
          yield %a
      %z: f64 = add %r, %y
      yield %z
  %k: f64 = cos %l
  return %k
"""


def test_a_copy_shares_nothing() -> None:
    module = parse(TEXT)
    function = module.functions["f"]
    copy = clone_function(function)
    assert show(copy) == show(function)
    old = {id(part) for op in walk(function.body) for part in (op, *op.operands, *op.results, *op.regions)}
    new = {id(part) for op in walk(copy.body) for part in (op, *op.operands, *op.results, *op.regions)}
    assert not old & new
    copy.body.ops.clear()
    assert show(module) == TEXT


def test_a_copy_under_other_values() -> None:
    function = parse(TEXT).functions["f"]
    region = next(op for op in function.body.ops if op.name == "for").regions[0]
    outside = function.body.parameters[0]
    y = function.body.ops[0].results[0]
    copy = clone(region, {y: outside})
    assert copy.ops[0].operands[1] is outside
    assert copy.parameters[1] is not region.parameters[1]


def test_a_sweep_replaces_after_and_inside() -> None:
    module = parse(TEXT)
    function = module.functions["f"]
    changed = sweep(function.body, lambda op, scope: [op.operands[0]] if op.name in ("sin", "cos") else None)
    verify(module)
    assert changed
    text = show(module)
    assert "sin" not in text
    assert "cos" not in text
    assert "add %r, %x" in text
    assert "return %l" in text


def test_a_sweep_that_leaves_everything() -> None:
    module = parse(TEXT)
    assert not sweep(module.functions["f"].body, lambda op, scope: None)
    assert show(module) == TEXT


def test_new_ops_stand_before_the_old_one() -> None:
    module = parse("func f(%x: f64)\n  %y: f64 = sin %x\n  return %y\n")
    other = parse("func g(%x: f64)\n  %z: f64 = cos %x\n  return %z\n").functions["g"].body.ops[0]

    def visit(op, scope):  # type: ignore[no-untyped-def]
        if op.name != "sin":
            return None
        other.operands = list(op.operands)
        scope.before.append(other)
        return other.results

    assert sweep(module.functions["f"].body, visit)
    assert show(module) == "func f(%x: f64)\n  %z: f64 = cos %x\n  return %z\n"


def test_leaving_an_op_with_regions_can_replace_it() -> None:
    module = parse(TEXT)
    order: list[str] = []

    def visit(op, scope):  # type: ignore[no-untyped-def]
        order.append(op.name)

    def leave(op, scope):  # type: ignore[no-untyped-def]
        order.append(f"after {op.name}")
        return [op.operands[3]] if op.name == "for" else None

    assert sweep(module.functions["f"].body, visit, leave=leave)
    verify(module)
    assert order.index("after if") < order.index("after for")
    assert show(module).count("\n") == 4


def test_replace_uses_follows_chains() -> None:
    module = parse("func f(%x: f64)\n  %y: f64 = sin %x\n  %z: f64 = sin %y\n  return %z\n")
    function = module.functions["f"]
    y, z = (op.results[0] for op in function.body.ops[:2])
    replace_uses(function.body, {z: y, y: function.body.parameters[0]})
    assert "return %x" in show(module)
    replace_uses(function.body, {})
