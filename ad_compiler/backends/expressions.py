"""Ops -> Python expressions.

`Expressions.value(v)` is the expression that reads a value: its variable, a literal, or the expression of the
op that was folded into this place.  Most ops follow `Primitive.emit` (an expression in operand names) or the
plain form `np.name(operands, attribute=…)`; the ops whose attributes are a structure (an index, a shape, a
display) are spelled here.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ad_compiler.backends.literals import literal, name, numpy, variable
from ad_compiler.backends.schedule import Schedule
from ad_compiler.diagnostics.diagnostic import BackendError, Diagnostic
from ad_compiler.ir import trees
from ad_compiler.ir.core import Op, SliceItem, Slot, Value
from ad_compiler.ir.types import INTEGERS, ListType, Tensor, TupleType, is_scalar, rank
from ad_compiler.primitives.declare import REGISTRY, Primitive

# NumPy answers these with a zero-dimensional array where the program has a number
ZERO_DIMENSIONAL = frozenset(
    "ones_like full_like broadcast_like reshape_like reshape broadcast_to squeeze tensordot".split()
)


class Expressions:
    """The expressions of one function.  `needs` collects the helpers and the modules that the text uses."""

    def __init__(self, plan: Schedule, names: dict[Value, str], needs: dict[str, None]) -> None:
        self.plan = plan
        self.names = names
        self.needs = needs

    # -- values ---------------------------------------------------------------------------------------

    def value(self, value: Value) -> ast.expr:
        if value in self.names:
            return variable(self.names[value])
        assert value.op is not None
        if value.op.name == "constant":
            return self.literal(value.op.attributes["value"], value.op)
        if value.op.name == "undefined":
            return ast.Constant(None)
        if value.op.name == "captured":
            return name(value.op.attributes["name"])
        return self.op(value.op)

    def values(self, values: Sequence[Value]) -> list[ast.expr]:
        return [self.value(value) for value in values]

    def literal(self, value: Any, op: Op | None = None) -> ast.expr:
        made = literal(value)
        if made is None:
            message = f"a constant {type(value).__name__} cannot be written as source"
            raise BackendError(Diagnostic("ADC401", message, None if op is None else op.span))
        if not isinstance(made, ast.Constant):
            self.use_modules(made)
        return made

    def use_modules(self, tree: ast.expr) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in ("math", "scipy"):
                self.needs[f"import {node.id}"] = None

    # -- ops ------------------------------------------------------------------------------------------

    def op(self, op: Op) -> ast.expr:
        """The expression that computes the (first) result of `op`."""
        made = self.spelled(op)
        if op.name in ZERO_DIMENSIONAL and is_scalar(op.results[0].type):
            return ast.Subscript(made, ast.Tuple([], ast.Load()), ast.Load())
        return made

    def spelled(self, op: Op) -> ast.expr:
        special: Callable[[Op], ast.expr] | None = getattr(self, f"op_{op.name}", None)
        if special is not None:
            return special(op)
        primitive = REGISTRY.get(op.name)
        if primitive is None:
            raise BackendError(Diagnostic("ADC401", f"the operation `{op.name}` cannot be written", op.span))
        attributes = primitive.defaults() | op.attributes
        emit = primitive.emit
        if callable(emit):
            emit = emit([operand.type for operand in op.operands], attributes)
        if emit is not None:
            return self.template(emit, op, primitive, attributes)
        return self.call(op, primitive, attributes)

    def template(self, text: str, op: Op, primitive: Primitive, attributes: dict[str, Any]) -> ast.expr:
        tree = ast.parse(text, mode="eval").body
        plain = [one for one in primitive.operands if not one.startswith("*")]
        given: dict[str, ast.expr] = dict(zip(plain, self.values(op.operands[: len(plain)]), strict=False))
        rest = op.operands[len(plain) :]
        for key, attribute in attributes.items():
            if key in given or not any(isinstance(node, ast.Name) and node.id == key for node in ast.walk(tree)):
                continue
            given[key] = self.attribute(key, attribute, rest, op)
        if primitive.variadic:
            given[f"*{primitive.variadic}"] = ast.Tuple(self.values(rest), ast.Load())
        made = _Fill(given).visit(tree)
        for node in ast.walk(made):
            if isinstance(node, ast.Name) and node.id.startswith("_") and node.id in helpers():
                self.needs[node.id] = None
        self.use_modules(made)
        return made  # type: ignore[no-any-return]

    def attribute(self, key: str, value: Any, slots: Sequence[Value], op: Op) -> ast.expr:
        if key == "index":
            return self.index_object(value, slots)
        if _has_slot(value):
            return self.shape(value, slots)
        return self.literal(value, op)

    def call(self, op: Op, primitive: Primitive, attributes: dict[str, Any]) -> ast.expr:
        """`np.name(operands, attribute=…)`, in the order of the signature."""
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        plain = [one for one in primitive.operands if not one.startswith("*")]
        given = dict(zip(plain, op.operands, strict=False))
        rest = op.operands[len(plain) :]
        in_order = True
        for parameter in primitive.signature.parameters.values():
            key = parameter.name
            if key in given:
                made = self.value(given[key])
            elif key == primitive.variadic:
                items = self.values(rest)
                if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                    positional += items
                    continue
                made = ast.Tuple(items, ast.Load())
            elif key in plain or key not in attributes:
                in_order = False
                continue
            else:
                value = attributes[key]
                if parameter.default is not inspect.Parameter.empty and _same(value, parameter.default):
                    in_order = False
                    continue
                made = self.attribute(key, value, rest, op)
                in_order = in_order and parameter.default is inspect.Parameter.empty
            if in_order and parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                positional.append(made)
            else:
                keywords.append(ast.keyword(key, made))
        return ast.Call(self.function(primitive), positional, keywords)

    def function(self, primitive: Primitive) -> ast.expr:
        own = getattr(primitive.implementation, "__name__", primitive.name)
        if primitive.helper:
            self.needs[own] = None
            return name(own)
        if own == "<lambda>" or own.startswith("_"):
            own = primitive.name
        if not hasattr(np, own):
            if hasattr(np.linalg, own):
                return ast.Attribute(ast.Attribute(name("np"), "linalg", ast.Load()), own, ast.Load())
            raise BackendError(Diagnostic("ADC401", f"the operation `{primitive.name}` cannot be written"))
        return ast.Attribute(name("np"), own, ast.Load())

    # -- indices and shapes ---------------------------------------------------------------------------

    def index(self, index: Sequence[Any], slots: Sequence[Value]) -> ast.expr:
        """What stands in the brackets of `x[…]`."""
        items = [self.index_item(item, slots) for item in index]
        return items[0] if len(items) == 1 else ast.Tuple(items, ast.Load())

    def index_item(self, item: Any, slots: Sequence[Value]) -> ast.expr:
        if isinstance(item, Slot):
            return self.value(slots[item.position])
        if isinstance(item, SliceItem):
            given = item.start, item.stop, item.step
            bounds = [None if bound is None else self.index_item(bound, slots) for bound in given]
            return ast.Slice(*bounds)
        return self.literal(item)

    def index_object(self, index: Sequence[Any], slots: Sequence[Value]) -> ast.expr:
        """The index as an argument: `np.s_[…]` where it holds slices."""
        made = self.index(index, slots)
        if any(isinstance(node, ast.Slice) for node in ast.walk(made)):
            return ast.Subscript(ast.Attribute(name("np"), "s_", ast.Load()), made, ast.Load())
        return made

    def shape(self, shape: Any, slots: Sequence[Value]) -> ast.expr:
        """A shape template: a number, or a tuple of numbers and slots."""
        if isinstance(shape, Slot):
            return self.value(slots[shape.position])
        if isinstance(shape, tuple | list):
            return ast.Tuple([self.shape(item, slots) for item in shape], ast.Load())
        return self.literal(shape)

    def subscript(self, base: ast.expr, index: Sequence[Any], slots: Sequence[Value]) -> ast.Subscript:
        return ast.Subscript(base, self.index(index, slots), ast.Load())

    def path(self, op: Op, base: ast.expr, slots: Sequence[Value]) -> ast.expr:
        """The view of `base` that a write goes through."""
        for kind, detail in op.attributes.get("path", ()):
            if kind == "index":
                base = self.subscript(base, detail, slots)
            elif detail is None:
                base = ast.Attribute(base, "T", ast.Load())
            else:
                base = ast.Call(numpy("transpose"), [base, self.literal(detail)], [])
        return base

    # -- ops with a spelling of their own -------------------------------------------------------------

    def op_getitem(self, op: Op) -> ast.expr:
        return self.subscript(self.value(op.operands[0]), op.attributes["index"], op.operands[1:])

    op_list_slice = op_getitem

    def op_scatter(self, op: Op) -> ast.expr:
        raise BackendError(Diagnostic("ADC401", "a `scatter` that was not prepared", op.span))

    def shaped(self, op: Op, first: int, **attributes: Any) -> ast.expr:
        """np.zeros(shape), np.full(shape, v), np.reshape(x, shape), …"""
        shape = self.shape(op.attributes["shape"], op.operands[first:])
        if isinstance(shape, ast.Tuple) and len(shape.elts) == 1 and op.name in ("zeros", "ones", "empty", "full"):
            shape = shape.elts[0]
        arguments = [shape, *self.values(op.operands[:first])]
        if op.name in ("reshape", "broadcast_to"):
            arguments.reverse()
        dtype = op.attributes.get("dtype")
        keywords = [] if dtype is None else [ast.keyword("dtype", self.literal(dtype, op))]
        return ast.Call(numpy("zeros" if op.name == "empty" else op.name), arguments, keywords)

    def op_zeros(self, op: Op) -> ast.expr:
        return self.shaped(op, 0)

    op_ones = op_empty = op_zeros

    def op_full(self, op: Op) -> ast.expr:
        return self.shaped(op, 1)

    op_reshape = op_broadcast_to = op_full

    def op_zeros_like(self, op: Op) -> ast.expr:
        type = op.operands[0].type
        if is_scalar(type) and op.attributes.get("dtype") is None:
            assert isinstance(type, Tensor)
            return ast.Constant(0 if type.dtype in INTEGERS else False if type.dtype == "bool" else 0.0)
        primitive = REGISTRY[op.name]
        assert callable(primitive.emit)
        attributes = primitive.defaults() | op.attributes
        return self.template(primitive.emit([type], attributes) or "", op, primitive, attributes)

    def op_array(self, op: Op) -> ast.expr:
        keywords = []
        if op.attributes.get("dtype") is not None:
            keywords.append(ast.keyword("dtype", self.literal(op.attributes["dtype"], op)))
        return ast.Call(numpy("array"), [self.display(op.attributes["tree"], iter(self.values(op.operands)))], keywords)

    def op_astype(self, op: Op) -> ast.expr:
        operand = op.operands[0]
        dtype = self.literal(op.attributes["dtype"], op)
        if rank(operand.type):
            return ast.Call(ast.Attribute(self.value(operand), "astype", ast.Load()), [dtype], [])
        array = ast.Call(numpy("asarray"), [self.value(operand)], [])
        cast = ast.Call(ast.Attribute(array, "astype", ast.Load()), [dtype], [])
        return ast.Subscript(cast, ast.Tuple([], ast.Load()), ast.Load())

    def op_list(self, op: Op) -> ast.expr:
        return ast.List(self.values(op.operands), ast.Load())

    def op_tuple(self, op: Op) -> ast.expr:
        return ast.Tuple(self.values(op.operands), ast.Load())

    def op_einsum(self, op: Op) -> ast.expr:
        return ast.Call(numpy("einsum"), [self.literal(op.attributes["subscripts"], op), *self.values(op.operands)], [])

    def op_range(self, op: Op) -> ast.expr:
        return ast.Call(name("range"), self.values(op.operands), [])

    def op_fresh(self, op: Op) -> ast.expr:
        operand = op.operands[0]
        if op.attributes.get("deep"):
            return deep_copy(self.value(operand), operand.type)
        return copy_of(self.value(operand), operand.type)

    def op_opaque(self, op: Op) -> ast.expr:
        tree = ast.parse(op.attributes["template"].strip(), mode="eval").body
        return self.filled(tree, op.operands)

    def filled(self, tree: Any, operands: Sequence[Value]) -> Any:
        """A user's template with its operands."""
        return _Fill({f"_{k}_": self.value(operand) for k, operand in enumerate(operands)}).visit(tree)

    # -- structures -------------------------------------------------------------------------------------

    def display(
        self, tree: trees.Tree, flat: Any, record: Callable[[trees.RecordTree], ast.expr] | None = None
    ) -> ast.expr:
        """The Python expression that builds the structure from the expressions of its leaves."""
        if isinstance(tree, trees.Leaf):
            return next(flat)  # type: ignore[no-any-return]
        if isinstance(tree, trees.Fixed):
            return literal(tree.value) or ast.Constant(None)
        items = [self.display(item, flat, record) for item in tree.items]
        if isinstance(tree, trees.ListTree):
            return ast.List(items, ast.Load())
        if isinstance(tree, trees.TupleTree):
            return ast.Tuple(items, ast.Load())
        if isinstance(tree, trees.DictTree):
            return ast.Dict([self.literal(key) for key in tree.keys], items)
        made = record(tree) if record is not None else name(tree.cls.__name__)
        return ast.Call(made, [], [ast.keyword(key, item) for key, item in zip(tree.keys, items, strict=True)])


