"""What names mean: local ones by the state, the others by the scope; and what a function's own names are.

lookup      : name -> Meaning
assign_name : name, Meaning -> ()
outside     : a live object -> Meaning
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import numpy as np

from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.resolve import PythonObject, Resolved, StaticConstant, UnknownName, UserFunction
from ad_compiler.frontend.values import (
    UNBOUND,
    Closure,
    Entries,
    Frame,
    Group,
    Items,
    Meaning,
    Reference,
    Root,
    Static,
    Unbound,
    Variable,
)
from ad_compiler.ir.core import Op, Value
from ad_compiler.ir.types import ONE, Dim, Tensor
from ad_compiler.primitives.shapes import dtype_code

# ---------------------------------------------------------------------------------------------- variables


def owner_of(frame: Frame, name: str) -> Frame | None:
    """The activation that owns `name`, seen from `frame`; None when it is no local name of any."""
    scan: Frame | None = frame
    while scan is not None and name not in scan.locals:
        scan = scan.outer
    return scan


def lookup(low: Lowering, name: str, node: ast.AST | None = None) -> Meaning:
    owner = owner_of(low.frame, name)
    if owner is None:
        return _of_scope(low, name, node)
    meaning = low.state.variables.get(Variable(owner, name), UNBOUND)
    if isinstance(meaning, Unbound):
        low.refuse("ADC103", f"`{name}` is not bound on the path that leads here", node)
    low.check_usable(meaning)
    return meaning


def assign_name(low: Lowering, name: str, meaning: Meaning, node: ast.AST | None = None) -> None:
    owner = owner_of(low.frame, name)
    if owner is None:
        low.refuse(
            "ADC113",
            f"`{name}` is a variable outside the function, and is assigned here",
            node,
            help=f"return the new value of `{name}` instead",
        )
    low.state.variables[Variable(owner, name)] = meaning
    low.hinted(meaning, name)


def delete_name(low: Lowering, name: str) -> None:
    owner = owner_of(low.frame, name)
    if owner is not None:
        low.state.variables.pop(Variable(owner, name), None)


# ---------------------------------------------------------------------------------------------- the scope


def resolve(low: Lowering, name: str) -> Resolved | None:
    """What a name that is no variable means; asked once in a lowering."""
    key = id(low.frame.scope), name
    if key not in low.resolved:
        low.resolved[key] = (low.frame.scope, low.frame.scope.lookup(name))
    return low.resolved[key][1]


def _of_scope(low: Lowering, name: str, node: ast.AST | None) -> Meaning:
    resolved = resolve(low, name)
    if resolved is None:
        low.refuse("ADC102", f"the name `{name}` is not defined", node)
    return of_resolved(low, resolved, name, node)


def of_resolved(low: Lowering, resolved: Resolved, name: str, node: ast.AST | None) -> Meaning:
    if isinstance(resolved, UnknownName):
        low.refuse("ADC102", f"the meaning of `{name}` is not known", node, notes=(resolved.reason,))
    if isinstance(resolved, UserFunction):
        if resolved.function is not None:
            return Static(resolved.function)
        return Closure(resolved.definition)
    if isinstance(resolved, StaticConstant):
        return outside(low, resolved.value, name)
    assert isinstance(resolved, PythonObject)
    return outside(low, resolved.obj, name)


def outside(low: Lowering, obj: Any, name: str = "") -> Meaning:
    """A live object that the function reads: numbers as they are now, arrays as captured values."""
    if isinstance(obj, tuple):
        return Group(tuple(outside(low, item, name) for item in obj), type(obj))
    if isinstance(obj, np.bool_ | np.int64 | np.float64 | np.complex128):
        return Static(obj.item())
    if not isinstance(obj, np.ndarray | np.generic | list | dict):
        return Static(obj)
    known = low.outside.get(id(obj))
    if known is None or known[0] is not obj:
        known = low.outside[id(obj)] = (obj, _captured(low, obj, name))
    return known[1]


def _captured(low: Lowering, obj: Any, name: str) -> Meaning:
    if isinstance(obj, np.ndarray | np.generic):
        value = _captured_value(low, obj, name)
        if isinstance(obj, np.generic):
            from ad_compiler.frontend.values import Scalar

            return Scalar(value)
        return Reference(_outside_root(low, value, name))
    if isinstance(obj, list):
        return Reference(_outside_root(low, Items(tuple(outside(low, item, name) for item in obj)), name))
    keys = tuple(obj)
    return Reference(_outside_root(low, Entries(keys, tuple(outside(low, obj[k], f"{name}_{k}") for k in keys)), name))


def _outside_root(low: Lowering, content: Any, name: str) -> Root:
    root = Root(low.serial(), name, low.builder.span)
    root.outside = content
    return root


def _captured_value(low: Lowering, obj: Any, name: str) -> Value:
    """A `captured` op at the head of the function: the emitted text reads the bare name."""
    if obj.dtype == object:
        low.refuse("ADC101", f"`{name}` is an array of Python objects", None)
    shape = tuple(ONE if length == 1 else Dim(None, length) for length in obj.shape)
    identifier = "".join(c if c.isalnum() else "_" for c in name) or "captured"
    taken = {op.attributes["name"] for op in low.entry.ops if op.name == "captured"}
    unique, k = identifier, 1
    while unique in taken:
        k += 1
        unique = f"{identifier}_{k}"
    op = Op("captured", [], {"name": unique, "value": obj}, [], [], low.builder.span)
    value = Value(Tensor(dtype_code(obj.dtype), shape), "", op)  # no hint: the name is that of the object
    op.results = [value]
    position = next((k for k, one in enumerate(low.entry.ops) if one.name != "captured"), len(low.entry.ops))
    low.entry.ops.insert(position, op)
    return value


# ---------------------------------------------------------------------------------- the names of a function


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parameter_names(arguments: ast.arguments) -> list[str]:
    parts = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return [part.arg for part in parts if part is not None]


@functools.lru_cache(maxsize=4096)
def own_names(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function binds itself, and those it declares nonlocal or global."""
    bound: dict[str, None] = dict.fromkeys(parameter_names(node.args))  # type: ignore[attr-defined]
    declared: dict[str, None] = {}
    body = node.body if isinstance(node.body, list) else [node.body]  # type: ignore[attr-defined]
    for one in walk_scope(body):
        if isinstance(one, ast.Nonlocal | ast.Global):
            declared.update(dict.fromkeys(one.names))
        else:
            bound.update(dict.fromkeys(binds(one)))
    return frozenset(name for name in bound if name not in declared), frozenset(declared)


