"""Random SSA programs full of writes, views, lists, loops and branches: `random_module(seed)`.

They are right by construction (every index is in range, nothing pops an empty list), and mean nothing.
What they are made for: values that share memory and live across writes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block, Function, Module, Parameter, SliceItem, Slot, Value
from ad_compiler.ir.trees import Leaf, ListTree, Tree, TupleTree
from ad_compiler.ir.types import BOOL, FLOAT, INT, Dim, ListType, Opaque, Symbol, Tensor, TupleType, Type
from ad_compiler.primitives import builder as primitive_builder

N = 4  # the length of every axis
AXIS = Dim(Symbol("n", many=True))
VECTOR = Tensor("f64", (AXIS,))
MATRIX = Tensor("f64", (AXIS, AXIS))
INDICES = Tensor("i64", (AXIS,))
NUMBERS = ListType(FLOAT)
VECTORS = ListType(VECTOR)
NESTED = ListType(ListType(VECTOR))
PAIR = TupleType((VECTOR, FLOAT))
CARRIED: tuple[Type, ...] = (FLOAT, VECTOR, MATRIX, NUMBERS, VECTORS, NESTED)
HINTS = ("", "", "x", "A", "B", "row", "s_bar", "A_bar", "xs")


@dataclass
class Scope:
    """The values that can be read, by kind, and how long lists are at least."""

    values: dict[Type, list[Value]] = field(default_factory=dict)
    lengths: dict[Value, int] = field(default_factory=dict)
    depth: int = 0

    def inner(self) -> Scope:
        return replace(
            self, values={k: list(v) for k, v in self.values.items()}, lengths=dict(self.lengths), depth=self.depth + 1
        )


class Programs:
    def __init__(self, seed: int, size: int = 14) -> None:
        self.random = random.Random(seed)
        self.size = size
        self.builder: Builder = primitive_builder(Block())
        self.line = 0

    # -- pieces -----------------------------------------------------------------------------------

    def hint(self) -> str:
        return self.random.choice(HINTS)

    def add(self, scope: Scope, value: Value, type: Type, length: int = 0) -> Value:
        value.type = type if not isinstance(type, Tensor) else value.type
        scope.values.setdefault(type, []).append(value)
        scope.lengths[value] = length
        return value

    def emit(
        self, scope: Scope, name: str, operands: list[Value], type: Type, length: int = 0, **attributes: Any
    ) -> Value:
        (result,) = self.builder.emit(name, operands, hint=self.hint(), types=[type], **attributes)
        return self.add(scope, result, type, length)

    def some(self, scope: Scope, type: Type) -> Value:
        """A value of this type, recent ones rather; a new one when there is none."""
        known = scope.values.get(type, [])
        if known and self.random.random() < 0.93:
            return known[-1 - min(int(self.random.expovariate(0.35)), len(known) - 1)]
        return self.fresh(scope, type)

    def fresh(self, scope: Scope, type: Type) -> Value:
        if type == FLOAT:
            return self.builder.constant(round(self.random.uniform(-2, 2), 1))
        if type == VECTOR:
            return self.emit(scope, "multiply", [scope.values[VECTOR][0], self.number()], VECTOR)
        if type == MATRIX:
            return self.emit(scope, "multiply", [scope.values[MATRIX][0], self.number()], MATRIX)
        if type == NUMBERS:
            return self.emit(scope, "list", [self.number(), self.number()], NUMBERS, 2)
        if type == VECTORS:
            parts = [self.some(scope, VECTOR) for _ in range(self.random.randrange(3))]
            return self.emit(scope, "list", parts, VECTORS, len(parts))
        if type == NESTED:
            parts = [self.some(scope, VECTORS) for _ in range(self.random.randrange(2))]
            return self.emit(scope, "list", parts, NESTED, len(parts))
        if type == PAIR:
            return self.emit(scope, "tuple", [self.some(scope, VECTOR), self.number()], PAIR)
        raise AssertionError(type)

    def number(self) -> Value:
        return self.builder.constant(self.random.choice([0.5, -1.0, 2.0, 1.5]))

    def index(self, scope: Scope) -> tuple[Any, list[Value]]:
        """A whole number in range, known or not."""
        if self.random.random() < 0.3 and scope.values.get(INT):
            value = self.random.choice(scope.values[INT])
            return Slot(0), [value]
        return self.random.randrange(-N, N), []

    # -- ops ---------------------------------------------------------------------------------------

    def step(self, scope: Scope) -> None:
        self.line += 1
        r = self.random
        choices = [
            (6, self.arithmetic), (4, self.view), (8, self.write), (3, self.write_back), (4, self.add_at), (4, self.list_op),
            (2, self.list_write), (1, self.tuple_op), (2, self.accumulate), (3, self.late),
        ]  # fmt: skip
        if scope.depth < 3:
            choices += [(2, self.if_), (3, self.for_), (1, self.while_), (1, self.tape), (1, self.tapes)]
        r.choices([choice for _, choice in choices], [weight for weight, _ in choices])[0](scope)

    def arithmetic(self, scope: Scope) -> None:
        type = self.random.choice([FLOAT, VECTOR, MATRIX])
        kind = self.random.random()
        if kind < 0.2:
            source = self.some(scope, self.random.choice([VECTOR, MATRIX]))
            self.emit(scope, "sum", [source], FLOAT)
        elif kind < 0.3:
            self.emit(scope, "sum", [self.some(scope, MATRIX)], VECTOR, axis=0)
        elif kind < 0.4:
            self.emit(scope, "zeros_like", [self.some(scope, type)], type)
        elif kind < 0.5:
            self.emit(scope, "tanh", [self.some(scope, type)], type)
        else:
            other = type if self.random.random() < 0.6 else FLOAT
            operands = [self.some(scope, type), self.some(scope, other)]
            self.emit(scope, self.random.choice(["add", "subtract", "multiply"]), operands, type)

    def view(self, scope: Scope) -> None:
        kind = self.random.randrange(6)
        if kind == 0:
            self.emit(scope, "getitem", [self.some(scope, VECTOR)], VECTOR, index=(SliceItem(None, None, -1),))
        elif kind == 1:
            item, slots = self.index(scope)
            self.emit(scope, "getitem", [self.some(scope, MATRIX), *slots], VECTOR, index=(item,))
        elif kind == 2:
            self.emit(scope, "transpose", [self.some(scope, MATRIX)], MATRIX)
        elif kind == 3:
            item, slots = self.index(scope)
            self.emit(scope, "getitem", [self.some(scope, VECTOR), *slots], FLOAT, index=(item,))
        elif kind == 4:
            self.emit(
                scope, "getitem", [self.some(scope, MATRIX)], VECTOR, index=(SliceItem(), self.random.randrange(N))
            )
        else:
            name = self.random.choice(["copy", "stop_gradient"])
            type = self.random.choice([VECTOR, MATRIX])
            self.emit(scope, name, [self.some(scope, type)], type)

    def write(self, scope: Scope) -> None:
        name = self.random.choice(["setitem", "setitem", "add_at"])
        if self.random.random() < 0.5:
            item, slots = self.index(scope)
            if self.random.random() < 0.6:
                self.emit(
                    scope, name, [self.some(scope, VECTOR), self.some(scope, FLOAT), *slots], VECTOR, index=(item,)
                )
            else:
                value = self.some(scope, self.random.choice([VECTOR, FLOAT]))
                self.emit(scope, name, [self.some(scope, MATRIX), value, *slots], MATRIX, index=(item,))
        else:
            type = self.random.choice([VECTOR, MATRIX])
            whole = self.random.choice([(Ellipsis,), (SliceItem(),), (SliceItem(None, None, -1),)])
            self.emit(scope, name, [self.some(scope, type), self.some(scope, type)], type, index=whole)

    def write_back(self, scope: Scope) -> None:
        """An updated view, put back where it came from; x op= y."""
        matrix = self.some(scope, MATRIX)
        item, slots = self.index(scope)
        kind = self.random.randrange(3)
        if kind == 0:
            (row,) = self.builder.emit("getitem", [matrix, *slots], types=[VECTOR], index=(item,))
            for _ in range(self.random.randrange(1, 3)):
                name = self.random.choice(["setitem", "add_at"])
                (row,) = self.builder.emit(
                    name, [row, self.some(scope, FLOAT)], types=[VECTOR], index=(self.random.randrange(N),)
                )
            if self.random.random() < 0.2:
                self.add(scope, row, VECTOR)
            self.emit(scope, "setitem", [matrix, row, *slots], MATRIX, index=(item,))
        elif kind == 1:
            (turned,) = self.builder.emit("transpose", [matrix], types=[MATRIX])
            name = self.random.choice(["setitem", "add_at"])
            (turned,) = self.builder.emit(
                name, [turned, self.some(scope, VECTOR), *slots], types=[MATRIX], index=(item,)
            )
            self.emit(scope, "transpose", [turned], MATRIX)
        else:
            (row,) = self.builder.emit("getitem", [matrix, *slots], types=[VECTOR], index=(item,))
            name = self.random.choice(["add", "multiply", "subtract"])
            other = self.some(scope, self.random.choice([VECTOR, FLOAT]))
            (row,) = self.builder.emit(name, [row, other], types=[VECTOR])
            self.emit(scope, "setitem", [matrix, row, *slots], MATRIX, index=(item,))

    def add_at(self, scope: Scope) -> None:
        indices = self.random.choice(scope.values[INDICES])
        if self.random.random() < 0.3:
            (again,) = self.builder.emit("getitem", [indices], types=[INDICES], index=(SliceItem(None, None, -1),))
            self.add(scope, again, INDICES)
        name = self.random.choice(["add_at", "setitem"])
        base = self.some(scope, VECTOR)
        value = self.some(scope, self.random.choice([VECTOR, FLOAT]))
        self.emit(scope, name, [base, value, indices], VECTOR, index=(Slot(0),))

    def accumulate(self, scope: Scope) -> None:
        """x_bar = x_bar + c, as the reverse sweep does it."""
        type = self.random.choice([FLOAT, VECTOR, MATRIX])
        base = self.some(scope, type)
        (result,) = self.builder.emit("add", [base, self.some(scope, type)], hint=base.hint or "s_bar", types=[type])
        if not base.hint and base.op is not None:
            base.hint = "s_bar"
        self.add(scope, result, type)

    def late(self, scope: Scope) -> None:
        """Something is read, then written, and what was read is used once, later."""
        type = self.random.choice([VECTOR, MATRIX])
        base = self.some(scope, type)
        (old,) = self.builder.emit("tanh", [base], types=[type])
        if self.random.random() < 0.4:
            (old,) = self.builder.emit("multiply", [old, self.some(scope, FLOAT)], types=[type])
        result = self.emit(scope, "setitem", [base, self.number()], type, index=(self.random.randrange(N),))
        if self.random.random() < 0.5:
            self.step(scope)
        self.emit(scope, "subtract", [self.random.choice([result, self.some(scope, type)]), old], type)

    def list_op(self, scope: Scope) -> None:
        type, element = self.random.choice([(NUMBERS, FLOAT), (VECTORS, VECTOR), (NESTED, VECTORS)])
        xs = self.some(scope, type)
        length = scope.lengths.get(xs, 0)
        kind = self.random.random()
        if kind < 0.5 or length == 0:
            self.emit(scope, "append", [xs, self.some(scope, element)], type, length + 1)
        elif kind < 0.8:
            rest, value = self.builder.emit("pop", [xs], hint=self.hint(), types=[type, element])
            self.add(scope, rest, type, length - 1)
            value.hint = self.hint()
            self.add(scope, value, element)
        elif kind < 0.9:
            self.emit(scope, "list_concat", [xs, self.some(scope, type)], type, length)
        else:
            position = self.builder.constant(self.random.randrange(length))
            self.emit(scope, "list_get", [xs, position], element)

    def list_write(self, scope: Scope) -> None:
        type, element = self.random.choice([(NUMBERS, FLOAT), (VECTORS, VECTOR), (NESTED, VECTORS)])
        xs = self.some(scope, type)
        length = scope.lengths.get(xs, 0)
        if not length:
            return
        position = self.builder.constant(self.random.randrange(length))
        value = self.some(scope, element)
        if self.random.random() < 0.6 or type == NESTED:
            self.emit(scope, "list_set", [xs, position, value], type, length)
        else:
            self.emit(scope, "list_add_at", [xs, value, position], type, length)

    def tuple_op(self, scope: Scope) -> None:
        if scope.values.get(PAIR) and self.random.random() < 0.6:
            self.emit(scope, "tuple_get", [self.some(scope, PAIR)], VECTOR, position=0)
        else:
            self.emit(scope, "tuple", [self.some(scope, VECTOR), self.some(scope, FLOAT)], PAIR)

    # -- structure -----------------------------------------------------------------------------------

    def condition(self, scope: Scope) -> Value:
        return self.builder.one("less", self.some(scope, FLOAT), self.number(), hint="")

    def body(self, scope: Scope, block: Block, types: list[Type], lead: list[Value]) -> Scope:
        inner = scope.inner()
        with self.builder.inside(block):
            for value, type in zip(lead, types, strict=True):
                self.add(inner, value, type)
            for _ in range(self.random.randrange(5)):
                self.step(inner)
        return inner

    def leave(self, inner: Scope, block: Block, types: list[Type], before: list[Value]) -> list[int]:
        with self.builder.inside(block):
            values = [self.some(inner, type) for type in types]
            self.builder.terminate("yield", [*before, *values])
        return [inner.lengths.get(value, 0) for value in values]

    def if_(self, scope: Scope) -> None:
        condition = self.condition(scope)
        types = [self.random.choice(CARRIED) for _ in range(self.random.randrange(1, 4))]
        blocks, lengths = [], []
        for _ in range(2):
            block = Block()
            inner = self.body(scope, block, [], [])
            lengths.append(self.leave(inner, block, types, []))
            blocks.append(block)
        results = self.builder.emit("if", [condition], types=types, regions=blocks)
        for result, type, pair in zip(results, types, zip(*lengths, strict=True), strict=True):
            result.hint = self.hint()
            self.add(scope, result, type, min(pair))

    def for_(self, scope: Scope) -> None:
        types = [self.random.choice(CARRIED) for _ in range(self.random.randrange(1, 5))]
        inits = [self.some(scope, type) for type in types]
        bounds = [self.builder.constant(0), self.trips(scope), self.builder.constant(1)]
        index = Value(INT, self.random.choice(["i", "k", ""]))
        parameters = [Value(type, self.hint()) for type in types]
        block = Block([index, *parameters])
        breaks = self.random.random() < 0.25
        inner = self.body(scope, block, [INT, *types], [index, *parameters])
        stop = []
        if breaks:
            with self.builder.inside(block):
                stop = [self.condition(inner)]
        self.leave(inner, block, types, stop)
        attributes: dict[str, Any] = {"breaks": True} if breaks else {}
        if self.random.random() < 0.3:
            attributes["reversed"] = True
        self.finish_loop("for", [*bounds, *inits], types, [block], attributes, scope)

    def trips(self, scope: Scope) -> Value:
        kind = self.random.random()
        if kind < 0.4:
            return self.builder.constant(self.random.randrange(N))
        if kind < 0.6:
            return scope.values[INT][0]
        length = self.builder.one("dim", self.some(scope, VECTOR), axis=0, hint=self.hint())
        return self.builder.one("subtract", length, self.builder.constant(self.random.randrange(N)), hint=self.hint())

    def finish_loop(
        self,
        name: str,
        operands: list[Value],
        types: list[Type],
        regions: list[Block],
        attributes: dict[str, Any],
        scope: Scope,
    ) -> None:
        results = self.builder.emit(name, operands, types=types, regions=regions, **attributes)
        for result, type in zip(results, types, strict=True):
            result.hint = self.hint()
            self.add(scope, result, type)

    def while_(self, scope: Scope) -> None:
        types: list[Type] = [self.random.choice(CARRIED) for _ in range(self.random.randrange(1, 3))]
        inits = [self.some(scope, type) for type in types]
        test = Block([Value(INT, "count"), *(Value(type, self.hint()) for type in types)])
        inner = self.body(scope, test, types, test.parameters[1:]) if self.random.random() < 0.3 else scope.inner()
        with self.builder.inside(test):
            more = self.builder.one("less", test.parameters[0], self.builder.constant(self.random.randrange(4)))
            self.builder.terminate("yield", [more])
        block = Block([Value(INT, "count"), *(Value(type, self.hint()) for type in types)])
        inner = self.body(scope, block, types, block.parameters[1:])
        with self.builder.inside(block):
            count = self.builder.one(
                "add", block.parameters[0], self.builder.constant(1), hint=self.random.choice(["", "count"])
            )
        self.leave(inner, block, types, [count])
        start = self.builder.constant(0)
        self.finish_loop("while", [start, *inits], [INT, *types], [test, block], {}, scope)
        scope.values[INT].pop()  # a count may be too large for an index

    def tape(self, scope: Scope) -> None:
        """A loop that records and a loop that plays back."""
        type = self.random.choice([FLOAT, VECTOR])
        tapes = ListType(type)
        trips = self.trips(scope)
        zero, one = self.builder.constant(0), self.builder.constant(1)
        (empty,) = self.builder.emit("list", [], types=[tapes], hint="tape")
        start = self.some(scope, type)
        for way in (1, 2):
            index, tape, value = Value(INT, "i"), Value(tapes, "tape"), Value(type, start.hint)
            block = Block([index, tape, value])
            inner = scope.inner()
            with self.builder.inside(block):
                if way == 1:
                    (tape,) = self.builder.emit("append", [tape, value], types=[tapes], hint="tape")
                else:
                    tape, old = self.builder.emit("pop", [tape], types=[tapes, type], hint="tape")
                    old.hint = start.hint
                    self.add(inner, old, type)
                self.add(inner, value, type)
                self.add(inner, index, INT)
                for _ in range(self.random.randrange(4)):
                    self.step(inner)
                self.builder.terminate("yield", [tape, self.some(inner, type)])
            attributes = {} if way == 1 else {"reversed": True}
            empty, start = self.builder.emit(
                "for", [zero, trips, one, empty, start], types=[tapes, type], regions=[block], **attributes
            )
            empty.hint = "tape"
            start.hint = self.hint()
            self.add(scope, start, type)
            if way == 1:
                for _ in range(self.random.randrange(3)):
                    self.step(scope)

    def tapes(self, scope: Scope) -> None:
        """A tape of tapes: recorded by a loop in a loop, played back; now and then held by something else too."""
        trips, r = self.trips(scope), self.random
        zero, one = self.builder.constant(0), self.builder.constant(1)
        (outer,) = self.builder.emit("list", [], types=[NESTED], hint="tapes")
        (inner,) = self.builder.emit("list", [], types=[VECTORS], hint="tape")
        around = inner if r.random() < 0.2 else None
        start = self.some(scope, VECTOR)
        for way in (1, 2):
            tapes, value = Value(NESTED, "tapes"), Value(VECTOR, start.hint)
            block = Block([Value(INT, "i"), tapes, value])
            held = scope.inner()
            with self.builder.inside(block):
                if way == 1:
                    (tape,) = (
                        self.builder.emit("list", [], types=[VECTORS], hint="tape") if around is None else (around,)
                    )
                else:
                    tapes, tape = self.builder.emit("pop", [tapes], types=[NESTED, VECTORS], hint="tapes")
                    tape.hint = "tape"
                    if r.random() < 0.2:
                        self.add(held, tape, VECTORS)
                record, carried = Value(VECTORS, "tape"), Value(VECTOR, start.hint)
                body = Block([Value(INT, "j"), record, carried])
                deeper = held.inner()
                with self.builder.inside(body):
                    if way == 1:
                        (record,) = self.builder.emit("append", [record, carried], types=[VECTORS], hint="tape")
                    else:
                        record, old = self.builder.emit("pop", [record], types=[VECTORS, VECTOR], hint="tape")
                        self.add(deeper, old, VECTOR)
                    self.add(deeper, carried, VECTOR)
                    for _ in range(r.randrange(3)):
                        self.step(deeper)
                    self.builder.terminate("yield", [record, self.some(deeper, VECTOR)])
                tape, value = self.builder.emit(
                    "for", [zero, trips, one, tape, value], types=[VECTORS, VECTOR], regions=[body]
                )
                tape.hint = "tape"
                if way == 1:
                    (tapes,) = self.builder.emit("append", [tapes, tape], types=[NESTED], hint="tapes")
                    if r.random() < 0.2:
                        (tapes,) = self.builder.emit("append", [tapes, tape], types=[NESTED], hint="tapes")
                self.builder.terminate("yield", [tapes, value])
            outer, start = self.builder.emit(
                "for", [zero, trips, one, outer, start], types=[NESTED, VECTOR], regions=[block]
            )
            outer.hint = "tapes"
            if way == 1 and r.random() < 0.3:
                (again,) = self.builder.emit("list_concat", [outer, outer], types=[NESTED])
                outer = again if r.random() < 0.5 else outer
        self.add(scope, start, VECTOR)
        if r.random() < 0.2:
            self.add(scope, outer, NESTED)

    # -- whole programs --------------------------------------------------------------------------------

    def module(self) -> Module:
        scope = Scope()
        kinds: list[tuple[str, Type]] = [
            ("n", INT), ("x", FLOAT), ("y", FLOAT), ("a", VECTOR), ("b", VECTOR), ("A", MATRIX), ("B", MATRIX),
            ("index", INDICES), ("xs", VECTORS),
        ]  # fmt: skip
        body = self.builder.block
        for name, type in kinds:
            value = Value(type, name)
            body.parameters.append(value)
            self.add(scope, value, type, 2 if type == VECTORS else 0)
        phased = self.random.random() < 0.7
        self.builder.phase = "forward" if phased else ""
        for k in range(self.size):
            if phased and k == self.size // 2:
                self.builder.phase = "reverse"
            self.step(scope)
        types = [self.random.choice(CARRIED) for _ in range(self.random.randrange(2, 12))]
        results = [self.some(scope, type) for type in types]
        trees: list[Tree] = [Leaf(type) for type in types]
        if self.random.random() < 0.3:
            results.append(self.closure(scope))
            trees.append(Leaf(Opaque("function")))
        self.builder.terminate("return", results)
        parameters = [Parameter(name, Leaf(type)) for name, type in kinds]
        function = Function("f", body, parameters, TupleTree(tuple(trees)))
        return Module("f", {"f": function})

    def closure(self, scope: Scope) -> Value:
        bars = [Value(FLOAT, "x_bar"), Value(VECTOR, "A_bar")]
        block = Block(bars)
        inner = self.body(scope, block, [FLOAT, VECTOR], bars)
        types = [self.random.choice(CARRIED) for _ in range(self.random.randrange(1, 4))]
        self.leave(inner, block, types, [])
        tree = ListTree(tuple(Leaf(type) for type in types))
        (result,) = self.builder.emit(
            "closure", types=[Opaque("function")], regions=[block], hint="pullback", tree=tree,
            parameters=(("x_bar", Leaf(FLOAT)), ("A_bar", Leaf(VECTOR))),
        )  # fmt: skip
        self.builder.block.ops[-1].attributes["name"] = "pullback"
        return result


def random_module(seed: int, size: int = 14) -> Module:
    return Programs(seed, size).module()


def arguments(seed: int) -> list[Any]:
    """Arguments for `random_module`; sometimes one array is handed over twice."""
    random_numbers = np.random.default_rng(seed)
    a, b = random_numbers.normal(size=(2, N)).round(2)
    A, B = random_numbers.normal(size=(2, N, N)).round(2)
    if seed % 7 == 0:
        b, B = a, A
    if seed % 11 == 0:
        b = A[1]
    index = random_numbers.integers(0, N, size=N)
    return [int(seed % N), 0.5, -1.5, a, b, A, B, index, [a * 2.0, b if seed % 3 else a]]


__all__ = ["BOOL", "arguments", "random_module"]
