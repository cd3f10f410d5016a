"""A copy of a function made ready for emission: still SSA, the same meaning.

identities    copy, stop_gradient and a hook of the primal are their operand
useless       pure ops, results and carried values that nothing reads are dropped
fuse          setitem(A, i, setitem(getitem(A, i), j, v))  ->  setitem(A, v)[path=(i,), index=j]   A[i][j] = v
              transpose(setitem(transpose(A), i, v))       ->  setitem(A, v)[path=(T,), index=i]   A.T[i] = v
              setitem(A, i, add(getitem(A, i), v))         ->  setitem(A, v)[operator="add"]       A[i] += v
shapes        an operand read for its shape becomes a value of the same shape that is alive anyway
hints         a nameless value takes the name of the variable that it flows into
"""

from __future__ import annotations

from ad_compiler.analysis.liveness import LOOPS, edges
from ad_compiler.analysis.memory import WRITES, index_is_array
from ad_compiler.backends.shapes import borrow_shapes
from ad_compiler.ir.clone import clone_function
from ad_compiler.ir.core import Block, Function, Op, SliceItem, Slot, Value, walk, yielded
from ad_compiler.ir.rewrite import Scope, sweep
from ad_compiler.ir.types import Tensor, is_scalar, same_shape
from ad_compiler.primitives.declare import REGISTRY

IDENTITIES = ("copy", "stop_gradient")
AUGMENTED = ("add", "subtract", "multiply", "divide", "power", "floor_divide", "mod")
EVERYTHING = SliceItem()


def prepare(function: Function) -> Function:
    """The function for emission; `function` stays as it is."""
    made = clone_function(function)
    drop_identities(made)
    fuse_writes(made)
    drop_useless(made)
    borrow_shapes(made)
    spread_hints(made)
    return made


def drop_identities(function: Function) -> None:
    def visit(op: Op, scope: Scope) -> list[Value] | None:
        if op.name in IDENTITIES or (op.name == "hook"):
            (operand,) = op.operands[:1]
            if not operand.hint and operand.op is not None and op.results[0].hint:
                operand.hint = op.results[0].hint
            return [operand]
        if op.name == "scatter":
            return _scatter(op, scope)
        return None

    sweep(function.body, visit)


def _scatter(op: Op, scope: Scope) -> list[Value]:
    """scatter(ct, x)  ->  add_at(zeros_like(x), ct)"""
    bar, x, *slots = op.operands
    result = op.results[0]
    zeros = Op("zeros_like", [x], span=op.span, phase=op.phase)
    zeros.results = [Value(result.type, result.hint, zeros)]
    add = Op("add_at", [zeros.results[0], bar, *slots], dict(op.attributes), span=op.span, phase=op.phase)
    add.results = [Value(result.type, result.hint, add)]
    scope.before += [zeros, add]
    return add.results


# -- what nothing reads -------------------------------------------------------------------------------


def has_effect(op: Op) -> bool:
    """Whether the op itself must stay even when nothing reads it."""
    if op.name in ("effect", "opaque", "hook", "call", "yield", "return"):
        return True
    return op.name in REGISTRY and REGISTRY[op.name].effect


def drop_useless(function: Function) -> None:
    """Mark what the result and the effects need, and drop the rest."""
    into: dict[Value, list[Value]] = {}  # target -> what flows into it
    around: dict[Value, Op] = {}  # a block's parameter -> the op whose region it belongs to
    kept: set[Op] = set()
    owners: dict[Op, Op] = {}
    for op in walk(function.body):
        for region in op.regions:
            around.update((value, op) for value in region.parameters)
            owners.update((inner, op) for inner in region.ops)
        for source, target, _ in edges(op):
            into.setdefault(target, []).append(source)
    needed: set[Value] = set()
    work: list[Value] = []

    def keep(op: Op) -> None:
        """The op stays, with everything around it that decides whether it runs."""
        while op not in kept:
            kept.add(op)
            if op.name in LOOPS:
                work.extend(op.operands[:3] if op.name == "for" else ())
                if op.name == "while":
                    work.extend(yielded(op.regions[0]))
                if op.attributes.get("breaks"):
                    work.append(yielded(op.regions[-1])[0])
            elif op.name == "closure":
                work.extend(yielded(op.regions[0]))
            elif op.name == "if" or (op.name not in ("yield",) and not op.regions):
                work.extend(op.operands)
            if op not in owners:
                return
            op = owners[op]

    for op in walk(function.body):
        if has_effect(op) and op.name != "yield":
            keep(op)
    while work:
        value = work.pop()
        if value in needed:
            continue
        needed.add(value)
        work.extend(into.get(value, ()))
        if value.op is not None:
            keep(value.op)
        elif value in around:
            keep(around[value])
    _sweep_useless(function, needed, kept)


