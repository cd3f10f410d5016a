"""Calls.  A function of the user's is lowered in place of the call, in a new activation (`inline`).

    call_node : ast.Call -> Meaning
    call      : Meaning, arguments, keywords -> Meaning
    method_of : Meaning, name -> the bound method of a user's class, or None

So what a helper writes into its arguments is seen by the caller, early returns are local, and closures read
the variables around them as they are at the call.  A function that is already being lowered is recursive:
`recursion` makes it a function of the module.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.diagnostics.diagnostic import Error
from ad_compiler.frontend import arrays, builtins, control, draws, effects, listmethods, objects, recursion, views
from ad_compiler.frontend.context import Lowering, Refused, Unreachable, describe
from ad_compiler.frontend.guesses import default_nodes
from ad_compiler.frontend.names import new_frame, outside
from ad_compiler.frontend.primitive_calls import call_primitive
from ad_compiler.frontend.read import Definition, from_function
from ad_compiler.frontend.resolve import is_user_function, root_of
from ad_compiler.frontend.values import (
    NONE,
    POISON,
    UNBOUND,
    Attribute,
    Bound,
    Choice,
    Closure,
    Entries,
    Group,
    Meaning,
    Reference,
    Static,
    Unbound,
    Variable,
)
from ad_compiler.primitives import method as primitive_method
from ad_compiler.primitives import spelled

Keywords = dict[str, Meaning]
DEEPEST = 200  # calls inside calls


def call_node(low: Lowering, node: ast.Call) -> Meaning:
    from ad_compiler.frontend.expressions import expression, expressions

    if effects.is_effect(low, node):
        effects.effect_statement(low, node)
        return NONE
    lone = node.args[0] if len(node.args) >= 1 else None
    if isinstance(lone, ast.GeneratorExp):
        return _consuming_call(low, node, lone)
    function, arguments, keywords = low.each(
        [
            lambda: expression(low, node.func),
            lambda: expressions(low, node.args),
            lambda: _keywords(low, node.keywords),
        ]
    )
    with low.at(node):
        return call(low, function, arguments, keywords)


CONSUMERS = (sum, min, max, any, all, list, tuple, dict, sorted, np.fromiter, math.fsum, math.prod)


def _consuming_call(low: Lowering, node: ast.Call, generator: ast.GeneratorExp) -> Meaning:
    """`sum(v * v for v in xs)`: what is called walks over the generator at once."""
    from ad_compiler.frontend.expressions import expression, expressions

    function = expression(low, node.func)
    at_once = isinstance(function, Static) and any(function.value is one for one in CONSUMERS)
    if at_once or (isinstance(function, Attribute) and function.name in ("extend", "join", "update")):
        low.consumed = generator
    arguments, keywords = low.each([lambda: expressions(low, node.args), lambda: _keywords(low, node.keywords)])
    with low.at(node):
        return call(low, function, arguments, keywords)


def _keywords(low: Lowering, nodes: list[ast.keyword]) -> Keywords:
    from ad_compiler.frontend.expressions import expression

    found: Keywords = {}
    for node in nodes:
        meaning = expression(low, node.value)
        if node.arg is not None:
            found[node.arg] = meaning
            continue
        content = views.content_of(low, meaning.root) if isinstance(meaning, Reference) else None
        if not isinstance(content, Entries):
            low.refuse("ADC118", "the keys of what is opened with `**` must be known when compiling", node.value)
        found |= dict(zip(content.keys, content.items, strict=True))
    return found


def call(low: Lowering, function: Meaning, arguments: Sequence[Meaning], keywords: Keywords) -> Meaning:
    for one in (function, *arguments, *keywords.values()):
        low.check_usable(one)
    function = control.without_none(function)
    arguments = list(arguments)
    if isinstance(function, Static):
        return _call_object(low, function.value, arguments, keywords)
    if isinstance(function, Closure):
        return call_closure(low, function, arguments, keywords)
    if isinstance(function, Bound):
        merged = {**dict(function.keywords), **keywords}
        return call(low, function.function, [*function.arguments, *arguments], merged)
    if isinstance(function, Attribute):
        return call_method(low, function.owner, function.name, arguments, keywords)
    if isinstance(function, Choice):
        options = function
        return control.over_choice(low, options, options, lambda one, _: call(low, one, arguments, keywords))
    found = method_of(low, function, "__call__")
    if found is not None:
        return call(low, found, arguments, keywords)
    low.refuse("ADC111", f"{describe(function)} is called, and is no function")


def _call_object(low: Lowering, obj: Any, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    rule = builtins.rule_for(obj)
    if rule is not None:
        return builtins.apply(low, rule, obj, arguments, keywords)
    primitive = spelled(obj)
    if primitive is not None:
        return call_primitive(low, primitive, arguments, keywords)
    if draws.is_draw(obj):
        return draws.draw(low, obj, arguments, keywords)
    if isinstance(getattr(obj, "__self__", None), np.ufunc):
        return arrays.ufunc_method(low, obj.__self__, obj.__name__, arguments, keywords)
    if low.inner is not None:
        result = low.inner(low, obj, arguments, keywords)
        if result is not None:
            return result
    if isinstance(obj, functools.partial):
        fixed = [outside(low, one) for one in obj.args]
        named = {name: outside(low, one) for name, one in obj.keywords.items()}
        return call(low, Static(obj.func), [*fixed, *arguments], {**named, **keywords})
    if isinstance(obj, types.MethodType):
        return call(low, Static(obj.__func__), [outside(low, obj.__self__), *arguments], keywords)
    if isinstance(obj, type):
        return objects.construct(low, obj, arguments, keywords)
    wrapped = _definition(low, obj)
    if wrapped is not None:
        fixed = [outside(low, one) for one in wrapped.bound_args]
        named = {name: outside(low, one) for name, one in wrapped.bound_keywords.items()}
        return call_closure(
            low, Closure(wrapped, None, live_defaults(low, wrapped)), [*fixed, *arguments], {**named, **keywords}
        )
    name = getattr(obj, "__name__", type(obj).__name__)
    module = getattr(obj, "__module__", None)
    full = f"{module}.{name}" if module and module != "builtins" else name
    low.refuse(
        "ADC111",
        f"what `{full}` does is not known",
        help="write it in Python, or declare a rule for it (`custom_vjp`, `primitive`)",
    )


def _definition(low: Lowering, obj: Any) -> Definition | None:
    """The definition of a live function of the user's."""
    known = low.definitions.get(id(obj))
    if known is not None and known[0] is obj:
        return known[1]
    if not (is_user_function(obj) or _wraps_one(obj) or callable_object(obj)):
        return None
    try:
        definition = from_function(obj)
    except Error as error:
        low.findings.extend(error.diagnostics)
        raise Refused from None
    low.definitions[id(obj)] = (obj, definition)
    return definition


