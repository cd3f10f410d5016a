"""Functions of each element: arithmetic, ufuncs, comparisons, selection.

A rule is the partial derivative with respect to one operand.  The driver multiplies it with the tangent or
the cotangent, turns a partial that is a `where` into a mask on the cotangent, and un-broadcasts.

Kinks: `abs` has slope 0 at 0; `maximum` and `minimum` share a tie equally; `clip` passes the cotangent at its
edges; `hypot` has slope 0 at the origin; `x ** n` has the slope `n * x ** (n - 1)` at 0, and 0 when n is 0;
`sqrt`, `log` and negative powers give the infinite slope that they have.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ad_compiler.ir.types import (
    UNKNOWN_DTYPE,
    ListType,
    Tensor,
    TupleType,
    Type,
    broadcast,
    is_inexact,
    is_scalar,
    join,
    same_shape,
)
from ad_compiler.primitives.declare import constant, elementwise
from ad_compiler.primitives.expression import known
from ad_compiler.primitives.shapes import arithmetic, boolean, inexact

LN2 = math.log(2.0)
LN10 = math.log(10.0)
DEGREE = math.pi / 180.0


def _container(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """Cotangents of lists and tuples are added part by part."""
    if isinstance(types[0], (ListType, TupleType)):
        return join(types[0], types[1])
    return arithmetic(types, attributes)


def _add_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    return "_add(a, b)" if isinstance(types[0], (ListType, TupleType)) else "a + b"


def _add(a: Any, b: Any) -> Any:
    from ad_compiler.primitives import runtime

    return runtime._add(a, b) if isinstance(a, (builtins.list, builtins.tuple)) else a + b


# ---------------------------------------------------------------------------- arithmetic

add = elementwise(
    _add, "a, b", infer=_container, emit=_add_text, also=(np.add, operator.add, operator.iadd),
    a=lambda: 1.0,
    b=lambda: 1.0,
)  # fmt: skip
subtract = elementwise(
    operator.sub, "a, b", name="subtract", infer=arithmetic, emit="a - b", also=(np.subtract, operator.isub),
    a=lambda: 1.0,
    b=lambda: -1.0,
)  # fmt: skip
multiply = elementwise(
    operator.mul, "a, b", name="multiply", infer=arithmetic, emit="a * b", also=(np.multiply, operator.imul),
    a=lambda b: b,
    b=lambda a: a,
)  # fmt: skip
divide = elementwise(
    operator.truediv, "a, b", name="divide", infer=inexact, emit="a / b", also=(np.divide, operator.itruediv),
    a=lambda b: 1.0 / b,
    b=lambda b, out: -(out / b),
)  # fmt: skip
negative = elementwise(
    operator.neg, "x", name="negative", infer=arithmetic, emit="-x",
    also=(np.negative,), x=lambda: -1.0,
)  # fmt: skip
positive = elementwise(
    operator.pos, "x", name="positive", infer=arithmetic, emit="+x",
    also=(np.positive,), x=lambda: 1.0,
)  # fmt: skip
mod = elementwise(
    operator.mod, "a, b", infer=arithmetic, name="mod", emit="a % b", also=(np.mod,),
    a=lambda: 1.0,
    b=lambda a, b: -floor_divide(a, b),
)  # fmt: skip
fmod = elementwise(
    np.fmod, "a, b", infer=arithmetic, also=(math.fmod,),
    a=lambda: 1.0,
    b=lambda a, b: -trunc(a / b),
)  # fmt: skip
floor_divide = constant(
    operator.floordiv, "a, b", name="floor_divide", infer=arithmetic, emit="a // b",
    also=(np.floor_divide,),
)  # fmt: skip


def _slope_in_base(a: Any, b: Any) -> Any:
    """b * a**(b-1), which at b = 0 is 0 for every a, also for a = 0."""
    exponent = known(b)
    if exponent is None:
        return b * a ** where(b.equals(0), 1, b - 1)
    if exponent == 0:
        return 0.0
    if exponent == 1:
        return 1.0
    return float(exponent) * (a if exponent == 2 else a ** (exponent - 1))


def _slope_in_exponent(a: Any, out: Any) -> Any:
    """out * log(a), which is 0 for a = 0."""
    base = known(a)
    if base is not None and base > 0:
        return math.log(base) * out
    return out * log(where(a.equals(0.0), 1.0, a))


power = elementwise(
    operator.pow, "a, b", name="power", infer=arithmetic, emit="a ** b", also=(np.power, builtins.pow),
    a=_slope_in_base,
    b=_slope_in_exponent,
)  # fmt: skip
float_power = elementwise(
    np.float_power, "a, b", infer=inexact, also=(math.pow,),
    a=_slope_in_base,
    b=_slope_in_exponent,
)  # fmt: skip
square = elementwise(np.square, "x", infer=arithmetic, x=lambda x: 2.0 * x)
reciprocal = elementwise(np.reciprocal, "x", infer=arithmetic, x=lambda out: -(out * out))
sqrt = elementwise(np.sqrt, "x", infer=inexact, also=(math.sqrt,), x=lambda out: 0.5 / out)
cbrt = elementwise(np.cbrt, "x", infer=inexact, also=(math.cbrt,), x=lambda out: 1.0 / (3.0 * (out * out)))
absolute = elementwise(
    np.absolute, "x", infer=arithmetic, emit="np.abs(x)", also=(builtins.abs, math.fabs, np.fabs, operator.abs),
    x=lambda x: sign(x),
)  # fmt: skip
hypot = elementwise(
    np.hypot, "a, b", infer=inexact, also=(math.hypot,),
    a=lambda a, out: a / where(out.equals(0.0), 1.0, out),
    b=lambda b, out: b / where(out.equals(0.0), 1.0, out),
)  # fmt: skip

# ---------------------------------------------------------------------------- exponentials and logarithms

exp = elementwise(np.exp, "x", infer=inexact, also=(math.exp,), x=lambda out: out)
exp2 = elementwise(np.exp2, "x", infer=inexact, also=(math.exp2,), x=lambda out: LN2 * out)
expm1 = elementwise(np.expm1, "x", infer=inexact, also=(math.expm1,), x=lambda out: out + 1.0)
log = elementwise(np.log, "x", infer=inexact, also=(math.log,), x=lambda x: 1.0 / x)
log2 = elementwise(np.log2, "x", infer=inexact, also=(math.log2,), x=lambda x: (1.0 / LN2) / x)
log10 = elementwise(np.log10, "x", infer=inexact, also=(math.log10,), x=lambda x: (1.0 / LN10) / x)
log1p = elementwise(np.log1p, "x", infer=inexact, also=(math.log1p,), x=lambda x: 1.0 / (1.0 + x))
logaddexp = elementwise(
    np.logaddexp, "a, b", infer=inexact,
    a=lambda a, out: exp(a - out),
    b=lambda b, out: exp(b - out),
)  # fmt: skip
logaddexp2 = elementwise(
    np.logaddexp2, "a, b", infer=inexact,
    a=lambda a, out: exp2(a - out),
    b=lambda b, out: exp2(b - out),
)  # fmt: skip

TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)

erf = elementwise(
    math.erf, "x", infer=inexact, emit="math.erf(x)",
    x=lambda x: TWO_OVER_ROOT_PI * exp(-(x * x)),
)  # fmt: skip
erfc = elementwise(
    math.erfc, "x", infer=inexact, emit="math.erfc(x)",
    x=lambda x: -(TWO_OVER_ROOT_PI * exp(-(x * x))),
)  # fmt: skip

# ---------------------------------------------------------------------------- trigonometry

sin = elementwise(np.sin, "x", infer=inexact, also=(math.sin,), x=lambda x: cos(x))
cos = elementwise(np.cos, "x", infer=inexact, also=(math.cos,), x=lambda x: -sin(x))
tan = elementwise(np.tan, "x", infer=inexact, also=(math.tan,), x=lambda out: 1.0 + out * out)
arcsin = elementwise(np.arcsin, "x", infer=inexact, also=(math.asin,), x=lambda x: 1.0 / sqrt(1.0 - x * x))
arccos = elementwise(np.arccos, "x", infer=inexact, also=(math.acos,), x=lambda x: -(1.0 / sqrt(1.0 - x * x)))
arctan = elementwise(np.arctan, "x", infer=inexact, also=(math.atan,), x=lambda x: 1.0 / (1.0 + x * x))
arctan2 = elementwise(
    np.arctan2, "a, b", infer=inexact, also=(math.atan2,),
    a=lambda a, b: b / (a * a + b * b),
    b=lambda a, b: -(a / (a * a + b * b)),
)  # fmt: skip
sinh = elementwise(np.sinh, "x", infer=inexact, also=(math.sinh,), x=lambda x: cosh(x))
cosh = elementwise(np.cosh, "x", infer=inexact, also=(math.cosh,), x=lambda x: sinh(x))
tanh = elementwise(np.tanh, "x", infer=inexact, also=(math.tanh,), x=lambda out: 1.0 - out * out)
arcsinh = elementwise(np.arcsinh, "x", infer=inexact, also=(math.asinh,), x=lambda x: 1.0 / sqrt(x * x + 1.0))
arccosh = elementwise(np.arccosh, "x", infer=inexact, also=(math.acosh,), x=lambda x: 1.0 / sqrt(x * x - 1.0))
arctanh = elementwise(np.arctanh, "x", infer=inexact, also=(math.atanh,), x=lambda x: 1.0 / (1.0 - x * x))
deg2rad = elementwise(np.deg2rad, "x", infer=inexact, also=(np.radians, math.radians), x=lambda: DEGREE)
rad2deg = elementwise(np.rad2deg, "x", infer=inexact, also=(np.degrees, math.degrees), x=lambda: 1.0 / DEGREE)
sinc = elementwise(
    np.sinc, "x", infer=inexact,
    x=lambda x, out: where(x.equals(0.0), 0.0, (cos(math.pi * x) - out) / where(x.equals(0.0), 1.0, x)),
)  # fmt: skip

# ---------------------------------------------------------------------------- selection


def _where(c: Any, a: Any, b: Any) -> Any:
    if not any(isinstance(part, np.ndarray) for part in (c, a, b)):
        return a if c else b  # as it is written for numbers
    return np.where(c, a, b)[()]


def _where_text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
    """For one condition over two of a shape Python's own choice, which computes one side only."""
    return "(a if c else b)" if is_scalar(types[0]) and same_shape(types[1], types[2]) else "np.where(c, a, b)"