def _sweep_useless(function: Function, needed: set[Value], kept: set[Op]) -> None:
    blocks = [function.body]
    while blocks:
        block = blocks.pop()
        block.ops = [op for op in block.ops if op in kept or op.name in ("yield", "return")]
        for op in block.ops:
            _narrow(op, needed)
            blocks.extend(op.regions)


def _narrow(op: Op, needed: set[Value]) -> None:
    """Drop the results and the carried values of a structured op that nothing reads."""
    if op.name == "if":
        wanted = [k for k, result in enumerate(op.results) if result in needed]
        for region in op.regions:
            last = region.ops[-1]
            last.operands = [last.operands[k] for k in wanted]
        op.results = [op.results[k] for k in wanted]
    elif op.name in LOOPS:
        lead = 1 if op.name == "for" else 0
        heads = op.regions[0].parameters[lead:]
        wanted = [k for k, head in enumerate(heads) if head in needed or op.results[k] in needed]
        skip = 1 if op.attributes.get("breaks") else 0
        fixed = 3 if lead else 0
        op.operands = op.operands[:fixed] + [op.operands[fixed + k] for k in wanted]
        for region in op.regions:
            region.parameters = region.parameters[:lead] + [region.parameters[lead + k] for k in wanted]
        last = op.regions[-1].ops[-1]
        last.operands = last.operands[:skip] + [last.operands[skip + k] for k in wanted]
        op.results = [op.results[k] for k in wanted]


# -- writes --------------------------------------------------------------------------------------------


def fuse_writes(function: Function) -> None:
    """Writes through views, and `x op= y`."""
    uses: dict[Value, int] = {}
    home = dict.fromkeys(function.body.ops, function.body)
    for op in walk(function.body):
        for region in op.regions:
            home.update((inner, region) for inner in region.ops)
        for operand in op.operands:
            uses[operand] = uses.get(operand, 0) + 1

    def visit(op: Op, scope: Scope) -> list[Value] | None:
        chain = _through_view(op, uses, home)
        if chain is not None:
            scope.before.extend(chain)
            home.update((made, scope.block) for made in chain)
            uses.update((made.results[0], 1) for made in chain)
            uses[chain[-1].results[0]] = uses.get(op.results[0], 0)
            return chain[-1].results
        if op.name == "setitem":
            _augment(op, uses)
        return None

    sweep(function.body, visit)


def _through_view(op: Op, uses: dict[Value, int], home: dict[Op, Block]) -> list[Op] | None:
    """The writes into the root that stand for a write-back of an updated view."""
    if op.name == "setitem" and "operator" not in op.attributes:
        inner, root, back = op.operands[1], op.operands[0], "getitem"
        if index_is_array(op):
            return None
    elif op.name == "transpose":
        inner, root, back = op.operands[0], None, "transpose"
    else:
        return None
    steps: list[Op] = []
    while inner.op is not None and inner.op.name in ("setitem", "add_at") and home[inner.op] is home[op]:
        if uses.get(inner) != 1:
            return None
        steps.append(inner.op)
        inner = inner.op.operands[0]
    view = inner.op
    if not steps or view is None or view.name != back or is_scalar(inner.type):
        return None
    if back == "getitem":
        same = view.attributes["index"] == op.attributes["index"] and view.operands[1:] == op.operands[2:]
        if view.operands[0] is not root or not same:
            return None
        step = ("index", op.attributes["index"])
        outer_slots = op.operands[2:]
    else:
        if not _inverse(view.attributes.get("axes"), op.attributes.get("axes")):
            return None
        root = view.operands[0]
        step = ("transpose", view.attributes.get("axes"))
        outer_slots = []
    chain = []
    for inner_op in reversed(steps):
        made = Op(inner_op.name, [], dict(inner_op.attributes), span=inner_op.span, phase=inner_op.phase)
        shift = len(outer_slots)
        path = inner_op.attributes.get("path", ())
        made.attributes["path"] = (step, *(_shifted_step(one, shift) for one in path))
        made.attributes["index"] = _shifted(inner_op.attributes["index"], shift)
        made.operands = [root, inner_op.operands[1], *outer_slots, *inner_op.operands[2:]]
        root = Value(op.results[0].type, op.results[0].hint, made)
        made.results = [root]
        chain.append(made)
    return chain