def _wraps_one(obj: Any) -> bool:
    """Whether it is known to do what the user's function in it does: a cache, Numba's compiled function."""
    inner = getattr(obj, "__wrapped__", None) or getattr(obj, "py_func", None)
    if root_of(type(obj)) == "ad_compiler":
        return type(obj).__name__ == "DifferentiableFunction"
    return is_user_function(inner)


def callable_object(obj: Any) -> bool:
    return root_of(type(obj)) != "ad_compiler" and is_user_function(inspect.getattr_static(type(obj), "__call__", None))


def live_defaults(low: Lowering, definition: Definition) -> tuple[tuple[str, Meaning], ...]:
    """The defaults of a live function, as they were when it was defined."""
    function = definition.function
    if function is None:
        return ()
    parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    return tuple(
        (one.name, outside(low, one.default, one.name))
        for one in parameters
        if one.default is not inspect.Parameter.empty
    )


# ------------------------------------------------------------------------------------------------ methods


def call_method(low: Lowering, owner: Meaning, name: str, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    if isinstance(owner, Static) and isinstance(owner.value, str):
        return listmethods.call_string_method(low, owner, name, arguments, keywords)
    if isinstance(owner, Group):
        return listmethods.call_tuple_method(low, owner, name, arguments, keywords)
    if isinstance(owner, Reference) and not owner.path:
        from ad_compiler.frontend.context import is_list

        if is_list(low, owner) or isinstance(views.content_of(low, owner.root), Entries):
            return listmethods.call_list_method(low, owner, name, arguments, keywords)
    if draws.is_generator(owner):
        return draws.draw_from(low, Attribute(owner, name), arguments, keywords)
    special = builtins.ARRAY_METHODS.get(name)
    if special is not None:
        return special(low, owner, *arguments, **keywords)
    primitive = primitive_method(name)
    if primitive is None:
        low.refuse("ADC116", f"the method `{name}` is not supported")
    return call_primitive(low, primitive, [owner, *arguments], keywords)


def method_of(low: Lowering, owner: Meaning, name: str) -> Meaning | None:
    """The method `name` of an object of a class of the user's, bound to it."""
    cls: Any = None
    if isinstance(owner, Group) and owner.cls is not tuple:
        cls = owner.cls
    elif isinstance(owner, Reference) and not owner.path:
        content = low.state.content(owner.root)
        cls = content.cls if isinstance(content, Entries) and content.cls is not dict else None
    elif isinstance(owner, Static) and not isinstance(owner.value, type) and not inspect.ismodule(owner.value):
        cls = type(owner.value) if is_user_function(inspect.getattr_static(type(owner.value), name, None)) else None
    if cls is None:
        return None
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, staticmethod):
        return Static(found.__func__)
    if isinstance(found, classmethod):
        return Bound(Static(found.__func__), (Static(cls),))
    return Bound(Static(found), (owner,)) if isinstance(found, types.FunctionType) else None


