"""How a primitive is written in NumPy: `expression(name, operands, attributes) -> ast.expr`.

In the expression the operands are the names `_0_`, `_1_`, …; whoever emits puts his own expressions there.
The text comes from `Primitive.emit`:

    a template      a Python expression; the names of operands and attributes in it stand for these, `index` inside
                    brackets is a subscript, a name like `_unbroadcast` is a helper of `runtime.py`
    a function      (types of the operands, attributes) -> template; `attributes["constants"]` has for each operand
                    a tuple of the constant that it is, or None
    None            `np.NAME(…)` (`_NAME(…)` for a helper) with the arguments of the signature, defaults left out

Writes in place (`setitem`, `add_at`, `append`, …) are statements, and the backend's own.
"""

from __future__ import annotations

import ast
import copy
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ad_compiler.ir.core import IndexItem, SliceItem, Slot, Value
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, Tree, TupleTree
from ad_compiler.primitives import runtime
from ad_compiler.primitives.declare import REGISTRY, Primitive

Fill = Callable[[int], ast.expr]  # the expression of the slot at a position


def expression(name: str, operands: Sequence[Value], attributes: dict[str, Any]) -> ast.expr:
    """The expression of one op, over the names `_0_`, `_1_`, … of its operands."""
    primitive = REGISTRY[name]
    given = primitive.defaults() | attributes
    template = primitive.emit
    if callable(template):
        template = template([value.type for value in operands], given | {"constants": _constants(operands)})
    if template is None:
        return _call(primitive, len(operands), given)
    writer = _Writer(primitive, len(operands), given)
    result = writer.visit(copy.deepcopy(_parsed(template)))
    assert isinstance(result, ast.expr)
    return result