def _where_type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    value, c = arithmetic(types[1:], attributes), types[0]
    assert isinstance(value, Tensor)
    if value.shape == () and is_scalar(c) and not all(map(is_inexact, types[1:])) and types[1] != types[2]:
        return Tensor(UNKNOWN_DTYPE, ())  # Python's choice does not convert: it may be an integer or a float
    return Tensor(value.dtype, broadcast(c.shape, value.shape)) if isinstance(c, Tensor) else value


where = elementwise(
    _where, "c, a, b", infer=_where_type, emit=_where_text, also=(np.where,),
    c=None,
    a=lambda c: where(c, 1.0, 0.0),
    b=lambda c: where(c, 0.0, 1.0),
    jvp=lambda c, a_dot, b_dot: where(c, 0.0 if a_dot is None else a_dot, 0.0 if b_dot is None else b_dot),
)  # fmt: skip
maximum = elementwise(
    np.maximum, "a, b", infer=arithmetic, also=(builtins.max,),
    a=lambda a, b: where(a > b, 1.0, where(a.equals(b), 0.5, 0.0)),
    b=lambda a, b: where(a < b, 1.0, where(a.equals(b), 0.5, 0.0)),
)  # fmt: skip
minimum = elementwise(
    np.minimum, "a, b", infer=arithmetic, also=(builtins.min,),
    a=lambda a, b: where(a < b, 1.0, where(a.equals(b), 0.5, 0.0)),
    b=lambda a, b: where(a > b, 1.0, where(a.equals(b), 0.5, 0.0)),
)  # fmt: skip


