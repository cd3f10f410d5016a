"""Expressions: `expression(low, node) -> Meaning`.

`and`, `or`, chained comparisons and `… if … else …` evaluate only what Python would.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from typing import Any

from ad_compiler.frontend import calls, comprehensions, containers, control, iteration, subscripts, text, views
from ad_compiler.frontend.attributes import attribute_of
from ad_compiler.frontend.context import Lowering, Refused
from ad_compiler.frontend.names import assign_name, lookup
from ad_compiler.frontend.operators import binary, compare, negated, truth, unary
from ad_compiler.frontend.values import NONE, Entries, Group, Meaning, Reference, Slice, Static
from ad_compiler.ir.core import Value


def expression(low: Lowering, node: ast.expr) -> Meaning:
    """What `node` stands for; its ops are appended where the builder stands."""
    rule = RULES.get(type(node))
    if rule is None:
        low.refuse("ADC101", f"{_kind(node)} is not supported", node)
    with low.at(node):
        meaning: Meaning = rule(low, node)
    return meaning


def value_of(low: Lowering, node: ast.expr) -> Value:
    meaning = expression(low, node)
    with low.at(node):
        return low.value(meaning)


def expressions(low: Lowering, nodes: list[ast.expr]) -> list[Meaning]:
    """Several, in order; stars are opened."""
    found = low.each([functools.partial(_opened, low, node) for node in nodes])
    return [meaning for group in found for meaning in group]


def _opened(low: Lowering, node: ast.expr) -> list[Meaning]:
    if not isinstance(node, ast.Starred):
        return [expression(low, node)]
    items = iteration.known(low, expression(low, node.value))
    if items is None:
        low.refuse("ADC118", "the length of what is opened with `*` must be known when compiling", node)
    return items


def _kind(node: ast.AST) -> str:
    words = {"Await": "`await`", "Yield": "`yield`", "YieldFrom": "`yield from`", "Set": "a set"}
    return words.get(type(node).__name__, f"this expression ({type(node).__name__})")


def _binary_chain(low: Lowering, node: ast.BinOp) -> Meaning:
    """`a + b + c …` from the left, without recursion."""
    chain: list[ast.BinOp] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp):
        chain.append(first)
        first = first.left
    refused: Refused | None = None
    result: Meaning | None = None
    try:
        result = expression(low, first)
    except Refused as reason:
        refused = reason
    for one in reversed(chain):
        try:
            right = expression(low, one.right)
        except Refused as reason:
            refused = refused or reason
            continue
        if refused is None and result is not None:
            with low.at(one):
                result = binary(low, one.op, result, right)
    if refused is not None or result is None:
        raise refused or Refused
    return result


def _unary(low: Lowering, node: ast.UnaryOp) -> Meaning:
    if isinstance(node.op, ast.Not):
        return negated(low, condition(low, node.operand))
    return unary(low, node.op, expression(low, node.operand))


def _compare(low: Lowering, node: ast.Compare) -> Meaning:
    """A chain `a < b < c` is `a < b and b < c` with `b` evaluated once."""
    left = expression(low, node.left)
    return _comparison_chain(low, node, left, 0)


def _comparison_chain(low: Lowering, node: ast.Compare, left: Meaning, k: int) -> Meaning:
    right = expression(low, node.comparators[k])
    with low.at(node):
        result = compare(low, node.ops[k], left, right)
    if k == len(node.ops) - 1:
        return result
    return control.short_circuit(low, True, result, lambda: _comparison_chain(low, node, right, k + 1))


def condition(low: Lowering, node: ast.expr) -> Meaning:
    """The truth of `node`: a Static bool, or a number that is a boolean."""
    if isinstance(node, ast.BoolOp):
        return _bool_chain(low, node.values, isinstance(node.op, ast.And), condition)
    meaning = expression(low, node)
    with low.at(node):
        return truth(low, meaning)


def _bool_op(low: Lowering, node: ast.BoolOp) -> Meaning:
    return _bool_chain(low, node.values, isinstance(node.op, ast.And), expression)


def _bool_chain(
    low: Lowering, nodes: list[ast.expr], both: bool, lower: Callable[[Lowering, ast.expr], Meaning]
) -> Meaning:
    """`a and b and c` (`both`) or `a or b or c`: the operands after the first only where Python looks at them."""
    first = lower(low, nodes[0])
    if len(nodes) == 1:
        return first
    return control.short_circuit(low, both, first, lambda: _bool_chain(low, nodes[1:], both, lower))


def _conditional(low: Lowering, node: ast.IfExp) -> Meaning:
    test = condition(low, node.test)
    return control.choose(low, test, lambda: expression(low, node.body), lambda: expression(low, node.orelse))


# ------------------------------------------------------------------------------------------------- others


def _constant(low: Lowering, node: ast.Constant) -> Meaning:
    return Static(node.value)


def _name(low: Lowering, node: ast.Name) -> Meaning:
    return lookup(low, node.id, node)


def _attribute(low: Lowering, node: ast.Attribute) -> Meaning:
    return attribute_of(low, expression(low, node.value), node.attr, node)


def _tuple(low: Lowering, node: ast.Tuple) -> Meaning:
    return Group(tuple(expressions(low, node.elts)))


def _list(low: Lowering, node: ast.List) -> Meaning:
    return containers.new_list(low, expressions(low, node.elts))


def _dict(low: Lowering, node: ast.Dict) -> Meaning:
    entries = Entries((), ())
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            opened = expression(low, value)
            content = views.content_of(low, opened.root) if isinstance(opened, Reference) else None
            if not isinstance(content, Entries):
                low.refuse("ADC118", "the keys of what is opened with `**` must be known when compiling", value)
            for k, item in zip(content.keys, content.items, strict=True):
                entries = entries.put(k, item)
            continue
        entries = entries.put(subscripts.static_key(low, expression(low, key), key), expression(low, value))
    return Reference(low.root(entries))


def _slice(low: Lowering, node: ast.Slice) -> Meaning:
    parts = [NONE if part is None else expression(low, part) for part in (node.lower, node.upper, node.step)]
    return Slice(*parts)


def _subscript(low: Lowering, node: ast.Subscript) -> Meaning:
    owner, index = low.each([lambda: expression(low, node.value), lambda: expression(low, node.slice)])
    return subscripts.get(low, owner, index)


def _walrus(low: Lowering, node: ast.NamedExpr) -> Meaning:
    meaning = expression(low, node.value)
    assign_name(low, node.target.id, meaning, node)
    return meaning


def _lambda(low: Lowering, node: ast.Lambda) -> Meaning:
    return calls.closure(low, node, "function")


def _starred(low: Lowering, node: ast.Starred) -> Meaning:
    low.refuse("ADC101", "`*` cannot be used here", node)


RULES: dict[type[ast.AST], Callable[[Lowering, Any], Meaning]] = {
    ast.BinOp: _binary_chain,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.IfExp: _conditional,
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Dict: _dict,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Starred: _starred,
    ast.Call: lambda low, node: calls.call_node(low, node),
    ast.JoinedStr: lambda low, node: text.f_string(low, node),
    ast.ListComp: lambda low, node: comprehensions.list_comprehension(low, node),
    ast.GeneratorExp: lambda low, node: comprehensions.generator(low, node),
    ast.DictComp: lambda low, node: comprehensions.dict_comprehension(low, node),
}
