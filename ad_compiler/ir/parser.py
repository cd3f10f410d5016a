"""Reading the text form of `printer` back: `parse(text, infer) -> Module`.

Result types may be left out wherever `infer` (of `ad_compiler.primitives`) or the structure of the op tells
them; the parameters of functions need theirs.  A constant becomes an op right before its reader.  Objects
that text cannot hold (`object('…')`) come back as `Unreadable` stand-ins with the same text.
"""

from __future__ import annotations

import re
from typing import Any

from ad_compiler.diagnostics.source import Source, Span
from ad_compiler.ir import trees
from ad_compiler.ir.builder import Infer
from ad_compiler.ir.core import Block, Function, Module, Op, Parameter, Value
from ad_compiler.ir.tokens import Tokens, unquote
from ad_compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    UNDEFINED,
    Dim,
    Opaque,
    Symbol,
    Tensor,
    Type,
    join,
)

REGIONS = ("then", "else", "do", "cond")


def parse(text: str, infer: Infer | None = None) -> Module:
    """The module whose text this is."""
    reader = Reader(infer)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("func "):
            reader.announce(line, number)
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            reader.line(line, number)
    return reader.finish()


class Reader:
    """Builds the module line by line; indentation says where an op belongs."""

    def __init__(self, infer: Infer | None) -> None:
        self.infer = infer
        self.module = Module("")
        self.main = ""
        self.imports: list[str] = []
        self.function: Function | None = None
        self.symbols: dict[str, Symbol] = {}
        self.values: dict[str, Value] = {}
        self.returned: dict[str, list[Type]] = {}  # by function, what its calls give
        self.open: list[tuple[int, Block | Op]] = []  # indentation of the children, and their parent

    def line(self, text: str, number: int) -> None:
        depth = len(text) - len(text.lstrip())
        tokens = Tokens(text, number, self.symbols)
        while self.open and depth < self.open[-1][0]:
            self.close(self.open.pop()[1])
        if tokens.peek() in ("func", "import", "main") and depth == 0:
            self.close_all()
            self.top(tokens)
        elif tokens.peek() == "doc" and self.function is not None and not self.function.body.ops:
            tokens.take()
            self.function.docstring = unquote(tokens.take("string"))
        elif tokens.peek() in REGIONS and (tokens.peek(1) in ("", "(")):
            self.region(tokens, depth)
        else:
            self.op(tokens, depth)
        if not tokens.done():
            raise tokens.fail("the end of the line")

    def finish(self) -> Module:
        self.close_all()
        self.module.main = self.main or next(iter(self.module.functions), "")
        self.module.imports = tuple(self.imports)
        return self.module

    def close_all(self) -> None:
        while self.open:
            self.close(self.open.pop()[1])

    def top(self, tokens: Tokens) -> None:
        keyword = tokens.take()
        if keyword == "import":
            self.imports.append(unquote(tokens.take("string")))
        elif keyword == "main":
            self.main = tokens.take("name")
        else:
            self.header(tokens)

    # -- functions -----------------------------------------------------------------------------------------

    def announce(self, text: str, number: int) -> None:
        """Note what a function returns: its calls may come before it."""
        tokens = Tokens(text, number, self.symbols)
        scout = Reader(self.infer)
        scout.top(tokens)
        (function,) = scout.module.functions.values()
        if function.outputs is not None:
            self.returned[function.name] = [leaf.payload for leaf in trees.leaves(function.outputs)]

    def header(self, tokens: Tokens) -> None:
        self.values = {}
        body = Block()
        function = self.function = Function(tokens.take("name"), body)
        tokens.expect("(")
        function.parameters = tokens.separated(")", lambda: self.parameter(tokens, body))
        if tokens.accept("->"):
            function.outputs = tokens.tree(lambda: trees.Leaf(None if tokens.accept("_") else tokens.type()))
        span, _ = _notes(tokens.comment)
        function.span = span
        self.module.functions[function.name] = function
        self.open.append((1, body))

    def parameter(self, tokens: Tokens, body: Block) -> Parameter:
        kind = "positional"
        if tokens.accept("**"):
            kind = "kwargs"
        elif tokens.accept("*"):
            kind = "star"
        elif tokens.accept("keyword"):
            kind = "keyword"

        def leaf() -> trees.Leaf:
            value = self.declare(tokens)
            body.parameters.append(value)
            return trees.Leaf(value.type)

        if tokens.kind() == "value":
            name = tokens.peek()[1:]
            parameter = Parameter(name, tokens.tree(leaf), kind)
        else:
            name = tokens.take("name")
            tokens.expect("=")
            parameter = Parameter(name, tokens.tree(leaf), kind)
        if tokens.accept("default"):
            parameter.default = unquote(tokens.take("string"))
        if tokens.accept("annotation"):
            parameter.annotation = unquote(tokens.take("string"))
        return parameter

    def declare(self, tokens: Tokens, type: Type | None = None) -> Value:
        """`%name: type`; `type` is what it is when none is written."""
        name = tokens.take("value")[1:]
        if tokens.accept(":"):
            type = tokens.type()
        hint = "" if name.isdigit() else re.sub(r"\.\d+$", "", name)
        value = Value(type, hint)  # type: ignore[arg-type]  # filled in when the op is closed
        self.values[name] = value
        return value

    # -- ops -----------------------------------------------------------------------------------------------

    def region(self, tokens: Tokens, depth: int) -> None:
        owner = self.open[-1][1] if self.open else None
        if isinstance(owner, Block):
            owner = owner.ops[-1]
            self.open.append((depth, owner))
        if owner is None:
            raise tokens.fail("an op before its region")
        tokens.take()
        block = Block()
        defaults = iter(_carried_types(owner))
        if tokens.accept("("):
            block.parameters = tokens.separated(")", lambda: self.declare(tokens, next(defaults, None)))
        owner.regions.append(block)
        self.open.append((depth + 1, block))

    def op(self, tokens: Tokens, depth: int) -> None:
        if not self.open or not isinstance(self.open[-1][1], Block):
            raise tokens.fail("a function or a region around this op")
        self.open[-1] = (depth, self.open[-1][1])
        block = self.open[-1][1]
        span, phase = _notes(tokens.comment)
        targets: list[tuple[str, Type | None]] = []
        while tokens.kind() == "value":
            name = tokens.take()[1:]
            targets.append((name, tokens.type() if tokens.accept(":") else None))
            if not tokens.accept(","):
                tokens.expect("=")
        op = Op(tokens.take("name"), [], span=span, phase=phase)
        if tokens.accept("["):
            op.attributes = dict(tokens.separated("]", lambda: self.attribute(tokens)))
        while not tokens.done():
            op.operands.append(self.operand(tokens, block, op))
            if not tokens.accept(","):
                break
        for name, type in targets:
            hint = "" if name.isdigit() else re.sub(r"\.\d+$", "", name)
            value = self.values[name] = Value(type, hint, op)  # type: ignore[arg-type]
            op.results.append(value)
        block.ops.append(op)
        if op.name not in ("if", "for", "while", "closure", "hook"):
            self.type_results(op, tokens)

    def attribute(self, tokens: Tokens) -> tuple[str, Any]:
        key = tokens.take("name")
        tokens.expect("=")
        return key, tokens.literal()

    def operand(self, tokens: Tokens, block: Block, reader: Op) -> Value:
        if tokens.kind() == "value":
            name = tokens.take()[1:]
            if name not in self.values:
                raise tokens.fail(f"a definition of %{name} before")
            return self.values[name]
        constant = Op("constant", [], {"value": tokens.literal()}, span=reader.span, phase=reader.phase)
        constant.results = [Value(constant_type(constant.attributes["value"]), "", constant)]
        block.ops.append(constant)
        return constant.results[0]

    def type_results(self, op: Op, tokens: Tokens) -> None:
        if all(value.type is not None for value in op.results):
            return
        types: tuple[Type, ...]
        if op.name == "undefined":
            types = (UNDEFINED,)
        elif op.name == "constant":
            types = (constant_type(op.attributes["value"]),)
        elif op.name == "call":
            types = tuple(self.returned.get(op.attributes.get("callee", ""), ()))
        elif self.infer is None:
            raise tokens.fail(f"a type for the result of `{op.name}` (no type rules were given)")
        else:
            types = self.infer(op.name, [value.type for value in op.operands], op.attributes)
        _fill(op, types)

    def close(self, item: Block | Op) -> None:
        """The regions of an op are complete: now its results have types."""
        if isinstance(item, Op):
            _fill(item, region_types(item))


