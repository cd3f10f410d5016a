"""The rules of the IR, checked: `verify(module, infer)` raises `InternalError` at the first one broken.

Every operand is defined before it is read, in scope, and once; the last op of a block, and only that, is its
terminator; structured ops have the operands, regions and results that `core` says; what a region yields fits
the types outside; a result's type does not contradict what `infer` says of the op.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ad_compiler.diagnostics.diagnostic import Diagnostic, InternalError
from ad_compiler.ir import trees
from ad_compiler.ir.builder import Infer
from ad_compiler.ir.core import STRUCTURED, TERMINATORS, Block, Function, Module, Op, Value, yielded
from ad_compiler.ir.printer import ValueNames
from ad_compiler.ir.types import (
    FLOATS,
    UNKNOWN_DTYPE,
    ListType,
    Opaque,
    Symbol,
    Tensor,
    TupleType,
    Type,
    Undefined,
    is_scalar,
)

REGION_COUNT = {"if": 2, "for": 1, "while": 2, "closure": 1, "hook": 1}


def verify(module: Module, infer: Infer | None = None, *, stage: str = "") -> None:
    """Raise `InternalError` where the module is broken.  Without `infer`, types of primitives are not checked."""
    if module.main not in module.functions:
        raise InternalError(Diagnostic("ADC301", f"the module has no function `{module.main}`"))
    for function in module.functions.values():
        _Check(module, function, infer, stage).run()


@dataclass(slots=True)
class _Frame:
    """A block being checked: the op whose region it is and which one, what is left, what it has defined."""

    owner: Op | None
    number: int
    ops: Iterator[Op]
    local: list[Value]


class _Check:
    """One function."""

    def __init__(self, module: Module, function: Function, infer: Infer | None, stage: str) -> None:
        self.module = module
        self.function = function
        self.infer = infer
        self.stage = stage
        self.visible: set[Value] = set()
        self.ever: set[Value] = set()
        self.names = ValueNames()

    def fail(self, message: str, op: Op | None = None) -> NoReturn:
        where = f"in `{op.name}` of `{self.function.name}`" if op else f"in `{self.function.name}`"
        notes = (f"found after the stage `{self.stage}`",) if self.stage else ()
        span = op.span if op is not None and op.span is not None else self.function.span
        raise InternalError(Diagnostic("ADC301", f"{where}: {message}", span, notes=notes))

    def run(self) -> None:
        function = self.function
        brought = sum(trees.count(parameter.tree) for parameter in function.parameters)
        if function.parameters and brought != len(function.body.parameters):
            self.fail(f"parameters have {brought} leaves, the body has {len(function.body.parameters)} parameters")
        self.blocks(function.body)
        returned = len(yielded(function.body))
        if function.outputs is not None and trees.count(function.outputs) != returned:
            self.fail(f"the outputs have {trees.count(function.outputs)} leaves, `return` has {returned} operands")

    def blocks(self, body: Block) -> None:
        """The function's body and the regions in it, with a stack in place of recursion."""
        frames: list[_Frame] = []
        self.enter(body, None, 0, frames)
        while frames:
            frame = frames[-1]
            op = next(frame.ops, None)
            if op is None:
                self.visible.difference_update(frame.local)
                frames.pop()
                self.leave(frame, frames)
                continue
            for operand in op.operands:
                if operand not in self.visible:
                    self.fail(f"%{self.names.of(operand)} is read where it is not defined", op)
            self.op(op)
            if op.regions:
                self.enter(op.regions[0], op, 0, frames)
            else:
                self.define(op.results, op)
                frame.local.extend(op.results)

    def enter(self, block: Block, owner: Op | None, number: int, frames: list[_Frame]) -> None:
        self.terminated(block, owner)
        self.define(block.parameters, None)
        frames.append(_Frame(owner, number, iter(block.ops), list(block.parameters)))

    def leave(self, frame: _Frame, frames: list[_Frame]) -> None:
        """On to the next region of the op; after the last one its results come into being."""
        if frame.owner is None:
            return
        number = frame.number + 1
        if number < len(frame.owner.regions):
            self.enter(frame.owner.regions[number], frame.owner, number, frames)
        else:
            self.define(frame.owner.results, frame.owner)
            frames[-1].local.extend(frame.owner.results)

    def define(self, values: Sequence[Value], op: Op | None) -> None:
        for value in values:
            if value in self.ever:
                self.fail(f"%{self.names.of(value)} is defined twice", op)
            if value.op is not op:
                self.fail(f"%{self.names.of(value)} does not know the op that defines it", op)
            if value.type is None:
                self.fail(f"%{self.names.of(value)} has no type", op)
            self.ever.add(value)
            self.visible.add(value)

    def terminated(self, block: Block, owner: Op | None) -> None:
        """The terminator stands last, and only there."""
        expected = "return" if owner is None else "yield"
        if not block.ops or block.ops[-1].name != expected:
            self.fail(f"a block does not end in `{expected}`", owner)
        for op in block.ops[:-1]:
            if op.name in TERMINATORS:
                self.fail(f"`{op.name}` stands before the end of its block", op)

    # -- ops -----------------------------------------------------------------------------------------------

    def op(self, op: Op) -> None:
        if op.name in TERMINATORS:
            if op.results or op.regions:
                self.fail("a terminator has results or regions", op)
            return
        if len(op.regions) != REGION_COUNT.get(op.name, 0):
            self.fail(f"has {len(op.regions)} regions", op)
        if op.name in ("effect", "opaque") or op.name in STRUCTURED:
            getattr(self, f"{op.name}_op")(op)
        elif op.name not in ("constant", "undefined"):
            self.primitive(op)

    def primitive(self, op: Op) -> None:
        if self.infer is None:
            return
        try:
            types = self.infer(op.name, [operand.type for operand in op.operands], op.attributes)
        except KeyError:
            self.fail("there is no such primitive", op)
        if len(types) != len(op.results):
            self.fail(f"has {len(op.results)} results, the primitive has {len(types)}", op)
        for value, type in zip(op.results, types, strict=True):
            if not consistent(value.type, type):
                self.fail(f"%{self.names.of(value)} has type {value.type}, the primitive gives {type}", op)

    def if_op(self, op: Op) -> None:
        if len(op.operands) != 1 or any(region.parameters for region in op.regions):
            self.fail("takes one condition, and its regions no parameters", op)
        for region in op.regions:
            self.fits(op, "a branch yields", op.results, self.leaving(op, region))

    def for_op(self, op: Op) -> None:
        bounds = [operand.type for operand in op.operands[:3]]
        if len(bounds) < 3 or not all(is_scalar(type) or _unsure(type) for type in bounds):
            self.fail("starts with no three numbers start, stop, step", op)
        region = op.regions[0]
        self.loop(op, region, region.parameters[1:], op.operands[3:])
        if not region.parameters:
            self.fail("has no index", op)

    def while_op(self, op: Op) -> None:
        condition, body = op.regions
        self.fits(op, "starts with", condition.parameters, op.operands)
        if condition.ops and len(yielded(condition)) != 1:
            self.fail("the condition does not yield one value", op)
        self.loop(op, body, body.parameters, op.operands)

    def loop(self, op: Op, region: Block, parameters: Sequence[Value], initial: Sequence[Value]) -> None:
        leaving = self.leaving(op, region)
        if op.attributes.get("breaks"):
            if not leaving:
                self.fail("`breaks` without a value that says so", op)
            leaving = leaving[1:]
        self.fits(op, "starts with", parameters, initial)
        self.fits(op, "yields", parameters, leaving)
        self.fits(op, "starts with", op.results, initial)
        self.fits(op, "yields", op.results, leaving)

    def call_op(self, op: Op) -> None:
        callee = self.module.functions.get(op.attributes.get("callee", ""))
        if callee is None:
            self.fail(f"calls `{op.attributes.get('callee')}`, which the module does not have", op)
        if len(op.operands) != len(callee.body.parameters):
            self.fail(f"hands over {len(op.operands)} values, {callee.name} takes {len(callee.body.parameters)}", op)
        if callee.body.ops and len(op.results) != len(yielded(callee.body)):
            self.fail(f"has {len(op.results)} results, {callee.name} returns {len(yielded(callee.body))}", op)

    def closure_op(self, op: Op) -> None:
        region = op.regions[0]
        if op.operands or len(op.results) != 1:
            self.fail("takes no operands and has one result", op)
        parameters, tree = op.attributes.get("parameters"), op.attributes.get("tree")
        if parameters is not None and sum(trees.count(part) for _, part in parameters) != len(region.parameters):
            self.fail("`parameters` and the region disagree", op)
        if tree is not None and trees.count(tree) != len(self.leaving(op, region)):
            self.fail("`tree` and what the region yields disagree", op)

    def hook_op(self, op: Op) -> None:
        if len(op.operands) != 1 or len(op.results) != 1 or len(op.regions) != 1:
            self.fail("takes a value and a region, and has one result", op)
        if len(op.regions[0].parameters) != 1 or len(self.leaving(op, op.regions[0])) != 1:
            self.fail("the region maps one cotangent to one", op)

    def effect_op(self, op: Op) -> None:
        if op.results or "template" not in op.attributes:
            self.fail("has a template and no results", op)

    def opaque_op(self, op: Op) -> None:
        if not op.results or "template" not in op.attributes:
            self.fail("has a template and results", op)

    # -- pieces --------------------------------------------------------------------------------------------

    def leaving(self, op: Op, region: Block) -> list[Value]:
        if not region.ops or region.ops[-1].name != "yield":
            self.fail("a region does not end in `yield`", op)
        return yielded(region)

    def fits(self, op: Op, what: str, places: Sequence[Value], values: Sequence[Value]) -> None:
        if len(places) != len(values):
            self.fail(f"{what} {len(values)} values for {len(places)}", op)
        for place, value in zip(places, values, strict=True):
            if not consistent(place.type, value.type):
                self.fail(f"{what} a {value.type} for %{self.names.of(place)}, a {place.type}", op)


