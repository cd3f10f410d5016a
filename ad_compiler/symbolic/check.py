"""Is a derivative right?  Three looks at it, each with a verdict.

    proof          the adjoint and the tangent program run on SymPy symbols give SymPy's own derivative of the primal,
                   along the path that the sample point takes; `digits` where that is shown in 40 digits only
    dot product    ⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩ in float64: forward and reverse mode agree
    differences    ⟨ct, J t⟩ against finite differences of the primal: both agree with the program itself
    emitted code   the emitted source computes what its program means

`check_definition` looks at a function read from text, and runs nothing of it; `check` at a live one.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ad_compiler.diagnostics.diagnostic import ArgumentValueError, Diagnostic
from ad_compiler.frontend.read import Definition
from ad_compiler.ir.core import Module
from ad_compiler.ir.interpreter import flatten
from ad_compiler.ir.trees import Tree, rebuild
from ad_compiler.pipeline import (
    Stages,
    Written,
    captured_objects,
    classes_of,
    differentiable_names,
    finished,
    leaf_positions,
)
from ad_compiler.symbolic import points
from ad_compiler.symbolic.paths import OutsideError, has_user_code, run
from ad_compiler.symbolic.report import NO, OPEN, YES, Report, Verdict
from ad_compiler.symbolic.terms import UncheckedError
from ad_compiler.transforms.jvp import jvp
from ad_compiler.transforms.vjp import joint_vjp

ATTEMPTS = 24
DOT_TOLERANCE = 1e-10
BUDGET = 6.0  # seconds for a proof


# -------------------------------------------------------------------------------------------------- entries


def check_definition(
    definition: Definition,
    *,
    at: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Tree] | None = None,
    wrt: Sequence[str] | None = None,
    seed: int = 0,
) -> Report:
    """Check a function that was read from text.  Nothing of it is run but its arithmetic."""
    from ad_compiler.frontend.lower import static_arguments

    mine = _mine(definition, arguments or {})
    trees = static_arguments(definition, mine)
    given = points.from_calls(definition) if at is None or not at else dict(at)
    if at:
        _refuse_strangers(definition.name, at, trees)
    wanted = _wanted(definition.name, trees, wrt)
    program = Derivatives(Written(definition).lower(trees, Stages()), wanted, definition.name)
    given = {name: points.fitted(value, trees[name]) for name, value in given.items() if name in trees}
    return _report(program, lambda: _drawn(program, trees, given, seed), seed)


def has_derivative(definition: Definition, arguments: Mapping[str, Tree]) -> bool:
    """Whether a function read from text has an argument that can be differentiated."""
    from ad_compiler.frontend.lower import static_arguments

    return bool(differentiable_names(static_arguments(definition, _mine(definition, arguments))))


def _mine(definition: Definition, arguments: Mapping[str, Tree]) -> dict[str, Tree]:
    """The types that are said of this function's parameters."""
    given = definition.parameters
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return {name: tree for name, tree in arguments.items() if name in names}


def check(f: Callable[..., Any], *args: Any, wrt: Sequence[str] | None = None, seed: int = 0) -> Report:
    """Check the derivatives of a live function at these arguments."""
    from ad_compiler.frontend.read import from_function
    from ad_compiler.specialise import Binder

    binder = Binder(inspect.signature(f), getattr(f, "__name__", "function"))
    bound = binder.positional(args, {})
    trees = binder.arguments(bound)
    definition = from_function(f)
    wanted = _wanted(definition.name, trees, wrt)
    program = Derivatives(Written(definition).lower(trees, Stages()), wanted, definition.name)
    point = dict(zip(trees, bound, strict=True))
    return _report(program, lambda: iter([point]), seed)


def _wanted(name: str, trees: Mapping[str, Tree], wrt: Sequence[str] | None) -> tuple[str, ...]:
    """The parameters to differentiate with respect to."""
    possible = differentiable_names(dict(trees))
    if wrt is not None:
        _refuse_strangers(name, wrt, trees)
        possible = tuple(one for one in wrt if one in possible)
    if not possible:
        message = f"`{name}` has no argument to differentiate with respect to"
        raise ArgumentValueError(Diagnostic("ADC202", message, help="say which are floats: `--arg 'x: float'`"))
    return possible


def _refuse_strangers(function: str, names: Any, trees: Mapping[str, Tree]) -> None:
    for name in names:
        if name not in trees:
            there = ", ".join(f"`{one}`" for one in trees) or "none"
            message = f"`{function}` has no argument `{name}`"
            raise ArgumentValueError(Diagnostic("ADC204", message, help=f"its arguments: {there}"), argument=name)


# ------------------------------------------------------------------------------------------------ the programs


