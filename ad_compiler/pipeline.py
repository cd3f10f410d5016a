"""The way of the data, as one readable line:

    source text -> ast -> SSA -> optimised SSA -> derivative SSA -> optimised SSA -> Python source -> function

`Program` is anything that can be lowered to SSA for given argument types: a function of the user's
(`Written`), or the derivative of another program (`Derived`): so derivatives nest to any order, and each
order differentiates optimised SSA, never text.  `compile_program` runs the rest of the line and keeps every stage.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic, Error
from ad_compiler.frontend.read import Definition
from ad_compiler.frontend.resolve import READS, Read
from ad_compiler.ir.clone import clone_module
from ad_compiler.ir.core import Function, Module, Op, terminator, walk, yielded
from ad_compiler.ir.printer import show
from ad_compiler.ir.trees import Fixed, Leaf, RecordTree, Tree, TupleTree, count, leaves
from ad_compiler.ir.types import INTEGERS, Opaque, Symbol, Tensor, Type, may_vary
from ad_compiler.primitives.evaluate import verify
from ad_compiler.transforms.jvp import jvp
from ad_compiler.transforms.vjp import grad, joint_vjp, vjp
from ad_compiler.version import __version__

Arguments = dict[str, Tree]  # by parameter name, the structure and the types of each argument


class Program(Protocol):
    """Something with a name that becomes SSA once the types of its arguments are known."""

    @property
    def name(self) -> str: ...

    def lower(self, arguments: Arguments, stages: Stages) -> Module: ...


@dataclass(slots=True)
class Stages:
    """What the line made on its way, for `adc emit --stage` and `f.stages`."""

    optimise: bool = True
    ssa: list[Module] = field(default_factory=list)  # as lowered
    adjoint: list[Module] = field(default_factory=list)  # as transformed, one for each order
    optimised: list[Module] = field(default_factory=list)
    source: str = ""
    primal: Module | None = None  # the user's function, lowered and optimised: done once

    def texts(self) -> dict[str, str]:
        """Each stage as text, by name."""
        modules = {"ssa": self.ssa, "adjoint": self.adjoint, "optimised": self.optimised}
        shown = {name: "\n".join(dict.fromkeys(map(show, found))) for name, found in modules.items()}
        return shown | {"source": self.source}

    def settle(self, module: Module, stage: str) -> Module:
        """Verify and optimise: the state in which a module goes from one room to the next."""
        from ad_compiler.passes import optimise
        from ad_compiler.passes.inline import inline

        verify(module, stage)
        if self.optimise:
            inline(module)
            module = optimise(module)
            verify(module, f"{stage}, optimised")
        return module


@dataclass(frozen=True, slots=True)
class Written:
    """A function that a user wrote.  `in_place`: one that returns nothing stands for what it writes."""

    definition: Definition
    in_place: bool = False

    @property
    def name(self) -> str:
        return self.definition.name

    def lower(self, arguments: Arguments, stages: Stages) -> Module:
        from ad_compiler.frontend.lower import lower
        from ad_compiler.inner import InnerCalls

        if stages.primal is None:
            module = lower(self.definition, arguments, inner=InnerCalls(), in_place=self.in_place)
            stages.ssa.append(clone_module(module))
            stages.primal = stages.settle(module, "lowering")
        return clone_module(stages.primal)


@dataclass(frozen=True, slots=True)
class Request:
    """Which derivative: `mode` is "grad", "value_and_grad", "jvp", "vjp", "joint", or "hvp" (the
    tangent of a gradient, without the gradient).

    `wrt` are parameter names; `single` says that the gradient is that of one parameter, not a tuple.
    """

    mode: str
    wrt: tuple[str, ...]
    single: bool = False
    has_aux: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """The derivative of another program."""

    program: Program
    request: Request

    @property
    def name(self) -> str:
        of = self.program
        if self.request.mode == "hvp" and isinstance(of, Derived):  # of a gradient: named after the function
            of = of.program
        return f"{of.name}_{self.request.mode}"

    def lower(self, arguments: Arguments, stages: Stages) -> Module:
        """Here `arguments` are those of the program differentiated (tangents and cotangents follow from them)."""
        primal = self.program.lower(self.primal_arguments(arguments), stages)
        module = differentiate(primal, self.request, self.name)
        stages.adjoint.append(clone_module(module))
        module = stages.settle(module, self.request.mode)
        stages.optimised.append(clone_module(module))
        return module

    def primal_arguments(self, arguments: Arguments) -> Arguments:
        """Without the tangents and cotangents, which come after them."""
        extra = {f"{name}_dot" for name in self.request.wrt} if self.request.mode in ("jvp", "hvp") else set()
        extra |= {"out_bar"} if self.request.mode == "joint" else set()
        return {name: tree for name, tree in arguments.items() if name not in extra}


def differentiate(primal: Module, request: Request, name: str) -> Module:
    """The derivative that `request` asks for, its result in the structure that the user is given."""
    function = primal.functions[primal.main]
    wrt = leaf_positions(function, request.wrt)
    outputs = function.outputs
    assert outputs is not None
    trees = tuple(parameter.tree for parameter in function.parameters if parameter.name in request.wrt)
    order = [p.name for p in function.parameters if p.name in request.wrt]
    gradients = _gradient_tree(dict(zip(order, trees, strict=True)), request)
    wanted = [k for name_ in request.wrt for k in leaf_positions(function, (name_,))]
    if request.mode == "jvp":
        return jvp(primal, wrt, name)
    if request.mode == "hvp":
        module = jvp(primal, wrt, name)
        main = module.functions[module.main]
        main.outputs = outputs
        last = terminator(main.body)
        last.operands = last.operands[count(outputs) :]
        return module
    if request.mode in ("vjp", "joint"):
        make = vjp if request.mode == "vjp" else joint_vjp
        module = make(primal, wanted, name=name)
        main = module.functions[module.main]
        if request.mode == "vjp":
            closure = yielded(main.body)[-1].op
            assert closure is not None
            closure.attributes |= {"name": "pullback", "tree": TupleTree(gradients_of(request, order, trees))}
            main.outputs = TupleTree((outputs, Leaf(Opaque("function"))))
        else:
            main.outputs = TupleTree((outputs, TupleTree(gradients_of(request, order, trees))))
        return module
    check_scalar_output(function, request)
    module = grad(
        primal, wanted, with_value=request.mode == "value_and_grad", has_aux=request.has_aux, name=name
    )
    main = module.functions[module.main]
    if request.mode == "value_and_grad":
        main.outputs = TupleTree((outputs, gradients))
    elif request.has_aux:
        main.outputs = TupleTree((gradients, _aux(outputs)))
        _aux_last(main, count(_aux(outputs)))
    else:
        main.outputs = gradients
    return module


def gradients_of(request: Request, order: Sequence[str], trees: Sequence[Tree]) -> tuple[Tree, ...]:
    """The trees of the parameters, in the order in which they were asked for."""
    by_name = dict(zip(order, trees, strict=True))
    return tuple(by_name[name] for name in request.wrt)


def _gradient_tree(trees: Arguments, request: Request) -> Tree:
    if request.single:
        return trees[request.wrt[0]]
    return TupleTree(tuple(trees[name] for name in request.wrt))


def _aux(outputs: Tree) -> Tree:
    assert isinstance(outputs, TupleTree)
    return outputs.items[1]


def _aux_last(function: Function, size: int) -> None:
    """`grad` returns (aux, gradients); users are given (gradients, aux)."""
    last = terminator(function.body)
    last.operands = last.operands[size:] + last.operands[:size]


def leaf_positions(function: Function, names: Sequence[str]) -> list[int]:
    """The positions, among all leaves, of the leaves of the parameters `names`."""
    found: list[int] = []
    position = 0
    for parameter in function.parameters:
        size = count(parameter.tree)
        if parameter.name in names:
            found.extend(range(position, position + size))
        position += size
    return found


# -- refusing what has no gradient ----------------------------------------------------------------


def check_scalar_output(function: Function, request: Request) -> None:
    """A gradient is that of one number: refuse a result known to be anything else, check an unknown one."""
    outputs = function.outputs
    if request.has_aux:
        if not (isinstance(outputs, TupleTree) and len(outputs.items) == 2):
            raise _output_error(function, "has_aux=True needs a result of the form `(loss, aux)`")
        outputs = outputs.items[0]
    if isinstance(outputs, Fixed):
        what = "nothing" if outputs.value is None else repr(outputs.value)
        raise ArgumentValueError(
            Diagnostic(
                "ADC207",
                f"`{function.name}` returns {what}",
                function.span,
                help="return the number that is to be differentiated",
            )
        )
    if not isinstance(outputs, Leaf):
        raise _output_error(
            function,
            f"`{function.name}` returns a structure of {count(outputs) if outputs else 0} values, not one number",
            "use `jacobian` or `vjp`, or has_aux=True for a result `(loss, aux)`",
        )
    value = yielded(function.body)[0]
    problem = _not_a_number(value.type)
    if problem:
        raise _output_error(
            function,
            f"`{function.name}` returns {problem}; a gradient is that of one real number",
            "reduce the result to a number, for example with `np.sum`, or use `jacobian` or `vjp`",
        )
    if isinstance(value.type, Tensor) and isinstance(value.type.shape, Symbol):
        message = f"a gradient is that of one number, and `{function.name}` returned an array"
        template = f"if np.ndim(_0_) != 0: raise TypeError({message!r})"
        check = Op("effect", [value], {"template": template}, span=function.span)
        function.body.ops.insert(len(function.body.ops) - 1, check)


def _not_a_number(type: Type) -> str:
    if not isinstance(type, Tensor):
        return "an object that is not a number"
    if type.dtype in (*INTEGERS, "bool"):
        return f"a value of dtype {type.dtype}"
    if isinstance(type.shape, tuple) and type.shape:
        return f"an array of {len(type.shape)} dimension{'s' if len(type.shape) > 1 else ''}"
    return ""


def _output_error(function: Function, message: str, help: str | None = None) -> ArgumentValueError:
    return ArgumentValueError(Diagnostic("ADC203", message, function.span, help=help))


def differentiable_names(arguments: Arguments) -> tuple[str, ...]:
    """The parameters that have a derivative: at least one leaf, and none that is an integer or an object."""
    return tuple(
        name
        for name, tree in arguments.items()
        if count(tree) and all(may_vary(leaf.payload) for leaf in leaves(tree))
    )


def check_differentiable(name: str, position: int, tree: Tree) -> None:
    """Refuse to differentiate with respect to an integer or an object."""
    if count(tree) == 0:
        raise ArgumentError(
            Diagnostic(
                "ADC202",
                f"argument `{name}` (number {position}) has no number in it to differentiate with respect to",
                help="pass the position or the name of a float argument as `argnums`",
            ),
            argument=name,
            position=position,
        )
    for leaf in leaves(tree):
        if not may_vary(leaf.payload):
            dtype = leaf.payload.dtype if isinstance(leaf.payload, Tensor) else "object"
            raise ArgumentError(
                Diagnostic(
                    "ADC202",
                    f"argument `{name}` (number {position}) holds a value of dtype {dtype}; integers are data and"
                    " have no gradient",
                    help="pass floats: `3.0` instead of `3`, `x.astype(float)` instead of `x`",
                ),
                argument=name,
                position=position,
            )


# -- the rest of the line ------------------------------------------------------------------------------


class Compiled:
    """A derivative for arguments of these types: its text, the function, and how it came about."""

    def __init__(
        self,
        program: Program,
        arguments: Arguments,
        text: str,
        optimise: bool,
        reads: list[Read],
        namespace: dict[str, Any],
        written: tuple[str, ...],
    ) -> None:
        from ad_compiler.backends.load import filename_of, load

        self.program = program
        self.arguments = arguments
        self.optimise = optimise
        self.source = text
        self.written = written  # the parameters that the function writes into
        self.reads = reads  # the globals, closure variables and attributes that were compiled in
        self.function: Callable[..., Any] = load(text, filename_of(text, program.name), namespace)[program.name]
        kinds = [parameter.kind for parameter in inspect.signature(self.function).parameters.values()]
        self.simple = all(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)

    @property
    def stages(self) -> Stages:
        """The stages, made again: they are looked at, not run."""
        stages = Stages(self.optimise)
        self.program.lower(self.arguments, stages)
        stages.source = self.source
        return stages

    def call(self, bound: Sequence[Any], extra: Mapping[str, Any] | None = None) -> Any:
        """Call with one value for each parameter of the user's function, in their order: a tuple for `*args`, a
        dict for `**kwargs`.  `extra` are the tangents, by name."""
        if self.simple and not extra:
            return self.function(*bound)
        return call_bound(self.function, inspect.signature(self.function), bound, extra or {})

    def is_current(self) -> bool:
        """Whether every global and closure variable that was compiled in is still the same object."""
        return all(read.is_current() for read in self.reads)


def call_bound(
    function: Callable[..., Any], signature: inspect.Signature, bound: Sequence[Any], extra: Mapping[str, Any]
) -> Any:
    """Call with one value for each parameter, in their order, but for those that `extra` gives by name."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    given = iter(bound)
    for parameter in signature.parameters.values():
        value = extra[parameter.name] if parameter.name in extra else next(given)
        if parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            kwargs.update(value)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return function(*args, **kwargs)


