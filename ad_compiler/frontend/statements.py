"""Statements: `statement(low, node)` changes the state and appends ops.  (`if` is in `control`.)"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ad_compiler.frontend import assignment, calls, effects, patterns, subscripts, walking
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.control import live_after, run
from ad_compiler.frontend.expressions import expression
from ad_compiler.frontend.libraries import NotALibraryError, import_library, member
from ad_compiler.frontend.names import assign_name, delete_name, outside
from ad_compiler.frontend.values import NONE, Static, Variable


def statement(low: Lowering, node: ast.stmt) -> None:
    rule = RULES.get(type(node))
    if rule is None:
        low.refuse("ADC101", f"{_kind(node)} is not supported", node)
    with low.at(node):
        rule(low, node)


def _kind(node: ast.stmt) -> str:
    words = {"ClassDef": "a class inside a function", "Delete": "this `del`", "AsyncFor": "`async for`"}
    return words.get(type(node).__name__, f"`{type(node).__name__.lower()}`")


def _assign(low: Lowering, node: ast.Assign) -> None:
    meaning = expression(low, node.value)
    for target in node.targets:
        assignment.assign(low, target, meaning)


def _annotated(low: Lowering, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assignment.assign(low, node.target, expression(low, node.value))


# ------------------------------------------------------------------------------------------ early exits


def _return(low: Lowering, node: ast.Return) -> None:
    meaning = NONE if node.value is None else expression(low, node.value)
    calls.set_result(low, meaning)


def _break(low: Lowering, node: ast.Break) -> None:
    low.state.variables[_flag(low, "<broke>")] = Static(True)


def _continue(low: Lowering, node: ast.Continue) -> None:
    low.state.variables[_flag(low, "<continued>")] = Static(True)


def _flag(low: Lowering, name: str) -> Variable:
    return next(flag for flag in reversed(low.exits) if flag.name == name)


# ------------------------------------------------------------------------------------------------- others


def _expression(low: Lowering, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node.value, ast.Call) and effects.is_effect(low, node.value):
        effects.effect_statement(low, node.value)
        return
    expression(low, node.value)


def _function(low: Lowering, node: ast.FunctionDef) -> None:
    meaning = calls.closure(low, node, node.name)
    assign_name(low, node.name, calls.decorated(low, node, meaning), node)


def _delete(low: Lowering, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            delete_name(low, target.id)
        elif isinstance(target, ast.Subscript):
            subscripts.delete(low, expression(low, target.value), expression(low, target.slice))
        else:
            low.refuse("ADC101", "this `del` is not supported", target)


def _with(low: Lowering, node: ast.With) -> None:
    for item in node.items:
        effects.enter(low, item)
    run(low, node.body, live_after(low, node))


def _import(low: Lowering, node: ast.Import | ast.ImportFrom) -> None:
    filename = low.frame.definition.source.filename
    for alias in node.names:
        try:
            if isinstance(node, ast.ImportFrom):
                found: Any = member(import_library(node.module or "", filename), alias.name, filename)
            else:
                found = import_library(alias.name, filename)
                if not alias.asname:
                    found = import_library(alias.name.split(".")[0], filename)
        except NotALibraryError as error:
            low.refuse(
                "ADC102", f"the meaning of `{alias.asname or alias.name}` is not known", node, notes=(str(error),)
            )
        assign_name(low, alias.asname or alias.name.split(".")[0], outside(low, found, alias.name), node)


def _nothing(low: Lowering, node: ast.stmt) -> None:
    pass


def _try(low: Lowering, node: ast.Try) -> None:
    low.refuse("ADC101", "`try` is not supported", node, help="test for the condition with `if` instead")


RULES: dict[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: assignment.augmented_assignment,
    ast.For: walking.for_statement,
    ast.While: walking.while_statement,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Expr: _expression,
    ast.FunctionDef: _function,
    ast.Delete: _delete,
    ast.With: _with,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Pass: _nothing,
    ast.Global: _nothing,
    ast.Nonlocal: _nothing,
    ast.Assert: effects.assertion,
    ast.Raise: effects.raising,
    ast.Match: patterns.match,
    ast.Try: _try,
}
