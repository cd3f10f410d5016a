"""Questions about a value that are answered when compiling: `isinstance`, `type`, `hasattr`…"""

from __future__ import annotations

import types
import typing

import numpy as np

from ad_compiler.frontend import attributes, calls, views
from ad_compiler.frontend.context import Lowering, describe, is_list, tensor_type
from ad_compiler.frontend.values import Bound, Closure, Entries, Group, Meaning, Reference, Scalar, Static
from ad_compiler.ir.types import FLOATS, INTEGERS, Tensor, is_scalar, rank


def is_instance(low: Lowering, meaning: Meaning, cls: Meaning) -> Meaning:
    classes = _classes(low, cls)
    if isinstance(meaning, Static):
        return Static(isinstance(meaning.value, classes))
    kind = _class_of(low, meaning)
    if kind is not None:
        return Static(issubclass(kind, classes))
    type = tensor_type(low, meaning)
    if type is not None and not is_scalar(type) and rank(type) is None:
        low.refuse("ADC118", "the type of this is not known when compiling")
    low.refuse("ADC118", f"the type of {describe(meaning)} is not known when compiling")


def _classes(low: Lowering, cls: Meaning) -> tuple[type, ...]:
    if isinstance(cls, Group):
        return tuple(one for item in cls.items for one in _classes(low, item))
    if isinstance(cls, Static) and isinstance(cls.value, type):
        return (cls.value,)
    if isinstance(cls, Static) and isinstance(cls.value, types.UnionType):
        return typing.get_args(cls.value)
    low.refuse("ADC118", "the class in `isinstance` must be known when compiling")


def _class_of(low: Lowering, meaning: Meaning) -> type | None:
    """The class of what a meaning stands for, where that is known."""
    if isinstance(meaning, Group):
        return meaning.cls  # type: ignore[no-any-return]
    if isinstance(meaning, Closure | Bound):
        return types.FunctionType
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Entries):
            return content.cls  # type: ignore[no-any-return]
        if is_list(low, meaning):
            return list
    type = tensor_type(low, meaning)
    if type is None or rank(type) is None:
        return None
    if not is_scalar(type):
        return np.ndarray
    if type.dtype in FLOATS:
        return np.float64 if type.dtype == "f64" else np.float32
    return bool if type.dtype == "bool" else int if type.dtype in INTEGERS else None


def type_of(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(type(meaning.value))
    cls = _class_of(low, meaning)
    if cls is None or (isinstance(meaning, Scalar)):
        low.refuse("ADC118", "the type of this is not known when compiling")
    return Static(cls)


def is_callable(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(callable(meaning.value))
    return Static(isinstance(meaning, Closure | Bound) or calls.method_of(low, meaning, "__call__") is not None)


def is_scalar_(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(np.isscalar(meaning.value))
    type = tensor_type(low, meaning)
    if type is not None and rank(type) is None:
        low.refuse("ADC118", "whether this is a number or an array is not known when compiling")
    return Static(isinstance(type, Tensor) and is_scalar(type))


def get_attribute(low: Lowering, owner: Meaning, name: Meaning, *default: Meaning) -> Meaning:
    if not isinstance(name, Static):
        low.refuse("ADC118", "the name of an attribute must be known when compiling")
    if default and not _has(low, owner, name.value):
        return default[0]
    return attributes.attribute_of(low, owner, name.value)


def has_attribute(low: Lowering, owner: Meaning, name: Meaning) -> Meaning:
    if not isinstance(name, Static):
        low.refuse("ADC118", "the name of an attribute must be known when compiling")
    return Static(_has(low, owner, name.value))


def _has(low: Lowering, owner: Meaning, name: str) -> bool:
    if isinstance(owner, Static):
        return hasattr(owner.value, name)
    content = low.state.content(owner.root) if isinstance(owner, Reference) and not owner.path else None
    if isinstance(content, Entries):
        return content.get(name) is not None or hasattr(content.cls, name)
    cls = _class_of(low, owner)
    if cls is None:
        low.refuse("ADC118", "the type of this is not known when compiling")
    return hasattr(cls, name)
