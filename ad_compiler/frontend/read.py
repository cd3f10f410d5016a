"""Finding the source of a function, of a live one or in a text.

    from_function : a callable -> Definition          live: reads globals and closures, writes nothing
    from_text     : text, filename -> ModuleText      static: parses; never imports or runs any of it

A `Definition` is the node of one `def` or `lambda` with what is needed to give its names a meaning.
"""

from __future__ import annotations

import ast
import functools
import inspect
import io
import tokenize
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ad_compiler.diagnostics.diagnostic import ArgumentError, Diagnostic, LanguageError, SourceError
from ad_compiler.diagnostics.source import Source, Span
from ad_compiler.frontend.find import FunctionNode, node_of
from ad_compiler.frontend.resolve import (
    LIBRARIES,
    LiveScope,
    Scope,
    UnknownName,
    root_of,
    transparent,
)
from ad_compiler.frontend.static import StaticScope

MOST_BYTES = 2_000_000
DEEPEST = 400  # nesting of the syntax tree; a sum of 400 terms is that deep

# the encodings that a file may declare; others (rot13, unicode_escape …) make text that is not what one reads
_ENCODINGS = (
    *("utf-8", "ascii", "us-ascii", "latin-1", "iso-8859-", "iso8859-", "cp125", "windows-125", "koi8-"),
    *("shift_jis", "shift-jis", "sjis", "euc-jp", "euc_jp", "euc-kr", "euc_kr", "gbk", "gb2312", "gb18030", "big5"),
)


@dataclass(frozen=True, eq=False)
class Definition:
    """One function: where it is written and what its names mean there.

    `name` is an identifier: the function's, or the name a lambda was assigned to.  `bound_args` and
    `bound_keywords` are live values that a method or `functools.partial` has bound already; they come first.
    """

    node: ast.FunctionDef | ast.Lambda
    source: Source
    scope: Scope
    name: str
    qualname: str = ""
    bound_args: tuple[Any, ...] = ()
    bound_keywords: Mapping[str, Any] = field(default_factory=dict)
    function: Callable[..., Any] | None = None  # the live function, unwrapped; None when read from text

    @property
    def first_line(self) -> int:
        return self.node.lineno

    @property
    def parameters(self) -> ast.arguments:
        return self.node.args

    @property
    def body(self) -> list[ast.stmt]:
        """The statements; a lambda's is one `return`."""
        if isinstance(self.node, ast.Lambda):
            expression = self.node.body
            return [ast.copy_location(ast.Return(expression), expression)]
        return self.node.body

    def span(self, node: ast.AST | None = None) -> Span:
        """The place of a node of this function (of the function itself when none is given)."""
        return span_of(self.node if node is None else node, self.source, self.name)

    def text(self, node: ast.AST) -> str:
        """The source text of a node, as written."""
        return ast.get_source_segment(self.source.text, node) or ast.unparse(node)


@dataclass(frozen=True, eq=False)
class ModuleText:
    """A module as text: its functions in order, and what its names mean."""

    source: Source
    tree: ast.Module
    scope: StaticScope
    definitions: dict[str, Definition]  # the functions (and lambdas with a name) at the top level
    differentiated: dict[str, dict[str, Any]]  # those under our `@differentiate`, with its literal options

    def find(self, name: str) -> Definition:
        """The function of this name; an error with what there is instead, when there is none."""
        if name in self.definitions:
            definition = self.definitions[name]
            opaque = self.scope.opaque_decorator(definition.node)
            if opaque is not None:
                raise LanguageError(_opaque_decorator(definition, opaque))
            return definition
        found = self.scope.lookup(name)
        notes = (found.reason,) if isinstance(found, UnknownName) else ()
        there = ", ".join(f"`{other}`" for other in self.definitions) or "none"
        message = f"there is no function `{name}` at the top level of `{self.source.filename}`"
        raise LanguageError(Diagnostic("ADC102", message, None, (), notes, f"the functions in it: {there}"))


def span_of(node: ast.AST, source: Source, function: str = "") -> Span:
    """The place of a node; `def` and `class` are shown by their first line."""
    line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
    end_line, end = node.end_lineno or line, node.end_col_offset or column  # type: ignore[attr-defined]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and end_line > line:
        end_line, end = line, len(source.line(line).rstrip().encode())
    return Span(
        source=source,
        line=line,
        column=_characters(source.line(line), column),
        end_line=end_line,
        end_column=_characters(source.line(end_line), end),
        function=function,
    )


