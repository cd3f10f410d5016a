"""jvp : (x -> y) -> (x, ẋ) -> (y, ẏ): the tangent program, forward mode.

One walk in program order.  Every op is repeated; beside it, its rule appends the tangent of its results,
for those whose operands vary.  A loop carries the tangents of the carried values that vary; a branch yields
them; a recursive call becomes a call of the callee's own tangent program.
"""

from __future__ import annotations

from collections.abc import Sequence

from ad_compiler.analysis.activity import Activity, activity, carried
from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block, Function, Module, Op, Parameter, Value, yielded
from ad_compiler.ir.trees import TupleTree, leaves
from ad_compiler.ir.types import Undefined, may_vary
from ad_compiler.primitives import builder as primitive_builder
from ad_compiler.primitives.rules import NoRule, pushforward
from ad_compiler.transforms.common import companion, keep_function, no_rule, only_reverse, repeat, wrap, zeros


def jvp(module: Module, wrt: Sequence[int], name: str | None = None) -> Module:
    """The module whose main function maps (parameters, tangents of the leaves `wrt`) to (result, tangent).

    `wrt` are positions among the leaves of the main function's parameters.  The tangents are further
    parameters, `x_dot` after `x`, of the structure of the parameter they belong to; a parameter of which only
    some leaves are in `wrt` gets a tuple of those.  Raises `DerivativeError` for an op without a rule.
    """
    primal = module.functions[module.main]
    result = Module(name or f"{module.main}_jvp", {}, module.imports)
    result.functions[result.main] = Function(result.main, Block())  # keeps its place: first
    transform = _Jvp(module, result)
    transform.main(primal, list(wrt), result.functions[result.main])
    return result