class Derivatives:
    """A function's primal, tangent and adjoint programs, and how their leaves line up."""

    def __init__(self, primal: Module, wrt: tuple[str, ...], name: str) -> None:
        settle = Stages().settle
        self.name = name
        self.wrt = wrt
        self.primal = primal
        self.positions = sorted(leaf_positions(primal.functions[primal.main], wrt))
        self.tangent = settle(jvp(primal, self.positions), "jvp")
        self.adjoint = settle(joint_vjp(primal, self.positions), "vjp")

    def leaves(self, point: Mapping[str, Any]) -> list[Any]:
        """The flat values that the programs take, in the order of the primal's parameters."""
        function = self.primal.functions[self.primal.main]
        return [leaf for one in function.parameters for leaf in flatten(point[one.name], one.tree)]

    def value(self, leaves: Sequence[Any]) -> list[Any]:
        return list(run(self.primal, leaves))

    def push(self, leaves: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """(value, J t)."""
        results = run(self.tangent, [*leaves, *tangents])
        return list(results[: len(results) // 2]), list(results[len(results) // 2 :])

    def pull(self, leaves: Sequence[Any], cotangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """(value, Jᵀ ct)."""
        results = run(self.adjoint, [*leaves, *cotangents])
        return list(results[: len(cotangents)]), list(results[len(cotangents) :])


def _drawn(
    program: Derivatives, trees: Mapping[str, Tree], given: Mapping[str, Any], seed: int
) -> Iterator[dict[str, Any]]:
    for attempt in range(ATTEMPTS):
        yield points.drawn(trees, given, seed, attempt)


def _report(program: Derivatives, candidates: Callable[[], Iterator[dict[str, Any]]], seed: int) -> Report:
    """The first candidate at which the program is defined and finite, and the three looks at it."""
    report = Report(program.name)
    reason = "no point was found at which it is defined and finite; give one with --at"
    try:
        for point in candidates():
            try:
                leaves = program.leaves(point)
                value = program.value(leaves)
            except UncheckedError:
                raise
            except Exception as error:  # whatever the program raises here: not a point of its domain
                if not isinstance(error, OutsideError):
                    reason = f"no point was found at which it is defined; the last try: {type(error).__name__}: {error}"
                continue
            if all(map(points.finite, value)):
                report.point = point
                break
        else:
            raise UncheckedError(reason)
    except UncheckedError as unchecked:
        report.verdicts = [Verdict("program", OPEN, str(unchecked))]
        return report
    _look(report, program, leaves, value, seed)
    return report


def _look(report: Report, program: Derivatives, leaves: list[Any], value: list[Any], seed: int) -> None:
    random = np.random.default_rng([seed, 7])
    tangents = [points.direction(leaves[k], random) for k in program.positions]
    cotangents = [points.direction(leaf, random) for leaf in value]
    try:
        pushed = program.push(leaves, tangents)[1]
        pulled = program.pull(leaves, cotangents)[1]
    except UncheckedError as unchecked:
        report.verdicts = [Verdict("program", OPEN, str(unchecked))]
        return
    report.gradient = _gradient(program, leaves, value)
    report.verdicts = [
        _proof(program, leaves),
        _dot_product(cotangents, pushed, pulled, tangents),
        _differences(program, leaves, tangents, cotangents, pushed),
        _emitted(program, leaves, tangents, cotangents, pushed, pulled),
    ]


def _gradient(program: Derivatives, leaves: list[Any], value: list[Any]) -> dict[str, Any] | None:
    """The gradient by name, of a function whose result is one number."""
    if len(value) != 1 or np.ndim(value[0]) != 0 or isinstance(value[0], list | tuple):
        return None
    bars = iter(program.pull(leaves, [1.0])[1])
    function = program.primal.functions[program.primal.main]
    found = {}
    for parameter in function.parameters:
        if parameter.name in program.wrt:
            parts = [next(bars) for _ in leaf_positions(function, (parameter.name,))]
            found[parameter.name] = parts[0] if len(parts) == 1 else parts
    return {
        name: float(part) if not isinstance(part, list) and np.ndim(part) == 0 else part for name, part in found.items()
    }


# -------------------------------------------------------------------------------------------------- the looks


def _inner(a: Sequence[Any], b: Sequence[Any]) -> tuple[float, float]:
    """⟨a, b⟩, and the sum of its terms' sizes."""
    products = [term for x, y in zip(a, b, strict=True) for term in points.terms(x, y)]
    return float(np.sum(products)), float(np.sum(np.abs(products)))


def _dot_product(
    cotangents: Sequence[Any], pushed: Sequence[Any], pulled: Sequence[Any], tangents: Sequence[Any]
) -> Verdict:
    forward, size = _inner(cotangents, pushed)
    reverse, other = _inner(pulled, tangents)
    if not np.isfinite([forward, reverse]).all():
        same = np.array_equal(np.isnan(forward), np.isnan(reverse))
        return Verdict("dot product", OPEN if same else NO, f"not finite: {forward} and {reverse}")
    error = abs(forward - reverse) / max(size, other, 1e-300)
    return Verdict("dot product", YES if error < DOT_TOLERANCE else NO, f"relative difference {error:.1e}")


def _differences(
    program: Derivatives,
    leaves: Sequence[Any],
    tangents: Sequence[Any],
    cotangents: Sequence[Any],
    pushed: Sequence[Any],
) -> Verdict:
    expected, size = _inner(cotangents, pushed)

    def along(step: float) -> float:
        shifted = list(leaves)
        for k, tangent in zip(program.positions, tangents, strict=True):
            shifted[k] = points.moved(leaves[k], tangent, step)
        return _inner(cotangents, program.value(shifted))[0]

    try:
        found, error = extrapolated(along)
    except (UncheckedError, OutsideError, ArithmeticError, ValueError, IndexError, TypeError) as problem:
        return Verdict("differences", OPEN, f"the program is not defined around this point: {problem}")
    scale = max(size, abs(found), 1e-8)
    distance = abs(found - expected)
    if not np.isfinite([found, expected]).all():
        return Verdict("differences", OPEN, f"not finite: {expected} against {found}")
    if distance <= 1e-6 * scale:
        return Verdict("differences", YES, f"relative difference {distance / scale:.1e}")
    if distance <= 10 * error:
        return Verdict("differences", OPEN, f"differences are too rough here: {found:.6g} ± {error:.1g}")
    return Verdict("differences", NO, f"{expected:.10g}, and differences give {found:.10g} ± {error:.1g}")


def extrapolated(along: Callable[[float], float], step: float = 1e-2, rounds: int = 9) -> tuple[float, float]:
    """The slope of `along` at 0 by Ridders' method, and its estimated error."""
    table: list[list[float]] = []
    best, error = np.nan, np.inf
    for _ in range(rounds):
        row = [(along(step) - along(-step)) / (2 * step)]
        for j, before in enumerate(table[-1] if table else []):
            factor = 4.0 ** (j + 1)
            row.append((factor * row[j] - before) / (factor - 1))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - before))
            if change <= error:
                best, error = row[-1], change
        table.append(row)
        step /= 2.0
    return float(best), float(error)


def _proof(program: Derivatives, leaves: Sequence[Any]) -> Verdict:
    from ad_compiler.symbolic.prove import prove

    start = time.perf_counter()
    try:
        programs = program.primal, program.tangent, program.adjoint
        look, answer, detail = prove(*programs, program.positions, leaves, BUDGET)
    except UncheckedError as unchecked:
        return Verdict("proof", OPEN, str(unchecked))
    return Verdict(look, answer, f"{detail} ({time.perf_counter() - start:.1f} s)")


def _emitted(
    program: Derivatives,
    leaves: Sequence[Any],
    tangents: Sequence[Any],
    cotangents: Sequence[Any],
    pushed: Sequence[Any],
    pulled: Sequence[Any],
) -> Verdict:
    """The emitted source against the interpreter.  Not where it holds statements of the user's: those are not run."""
    look = "emitted code"
    if has_user_code(program.tangent) or has_user_code(program.adjoint):
        return Verdict(look, OPEN, "it holds statements of yours, which are not run here")
    for module, extra, expected in (
        (program.tangent, tangents, pushed),
        (program.adjoint, cotangents, pulled),
    ):
        before = copy.deepcopy([*leaves, *extra])
        results = call_emitted(module, [*leaves, *extra], classes_of(program.primal))
        found = results[len(results) - len(expected) :]
        if not all(map(points.close, found, expected)):
            return Verdict(look, NO, f"`{module.main}` computes something else than its program means")
        if not all(map(points.same, before, [*leaves, *extra])):
            return Verdict(look, NO, f"`{module.main}` writes into its arguments")
    return Verdict(look, YES, "it computes what its program means")


def call_emitted(module: Module, flat: Sequence[Any], classes: Mapping[str, Any]) -> list[Any]:
    """The leaves of what the emitted main function returns for these leaves of its arguments."""
    from ad_compiler.backends.load import load
    from ad_compiler.backends.numpy import emit

    module = finished(module, Stages())
    function = module.functions[module.main]
    for other in module.functions.values():  # defaults and annotations are the user's text, which loading would run
        other.parameters = [replace(parameter, default=None, annotation=None) for parameter in other.parameters]
    emitted = load(emit(module), None, captured_objects(module) | dict(classes))[module.main]
    values = iter(flat)
    by_name = {parameter.name: rebuild(parameter.tree, values) for parameter in function.parameters}
    given: list[Any] = []
    keywords: dict[str, Any] = {}
    starred = False
    for one in inspect.signature(emitted).parameters.values():
        if one.kind is one.VAR_POSITIONAL:
            given.extend(by_name[one.name])
            starred = True
        elif one.kind is one.VAR_KEYWORD:
            keywords |= by_name[one.name]
        elif one.kind is one.KEYWORD_ONLY or starred:
            keywords[one.name] = by_name[one.name]
        else:
            given.append(by_name[one.name])
    assert function.outputs is not None
    with np.errstate(all="ignore"):
        return flatten(emitted(*given, **keywords), function.outputs)