def helpers(tree: ast.AST) -> tuple[str, ...]:
    """The helpers of `runtime.py` that an expression calls, and those that they call, each before its callers."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        for need in runtime.HELPER_NEEDS.get(name, ()):
            add(need)
        found.setdefault(name)

    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id.startswith("_") and inspect.isfunction(vars(runtime).get(node.id)):
            add(node.id)
    return tuple(found)


@lru_cache
def helper_source(name: str) -> str:
    """The source text of a helper."""
    return inspect.getsource(getattr(runtime, name))


# ---------------------------------------------------------------------------- parts


def place(position: int) -> ast.expr:
    """The name that stands for an operand."""
    return ast.Name(f"_{position}_", ast.Load())


def subscript(index: Sequence[IndexItem], slot: Fill) -> ast.expr:
    """What stands between the brackets."""
    items = [_index_item(item, slot) for item in index]
    return items[0] if len(items) == 1 else ast.Tuple(items, ast.Load())


def literal(value: Any, slot: Fill = place) -> ast.expr:
    """The expression of an attribute: numbers, strings, tuples, dtypes, slots, nested displays."""
    match value:
        case Slot():
            return slot(value.position)
        case SliceItem():
            bounds = [literal(bound, slot) for bound in (value.start, value.stop, value.step)]
            return ast.Call(ast.Name("slice", ast.Load()), bounds, [])
        case tuple():
            return ast.Tuple([literal(item, slot) for item in value], ast.Load())
        case list():
            return ast.List([literal(item, slot) for item in value], ast.Load())
        case Leaf() | Fixed() | TupleTree() | ListTree() | DictTree() | RecordTree():
            return _display(value, slot)
        case np.generic():
            return literal(value.item(), slot)
        case np.dtype() | type():
            return ast.parse(_dtype_text(value), mode="eval").body
        case float() if not math.isfinite(value):
            return ast.parse(f"np.{'nan' if value != value else 'inf'}" if not value < 0 else "-np.inf", mode="eval").body
        case int() | float() if not isinstance(value, bool) and math.copysign(1.0, value) < 0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _index_item(item: IndexItem, slot: Fill) -> ast.expr:
    if isinstance(item, SliceItem):
        bounds = [None if bound is None else literal(bound, slot) for bound in (item.start, item.stop, item.step)]
        return ast.Slice(*bounds)
    if item is None:
        return ast.Attribute(ast.Name("np", ast.Load()), "newaxis", ast.Load())
    return literal(item, slot)


def _display(tree: Tree, slot: Fill) -> ast.expr:
    """A nested display whose leaves are the operands, in order."""
    counter = iter(range(10**9))

    def build(node: Any) -> ast.expr:
        if isinstance(node, Leaf):
            return slot(next(counter))
        if isinstance(node, Fixed):
            return literal(node.value)
        items = [build(item) for item in node.items]
        return ast.Tuple(items, ast.Load()) if isinstance(node, TupleTree) else ast.List(items, ast.Load())

    return build(tree)


def _dtype_text(dtype: Any) -> str:
    if dtype in (float, int, bool, complex):
        return str(dtype.__name__)
    return f"np.{np.dtype(dtype).name}".replace("np.bool", "np.bool_")


def _constants(operands: Sequence[Value]) -> tuple[tuple[Any] | None, ...]:
    return tuple(
        (value.op.attributes["value"],) if value.op is not None and value.op.name == "constant" else None
        for value in operands
    )


# ---------------------------------------------------------------------------- templates


@lru_cache(maxsize=1024)
def _parsed(template: str) -> ast.expr:
    return ast.parse(template, mode="eval").body


class _Writer(ast.NodeTransformer):
    """Puts operands and attributes where a template names them."""

    def __init__(self, primitive: Primitive, count: int, attributes: dict[str, Any]) -> None:
        self.plain = [name for name in primitive.operands if not name.startswith("*")]
        self.variadic = primitive.variadic
        self.count = count
        self.attributes = attributes

    def slot(self, position: int) -> ast.expr:
        return place(len(self.plain) + position)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.slice, ast.Name) and node.slice.id == "index" and "index" in self.attributes:
            node.slice = subscript(self.attributes["index"], self.slot)
        else:
            node.slice = self.visit(node.slice)
        return node

    def visit_Starred(self, node: ast.Starred) -> Any:
        """`*xs` in a display or a call becomes the operands themselves."""
        if isinstance(node.value, ast.Name) and node.value.id == self.variadic:
            return [place(k) for k in range(len(self.plain), self.count)]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.plain:
            return place(self.plain.index(node.id))
        if node.id == self.variadic:
            return ast.List([place(k) for k in range(len(self.plain), self.count)], ast.Load())
        if node.id == "index" and "index" in self.attributes:
            index = self.attributes["index"]
            return literal(index[0] if len(index) == 1 else tuple(index), self.slot)
        if node.id in self.attributes:
            return literal(self.attributes[node.id], self.slot)
        return node


# ---------------------------------------------------------------------------- calls


def _function(primitive: Primitive) -> ast.expr:
    if primitive.helper:
        text = primitive.implementation.__name__
    elif hasattr(np, primitive.name):
        text = f"np.{primitive.name}"
    elif hasattr(np.linalg, primitive.name):
        text = f"np.linalg.{primitive.name}"
    else:
        raise LookupError(f"`{primitive.name}` is a statement, or has no NumPy spelling")
    return ast.parse(text, mode="eval").body


def _call(primitive: Primitive, count: int, attributes: dict[str, Any]) -> ast.expr:
    """The call by the signature: what has no default by position, the rest by keyword where it is not the default."""
    writer = _Writer(primitive, count, attributes)
    call = ast.Call(_function(primitive), [], [])
    for parameter, argument in _arguments(primitive, writer):
        if parameter.kind is parameter.KEYWORD_ONLY or call.keywords:
            call.keywords.append(ast.keyword(parameter.name, argument))
        elif parameter.default is parameter.empty or parameter.name in writer.plain:
            call.args.append(argument)
        else:
            call.keywords.append(ast.keyword(parameter.name, argument))
    return call


def _arguments(primitive: Primitive, writer: _Writer) -> Iterator[tuple[inspect.Parameter, ast.expr]]:
    for parameter in primitive.signature.parameters.values():
        name = parameter.name
        if name in writer.plain:
            if writer.plain.index(name) < writer.count:
                yield parameter, place(writer.plain.index(name))
        elif name == writer.variadic:
            values = [place(k) for k in range(len(writer.plain), writer.count)]
            if parameter.kind is parameter.VAR_POSITIONAL:
                for value in values:
                    yield parameter, value
            else:
                yield parameter, ast.List(values, ast.Load())
        elif name in writer.attributes and _differs(writer.attributes[name], parameter.default):
            yield parameter, literal(writer.attributes[name], writer.slot)


def _differs(value: Any, default: Any) -> bool:
    return type(value) is not type(default) or value != default