class _Fill(ast.NodeTransformer):
    """Puts expressions in the place of names.  A name that stands twice gets the same text twice."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.given = given
        self.used: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        made = self.given.get(node.id)
        if made is None:
            return node
        if isinstance(node.ctx, ast.Store) and isinstance(made, ast.Name):
            return ast.Name(made.id, ast.Store())
        if node.id in self.used:
            return deepcopy(made)
        self.used.add(node.id)
        return made

    def visit_Starred(self, node: ast.Starred) -> Any:
        if isinstance(node.value, ast.Name) and f"*{node.value.id}" in self.given:
            return ast.Starred(self.given[f"*{node.value.id}"], node.ctx)
        return self.generic_visit(node)


def copy_of(made: ast.expr, type: Any) -> ast.expr:
    """A shallow copy of an array or a list."""
    if isinstance(type, ListType):
        return ast.Call(name("list"), [made], [])
    return ast.Call(ast.Attribute(made, "copy", ast.Load()), [], [])


def deep_copy(made: ast.expr, type: Any, depth: int = 0) -> ast.expr:
    """A copy for a caller: of a list with its elements, of something that may be a number too."""
    if isinstance(type, ListType):
        if is_scalar(type.element):
            return ast.Call(name("list"), [made], [])
        part = f"part_{depth}" if depth else "part"
        element = deep_copy(name(part), type.element, depth + 1)
        return ast.ListComp(element, [ast.comprehension(ast.Name(part, ast.Store()), made, [], 0)])
    if isinstance(type, TupleType) and isinstance(made, ast.Name):
        parts = [ast.Subscript(made, ast.Constant(k), ast.Load()) for k in range(len(type.elements))]
        copies = [deep_copy(part, element, depth) for part, element in zip(parts, type.elements, strict=True)]
        return ast.Tuple(copies, ast.Load())
    if isinstance(type, Tensor) and not rank(type):
        if is_scalar(type):
            return made
        if type.dtype == "bool":
            return ast.Call(numpy("copy"), [made], [])
        return ast.Call(numpy("positive"), [made], [])
    return copy_of(made, type)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


def _has_slot(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(_has_slot(item) for item in value)
    return isinstance(value, Slot)


def helpers() -> dict[str, Any]:
    """The runtime functions that can be written into the file."""
    from ad_compiler.primitives import runtime

    return {key: value for key, value in vars(runtime).items() if inspect.isfunction(value)}