def binds(node: ast.AST) -> list[str]:
    """The names that this very node binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        return [node.id]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return [node.name]
    return []


def walk_scope(body: list[Any]) -> list[ast.AST]:
    """The nodes of these statements in order, without what nested functions and comprehensions keep inside."""
    found: list[ast.AST] = []
    stack: list[Any] = list(reversed(body))
    while stack:
        node = stack.pop()
        found.append(node)
        if isinstance(node, FUNCTIONS):
            inside: list[Any] = list(node.args.defaults) + [d for d in node.args.kw_defaults if d is not None]
        elif isinstance(node, ast.ClassDef):
            inside = []
        elif isinstance(node, COMPREHENSIONS):
            inside = [node.generators[0].iter]
            found.extend(one for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
            stack.extend(one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
        else:
            inside = list(ast.iter_child_nodes(node))
        stack.extend(reversed(inside))
    return found


def free_names(node: ast.AST) -> list[str]:
    """The names that a function reads or writes and does not own, with those of functions inside it."""
    own, declared = own_names(node)
    found: dict[str, None] = dict.fromkeys(sorted(declared))
    body = node.body if isinstance(node.body, list) else [node.body]  # type: ignore[attr-defined]
    for statement in body:
        for one in ast.walk(statement):
            if isinstance(one, ast.Name) and one.id not in own:
                found[one.id] = None
    return list(found)


def new_frame(low: Lowering, closure_outer: Frame | None, definition: Any) -> Frame:
    own, declared = own_names(definition.node)
    return Frame(low.serial(), definition, closure_outer, own, declared)


__all__ = ["assign_name", "delete_name", "lookup", "new_frame", "outside", "own_names"]
