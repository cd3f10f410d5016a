"""Tapes of tapes: which lists, once popped, nothing else holds.

    outer = []                          The inner list is made in the trip that appends it, is read by nothing
    for …:                              else, and `outer` is only ever appended to and popped.  So what is popped
        inner = []                      is the only reference to that list, and may be popped from in place.
        …: inner.append(x)
        outer.append(inner)
    for … reversed:
        inner = outer.pop()

A *web* is the values that are one list as it changes, linked by appends, pops and the edges of loops and branches;
what is appended to a list and what is popped from it are one web too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ad_compiler.analysis.liveness import LOOPS, Layout, edges
from ad_compiler.ir.core import Op, Value
from ad_compiler.ir.types import ListType


@dataclass(slots=True)
class _Web:
    makers: list[Op] = field(default_factory=list)  # the ops that make its lists
    plain: bool = True  # nothing is done with it but appending, popping, and handing it to a list
    handed: list[Op] = field(default_factory=list)  # the appends that hand it to another list
    given: list[Op] = field(default_factory=list)  # the appends to it


def sole_pops(layout: Layout) -> set[Op]:
    """The pops of lists that nothing else holds."""
    pops = [op for op in layout.ops if op.name == "pop" and isinstance(op.results[1].type, ListType)]
    if not pops:
        return set()
    webs = _webs(layout)
    return {op for op in pops if _is_sole(layout, webs, op)}


def _is_sole(layout: Layout, webs: dict[Value, _Web], op: Op) -> bool:
    outer = webs[op.operands[0]]
    if not outer.plain or not outer.makers or not all(_fresh(maker) for maker in outer.makers):
        return False
    around = _closure(layout, op)
    if any(_closure(layout, other) is not around for other in (*outer.makers, *outer.given)):
        return False
    return all(_is_new(layout, webs, append) for append in outer.given)


def _is_new(layout: Layout, webs: dict[Value, _Web], append: Op) -> bool:
    """Whether the list that is appended was made in the same trip, and goes nowhere else."""
    inner = webs.get(append.operands[1])
    if inner is None or not inner.plain or inner.handed != [append] or not inner.makers:
        return False
    loop = next((owner for owner in layout.around(append) if owner.name in LOOPS), None)
    return all(_fresh(maker) and (loop is None or layout.within(loop, layout.at[maker])) for maker in inner.makers)


def _fresh(maker: Op) -> bool:
    return maker.name == "list" and not maker.operands


def _closure(layout: Layout, op: Op) -> Op | None:
    return next((owner for owner in layout.around(op) if owner.name == "closure"), None)


def _webs(layout: Layout) -> dict[Value, _Web]:
    parent: dict[Value, Value] = {}

    def root(value: Value) -> Value:
        while parent.get(value, value) is not value:
            value = parent[value]
        return value

    def link(a: Value, b: Value) -> None:
        parent[root(a)] = root(b)

    for op in layout.ops:
        if op.name in ("append", "pop"):
            link(op.operands[0], op.results[0])
        for source, target, _ in edges(op):
            if isinstance(target.type, ListType):
                link(source, target)
    changed = True
    while changed:
        changed = False
        elements: dict[Value, Value] = {}
        for op in layout.ops:
            if op.name not in ("append", "pop"):
                continue
            element = op.operands[1] if op.name == "append" else op.results[1]
            if isinstance(element.type, ListType):
                other = elements.setdefault(root(op.operands[0]), element)
                if root(other) is not root(element):
                    link(other, element)
                    changed = True
    found: dict[Value, _Web] = {}
    webs: dict[Value, _Web] = {}

    def web(value: Value) -> _Web:
        webs[value] = found.setdefault(root(value), _Web())
        return webs[value]

    for op in layout.ops:
        for k, operand in enumerate(op.operands):
            if not isinstance(operand.type, ListType):
                continue
            if op.name == "append" and k == 1:
                web(operand).handed.append(op)
            elif op.name not in ("append", "pop", "yield", "if", *LOOPS):
                web(operand).plain = False
        if op.name == "append":
            web(op.operands[0]).given.append(op)
        for result in op.results:
            if not isinstance(result.type, ListType) or op.regions:
                continue
            if op.name not in ("append", "pop"):
                web(result).makers.append(op)
    for value in layout.defined:
        if isinstance(value.type, ListType):
            if value.op is None and layout.owner[layout.home[value]] is None:
                web(value).plain = False  # a parameter: the caller's
            web(value)
    return webs