def _absent(bound: Any) -> bool:
    """Whether a bound of `clip` is None."""
    return bound is None or known(bound, numbers_only=False) == (None,)


def _clip_inside(x: Any, lo: Any, hi: Any) -> Any:
    conditions = ([] if _absent(lo) else [x >= lo]) + ([] if _absent(hi) else [x <= hi])
    if not conditions:
        return 1.0
    return where(conditions[0] if len(conditions) == 1 else logical_and(*conditions), 1.0, 0.0)


def _clip_low(x: Any, lo: Any, hi: Any) -> Any:
    below = x < lo
    return where(below if _absent(hi) else logical_and(below, lo <= hi), 1.0, 0.0)


def _clip_high(x: Any, lo: Any, hi: Any) -> Any:
    return where((x if _absent(lo) else maximum(x, lo)) > hi, 1.0, 0.0)


clip = elementwise(
    np.clip, "x, lo, hi",
    infer=lambda types, attributes: arithmetic([type for type in types if isinstance(type, Tensor)], attributes),
    methods=("clip",),
    x=_clip_inside,
    lo=_clip_low,
    hi=_clip_high,
)  # fmt: skip
heaviside = elementwise(
    np.heaviside, "x, h", infer=inexact,
    x=None,
    h=lambda x: where(x.equals(0.0), 1.0, 0.0),
)  # fmt: skip
copysign = elementwise(
    np.copysign, "a, b", infer=inexact, also=(math.copysign,),
    a=lambda a, b: sign(a) * copysign(1.0, b),
    b=None,
)  # fmt: skip