def _characters(line: str, offset: int) -> int:
    """A column in characters from one in UTF-8 bytes, which is what `ast` counts."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))


# ---------------------------------------------------------------------------------------------------- live


def from_function(f: Callable[..., Any]) -> Definition:
    """The definition of a live function: plain, nested, lambda, method, partial, callable object, decorated.

    Raises SourceError without source (or with one that is not what runs), LanguageError for generators and
    coroutines, ArgumentError for something that is no function.
    """
    function, arguments, keywords = _unbind(f)
    code = function.__code__
    source, node, tree = node_of(code, function.__globals__)
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise LanguageError(_coroutine(node, source))
    assert isinstance(node, ast.FunctionDef | ast.Lambda)
    inner = getattr(function, "__wrapped__", None)
    if inner is not None and callable(inner) and _passes_on(node, function, inner):
        definition = from_function(inner)
        return _with_bound(definition, arguments, keywords)
    return Definition(
        node=node,
        source=source,
        scope=LiveScope(function, from_function),
        name=node.name if isinstance(node, ast.FunctionDef) else _assigned_name(node, tree),
        qualname=function.__qualname__,
        bound_args=arguments,
        bound_keywords=types.MappingProxyType(keywords) if keywords else {},
        function=function,
    )


def _unbind(f: Any) -> tuple[types.FunctionType, tuple[Any, ...], dict[str, Any]]:
    """The plain Python function under partials, methods, caches and callable objects; what those bind."""
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    given = f
    while not isinstance(f, types.FunctionType):
        if isinstance(f, functools.partial):
            f, arguments, keywords = f.func, f.args + arguments, {**f.keywords, **keywords}
        elif isinstance(f, types.MethodType):
            f, arguments = f.__func__, (f.__self__, *arguments)
        elif isinstance(f, staticmethod):
            f = f.__func__
        elif transparent(f) is not None:
            f = transparent(f)
        elif not callable(f):
            raise _no_function(given)
        elif not _has_own_call(f):
            raise _no_source(f)
        else:
            f, arguments = type(f).__call__, (f, *arguments)
    return f, arguments, keywords


def _has_own_call(f: Any) -> bool:
    """Whether it is an object of a user's class with a `__call__` in Python."""
    if isinstance(f, type) or root_of(type(f)) in LIBRARIES:
        return False
    return isinstance(type(f).__call__, types.FunctionType)


