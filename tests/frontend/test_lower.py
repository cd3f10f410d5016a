"""Lowering: the SSA of each small program computes what the program computes."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ad_compiler.frontend.lower import lower
from ad_compiler.frontend.read import from_function
from ad_compiler.ir.core import Module
from ad_compiler.ir.printer import show
from ad_compiler.ir.trees import rebuild
from ad_compiler.primitives.evaluate import evaluate, verify
from ad_compiler.specialise import flatten, signature_of
from tests.frontend.programs import CASES

IDS = [f"{function.__name__}-{k}" for k, (function, _) in enumerate(CASES)]


def lowered(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Module, list[Any]]:
    """The verified module for these arguments, and their leaves."""
    memo: dict = {}
    names = list(inspect.signature(function).parameters)
    trees = {name: signature_of(value, memo) for name, value in zip(names, args, strict=True)}
    module = lower(from_function(function), trees)
    verify(module)
    return module, [leaf for name, value in zip(names, args, strict=True) for leaf in flatten(value, trees[name])]


def run(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    module, leaves = lowered(function, args)
    outputs = module.functions[module.main].outputs
    assert outputs is not None
    return rebuild(outputs, iter(evaluate(module, *leaves)))


def assert_same(found: Any, expected: Any) -> None:
    """The same structure, the same shapes, the same numbers."""
    if isinstance(expected, np.ndarray | float | int | np.generic):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected) and len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif hasattr(expected, "__dict__"):
        assert_same(vars(found), vars(expected))
    else:
        assert found == expected


@pytest.mark.parametrize(("function", "args"), CASES, ids=IDS)
def test_value(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    expected = function(*copy.deepcopy(args))
    given = copy.deepcopy(args)
    assert_same(run(function, given), expected)
    assert_same(given, args)  # running the SSA changes no argument


@pytest.mark.parametrize(("function", "args"), CASES[::7], ids=IDS[::7])
def test_lowering_is_deterministic(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    first, second = (show(lowered(function, args)[0]) for _ in range(2))
    assert first == second
