"""What an operation is and how it differentiates.  `FAMILIES` lists the files that declare primitives.

A primitive is looked up by its name (`lookup`), or by the callable a user wrote (`spelled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block
from ad_compiler.ir.types import Type
from ad_compiler.primitives import containers, elementwise, indexing, linalg, reductions, shaping
from ad_compiler.primitives.declare import REGISTRY, Primitive

FAMILIES = (elementwise, reductions, shaping, indexing, linalg, containers)


def lookup(name: str) -> Primitive:
    """The primitive called `name`; KeyError when there is none."""
    return REGISTRY[name]


def infer(name: str, types: Sequence[Type], attributes: dict[str, Any]) -> tuple[Type, ...]:
    """The types of the results of `name`, by its own rule."""
    primitive = REGISTRY[name]
    result = primitive.infer(types, primitive.defaults() | attributes)
    return result if isinstance(result, tuple) else (result,)


def builder(block: Block | None = None) -> Builder:
    """A builder that knows the primitives."""
    return Builder(infer, block)