def compile_program(program: Program, arguments: Arguments, *, optimise: bool = True) -> Compiled:
    """Everything from types to a callable.

    The function is always lowered; the text that belongs to its SSA is looked up in the cache on disk.
    """
    from ad_compiler import cache
    from ad_compiler.backends.numpy import emit

    stages = Stages(optimise)
    reads: list[Read] = []
    token = READS.set(reads)
    try:
        primal = written(program).lower(arguments, stages)
        written_names = stages.primal.written if stages.primal else ()
        key = _key(program, primal, optimise)
        text = cache.load(key) if key else None
        namespace = captured_objects(primal) | classes_of(primal)
        if text is None:
            module = program.lower(arguments, stages)
            text = emit(finished(module, stages))
            namespace |= captured_objects(module)
            if key:
                cache.store(key, text)
    finally:
        READS.reset(token)
    unique = {(id(getattr(read.find, "__self__", read.find)), read.name): read for read in reads}
    return Compiled(program, arguments, text, optimise, list(unique.values()), namespace, written_names)


def classes_of(module: Module) -> dict[str, Any]:
    """The classes that the main function's result is made of, by name."""
    found: dict[str, Any] = {}
    work: list[Tree | None] = [module.functions[module.main].outputs]
    while work:
        tree = work.pop()
        if isinstance(tree, RecordTree):
            found[tree.cls.__name__] = tree.cls
        work.extend(getattr(tree, "items", ()))
    return found


