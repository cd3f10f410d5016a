"""Random programs about aliases are lowered right, or refused; never wrong, never a crash."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from ad_compiler.diagnostics.diagnostic import LanguageError
from ad_compiler.frontend.lower import lower
from ad_compiler.frontend.read import from_text
from ad_compiler.ir.trees import rebuild
from ad_compiler.primitives.evaluate import evaluate, verify
from ad_compiler.specialise import flatten, signature_of
from tests.frontend.random_aliases import program

X = np.array([0.5, -1.2, 2.0, 0.7])
Y = np.arange(12.0).reshape(3, 4) / 7


def outcome(seed: int) -> str:
    """ "right", "refused", or "raises" for a program that Python cannot run; fails on a wrong one."""
    text, args = program(seed), {"x": X, "Y": Y, "n": 2 + seed % 2}
    namespace: dict = {}
    exec(text, namespace)
    with np.errstate(all="ignore"):
        try:
            expected = namespace["f"](**copy.deepcopy(args))
        except (IndexError, ValueError):
            return "raises"
        memo: dict = {}
        trees = {name: signature_of(value, memo) for name, value in args.items()}
        try:
            module = lower(from_text(text).definitions["f"], trees)
        except LanguageError as error:
            return "refused" if all(one.span is not None for one in error.diagnostics) else "refused without a place"
        verify(module)
        leaves = [leaf for name, value in args.items() for leaf in flatten(value, trees[name])]
        outputs = module.functions["f"].outputs
        assert outputs is not None
        found = rebuild(outputs, iter(evaluate(module, *leaves)))
    assert same(found, expected), f"seed {seed}\n{text}\n{found}\n{expected}"
    return "right"


def same(a: object, b: object) -> bool:
    if isinstance(a, list | tuple):
        return isinstance(b, list | tuple) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(60))
def test_right_or_refused(seed: int) -> None:
    assert outcome(seed) in ("right", "refused", "raises")


@pytest.mark.slow
def test_many() -> None:
    outcomes = [outcome(seed) for seed in range(1000, 1200)]
    assert outcomes.count("right") > 100
