"""The program between reading and writing: structured SSA over values.

    Module   = functions by name; `main` is the one that was asked for
    Function = a Block whose parameters are the leaves of `inputs`, ended by `return`
    Block    = parameters, ops; the last op is `yield` (`return` in a function)
    Op       = primitive name, operands, attributes, results, regions (a region is one Block)
    Value    = what an op or a block defines, once

A region reads the values of the blocks around it.  No op mutates; arrays and lists are values.

The structured ops, everything else being a primitive of `ad_compiler.primitives`:

    if      (cond)                         regions then(), else()           -> what they yield
    for     (start, stop, step, *carried)  region  body(i, *carried)        -> *carried
    while   (*carried)                     regions cond(*carried) -> bool, body(*carried) -> *carried
    call    (*arguments)  [callee=name]                                     -> the callee's results
    closure ()                             region  body(*parameters)        -> one function value
    hook    (x)                            region  rule(x_bar) -> x_bar'         -> x; the reverse sweep runs the rule

`for` and `while` take `breaks=True`: the body then yields `stop, *carried`, and the loop ends after an
iteration that yields a true `stop`.  `for` takes `reversed=True`: the same indices, last first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, TypeAlias

from ad_compiler.diagnostics.source import Span
from ad_compiler.ir.trees import Tree
from ad_compiler.ir.types import Type

TERMINATORS = ("yield", "return")
STRUCTURED = ("if", "for", "while", "call", "closure", "hook")


@dataclass(slots=True, eq=False)
class Value:
    type: Type
    hint: str = ""  # the user's name for it, or one derived from it: `x`, `x_bar`, `x_dot`
    op: Op | None = None  # the op that defines it; None for a parameter of a block


@dataclass(slots=True, eq=False)
class Op:
    name: str
    operands: list[Value]
    attributes: dict[str, Any] = field(default_factory=dict)
    results: list[Value] = field(default_factory=list)
    regions: list[Block] = field(default_factory=list)
    span: Span | None = None
    phase: str = ""  # "", "forward" or "reverse": the sweep that the op belongs to


@dataclass(slots=True, eq=False)
class Block:
    parameters: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter as the user wrote it.  `tree` has a leaf for each value that it brings."""

    name: str
    tree: Tree
    kind: str = "positional"  # "positional", "keyword" (keyword-only), "star" (*args), "kwargs" (**kwargs)
    default: str | None = None  # source text, as written
    annotation: str | None = None  # source text, as written


@dataclass(slots=True, eq=False)
class Function:
    name: str
    body: Block
    parameters: list[Parameter] = field(default_factory=list)
    outputs: Tree | None = None  # the structure of the result; its leaves are the operands of `return`
    docstring: str | None = None
    span: Span | None = None


@dataclass(slots=True, eq=False)
class Module:
    main: str
    functions: dict[str, Function] = field(default_factory=dict)
    imports: tuple[str, ...] = ()  # statements the emitted file needs beside `import numpy as np`
    written: tuple[str, ...] = ()  # parameters of the user's main function that it writes into


@dataclass(frozen=True, slots=True)
class Slot:
    """In an `index` attribute: the operand that stands here, counted among the index operands."""

    position: int


@dataclass(frozen=True, slots=True)
class SliceItem:
    """In an `index` attribute: `start:stop:step`, each a number, a `Slot`, or None."""

    start: int | Slot | None = None
    stop: int | Slot | None = None
    step: int | Slot | None = None


IndexItem: TypeAlias = int | Slot | SliceItem | EllipsisType | None


def terminator(block: Block) -> Op:
    return block.ops[-1]


def yielded(block: Block) -> list[Value]:
    return block.ops[-1].operands


def walk(block: Block) -> Iterator[Op]:
    """Every op of the block and of the regions in it, outer before inner, in program order."""
    stack = [iter(block.ops)]
    while stack:
        op = next(stack[-1], None)
        if op is None:
            stack.pop()
            continue
        yield op
        stack.extend(iter(region.ops) for region in reversed(op.regions))


def captured(op: Op) -> list[Value]:
    """The values that the regions of `op` read from around it, in order of first use."""
    defined: set[int] = set()
    for region in op.regions:
        defined.update(id(value) for value in region.parameters)
        for inner in walk(region):
            defined.update(id(value) for value in inner.results)
            for nested in inner.regions:
                defined.update(id(value) for value in nested.parameters)
    found: dict[int, Value] = {}
    for region in op.regions:
        for inner in walk(region):
            for operand in inner.operands:
                if id(operand) not in defined:
                    found.setdefault(id(operand), operand)
    return list(found.values())


def read_by(op: Op) -> list[Value]:
    """Everything `op` reads: its operands, then what its regions capture."""
    return op.operands + captured(op) if op.regions else list(op.operands)
