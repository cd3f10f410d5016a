"""Comments of an emitted function: which sweep, and which line of the user's source.

    # forward sweep / # reverse sweep      where the phase changes, in a function that has phases
    # line 7                               behind the first statement of a run that comes from line 7

The run starts anew in every block, so that a loop's first line says where it comes from.  Statements that only
prepare (an empty tape, a zero, a push or a pop, a copy) carry no line.
"""

from __future__ import annotations

import ast

from ad_compiler.backends.write import Blank, Comment, trailing
from ad_compiler.ir.core import Op

TITLES = {"forward": "forward sweep", "reverse": "reverse sweep"}
PREPARING = ("list", "append", "pop", "fresh", "zeros_like", "constant", "tuple_get")


def mark(node: ast.stmt, op: Op) -> ast.stmt:
    """Remember which op a statement is of."""
    if not hasattr(node, "of_op"):
        node.of_op = op  # type: ignore[attr-defined]
    return node


def annotate(body: list[ast.stmt], *, sweeps: bool = True) -> list[ast.stmt]:
    """The body of a function with its comments; `sweeps` says whether to head the sweeps."""
    phases = {op.phase for node in ast.walk(ast.Module(body, [])) if (op := _op(node)) is not None}
    result: list[ast.stmt] = []
    phase = ""
    for node in body:
        op = _op(node)
        if sweeps and op is not None and op.phase and op.phase != phase and "reverse" in phases:
            phase = op.phase
            if isinstance(node, ast.FunctionDef) and result:
                result.append(Blank())
            result.append(Comment(TITLES.get(phase, phase)))
        elif result and isinstance(result[-1], ast.FunctionDef):
            result.append(Blank())
        result.append(node)
    _lines(body, None)
    return result


def _op(node: ast.AST) -> Op | None:
    return getattr(node, "of_op", None)


def _lines(body: list[ast.stmt], line: int | None) -> None:
    phase = ""
    for node in body:
        op = _op(node)
        if isinstance(node, ast.For | ast.While | ast.If):
            for part in (node.body, node.orelse):
                _lines(part, None)
            line = None
            continue
        if op is None or op.span is None or op.name in PREPARING or trailing(node):
            continue
        if op.phase != phase:
            phase, line = op.phase, None
        if op.span.line != line:
            line = op.span.line
            node.trailing = f"line {line}"  # type: ignore[attr-defined]
