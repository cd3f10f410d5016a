"""For the examples at the head of each pass: what it makes of a program."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

from ad_compiler.ir.core import Function, Module
from ad_compiler.ir.printer import show
from ad_compiler.primitives.evaluate import parse, verify

Pass = Callable[[Function, Module], bool]


def apply_pass(one: Pass, text: str) -> Module:
    """The module of the text after one run of the pass over each of its functions."""
    module = parse(dedent(text))
    verify(module, "the text")
    for function in module.functions.values():
        one(function, module)
    verify(module, one.__name__)
    return module


def before_after(one: Pass, text: str) -> None:
    """Print the program after the pass."""
    print(show(apply_pass(one, text)))  # noqa: T201