# ------------------------------------------------------------------------------------- the user's functions


def closure(low: Lowering, node: ast.FunctionDef | ast.Lambda, name: str) -> Closure:
    """A function defined inside the one being lowered; its defaults are evaluated now."""
    from ad_compiler.frontend.expressions import expression

    outer = low.frame.definition
    definition = Definition(node=node, source=outer.source, scope=low.frame.scope, name=name)
    defaults = tuple((one, expression(low, default)) for one, default in default_nodes(node.args).items())
    return Closure(definition, low.frame, defaults)


def decorated(low: Lowering, node: ast.FunctionDef, meaning: Meaning) -> Meaning:
    """A nested function under decorators: each is called, as Python does."""
    from ad_compiler.frontend.expressions import expression

    for decorator in reversed(node.decorator_list):
        found = expression(low, decorator)
        if isinstance(found, Static) and found.value in (staticmethod, functools.cache, functools.lru_cache):
            continue
        meaning = call(low, found, [meaning], {})
    return meaning


def call_closure(low: Lowering, function: Closure, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    bound = bind(low, function, arguments, keywords)
    if len(low.activations) >= DEEPEST:
        low.refuse("ADC101", "calls are nested too deeply here")
    return recursion.call(low, function, bound, lambda: inline(low, function, bound))


def bind(low: Lowering, function: Closure, arguments: list[Meaning], keywords: Keywords) -> Keywords:
    """The parameters' meanings, by Python's rules."""
    args = function.definition.node.args
    defaults = dict(function.defaults) or _text_defaults(low, function)
    kinds = inspect.Parameter
    parameters = [
        kinds(one.arg, kinds.POSITIONAL_ONLY, default=defaults.get(one.arg, kinds.empty)) for one in args.posonlyargs
    ]
    parameters += [
        kinds(one.arg, kinds.POSITIONAL_OR_KEYWORD, default=defaults.get(one.arg, kinds.empty)) for one in args.args
    ]
    if args.vararg:
        parameters.append(kinds(args.vararg.arg, kinds.VAR_POSITIONAL))
    parameters += [
        kinds(one.arg, kinds.KEYWORD_ONLY, default=defaults.get(one.arg, kinds.empty)) for one in args.kwonlyargs
    ]
    if args.kwarg:
        parameters.append(kinds(args.kwarg.arg, kinds.VAR_KEYWORD))
    try:
        bound = inspect.Signature(parameters).bind(*arguments, **keywords)
    except TypeError as error:
        low.refuse("ADC117", f"`{function.definition.name}`: {error}")
    bound.apply_defaults()
    found: Keywords = {}
    for name, value in bound.arguments.items():
        if isinstance(value, dict):
            value = Reference(low.root(Entries(tuple(value), tuple(value.values())), name))
        elif isinstance(value, tuple):
            value = Group(value)
        found[name] = value
    return found


def _text_defaults(low: Lowering, function: Closure) -> Keywords:
    """The defaults of a function read from text, evaluated where it stands."""
    from ad_compiler.frontend.expressions import expression

    definition = function.definition
    if definition.function is not None:
        return dict(live_defaults(low, definition))
    nodes = default_nodes(definition.node.args)
    if not nodes:
        return {}
    frame = low.frame
    low.frame = new_frame(low, function.outer, definition)
    low.frame.locals = frozenset()
    try:
        return {name: expression(low, default) for name, default in nodes.items()}
    finally:
        low.frame = frame


def inline(low: Lowering, function: Closure, bound: Keywords) -> Meaning:
    """Lower the body here; the meaning of its result."""
    frame = new_frame(low, function.outer, function.definition)
    for name, meaning in bound.items():
        low.state.variables[Variable(frame, name)] = meaning
    result = body_result(low, frame)
    for variable in [one for one in low.state.variables if one.owner is frame]:
        if variable.name not in _kept_names(frame):
            del low.state.variables[variable]
    if low.state.dead:
        raise Unreachable
    return result


@functools.lru_cache(maxsize=1024)
def _names_read_inside(node: ast.AST) -> frozenset[str]:
    from ad_compiler.frontend.liveness import live_names

    return live_names(node).always


def _kept_names(frame: Any) -> frozenset[str]:
    """The variables that functions defined inside may read after the call."""
    return _names_read_inside(frame.definition.node)


def body_result(low: Lowering, frame: Any) -> Meaning:
    """Lower the body of the function of `frame`; what it returns."""
    outer, flags = low.frame, low.exits
    returned, result = Variable(frame, "<returned>"), Variable(frame, "<result>")
    low.frame, low.exits = frame, (returned,)
    low.state.variables[returned] = Static(False)
    body = frame.definition.body
    steps: list[Any] = list(body)
    if not always_returns(body):
        steps.append(lambda: low.state.variables.__setitem__(result, NONE))
    try:
        control.run(
            low,
            steps,
            lambda variable: variable.owner is not frame or _matters(frame, variable),
            last=frozenset({returned}),
        )
    finally:
        low.frame, low.exits = outer, flags
    low.state.variables.pop(returned, None)
    meaning = low.state.variables.pop(result, UNBOUND)
    return POISON if isinstance(meaning, Unbound) else meaning


def _matters(frame: Any, variable: Variable) -> bool:
    return variable.name.startswith("<") or variable.name in _kept_names(frame)


def always_returns(body: Sequence[ast.stmt]) -> bool:
    """Whether no run falls off the end of these statements, as far as the text says."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Return | ast.Raise):
        return True
    if isinstance(last, ast.If):
        return always_returns(last.body) and always_returns(last.orelse)
    if isinstance(last, ast.With):
        return always_returns(last.body)
    if isinstance(last, ast.While):
        forever = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return forever and not any(isinstance(one, ast.Break) for one in ast.walk(last))
    return False


def set_result(low: Lowering, meaning: Meaning) -> None:
    """`return meaning`."""
    frame = low.frame
    while Variable(frame, "<returned>") not in low.state.variables and frame.outer is not None:
        frame = frame.outer  # a comprehension's frame lies inside its function's
    low.state.variables[Variable(frame, "<result>")] = meaning
    low.state.variables[Variable(frame, "<returned>")] = Static(True)
