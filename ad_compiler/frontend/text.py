"""Strings that the program computes: f-strings and formatting.  They are data, `opaque` to everything else."""

from __future__ import annotations

import ast

from ad_compiler.frontend import effects
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.values import Group, Meaning, Scalar, Static
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import Opaque


def f_string(low: Lowering, node: ast.JoinedStr) -> Meaning:
    operands: list[Value] = []
    quoted = effects.quoted(low, node, operands)
    if isinstance(quoted, ast.Constant):
        return Static(quoted.value)
    return _opaque(low, ast.unparse(quoted), operands)


def _opaque(low: Lowering, template: str, operands: list[Value]) -> Meaning:
    (value,) = low.builder.emit("opaque", operands, types=[Opaque("str")], template=template)
    return Scalar(value)


def formatted(low: Lowering, template: Meaning, values: Meaning) -> Meaning:
    """`"%d" % x`."""
    operands: list[Value] = []
    items = values.items if isinstance(values, Group) else (values,)
    parts = [effects.quoted_meaning(low, item, operands) for item in items]
    tree = ast.BinOp(effects.quoted_meaning(low, template, operands), ast.Mod(), ast.Tuple(parts, ast.Load()))
    return _opaque(low, ast.unparse(ast.fix_missing_locations(tree)), operands)


def formatted_by_method(
    low: Lowering, template: Static, arguments: list[Meaning], keywords: dict[str, Meaning]
) -> Meaning:
    """`"{}".format(x)`."""
    operands: list[Value] = []
    parts = [effects.quoted_meaning(low, item, operands) for item in arguments]
    named = [ast.keyword(name, effects.quoted_meaning(low, item, operands)) for name, item in keywords.items()]
    function = ast.Attribute(ast.Constant(template.value), "format", ast.Load())
    return _opaque(low, ast.unparse(ast.fix_missing_locations(ast.Call(function, parts, named))), operands)