def finished(module: Module, stages: Stages) -> Module:
    """The module as it is written out: rules of the user's have done their work and are inlined too."""
    from ad_compiler.passes.inline import inline

    return stages.settle(module, "the last derivative") if inline(module, last=True) else module


@functools.cache
def _fingerprint() -> str:
    """Tells this copy of the compiler from another one of the same version: sizes and times of its files."""
    folder = Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    found = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def captured_objects(module: Module) -> dict[str, Any]:
    """The live arrays and objects that the emitted text takes from around it, by the name it has for them."""
    return {
        op.attributes["name"]: op.attributes["value"]
        for function in module.functions.values()
        for op in walk(function.body)
        if op.name == "captured"
    }


def written(program: Program) -> Program:
    """The function of the user's that a program is, in the end, the derivative of."""
    while isinstance(program, Derived):
        program = program.program
    return program


def _key(program: Program, primal: Module, optimise: bool) -> str | None:
    """What the text depends on; None where the SSA holds objects that no text can name."""
    text = show(primal)
    if "object(" in text or captured_objects(primal):
        return None
    requests = []
    while isinstance(program, Derived):
        requests.append(repr(program.request))
        program = program.program
    function = primal.functions[primal.main]
    parameters = [(p.name, p.kind, p.default, p.annotation) for p in function.parameters]
    versions = (__version__, _fingerprint(), np.__version__, *sys.version_info[:2])
    return "\n".join([text, *requests, repr(parameters), repr(function.outputs), repr(optimise), repr(versions)])


