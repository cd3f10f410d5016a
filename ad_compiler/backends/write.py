"""Python `ast` -> text.  astor writes it; this is the only file that knows astor.

What astor does not do is done here: comments (`Comment` nodes on lines of their own, `trailing` ones behind a
statement), lines broken where they are too long, and a check that the text reads back as the tree it was
made from.  `ast.unparse` stands in for a node that astor cannot print.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from typing import Any

from ad_compiler.diagnostics.diagnostic import Diagnostic, InternalError

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="ast\\.", category=DeprecationWarning)
    from astor.code_gen import SourceGenerator, set_precedence
    from astor.op_util import Precedence, get_op_precedence

COLUMN = 48  # where trailing comments stand, if the code leaves room
LIMIT = 100  # of a line
MARK = "\0"  # between code and its trailing comment, until lines are laid out


class Comment(ast.stmt):
    """A comment on a line of its own."""

    _fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Blank(ast.stmt):
    """An empty line."""

    _fields = ()


def trailing(node: ast.stmt) -> str:
    """The comment behind a statement."""
    return getattr(node, "trailing", "")


class Writer(SourceGenerator):  # type: ignore[misc]
    """astor's generator, with comments, and with plain strings."""

    def __init__(self) -> None:
        super().__init__(" " * 4, False, lambda text, *rest, **options: repr(text))
        self.headed = -1  # how much there was when a comment had just been written

    def visit(self, node: ast.AST, *args: Any) -> None:
        if hasattr(self, f"visit_{type(node).__name__}"):
            super().visit(node, *args)
        else:
            self.unparsed(node)
        if isinstance(node, ast.stmt) and trailing(node) and not hasattr(node, "body"):
            self.write(MARK + trailing(node))

    def unparsed(self, node: ast.AST) -> None:
        """A node that astor does not know."""
        lines = ast.unparse(node).splitlines()
        if isinstance(node, ast.stmt):
            for line in lines:
                self.statement(node, line)
        else:
            self.write(lines[0])

    def visit_Comment(self, node: Comment) -> None:
        self.statement(node, f"# {node.text}")
        self.headed = len(self.result)

    def decorators(self, node: Any, extra: int) -> None:
        """A function stands right below the comment that heads it."""
        super().decorators(node, 0 if self.headed == len(self.result) else extra)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # type: ignore[override]
        self.decorators(node, 1 if self.indentation else 2)
        self.statement(node, f"def {node.name}(")
        self.visit_arguments(node.args)
        self.write(")")
        if node.returns is not None:
            self.write(" -> ", node.returns)
        self.write(":")
        self.body(node.body)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        """A tuple of one stands in brackets, so that its comma is seen."""
        if len(node.elts) == 1 and self.get__pp(node) < Precedence.highest:
            set_precedence(Precedence.Comma, node.elts[0])
            self.write("(", node.elts[0], ",)")
        else:
            super().visit_Tuple(node)

    def visit_Blank(self, node: Blank) -> None:
        self.newline(extra=1)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.write(ast.unparse(node))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.write(quoted(node.value))
        else:
            super().visit_Constant(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            self.statement(node, _docstring(node.value.value, self.indentation * 4))
        else:
            super().visit_Expr(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Where `*`, `/`, `@` and `%` meet, brackets say what Python's order says."""
        super_visit = super().visit_BinOp
        left = node.left
        mixed = isinstance(left, ast.BinOp) and isinstance(left.op, PRODUCTS) and type(left.op) is not type(node.op)
        if mixed and isinstance(node.op, PRODUCTS):
            with self.delimit(node, node.op) as brackets:
                set_precedence(Precedence.highest, left)
                set_precedence(brackets.p + 1, node.right)
                self.write(left, f" {SYMBOLS[type(node.op)]} ", node.right)
            return
        super_visit(node)

    def body(self, statements: list[ast.stmt]) -> None:
        super().body(statements or [ast.Pass()])


PRODUCTS = (ast.Mult, ast.Div, ast.MatMult, ast.Mod, ast.FloorDiv)
SYMBOLS: dict[type, str] = {ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Mod: "%", ast.FloorDiv: "//"}
assert len({get_op_precedence(kind()) for kind in PRODUCTS}) == 1


def quoted(text: str) -> str:
    """A literal in double quotes where that needs no escapes."""
    literal = repr(text)
    if literal.startswith("'") and '"' not in literal and "\\" not in literal:
        return f'"{literal[1:-1]}"'
    return literal


def _docstring(text: str, indent: int) -> str:
    if '"""' in text or "\\" in text or text.endswith('"'):
        return repr(text)
    return f'"""{text}"""'


def normalise(tree: ast.AST) -> ast.AST:
    """Negative numbers become a minus and a number, which both printers print with the right brackets."""
    return _Negatives().visit(tree)  # type: ignore[no-any-return]


class _Negatives(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value).startswith("-"):
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        return node


def write(function: ast.stmt) -> str:
    """The text of a statement (a whole function), checked."""
    writer = Writer()
    writer.visit(normalise(function))
    text = "".join(writer.result).strip("\n")
    lines = [laid_out for line in text.split("\n") for laid_out in lay_out(line)]
    text = "\n".join(lines) + "\n"
    check(text, function)
    return text


def check(text: str, tree: ast.stmt) -> None:
    """The text must read back as the tree."""
    expected = ast.unparse(ast.fix_missing_locations(_plain(tree)))
    try:
        found = ast.dump(ast.parse(text))
    except SyntaxError as error:
        raise InternalError(Diagnostic("ADC302", f"the emitted text is no Python: {error}\n{text}")) from error
    if found != ast.dump(ast.parse(expected)):
        raise InternalError(Diagnostic("ADC302", f"the emitted text does not read back as it was meant:\n{text}"))


def _plain(tree: ast.stmt) -> ast.stmt:
    """The tree without comments."""
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            part = getattr(node, name, None)
            if isinstance(part, list):
                kept = [item for item in part if not isinstance(item, Comment | Blank)]
                setattr(node, name, kept or ([ast.Pass()] if name == "body" else []))
    return tree


# -- lines ---------------------------------------------------------------------------------------------


def lay_out(line: str) -> list[str]:
    """The line with its comment in its column; broken in brackets where it is too long."""
    code, _, comment = line.partition(MARK)
    above = []
    if len(code) > LIMIT:
        broken = break_line(code)
        indent = " " * (len(code) - len(code.lstrip()))
        return [*([f"{indent}# {comment}"] if comment else []), *broken]
    if not comment:
        return [code]
    placed = f"{code:<{COLUMN - 2}}  # {comment}"
    if len(placed) > LIMIT:
        above = [" " * (len(code) - len(code.lstrip())) + f"# {comment}"]
        return [*above, code]
    return [placed]


def break_line(code: str) -> list[str]:
    """Break a statement inside brackets; an assignment without any gets some around its right side."""
    indent = " " * (len(code) - len(code.lstrip()))
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code.strip()).readline))
    except (tokenize.TokenError, SyntaxError):
        return [code]
    text = code.strip()
    tree = ast.parse(text + (" pass" if text.endswith(":") else "")).body[0] if not text.startswith("el") else None
    if (
        isinstance(tree, ast.Assign | ast.AugAssign | ast.Return)
        and tree.value is not None
        and not (isinstance(tree.value, ast.Call | ast.List | ast.Dict))
    ):
        at = tree.value.col_offset
        head, tail = text.encode()[:at].decode(), text.encode()[at:].decode()
        if not (isinstance(tree.value, ast.Tuple) and tail.startswith("(")):
            text = f"{head}({tail})"
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    breaks = _breaks(tokens)
    lines: list[str] = []
    start, room = 0, LIMIT - len(indent) - 8
    while len(text) - start > room:
        fitting = [(depth, -at) for at, depth in breaks if start < at <= start + room and at - start > room // 3]
        if not fitting:
            fitting = [(depth, -at) for at, depth in breaks if start < at <= start + room]
        if not fitting:
            later = [at for at, _ in breaks if at > start + room]
            if not later:
                break
            fitting = [(0, -later[0])]
        at = -min(fitting)[1]
        lines.append(text[start:at].rstrip())
        start = at
    lines.append(text[start:])
    return [indent + lines[0].strip(), *(f"{indent}    {line.strip()}" for line in lines[1:])]


BEFORE = ("+", "-", "*", "/", "@", "and", "or", "if", "else")  # a line may be broken before these


def _breaks(tokens: list[tokenize.TokenInfo]) -> list[tuple[int, int]]:
    """Where a line may be broken, with the depth of brackets: after a comma, before an operator."""
    depth = 0
    found = []
    previous = ""
    for token in tokens:
        if token.string in "([{" and token.type == tokenize.OP:
            depth += 1
        elif token.string in ")]}" and token.type == tokenize.OP:
            depth -= 1
        elif depth and (previous == "," or (token.string in BEFORE and previous not in ("(", "[", ","))):
            found.append((token.start[1], depth))
        previous = token.string
    return found
