"""vjp : (x -> y) -> x -> (y, ȳ -> x̄): the adjoint program, reverse mode.

The forward sweep repeats the primal; the reverse sweep walks its blocks backward and accumulates the
cotangents of active values.  While a reverse block is built it reads primal values as if all of them were
still in scope; when the adjoint of a region is complete, `residuals` makes that true: by recomputing, by
taping, or by an extra result of the branch.

A `Frame` is a reverse block being built; `regions` and `calls` hold the adjoints of structured ops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ad_compiler.analysis.activity import Activity, activity
from ad_compiler.ir.builder import Builder
from ad_compiler.ir.clone import clone_function
from ad_compiler.ir.core import Block, Function, Module, Op, Parameter, Value, walk, yielded
from ad_compiler.ir.trees import Leaf, Tree, TupleTree, map_leaves
from ad_compiler.ir.types import Opaque, may_vary
from ad_compiler.primitives import builder as primitive_builder
from ad_compiler.transforms.calls import reverse_call
from ad_compiler.transforms.common import companion, functions_named_by, keep_function, zeros
from ad_compiler.transforms.frame import Frame
from ad_compiler.transforms.regions import reverse_hook, reverse_if, reverse_loop

HANDLERS: dict[str, Callable[[Frame, Op], None]] = {
    "if": reverse_if,
    "for": reverse_loop,
    "while": reverse_loop,
    "call": reverse_call,
    "hook": reverse_hook,
}


def grad(
    module: Module,
    wrt: Sequence[int],
    *,
    with_value: bool = False,
    has_aux: bool = False,
    name: str | None = None,
) -> Module:
    """The module whose main function returns the gradient of the (scalar) result, as a flat tuple of leaves.

    `wrt` are positions among the leaves of the main function's parameters.  With `with_value` the primal's
    result comes first.  With `has_aux` the first leaf of the result is the one differentiated.  The outputs'
    tree is a flat tuple of the gradients; the caller gives it the arguments' structure.
    """
    reverse = Adjoint.of_module(module, name or f"{module.main}_grad")
    results = reverse.forward()
    seeded = results[:1] if has_aux else results
    reverse.activate(wrt, seeded)
    for value in seeded:
        reverse.frame.accumulate(value, reverse.builder.constant(1.0))
    bars = reverse.reverse(wrt)
    returned = (results if with_value else results[1:] if has_aux else []) + bars
    reverse.finish(returned, [], f"Gradient of `{module.main}`")
    return reverse.target


def vjp(module: Module, wrt: Sequence[int], *, name: str | None = None) -> Module:
    """The module whose main function returns (result, pullback)."""
    reverse = Adjoint.of_module(module, name or f"{module.main}_vjp")
    results = reverse.forward()
    reverse.activate(wrt, [value for value in results if may_vary(value.type)])
    block = Block([Value(value.type, _bar_hint(value, k)) for k, value in enumerate(results)])
    with reverse.builder.inside(block):
        reverse.seed(results, block.parameters)
        bars = reverse.reverse(wrt)
        reverse.builder.terminate("yield", bars)
    reverse.settle()
    outputs = reverse.function.outputs
    assert outputs is not None
    (closure,) = reverse.builder.emit(
        "closure",
        types=[Opaque("function")],
        regions=[block],
        hint="pullback",
        parameters=(("out_bar", outputs),),
        wrt=tuple(wrt),
    )
    reverse.finish([*results, closure], [], f"Value and pullback of `{module.main}`")
    return reverse.target


def joint_vjp(module: Module, wrt: Sequence[int], *, name: str | None = None) -> Module:
    """The module whose main function maps (parameters, result cotangents) to (result, x̄) (no closure)."""
    reverse = Adjoint.of_module(module, name or f"{module.main}_vjp")
    results = reverse.forward()
    reverse.activate(wrt, [value for value in results if may_vary(value.type)])
    seeds = [Value(value.type, _bar_hint(value, k)) for k, value in enumerate(results)]
    reverse.seed(results, seeds)
    bars = reverse.reverse(wrt)
    outputs = reverse.function.outputs
    assert outputs is not None
    reverse.function.body.parameters += seeds
    extra = [Parameter("out_bar", _typed(outputs, seeds))]
    reverse.finish(results + bars, extra, f"Value and adjoint of `{module.main}`")
    return reverse.target


def _bar_hint(value: Value, position: int) -> str:
    return companion(value, "_bar") or ("out_bar" if position == 0 else f"out_bar_{position}")


def _typed(tree: Tree, values: Sequence[Value]) -> Tree:
    flat = iter(values)
    return map_leaves(tree, lambda leaf: Leaf(next(flat).type))


class Adjoint:
    """One function's adjoint: its copy, to which the reverse sweep is appended."""

    def __init__(self, source: Module, target: Module, function: Function) -> None:
        self.source = source
        self.target = target
        self.function = function
        self.builder: Builder = primitive_builder(function.body)
        self.builder.phase = "reverse"
        self.facts = Activity()
        self.handlers = HANDLERS
        self.frame = Frame(self, function.body)
        self.ops: list[Op] = []

    @classmethod
    def of_module(cls, module: Module, name: str) -> Adjoint:
        """The adjoint of the main function, in a module of its own."""
        target = Module(name, {}, module.imports)
        function = clone_function(module.functions[module.main])
        function.name = name
        target.functions[name] = function
        return cls(module, target, function)

    def sibling(self, function: Function) -> Adjoint:
        """The adjoint of another function of the same two modules."""
        return Adjoint(self.source, self.target, function)

    def forward(self) -> list[Value]:
        """Take the terminator off and return what it returned."""
        body = self.function.body
        results = list(yielded(body))
        body.ops.pop()
        for op in body.ops:
            _set_phase(op, "forward")
        self.ops = list(body.ops)
        return results

    def activate(self, wrt: Sequence[int], results: Sequence[Value]) -> None:
        body = self.function.body
        body.ops.append(Op("return", list(results)))
        self.facts = activity(self.function, [body.parameters[k] for k in wrt], results)
        body.ops.pop()

    def seed(self, results: Sequence[Value], seeds: Sequence[Value]) -> None:
        for value, bar in zip(results, seeds, strict=True):
            if self.facts.is_active(value):
                self.frame.accumulate(value, bar)

    def reverse(self, wrt: Sequence[int]) -> list[Value]:
        """Append the reverse sweep; the cotangents of the parameters `wrt`."""
        self.frame.walk(self.ops)
        parameters = self.function.body.parameters
        found = []
        for k in wrt:
            bar = self.frame.cotangent(parameters[k])
            found.append(zeros(self.builder, parameters[k]) if bar is None else bar)
        return found

    def settle(self) -> None:
        """Functions that are still called as they are come along."""
        for function in list(self.target.functions.values()):
            for op in walk(function.body):
                for called in functions_named_by(op):
                    if called not in self.target.functions:
                        keep_function(self.source, self.target, called)

    def finish(self, returned: Sequence[Value], extra: Sequence[Parameter], docstring: str) -> None:
        self.builder.terminate("return", returned)
        self.settle()
        self.function.parameters = [*self.function.parameters, *extra]
        self.function.outputs = TupleTree(tuple(Leaf(value.type) for value in returned))
        self.function.docstring = f"{docstring} (reverse mode)."


def _set_phase(op: Op, phase: str) -> None:
    stack = [op]
    while stack:
        current = stack.pop()
        current.phase = phase
        for region in current.regions:
            stack.extend(region.ops)