# -- many functions, one text ---------------------------------------------------------------------------

STAGES = ("ssa", "adjoint", "optimised", "source")
MODES = ("reverse", "forward", "both")


def emit_text(
    definitions: Sequence[Definition],
    *,
    mode: str = "reverse",
    wrt: Sequence[str] | None = None,
    arguments: Arguments | None = None,
    stage: str = "source",
    optimise: bool = True,
) -> str:
    """The derivatives of several functions as one text, in their order; nothing is run.

    `arguments` gives types for parameters by name; the others come from annotations, defaults and use.
    Raises the errors of all functions that cannot be differentiated, together.
    """
    from ad_compiler.backends.numpy import emit

    alone = len(definitions) == 1
    failures: list[Error] = []
    derived: list[tuple[Module, Stages]] = []
    for definition in definitions:
        try:
            derived.extend(_derive(definition, mode, wrt, arguments or {}, optimise, alone))
        except Error as error:
            failures.append(error)
    if failures:
        raise _together(failures)
    if stage == "source":
        return emit(merge([finished(module, stages) for module, stages in derived]))
    return "\n".join(dict.fromkeys(stages.texts()[stage] for _, stages in derived))


def _derive(
    definition: Definition, mode: str, wrt: Sequence[str] | None, given: Arguments, optimise: bool, alone: bool
) -> Iterator[tuple[Module, Stages]]:
    from ad_compiler.frontend.lower import static_arguments

    arguments = static_arguments(definition, given)
    names = tuple(wrt) if wrt else differentiable_names(arguments)
    for name in names:
        if name not in arguments:
            raise ArgumentValueError(
                Diagnostic(
                    "ADC204",
                    f"`{definition.name}` has no parameter `{name}`",
                    definition.span(),
                    help=f"its parameters are {', '.join(arguments) or 'none'}",
                ),
                argument="wrt",
            )
        check_differentiable(name, list(arguments).index(name), arguments[name])
    if not names and not alone:
        return  # a helper without numbers, in a file with others
    if not names:
        raise ArgumentValueError(
            Diagnostic(
                "ADC204", f"`{definition.name}` has no parameter that a derivative could be taken by", definition.span()
            ),
            argument="wrt",
        )
    for one in ("reverse", "forward") if mode == "both" else (mode,):
        stages = Stages(optimise)
        yield _derive_one(Written(definition, in_place=True), one, names, len(names) == 1, arguments, stages), stages


