"""`x.name`: attributes of modules, arrays, objects; and assigning to them.

attribute_of  : Meaning, name -> Meaning       a method of an array, list or dict is an `Attribute`
set_attribute : Meaning, name, Meaning -> ()
"""

from __future__ import annotations

import ast
import types

import numpy as np

from ad_compiler.frontend import calls, containers, control, draws, listmethods, views
from ad_compiler.frontend.context import Lowering, describe, tensor_type
from ad_compiler.frontend.names import of_resolved, outside
from ad_compiler.frontend.resolve import PythonObject, attribute
from ad_compiler.frontend.values import (
    Attribute,
    Bound,
    Choice,
    Closure,
    Entries,
    Group,
    Index,
    Items,
    Lengths,
    Meaning,
    Reference,
    Scalar,
    Static,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import ListType, Tensor, rank
from ad_compiler.primitives import method as primitive_method

DTYPES = {"f32": np.float32, "f64": np.float64, "c64": np.complex64, "c128": np.complex128, "bool": np.bool_}
DTYPES |= {f"{kind}{bits}": np.dtype(f"{kind}{bits // 8}").type for kind in "iu" for bits in (8, 16, 32, 64)}
ARRAY_METHODS = ("copy", "fill", "item", "tolist", "sort", "flat", "conj", "conjugate", "transpose", "astype")


def attribute_of(low: Lowering, owner: Meaning, name: str, node: ast.AST | None = None) -> Meaning:
    low.check_usable(owner)
    owner = control.without_none(owner)
    if isinstance(owner, Choice):
        return control.over_choice(low, owner, owner, lambda m, _: attribute_of(low, m, name, node))
    if isinstance(owner, Static):
        return _of_static(low, owner, name, node)
    if isinstance(owner, Group):
        return _of_tuple(low, owner, name, node)
    if isinstance(owner, Closure):
        if name == "__name__":
            return Static(owner.definition.name)
        low.refuse("ADC116", f"a function has no attribute `{name}` that is known", node)
    if isinstance(owner, Reference) and not owner.path:
        content = views.content_of(low, owner.root)
        if isinstance(content, Entries):
            return _of_entries(low, owner, content, name, node)
        if isinstance(content, Items) or isinstance(content.type, ListType):
            if name not in listmethods.METHODS:
                low.refuse("ADC116", f"a list has no method `{name}` that is known", node)
            return Attribute(owner, name)
    if draws.is_generator(owner):
        return Attribute(owner, name)
    if isinstance(owner, Scalar) and not isinstance(owner.value.type, Tensor):
        low.refuse("ADC116", f"what `{name}` is of this object is not known when compiling", node)
    if isinstance(owner, Scalar | Reference):
        return _of_array(low, owner, name, node)
    low.refuse("ADC116", f"{describe(owner)} has no attribute `{name}` that is known", node)


# ------------------------------------------------------------------------------------------------ arrays


def _of_array(low: Lowering, owner: Meaning, name: str, node: ast.AST | None) -> Meaning:
    type = tensor_type(low, owner)
    assert type is not None
    if name == "shape":
        return shape_of(low, owner)
    if name == "ndim":
        known = rank(type)
        return low.emit("ndim", owner) if known is None else Static(known)
    if name == "size":
        return size_of(low, owner)
    if name == "dtype":
        if type.dtype == "?":
            return Attribute(owner, "dtype")
        return Static(np.dtype(DTYPES[type.dtype]))
    if name == "T":
        return calls.call_method(low, owner, "transpose", [], {})
    if name == "real" and type.dtype in ("f32", "f64", "i64", "i32"):
        return owner
    if name in ("real", "imag") and primitive_method(name) is not None:
        return calls.call_method(low, owner, name, [], {})
    if name in ARRAY_METHODS or primitive_method(name) is not None or name.startswith("__"):
        return Attribute(owner, name)
    low.refuse("ADC116", f"the method or attribute `{name}` of an array is not supported", node)


def shape_of(low: Lowering, owner: Meaning) -> Meaning:
    type = tensor_type(low, owner)
    if type is None:
        items = containers.known_items(low, owner)
        if items is None:
            low.refuse("ADC101", "the shape of this is not known")
        return shape_of(low, low.wrap(containers.array_of(low, owner)))
    if not isinstance(type.shape, tuple):
        return Lengths(owner)
    return Group(tuple(length(low, owner, type, axis) for axis in range(len(type.shape))))


def length(low: Lowering, owner: Meaning, type: Tensor, axis: int) -> Meaning:
    assert isinstance(type.shape, tuple)
    dim = type.shape[axis]
    return Static(dim.offset) if dim.symbol is None else low.emit("dim", owner, axis=axis)


def size_of(low: Lowering, owner: Meaning) -> Meaning:
    type = tensor_type(low, owner)
    if type is not None and isinstance(type.shape, tuple) and all(dim.symbol is None for dim in type.shape):
        total = 1
        for dim in type.shape:
            total *= dim.offset
        return Static(total)
    return low.emit("size", owner)


# -------------------------------------------------------------------------------------- objects at hand


def _of_static(low: Lowering, owner: Static, name: str, node: ast.AST | None) -> Meaning:
    if isinstance(owner.value, str):
        return Attribute(owner, name)
    if isinstance(owner.value, bool | int | float | complex):
        if name in ("real", "imag"):
            return Static(getattr(owner.value, name))
        if name in ("shape", "ndim", "size", "dtype"):
            return Group(()) if name == "shape" else Static(getattr(np.float64(0.0), name))
        return Attribute(owner, name)
    found = attribute(PythonObject(owner.value), name)
    if isinstance(found, PythonObject) and draws.is_draw(found.obj):
        return Static(found.obj)
    if isinstance(found, PythonObject) and isinstance(found.obj, types.MethodType):
        return Bound(Static(found.obj.__func__), (outside(low, found.obj.__self__),))
    return of_resolved(low, found, f"{getattr(owner.value, '__name__', '')}.{name}".lstrip("."), node)


def _of_tuple(low: Lowering, owner: Group, name: str, node: ast.AST | None) -> Meaning:
    fields = getattr(owner.cls, "_fields", ())
    if name in fields:
        return owner.items[fields.index(name)]
    if owner.cls is not tuple:
        found = calls.method_of(low, owner, name)
        if found is not None:
            return found
        if name == "_replace":
            return Attribute(owner, name)
    if name in ("index", "count"):
        return Attribute(owner, name)
    low.refuse("ADC116", f"a tuple has no attribute `{name}`", node)


def _of_entries(low: Lowering, owner: Reference, content: Entries, name: str, node: ast.AST | None) -> Meaning:
    if content.cls is dict:
        if name not in listmethods.DICT_METHODS:
            low.refuse("ADC116", f"a dict has no method `{name}` that is known", node)
        return Attribute(owner, name)
    found = content.get(name)
    if found is not None:
        return found
    method = calls.method_of(low, owner, name)
    if method is not None:
        return method
    inherited = getattr(content.cls, name, _MISSING)
    if isinstance(inherited, property) and inherited.fget is not None:
        return calls.call(low, Static(inherited.fget), [owner], {})
    if inherited is not _MISSING and not callable(inherited):
        return outside(low, inherited, name)
    low.refuse("ADC116", f"`{content.cls.__name__}` has no attribute `{name}` here", node)


_MISSING = object()


def set_attribute(low: Lowering, owner: Meaning, name: str, meaning: Meaning, node: ast.AST | None = None) -> None:
    low.check_usable(owner)
    if isinstance(owner, Reference):
        content = views.content_of(low, owner.root)
        if isinstance(content, Entries) and content.cls is not dict:
            params = getattr(content.cls, "__dataclass_params__", None)
            if params is not None and params.frozen:
                low.refuse("ADC117", f"`{content.cls.__name__}` is frozen, its attributes cannot be assigned", node)
            if isinstance(getattr(content.cls, name, None), property):
                low.refuse("ADC116", f"`{name}` is a property; assigning it is not supported", node)
            low.hinted(meaning, name)
            return containers.changed(low, owner.root, content.put(name, meaning))
        if isinstance(content, Value) and name in ("shape", "T", "real", "imag", "flat"):
            if name == "T":
                transposed = attribute_of(low, owner, "T")
                assert isinstance(transposed, Reference)
                return views.write(low, views.step_into(low, transposed, _everything()), low.value(meaning))
            if name == "flat":
                return views.write(low, views.step_into(low, views.flat(low, owner), _everything()), low.value(meaning))
    if isinstance(owner, Static):
        low.refuse(
            "ADC113",
            f"`{name}` is an attribute of an object outside the function, and is assigned here",
            node,
            help="return the new value instead",
        )
    low.refuse("ADC116", f"the attribute `{name}` of {describe(owner)} cannot be assigned", node)


def _everything() -> Index:
    return Index((Ellipsis,))
