"""The outside of an emitted function: its parameters, what it returns, and how it is called.

A parameter that is a structure is taken apart at the head of the function; the result is put together at its
end, a record as the class of the parameter that it looks like.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from ad_compiler.backends.expressions import Expressions
from ad_compiler.backends.literals import literal, name, variable
from ad_compiler.ir import trees
from ad_compiler.ir.core import Function, Op, Parameter, Value
from ad_compiler.ir.types import Tensor, Type, is_scalar

BUILTIN_TYPES = ("float", "int", "bool", "complex", "str", "list", "tuple", "dict")


class Signature:
    """The parameters of a function (or of a closure inside one) and the values that they bring."""

    def __init__(self, function: Function) -> None:
        self.parameters = list(function.parameters)
        self.values = list(function.body.parameters)
        if not self.parameters:
            self.parameters = [
                Parameter(value.hint or f"x{k}", trees.Leaf(value.type)) for k, value in enumerate(self.values)
            ]
        self.outer: Signature | None = None

    @classmethod
    def of_closure(cls, op: Op, outer: Signature) -> Signature:
        made = cls.__new__(cls)
        made.values = list(op.regions[0].parameters)
        given = op.attributes.get("parameters")
        if given is None:
            given = tuple((value.hint or f"bar_{k}", trees.Leaf(value.type)) for k, value in enumerate(made.values))
        made.parameters = [Parameter(key, tree) for key, tree in given]
        made.outer = outer
        return made

    def leaves(self) -> Iterator[tuple[Parameter, list[Value]]]:
        """Each parameter with the values that it brings."""
        at = 0
        for parameter in self.parameters:
            size = trees.count(parameter.tree)
            yield parameter, self.values[at : at + size]
            at += size

    def name_parts(self) -> None:
        """A part of a structure that has no name of its own is called after its place: `params_W`, `pair_0`."""
        for parameter, values in self.leaves():
            if isinstance(parameter.tree, trees.Leaf):
                continue
            for value, place in zip(values, places(parameter.tree, parameter.name), strict=True):
                if value.hint in ("", parameter.name):
                    value.hint = place

    def fixed(self) -> dict[Value, str]:
        """The values whose variable is a parameter."""
        return {
            values[0]: parameter.name for parameter, values in self.leaves() if isinstance(parameter.tree, trees.Leaf)
        }

    def reserved(self) -> list[str]:
        """The names of parameters that are structures: they stay what they are."""
        return [parameter.name for parameter in self.parameters if not isinstance(parameter.tree, trees.Leaf)]

    # -- parameters -------------------------------------------------------------------------------------

    def arguments(self, names: dict[Value, str]) -> ast.arguments:
        made = ast.arguments([], [], None, [], [], None, [])
        for parameter, values in self.leaves():
            leaf = isinstance(parameter.tree, trees.Leaf)
            own = names.get(values[0], parameter.name) if leaf and self.outer is not None else parameter.name
            argument = ast.arg(own, annotation(parameter.annotation))
            default = expression(parameter.default)
            if parameter.kind == "star":
                made.vararg = argument
            elif parameter.kind == "kwargs":
                made.kwarg = argument
            elif parameter.kind == "keyword":
                made.kwonlyargs.append(argument)
                made.kw_defaults.append(default)
            else:
                made.args.append(argument)
                if default is not None:
                    made.defaults.append(default)
                elif made.defaults:
                    made.defaults.clear()  # a parameter without a default after one with: none of them has one
        return made

    def annotation(self, function: Function) -> ast.expr | None:
        """`-> float` or a tuple of them, where all is known and the user annotated."""
        if self.outer is not None or not all(parameter.annotation for parameter in self.parameters):
            return None
        if not self.parameters or function.outputs is None:
            return None
        return scalars(function.outputs)

    def unpacking(self, names: dict[Value, str]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for parameter, values in self.leaves():
            if isinstance(parameter.tree, trees.Leaf | trees.Fixed) or not values:
                continue
            made += unpack(variable(parameter.name), parameter.tree, [names.get(value, "_") for value in values])
        return made

    # -- results ----------------------------------------------------------------------------------------

    def result(self, expressions: Expressions, tree: trees.Tree | None, values: Sequence[Value]) -> ast.expr | None:
        made = expressions.values(values)
        if tree is None:
            if not made:
                return None
            return made[0] if len(made) == 1 else ast.Tuple(made, ast.Load())
        return expressions.display(tree, iter(made), self.record)

    def record(self, tree: trees.RecordTree) -> ast.expr:
        """The class of a record: that of a parameter, or by its name."""
        for parameter in self.parameters:
            found = find(parameter.tree, tree.cls, variable(parameter.name))
            if found is not None:
                return ast.Call(name("type"), [found], [])
        if self.outer is not None:
            return self.outer.record(tree)
        return name(tree.cls.__name__)

    # -- calls ------------------------------------------------------------------------------------------

    def call(self, expressions: Expressions, function: str, operands: Sequence[Value]) -> ast.expr:
        flat = iter(expressions.values(operands))
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for parameter in self.parameters:
            made = expressions.display(parameter.tree, flat)
            if parameter.kind == "star":
                positional.append(ast.Starred(made, ast.Load()))
            elif parameter.kind == "kwargs":
                keywords.append(ast.keyword(None, made))
            elif parameter.kind == "keyword":
                keywords.append(ast.keyword(parameter.name, made))
            else:
                positional.append(made)
        return ast.Call(name(function), positional, keywords)


def unpack(source: ast.expr, tree: trees.Tree | None, targets: Sequence[str]) -> list[ast.stmt]:
    """Statements that give the leaves of `source` their variables."""
    flat = iter(targets)
    if tree is None:
        stores: list[ast.expr] = [ast.Name(target, ast.Store()) for target in targets]
        if not stores:
            return [ast.Expr(source)]
        return [ast.Assign([stores[0] if len(stores) == 1 else ast.Tuple(stores, ast.Store())], source)]
    pattern = display(tree, flat)
    if pattern is not None:
        if not targets:
            return [ast.Expr(source)]
        return [ast.Assign([pattern], source)]
    made: list[ast.stmt] = []
    flat = iter(targets)
    if not isinstance(source, ast.Name):
        made.append(ast.Assign([ast.Name("_parts", ast.Store())], source))
        source = name("_parts")
    _parts(source, tree, flat, made)
    return made


def display(tree: trees.Tree, flat: Iterator[str]) -> ast.expr | None:
    """The target `(W, b), c` of an unpacking; None when the structure holds what cannot be unpacked."""
    if isinstance(tree, trees.Leaf):
        return ast.Name(next(flat), ast.Store())
    if isinstance(tree, trees.Fixed):
        return ast.Name("_", ast.Store())
    if not isinstance(tree, trees.TupleTree | trees.ListTree):
        return None
    items = [display(item, flat) for item in tree.items]
    if any(item is None for item in items) or not items:
        return None
    return ast.Tuple(items, ast.Store())  # type: ignore[arg-type]


def _parts(source: ast.expr, tree: trees.Tree, flat: Iterator[str], made: list[ast.stmt]) -> None:
    if isinstance(tree, trees.Leaf):
        made.append(ast.Assign([ast.Name(next(flat), ast.Store())], source))
        return
    if isinstance(tree, trees.Fixed):
        return
    for k, item in enumerate(tree.items):
        if not trees.count(item):
            continue
        if isinstance(tree, trees.RecordTree):
            part: ast.expr = ast.Attribute(source, tree.keys[k], ast.Load())
        else:
            key = tree.keys[k] if isinstance(tree, trees.DictTree) else k
            part = ast.Subscript(source, literal(key) or ast.Constant(key), ast.Load())
        _parts(deepcopy(part), item, flat, made)


def places(tree: trees.Tree, prefix: str) -> Iterator[str]:
    """A name for each leaf, from its place in the structure."""
    if isinstance(tree, trees.Leaf):
        yield prefix
    elif not isinstance(tree, trees.Fixed):
        keys = tree.keys if isinstance(tree, trees.DictTree | trees.RecordTree) else range(len(tree.items))
        for key, item in zip(keys, tree.items, strict=True):
            part = f"{prefix}_{key}"
            yield from places(item, part if part.isidentifier() else prefix)


def find(tree: trees.Tree, cls: Any, source: ast.expr) -> ast.expr | None:
    """The part of `source` that is a record of class `cls`."""
    if isinstance(tree, trees.Leaf | trees.Fixed):
        return None
    if isinstance(tree, trees.RecordTree) and tree.cls is cls:
        return deepcopy(source)
    for k, item in enumerate(tree.items):
        if isinstance(tree, trees.RecordTree):
            part: ast.expr = ast.Attribute(source, tree.keys[k], ast.Load())
        else:
            key = tree.keys[k] if isinstance(tree, trees.DictTree) else k
            part = ast.Subscript(source, literal(key) or ast.Constant(key), ast.Load())
        found = find(item, cls, part)
        if found is not None:
            return found
    return None


def scalars(tree: trees.Tree) -> ast.expr | None:
    if isinstance(tree, trees.Leaf):
        return _scalar(tree.payload)
    if isinstance(tree, trees.TupleTree) and tree.items:
        items = [scalars(item) for item in tree.items]
        if any(item is None for item in items):
            return None
        return ast.Subscript(name("tuple"), ast.Tuple(items, ast.Load()) if len(items) > 1 else items[0], ast.Load())  # type: ignore[arg-type]
    return None


def _scalar(type: Type | None) -> ast.expr | None:
    if type is None or not is_scalar(type) or not isinstance(type, Tensor):
        return None
    return {"f64": name("float"), "i64": name("int"), "bool": name("bool")}.get(type.dtype)


def annotation(text: str | None) -> ast.expr | None:
    """An annotation as the user wrote it, if it means the same in a file that has only `np` and the builtins."""
    made = expression(text)
    return made if made is not None and known(made) else None


def expression(text: str | None) -> ast.expr | None:
    if text is None:
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None


def known(made: ast.expr) -> bool:
    for node in ast.walk(made):
        if (
            isinstance(node, ast.Name)
            and node.id not in (*BUILTIN_TYPES, "None", "np")
            and not (hasattr(builtins, node.id))
        ):
            return False
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in ("float", "int", "bool"):
            return False  # `float[n, 3]` is our notation, which Python cannot evaluate
        if isinstance(node, ast.Call):
            return False
    return True