def _derive_one(
    program: Program, mode: str, names: tuple[str, ...], single: bool, arguments: Arguments, stages: Stages
) -> Module:
    """The tangent program, the gradient, or for a result that is not one number the pullback."""
    if mode == "forward":
        return Derived(program, Request("jvp", names)).lower(arguments, stages)
    primal = program.lower(arguments, Stages(stages.optimise))
    outputs = primal.functions[primal.main].outputs
    if outputs is None or count(outputs) == 0:
        check_scalar_output(primal.functions[primal.main], Request("grad", names))
    scalar = isinstance(outputs, Leaf) and not _not_a_number(yielded(primal.functions[primal.main].body)[0].type)
    request = Request("grad", names, single) if scalar else Request("vjp", names)
    return Derived(program, request).lower(arguments, stages)


def _together(failures: list[Error]) -> Error:
    """One error that carries the findings of all."""
    if len(failures) == 1:
        return failures[0]
    return type(failures[0])([diagnostic for error in failures for diagnostic in error.diagnostics])


def merge(modules: Sequence[Module]) -> Module:
    """One module with the functions of all; those of different content and the same name are told apart."""
    target = Module(modules[0].main)
    texts: dict[str, str] = {}
    for module in modules:
        renamed: dict[str, str] = {}
        for name, function in module.functions.items():
            text = show(function)
            new = name
            while new in texts and texts[new] != text:
                new = f"{new}_{2 if new == name else int(new.rsplit('_', 1)[1]) + 1}"
            renamed[name] = new
            texts[new] = text
            function.name = new
            target.functions.setdefault(new, function)
        for function in module.functions.values():
            for op in walk(function.body):
                if op.name == "call":
                    op.attributes["callee"] = renamed.get(op.attributes["callee"], op.attributes["callee"])
        target.imports = tuple(dict.fromkeys((*target.imports, *module.imports)))
    return target
