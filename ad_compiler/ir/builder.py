"""Appending ops to a block.

The builder asks `infer` for the types of the results, so that no op is ever made without a type.  The ir
does not know the primitives: `ad_compiler.primitives.infer` is handed in by whoever builds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ad_compiler.diagnostics.source import Span
from ad_compiler.ir.core import Block, Op, Value
from ad_compiler.ir.types import Type

Infer = Callable[[str, Sequence[Type], dict[str, Any]], tuple[Type, ...]]


class Builder:
    """Appends to `block`; `span` and `phase` are stamped on every op until they are changed."""

    def __init__(self, infer: Infer, block: Block | None = None) -> None:
        self.infer = infer
        self.block = Block() if block is None else block
        self.span: Span | None = None
        self.phase = ""

    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        /,
        *,
        hint: str = "",
        types: Sequence[Type] | None = None,
        regions: Sequence[Block] = (),
        **attributes: Any,
    ) -> tuple[Value, ...]:
        """Append `name` and return its results.  `types` overrides inference (structured ops need it)."""
        if types is None:
            types = self.infer(name, [operand.type for operand in operands], attributes)
        op = Op(name, list(operands), attributes, [], list(regions), self.span, self.phase)
        op.results = [Value(type, hint, op) for type in types]
        self.block.ops.append(op)
        return tuple(op.results)

    def one(self, name: str, /, *operands: Value, hint: str = "", **attributes: Any) -> Value:
        """Append an op of one result and return that."""
        (result,) = self.emit(name, operands, hint=hint, **attributes)
        return result

    def constant(self, value: Any) -> Value:
        """A number (or None, or a string) known when compiling."""
        return self.one("constant", value=value)

    def terminate(self, name: str, operands: Sequence[Value]) -> None:
        self.block.ops.append(Op(name, list(operands), span=self.span, phase=self.phase))

    @contextmanager
    def inside(self, block: Block) -> Iterator[Block]:
        """Append to `block` for a while."""
        outer, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = outer

    @contextmanager
    def at(self, span: Span | None, phase: str | None = None) -> Iterator[None]:
        """Stamp `span` (and `phase`) for a while."""
        before = self.span, self.phase
        self.span = span
        self.phase = self.phase if phase is None else phase
        try:
            yield
        finally:
            self.span, self.phase = before
