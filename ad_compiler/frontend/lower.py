"""Lowering: the AST of a function -> structured SSA.

    lower            : Definition, argument trees -> Module       raises LanguageError with all findings
    static_arguments : Definition, given trees    -> argument trees, by annotations, defaults and use

The parts: `statements` and `expressions` follow the AST; `values` is what names stand for, `joins`, `control`
and `loops` are what happens to that where paths part and meet; `views` and `containers` read and write arrays,
lists and dicts; `calls` inlines functions, `recursion` does not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ad_compiler.diagnostics.diagnostic import Diagnostic, InternalError, LanguageError
from ad_compiler.frontend import calls, structure
from ad_compiler.frontend.containers import roots_within
from ad_compiler.frontend.context import Lowering, Refused, Unreachable
from ad_compiler.frontend.guesses import default_nodes, guessed
from ad_compiler.frontend.names import new_frame, outside, parameter_names
from ad_compiler.frontend.read import Definition
from ad_compiler.frontend.values import Group, Meaning, Root, Static, Variable
from ad_compiler.ir.core import Function, Module, Parameter, Value
from ad_compiler.ir.trees import Tree


def lower(
    definition: Definition,
    arguments: dict[str, Tree],
    *,
    inner: Callable[..., Any] | None = None,
    in_place: bool = False,
) -> Module:
    """The module of `definition` for arguments of these types.

    With `in_place`, the result of a function that returns nothing is what it has written into its arguments.

    `inner(low, callable, arguments, keywords)` may give the meaning of a call of an object that the frontend
    does not know (a derivative inside a function); None when it does not know it either.
    """
    module = Module(definition.name)
    low = Lowering(module, inner)
    main = _main(low, definition, arguments, in_place)
    low.findings.raise_if_any(LanguageError)
    if main is None or low.findings.refused:
        raise InternalError(Diagnostic("ADC301", "the frontend refused a statement and does not say why"))
    functions = {definition.name: main, **module.functions}
    module.functions = functions
    return module


def _main(low: Lowering, definition: Definition, arguments: dict[str, Tree], in_place: bool) -> Function | None:
    frame = new_frame(low, None, definition)
    low.frame = frame
    parameters = _parameters(low, definition, arguments)
    body = low.builder.block
    for parameter in parameters:
        values = structure.parameters_of(parameter.tree, parameter.name)
        body.parameters.extend(values)
        meaning = structure.take_in(low, parameter.tree, parameter.name, iter(values))
        low.state.variables[Variable(frame, parameter.name)] = meaning
    _bind_fixed(low, definition, frame)
    given = {one.name: low.state.variables[Variable(frame, one.name)] for one in parameters}
    before = dict(low.state.heap)
    try:
        result = calls.body_result(low, frame)
        written = [name for name, meaning in given.items() if _is_written(low, meaning, before)]
        low.module.written = tuple(written)
        if in_place and written and isinstance(result, Static) and result.value is None:
            result = given[written[0]] if len(written) == 1 else Group(tuple(given[name] for name in written))
        flat: list[Value] = []
        with low.at(definition.node):
            if low.state.dead:
                low.refuse("ADC101", f"`{definition.name}` raises an exception on every path")
            outputs = structure.hand_out(low, result, flat)
            low.builder.terminate("return", flat)
    except Refused as refused:
        if isinstance(refused, Unreachable) and not low.findings:
            low.report("ADC101", f"`{definition.name}` raises an exception on every path", definition.node)
        return None
    docstring = ast.get_docstring(definition.node) if isinstance(definition.node, ast.FunctionDef) else None
    return Function(definition.name, body, parameters, outputs, docstring, definition.span())


def _is_written(low: Lowering, meaning: Meaning, before: dict[Root, Any]) -> bool:
    """Whether an array or a list of an argument has been written into."""
    return any(low.state.content(root) is not before.get(root) for root in roots_within(low.state, meaning))


def _parameters(low: Lowering, definition: Definition, arguments: dict[str, Tree]) -> list[Parameter]:
    args = definition.node.args
    defaults = default_nodes(args)
    kinds = {one.arg: "keyword" for one in args.kwonlyargs}
    annotations = {
        one.arg: one.annotation
        for one in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg)
        if one is not None
    }
    if args.vararg:
        kinds[args.vararg.arg] = "star"
    if args.kwarg:
        kinds[args.kwarg.arg] = "kwargs"
    found = []
    for name in parameter_names(args):
        if name not in arguments:
            continue
        default, annotation = defaults.get(name), annotations[name]
        found.append(
            Parameter(
                name,
                arguments[name],
                kinds.get(name, "positional"),
                None if default is None else definition.text(default),
                None if annotation is None else definition.text(annotation),
            )
        )
    return found


def _bind_fixed(low: Lowering, definition: Definition, frame: Any) -> None:
    """What a method or a partial has bound already, and parameters left at their defaults."""
    names = parameter_names(definition.node.args)
    for name, obj in [*zip(names, definition.bound_args, strict=False), *definition.bound_keywords.items()]:
        if Variable(frame, name) not in low.state.variables:
            low.state.variables[Variable(frame, name)] = outside(low, obj, name)
    defaults = dict(calls.live_defaults(low, definition))
    nodes = default_nodes(definition.node.args)
    for name in names:
        if Variable(frame, name) in low.state.variables:
            continue
        if name in defaults:
            low.state.variables[Variable(frame, name)] = defaults[name]
        elif name in nodes:
            low.state.variables[Variable(frame, name)] = _default(low, nodes[name])


def _default(low: Lowering, node: ast.expr) -> Meaning:
    from ad_compiler.frontend.expressions import expression

    return expression(low, node)


def static_arguments(definition: Definition, given: dict[str, Tree]) -> dict[str, Tree]:
    """A tree for every parameter: what is given, else by annotations, defaults and use, else unknown."""
    return guessed(definition, given)
