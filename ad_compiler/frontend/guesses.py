"""The types of parameters of a function that is read and not called: `adc emit`.

    guessed : Definition, given trees -> a tree for every parameter

In this order: what is given, the annotation, the default, the use: a name that bounds a range or is an index is
an integer, `p["W"]` is a dict, `for W, b in layers` a list of pairs.  Of the others nothing is known.
"""

from __future__ import annotations

import ast
from typing import Any

from ad_compiler.frontend.annotations import parse_annotation
from ad_compiler.frontend.names import parameter_names
from ad_compiler.frontend.read import Definition
from ad_compiler.frontend.resolve import StaticConstant
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, Tree, TupleTree
from ad_compiler.ir.types import BOOL, FLOAT, INT, ListType, Symbol, Tensor, TupleType, unknown


def guessed(definition: Definition, given: dict[str, Tree]) -> dict[str, Tree]:
    args = definition.node.args
    parameters = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    annotations = {one.arg: one.annotation for one in parameters}
    names = [name for name in parameter_names(args) if name in annotations][len(definition.bound_args) :]
    defaults = default_nodes(args)
    integers = counted_names(definition.node)
    symbols: dict[str, Symbol] = {}
    found: dict[str, Tree] = {}
    for name in names:
        if name in definition.bound_keywords:
            continue
        tree = given.get(name)
        if tree is None:
            tree = parse_annotation(
                annotations[name],
                definition.scope,
                symbols=symbols,
                source=definition.source,
                function=definition.name,
            )
        if tree is None and name in defaults:
            tree = _of_default(definition, defaults[name])
        if tree is None and name in integers:
            tree = Leaf(INT)
        if tree is None:
            tree = by_use(definition.node, name)
        found[name] = tree
    if args.vararg:
        found[args.vararg.arg] = given.get(args.vararg.arg, TupleTree(()))
    if args.kwarg:
        found[args.kwarg.arg] = given.get(args.kwarg.arg, DictTree((), ()))
    return found


def by_use(function: ast.AST, name: str) -> Tree:
    """What the uses of a parameter say that it is."""
    parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    uses: list[ast.expr] = [one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name]
    return _by_uses(uses, parents)


def _by_uses(uses: list[ast.expr], parents: dict[ast.AST, ast.AST]) -> Tree:
    keyed: dict[str, list[ast.expr]] = {}
    for use in uses:
        parent = parents.get(use)
        if isinstance(parent, ast.Subscript) and parent.value is use and isinstance(parent.slice, ast.Constant):
            if isinstance(parent.slice.value, str):
                keyed.setdefault(parent.slice.value, []).append(parent)
    if keyed and sum(map(len, keyed.values())) == len(uses):
        return DictTree(tuple(keyed), tuple(_by_uses(found, parents) for found in keyed.values()))
    widths = [width for use in uses if (width := _unpacked_width(use, parents))]
    if widths:
        return Leaf(ListType(TupleType(tuple(unknown() for _ in range(widths[0])))))
    return Leaf(unknown())


def _unpacked_width(use: ast.expr, parents: dict[ast.AST, ast.AST]) -> int:
    """How many names each element is unpacked into, where the use is what a loop runs over; else 0."""
    loop: ast.AST | None = parents.get(use)
    target_of = None
    if isinstance(loop, ast.Call) and isinstance(loop.func, ast.Name) and loop.func.id in ("enumerate", "reversed"):
        target_of = loop.func.id
        loop = parents.get(loop)
    if not isinstance(loop, ast.For | ast.comprehension):
        return 0
    target = loop.target
    if target_of == "enumerate":
        if not (isinstance(target, ast.Tuple) and len(target.elts) == 2):
            return 0
        target = target.elts[1]
    plain = isinstance(target, ast.Tuple) and not any(isinstance(one, ast.Starred) for one in target.elts)
    return len(target.elts) if plain and isinstance(target, ast.Tuple) else 0


def default_nodes(args: ast.arguments) -> dict[str, ast.expr]:
    """The default of each parameter that has one."""
    positional = [*args.posonlyargs, *args.args]
    last = positional[len(positional) - len(args.defaults) :]
    found = {one.arg: node for one, node in zip(last, args.defaults, strict=True)}
    keyword_only = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return found | {one.arg: node for one, node in keyword_only if node is not None}


def _of_default(definition: Definition, node: ast.expr) -> Tree | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        resolved = definition.scope.lookup(node.id) if isinstance(node, ast.Name) else None
        if not isinstance(resolved, StaticConstant):
            return None
        value = resolved.value
    return _of_value(value)


def _of_value(value: Any) -> Tree | None:
    if isinstance(value, bool):
        return Leaf(BOOL)
    if isinstance(value, int):
        return Leaf(INT)
    if isinstance(value, float):
        return Leaf(FLOAT)
    if isinstance(value, complex):
        return Leaf(Tensor("c128", ()))
    if value is None or isinstance(value, str):
        return Fixed(value)
    if isinstance(value, tuple):
        items = [_of_value(item) for item in value]
        return None if None in items else TupleTree(tuple(item for item in items if item is not None))
    return None


def counted_names(node: ast.AST) -> frozenset[str]:
    """The names that bound a range, or are an index or the bound of a slice."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "range":
            found.update(_names_in(one.args))
        elif isinstance(one, ast.Subscript):
            parts = one.slice.elts if isinstance(one.slice, ast.Tuple) else [one.slice]
            for part in parts:
                bounds = [part.lower, part.upper, part.step] if isinstance(part, ast.Slice) else [part]
                found.update(_names_in([bound for bound in bounds if bound is not None], only_scalar=True))
    return frozenset(found)


def _names_in(nodes: list[ast.expr], *, only_scalar: bool = False) -> set[str]:
    """The names in sums and differences of names and numbers; with `only_scalar`, not a name by itself."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and not only_scalar:
            found.add(node.id)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.FloorDiv | ast.Mult):
            found |= _names_in([node.left, node.right])
    return found
