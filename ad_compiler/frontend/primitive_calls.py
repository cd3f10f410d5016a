"""A call of something that is a primitive: `np.sum(x, axis=0)`, `x.reshape(n, -1)`, `math.exp(t)`.

The arguments are bound by the primitive's signature: names among its operands become SSA operands, the others
attributes, which must be known when compiling; in an attribute of a primitive that takes `*slots`, computed
integers become slots.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.frontend import containers, iteration, views
from ad_compiler.frontend.context import Lowering, describe, tensor_type
from ad_compiler.frontend.values import (
    Group,
    Lengths,
    Meaning,
    Range,
    Reference,
    Static,
)
from ad_compiler.ir.core import Slot, Value
from ad_compiler.ir.trees import Leaf
from ad_compiler.ir.types import ListType, is_scalar, rank, same_shape
from ad_compiler.primitives import lookup
from ad_compiler.primitives.declare import Primitive

# what NumPy calls the parameters that we call otherwise
RENAMED = {
    "a_min": "lo", "a_max": "hi", "min": "lo", "max": "hi", "fill_value": "v", "x1": "a", "x2": "b", "N": "n",
    "M": "m", "newshape": "shape", "arrays": "xs", "tup": "xs", "x": "c", "y": "b",
}  # fmt: skip
REARRANGING = ("transpose", "swapaxes", "moveaxis", "flip", "reshape", "ravel", "squeeze", "expand_dims")
MADE_NEW = ("zeros", "ones", "full", "empty", "eye", "arange", "linspace", "array", "concatenate", "stack")
LIKE = {"zeros": "zeros_like", "ones": "ones_like", "empty": "zeros_like", "full": "full_like"}
IGNORED = {"order", "subok", "casting", "like", "copy", "device"}


def call_primitive(
    low: Lowering, primitive: Primitive, arguments: Sequence[Meaning], keywords: dict[str, Meaning]
) -> Meaning:
    keywords = dict(keywords)
    out = keywords.pop("out", None)
    result = _call(low, primitive, list(arguments), keywords)
    if out is None or (isinstance(out, Static) and out.value is None):
        return result
    return write_into(low, out, result)


def write_into(low: Lowering, out: Meaning, result: Meaning) -> Meaning:
    """`out=`: the array is changed in place, and is the result."""
    if isinstance(out, Group) and len(out.items) == 1:
        out = out.items[0]
    if not isinstance(out, Reference):
        low.refuse("ADC101", "`out=` must be an array")
    value = low.value(result)
    before = views.read(low, out)
    if not (same_shape(before.type, value.type) and before.type == value.type):
        value = low.builder.one("setitem", before, value, index=(Ellipsis,))
    views.write(low, out, value)
    return out


def _call(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Meaning:
    special = SPECIAL.get(primitive.name)
    if special is not None:
        done = special(low, primitive, arguments, keywords)
        if done is not None:
            return done
    bound = bind(low, primitive, arguments, keywords)
    return apply(low, primitive, bound)


def bind(
    low: Lowering, primitive: Primitive, arguments: Sequence[Meaning], keywords: dict[str, Meaning]
) -> dict[str, Any]:
    names = primitive.signature.parameters
    renamed: dict[str, Meaning] = {}
    for name, meaning in keywords.items():
        if name in IGNORED and name not in names:
            continue
        known = name if name in names else RENAMED.get(name, name)
        if known not in names and name in ("a", "x", "arr", "m", "ary", "v", "prototype", "object", "obj"):
            known = next(iter(names))
        renamed[known] = meaning
    try:
        return dict(primitive.signature.bind(*arguments, **renamed).arguments)
    except TypeError as error:
        unknown = [name for name in renamed if name not in names]
        if unknown:
            low.refuse("ADC117", f"the argument `{unknown[0]}` of `{primitive.name}` is not supported")
        low.refuse("ADC117", f"`{primitive.name}`: {error}")


def apply(low: Lowering, primitive: Primitive, bound: dict[str, Any]) -> Meaning:
    operands: list[Value] = []
    slots: list[Value] = []
    attributes: dict[str, Any] = {}
    first: Meaning | None = None
    plain = [name for name in primitive.operands if not name.startswith("*")]
    variadic = primitive.variadic
    for name in plain:
        if name in bound:
            first = bound[name] if first is None else first
            operands.append(operand(low, bound[name]))
        elif name in primitive.signature.parameters:
            default = primitive.signature.parameters[name].default
            if default is None or default is inspect.Parameter.empty:
                continue  # an operand that may be left out, the last one
            operands.append(low.constant(default))
    for name, given in bound.items():
        if name in plain:
            continue
        if name == variadic:
            operands.extend(operand(low, one) for one in _sequence(low, primitive, given))
        else:
            attribute = static(low, given, f"`{name}` of `{primitive.name}`", slots if variadic == "slots" else None)
            if name == "dtype":
                attribute = static_dtype(low, attribute)
            default = primitive.signature.parameters[name].default
            if not (type(attribute) is type(default) and attribute == default):
                attributes[name] = attribute
    if primitive.name in REARRANGING and isinstance(first, Reference) and tensor_type(low, first) is not None:
        return views.rearrange(low, first, primitive.name, tuple(slots), attributes)
    results = low.builder.emit(primitive.name, [*operands, *slots], **attributes)
    if len(results) != 1:
        return Group(tuple(low.wrap(value) for value in results))
    meaning = low.wrap(results[0])
    if isinstance(meaning, Reference):
        meaning.root.contiguous = primitive.name in MADE_NEW
        if primitive.views and isinstance(first, Reference):
            views.share_aliases(low, meaning.root, first.root)
    return meaning


def operand(low: Lowering, meaning: Meaning) -> Value:
    """The value of an array-like operand: a display of numbers is an array."""
    if isinstance(meaning, Range) or iteration.is_one_shot(low, meaning):
        items = iteration.known(low, meaning)
        if items is None:
            low.refuse("ADC101", f"{describe(meaning)} cannot be used as an array", help="make it a list first")
        return containers.array_of(low, Group(tuple(items)))
    if containers.known_items(low, meaning) is not None and not isinstance(meaning, Static):
        return containers.array_of(low, meaning)
    value = low.value(meaning)
    if isinstance(value.type, ListType):
        return low.builder.one("list_stack", value)
    return value


def _sequence(low: Lowering, primitive: Primitive, given: Any) -> list[Meaning]:
    """The operands of a variadic primitive: what follows, or the items of the one sequence."""
    kind = primitive.signature.parameters[primitive.variadic or ""].kind
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return list(given)
    items = iteration.known(low, given)
    if items is None:
        low.refuse(
            "ADC118",
            f"how many arrays `{primitive.name}` joins must be known when compiling",
            help="write each part into an array made beforehand, or use `np.array` or `np.stack` of the list",
        )
    return items


# ------------------------------------------------------------------------------------------ attributes


def static(low: Lowering, meaning: Any, what: str, slots: list[Value] | None = None) -> Any:
    """The Python object of an argument that must be known; computed integers become slots where that goes."""
    if not isinstance(meaning, tuple):
        low.check_usable(meaning)
    if isinstance(meaning, Static):
        if isinstance(meaning.value, list):
            return tuple(meaning.value)
        return meaning.value
    items = meaning if isinstance(meaning, tuple) else containers.known_items(low, meaning)
    if items is not None:
        return tuple(static(low, item, what, slots) for item in items)
    if slots is not None:
        value = low.value(meaning)
        if is_scalar(value.type):
            slots.append(value)
            return Slot(len(slots) - 1)
    low.refuse("ADC118", f"{what} must be known when compiling")


def static_dtype(low: Lowering, given: Any) -> Any:
    if given is None or isinstance(given, Slot):
        return given
    try:
        return np.dtype(given)
    except TypeError:
        low.refuse("ADC119", f"{given!r} is no dtype")


# -------------------------------------------------------------------------------- the exceptional ones


def _by_shape(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    """`np.zeros(x.shape)` of an `x` of unknown rank is `zeros_like(x)`, of floats."""
    bound = bind(low, primitive, arguments, keywords)
    shape = bound.get("shape")
    if not isinstance(shape, Lengths):
        if (isinstance(shape, Static) and isinstance(shape.value, int)) or (
            shape is not None and not isinstance(shape, Static) and containers.known_items(low, shape) is None
        ):
            bound["shape"] = Group((shape,))
        return apply(low, primitive, bound)
    dtype = static_dtype(low, static(low, bound.get("dtype", Static(float)), "the dtype"))
    like = lookup(LIKE[primitive.name])
    operands = [low.value(shape.owner)]
    if primitive.name == "full":
        operands.append(low.value(bound["v"]))
    return low.wrap(low.builder.one(like.name, *operands, dtype=dtype))


def _reshape(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    """`x.reshape(2, 3)` is `x.reshape((2, 3))`."""
    if len(arguments) > 2:
        arguments = [arguments[0], Group(tuple(arguments[1:]))]
    if any(name == "order" and static(low, one, "`order`") not in ("C", "K") for name, one in keywords.items()):
        low.refuse("ADC101", "only C order is supported")
    bound = bind(low, primitive, arguments, keywords)
    shape = bound.get("shape")
    if isinstance(shape, Lengths):
        result = low.emit("reshape_like", bound["x"], shape.owner)
        if isinstance(result, Reference) and isinstance(bound["x"], Reference):
            views.share_aliases(low, result.root, bound["x"].root)
        return result
    if shape is not None and containers.known_items(low, shape) is None and not isinstance(shape, tuple):
        bound["shape"] = Group((shape,))
    return apply(low, primitive, bound)


def _transpose(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    if len(arguments) > 2:
        arguments = [arguments[0], Group(tuple(arguments[1:]))]
    bound = bind(low, primitive, arguments, keywords)
    type = tensor_type(low, bound["x"])
    if type is not None and rank(type) in (0, 1):
        return bound["x"]
    return apply(low, primitive, bound)


def _array(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    """`np.array` copies an array and takes a display apart; `np.asarray` of an array is that array."""
    given, *rest = arguments or [keywords.pop("object", keywords.pop("a", Static(None)))]
    if not _surely_copies(keywords) and isinstance(given, Reference):
        return as_array(low, [given, *rest], keywords)
    dtype_given = rest[0] if rest else keywords.get("dtype")
    dtype = None if dtype_given is None else static_dtype(low, static(low, dtype_given, "the dtype"))
    items = containers.known_items(low, given)
    if items is None and (isinstance(given, Range) or iteration.is_one_shot(low, given)):
        known = iteration.known(low, given)
        items = None if known is None else tuple(known)
    if items is not None and not isinstance(given, Static):
        value = containers.array_of(low, Group(items))
        meaning = low.wrap(value)
    else:
        value = low.value(given)
        if isinstance(value.type, ListType):
            meaning = low.wrap(low.builder.one("list_stack", value))
        elif is_scalar(value.type):
            value = low.builder.one("array", value, tree=Leaf(value.type))
            meaning = Reference(low.root(value))  # a zero-dimensional array
        else:
            meaning = low.wrap(low.builder.one("copy", value))
    if dtype is not None:
        meaning = _converted(low, meaning, dtype)
    if isinstance(meaning, Reference):
        meaning.root.contiguous = True
    return meaning


def _surely_copies(keywords: dict[str, Meaning]) -> bool:
    given = keywords.get("copy", Static(True))
    return isinstance(given, Static) and given.value is True


def _converted(low: Lowering, meaning: Meaning, dtype: Any) -> Meaning:
    from ad_compiler.primitives.shapes import dtype_code

    type = tensor_type(low, meaning)
    if type is not None and type.dtype == dtype_code(dtype):
        return meaning
    return low.emit("astype", meaning, dtype=dtype)


def as_array(low: Lowering, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Meaning:
    """`np.asarray(x)`: `x` itself where it is an array already."""
    from ad_compiler.primitives.shapes import dtype_code

    given, *rest = arguments
    dtype_given = rest[0] if rest else keywords.get("dtype")
    dtype = None if dtype_given is None else static_dtype(low, static(low, dtype_given, "the dtype"))
    type = tensor_type(low, given) if isinstance(given, Reference) else None
    if type is not None:
        if dtype is None or type.dtype == dtype_code(dtype):
            return given
        result = low.emit("astype", given, dtype=dtype)
        if type.dtype == "?" and isinstance(result, Reference) and isinstance(given, Reference):
            views.share_aliases(low, result.root, given.root)
        return result
    result = _array(low, lookup("array"), arguments, keywords)
    assert result is not None
    return result


def _astype(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    bound = bind(low, primitive, arguments, {k: v for k, v in keywords.items() if k == "dtype"})
    result = low.emit("astype", bound["x"], dtype=static_dtype(low, static(low, bound["dtype"], "the dtype")))
    if not _surely_copies(keywords) and isinstance(result, Reference) and isinstance(bound["x"], Reference):
        views.share_aliases(low, result.root, bound["x"].root)
    return result


def _copy(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    return containers.copy(low, arguments[0], deep=False)


def _arange(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    dtype = keywords.pop("dtype", None)
    names = ["start", "stop", "step"]
    given = dict(zip(names if len(arguments) > 1 else ["stop"], arguments, strict=False)) | keywords
    result = low.emit("arange", given.get("start", Static(0)), given["stop"], given.get("step", Static(1)))
    if dtype is not None:
        result = _converted(low, result, static_dtype(low, static(low, dtype, "the dtype")))
    return result


def _linspace(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    if len(arguments) > 3:
        keywords = {"endpoint": arguments[3], **keywords}
        arguments = arguments[:3]
    keywords.pop("dtype", None)
    return apply(low, primitive, bind(low, primitive, arguments, keywords))


def _where(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    if len(arguments) == 1:
        low.refuse(
            "ADC118",
            "`np.where` with one argument gives indices whose number is not known when compiling",
            help="use the condition itself as a mask, or `np.where(c, a, b)`",
        )
    return None


def _joining(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    """`np.stack(rows)` of a list whose length is not known."""
    bound = bind(low, primitive, arguments, keywords)
    given = bound.get("xs")
    if given is None or isinstance(given, tuple) or iteration.known(low, given) is not None:
        return apply(low, primitive, bound)
    axis = static(low, bound.get("axis", Static(0)), "`axis`")
    value = low.value(given)
    if isinstance(value.type, ListType):
        if primitive.name == "stack":
            return low.wrap(low.builder.one("list_stack", value, axis=axis))
        if primitive.name == "concatenate":
            return low.wrap(low.builder.one("list_join", value, axis=axis))
        if primitive.name == "vstack" and rank(value.type.element) == 1:
            return low.wrap(low.builder.one("list_stack", value, axis=0))
        low.refuse(
            "ADC118",
            f"how many arrays `np.{primitive.name}` joins must be known when compiling",
            help="use `np.stack` or `np.concatenate`",
        )
    rows = [low.value(views.view_at(low, given, k)) for k in range(_static_length(low, given))]
    return low.wrap(low.builder.one(primitive.name, *rows, **({"axis": axis} if "axis" in bound else {})))


def _static_length(low: Lowering, meaning: Meaning) -> int:
    type = tensor_type(low, meaning)
    if type is not None and isinstance(type.shape, tuple) and type.shape and type.shape[0].symbol is None:
        return type.shape[0].offset
    low.refuse("ADC118", "how many arrays are joined must be known when compiling")


def _einsum(low: Lowering, primitive: Primitive, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Any:
    keywords.pop("optimize", None)
    if not arguments or not isinstance(arguments[0], Static) or not isinstance(arguments[0].value, str):
        low.refuse("ADC118", "the subscripts of `np.einsum` must be a string known when compiling")
    values = [operand(low, one) for one in arguments[1:]]
    return low.wrap(low.builder.one("einsum", *values, subscripts=arguments[0].value))


SPECIAL: dict[str, Any] = {
    "zeros": _by_shape,
    "ones": _by_shape,
    "empty": _by_shape,
    "full": _by_shape,
    "broadcast_to": _reshape,
    "reshape": _reshape,
    "transpose": _transpose,
    "array": _array,
    "astype": _astype,
    "copy": _copy,
    "arange": _arange,
    "linspace": _linspace,
    "where": _where,
    "concatenate": _joining,
    "stack": _joining,
    "hstack": _joining,
    "vstack": _joining,
    "einsum": _einsum,
}
