"""Paths: `if`, the steps of a block, and what only some paths evaluate.

    branch        : a test and two things to do -> an `if` op, and the met state
    run           : steps in order; what follows an early exit goes into the branch that does not exit
    choose        : a test and two expressions -> one meaning
    short_circuit : `a and b`, `a or b`

`return`, `break` and `continue` set a flag, a variable of the state like any other: statically known on the
path itself, a computed boolean after paths have met.  `run` skips the rest of a block when one is set.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from ad_compiler.frontend.context import Lowering, Refused, Unreachable, tensor_type
from ad_compiler.frontend.joins import Meeting, agreeing
from ad_compiler.frontend.liveness import live_names
from ad_compiler.frontend.values import (
    UNBOUND,
    Choice,
    Meaning,
    Origin,
    Reference,
    Root,
    Scalar,
    State,
    Static,
    Unbound,
    Variable,
)
from ad_compiler.ir.core import Block, Op, Value
from ad_compiler.ir.types import Type, is_scalar, join

Live = Callable[[Variable], bool]
Step = Callable[[], None] | ast.stmt
Flags = frozenset[Variable]
NO_FLAGS: Flags = frozenset()


def always(variable: Variable) -> bool:
    return True


def live_after(low: Lowering, node: ast.stmt) -> Live:
    """The variables that matter after a compound statement of the function being lowered."""
    return live_in(low, live_names(low.frame.definition.node).after.get(id(node)))


def live_in(low: Lowering, names: frozenset[str] | None) -> Live:
    if names is None:
        return always
    frame, throughout = low.frame, live_names(low.frame.definition.node).always

    def live(variable: Variable) -> bool:
        if variable.owner is not frame or variable.name.startswith("<"):
            return True
        return variable.name in names or variable.name in throughout

    return live


# ------------------------------------------------------------------------------------------------- if


class Branching:
    """The two sides of an `if`, and the values they hand out."""

    def __init__(self, low: Lowering, test: Value) -> None:
        self.low = low
        self.test = test
        self.before = low.state
        self.blocks: list[Block] = []
        self.states: list[State] = []
        self.yields: list[list[Value]] = [[], []]
        self.results: list[Value] = []
        self._known: dict[tuple[int, ...], Value] = {}
        self._refused = False

    def side(self, lower: Callable[[], None]) -> None:
        """Lower one side, from the state before."""
        block = Block()
        with self.low.on(block, self.before.copy()):
            try:
                lower()
            except Unreachable:
                self.low.state.dead = True
            except Refused:
                self._refused = self._refused or not self.low.state.dead
            self.states.append(self.low.state)
        self.blocks.append(block)

    def meet(self, live: Live) -> None:
        """Append the `if` and go on from the met state."""
        low = self.low
        if self._refused:
            low.state = self.before
            raise Refused
        dead = [state.dead for state in self.states]
        if all(dead):
            low.state = self.before.copy()
            low.state.dead = True
        else:
            edges = list(self.states)
            for k in (0, 1):
                if dead[k]:
                    edges[k] = agreeing(self.states[1 - k], self.before)
            self.edges = edges
            meeting = Meeting(low, edges, self._leaf, live)
            low.state = meeting.state()
            self._remember_origins(meeting)
        for block, values, state in zip(self.blocks, self.yields, self.states, strict=True):
            with low.on(block, state):
                low.builder.terminate("yield", values)
        if self.results or any(len(block.ops) > 1 for block in self.blocks):
            op = Op("if", [self.test], {}, self.results, self.blocks, low.builder.span, low.builder.phase)
            for result in self.results:
                result.op = op
            low.builder.block.ops.append(op)

    def _remember_origins(self, meeting: Meeting) -> None:
        """Which object each new root is, by the test: so a write to one is followed by the other."""
        inside = {id(value) for block in self.blocks for op in block.ops for value in op.results}
        for root, parts in meeting.parts.items():
            sides = [part if isinstance(part, Reference) else None for part in parts]
            if any(
                side is not None and _has_alias(edge, side.root) for side, edge in zip(sides, self.edges, strict=True)
            ):
                continue  # what it is depends on more than this test
            slots = [slot for side in sides if side is not None for step in side.path for slot in step.slots]
            if not any(id(slot) in inside for slot in slots):
                self.low.state.origins[root] = Origin(self.test, (sides[0], sides[1]))

    def _leaf(self, parts: Sequence[Meaning], hint: str) -> Value:
        values = [self._value(k, part, hint) for k, part in enumerate(parts)]
        key = tuple(map(id, values))
        known = self._known.get(key)
        if known is None:
            type: Type = join(values[0].type, values[1].type)
            known = self._known[key] = Value(type, hint)
            if any(isinstance(part, Unbound) for part in parts) or any(one in self.low.doubtful for one in values):
                self.low.doubtful.add(known)
            for row, value in zip(self.yields, values, strict=True):
                row.append(value)
            self.results.append(known)
        return known

    def _value(self, k: int, part: Meaning, hint: str) -> Value:
        with self.low.on(self.blocks[k], self.edges[k]):
            if isinstance(part, Unbound):
                return self.low.builder.one("undefined")
            return self.low.value(part, hint)


def _has_alias(state: State, root: Root) -> bool:
    return any(root in both for both in state.aliases)


def branch(
    low: Lowering, test: Meaning, then: Callable[[], None], orelse: Callable[[], None], live: Live = always
) -> None:
    if isinstance(test, Static):
        (then if test.value else orelse)()
        return
    sides = Branching(low, low.value(test))
    sides.side(then)
    sides.side(orelse)
    sides.meet(live)


# ----------------------------------------------------------------------------------------- early exits


def exited(low: Lowering) -> bool:
    """Whether no run gets past this point of the block."""
    return low.state.dead or any(_flag(low.state, flag) is True for flag in low.exits)


def _flag(state: State, flag: Variable) -> bool | Meaning:
    meaning = state.variables.get(flag, UNBOUND)
    if isinstance(meaning, Static):
        return bool(meaning.value)
    return False if isinstance(meaning, Unbound) else meaning


def pending(low: Lowering) -> Meaning | None:
    """The computed flag that says whether an earlier path has exited; None when none can have."""
    found: Meaning | None = None
    for flag in low.exits:
        meaning = _flag(low.state, flag)
        if not isinstance(meaning, bool):
            found = meaning if found is None else low.emit("logical_or", found, meaning)
    return found


def run(low: Lowering, steps: Sequence[Step], live: Live, *, last: Flags = NO_FLAGS) -> None:
    """Lower the steps of a block.

    `live` says which variables matter after the block.  `last` are the flags that nobody asks for after it:
    what they skip ends with this block.
    """
    from ad_compiler.frontend.statements import statement

    for k, step in enumerate(steps):
        rest = steps[k + 1 :]
        try:
            if isinstance(step, ast.If):
                if _if_statement(low, step, rest, live, last):
                    return
            elif isinstance(step, ast.stmt):
                statement(low, step)
            else:
                step()
        except Unreachable:
            low.state.dead = True
            return
        except Refused:
            if low.state.dead:
                return
            low.findings.refused = True
            _poison_targets(low, step)
        if exited(low):
            return
        if rest:
            skip = pending(low)
            if skip is not None:
                place = next((one for one in rest if isinstance(one, ast.stmt)), step)
                with low.at(place) if isinstance(place, ast.stmt) else nullcontext():
                    _guarded(low, skip, rest, live, last)
                return


def _guarded(low: Lowering, skip: Meaning, rest: Sequence[Step], live: Live, last: Flags) -> None:
    """Lower `rest` for the runs that have not exited."""
    computed = [flag for flag in low.exits if not isinstance(_flag(low.state, flag), bool)]

    def skipped() -> None:
        if len(computed) == 1:
            low.state.variables[computed[0]] = Static(True)

    def going_on() -> None:
        for flag in computed:
            low.state.variables[flag] = Static(False)
        run(low, rest, live, last=last)

    branch(low, skip, skipped, going_on, _without(last, live))


def _without(flags: Flags, live: Live) -> Live:
    return (lambda variable: variable not in flags and live(variable)) if flags else live


def _if_statement(low: Lowering, node: ast.If, rest: Sequence[Step], live: Live, last: Flags) -> bool:
    """Lower an `if` statement; whether `rest` was lowered with it, because one side does not get there."""
    from ad_compiler.frontend.expressions import condition

    after = live_after(low, node)
    try:
        test = condition(low, node.test)
    except Refused:
        for body in (node.body, node.orelse):  # for their findings
            with low.scratch():
                run(low, body, always)
        raise
    if isinstance(test, Static):
        run(low, node.body if test.value else node.orelse, live if not rest else after, last=NO_FLAGS if rest else last)
        return False
    with low.at(node):
        span = low.builder.span
        sides = Branching(low, low.value(test))
    at_end = NO_FLAGS if rest else last
    inner = live if not rest else lambda variable: after(variable) or live(variable)
    sides.side(lambda: run(low, node.body, inner, last=at_end))
    sides.side(lambda: run(low, node.orelse, inner, last=at_end))
    took_rest = False
    ends = [_ends(low, state) for state in sides.states]
    if rest:
        if ends[0] != ends[1] and not any(state.dead for state in sides.states):
            k = ends.index(False)
            with low.on(sides.blocks[k], sides.states[k]):
                _rest_of(low, rest, live, last)
                sides.states[k] = low.state
            took_rest = True
    finished = took_rest or not rest or all(ends)
    kept = _without(last, live) if finished else inner
    before, low.builder.span = low.builder.span, span
    sides.meet(kept)
    low.builder.span = before
    return took_rest


def _rest_of(low: Lowering, rest: Sequence[Step], live: Live, last: Flags) -> None:
    skip = pending(low)
    if skip is None:
        run(low, rest, live, last=last)
    else:
        _guarded(low, skip, rest, live, last)


def _ends(low: Lowering, state: State) -> bool:
    return state.dead or any(_flag(state, flag) is True for flag in low.exits)


def _poison_targets(low: Lowering, step: Step) -> None:
    """What a refused statement would have bound is not reported again."""
    from ad_compiler.frontend.names import binds, owner_of, walk_scope

    if not isinstance(step, ast.stmt):
        raise Refused
    nodes = walk_scope([step])
    names = [name for node in nodes for name in binds(node)]
    for node in nodes:  # `A[i] = …` leaves A unknown
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            inner: ast.expr = node
            while isinstance(inner, ast.Subscript | ast.Attribute):
                inner = inner.value
            if isinstance(inner, ast.Name):
                names.append(inner.id)
    low.poison([name for name in names if owner_of(low.frame, name) is not None])


# -------------------------------------------------------------------------------- parts of expressions


def choose(low: Lowering, test: Meaning, first: Callable[[], Meaning], second: Callable[[], Meaning]) -> Meaning:
    """`first` where `test` holds, `second` elsewhere; only that one is evaluated."""
    if isinstance(test, Static):
        return first() if test.value else second()
    slot = Variable(low.serial(), "")
    sides = Branching(low, low.value(test))
    sides.side(_assigning(low, slot, first))
    sides.side(_assigning(low, slot, second))
    return _chosen(low, sides, slot, test)


def _assigning(low: Lowering, slot: Variable, lower: Callable[[], Meaning]) -> Callable[[], None]:
    def assign() -> None:
        low.state.variables[slot] = lower()

    return assign


def _chosen(low: Lowering, sides: Branching, slot: Variable, test: Meaning) -> Meaning:
    found = [state.variables.get(slot) for state in sides.states]
    if not any(block.ops for block in sides.blocks) and all(_is_static_bool(one) for one in found):
        if found[0].value and not found[1].value:  # type: ignore[union-attr]
            return test
        if found[1].value and not found[0].value:  # type: ignore[union-attr]
            return low.emit("logical_not", test)
    sides.meet(always)
    if low.state.dead:
        raise Unreachable
    return low.state.variables.pop(slot)


def _is_static_bool(meaning: Meaning | None) -> bool:
    return isinstance(meaning, Static) and isinstance(meaning.value, bool)


# primitives that raise for no number and are cheap enough to be evaluated for nothing
SAFE = frozenset(
    "constant add subtract multiply negative positive less less_equal greater greater_equal equal not_equal "
    "logical_and logical_or logical_not to_bool size dim ndim list_len absolute".split()
)


def short_circuit(low: Lowering, both: bool, first: Meaning, rest: Callable[[], Meaning]) -> Meaning:
    from ad_compiler.frontend.operators import truth

    holds = truth(low, first)
    if isinstance(holds, Static):
        return rest() if bool(holds.value) == both else first
    slot = Variable(low.serial(), "")
    sides = Branching(low, low.value(holds))
    sides.side(_assigning(low, slot, rest))
    block, state = sides.blocks[0], sides.states[0]
    second = state.variables.get(slot, UNBOUND)
    if _is_bool(low, first) and _is_bool(low, second) and _harmless(low, block, sides.before, state, slot):
        low.builder.block.ops.extend(block.ops)
        return low.emit("logical_and" if both else "logical_or", first, second)
    sides.side(_assigning(low, slot, lambda: first))
    if not both:
        sides.blocks.reverse()
        sides.states.reverse()
    return _chosen(low, sides, slot, holds)


def _harmless(low: Lowering, block: Block, before: State, after: State, slot: Variable) -> bool:
    """Whether ops may run where Python would not run them: they raise nothing and change nothing."""
    variables = {variable: meaning for variable, meaning in after.variables.items() if variable != slot}
    unchanged = variables == before.variables and after.heap == before.heap and not after.dead
    return unchanged and all(
        op.name in SAFE and not any(operand in low.doubtful for operand in op.operands) for op in block.ops
    )


def _is_bool(low: Lowering, meaning: Meaning) -> bool:
    if isinstance(meaning, Static):
        return isinstance(meaning.value, bool)
    type = tensor_type(low, meaning) if isinstance(meaning, Scalar) else None
    return type is not None and is_scalar(type) and type.dtype == "bool"


def over_choice(low: Lowering, a: Meaning, b: Meaning, apply: Callable[[Meaning, Meaning], Any]) -> Meaning:
    """`apply` to whichever of its options a choice is."""
    if isinstance(a, Choice):
        options = (a.first, a.second)
        return choose(low, a.tag, lambda: apply(options[0], b), lambda: apply(options[1], b))
    assert isinstance(b, Choice)
    others = (b.first, b.second)
    return choose(low, b.tag, lambda: apply(a, others[0]), lambda: apply(a, others[1]))


def without_none(meaning: Meaning) -> Meaning:
    """The other option of a choice with None: Python raises where it is None, and so does what we emit."""
    if isinstance(meaning, Choice):
        for one, other in ((meaning.first, meaning.second), (meaning.second, meaning.first)):
            if isinstance(one, Static) and one.value is None:
                return other
    return meaning
