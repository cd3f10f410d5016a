"""Making a failing program small: parts of it go while it still fails in the same way.

Works on the syntax tree of any module with a function `f`: statements are deleted, blocks replaced by what is
in them, expressions by a part of themselves or by a number; what no longer runs is not taken.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator


def shrink(source: str, still_fails: Callable[[str], bool], most: int = 1500) -> str:
    """A smaller text for which `still_fails` is true; at most `most` tries."""
    tree = ast.parse(source)
    tries = 0
    progress = True
    while progress and tries < most:
        progress = False
        at = 0
        while tries < most:
            candidate = _edited(tree, at)
            if candidate is None:
                break
            tries += 1
            text = ast.unparse(ast.fix_missing_locations(candidate)) + "\n"
            if still_fails(text):
                tree = ast.parse(text)
                progress = True
            else:
                at += 1
    return ast.unparse(tree) + "\n"


def _edited(tree: ast.Module, number: int) -> ast.Module | None:
    """A copy with the edit of this number done; None when there is none."""
    edited = copy.deepcopy(tree)
    for count, edit in enumerate(_edits(edited)):
        if count == number:
            edit()
            return edited
    return None


def _edits(tree: ast.Module) -> Iterator[Callable[[], None]]:
    """All edits, big ones first."""
    blocks = [
        getattr(node, field)
        for node in ast.walk(tree)
        for field in ("body", "orelse")
        if isinstance(getattr(node, field, None), list)
    ]
    for block in blocks:
        for size in (len(block) // 2, len(block) // 4):
            if size > 1:
                for start in range(0, len(block), size):
                    yield lambda block=block, start=start, size=size: block.__delitem__(slice(start, start + size))
    for block in blocks:
        for position in range(len(block) - 1, -1, -1):
            yield from _statement_edits(block, position)
    for node in list(ast.walk(tree)):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not (isinstance(node, ast.Call) and field == "func"):
                for smaller in _smaller(value):
                    yield lambda node=node, field=field, smaller=smaller: setattr(node, field, smaller)
            elif isinstance(value, list) and field in ("args", "elts", "values"):
                for position, item in enumerate(value):
                    if isinstance(item, ast.expr):
                        for smaller in _smaller(item):
                            yield lambda value=value, position=position, smaller=smaller: value.__setitem__(
                                position, smaller
                            )


def _statement_edits(block: list[ast.stmt], position: int) -> Iterator[Callable[[], None]]:
    statement = block[position]
    if len(block) > 1:
        yield lambda: block.__delitem__(position)
    for inner in (getattr(statement, "body", None), getattr(statement, "orelse", None)):
        if isinstance(inner, list) and inner and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield lambda inner=inner: block.__setitem__(slice(position, position + 1), inner)
    if isinstance(statement, ast.If | ast.For | ast.While) and statement.orelse:
        yield lambda: setattr(statement, "orelse", [])


def _smaller(expression: ast.expr) -> Iterator[ast.expr]:
    """The expression's own parts, then a number."""
    if isinstance(expression, ast.Constant | ast.Name | ast.Slice):
        return
    for child in ast.iter_child_nodes(expression):
        if isinstance(child, ast.expr) and not isinstance(child, ast.Slice | ast.Starred):
            if not (
                isinstance(expression, ast.Attribute) or (isinstance(expression, ast.Call) and child is expression.func)
            ):
                yield child
    if not isinstance(expression, ast.List | ast.Tuple | ast.Dict | ast.Lambda):
        yield ast.Constant(0.5)
