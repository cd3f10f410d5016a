"""The piece of text that a running function was compiled from.

    node_of : code object, its globals -> (Source, node)

The text of a file may have been edited since it was imported.  So the text is compiled again (never run) and
the node taken whose code *is* the running one: the same instructions, names and constants, wherever it now
stands.  When there is none, that is an error: we never differentiate another function than the one that runs.
Lambdas that share a line are told apart the same way.
"""

from __future__ import annotations
import __future__

import ast
import functools
import linecache
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ad_compiler.diagnostics.diagnostic import Diagnostic, SourceError
from ad_compiler.diagnostics.source import Source, Span

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FEATURES = [getattr(__future__, name) for name in __future__.all_feature_names]
_FUTURE = functools.reduce(int.__or__, (feature.compiler_flag for feature in _FEATURES))
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # a notebook cell may await outside a function


def node_of(code: types.CodeType, namespace: dict[str, Any]) -> tuple[Source, FunctionNode, ast.Module]:
    """The source, the node and the module's tree of the function whose code this is; or a SourceError."""
    text = None
    for text in _texts(code.co_filename, namespace):
        found = _search(text, code)
        if found is not None:
            return Source(code.co_filename, text), *found
    raise _no_text(code) if text is None else _changed(code, text)


def _texts(filename: str, namespace: dict[str, Any]) -> Iterator[str]:
    """What Python last read of the file, then what it holds now; nothing when there is no text."""
    entry = linecache.cache.get(filename)
    before = "".join(entry[2]) if entry is not None and len(entry) == 4 else None
    if before:
        yield before
    linecache.checkcache(filename)
    now = "".join(linecache.getlines(filename, namespace))
    if now and now != before:
        yield now


def _search(text: str, code: types.CodeType) -> tuple[FunctionNode, ast.Module] | None:
    flags = code.co_flags & _FUTURE
    for apart in (True, False):
        compiled = _compiled(text, flags, apart)
        if compiled is None:
            return None
        tree, functions = compiled
        same_name = functions.get(code.co_name, ())
        alike = [node for other, node in same_name if _essence(other) == _essence(code)]
        if not alike and _rewritten_by_pytest(code):
            alike = [node for other, node in same_name if _same_but_for_asserts(other, code)]
        if alike:
            # one text twice in a file is one function twice: this is the likeliest place to show
            return min(alike, key=lambda node: (abs(_line(node) - code.co_firstlineno), _misses(node, code))), tree
    return None


_Functions = dict[str, list[tuple[types.CodeType, FunctionNode]]]


@functools.lru_cache(maxsize=32)
def _compiled(text: str, flags: int, apart: bool) -> tuple[ast.Module, _Functions] | None:
    """The tree of a module's text, and its functions by name, each with its code; None when it does not compile.

    Code and node belong together when their first lines do.  With `apart`, lambdas that share a line are
    compiled as if each had one of its own; without, they are left out.  (Moving a lambda can, rarely, change a
    no-op in the function around it; so that one is looked for both ways.)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree, other = ast.parse(text), ast.parse(text)
            nodes = [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]
            twins = [node for node in ast.walk(other) if isinstance(node, FunctionNode)]
            together = {head for head, count in Counter(map(_head, nodes)).items() if count > 1}
            if apart:
                last = text.count("\n") + 1
                for number, twin in enumerate(twins, last + 1):
                    if _head(twin) in together:
                        twin.lineno = twin.end_lineno = number
            root = compile(other, "<text>", "exec", flags | _FLAGS, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    by_head = {_head(twin): node for twin, node in zip(twins, nodes, strict=True)}
    found: _Functions = {}
    for code in _walk(root):
        head = code.co_name, code.co_firstlineno
        if head in by_head and (apart or head not in together):
            found.setdefault(code.co_name, []).append((code, by_head[head]))
    return tree, found


def _walk(code: types.CodeType) -> Iterator[types.CodeType]:
    stack = [code]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(constant for constant in one.co_consts if isinstance(constant, types.CodeType))


def _head(node: FunctionNode) -> tuple[str, int]:
    """The name and the first line, as the code object of this node has them."""
    return getattr(node, "name", "<lambda>"), _line(node)


def _line(node: FunctionNode) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _essence(code: types.CodeType) -> tuple[Any, ...]:
    return (
        code.co_name,
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        tuple(map(_constant, code.co_consts)),
    )


def _constant(value: Any) -> Any:
    """A constant of a code object such that equal means same: 1 is not True, 0.0 is not -0.0, nan is nan."""
    if isinstance(value, types.CodeType):
        return _essence(value)
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):
        return frozenset(map(_constant, value))
    return type(value), repr(value)


def _rewritten_by_pytest(code: types.CodeType) -> bool:
    """pytest compiles the `assert`s of test modules into something longer, under names that begin with @."""
    return any(name.startswith("@py") for name in code.co_names + code.co_varnames)


def _same_but_for_asserts(plain: types.CodeType, rewritten: types.CodeType) -> bool:
    locals_ = tuple(name for name in rewritten.co_varnames if not name.startswith("@py"))
    names = {name for name in rewritten.co_names if not name.startswith("@py")}
    return (
        plain.co_firstlineno == rewritten.co_firstlineno
        and plain.co_varnames == locals_
        and plain.co_freevars == rewritten.co_freevars
        and set(plain.co_names) - {"AssertionError"} <= names
    )


def _misses(node: FunctionNode, code: types.CodeType) -> bool:
    """Whether some instruction, where Python kept their places, lies outside the body of this lambda."""
    if not isinstance(node, ast.Lambda):
        return False
    body = node.body
    start, stop = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
    for line, end_line, column, end in code.co_positions():
        if line is None or end_line is None or column is None or end is None or column == end:
            continue
        if (line, column) < start or (end_line, end) > stop:
            return True
    return False


def _no_text(code: types.CodeType) -> SourceError:
    name, filename = code.co_name, code.co_filename
    if filename.startswith(("<stdin", "<python-input")):
        why = "it was typed at the Python prompt, which does not keep what is typed"
        way = "put the function in a file and import it, or type it in IPython or a notebook"
    elif filename.startswith("<"):
        why = f"it was made from text by `exec` or `eval` (`{filename}`), and the text was not kept"
        way = "put the function in a file, or register the text with `linecache` under that name"
    else:
        why = f"`{filename}` cannot be read"
        way = "differentiate it where its file is, or use `adc emit` there and ship the derivative"
    return SourceError(Diagnostic("ADC107", f"the source of `{name}` cannot be found", None, (), (why,), way))


def _changed(code: types.CodeType, text: str) -> SourceError:
    """The text is there, and nothing in it compiles to the running code."""
    source = Source(code.co_filename, text)
    line = source.line(code.co_firstlineno)
    span = None
    if code.co_name in line or (code.co_name == "<lambda>" and "lambda" in line):
        number = code.co_firstlineno
        start, end = len(line) - len(line.lstrip()), len(line.rstrip())
        span = Span(source=source, line=number, column=start, end_line=number, end_column=end, function=code.co_name)
    notes = (
        f"nothing in `{code.co_filename}` compiles to the code of `{code.co_name}` that would run",
        "the file was edited after it was imported, or a tool rewrote the function while importing it",
    )
    message = f"the source of `{code.co_name}` is not what runs"
    way = "import the module again (or restart the session), then differentiate"
    return SourceError(Diagnostic("ADC108", message, span, (), notes, way))
