"""Letting what reads only a shape read it of a value that is alive anyway.

`zeros_like(A)` after `A` has been written in place reads the array that is there now, which has the same
shape and dtype: otherwise the old `A` would have to be kept, under another name, for its shape.
"""

from __future__ import annotations

from ad_compiler.analysis.liveness import LOOPS, Layout, Liveness, edges
from ad_compiler.analysis.ownership import reads_content
from ad_compiler.analysis.uses import may_be_undefined
from ad_compiler.ir.core import Function, Op, Value, walk, yielded
from ad_compiler.ir.types import Tensor
from ad_compiler.primitives.declare import REGISTRY


def borrow_shapes(function: Function) -> None:
    """Let what reads only a shape read it of a value that is alive anyway."""
    if not any(op.name in REGISTRY and REGISTRY[op.name].shape_only for op in walk(function.body)):
        return
    layout = Layout(function.body)
    liveness = Liveness(layout, reads=reads_content)
    classes = _shape_classes(layout)
    members: dict[Value, list[Value]] = {}
    for value in layout.defined:
        members.setdefault(classes.get(value, value), []).append(value)
    for op in layout.ops:
        primitive = REGISTRY.get(op.name)
        if primitive is None or not primitive.shape_only:
            continue
        position = layout.at[op]
        for k, operand in enumerate(op.operands):
            if primitive.operand_name(k) not in primitive.shape_only or not isinstance(operand.type, Tensor):
                continue
            if liveness.live_after(operand, position - 1):
                continue
            near = [
                value
                for value in members.get(classes.get(operand, operand), ())
                if layout.defined[value] < position
                and _visible(layout, layout.home[value], op)
                and not may_be_undefined(value)
            ]
            alive = [value for value in near if liveness.live_after(value, position - 1)]
            chosen = alive or near
            if chosen:
                op.operands[k] = max(chosen, key=lambda value: layout.defined[value])


def _visible(layout: Layout, home: object, op: Op) -> bool:
    return layout.block_of[op] is home or any(layout.block_of[owner] is home for owner in layout.around(op))


def _shape_classes(layout: Layout) -> dict[Value, Value]:
    """Values whose shape and dtype are those of the value that they were made from by writes and loops."""
    found: dict[Value, Value] = {}

    def root(value: Value) -> Value:
        while value in found:
            value = found[value]
        return value

    for op in layout.ops:  # loops first take their start, then it is checked that the body keeps it
        if op.name in ("setitem", "add_at"):
            found[op.results[0]] = root(op.operands[0])
        elif op.name in LOOPS:
            for source, target, kind in edges(op):
                if kind in ("enter", "stay"):
                    found[target] = root(source)
        elif op.name == "yield":
            owner = layout.owner[layout.block_of[op]]
            if owner is not None and owner.name == "if" and layout.block_of[op] is owner.regions[1]:
                for k, result in enumerate(owner.results):
                    a, b = (root(yielded(region)[k]) for region in owner.regions)
                    if a is b and result is not a:
                        found[result] = a
            elif owner is not None and owner.name in LOOPS and layout.block_of[op] is owner.regions[-1]:
                for source, target, kind in edges(owner):
                    if kind == "back" and target in found and root(source) is not root(target):
                        return _without_loops(layout)
                    if kind == "exit":
                        found[target] = root(source)
    return found


def _without_loops(layout: Layout) -> dict[Value, Value]:
    """The careful answer, when some loop carries a value that changes its shape: look at each loop by itself."""
    found: dict[Value, Value] = {}
    for op in layout.ops:
        if op.name in ("setitem", "add_at"):
            found[op.results[0]] = found.get(op.operands[0], op.operands[0])
    steady = True
    while steady:
        steady = False
        for op in layout.ops:
            if op.name not in LOOPS:
                continue
            flows = list(edges(op))
            for start, head, kind in flows:
                if kind != "enter" or head in found:
                    continue
                back = next(source for source, target, kind in flows if kind == "back" and target is head)
                inner = {target for source, target, kind in flows if kind == "stay" and source is head} | {head}
                if found.get(back, back) in inner:
                    base = found.get(start, start)
                    members = inner | {target for source, target, kind in flows if kind == "exit" and source is head}
                    for value in list(found):
                        if found[value] in members:
                            found[value] = base
                    found.update((value, base) for value in members)
                    steady = True
    return found