nan_to_num = elementwise(np.nan_to_num, "x", infer=arithmetic, x=lambda x: where(isfinite(x), 1.0, 0.0))
conjugate = elementwise(np.conjugate, "x", infer=arithmetic, methods=("conj", "conjugate"), x=lambda: 1.0)  # of reals
real = elementwise(np.real, "x", infer=arithmetic, methods=("real",), views=True, x=lambda: 1.0)  # of reals

# ---------------------------------------------------------------------------- piecewise constant

sign = constant(np.sign, "x", infer=arithmetic)
floor = constant(np.floor, "x", infer=inexact)
ceil = constant(np.ceil, "x", infer=inexact)
trunc = constant(np.trunc, "x", infer=inexact, also=(np.fix,))
rint = constant(np.rint, "x", infer=inexact)
round = constant(
    np.round, "x, decimals=0", operands="x", infer=arithmetic, name="round", methods=("round",), also=(np.around,)
)

# ---------------------------------------------------------------------------- comparisons and logic

less = constant(operator.lt, "a, b", name="less", infer=boolean, emit="a < b", also=(np.less,))
less_equal = constant(operator.le, "a, b", name="less_equal", infer=boolean, emit="a <= b", also=(np.less_equal,))
greater = constant(operator.gt, "a, b", name="greater", infer=boolean, emit="a > b", also=(np.greater,))
greater_equal = constant(
    operator.ge, "a, b", name="greater_equal", infer=boolean, emit="a >= b",
    also=(np.greater_equal,),
)  # fmt: skip
equal = constant(operator.eq, "a, b", name="equal", infer=boolean, emit="a == b", also=(np.equal,))
not_equal = constant(operator.ne, "a, b", name="not_equal", infer=boolean, emit="a != b", also=(np.not_equal,))


def _logical(word: str, symbol: str, name: str) -> Any:
    def text(types: Sequence[Type], attributes: dict[str, Any]) -> str:
        if builtins.all(is_scalar(type) for type in types):
            return f"a {word} b"
        masks = builtins.all(isinstance(type, Tensor) and type.dtype == "bool" for type in types)
        return f"a {symbol} b" if masks else f"np.{name}(a, b)"

    return text


logical_and = constant(np.logical_and, "a, b", infer=boolean, emit=_logical("and", "&", "logical_and"))
logical_or = constant(np.logical_or, "a, b", infer=boolean, emit=_logical("or", "|", "logical_or"))
logical_xor = constant(np.logical_xor, "a, b", infer=boolean)
logical_not = constant(
    np.logical_not, "x", infer=boolean, also=(operator.not_,),
    emit=lambda types, attributes: "not x" if is_scalar(types[0]) else "np.logical_not(x)",
)  # fmt: skip
bitwise_and = constant(
    operator.and_, "a, b", name="bitwise_and", infer=arithmetic, emit="a & b",
    also=(np.bitwise_and,),
)  # fmt: skip
bitwise_or = constant(operator.or_, "a, b", name="bitwise_or", infer=arithmetic, emit="a | b", also=(np.bitwise_or,))
bitwise_xor = constant(
    operator.xor, "a, b", name="bitwise_xor", infer=arithmetic, emit="a ^ b",
    also=(np.bitwise_xor,),
)  # fmt: skip
invert = constant(operator.invert, "x", name="invert", infer=arithmetic, emit="~x", also=(np.invert, operator.inv))
left_shift = constant(
    operator.lshift, "a, b", name="left_shift", infer=arithmetic, emit="a << b",
    also=(np.left_shift,),
)  # fmt: skip
right_shift = constant(
    operator.rshift, "a, b", name="right_shift", infer=arithmetic, emit="a >> b",
    also=(np.right_shift,),
)  # fmt: skip
isnan = constant(np.isnan, "x", infer=boolean, also=(math.isnan,))
isinf = constant(np.isinf, "x", infer=boolean, also=(math.isinf,))
isfinite = constant(np.isfinite, "x", infer=boolean, also=(math.isfinite,))
signbit = constant(np.signbit, "x", infer=boolean)
isclose = constant(
    np.isclose, "a, b, rtol=1e-05, atol=1e-08, equal_nan=False", operands="a, b", infer=boolean, also=(math.isclose,)
)

