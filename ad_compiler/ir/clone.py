"""Copies of programs: `clone(block, values)` and `clone_function(function)`.

The copy has values of its own; `values` maps what was defined to what the copy has instead, is read for
operands defined outside, and is filled on the way.
"""

from __future__ import annotations

from dataclasses import replace

from ad_compiler.ir.core import Block, Function, Module, Op, Value


def clone(block: Block, values: dict[Value, Value] | None = None, *, keep_parameters: bool = False) -> Block:
    """A copy of the block and of everything in it.

    With `keep_parameters`, `values` says already what stands for the block's own parameters.
    """
    values = {} if values is None else values
    copy = Block([] if keep_parameters else [_copy_value(parameter, None, values) for parameter in block.parameters])
    pending = [(block, copy, 0)]
    while pending:
        source, target, at = pending.pop()
        while at < len(source.ops):
            op, at = source.ops[at], at + 1
            made = clone_op(op, values)
            target.ops.append(made)
            for region in op.regions:
                made.regions.append(Block([_copy_value(parameter, None, values) for parameter in region.parameters]))
            if op.regions:  # the regions first: nothing after the op reads what they define, but order is kind
                pending.append((source, target, at))
                pending.extend((old, new, 0) for old, new in reversed(list(zip(op.regions, made.regions, strict=True))))
                break
    return copy


def clone_op(op: Op, values: dict[Value, Value]) -> Op:
    """A copy of the op without its regions."""
    operands = [values.get(operand, operand) for operand in op.operands]
    made = Op(op.name, operands, dict(op.attributes), span=op.span, phase=op.phase)
    made.results = [_copy_value(value, made, values) for value in op.results]
    return made


def clone_function(function: Function, values: dict[Value, Value] | None = None) -> Function:
    """A function of its own: changing it leaves the original as it is."""
    parameters = [replace(parameter) for parameter in function.parameters]
    return Function(
        function.name, clone(function.body, values), parameters, function.outputs, function.docstring, function.span
    )


def clone_module(module: Module) -> Module:
    functions = {name: clone_function(function) for name, function in module.functions.items()}
    return Module(module.main, functions, module.imports)


def _copy_value(value: Value, op: Op | None, values: dict[Value, Value]) -> Value:
    copy = values[value] = Value(value.type, value.hint, op)
    return copy