class _Jvp:
    """The state of one transformation: the modules, and the value maps of the function being walked."""

    def __init__(self, source: Module, target: Module) -> None:
        self.source = source
        self.target = target
        self.builder: Builder = primitive_builder()
        self.new: dict[int, Value] = {}
        self.tangent: dict[int, Value] = {}
        self.facts = Activity()

    # -- functions ------------------------------------------------------------------------------

    def main(self, primal: Function, wrt: list[int], target: Function) -> None:
        parameters = primal.body.parameters
        target.body.parameters = [self._fresh(value) for value in parameters]
        dots = {k: Value(parameters[k].type, companion(parameters[k], "_dot")) for k in wrt}
        target.body.parameters += dots.values()
        target.parameters = primal.parameters + _tangent_parameters(primal, wrt)
        target.docstring = f"Value and tangent of `{primal.name}` (forward mode)."
        target.span = primal.span
        target.outputs = None if primal.outputs is None else TupleTree((primal.outputs, primal.outputs))
        results = self._body(primal, dots, target.body)
        tangents = [
            self._dot(value) if may_vary(value.type) else self.builder.constant(0.0) for value in results
        ]
        self.builder.terminate("return", [self._new(value) for value in results] + tangents)

    def _body(self, primal: Function, dots: dict[int, Value], block: Block) -> list[Value]:
        parameters = primal.body.parameters
        results = yielded(primal.body)
        self.facts = activity(primal, [parameters[k] for k in dots], results)
        self.tangent.update({id(parameters[k]): dot for k, dot in dots.items()})
        self.builder.block = block
        self.block(primal.body)
        return results

    def callee(self, name: str, varied: tuple[bool, ...]) -> str:
        """The tangent program of the function `name` for this pattern of varied arguments; made once."""
        mark = "" if all(varied) else "_" + "".join(str(k) for k, yes in enumerate(varied) if yes)
        new_name = f"{name}_jvp{mark}"
        if new_name not in self.target.functions:
            primal = self.source.functions[name]
            target = Function(new_name, Block(), span=primal.span)
            self.target.functions[new_name] = target
            inner = _Jvp(self.source, self.target)
            values = primal.body.parameters
            target.body.parameters = [inner._fresh(value) for value in values]
            dots = {
                k: Value(value.type, companion(value, "_dot"))
                for k, value in enumerate(values)
                if varied[k] and may_vary(value.type)
            }
            target.body.parameters += dots.values()
            target.parameters = primal.parameters + _tangent_parameters(primal, list(dots))
            results = inner._body(primal, dots, target.body)
            tangents = [inner._dot(value) for value in results if may_vary(value.type)]
            inner.builder.terminate("return", [inner._new(value) for value in results] + tangents)
        return new_name

    # -- values ---------------------------------------------------------------------------------

    def _fresh(self, value: Value) -> Value:
        new = Value(value.type, value.hint)
        self.new[id(value)] = new
        return new

    def _new(self, value: Value) -> Value:
        return self.new[id(value)]

    def _dot(self, value: Value) -> Value:
        """The tangent of `value`, a zero where it does not vary."""
        dot = self.tangent.get(id(value))
        if dot is None and isinstance(value.type, Undefined):
            return self.builder.emit("undefined", types=[value.type])[0]
        return zeros(self.builder, self._new(value)) if dot is None else dot

    def _varies(self, value: Value) -> bool:
        return self.facts.is_active(value)

    # -- ops ------------------------------------------------------------------------------------

    def block(self, block: Block) -> None:
        """Walk the ops but for the terminator."""
        for op in block.ops[:-1]:
            if op.name == "if":
                self._if(op)
            elif op.name in ("for", "while"):
                self._loop(op)
            elif op.name == "call":
                self._call(op)
            else:
                self._plain(op)

    def _plain(self, op: Op) -> None:
        operands = [self._new(operand) for operand in op.operands]
        if op.name == "hook":  # of the reverse sweep alone
            self._alias(op.results[0], op.operands[0])
            return
        results = repeat(self.builder, op, operands)
        self._bind_results(op, results, [])
        dots = [self.tangent.get(id(operand)) for operand in op.operands]
        if not any(self._varies(result) for result in op.results) or not any(dots):
            return
        if op.name == "opaque":
            raise no_rule(op)
        with self.builder.at(op.span, "tangent"):
            start = len(self.builder.block.ops)
            try:
                tangents = pushforward(
                    op.name,
                    op.attributes,
                    wrap(self.builder, operands),
                    wrap(self.builder, results),
                    [None if dot is None else wrap(self.builder, [dot])[0] for dot in dots],
                )
            except NoRule as missing:
                raise no_rule(op, missing.operand, missing.reason) from None
        made = self.builder.block.ops[start:]
        for result, tangent in zip(op.results, tangents or (), strict=False):
            if tangent is not None:
                self.tangent[id(result)] = tangent.value
                if tangent.value.op in made and not tangent.value.hint:
                    tangent.value.hint = companion(result, "_dot")

    def _alias(self, value: Value, same: Value) -> None:
        self.new[id(value)] = self._new(same)
        if id(same) in self.tangent:
            self.tangent[id(value)] = self.tangent[id(same)]

    def _if(self, op: Op) -> None:
        varied = [k for k, result in enumerate(op.results) if self._varies(result)]
        regions = []
        for region in op.regions:
            with self.builder.inside(Block()) as block:
                self.block(region)
                values = yielded(region)
                dots = [self._dot(values[k]) for k in varied]
                self.builder.terminate("yield", [self._new(value) for value in values] + dots)
            regions.append(block)
        types = [result.type for result in op.results] + [op.results[k].type for k in varied]
        with self.builder.at(op.span, op.phase):
            results = self.builder.emit(
                "if", [self._new(op.operands[0])], types=types, regions=regions, **op.attributes
            )
        self._bind_results(op, list(results), varied)

    def _bind_results(self, op: Op, results: list[Value], varied: list[int]) -> None:
        for old, new in zip(op.results, results, strict=False):
            new.hint = old.hint
            self.new[id(old)] = new
        for k, dot in zip(varied, results[len(op.results) :], strict=True):
            dot.hint = companion(op.results[k], "_dot")
            self.tangent[id(op.results[k])] = dot

    def _loop(self, op: Op) -> None:
        inits, parameters, yields = carried(op)
        varied = [k for k, parameter in enumerate(parameters) if self._varies(parameter)]
        lead = len(op.operands) - len(inits)  # start, stop, step of a `for`
        operands = [self._new(operand) for operand in op.operands]
        operands += [self._dot(inits[k]) for k in varied]
        regions = []
        for region in op.regions:
            is_body = region is op.regions[-1]
            block = Block([self._fresh(parameter) for parameter in region.parameters])
            own = region.parameters[lead // 3 :] if is_body else region.parameters
            for k in varied:
                dot = Value(parameters[k].type, companion(parameters[k], "_dot"))
                block.parameters.append(dot)
                self.tangent[id(own[k])] = dot
            with self.builder.inside(block):
                self.block(region)
                values = [self._new(value) for value in yielded(region)]
                dots = [self._dot(yields[k]) for k in varied] if is_body else []
                self.builder.terminate("yield", values + dots)
            regions.append(block)
        types = [result.type for result in op.results] + [op.results[k].type for k in varied]
        with self.builder.at(op.span, op.phase):
            results = self.builder.emit(op.name, operands, types=types, regions=regions, **op.attributes)
        self._bind_results(op, list(results), varied)

    def _call(self, op: Op) -> None:
        operands = [self._new(operand) for operand in op.operands]
        varied = tuple(id(operand) in self.tangent for operand in op.operands)
        if not any(varied):
            keep_function(self.source, self.target, op.attributes["callee"])
            self._bind_results(op, repeat(self.builder, op, operands), [])
            return
        if "custom_jvp" in op.attributes:
            self._custom(op, operands)
            return
        if "custom_vjp" in op.attributes:
            raise only_reverse(op)
        name = self.callee(op.attributes["callee"], varied)
        moving = [k for k, result in enumerate(op.results) if may_vary(result.type)]
        parameters = self.source.functions[op.attributes["callee"]].body.parameters
        operands += [
            self.tangent[id(operand)]
            for k, operand in enumerate(op.operands)
            if varied[k] and may_vary(parameters[k].type)
        ]
        types = [result.type for result in op.results] + [op.results[k].type for k in moving]
        with self.builder.at(op.span, op.phase):
            found = self.builder.emit("call", operands, types=types, callee=name)
        self._bind_results(op, list(found), moving)


    def _custom(self, op: Op, operands: list[Value]) -> None:
        """The user's own rule takes all tangents, zeros too."""
        rule = op.attributes["custom_jvp"]
        keep_function(self.source, self.target, rule)
        dots = [self._dot(operand) for operand in op.operands if may_vary(operand.type)]
        moving = [k for k, result in enumerate(op.results) if may_vary(result.type)]
        types = [result.type for result in op.results] + [op.results[k].type for k in moving]
        with self.builder.at(op.span, op.phase):
            found = self.builder.emit("call", [*operands, *dots], types=types, callee=rule)
        self._bind_results(op, list(found), moving)


def _tangent_parameters(primal: Function, wrt: Sequence[int]) -> list[Parameter]:
    """The parameters for the tangents of the leaves `wrt`."""
    found = []
    position = 0
    for parameter in primal.parameters:
        own = list(leaves(parameter.tree))
        chosen = [leaf for k, leaf in enumerate(own) if position + k in wrt]
        position += len(own)
        if chosen:
            tree = parameter.tree if len(chosen) == len(own) else TupleTree(tuple(chosen))
            found.append(Parameter(f"{parameter.name}_dot", tree))
    return found
