"""What an operation is and how it differentiates.  `FAMILIES` lists the files that declare primitives.

A primitive is looked up by its name (`lookup`), or by the callable a user wrote (`spelled`, `method`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block
from ad_compiler.ir.types import Type
from ad_compiler.primitives import (
    composed,
    containers,
    creation,
    einsum,
    elementwise,
    indexing,
    joining,
    linalg,
    reductions,
    repetition,
    scalars,
    shaping,
)
from ad_compiler.primitives.declare import REGISTRY, Primitive

FAMILIES = (
    elementwise, scalars, reductions, creation, shaping, joining, repetition, indexing, linalg, einsum, containers,
    composed,
)  # fmt: skip

_SPELLINGS: dict[int, tuple[Any, Primitive]] = {}
_METHODS: dict[str, Primitive] = {}
_INDEXED: set[str] = set()


def lookup(name: str) -> Primitive:
    """The primitive called `name`; KeyError when there is none."""
    return REGISTRY[name]


def spelled(callable: Any) -> Primitive | None:
    """The primitive that users write as this callable: by identity, never by `==`."""
    _index()
    found = _SPELLINGS.get(id(callable))
    return found[1] if found is not None and found[0] is callable else None


def method(name: str) -> Primitive | None:
    """The primitive that `x.name(…)` or `x.name` is, for an array or a number `x`."""
    _index()
    return _METHODS.get(name)


def infer(name: str, types: Sequence[Type], attributes: dict[str, Any]) -> tuple[Type, ...]:
    """The types of the results of `name`, by its own rule."""
    primitive = REGISTRY[name]
    result = primitive.infer(types, primitive.defaults() | attributes)
    return result if isinstance(result, tuple) else (result,)


def builder(block: Block | None = None) -> Builder:
    """A builder that knows the primitives."""
    return Builder(infer, block)


def _index() -> None:
    """Bring spellings and methods up to date with the registry, to which users can add."""
    if len(_INDEXED) == len(REGISTRY):
        return
    for primitive in REGISTRY.values():
        if primitive.name in _INDEXED:
            continue
        _INDEXED.add(primitive.name)
        for spelling in primitive.spellings:
            other = _SPELLINGS.setdefault(id(spelling), (spelling, primitive))[1]
            if other is not primitive:
                raise ValueError(f"{spelling} spells both `{other.name}` and `{primitive.name}`")
        for name in primitive.methods:
            if _METHODS.setdefault(name, primitive) is not primitive:
                raise ValueError(f"method `{name}` spells both `{_METHODS[name].name}` and `{primitive.name}`")
