"""Broken programs are refused, by name and place."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from ad_compiler.diagnostics.diagnostic import InternalError
from ad_compiler.ir.core import Block, Module, Op, Value
from ad_compiler.ir.trees import Leaf, TupleTree
from ad_compiler.ir.types import FLOAT, INT, ListType, Opaque, Symbol, Tensor, TupleType, Undefined, array, unknown
from ad_compiler.ir.verifier import consistent
from ad_compiler.ir.verifier import verify as structure_only
from ad_compiler.primitives.evaluate import parse, verify

TEXT = """
    func f(%x: f64, %n: i64) -> f64
      %y = sin %x                                       # line 7
      %c = less %x, 1.0
      %r = if %c
        then
          %t = cos %x
          yield %t
        else
          yield %x
      %l = for 0, %n, 1, %r
        do(%i, %a)
          %b = multiply %a, %y
          yield %b
      %w = while %l
        cond(%p)
          %q = less %p, 10.0
          yield %q
        do(%s)
          %u = add %s, 1.0
          yield %u
      %z = call[callee='g'] %w
      %g = closure[parameters=(('ct', tree leaf()),), tree=tree leaf()]
        do(%ct: f64)
          yield %ct
      %h = hook %z
        do(%h_bar)
          yield %h_bar
      effect[template='_0_'] %h
      %o: f64 = opaque[template='_0_'] %h
      return %o

    func g(%x: f64) -> f64
      return %x
    """


def module() -> Module:
    return parse(textwrap.dedent(TEXT))


def find(name: str, within: Module) -> Op:
    from ad_compiler.ir.core import walk

    return next(op for op in walk(within.functions["f"].body) if op.name == name)


def test_a_sound_program_passes() -> None:
    verify(module())


def damage_main(m: Module) -> None:
    m.main = "nobody"


def damage_order(m: Module) -> None:
    ops = m.functions["f"].body.ops
    ops[0], ops[1] = ops[1], ops[0]
    ops.insert(0, ops.pop(next(k for k, op in enumerate(ops) if op.name == "if")))


def damage_scope(m: Module) -> None:
    m.functions["f"].body.ops[-1].operands = [find("cos", m).results[0]]


def damage_sibling_scope(m: Module) -> None:
    op = find("if", m)
    op.regions[1].ops[-1].operands = [find("cos", m).results[0]]


def damage_twice(m: Module) -> None:
    find("cos", m).results = find("sin", m).results


def damage_owner(m: Module) -> None:
    find("sin", m).results[0].op = None


def damage_type(m: Module) -> None:
    find("sin", m).results[0].type = None  # type: ignore[assignment]


def damage_terminator(m: Module) -> None:
    m.functions["f"].body.ops.pop()


def damage_region_terminator(m: Module) -> None:
    find("if", m).regions[0].ops.pop()


def damage_early_terminator(m: Module) -> None:
    m.functions["f"].body.ops.insert(0, Op("yield", []))


def damage_terminator_results(m: Module) -> None:
    last = m.functions["f"].body.ops[-1]
    last.results = [Value(FLOAT, "", last)]


def damage_regions(m: Module) -> None:
    find("if", m).regions.pop()


def damage_branch(m: Module) -> None:
    find("if", m).regions[0].ops[-1].operands = []


def damage_branch_type(m: Module) -> None:
    find("if", m).results[0].type = ListType(FLOAT)


def damage_branch_parameters(m: Module) -> None:
    find("if", m).regions[0].parameters = [Value(FLOAT)]


def damage_bounds(m: Module) -> None:
    find("for", m).operands = find("for", m).operands[:2]


def damage_bound_type(m: Module) -> None:
    m.functions["f"].body.parameters[1].type = array(1)


def damage_index(m: Module) -> None:
    find("for", m).regions[0].parameters = []


def damage_carried(m: Module) -> None:
    find("for", m).operands.pop()


def damage_breaks(m: Module) -> None:
    find("for", m).attributes["breaks"] = True


def damage_breaks_of_nothing(m: Module) -> None:
    op = find("for", m)
    op.attributes["breaks"] = True
    op.operands, op.results = op.operands[:3], []
    op.regions[0].parameters = op.regions[0].parameters[:1]
    op.regions[0].ops[-1].operands = []
    op.regions[0].ops = op.regions[0].ops[-1:]
    m.functions["f"].body.ops = m.functions["f"].body.ops[: m.functions["f"].body.ops.index(op) + 1]
    m.functions["f"].body.ops.append(Op("return", [m.functions["f"].body.parameters[0]]))


def damage_no_index(m: Module) -> None:
    op = find("for", m)
    op.operands, op.results = op.operands[:3], []
    op.regions = [Block([], [Op("yield", [])])]
    m.functions["f"].body.ops = m.functions["f"].body.ops[: m.functions["f"].body.ops.index(op) + 1]
    m.functions["f"].body.ops.append(Op("return", [m.functions["f"].body.parameters[0]]))


def damage_hook_rule(m: Module) -> None:
    find("hook", m).regions[0].ops[-1].operands = []


def damage_hook_results(m: Module) -> None:
    find("hook", m).operands = []


def damage_untyped_parameter(m: Module) -> None:
    m.functions["g"].body.parameters[0].type = None  # type: ignore[assignment]


def damage_condition(m: Module) -> None:
    find("while", m).regions[0].ops[-1].operands = []


def damage_primitive(m: Module) -> None:
    find("sin", m).name = "sinus"


def damage_primitive_type(m: Module) -> None:
    find("sin", m).results[0].type = Tensor("i64", ())


def damage_primitive_results(m: Module) -> None:
    op = find("sin", m)
    op.results.append(Value(FLOAT, "", op))


def damage_callee(m: Module) -> None:
    find("call", m).attributes["callee"] = "nobody"


def damage_call_operands(m: Module) -> None:
    find("call", m).operands = []


def damage_call_results(m: Module) -> None:
    op = find("call", m)
    op.results.append(Value(FLOAT, "", op))


def damage_closure(m: Module) -> None:
    find("closure", m).operands = list(m.functions["f"].body.parameters[:1])


def damage_closure_parameters(m: Module) -> None:
    find("closure", m).attributes["parameters"] = ()


def damage_closure_tree(m: Module) -> None:
    find("closure", m).attributes["tree"] = TupleTree(())


def damage_hook(m: Module) -> None:
    find("hook", m).regions = []


def damage_effect(m: Module) -> None:
    op = find("effect", m)
    op.results = [Value(FLOAT, "", op)]


def damage_opaque(m: Module) -> None:
    find("opaque", m).attributes = {}


def damage_parameters(m: Module) -> None:
    m.functions["f"].parameters.pop()


def damage_outputs(m: Module) -> None:
    m.functions["f"].outputs = TupleTree((Leaf(), Leaf()))


def damage_block(m: Module) -> None:
    m.functions["f"].body = Block()


DAMAGES = [value for name, value in list(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_found(damage: Callable[[Module], None]) -> None:
    broken = module()
    damage(broken)
    with pytest.raises(InternalError) as caught:
        verify(broken, "some pass")
    assert caught.value.code == "ADC301"


def test_without_type_rules_only_the_structure_counts() -> None:
    sound = module()
    damage_primitive(sound)
    structure_only(sound)


def test_the_error_names_op_function_line_and_stage() -> None:
    broken = module()
    damage_primitive(broken)
    with pytest.raises(InternalError) as caught:
        verify(broken, "some pass")
    assert "`sinus` of `f`" in caught.value.message
    assert caught.value.lineno == 7
    assert "some pass" in str(caught.value)


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        (FLOAT, FLOAT, True),
        (FLOAT, INT, False),
        (FLOAT, Tensor("f32", ()), True),
        (FLOAT, unknown(), True),
        (array(1), array(2), False),
        (array(1), array(1), True),
        (FLOAT, Undefined(), True),
        (FLOAT, Opaque(), True),
        (ListType(FLOAT), ListType(INT), False),
        (ListType(FLOAT), unknown(), True),
        (ListType(FLOAT), FLOAT, False),
        (TupleType((FLOAT, INT)), TupleType((FLOAT,)), False),
        (TupleType((FLOAT, INT)), TupleType((FLOAT, INT)), True),
        (Tensor("f64", Symbol()), array(3), True),
    ],
)
def test_types_that_one_value_can_have(a: object, b: object, together: bool) -> None:
    assert consistent(a, b) is together  # type: ignore[arg-type]
    assert consistent(b, a) is together  # type: ignore[arg-type]
