"""`check(pass, before=…, after=…)`: the text after the pass, and the numbers of both."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import numpy as np

from ad_compiler.ir.core import Module
from ad_compiler.ir.printer import show
from ad_compiler.ir.types import INT, ListType, Symbol, Tensor, Type
from ad_compiler.passes.doc import Pass, apply_pass
from ad_compiler.primitives.evaluate import evaluate, parse


def check(one: Pass, before: str, after: str, *arguments: Any, exact: bool = True) -> None:
    """The pass makes `after` of `before`, and both give the same numbers, on `arguments` or on some of ours."""
    module = parse(dedent(before))
    changed = apply_pass(one, before)
    assert show(changed) == show(parse(dedent(after)))
    compare(module, changed, *arguments, exact=exact)


def unchanged(one: Pass, text: str) -> None:
    """The pass leaves the program as it is, and says so."""
    module = parse(dedent(text))
    said = [one(function, module) for function in module.functions.values()]
    assert show(module) == show(parse(dedent(text)))
    assert not any(said)


def compare(before: Module, after: Module, *arguments: Any, exact: bool = True) -> None:
    arguments = arguments or samples(before)
    with np.errstate(all="ignore"):
        expected, got = evaluate(before, *arguments), evaluate(after, *arguments)
    assert len(expected) == len(got)
    for one, other in zip(expected, got, strict=True):
        same(one, other, exact=exact)


def same(expected: Any, got: Any, *, exact: bool = True) -> None:
    if isinstance(expected, list | tuple):
        assert len(expected) == len(got)
        for one, other in zip(expected, got, strict=True):
            same(one, other, exact=exact)
        return
    assert np.shape(expected) == np.shape(got)
    assert np.asarray(expected).dtype == np.asarray(got).dtype
    if exact:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def samples(module: Module, seed: int = 0) -> list[Any]:
    """Arguments of the main function; equal symbols are equal lengths."""
    random = np.random.default_rng(seed)
    lengths: dict[Symbol, int] = {}
    return [sample(value.type, random, lengths) for value in module.functions[module.main].body.parameters]


def sample(type: Type, random: np.random.Generator, lengths: dict[Symbol, int]) -> Any:
    if isinstance(type, ListType):
        return [sample(type.element, random, lengths) for _ in range(3)]
    assert isinstance(type, Tensor)
    if type == INT:
        return int(random.integers(1, 5))
    if type.dtype == "bool":
        return bool(random.integers(2))
    if isinstance(type.shape, Symbol):
        shape: tuple[int, ...] = (4, 3)
    else:
        shape = tuple(
            dim.offset + (0 if dim.symbol is None else lengths.setdefault(dim.symbol, 4 + len(lengths)))
            for dim in type.shape
        )
    if type.dtype == "i64":
        return random.integers(0, 4, size=shape)
    value = random.normal(size=shape) + 2.0
    return float(value) if shape == () else value.astype("float32" if type.dtype == "f32" else "float64")