def _inverse(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> bool:
    if a is None or b is None:
        return a is None and b is None
    return len(a) == len(b) and all(b[axis % len(a)] % len(a) == k for k, axis in enumerate(a))


def _shifted_step(step: tuple[str, object], shift: int) -> tuple[str, object]:
    return (step[0], _shifted(step[1], shift)) if step[0] == "index" else step  # type: ignore[arg-type]


def _shifted(index: tuple[object, ...], shift: int) -> tuple[object, ...]:
    def move(item: object) -> object:
        if isinstance(item, Slot):
            return Slot(item.position + shift)
        if isinstance(item, SliceItem):
            return SliceItem(move(item.start), move(item.stop), move(item.step))  # type: ignore[arg-type]
        return item

    return tuple(move(item) for item in index)


def _augment(op: Op, uses: dict[Value, int]) -> None:
    """`A[i] = A[i] + v` becomes `A[i] += v` where that is surely the same."""
    value = op.operands[1]
    made = value.op
    if made is None or made.name not in AUGMENTED or uses.get(value) != 1 or "path" in op.attributes:
        return
    left = made.operands[0]
    index = op.attributes["index"]
    whole = all(item is Ellipsis or item == EVERYTHING for item in index) and len(index) > 0
    read = left.op
    direct = whole and left is op.operands[0]
    if not direct and not (
        read is not None
        and read.name == "getitem"
        and read.operands[0] is op.operands[0]
        and read.attributes["index"] == index
        and read.operands[1:] == op.operands[2:]
    ):
        return
    scalar = is_scalar(left.type) and is_scalar(value.type) and not direct
    if not scalar:
        if not same_shape(left.type, value.type) or is_scalar(left.type):
            return
        assert isinstance(left.type, Tensor) and isinstance(value.type, Tensor)
        if left.type.dtype != value.type.dtype or left.type.dtype == "?":
            return
    op.attributes["operator"] = made.name
    op.operands[1] = made.operands[1]


# -- names -------------------------------------------------------------------------------------------------


def spread_hints(function: Function) -> None:
    """A nameless value takes the name of what it becomes."""
    ops = list(walk(function.body))
    readers: dict[Value, list[Op]] = {}
    for op in ops:
        for operand in op.operands:
            readers.setdefault(operand, []).append(op)
    for op in reversed(ops):
        flows = list(edges(op))
        for source, target, kind in flows:
            passing = len(readers.get(target, ())) == 1 and readers[target][0].name not in ("return", "yield")
            if kind == "exit" and source.hint and passing and op.phase == "reverse":
                target.hint = source.hint  # read once: it may keep the name that it has in the loop
            if kind in ("exit", "stay") and not source.hint:
                source.hint = target.hint
        for source, target, kind in flows:
            if kind != "exit" and not source.hint and source.op is not None:
                source.hint = target.hint
    for op in ops:
        for source, target, kind in edges(op):
            if not target.hint and kind in ("enter", "exit", "stay"):
                target.hint = source.hint
        if op.name in WRITES and op.results and not op.results[0].hint:
            op.results[0].hint = op.operands[0].hint
    for op in reversed(ops):
        if op.name in WRITES and op.results and not op.operands[0].hint and op.operands[0].op is not None:
            op.operands[0].hint = op.results[0].hint
