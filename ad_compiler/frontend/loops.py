"""Loops: what one carries from iteration to iteration, found by lowering its body until that is stable.

    for_each : Counting, what to do with an item -> a `for` op, and the state after it
    while_   : a condition, a body               -> a `while` op
    unrolled : known items, what to do with one  -> the iterations one after another

The state at the head of an iteration is the meeting (`joins`) of the state at the entry and the state at the
end of the body; the body is lowered from a guess of it, which starts with the names that the body assigns, and
again from what that gives, until it gives what it was lowered from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ad_compiler.frontend.context import Lowering, Refused, Report, Unreachable
from ad_compiler.frontend.control import Live, pending, run
from ad_compiler.frontend.describe import Describer, Known, refreshed, substitute, symbols_of
from ad_compiler.frontend.iteration import Counting
from ad_compiler.frontend.joins import Meeting, agreeing
from ad_compiler.frontend.values import Meaning, Reference, Scalar, State, Static, Unbound, Variable
from ad_compiler.ir.core import Block, Op, Value
from ad_compiler.ir.types import INT, UNDEFINED, ListType, Type, join

MOST_ATTEMPTS = 24


@dataclass(slots=True)
class Exits:
    """The flags of one loop: `continued` ends an iteration, `broke` the loop, `done` a loop whose test failed."""

    broke: Variable
    continued: Variable
    done: Variable
    asked: bool = False  # whether there is an `else` that asks for `broke`

    @staticmethod
    def new(low: Lowering) -> Exits:
        mark = low.serial()
        return Exits(Variable(mark, "<broke>"), Variable(mark, "<continued>"), Variable(mark, "<done>"))


@dataclass(frozen=True, slots=True)
class Seeds:
    """What a body is likely to change, by its text: names it assigns, names through which it writes."""

    assigned: tuple[Variable, ...] = ()
    written: tuple[Variable, ...] = ()


@dataclass(slots=True)
class Head:
    """A guess of the state at the head of an iteration."""

    state: State
    carried: list[Value] = field(default_factory=list)  # the parameters of the body
    initial: list[Meaning] = field(default_factory=list)  # what each is at the entry
    leaving: list[Value] = field(default_factory=list)  # and at the end of the body before
    form: Any = None


class Looping:
    """`body` lowers one iteration into the current block; it is given the index, if there is one."""

    def __init__(
        self, low: Lowering, exits: Exits, live: Live, seeds: Seeds, body: Callable[[Value | None], None]
    ) -> None:
        self.low = low
        self.exits = exits
        self.outer_flags = low.exits
        self.live = lambda variable: _is_mark(variable) or live(variable)
        self.seeds = seeds
        self.body = body
        self.entry = low.state
        self.known: Known = symbols_of(self.entry)
        self.outer_optimistic = low.optimistic

    # -- heads

    def head(self, back: State, block: Block) -> Head:
        """The meeting of the entry and `back`, the state at the end of `block`."""
        found = Head(State())
        known: dict[tuple[int, int], Value] = {}

        def leaf(parts: Sequence[Meaning], hint: str) -> Value:
            type = self._type(self.entry, parts[0])
            with self.low.on(block, back):
                last = self.low.builder.one("undefined") if isinstance(parts[1], Unbound) else self.low.value(parts[1])
            key = (self._identity(parts[0]), id(last))
            if key in known:
                return known[key]
            value = known[key] = Value(refreshed(join(type, last.type), self.known), hint)
            if any(isinstance(part, Unbound) for part in parts) or last in self.low.doubtful:
                self.low.doubtful.add(value)
            found.carried.append(value)
            found.initial.append(parts[0])
            found.leaving.append(last)
            return value

        edges = [self.entry, agreeing(self.entry, self.entry) if back.dead else back]
        found.state = Meeting(self.low, edges, leaf, self.live).state()
        found.form = Describer(found.state, found.carried, self.entry, self.known).describe()
        return found

    def _identity(self, part: Meaning) -> int:
        if isinstance(part, Scalar):
            return id(part.value)
        if isinstance(part, Reference) and not part.path:
            content = self.entry.content(part.root)
            return id(content) if isinstance(content, Value) else id(part.root)
        return id(part)

    def _type(self, state: State, part: Meaning) -> Type:
        if isinstance(part, Unbound):
            return UNDEFINED
        optimistic, self.low.optimistic = self.low.optimistic, self.outer_optimistic
        try:
            with self.low.on(Block(), state.copy()):
                return self.low.value(part).type
        except Refused:
            state.dead = self.outer_optimistic
            raise
        finally:
            self.low.optimistic = optimistic

    def first_head(self) -> Head:
        """The guess that what the body assigns is another thing of the same type in every iteration."""
        back = self.entry.copy()
        for variable in self.seeds.written:
            meaning = self.entry.variables.get(variable)
            if isinstance(meaning, Reference):
                content = self.entry.content(meaning.root)
                if isinstance(content, Value) and meaning.root.outside is None:
                    back.heap[meaning.root] = Value(content.type, content.hint)
        for variable in self.seeds.assigned:
            meaning = self.entry.variables.get(variable)
            if meaning is None or not self.live(variable):
                continue
            if isinstance(meaning, Scalar) or (
                isinstance(meaning, Static) and isinstance(meaning.value, float | int | complex)
            ):
                back.variables[variable] = Scalar(Value(self._type(self.entry, meaning), variable.name))
        return self.head(back, Block())

    # -- lowering

    def attempt(self, head: Head, index: Value | None) -> tuple[Block, State, Report, Value | None]:
        """Lower the body from `head`; its block, the state at its end, and whether it wants to stop."""
        low = self.low
        block = Block([*([index] if index else []), *head.carried])
        findings, low.findings = low.findings, Report()
        state = head.state.copy()
        for flag in (*self.outer_flags, self.exits.broke, self.exits.continued, self.exits.done):
            state.variables[flag] = Static(False)
        flags = low.exits
        low.exits = (*self.outer_flags, self.exits.broke, self.exits.done, self.exits.continued)
        stop: Value | None = None
        try:
            with low.on(block, state):
                try:
                    self.body(index)
                except Unreachable:
                    low.state.dead = True
                back = low.state
                back.variables.pop(self.exits.continued, None)
                low.exits = (*self.outer_flags, self.exits.broke, self.exits.done)
                stop = self._stop(back)
                back.variables.pop(self.exits.done, None)
                if not self.exits.asked:
                    back.variables.pop(self.exits.broke, None)
        except Refused:
            findings.take(low.findings)
            raise
        finally:
            low.exits = flags
            found, low.findings = low.findings, findings
        return block, back, found, stop

    def _stop(self, back: State) -> Value | None:
        """The value that says whether the loop ends after this iteration; None when it never does."""
        low = self.low
        if back.dead:
            return None
        for flag in low.exits:
            meaning = back.variables.get(flag)
            if isinstance(meaning, Static) and meaning.value:
                return low.constant(True)
        flag_value = pending(low)
        return None if flag_value is None else low.value(flag_value)

    def settle(self, hint: str | None) -> tuple[Head, Head, Block, Value | None, Value | None]:
        """Lower until the head is what the body was lowered from."""
        low, outer = self.low, (self.low.optimistic, self.low.bottomed)
        head = self.first_head()
        try:
            for _ in range(MOST_ATTEMPTS):
                low.optimistic, low.bottomed = True, False
                index = None if hint is None else Value(INT, hint)
                block, back, findings, stop = self.attempt(head, index)
                try:
                    new = self.head(back, block)
                except Unreachable:
                    back.dead = True
                    new = self.head(back, block)  # no run gets to the end of the body
                hopeless = back.dead and low.bottomed
                if hopeless or new.form == head.form:
                    break
                head = new
            else:
                hopeless = True
            if hopeless and outer[0]:
                low.bottomed = self.entry.dead = True
                raise Unreachable
            if hopeless or (low.bottomed and not outer[0]):
                self._explain(head, hint)
        finally:
            bottomed, (low.optimistic, low.bottomed) = low.bottomed, outer
            low.bottomed = bottomed or outer[1]
        low.findings.take(findings)
        return head, new, block, index, stop

    def _explain(self, head: Head, hint: str | None) -> None:
        """Lower the body once more, from a fresh copy of `head`, to report what cannot be lowered."""
        low = self.low
        low.optimistic = False
        names = [Value(value.type, value.hint) for value in head.carried]
        mapping = {id(old): new for old, new in zip(head.carried, names, strict=True)}
        again = Head(substitute(head.state, mapping), names)
        block, back, findings, _ = self.attempt(again, None if hint is None else Value(INT, hint))
        low.findings.take(findings)
        self.head(back, block)
        if not low.findings and not findings.refused:
            low.refuse("ADC114", "what this loop changes has another structure in every iteration")
        raise Refused

    def finish(
        self, name: str, operands: list[Value], head: Head, new: Head, blocks: list[Block], stop: Value | None
    ) -> None:
        """Append the op; the state after it is that at its head, with results for what is carried."""
        low = self.low
        low.state = self.entry
        initial = [self._initial(part, value) for part, value in zip(new.initial, head.carried, strict=True)]
        body = blocks[-1]
        leaving = new.leaving if stop is None else [stop, *new.leaving]
        body.ops.append(Op("yield", list(leaving), span=low.builder.span, phase=low.builder.phase))
        results = [Value(refreshed(value.type, self.known), value.hint) for value in head.carried]
        attributes = {} if stop is None else {"breaks": True}
        op = Op(name, [*operands, *initial], attributes, results, blocks, low.builder.span, low.builder.phase)
        for value, result in zip(head.carried, results, strict=True):
            result.op = op
            if value in low.doubtful:
                low.doubtful.add(result)
        low.builder.block.ops.append(op)
        low.state = substitute(head.state, {id(v): r for v, r in zip(head.carried, results, strict=True)})

    def _initial(self, part: Meaning, value: Value) -> Value:
        if isinstance(part, Unbound):
            return self.low.builder.one("undefined")
        found = self.low.value(part, value.hint)
        if isinstance(value.type, ListType) and not value.hint:
            value.hint = found.hint
        return found


def _is_mark(variable: Variable) -> bool:
    return variable.name.startswith("<") or not variable.name


# ------------------------------------------------------------------------------------------------- kinds


def for_each(
    low: Lowering,
    counting: Counting,
    item: Callable[[Meaning], None],
    exits: Exits,
    live: Live,
    seeds: Seeds,
    hint: str = "",
) -> None:
    """`item` binds an item and lowers the body."""
    bounds = [low.value(part) for part in (counting.start, counting.stop, counting.step)]

    def body(index: Value | None) -> None:
        assert index is not None
        item(counting.item(index))

    orders = {root: low.state.order.get(root) for root in counting.lists}
    looping = Looping(low, exits, live, seeds, body)
    head, new, block, _, stop = looping.settle(hint or "i")
    looping.finish("for", bounds, head, new, [block], stop)
    for root, order in orders.items():
        now = low.state.order.get(root)
        if order is None or now is None or now.length is not order.length:
            low.refuse("ADC101", "this list changes its length while the loop walks over it", help="walk over a copy")


def while_(
    low: Lowering,
    test: Callable[[], Meaning],
    body: Callable[[], None],
    exits: Exits,
    live: Live,
    seeds: Seeds,
    *,
    binds: bool = False,
) -> None:
    """`while test: body`.  A test that changes something is made a part of the body, which then breaks.

    `binds` says that the test binds names that the body may read.
    """
    looping = Looping(low, exits, live, seeds, lambda _: body())
    if not binds:
        head, new, block, _, stop = looping.settle(None)
        condition = _condition(looping, head, test)
        if condition is not None:
            looping.finish("while", [], head, new, [condition, block], stop)
            return

    def tested() -> None:
        _tested_body(low, test, body, exits, live)

    low.state = looping.entry
    looping = Looping(low, exits, live, seeds, lambda _: tested())
    head, new, block, _, stop = looping.settle(None)
    forever = Block([Value(value.type, value.hint) for value in head.carried])
    with low.on(forever, head.state.copy()):
        low.builder.terminate("yield", [low.constant(True)])
    looping.finish("while", [], head, new, [forever, block], stop)


def _condition(looping: Looping, head: Head, test: Callable[[], Meaning]) -> Block | None:
    """The condition region; None when the test does more than to compute."""
    low = looping.low
    block = Block([Value(value.type, value.hint) for value in head.carried])
    mapping = {id(old): new for old, new in zip(head.carried, block.parameters, strict=True)}
    state = substitute(head.state, mapping)
    for flag in (*looping.outer_flags, looping.exits.broke):
        if flag in state.variables:
            state.variables[flag] = Static(False)
    variables, heap = dict(state.variables), dict(state.heap)
    with low.on(block, state):
        value = low.value(test())
        after = low.state
    kept = after.variables == variables and all(after.heap.get(root) is content for root, content in heap.items())
    if not kept or any(op.name in ("effect", "opaque") for op in block.ops):
        return None
    with low.on(block, after):
        low.builder.terminate("yield", [value])
    return block


def _tested_body(
    low: Lowering, test: Callable[[], Meaning], body: Callable[[], None], exits: Exits, live: Live
) -> None:
    from ad_compiler.frontend.control import branch

    def stop() -> None:
        low.state.variables[exits.done] = Static(True)

    branch(low, test(), body, stop)


def unrolled(
    low: Lowering, items: Sequence[Callable[[], Meaning]], item: Callable[[Meaning], None], exits: Exits, live: Live
) -> None:
    """The iterations one after another."""
    outer = low.exits

    def step(one: Callable[[], Meaning]) -> Callable[[], None]:
        def iteration() -> None:
            before = low.exits
            low.exits = (*outer, exits.broke, exits.continued)
            low.state.variables[exits.continued] = Static(False)
            try:
                item(one())
            finally:
                low.exits = before
            low.state.variables.pop(exits.continued, None)

        return iteration

    low.state.variables[exits.broke] = Static(False)
    low.exits = (*outer, exits.broke)
    try:
        run(low, [step(one) for one in items], lambda variable: _is_mark(variable) or live(variable))
    finally:
        low.exits = outer
