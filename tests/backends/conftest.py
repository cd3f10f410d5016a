"""`emits(ssa, text, *calls)`: the SSA is emitted as this text, which on these arguments does what the SSA does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ad_compiler.backends.load import load
from ad_compiler.backends.numpy import emit
from ad_compiler.ir.core import Module
from ad_compiler.primitives.evaluate import evaluate, parse, verify

HEADER = "import numpy as np\n\n\n"


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-12, atol=1e-12, equal_nan=True)


def runs(module: Module, text: str, *calls: tuple[Any, ...]) -> None:
    """The text computes what the module means, and leaves its arguments alone."""
    for given in calls:
        arguments = copy.deepcopy(given)
        expected = evaluate(module, *copy.deepcopy(given))
        found = load(text)[module.main](*arguments)
        found = found if len(expected) > 1 else (found,)
        assert same(tuple(expected), found), f"{given}: {expected} {found}\n{text}"
        assert same(tuple(given), tuple(arguments)), f"an argument was changed\n{text}"


@pytest.fixture
def emits() -> Callable[..., str]:
    def check(ssa: str, body: str | None, *calls: tuple[Any, ...]) -> str:
        module = parse(ssa)
        verify(module)
        text = emit(module)
        runs(module, text, *calls)
        if body is not None:
            expected = body.strip("\n") + "\n"
            assert text.removeprefix(HEADER) == expected, text
        return text

    return check
