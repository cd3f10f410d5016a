"""What a program means: `evaluate(module, *leaves, apply=…) -> tuple` runs it op by op.

Purely functional: nothing is written in place, so every value keeps what it was.  `apply(name, operands,
attributes)` is the meaning of a primitive and returns its result (a tuple for several results); with another
`apply` the same program runs on SymPy terms.  `primitives.evaluate.evaluate` has NumPy's filled in.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ad_compiler.ir import trees
from ad_compiler.ir.core import Block, Function, Module, Op, Value

Apply = Callable[[str, list[Any], dict[str, Any]], Any]
Environment = dict[Value, Any]


def evaluate(module: Module, *leaves: Any, apply: Apply, namespace: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """The operands of the main function's `return`.  `namespace` holds the names that user statements read."""
    run = Interpreter(module, apply, namespace)
    return run.call(module.functions[module.main], leaves)


class Interpreter:
    def __init__(self, module: Module, apply: Apply, namespace: dict[str, Any] | None = None) -> None:
        self.module = module
        self.apply = apply
        self.namespace = {"np": np, "math": math, "__builtins__": builtins} | (namespace or {})
        for statement in module.imports:
            exec(statement, self.namespace)
        self.structured = {
            "constant": lambda op, environment: (op.attributes["value"],),
            "undefined": lambda op, environment: (None,) * len(op.results),
            "if": self.if_,
            "for": self.for_,
            "while": self.while_,
            "call": self.call_op,
            "closure": self.closure,
            "hook": self.hook,
            "effect": self.effect,
            "opaque": self.opaque,
        }

    def call(self, function: Function, leaves: Iterable[Any]) -> tuple[Any, ...]:
        return self.block(function.body, leaves, {})

    def block(self, block: Block, arguments: Iterable[Any], environment: Environment) -> tuple[Any, ...]:
        """Run the ops of a block; what its terminator hands out."""
        environment.update(zip(block.parameters, arguments, strict=True))
        for op in block.ops[:-1]:
            rule = self.structured.get(op.name)
            if rule is not None:
                results = rule(op, environment)
            else:
                outcome = self.apply(op.name, [environment[value] for value in op.operands], op.attributes)
                results = (outcome,) if len(op.results) == 1 else tuple(outcome)
            environment.update(zip(op.results, results, strict=True))
        return tuple(environment[value] for value in block.ops[-1].operands)

    def if_(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        branch = op.regions[0] if environment[op.operands[0]] else op.regions[1]
        return self.block(branch, (), environment)

    def for_(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        start, stop, step, *carried = (environment[value] for value in op.operands)
        indices = range(int(start), int(stop), int(step))
        for i in reversed(indices) if op.attributes.get("reversed") else indices:
            carried, stopped = self.iteration(op, [i, *carried], environment)
            if stopped:
                break
        return tuple(carried)

    def while_(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        carried = [environment[value] for value in op.operands]
        while self.block(op.regions[0], carried, environment)[0]:
            carried, stopped = self.iteration(op, carried, environment)
            if stopped:
                break
        return tuple(carried)

    def iteration(self, op: Op, arguments: list[Any], environment: Environment) -> tuple[list[Any], bool]:
        leaving = list(self.block(op.regions[-1], arguments, environment))
        stopped = bool(leaving.pop(0)) if op.attributes.get("breaks") else False
        return leaving, stopped

    def call_op(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        callee = self.module.functions[op.attributes["callee"]]
        return self.call(callee, [environment[value] for value in op.operands])

    def closure(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        """A Python function over the environment as it is now."""
        region, parameters = op.regions[0], op.attributes.get("parameters")
        tree, frozen = op.attributes.get("tree"), dict(environment)

        def function(*arguments: Any) -> Any:
            flat = list(arguments)
            if parameters is not None:
                pairs = zip(parameters, arguments, strict=True)
                flat = [leaf for (_, tree_), given in pairs for leaf in flatten(given, tree_)]
            results = self.block(region, flat, dict(frozen))
            return results if tree is None else trees.rebuild(tree, iter(results))

        return (function,)

    def hook(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        return (environment[op.operands[0]],)

    def effect(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        exec(op.attributes["template"], self.names(op, environment))
        return ()

    def opaque(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        result = eval(op.attributes["template"], self.names(op, environment))
        return (result,) if len(op.results) == 1 else tuple(result)

    def names(self, op: Op, environment: Environment) -> dict[str, Any]:
        return self.namespace | {f"_{k}_": environment[value] for k, value in enumerate(op.operands)}


def flatten(value: Any, tree: trees.Tree) -> list[Any]:
    """The leaves of `value`, which has this structure."""
    if isinstance(tree, trees.Leaf):
        return [value]
    if isinstance(tree, trees.Fixed):
        return []
    if isinstance(tree, (trees.TupleTree, trees.ListTree)):
        parts: Iterable[Any] = value
    elif isinstance(tree, trees.DictTree):
        parts = [value[key] for key in tree.keys]
    else:
        parts = [getattr(value, key) for key in tree.keys]
    return [leaf for part, item in zip(parts, tree.items, strict=True) for leaf in flatten(part, item)]
