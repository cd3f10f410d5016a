"""Reading one line of the text form: `Tokens` takes types, literals and trees off it, from left to right."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ad_compiler.ir import trees
from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.types import UNDEFINED, Dim, ListType, Opaque, Symbol, Tensor, TupleType, Type

TOKEN = re.compile(
    r"""\s*(?: (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<value>%[\w.]+)
      | (?P<slot>\$\d+)
      | (?P<dots>\.\.\.)
      | (?P<arrow>->)
      | (?P<stars>\*\*)
      | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d][\w.]*)
      | (?P<comment>\#.*)
      | (?P<sign>.)
    )""",
    re.VERBOSE,
)


class ParseError(ValueError):
    """The text is no program."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for an object that was printed as `object('…')`."""

    text: str

    @property
    def __name__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


class Tokens:
    """The tokens of one line, read from left to right."""

    def __init__(self, text: str, number: int, symbols: dict[str, Symbol]) -> None:
        self.text = text
        self.number = number
        self.symbols = symbols
        self.tokens = [
            (str(match.lastgroup), match.group(str(match.lastgroup)), match.start(str(match.lastgroup)))
            for match in TOKEN.finditer(text.strip())
        ]
        self.comment = ""
        if self.tokens and self.tokens[-1][0] == "comment":
            self.comment = self.tokens.pop()[1][1:].strip()
        self.at = 0

    def fail(self, expected: str) -> ParseError:
        found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end of the line"
        return ParseError(f"line {self.number}: expected {expected}, found {found}: {self.text.strip()}")

    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if not self.done() else ""

    def take(self, kind: str | None = None) -> str:
        if self.done() or (kind is not None and self.kind() != kind):
            raise self.fail(kind or "more")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, text: str) -> bool:
        found = self.peek() == text and self.kind() != "string"
        self.at += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.fail(f"`{text}`")

    def separated(self, close: str, item: Callable[[], Any]) -> list[Any]:
        """Items up to the sign `close`, with commas between."""
        items: list[Any] = []
        while not self.accept(close):
            items.append(item())
            if not self.accept(","):
                self.expect(close)
                break
        return items

    # -- types ---------------------------------------------------------------------------------------------

    def type(self) -> Type:
        name = self.take("sign" if self.peek() == "?" else "name")
        if name == "undef":
            return UNDEFINED
        if name == "opaque":
            return Opaque(self.until(")"))
        if name == "list":
            self.expect("[")
            (element,) = self.separated("]", self.type)
            return ListType(element)
        if name == "tuple":
            self.expect("[")
            return TupleType(tuple(self.separated("]", self.type)))
        if not self.accept("["):
            return Tensor(name, ())
        if self.accept("*"):
            label = "" if self.peek() == "]" else self.take()
            self.expect("]")
            return Tensor(name, self.symbol("*", label, False))
        return Tensor(name, tuple(self.separated("]", self.dim)))

    def dim(self) -> Dim:
        if self.kind() == "number":
            return Dim(None, int(self.take()))
        if self.accept("?"):
            symbol = self.symbol("?", self.take() if self.kind() == "number" else "", False)
        else:
            label = self.take("name")
            symbol = self.symbol("", label, not self.accept("?"))
        sign = 1 if self.accept("+") else -1 if self.accept("-") else 0
        return Dim(symbol, sign * int(self.take("number")) if sign else 0)

    def symbol(self, prefix: str, label: str, many: bool) -> Symbol:
        if not label:
            return Symbol()
        # An anonymous symbol that occurs as a shape and as a length keeps its number in both.
        key = f"?{label}" if label[0].isdigit() else label
        if key not in self.symbols:
            self.symbols[key] = Symbol("?" if label[0].isdigit() else label, many=many)
        return self.symbols[key]

    def until(self, close: str) -> str:
        """The raw text inside `(…)`."""
        self.expect("(")
        start = self.tokens[self.at][2]
        while self.peek() != close:
            self.take()
        end = self.tokens[self.at][2]
        self.expect(close)
        return self.text.strip()[start:end].strip()

    # -- literals ------------------------------------------------------------------------------------------

    def literal(self) -> Any:
        """A number, string, index item, tuple, tree or type."""
        kind = self.kind()
        if kind == "sign" and self.peek() == ":":
            return self.slice(None)
        value = self.atom()
        return self.slice(value) if self.peek() == ":" and isinstance(value, (int, Slot)) and self.in_index else value

    in_index = False

    def slice(self, start: Any) -> SliceItem:
        parts = [start]
        while self.accept(":"):
            parts.append(None if self.peek() in (",", ")", ":", "]") else self.atom())
        return SliceItem(*parts)

    def atom(self) -> Any:
        kind = self.kind()
        if kind == "string":
            return unquote(self.take())
        if kind == "number":
            return _number(self.take())
        if kind == "slot":
            return Slot(int(self.take()[1:]))
        if kind == "dots":
            self.take()
            return Ellipsis
        if kind == "name":
            return self.named()
        if self.accept("-"):
            return -self.atom()
        if self.accept("("):
            return self.inside("tuple", ")")
        if self.accept("["):
            return self.inside("list", "]")
        if self.accept("{"):
            return dict(self.separated("}", self.pair))
        raise self.fail("a literal")

    def inside(self, container: str, close: str) -> Any:
        before, self.in_index = self.in_index, True
        items = self.separated(close, self.literal)
        self.in_index = before
        return tuple(items) if container == "tuple" else items

    def pair(self) -> tuple[Any, Any]:
        before, self.in_index = self.in_index, False
        key = self.literal()
        self.in_index = before
        self.expect(":")
        return key, self.literal()

    def named(self) -> Any:
        name = self.take("name")
        fixed = {"None": None, "True": True, "False": False, "inf": float("inf"), "nan": float("nan")}
        if name in fixed:
            return fixed[name]
        if name == "tree":
            return self.tree(self.attribute_leaf)
        if name == "type":
            return self.type()
        if name == "class":
            return _class(self.until(")"))
        self.expect("(")
        arguments = self.separated(")", self.literal)
        if name == "complex":
            return complex(*arguments)
        if name == "numpy":
            return np.dtype(arguments[0]).type(arguments[1])
        if name == "array":
            return np.array(arguments[0], dtype=arguments[1])
        if name == "object":
            return Unreadable(arguments[0])
        raise self.fail("a literal")

    # -- trees ---------------------------------------------------------------------------------------------

    def tree(self, leaf: Any) -> trees.Tree:
        head, opens = self.peek(), self.peek(1) == "("
        if head == "fixed" and opens:
            self.at += 2
            value = self.literal()
            self.expect(")")
            return trees.Fixed(value)
        if head in ("tuple", "list") and opens:
            self.at += 2
            items = tuple(self.separated(")", lambda: self.tree(leaf)))
            return trees.TupleTree(items) if head == "tuple" else trees.ListTree(items)
        if head == "dict" and opens:
            self.at += 2
            return trees.DictTree(*self.keyed(leaf))
        if head == "record" and not opens:
            self.at += 1
            name = self.take("name")
            self.expect("(")
            return trees.RecordTree(Unreadable(name), *self.keyed(leaf))
        return leaf()

    def keyed(self, leaf: Any) -> tuple[tuple[Any, ...], tuple[trees.Tree, ...]]:
        def pair() -> tuple[Any, trees.Tree]:
            key = self.atom()
            self.expect(":")
            return key, self.tree(leaf)

        pairs = self.separated(")", pair)
        return tuple(key for key, _ in pairs), tuple(item for _, item in pairs)

    def attribute_leaf(self) -> trees.Leaf:
        self.expect("leaf")
        self.expect("(")
        payload = self.separated(")", self.literal)
        return trees.Leaf(payload[0] if payload else None)


def unquote(text: str) -> str:
    return ast.literal_eval(text)


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _class(text: str) -> Any:
    module, _, name = text.rpartition(".")
    if module == "numpy":
        return getattr(np, name)
    return getattr(builtins, name)
