"""Emitted text against the interpreter, on random programs of writes, views, lists and loops."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from ad_compiler.backends.load import load
from ad_compiler.backends.numpy import emit
from ad_compiler.primitives.evaluate import evaluate, verify
from tests.backends.programs import arguments, random_module

np.seterr(all="ignore")


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)


def arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [array for part in value for array in arrays(part)] if isinstance(value, list | tuple) else []


def check(seed: int, size: int = 14) -> str:
    """The emitted text, once it has been found right."""
    module = random_module(seed, size)
    verify(module)
    text = emit(module)
    given = arguments(seed)
    expected = evaluate(module, *copy.deepcopy(given))
    before = copy.deepcopy(given)
    found = load(text)["f"](*given)
    assert same(before, given), f"seed {seed}: an argument was changed\n{text}"
    calls = []
    if callable(expected[-1]):
        seeds = 2.0, np.arange(4.0)
        reference = expected[-1](*seeds)
        for _ in range(2):
            calls.append(found[-1](*seeds))
            assert same(reference, calls[-1]), f"seed {seed}: the closure differs\n{text}"
            for array in arrays(calls[-1]):
                array[...] = 7.0
        assert same(seeds, (2.0, np.arange(4.0)))
        expected, found = expected[:-1], found[:-1]
    assert len(expected) == len(found)
    for k, (a, b) in enumerate(zip(expected, found, strict=True)):
        assert same(a, b), f"seed {seed}: result {k} differs: {a} {b}\n{text}"
    apart(list(found), given, seed, text)
    return text


def apart(found: list[Any], given: list[Any], seed: int, text: str) -> None:
    """Results share no memory with arguments or with each other."""
    results = [arrays(value) for value in found]
    for k, own in enumerate(results):
        for other in [*(array for value in results[:k] for array in value), *arrays(given)]:
            assert not any(np.shares_memory(array, other) for array in own), f"seed {seed}: shared\n{text}"


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_random_programs(start: int) -> None:
    for seed in range(start, start + 50):
        check(seed)