def _unsure(type: Type) -> bool:
    return not isinstance(type, Tensor) or isinstance(type.shape, Symbol)


def consistent(a: Type, b: Type) -> bool:
    """Whether one value can have both types.  Not knowing contradicts nothing."""
    if isinstance(a, Opaque | Undefined) or isinstance(b, Opaque | Undefined):
        return True
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return _consistent_dtypes(a.dtype, b.dtype) and _consistent_shapes(a, b)
    if isinstance(a, ListType) and isinstance(b, ListType):
        return consistent(a.element, b.element)
    if isinstance(a, TupleType) and isinstance(b, TupleType):
        pairs = zip(a.elements, b.elements, strict=False)
        return len(a.elements) == len(b.elements) and all(consistent(m, n) for m, n in pairs)
    return _unsure(a) and _unsure(b) and (_anything(a) or _anything(b))


def _anything(type: Type) -> bool:
    return isinstance(type, Tensor) and type.dtype == UNKNOWN_DTYPE and isinstance(type.shape, Symbol)


def _consistent_dtypes(a: str, b: str) -> bool:
    return a == b or UNKNOWN_DTYPE in (a, b) or (a in FLOATS and b in FLOATS)


def _consistent_shapes(a: Tensor, b: Tensor) -> bool:
    if isinstance(a.shape, Symbol) or isinstance(b.shape, Symbol):
        return True
    numbers = [(m.offset, n.offset) for m, n in zip(a.shape, b.shape, strict=False) if m.symbol is n.symbol]
    return len(a.shape) == len(b.shape) and all(m == n for m, n in numbers)