def _passes_on(node: FunctionNode, function: types.FunctionType, inner: Any) -> bool:
    """Whether the wrapper is `def wrapper(*a, **k): return inner(*a, **k)`, and nothing more."""
    body = [one for one in node.body if not _is_docstring(one)] if isinstance(node, ast.FunctionDef) else []
    if len(body) != 1 or not isinstance(body[0], ast.Return) or not isinstance(body[0].value, ast.Call):
        return False
    call, given = body[0].value, node.args
    if given.posonlyargs or given.args or given.kwonlyargs or not isinstance(call.func, ast.Name):
        return False
    if given.vararg is None or given.kwarg is None:
        return False
    text = f"{call.func.id}(*{given.vararg.arg}, **{given.kwarg.arg})"
    expected = ast.dump(ast.parse(text, mode="eval").body)
    held = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)).get(call.func.id)
    return ast.dump(call) == expected and held is not None and _content(held) is inner


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _with_bound(definition: Definition, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Definition:
    merged = {**definition.bound_keywords, **keywords}
    fields = {name: getattr(definition, name) for name in Definition.__dataclass_fields__}
    return Definition(**fields | {"bound_args": definition.bound_args + arguments, "bound_keywords": merged})


def _assigned_name(node: ast.Lambda, tree: ast.Module) -> str:
    """The name a lambda is assigned to, where it is; `function` elsewhere."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.NamedExpr) and statement.value is node:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name):
                return target.id
    return "function"


def _no_function(f: Any) -> ArgumentError:
    message = f"expected a function, got {type(f).__name__}"
    way = "pass the function itself, not the result of calling it" if not callable(f) else None
    return ArgumentError(Diagnostic("ADC205", message, None, (), (), way))


def _no_source(f: Any) -> SourceError:
    name = getattr(f, "__name__", None) or type(f).__name__
    if isinstance(f, type):
        message, why = f"`{name}` is a class, not a function", "there is no single body to differentiate"
    else:
        message, why = f"`{name}` has no Python source", "it is written in C, or belongs to a library"
    way = f"wrap it in a function of your own, such as `lambda x: {name}(x)`"
    return SourceError(Diagnostic("ADC107", message, None, (), (why,), way))


def _coroutine(node: FunctionNode, source: Source) -> Diagnostic:
    name = getattr(node, "name", "<lambda>")
    kind = "coroutine" if isinstance(node, ast.AsyncFunctionDef) else "generator"
    span = span_of(node, source, name)
    return Diagnostic("ADC115", f"`{name}` is a {kind}", span, (), (), "return a list of the values instead")


def _opaque_decorator(definition: Definition, decorator: ast.expr) -> Diagnostic:
    text = ast.unparse(decorator)
    message = f"`{definition.name}` is decorated with `{text}`, which may change what it computes"
    note = "a file is read without running it, so only decorators known to change nothing are looked through"
    way = "move the mathematics to a function without this decorator and differentiate that"
    return Diagnostic("ADC112", message, definition.span(decorator), (), (note,), way)


# -------------------------------------------------------------------------------------------------- static


def from_path(path: str | Path) -> ModuleText:
    """A file's functions.  Raises OSError when it cannot be opened, SourceError when it cannot be read."""
    with open(path, "rb") as file:
        return from_text(file.read(MOST_BYTES + 1), str(path))


def from_text(text: str | bytes, filename: str = "<text>") -> ModuleText:
    """The functions of a module's text, which is parsed and nothing else."""
    if len(text) > MOST_BYTES:
        way = "put the function to differentiate in a smaller file"
        raise SourceError(Diagnostic("ADC110", f"`{filename}` is larger than {MOST_BYTES:,} bytes", None, (), (), way))
    decoded = _decode(text, filename) if isinstance(text, bytes) else text.removeprefix("\ufeff")
    source = Source(filename, decoded)
    tree = _parse(source)
    scope = StaticScope(tree, filename)
    definitions: dict[str, Definition] = {}
    for statement in tree.body:
        name, node = _defined(statement)
        if node is not None:
            definitions.pop(name, None)  # the last of a name is the one that stays
            definitions[name] = Definition(node, source, scope, name, name)
    scope.definitions = definitions
    marked = {name: scope.differentiate_options(one.node) for name, one in definitions.items()}
    return ModuleText(source, tree, scope, definitions, {k: v for k, v in marked.items() if v is not None})


def _defined(statement: ast.stmt) -> tuple[str, ast.FunctionDef | ast.Lambda | None]:
    """The function that a statement at the top level makes: a `def`, or a lambda with a name."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name, statement
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        target = statement.targets[0]
        if len(statement.targets) == 1 and isinstance(target, ast.Name):
            return target.id, statement.value
    return "", None


def _decode(data: bytes, filename: str) -> str:
    """The text of a file, by its byte order mark or its coding line (PEP 263)."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if not encoding.lower().startswith(_ENCODINGS):
            raise SyntaxError(f"the declared encoding `{encoding}` is not supported")
        return io.TextIOWrapper(io.BytesIO(data), encoding, newline=None).read()
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        message = f"`{filename}` is not text: {error.args[0] if isinstance(error, SyntaxError) else error}"
        raise SourceError(Diagnostic("ADC109", message, None, (), (), "save the file as UTF-8")) from None


def _parse(source: Source) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text, source.filename)
    except SyntaxError as error:
        raise SourceError(_syntax(error, source)) from None
    except (RecursionError, MemoryError):
        raise SourceError(_too_deep(source)) from None
    except ValueError as error:  # a null byte, a number with too many digits
        raise SourceError(Diagnostic("ADC109", f"`{source.filename}` is not Python: {error}")) from None
    _check_depth(tree, source)
    return tree


def _check_depth(tree: ast.Module, source: Source) -> None:
    """Refuse what recursion over the tree would not survive."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    place = next((node for node in level if hasattr(node, "lineno")), None)
    raise SourceError(_too_deep(source, None if place is None else span_of(place, source)))


def _too_deep(source: Source, span: Span | None = None) -> Diagnostic:
    message = f"`{source.filename}` is nested too deeply to be read"
    return Diagnostic("ADC110", message, span, (), (), "give parts of the long expression names of their own")


def _syntax(error: SyntaxError, source: Source) -> Diagnostic:
    message = f"`{source.filename}` is not Python: {error.msg}"
    if error.lineno is None:
        return Diagnostic("ADC109", message)
    line = min(max(error.lineno, 1), source.text.count("\n") + 1)
    column = max((error.offset or 1) - 1, 0)
    same = error.end_lineno == error.lineno and (error.end_offset or 0) > column + 1
    end = (error.end_offset or 0) - 1 if same else column + 1
    span = Span(source=source, line=line, column=column, end_line=line, end_column=end)
    return Diagnostic("ADC109", message, span)
