"""Straight-line programs around one primitive, differentiated by the rule driver alone.

    Program.of(name, values, attributes, knowledge)     f(operands) = the primitive, with as much known of types
    tangent_program(f), adjoint_program(f)              their derivatives, again programs
    run(f, values)                                      the results, by the implementations of the primitives
    run_emitted(f, values)                              the results, by the source that is written for it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ad_compiler import primitives
from ad_compiler.backends.load import load
from ad_compiler.backends.numpy import emit
from ad_compiler.ir.core import Block, Function, Module, Op, Parameter, Value
from ad_compiler.ir.trees import Leaf, TupleTree
from ad_compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    ONE,
    Dim,
    ListType,
    Opaque,
    Symbol,
    Tensor,
    TupleType,
    Type,
    array,
    join,
    unknown,
)
from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.primitives.expression import Expr
from ad_compiler.primitives.rules import pullback, pushforward, zeros_like
from ad_compiler.primitives.shapes import dtype_code

KNOWLEDGE = ("lengths", "ranks", "nothing")


def type_of(value: Any, knowledge: str, memo: dict[int, Symbol]) -> Type:
    if isinstance(value, list):
        element: Type = unknown()
        for k, part in enumerate(value):
            element = type_of(part, "ranks", memo) if k == 0 else join(element, type_of(part, "ranks", memo))
        return ListType(element)
    if isinstance(value, tuple):
        return TupleType(tuple(type_of(part, knowledge, memo) for part in value))
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | np.integer):
        return INT
    if isinstance(value, np.ndarray):
        if knowledge == "nothing" or value.ndim == 0:
            return unknown() if knowledge == "nothing" else unknown(dtype_code(value.dtype))
        if knowledge == "ranks":
            return array(value.ndim, dtype_code(value.dtype))
        dims = [ONE if n == 1 else Dim(memo.setdefault(n, Symbol(f"n{n}", many=True))) for n in value.shape]
        return Tensor(dtype_code(value.dtype), tuple(dims))
    if isinstance(value, float | np.floating):
        if knowledge == "nothing":
            return unknown()
        return Tensor(dtype_code(value.dtype), ()) if isinstance(value, np.floating) else FLOAT
    return Opaque(type(value).__name__)


def is_active(value: Any) -> bool:
    """Whether a derivative can be asked for: floats all through."""
    if isinstance(value, list | tuple):
        return bool(value) and all(map(is_active, value))
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


@dataclass
class Program:
    parameters: list[Value]
    active: list[int]  # positions of the parameters that a derivative is asked for
    builder: Any
    results: list[Value] = field(default_factory=list)

    @staticmethod
    def of(name: str, values: Sequence[Any], attributes: dict[str, Any], knowledge: str) -> Program:
        memo: dict[int, Symbol] = {}
        builder = primitives.builder()
        parameters, operands = [], []
        for value in values:
            if value is None:
                operands.append(builder.constant(None))
                continue
            parameters.append(Value(type_of(value, knowledge, memo), f"x{len(parameters)}"))
            operands.append(parameters[-1])
        results = builder.emit(name, operands, **attributes)
        primitive = REGISTRY[name]
        active = [
            k
            for k, value in enumerate(value for value in values if value is not None)
            if is_active(value) and primitive.rules.get(_name(primitive, values, k)) is not None
        ]
        return Program(parameters, active, builder, list(results))


def _name(primitive: Any, values: Sequence[Any], k: int) -> str:
    positions = [j for j, value in enumerate(values) if value is not None]
    return primitive.operand_name(positions[k]).lstrip("*")


def tangent_program(program: Program) -> Program:
    """(x, x_dot) -> the tangents of the results."""
    builder = program.builder
    dots = [Value(program.parameters[k].type, f"t{len(program.parameters)}_{k}") for k in program.active]
    tangents = {id(program.parameters[k]): dot for k, dot in zip(program.active, dots, strict=True)}
    for op in list(builder.block.ops):
        given = [tangents.get(id(value)) for value in op.operands]
        if all(one is None for one in given):
            continue
        answer = pushforward(
            op.name,
            op.attributes,
            [Expr(value, builder) for value in op.operands],
            [Expr(value, builder) for value in op.results],
            [None if one is None else Expr(one, builder) for one in given],
        )
        for result, one in zip(op.results, answer or (), strict=False):
            if one is not None:
                tangents[id(result)] = one.value
    results = [tangents.get(id(value)) or _zero(value, builder) for value in program.results]
    count = len(program.parameters)
    return Program(
        program.parameters + dots, [*program.active, *range(count, count + len(dots))], builder, results
    )


def adjoint_program(program: Program) -> Program:
    """(x, ct) -> the cotangents of the active parameters."""
    builder = program.builder
    seeds = [Value(value.type, f"ct{len(program.parameters)}_{k}") for k, value in enumerate(program.results)]
    bars: dict[int, Expr] = {}

    def accumulate(value: Value, bar: Expr) -> None:
        bars[id(value)] = bars[id(value)] + bar if id(value) in bars else bar

    for value, seed in zip(program.results, seeds, strict=True):
        accumulate(value, Expr(seed, builder))
    varied = {id(program.parameters[k]) for k in program.active}
    ops = list(builder.block.ops)
    for op in ops:
        if any(id(value) in varied for value in op.operands) and REGISTRY[op.name].kind != "constant":
            varied.update(id(value) for value in op.results)
    for op in reversed(ops):
        cts = [bars.get(id(value)) for value in op.results]
        wanted = {k for k, value in enumerate(op.operands) if id(value) in varied}
        if not wanted or all(ct is None for ct in cts) or not any(id(value) in varied for value in op.results):
            continue
        answers = pullback(
            op.name,
            op.attributes,
            [Expr(value, builder) for value in op.operands],
            [Expr(value, builder) for value in op.results],
            cts,
            wanted,
        )
        for value, bar in zip(op.operands, answers, strict=True):
            if bar is not None:
                accumulate(value, bar)
    results = []
    for k in program.active:
        value = program.parameters[k]
        results.append(bars[id(value)].value if id(value) in bars else _zero(value, builder))
    count = len(program.parameters)
    return Program(
        program.parameters + seeds, [*program.active, *range(count, count + len(seeds))], builder, results
    )


def _zero(value: Value, builder: Any) -> Value:
    made = zeros_like(Expr(value, builder))
    return made.value if isinstance(made, Expr) else builder.constant(made)


def run(program: Program, values: Sequence[Any]) -> tuple[list[Any], dict[int, Any]]:
    """The results, and every value of the program by id."""
    environment = {id(p): value for p, value in zip(program.parameters, values, strict=True)}
    for op in program.builder.block.ops:
        operands = [environment[id(value)] for value in op.operands if id(value) in environment]
        if len(operands) < len(op.operands):
            continue  # belongs to another derivative built in the same block
        outcome = REGISTRY[op.name].implementation(*operands, **op.attributes)
        outcomes = (outcome,) if len(op.results) == 1 else outcome
        environment.update((id(value), one) for value, one in zip(op.results, outcomes, strict=True))
    return [environment[id(value)] for value in program.results], environment


def run_emitted(program: Program, values: Sequence[Any]) -> list[Any]:
    """The results of the source text of the program."""
    body = Block(list(program.parameters), [*program.builder.block.ops, Op("return", list(program.results))])
    function = Function(
        "f",
        body,
        [Parameter(value.hint, Leaf(value.type)) for value in program.parameters],
        TupleTree(tuple(Leaf(value.type) for value in program.results)),
    )
    text = emit(Module("f", {"f": function}))
    return list(load(text)["f"](*values))
