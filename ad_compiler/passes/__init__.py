"""SSA -> SSA, same meaning: `optimise(module)` runs the passes in order, again and again while one changes something.

A pass is `(function, module) -> changed`, in a file of its own, and changes the function in place.
"""

from __future__ import annotations

from ad_compiler.ir.core import Module
from ad_compiler.passes.borrow import borrow
from ad_compiler.passes.cse import cse
from ad_compiler.passes.dce import dce
from ad_compiler.passes.fold import fold
from ad_compiler.passes.hoist import hoist
from ad_compiler.passes.simplify import simplify
from ad_compiler.primitives.evaluate import verify

PASSES = (dce, fold, simplify, cse, borrow, dce, hoist)
ROUNDS = 10  # more than any program has needed; each round leaves less to do


def optimise(module: Module, *, debug: bool = False) -> Module:
    """The same module, better.  With `debug` it is verified after each pass."""
    for function in module.functions.values():
        for _ in range(ROUNDS):
            changed = False
            for one in PASSES:
                changed |= one(function, module)
                if debug:
                    verify(module, one.__name__)
            if not changed:
                break
    return module


run = optimise
