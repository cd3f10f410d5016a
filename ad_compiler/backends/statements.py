"""A scheduled, named function -> Python `ast`.

A value that flows over an edge (into a loop, back to its head, out of a branch) between two variables of
different names becomes an assignment; assignments of one edge happen at once, so they are put in an order in
which none overwrites what another still reads, or written as `a, b = b, a`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ad_compiler.analysis.liveness import LOOPS, edges
from ad_compiler.analysis.memory import WRITES, index_is_array
from ad_compiler.backends.comments import annotate, mark
from ad_compiler.backends.endings import branch, constant_of, function_body, loop_body, negated
from ad_compiler.backends.expressions import Expressions
from ad_compiler.backends.literals import name, numpy
from ad_compiler.backends.literals import variable as local
from ad_compiler.backends.schedule import ATOMS, Schedule
from ad_compiler.backends.signature import Signature, unpack
from ad_compiler.ir.core import Block, Function, Module, Op, SliceItem, Value, yielded
from ad_compiler.ir.types import ListType, TupleType, is_scalar

OPERATORS: dict[str, type[ast.operator]] = {
    "add": ast.Add,
    "subtract": ast.Sub,
    "multiply": ast.Mult,
    "divide": ast.Div,
    "power": ast.Pow,
    "floor_divide": ast.FloorDiv,
    "mod": ast.Mod,
}
COLLECTING = ("tuple", "list", "append", "list_set", "call", "fresh")  # they read a value without using it
Move = tuple[Value, Value]  # (from, to)


class Statements:
    """The statements of one function."""

    def __init__(
        self, module: Module, plan: Schedule, names: dict[Value, str], needs: dict[str, None], signature: Signature
    ) -> None:
        self.module = module
        self.plan = plan
        self.names = names
        self.expressions = Expressions(plan, names, needs)
        self.signature = signature
        self.uncertain = uncertain(plan)
        self._uncertain: set[str] | None = None

    def function(self, function: Function) -> ast.FunctionDef:
        last = function.body.ops[-1]

        def result(values: Sequence[Value]) -> list[ast.stmt]:
            made = self.signature.result(self.expressions, function.outputs, values)
            return [] if made is None else [mark(ast.Return(made), last)]

        body = function_body(self, function.body, last.operands, result)
        body = [*self.signature.unpacking(self.names), *annotate(body)]
        if function.docstring:
            body.insert(0, ast.Expr(ast.Constant(function.docstring)))
        made = define(function.name, self.signature.arguments(self.names), body)
        made.returns = self.signature.annotation(function)
        return made

    # -- blocks ---------------------------------------------------------------------------------------

    def block(self, block: Block, without: Op | None = None) -> list[ast.stmt]:
        """The statements of a block, without what its terminator does."""
        made: list[ast.stmt] = []
        for op in block.ops[:-1]:
            if op is without or op in self.plan.folded or op.name in ATOMS:
                continue
            made += [mark(node, op) for node in self.statement(op)]
        return join_copies(made, [parameter.name for parameter in self.signature.parameters])

    def statement(self, op: Op) -> list[ast.stmt]:
        special = getattr(self, f"op_{op.name}", None)
        if special is not None:
            return special(op)  # type: ignore[no-any-return]
        if self.accumulates(op):
            variable = ast.Name(self.names[op.results[0]], ast.Store())
            return [ast.AugAssign(variable, OPERATORS[op.name](), self.value(op.operands[1]))]
        return [ast.Assign([self.target(op.results)], self.expressions.op(op))]

    def accumulates(self, op: Op) -> bool:
        """Whether `x = x + y` is written `x += y`."""
        if op.name not in ("add", "subtract") or op.phase != "reverse":
            return False
        first, result = op.operands[0], op.results[0]
        if self.names.get(first) != self.names[result]:
            return False
        return op in self.plan.ownership.increments or is_scalar(first.type)

    def value(self, value: Value) -> ast.expr:
        return self.expressions.value(value)

    def variable(self, value: Value) -> str:
        return self.names[value]

    def target(self, results: Sequence[Value]) -> ast.expr:
        targets: list[ast.expr] = [ast.Name(self.names[result], ast.Store()) for result in results]
        return targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())

    # -- moves ----------------------------------------------------------------------------------------

    def moves(self, pairs: Sequence[Move], op: Op) -> list[ast.stmt]:
        """Assignments that happen at once, `to = from`."""
        pending: list[tuple[str, Value]] = []
        for source, target in pairs:
            goal = self.names.get(target)
            if goal is None or self.names.get(source) == goal:
                continue
            if source.op is not None and source.op.name == "undefined" and goal not in self.uncertain_names():
                continue
            pending.append((goal, source))
        made: list[ast.stmt] = []
        numbers: list[tuple[str, Value]] = []
        while pending:
            read = [self.names.get(source) for _, source in pending]
            free = [
                k for k, (goal, _) in enumerate(pending) if all(goal != other for j, other in enumerate(read) if j != k)
            ]
            if not free:
                goals: list[ast.expr] = [ast.Name(goal, ast.Store()) for goal, _ in pending]
                values = [self.value(source) for _, source in pending]
                made.append(ast.Assign([ast.Tuple(goals, ast.Store())], ast.Tuple(values, ast.Load())))
                break
            goal, source = pending.pop(free[0])
            if isinstance(constant_of(source), int | float) and op.phase == "reverse":
                numbers.append((goal, source))
            else:
                made.append(ast.Assign([ast.Name(goal, ast.Store())], self.value(source)))
        if numbers:
            goals = [ast.Name(goal, ast.Store()) for goal, _ in numbers]
            values = [self.value(source) for _, source in numbers]
            if len(numbers) == 1:
                made.append(ast.Assign([goals[0]], values[0]))
            else:
                made.append(ast.Assign([ast.Tuple(goals, ast.Store())], ast.Tuple(values, ast.Load())))
        return [mark(node, Op("constant", [], phase=op.phase)) for node in made]

    def uncertain_names(self) -> set[str]:
        """Variables that are read on paths that never bound them: by an assignment, a return, into a tuple or list."""
        if self._uncertain is None:
            found: dict[Value, None] = {}
            for op in self.plan.layout.ops:
                for source, target, _ in edges(op):
                    if self.names.get(source) != self.names.get(target) and target in self.names:
                        found[source] = None
                if op.name in COLLECTING or self.leaves_function(op):
                    found.update(dict.fromkeys(op.operands))
            self._uncertain = {self.names[value] for value in found if value in self.uncertain and value in self.names}
        return self._uncertain

    def leaves_function(self, op: Op) -> bool:
        if op.name != "yield":
            return op.name == "return"
        owner = self.plan.layout.owner[self.plan.layout.block_of[op]]
        return owner is not None and (owner.name == "closure" or owner in self.plan.returning)

    def flow(self, op: Op, *kinds: str) -> list[Move]:
        return [(source, target) for source, target, kind in edges(op) if kind in kinds]

    # -- writes ---------------------------------------------------------------------------------------

    def owned(self, op: Op) -> tuple[str, list[ast.stmt]]:
        """The variable that is written, and what gives the result its own name, where it has one."""
        result, base = self.names.get(op.results[0]), self.names[op.operands[0]]
        if result is None or result == base:
            return base, []
        return base, [ast.Assign([ast.Name(result, ast.Store())], local(base))]

    def op_setitem(self, op: Op) -> list[ast.stmt]:
        variable, after = self.owned(op)
        slots = op.operands[2:]
        value = self.value(op.operands[1])
        place = self.expressions.path(op, local(variable), slots)
        index = op.attributes["index"]
        operator = op.attributes.get("operator")
        whole = bool(index) and all(item is Ellipsis or item == SliceItem() for item in index)
        if operator is not None and whole and not op.attributes.get("path"):
            return [ast.AugAssign(ast.Name(variable, ast.Store()), OPERATORS[operator](), value), *after]
        target = self.expressions.subscript(place, index, slots)
        target.ctx = ast.Store()
        if operator is not None:
            return [ast.AugAssign(target, OPERATORS[operator](), value), *after]
        return [ast.Assign([target], value), *after]

    def op_add_at(self, op: Op) -> list[ast.stmt]:
        variable, after = self.owned(op)
        slots = op.operands[2:]
        value = self.value(op.operands[1])
        place = self.expressions.path(op, local(variable), slots)
        index = op.attributes["index"]
        if index_is_array(op):
            call = ast.Attribute(numpy("add"), "at", ast.Load())
            return [ast.Expr(ast.Call(call, [place, self.expressions.index_object(index, slots), value], [])), *after]
        target = self.expressions.subscript(place, index, slots)
        target.ctx = ast.Store()
        return [ast.AugAssign(target, ast.Add(), value), *after]

    def op_append(self, op: Op) -> list[ast.stmt]:
        variable, after = self.owned(op)
        call = ast.Attribute(local(variable), "append", ast.Load())
        return [ast.Expr(ast.Call(call, [self.value(op.operands[1])], [])), *after]

    def op_pop(self, op: Op) -> list[ast.stmt]:
        variable, after = self.owned(op)
        call = ast.Call(ast.Attribute(local(variable), "pop", ast.Load()), [], [])
        popped = op.results[1]
        if popped not in self.plan.readers:
            return [ast.Expr(call), *after]
        if after:  # the popped value may have the name of the old list
            variable = self.names[op.results[0]]
            call = ast.Call(ast.Attribute(local(variable), "pop", ast.Load()), [], [])
        return [*after, ast.Assign([ast.Name(self.names[popped], ast.Store())], call)]

    def op_list_set(self, op: Op) -> list[ast.stmt]:
        variable, after = self.owned(op)
        target = ast.Subscript(local(variable), self.value(op.operands[1]), ast.Store())
        return [ast.Assign([target], self.value(op.operands[2])), *after]

    def op_list_add_at(self, op: Op) -> list[ast.stmt]:
        """An element that is an array is replaced, not written: it may be in the list twice."""
        variable, after = self.owned(op)
        xs, v, i = op.operands
        target = ast.Subscript(local(variable), self.value(i), ast.Store())
        if isinstance(xs.type, ListType) and is_scalar(xs.type.element):
            return [ast.AugAssign(target, ast.Add(), self.value(v)), *after]
        old = ast.Subscript(local(variable), self.value(i), ast.Load())
        if isinstance(xs.type, ListType) and not isinstance(xs.type.element, ListType | TupleType):
            total: ast.expr = ast.BinOp(old, ast.Add(), self.value(v))
        else:
            self.expressions.needs["_add"] = None
            total = ast.Call(name("_add"), [old, self.value(v)], [])
        return [ast.Assign([target], total), *after]

    def op_effect(self, op: Op) -> list[ast.stmt]:
        tree = ast.parse(op.attributes["template"])
        return self.expressions.filled(tree, op.operands).body  # type: ignore[no-any-return]

    def op_fresh(self, op: Op) -> list[ast.stmt]:
        node = ast.Assign([self.target(op.results)], self.expressions.op(op))
        if op.attributes.get("entry"):
            node.trailing = ENTRY  # type: ignore[attr-defined]
        return [node]

    def op_call(self, op: Op) -> list[ast.stmt]:
        callee = self.module.functions[op.attributes["callee"]]
        call = Signature(callee).call(self.expressions, callee.name, op.operands)
        return unpack(call, callee.outputs, [self.names.get(result, "_") for result in op.results])

    # -- structure ------------------------------------------------------------------------------------

    def op_if(self, op: Op) -> list[ast.stmt]:
        parts = []
        for region in op.regions:
            pairs = list(zip(yielded(region), op.results, strict=True))
            parts.append([*self.block(region), *self.moves(pairs, op)])
        return branch(self.value(op.operands[0]), parts[0], parts[1], op)

    def op_for(self, op: Op) -> list[ast.stmt]:
        body = loop_body(self, op)
        index = op.regions[0].parameters[0]
        loop = ast.For(
            target=ast.Name(self.names[index] if index.hint or index in self.plan.readers else "_", ast.Store()),
            iter=self.range(op),
            body=body or [ast.Pass()],
            orelse=[],
        )
        return [*self.moves(self.flow(op, "enter"), op), loop, *self.moves(self.flow(op, "exit"), op)]

    def range(self, op: Op) -> ast.expr:
        start, stop, step = op.operands[:3]
        first, _, stride = (constant_of(value) for value in (start, stop, step))
        if op.attributes.get("reversed"):
            if stride == 1:
                arguments = [minus_one(self.value(stop)), minus_one(self.value(start)), minus_one(ast.Constant(0))]
                return ast.Call(name("range"), arguments, [])
            inner = ast.Call(name("range"), self.expressions.values([start, stop, step]), [])
            return ast.Call(name("reversed"), [inner], [])
        arguments = self.expressions.values([start, stop, step])
        if stride == 1:
            arguments.pop()
            if first == 0:
                arguments.pop(0)
        return ast.Call(name("range"), arguments, [])

    def op_while(self, op: Op) -> list[ast.stmt]:
        condition = op.regions[0]
        head = self.block(condition)
        test = self.value(yielded(condition)[0])
        body = [
            *self.moves(self.flow(op, "stay"), op),
            *loop_body(self, op),
        ]
        if head:
            leave = ast.If(negated(test), [ast.Break()], [])
            loop = ast.While(ast.Constant(True), [*head, leave, *body], [])
        else:
            loop = ast.While(test, body or [ast.Pass()], [])
        return [*self.moves(self.flow(op, "enter"), op), loop, *self.moves(self.flow(op, "exit"), op)]

    def op_closure(self, op: Op) -> list[ast.stmt]:
        signature = Signature.of_closure(op, self.signature)
        region = op.regions[0]
        body = [*signature.unpacking(self.names), *annotate(self.block(region), sweeps=False)]
        result = signature.result(self.expressions, op.attributes.get("tree"), yielded(region))
        body.append(ast.Return(result if result is not None else ast.Tuple([], ast.Load())))
        return [define(self.names[op.results[0]], signature.arguments(self.names), body)]


def define(function: str, arguments: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    made = ast.FunctionDef(name=function, args=arguments, body=body or [ast.Pass()], decorator_list=[], returns=None)
    if "type_params" in made._fields:
        made.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return made


ENTRY = "the caller's arrays stay as they are"


def join_copies(body: list[ast.stmt], parameters: Sequence[str]) -> list[ast.stmt]:
    """Copies of arguments that stand together share a line, in the order of the parameters."""

    def order(target: ast.expr) -> int:
        assert isinstance(target, ast.Name)
        return parameters.index(target.id) if target.id in parameters else len(parameters)

    made: list[ast.stmt] = []
    for node in body:
        last = made[-1] if made else None
        if getattr(node, "trailing", "") == ENTRY and getattr(last, "trailing", "") == ENTRY:
            assert isinstance(node, ast.Assign) and isinstance(last, ast.Assign)
            targets = last.targets[0].elts if isinstance(last.targets[0], ast.Tuple) else [last.targets[0]]
            values = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
            both = zip([*targets, *node.targets], [*values, node.value], strict=True)
            pairs = sorted(both, key=lambda pair: order(pair[0]))
            last.targets = [ast.Tuple([target for target, _ in pairs], ast.Store())]
            last.value = ast.Tuple([value for _, value in pairs], ast.Load())
        else:
            made.append(node)
    return made


def minus_one(made: ast.expr) -> ast.expr:
    """made - 1, computed where it can be."""
    if isinstance(made, ast.UnaryOp) and isinstance(made.op, ast.USub) and _number(made.operand):
        return ast.Constant(-made.operand.value - 1)  # type: ignore[attr-defined]
    if _number(made):
        return ast.Constant(made.value - 1)  # type: ignore[attr-defined]
    if isinstance(made, ast.BinOp) and isinstance(made.op, ast.Add | ast.Sub) and _number(made.right):
        sign = 1 if isinstance(made.op, ast.Add) else -1
        offset = sign * made.right.value - 1  # type: ignore[attr-defined]
        if offset == 0:
            return made.left
        return ast.BinOp(made.left, ast.Add() if offset > 0 else ast.Sub(), ast.Constant(abs(offset)))
    return ast.BinOp(made, ast.Sub(), ast.Constant(1))


def _number(made: ast.expr) -> bool:
    return isinstance(made, ast.Constant) and type(made.value) is int


def uncertain(plan: Schedule) -> set[Value]:
    """The values that are undefined on some path."""
    flows: dict[Value, list[Value]] = {}
    work: list[Value] = []
    for op in plan.layout.ops:
        if op.name == "undefined":
            work += op.results
        for source, target, _ in edges(op):
            flows.setdefault(source, []).append(target)
        if op.name in WRITES and op.name not in LOOPS:
            flows.setdefault(op.operands[0], []).append(op.results[0])
    found: set[Value] = set()
    while work:
        value = work.pop()
        if value not in found:
            found.add(value)
            work += flows.get(value, ())
    return found
