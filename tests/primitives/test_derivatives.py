"""Every primitive: its tangent against finite differences, its adjoint against its tangent, both again at the
second order, its types against what comes out, its NumPy expression against its implementation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ad_compiler.ir.types import Dim, ListType, Symbol, Tensor, TupleType, Type
from ad_compiler.primitives.declare import REGISTRY
from ad_compiler.primitives.rules import NoRule
from tests.primitives.programs import KNOWLEDGE, Program, adjoint_program, run, run_emitted, tangent_program
from tests.primitives.samples import DATA, samples_of

STEP = 1e-6
NAMES = sorted(name for name in REGISTRY if name not in DATA)


# ---------------------------------------------------------------------------- numbers in nested lists


def flat(value: Any) -> np.ndarray:
    if isinstance(value, list | tuple):
        return np.concatenate([flat(part) for part in value]) if value else np.zeros(0)
    return np.ravel(np.asarray(value, dtype=float))


def moved(value: Any, direction: Any, step: float) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(moved(v, d, step) for v, d in zip(value, direction, strict=True))
    return value + step * direction


def random_like(value: Any, random: np.random.Generator) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(random_like(part, random) for part in value)
    if isinstance(value, np.ndarray):
        return random.uniform(0.5, 1.5, value.shape).astype(value.dtype if value.dtype.kind == "f" else float)
    drawn = float(random.uniform(0.5, 1.5))
    return value.dtype.type(drawn) if isinstance(value, np.floating) else drawn


def structure(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [structure(part) for part in value]
    return np.shape(value)


# ---------------------------------------------------------------------------- checks


class Point:
    """A program and the values of its parameters."""

    def __init__(self, program: Program, values: list[Any]) -> None:
        self.program, self.values = program, values
        self.single = any(np.asarray(v).dtype == np.float32 for v in values if not isinstance(v, list | tuple))

    def __call__(self, values: list[Any] | None = None) -> np.ndarray:
        return flat(run(self.program, self.values if values is None else values)[0])

    def differences(self, directions: dict[int, Any]) -> np.ndarray:
        step = 2e-3 if self.single else STEP
        sides = [
            self([moved(v, directions[k], s) if k in directions else v for k, v in enumerate(self.values)])
            for s in (step, -step)
        ]
        return (sides[0] - sides[1]) / (2 * step)


def check_first_order(make: Any, values: list[Any], seed: int) -> tuple[Point, Point] | None:
    """Tangent against differences, adjoint against tangent; the two derivative programs at their points."""
    random = np.random.default_rng(seed)
    point = Point(make(), values)
    if not point.program.active:
        return None
    dots = {k: random_like(values[k], random) for k in point.program.active}
    tangent = Point(tangent_program(make()), [*values, *dots.values()])
    forward, environment = run(tangent.program, tangent.values)
    results = run(point.program, values)[0]
    assert structure(forward) == structure(results)
    loose = 2e-3 if point.single else 2e-6
    np.testing.assert_allclose(flat(forward), point.differences(dots), rtol=loose, atol=loose)
    check_types(tangent.program, environment)
    cts = [random_like(result, random) for result in results]
    adjoint = Point(adjoint_program(make()), [*values, *cts])
    bars, environment = run(adjoint.program, adjoint.values)
    assert structure(bars) == structure(list(values[k] for k in point.program.active))
    tight = 1e-5 if point.single else 1e-11
    np.testing.assert_allclose(
        flat(cts) @ flat(forward), flat(bars) @ flat(list(dots.values())), rtol=tight, atol=tight
    )
    check_types(adjoint.program, environment)
    if point.single:
        assert {np.asarray(one).dtype for one in [*forward, *bars]} == {np.dtype(np.float32)}
    return tangent, adjoint


def check_emitted(derived: Point) -> None:
    found = flat(run_emitted(derived.program, derived.values))
    np.testing.assert_allclose(found, derived(), rtol=1e-6 if derived.single else 1e-12)


def every_case() -> Iterator[Any]:
    for name in NAMES:
        for number, (values, attributes) in enumerate(samples_of(name)):
            yield pytest.param(name, values, attributes, id=f"{name}-{number}")


CASES = list(every_case())


def odd(values: tuple[Any, ...]) -> bool:
    """Every other case: what is dear is not done with each."""
    return NUMBERS[id(values)] % 2 == 1


NUMBERS = {id(case.values[1]): k for k, case in enumerate(CASES)}


@pytest.mark.parametrize(("name", "values", "attributes"), CASES)
@pytest.mark.parametrize("knowledge", KNOWLEDGE)
def test_rules(name: str, values: tuple[Any, ...], attributes: dict[str, Any], knowledge: str) -> None:
    def make() -> Program:
        return Program.of(name, values, attributes, knowledge)

    given = [value for value in values if value is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = check_first_order(make, given, seed=1)
            if found is None:
                return
            tangent, adjoint = found
            if knowledge == "lengths" or (knowledge == "nothing" and odd(values)):
                check_emitted(tangent)
                check_emitted(adjoint)
            if not tangent.single and knowledge != "lengths" and (knowledge == "ranks" or odd(values)):
                check_first_order(lambda: tangent_program(make()), tangent.values, seed=2)
                check_first_order(lambda: adjoint_program(make()), adjoint.values, seed=3)
        except NoRule:
            if knowledge != "nothing":
                raise


@pytest.mark.parametrize(("name", "values", "attributes"), CASES)
def test_types_and_emission(name: str, values: tuple[Any, ...], attributes: dict[str, Any]) -> None:
    given = [value for value in values if value is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for knowledge in KNOWLEDGE:
            program = Program.of(name, values, attributes, knowledge)
            results, environment = run(program, given)
            check_types(program, environment)
            if knowledge == "ranks":
                continue
            emitted = run_emitted(program, given)
            assert structure(emitted) == structure(results)
            if name != "empty" and all(isinstance(r, np.ndarray | float | int | np.generic) for r in results):
                np.testing.assert_array_equal(flat(emitted), flat(results))


def in_single(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(in_single, value))
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == float else value


def dtypes(value: Any) -> set[Any]:
    if isinstance(value, list | tuple):
        return set().union(*map(dtypes, value))
    return {value.dtype} if isinstance(value, np.ndarray) else set()


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_stays(name: str) -> None:
    """Arrays of float32 in, float32 out: of the primitive, and so of its derivatives in both modes.

    Not where Python numbers are operands too: arithmetic among these is in float64.
    """
    random = np.random.default_rng(4)
    for values, attributes in samples_of(name):
        given = [in_single(value) for value in values if value is not None]
        is_mixed = any(isinstance(value, float) for value in given) or (name == "power" and isinstance(given[0], int))
        if is_mixed or not any(map(dtypes, given)) or "dtype" in attributes:
            continue
        program = Program.of(name, [in_single(value) for value in values], attributes, "lengths")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            results, environment = run(program, given)
            if not program.active or dtypes(results) - {np.dtype(np.float32)}:
                continue
            check_types(program, environment)
            tangent = tangent_program(Program.of(name, [in_single(value) for value in values], attributes, "lengths"))
            dots = [in_single(random_like(given[k], random)) for k in program.active]
            assert dtypes(run(tangent, [*given, *dots])[0]) <= {np.dtype(np.float32)}
            assert dtypes(run_emitted(tangent, [*given, *dots])) <= {np.dtype(np.float32)}
            adjoint = adjoint_program(Program.of(name, [in_single(value) for value in values], attributes, "lengths"))
            cts = [in_single(random_like(result, random)) for result in results]
            assert dtypes(run(adjoint, [*given, *cts])[0]) <= {np.dtype(np.float32)}
            assert dtypes(run_emitted(adjoint, [*given, *cts])) <= {np.dtype(np.float32)}


@pytest.mark.parametrize("name", NAMES)
def test_every_primitive_has_samples(name: str) -> None:
    assert samples_of(name), f"add operands for `{name}` to tests/primitives/samples.py"


# ---------------------------------------------------------------------------- types


def check_types(program: Program, environment: dict[int, Any]) -> None:
    """What a type claims is true of the value; a symbol is the same length wherever it stands."""
    lengths: dict[Any, Any] = {}
    for value in program.parameters:
        check_type(value.type, environment[id(value)], lengths, value.hint)
    for op in program.builder.block.ops:
        for result in op.results:
            if id(result) in environment:
                check_type(result.type, environment[id(result)], lengths, op.name)


def check_type(type: Type, value: Any, lengths: dict[Any, Any], where: str) -> None:
    if isinstance(type, ListType):
        for part in value:
            check_type(type.element, part, {}, where)
    elif isinstance(type, TupleType):
        for element, part in zip(type.elements, value, strict=True):
            check_type(element, part, lengths, where)
    elif isinstance(type, Tensor):
        shape = np.shape(value)
        if type.dtype in ("f32", "f64"):
            assert np.asarray(value).dtype.kind in "fc", f"{where}: {type} is no float"
        if isinstance(type.shape, Symbol):
            assert lengths.setdefault(type.shape, shape) == shape, f"{where}: shapes of {type}"
            return
        assert len(type.shape) == len(shape), f"{where}: {type} has the shape {shape}"
        for dim, length in zip(type.shape, shape, strict=True):
            check_length(dim, length, lengths, where)


def check_length(dim: Dim, length: int, lengths: dict[Any, Any], where: str) -> None:
    if dim.symbol is None:
        assert dim.offset == length, where
    elif dim.offset >= 0 or length > 0:
        assert lengths.setdefault(dim.symbol, length - dim.offset) == length - dim.offset, where
        assert not (dim.symbol.many and dim.offset == 0 and length == 1), where
    elif dim.symbol in lengths:
        assert lengths[dim.symbol] + dim.offset <= 0, where
