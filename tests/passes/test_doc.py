"""The before and after at the head of each pass."""

from __future__ import annotations

import doctest
import importlib

import pytest

import ad_compiler.passes as passes


@pytest.mark.parametrize("name", sorted({one.__name__ for one in passes.PASSES}))
def test_the_example_of(name: str) -> None:
    module = importlib.import_module(f"ad_compiler.passes.{name}")
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
