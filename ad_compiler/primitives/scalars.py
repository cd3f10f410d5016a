"""Constants, conversions, and values the compiler must not look into."""

from __future__ import annotations

import builtins
import copy as copying
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.types import BOOL, FLOAT, INT, ONE, UNDEFINED, Dim, Opaque, Tensor, Type, is_scalar, rank
from ad_compiler.primitives import declare, runtime
from ad_compiler.primitives.declare import elementwise, linear, ops
from ad_compiler.primitives.shapes import dtype_code, same, tensor

# ---------------------------------------------------------------------------- what is known when compiling


def _constant(*, value: Any) -> Any:
    return value


def type_of_constant(value: Any) -> Type:
    """The type of a Python object that is written into the program."""
    if isinstance(value, bool | np.bool_):
        return BOOL
    if isinstance(value, builtins.int):
        return INT
    if isinstance(value, builtins.float):
        return FLOAT
    if isinstance(value, complex):
        return Tensor("c128", ())
    if isinstance(value, np.generic):
        return Tensor(dtype_code(value.dtype), ())
    if isinstance(value, np.ndarray) and value.ndim:
        shape = tuple(ONE if length == 1 else Dim(None, length) for length in value.shape)
        return Tensor(dtype_code(value.dtype), shape)
    return Opaque(type(value).__name__)


constant = declare.constant(
    _constant, "value", operands="", infer=lambda types, attributes: type_of_constant(attributes["value"])
)


def _undefined() -> None:
    return None


undefined = declare.constant(_undefined, "", infer=lambda types, attributes: UNDEFINED, emit="None")


def _evaluate(template: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"np": np, "math": math} | {f"_{k}_": value for k, value in enumerate(values)}


def _effect(*values: Any, template: str) -> tuple[()]:
    exec(template, _evaluate(template, values))  # the user's own statement, run only when the user runs it
    return ()


def _opaque(*values: Any, template: str) -> Any:
    return eval(template, _evaluate(template, values))  # the same, for an expression


effect = declare.constant(
    _effect, "template", operands="*values", infer=lambda types, attributes: (), effect=True, results=0
)
opaque = declare.constant(
    _opaque, "template", operands="*values", infer=lambda types, attributes: Opaque(), effect=True
)

# ---------------------------------------------------------------------------- identities


def stop_gradient(x: Any) -> Any:
    """`x` itself, which counts as a constant in every derivative."""
    return x


def _copy_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    if is_scalar(types[0]):
        return "x"
    if not isinstance(types[0], Tensor):
        return "_copy(x)"
    return "x.copy()" if rank(types[0]) else "np.copy(x)"


stop_gradient_ = declare.constant(stop_gradient, "x", infer=same, emit="x", views=True)
copy = linear(
    runtime._copy, "x", infer=same, emit=_copy_text, methods=("copy",), also=(np.copy, copying.copy, copying.deepcopy),
    x=lambda ct: ct,
)  # fmt: skip

# ---------------------------------------------------------------------------- conversions


def _to_float(x: Any) -> Any:
    return np.float64(x)


def _like(ct: Any, x: Any) -> Any:
    """A cotangent of a number, for what the number was made from."""
    return ct if is_scalar(x.value.type) else ops.reshape_like(ct, x)


to_float = linear(
    _to_float, "x", infer=lambda types, attributes: FLOAT, emit="float(x)", also=(builtins.float, np.float64),
    x=_like,
)  # fmt: skip
to_int = declare.constant(
    lambda x: builtins.int(x), "x", name="to_int", infer=lambda types, attributes: INT, emit="int(x)",
    also=(builtins.int, math.trunc),
)  # fmt: skip
to_bool = declare.constant(
    lambda x: builtins.bool(x), "x", name="to_bool", infer=lambda types, attributes: BOOL, emit="bool(x)",
    also=(builtins.bool,),
)  # fmt: skip
int_floor = declare.constant(
    lambda x: math.floor(x), "x", name="int_floor", infer=lambda types, attributes: INT,
    emit="int(np.floor(x))", also=(math.floor,),
)  # fmt: skip
int_ceil = declare.constant(
    lambda x: math.ceil(x), "x", name="int_ceil", infer=lambda types, attributes: INT,
    emit="int(np.ceil(x))", also=(math.ceil,),
)  # fmt: skip
int_round = declare.constant(
    lambda x: builtins.round(x), "x", name="int_round", infer=lambda types, attributes: INT,
    emit="int(np.round(x))", also=(builtins.round,),
)  # fmt: skip


def _astype(x: Any, *, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)[()]


def _astype_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    return Tensor(dtype_code(attributes["dtype"]), tensor(types[0]).shape)


def _astype_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    if rank(types[0]):
        return "x.astype(dtype)"
    return "np.asarray(x).astype(dtype)[()]" if not is_scalar(types[0]) else "np.dtype(dtype).type(x)"


def _varies(dtype: Any) -> bool:
    return dtype_code(dtype)[0] in "fc?"


astype = elementwise(
    _astype, "x, dtype", operands="x", infer=_astype_type, methods=("astype",), emit=_astype_text,
    x=lambda dtype: 1.0 if _varies(dtype) else None,
    jvp=lambda x_dot, dtype: ops.astype(x_dot, dtype=dtype) if _varies(dtype) else None,
)  # fmt: skip


def _captured(*, name: str, value: Any) -> Any:
    return value


captured = declare.constant(
    _captured, "name, value", operands="", infer=lambda types, attributes: type_of_constant(attributes["value"]),
    emit=lambda types, attributes: attributes["name"],
)  # fmt: skip
