"""Statements that do something to the world: print, assert, raise, logging, warnings.

They become `effect` ops: the statement's own text, with `_0_`, `_1_`, … for the values it reads.
"""

from __future__ import annotations

import ast
import builtins as python
import functools
import types
import warnings
from typing import Any

import numpy as np

from ad_compiler.frontend import views
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.names import owner_of, resolve
from ad_compiler.frontend.resolve import PythonObject, Resolved, attribute, root_of
from ad_compiler.frontend.values import Entries, Group, Items, Meaning, Reference, Static, Variable
from ad_compiler.ir.core import Value

LOGGING = ("debug", "info", "warning", "error", "critical", "exception", "log")


# ------------------------------------------------------------------------------------------- what they read


def quoted(low: Lowering, node: ast.expr, operands: list[Value]) -> ast.expr:
    """`node` as text for a template: strings stay, what is computed becomes `_k_`."""
    from ad_compiler.frontend.expressions import expression

    if isinstance(node, ast.Constant):
        return node
    if isinstance(node, ast.JoinedStr):
        return ast.JoinedStr([quoted(low, part, operands) for part in node.values])
    if isinstance(node, ast.FormattedValue):
        spec = None if node.format_spec is None else quoted(low, node.format_spec, operands)
        return ast.FormattedValue(quoted(low, node.value, operands), node.conversion, spec)
    return quoted_meaning(low, expression(low, node), operands)


def quoted_meaning(low: Lowering, meaning: Meaning, operands: list[Value]) -> ast.expr:
    if isinstance(meaning, Static):
        value = meaning.value
        if value is None or isinstance(value, str | int | float | complex | bytes | bool):
            return ast.Constant(value)
        name = getattr(value, "__name__", None)
        return ast.Constant(name if isinstance(name, str) else repr(type(value)))
    if isinstance(meaning, Group):
        return ast.Tuple([quoted_meaning(low, item, operands) for item in meaning.items], ast.Load())
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Items):
            return ast.List([quoted_meaning(low, item, operands) for item in content.items], ast.Load())
        if isinstance(content, Entries):
            keys: list[ast.expr | None] = [ast.Constant(key) for key in content.keys]
            return ast.Dict(keys, [quoted_meaning(low, item, operands) for item in content.items])
    value = low.value(meaning)
    operands.append(value)
    return ast.Name(f"_{len(operands) - 1}_", ast.Load())


def emit(low: Lowering, template: ast.AST | str, operands: list[Value]) -> None:
    text = template if isinstance(template, str) else ast.unparse(ast.fix_missing_locations(template))
    low.builder.emit("effect", operands, types=[], template=text)


# ------------------------------------------------------------------------------------------------ calls


def is_effect(low: Lowering, node: ast.Call) -> bool:
    return _effect_name(low, node.func) is not None


def _effect_name(low: Lowering, node: ast.expr) -> str | None:
    """The text by which the emitted code calls this function, if it is one called for its effect."""
    found = _object(low, node)
    if found is python.print:
        return "print"
    if found is warnings.warn:
        return "warnings.warn"
    if isinstance(found, types.FunctionType) and found.__module__ == "logging" and found.__name__ in LOGGING:
        return f"logging.{found.__name__}"
    if isinstance(found, types.MethodType) and root_of(found.__func__) == "logging" and found.__name__ in LOGGING:
        return f"logging.getLogger({getattr(found.__self__, 'name', '')!r}).{found.__name__}"
    return None


def _object(low: Lowering, node: ast.expr) -> Any:
    """The live object that a dotted name of the scope stands for."""
    if isinstance(node, ast.Attribute):
        owner = _object(low, node.value)
        if owner is None:
            return None
        found: Resolved | None = attribute(PythonObject(owner), node.attr)
    elif isinstance(node, ast.Name):
        frame = owner_of(low.frame, node.id)
        if frame is not None:
            meaning = low.state.variables.get(Variable(frame, node.id))
            return meaning.value if isinstance(meaning, Static) else None
        found = resolve(low, node.id)
    else:
        return None
    return getattr(found, "obj", None) or getattr(found, "function", None)


def effect_statement(low: Lowering, node: ast.Call) -> None:
    name = _effect_name(low, node.func)
    assert name is not None
    operands: list[Value] = []
    arguments = low.each([functools.partial(_argument, low, one, operands) for one in node.args])
    keywords = [ast.keyword(one.arg, quoted(low, one.value, operands)) for one in node.keywords if one.arg != "file"]
    module = name.split(".")[0]
    if module != name and f"import {module}" not in low.module.imports:
        low.module.imports = (*low.module.imports, f"import {module}")
    with low.at(node):
        function = ast.parse(name, mode="eval").body
        emit(low, ast.Expr(ast.Call(function, arguments, keywords)), operands)


def _argument(low: Lowering, node: ast.expr, operands: list[Value]) -> ast.expr:
    if isinstance(node, ast.Starred):
        return ast.Starred(quoted(low, node.value, operands), ast.Load())
    return quoted(low, node, operands)


# ----------------------------------------------------------------------------------------- assert, raise


def assertion(low: Lowering, node: ast.Assert) -> None:
    from ad_compiler.frontend.expressions import condition

    test = condition(low, node.test)
    if isinstance(test, Static) and test.value:
        return
    operands: list[Value] = []
    quoted_test = quoted_meaning(low, test, operands)
    message = None if node.msg is None else quoted(low, node.msg, operands)
    emit(low, ast.Assert(quoted_test, message), operands)
    if isinstance(test, Static):
        low.state.dead = True


def raising(low: Lowering, node: ast.Raise) -> None:
    if node.exc is None:
        low.refuse("ADC101", "a bare `raise` is not supported", node)
    call = node.exc if isinstance(node.exc, ast.Call) else None
    cls: Any = _object(low, node.exc if call is None else call.func)
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        low.refuse("ADC101", "only exceptions that are made here can be raised", node)
    operands: list[Value] = []
    written = cls.__name__
    name: ast.expr
    if getattr(python, written, None) is cls:
        name = ast.Name(written, ast.Load())
    elif root_of(cls) == "numpy":
        where = "np.linalg" if hasattr(np.linalg, written) else "np"
        name = ast.parse(f"{where}.{written}", mode="eval").body
    else:
        low.refuse(
            "ADC101",
            f"`{written}` is a class of the program, which the emitted code does not have",
            node,
            help="raise one of Python's own exceptions",
        )
    exception: ast.expr = name
    if call:
        arguments = low.each([functools.partial(_argument, low, one, operands) for one in call.args])
        exception = ast.Call(name, arguments, [])
    emit(low, ast.Raise(exception, None), operands)
    low.state.dead = True


# -------------------------------------------------------------------------------------------------- with


HARMLESS = ("errstate", "catch_warnings", "printoptions", "nullcontext", "localcontext")


def enter(low: Lowering, item: ast.withitem) -> None:
    """A context manager that changes no value: its block is lowered as it stands."""
    call = item.context_expr
    found = _object(low, call.func) if isinstance(call, ast.Call) else None
    if getattr(found, "__name__", None) not in HARMLESS:
        low.refuse(
            "ADC101", "this `with` is not supported", call,
            help="only `np.errstate`, `warnings.catch_warnings` and the like can be used here",
        )  # fmt: skip
    if item.optional_vars is not None:
        from ad_compiler.frontend.assignment import assign

        assign(low, item.optional_vars, Static(None))