def _fill(op: Op, types: Any) -> None:
    for value, type in zip(op.results, types, strict=False):
        if value.type is None:
            value.type = type


def region_types(op: Op) -> list[Type]:
    """The types of a structured op's results, from those inside."""
    if op.name == "closure":
        return [Opaque("function")]
    if op.name == "hook":
        return [op.operands[0].type]
    if op.name == "if":
        then, other = [[value.type for value in region.ops[-1].operands] for region in op.regions]
        return [join(a, b) for a, b in zip(then, other, strict=False)]
    carried = op.operands[3:] if op.name == "for" else op.operands
    leaving = op.regions[-1].ops[-1].operands[bool(op.attributes.get("breaks")) :]
    return [join(a.type, b.type) for a, b in zip(carried, leaving, strict=False)]


def _carried_types(op: Op) -> list[Type]:
    """What the parameters of a region are when they have no type written."""
    if op.name == "for":
        return [INT, *(value.type for value in op.operands[3:])]
    return [value.type for value in op.operands] if op.name in ("while", "hook") else []


def constant_type(value: Any) -> Type:
    """The type of a constant, by its Python type; a NumPy scalar has its dtype's."""
    kind = type(value)
    if kind is bool:
        return BOOL
    if kind is int:
        return INT
    if kind is float:
        return FLOAT
    if kind is complex:
        return Tensor("c128", ())
    if hasattr(value, "dtype") and kind is not type:
        lengths = tuple(Dim(None, length) for length in value.shape)
        return Tensor(_short_dtype(value.dtype.name), lengths)
    return Opaque(kind.__name__)


def _short_dtype(name: str) -> str:
    short = {"float": "f", "complex": "c", "int": "i", "uint": "u"}
    match = re.fullmatch(r"([a-z]+)(\d+)", name)
    return short[match[1]] + match[2] if match else name


def _notes(comment: str) -> tuple[Span | None, str]:
    """The line and the phase in a comment of the printer's."""
    span, phase = None, ""
    for part in comment.split(",") if comment else []:
        part = part.strip()
        if match := re.fullmatch(r"line (\d+)", part):
            line = int(match[1])
            span = Span(source=TEXT, line=line, column=0, end_line=line, end_column=0)
        elif part in ("forward", "reverse", "tangent"):
            phase = part
    return span, phase


TEXT = Source("<ssa>", "")
