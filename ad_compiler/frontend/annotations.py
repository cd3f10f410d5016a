"""Types as people write them: in annotations, and in `adc emit --arg 'w: float[3, 4]'`.

parse_annotation : expression, scope -> Tree | None       None: says nothing of use to us
parse_arg        : "w: float[n, 4]"  -> (name, Tree)

float  int  bool  complex  float32 …     a scalar
float[n, m]  float32[3, n - 1]           an array; the same name is the same length, and not 1
float[:, :]  float[...]                  lengths unknown; rank unknown too
np.ndarray  NDArray[np.float32]          rank unknown
Float[np.ndarray, "n m"]                 as jaxtyping writes it
list[T]  tuple[A, B]  A | B
"""

from __future__ import annotations

import ast
from typing import Any

from ad_compiler.diagnostics.diagnostic import ArgumentValueError, Diagnostic, Error, LanguageError
from ad_compiler.diagnostics.source import Source, Span
from ad_compiler.frontend.resolve import PythonObject, Scope
from ad_compiler.ir.trees import Fixed, Leaf, Tree, TupleTree
from ad_compiler.ir.types import ONE, Dim, ListType, Symbol, Tensor, TupleType, Type, join

Symbols = dict[str, Symbol]  # the named lengths of one signature

_SHORT = {"float": "f64", "double": "f64", "int": "i64", "intp": "i64", "bool": "bool", "bool_": "bool"}
_SHORT |= {"complex": "c128", "float64": "f64", "float32": "f32", "complex128": "c128", "complex64": "c64"}
_SHORT |= {f"{kind}{bits}": f"{kind[0]}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
DTYPES = _SHORT | {dtype: dtype for dtype in _SHORT.values()}
_JAXTYPING = {"Float": "f64", "Float64": "f64", "Float32": "f32", "Int": "i64", "Bool": "bool", "Complex": "c128"}
_ARRAYS = ("ndarray", "NDArray", "ArrayLike", "Array")
_TRANSPARENT = ("Annotated", "Final", "ClassVar")
_SPEAKS = "float, int, bool, float32 …, float[n, m], float[:, :], float[...], np.ndarray, list[T], tuple[A, B]"


class _MalformedError(Exception):
    """The text is meant for us and is wrong."""

    def __init__(self, node: ast.AST, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.node, self.message, self.help = node, message, help


class _UnknownError(Exception):
    """A type that says nothing to us: a class, a callable."""

    def __init__(self, node: ast.AST) -> None:
        super().__init__()
        self.node = node


def parse_annotation(
    node: ast.expr | None,
    scope: Scope | None = None,
    *,
    symbols: Symbols | None = None,
    source: Source | None = None,
    function: str = "",
) -> Tree | None:
    """The tree that an annotation describes; None for one that describes no numbers.

    Annotations of one function share `symbols`.  Raises LanguageError for `float[3.5]` and the like.
    """
    if node is None:
        return None
    try:
        return _Reader(scope, {} if symbols is None else symbols).tree(node)
    except _UnknownError:
        return None
    except _MalformedError as error:
        span = None if source is None else _span(error.node, source, function)
        raise LanguageError(Diagnostic("ADC119", error.message, span, (), (), error.help)) from None


def parse_arg(text: str, symbols: Symbols | None = None, *, option: str = "--arg") -> tuple[str, Tree]:
    """The name and the tree of `name: type`, or of `name = value` for an argument that is fixed.

    Several such texts that are to share named lengths are given the same `symbols`.  Raises
    ArgumentValueError with the place in the text.
    """
    source = Source(option, text)
    try:
        return _parse_arg(text, source, {} if symbols is None else symbols)
    except _UnknownError as error:
        message = f"`{ast.unparse(error.node)}` is no type that is known here"
        span = _span(error.node, source, "")
        raise _bad_arg(message, span, f"types are written {_SPEAKS}") from None
    except _MalformedError as error:
        raise _bad_arg(error.message, _span(error.node, source, ""), error.help) from None


def _parse_arg(text: str, source: Source, symbols: Symbols) -> tuple[str, Tree]:
    way = "write `name: type`, such as `w: float[3, 4]`"
    try:
        body = ast.parse(text.strip() and text).body
    except SyntaxError as error:
        column = max((error.offset or 1) - 1, 0)
        span = Span(source=source, line=1, column=column, end_line=1, end_column=column + 1)
        raise _bad_arg(f"cannot read `{text}`: {error.msg}", span, way) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _bad_arg(f"cannot read `{text}`: {error}", None, way) from None
    one = body[0] if len(body) == 1 else None
    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is None:
        return one.target.id, _Reader(None, symbols).tree(one.annotation)
    if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name):
        return one.targets[0].id, Fixed(_literal(one.value))
    raise _bad_arg(f"cannot read `{text}`", None, way)


def _bad_arg(message: str, span: Span | None, help: str | None) -> Error:
    return ArgumentValueError(Diagnostic("ADC119", message, span, (), (), help))


class _Reader:
    def __init__(self, scope: Scope | None, symbols: Symbols) -> None:
        self.scope = scope
        self.symbols = symbols

    def tree(self, node: ast.expr) -> Tree:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.quoted(node, node.value)
        if isinstance(node, ast.Constant) and node.value is None:
            return Fixed(None)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.union([node.left, node.right], node)
        if isinstance(node, ast.Subscript):
            return self.subscript(node)
        name = self.name(node)
        if name in DTYPES:
            return Leaf(Tensor(DTYPES[name], ()))
        if name in _ARRAYS:
            return Leaf(Tensor("f64", Symbol()))
        raise _UnknownError(node)

    def quoted(self, node: ast.Constant, text: str) -> Tree:
        try:
            inner = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise _UnknownError(node) from None
        try:
            return self.tree(inner)
        except _MalformedError as error:  # its place is counted in the string
            raise _MalformedError(node, error.message, error.help) from None

    def subscript(self, node: ast.Subscript) -> Tree:
        name = self.name(node.value)
        items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in DTYPES:
            return Leaf(Tensor(DTYPES[name], self.shape(items)))
        if name in _ARRAYS:
            return Leaf(Tensor(self.dtype_in(items[-1]), Symbol()))
        if name in _JAXTYPING and len(items) == 2 and isinstance(items[1], ast.Constant):
            return Leaf(Tensor(_JAXTYPING[name], self.jaxtyping_shape(str(items[1].value), items[1])))
        if name in ("list", "List", "Sequence"):
            if len(items) != 1:
                raise _MalformedError(node, "a list has one type of element", "write `list[float]`")
            return Leaf(ListType(self.type(items[0])))
        if name in ("tuple", "Tuple"):
            return self.tuple_of(items, node)
        if name in ("Union", "Optional"):
            return self.union([*items, *([ast.Constant(None)] if name == "Optional" else [])], node)
        if name in _TRANSPARENT:
            return self.tree(items[0])
        if name == "Literal" and len(items) == 1:
            return Fixed(_literal(items[0]))
        raise _UnknownError(node)

    def tuple_of(self, items: list[ast.expr], node: ast.expr) -> Tree:
        if any(isinstance(item, ast.Constant) and item.value is ... for item in items):
            raise _UnknownError(node)  # of any length
        return TupleTree(tuple(map(self.tree, items)))

    def union(self, items: list[ast.expr], node: ast.expr) -> Tree:
        """What covers all of them, where they are all numbers."""
        trees = [self.tree(item) for item in items]
        joined: Type | None = None
        for tree in trees:
            if not isinstance(tree, Leaf) or not isinstance(tree.payload, Tensor):
                raise _UnknownError(node)
            joined = tree.payload if joined is None else join(joined, tree.payload)
        return Leaf(joined)

    def type(self, node: ast.expr) -> Type:
        """A tree as one type, for the element of a list."""
        return _as_type(self.tree(node), node)

    def shape(self, items: list[ast.expr]) -> tuple[Dim, ...] | Symbol:
        if any(isinstance(item, ast.Constant) and item.value is ... for item in items):
            if len(items) > 1:
                raise _MalformedError(items[0], "`...` stands alone: it says that the rank is unknown")
            return Symbol()
        return tuple(map(self.dim, items))

    def dim(self, node: ast.expr) -> Dim:
        if isinstance(node, ast.Slice) and node.lower is node.upper is node.step is None:
            return Dim(Symbol())
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 0:
            return ONE if node.value == 1 else Dim(None, node.value)
        if isinstance(node, ast.Name):
            return Dim(self.symbol(node.id))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            base, offset = node.left, node.right
            if isinstance(base, ast.Name) and isinstance(offset, ast.Constant) and type(offset.value) is int:
                return Dim(self.symbol(base.id), offset.value if isinstance(node.op, ast.Add) else -offset.value)
        message = f"`{ast.unparse(node)}` is not the length of an axis"
        raise _MalformedError(node, message, "a length is a number, a name, `name - 1`, or `:` for an unknown one")

    def symbol(self, name: str) -> Symbol:
        return self.symbols.setdefault(name, Symbol(name, many=True))

    def jaxtyping_shape(self, text: str, node: ast.AST) -> tuple[Dim, ...] | Symbol:
        words = text.split()
        if any(word.startswith(("...", "*")) for word in words):
            return Symbol()
        dims = []
        for word in words:
            if word.isdecimal():
                dims.append(ONE if word == "1" else Dim(None, int(word)))
            elif word.isidentifier() and not word.startswith("_"):
                dims.append(Dim(self.symbol(word)))
            else:  # `_`, `#n` (may be 1), an expression
                dims.append(Dim(Symbol()))
        return tuple(dims)

    def dtype_in(self, node: ast.expr) -> str:
        """The dtype in `NDArray[np.float32]` or `np.ndarray[Any, np.dtype[np.float32]]`."""
        if isinstance(node, ast.Subscript) and self.name(node.value) == "dtype":
            node = node.slice
        return DTYPES.get(self.name(node) or "", "f64")

    def name(self, node: ast.expr) -> str | None:
        """The last word of `np.float64`; for an alias, the name of what it stands for."""
        if isinstance(node, ast.Attribute):
            return node.attr
        if not isinstance(node, ast.Name):
            return None
        if node.id not in DTYPES and self.scope is not None:
            found = self.scope.lookup(node.id)
            if isinstance(found, PythonObject) and isinstance(getattr(found.obj, "__name__", None), str):
                return str(found.obj.__name__)
        return node.id


def _as_type(tree: Tree, node: ast.expr) -> Type:
    if isinstance(tree, Leaf):
        payload: Any = tree.payload
        return payload
    if isinstance(tree, TupleTree):
        return TupleType(tuple(_as_type(item, node) for item in tree.items))
    raise _UnknownError(node)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise _MalformedError(node, f"`{ast.unparse(node)}` is not a literal") from None


def _span(node: ast.AST, source: Source, function: str) -> Span:
    from ad_compiler.frontend.read import span_of

    return span_of(node, source, function)
