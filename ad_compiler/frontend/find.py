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
    compiled = _compiled(text, code.co_flags & _FUTURE)
    if compiled is None:
        return None
    tree, codes = compiled
    alike = [other for other in codes.get(code.co_name, ()) if _same(other, code)]
    if not alike and _rewritten_by_pytest(code):
        alike = [other for other in codes.get(code.co_name, ()) if _same_but_for_asserts(other, code)]
    if not alike:
        return None
    # one text twice in a file is one function twice: the nearest is the likeliest place to show
    nearest = min(alike, key=lambda other: abs(other.co_firstlineno - code.co_firstlineno))
    nodes = [node for node in _functions(text, code.co_flags & _FUTURE) if _heads(node) == _head(nearest)]
    if len(nodes) > 1:  # lambdas on one line
        exact = [node for node in nodes if _compiles_to(node, code)]
        nodes = [node for node in exact if _covers(node, code)] or exact
    return (nodes[0], tree) if nodes else None


@functools.lru_cache(maxsize=32)
def _compiled(text: str, flags: int) -> tuple[ast.Module, dict[str, list[types.CodeType]]] | None:
    """The tree of a module's text and all code objects in it by name; None when it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            root = compile(tree, "<text>", "exec", flags | _FLAGS, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: dict[str, list[types.CodeType]] = {}
    for code in _walk(root):
        found.setdefault(code.co_name, []).append(code)
    return tree, found


@functools.lru_cache(maxsize=32)
def _functions(text: str, flags: int) -> list[FunctionNode]:
    compiled = _compiled(text, flags)
    assert compiled is not None
    return [node for node in ast.walk(compiled[0]) if isinstance(node, FunctionNode)]


def _walk(code: types.CodeType) -> Iterator[types.CodeType]:
    stack = [code]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(constant for constant in one.co_consts if isinstance(constant, types.CodeType))


def _heads(node: FunctionNode) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _head(code: types.CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _same(a: types.CodeType, b: types.CodeType) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    return _essence(a) == _essence(b)


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
        _head(plain) == _head(rewritten)
        and plain.co_varnames == locals_
        and plain.co_freevars == rewritten.co_freevars
        and set(plain.co_names) - {"AssertionError"} <= names
    )


def _compiles_to(node: FunctionNode, code: types.CodeType) -> bool:
    """Whether this node alone, with the same names free, compiles to the code."""
    assert isinstance(node, ast.Lambda)
    nothing = ast.copy_location(ast.Constant(None), node)
    given = node.args
    bare = ast.arguments(
        given.posonlyargs, given.args, given.vararg, given.kwonlyargs,
        [nothing if default is not None else None for default in given.kw_defaults],
        given.kwarg, [nothing] * len(given.defaults),
    )  # fmt: skip
    alone = ast.copy_location(ast.Lambda(bare, node.body), node)
    free = ast.arguments([], [ast.arg(name) for name in code.co_freevars], None, [], [], None, [])
    around = ast.copy_location(ast.FunctionDef("_", free, [ast.Return(alone)], []), node)
    if "type_params" in ast.FunctionDef._fields:
        around.type_params = []  # type: ignore[attr-defined]
    module = ast.fix_missing_locations(ast.Module([around], []))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = compile(module, "<text>", "exec", code.co_flags & _FUTURE, dont_inherit=True)
    outer = next(one for one in root.co_consts if isinstance(one, types.CodeType))
    return any(_same(one, code) for one in outer.co_consts if isinstance(one, types.CodeType))


def _covers(node: FunctionNode, code: types.CodeType) -> bool:
    """Whether the instructions, where Python kept their places, lie in the body of the lambda."""
    assert isinstance(node, ast.Lambda)
    body = node.body
    places = [place for place in code.co_positions() if None not in place and place[2] != place[3]]
    start, stop = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    return all(start <= (line, column) and (end, last) <= stop for line, end, column, last in places)


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
