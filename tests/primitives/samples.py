"""Operands for every primitive: `SAMPLES[name]` is a list of (operands, attributes).

Floats are what derivatives are taken with respect to; integers, booleans and None are data.  Elementwise
primitives get theirs from `DOMAINS`, in all ranks and broadcasting variants.
"""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ad_compiler.ir.core import SliceItem, Slot
from ad_compiler.ir.trees import Leaf, ListTree
from ad_compiler.primitives.declare import REGISTRY

Sample = tuple[tuple[Any, ...], dict[str, Any]]

RANDOM = np.random.default_rng(20)


def draw(*shape: int, low: float = 0.2, high: float = 0.9) -> Any:
    """Numbers in the interval, all different and so without ties."""
    size = int(np.prod(shape, dtype=int))
    numbers = np.linspace(low, high, size + 2)[1:-1] + RANDOM.uniform(0.0, 0.05, size)
    return RANDOM.permutation(numbers).reshape(shape) if shape else float(RANDOM.uniform(low, high))


def signed(*shape: int) -> Any:
    return draw(*shape, low=-1.9, high=2.1)


DOMAINS: dict[str, tuple[float, float]] = {
    "arccosh": (1.2, 3.0),
    "add": (-1.9, 2.1),
    "subtract": (-1.9, 2.1),
    "multiply": (-1.9, 2.1),
    "negative": (-1.9, 2.1),
    "square": (-1.9, 2.1),
    "sin": (-2.9, 3.1),
    "cos": (-2.9, 3.1),
    "tanh": (-2.9, 3.1),
    "exp": (-1.9, 2.1),
    "absolute": (-1.9, 2.1),
    "maximum": (-1.9, 2.1),
    "minimum": (-1.9, 2.1),
    "arctan2": (-1.9, 2.1),
    "hypot": (-1.9, 2.1),
    "logaddexp": (-1.9, 2.1),
    "sinc": (-1.9, 2.1),
    "mod": (0.2, 2.9),
    "fmod": (0.2, 2.9),
    "copysign": (-1.9, 2.1),
}

SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((),), ((3,),), ((2, 3),), ((0,),), ((1,),)),
    2: (
        ((), ()),
        ((3,), (3,)),
        ((), (3,)),
        ((2, 3), ()),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((2, 1, 3), (4, 1)),
        ((1,), (2, 3)),
        ((0, 3), (3,)),
    ),
}


EVERY_SHAPE = ("add", "multiply", "divide", "hypot", "tanh")  # the driver does the broadcasting, not the rules


def elementwise_samples(name: str) -> Iterator[Sample]:
    low, high = DOMAINS.get(name, (0.2, 0.9))
    shapes_of = SHAPES[len(REGISTRY[name].operands)]
    for shapes in shapes_of if name in EVERY_SHAPE else shapes_of[::2]:
        yield tuple(draw(*shape, low=low, high=high) for shape in shapes), {}
    if name not in ("sinc", "cbrt"):
        yield tuple(draw(3, low=low, high=high).astype(np.float32) for _ in REGISTRY[name].operands), {}


ALL = SliceItem()
MASK = np.array([True, False, True, True])
ROWS = np.array([2, 0, 2])
COLUMNS = np.array([1, 1, 0])

# index, slots, the shape of what stands there, for an x of shape (4, 3)
INDEX: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...] = (
    ((1,), ()),
    ((-1, 2), ()),
    ((Slot(0),), (2,)),
    ((Slot(0), Slot(1)), (2, 1)),
    ((SliceItem(1, -1),), ()),
    ((SliceItem(None, -2),), ()),
    ((SliceItem(2, None), ALL), ()),
    ((SliceItem(0, 2), SliceItem(None, None, -1)), ()),
    ((ALL, SliceItem(None, None, 2)), ()),
    ((SliceItem(Slot(0), Slot(1)),), (1, 3)),
    ((Ellipsis, 0), ()),
    ((ALL, None, 1), ()),
    ((None, Ellipsis), ()),
    ((Slot(0),), (MASK,)),
    ((Slot(0),), (ROWS,)),
    ((Slot(0), Slot(1)), (ROWS, COLUMNS)),
    ((ALL, Slot(0)), (COLUMNS,)),
    ((Slot(0), ALL, None), (ROWS,)),
    ((Slot(0), 1), (ROWS,)),
    ((SliceItem(-2, None),), ()),
    ((SliceItem(5, None),), ()),
)


def _part_shape(index: tuple[Any, ...], slots: tuple[Any, ...]) -> tuple[int, ...]:
    from ad_compiler.primitives.indexing import index_of

    return np.zeros((4, 3))[index_of(index, slots)].shape


def indexing_samples(name: str) -> Iterator[Sample]:
    for index, slots in INDEX:
        part = signed(*_part_shape(index, slots))
        x = signed(4, 3)
        operands = {
            "getitem": (x,), "setitem": (x, part), "add_at": (x, part), "scatter": (part, x), "last_write": (x,)
        }[name]  # fmt: skip
        yield (*operands, *slots), {"index": index}
    if name in ("setitem", "add_at"):
        yield (signed(4, 3), 1.5), {"index": (SliceItem(1, 3),)}
        yield (signed(4, 3), signed(3)), {"index": (SliceItem(1, 3),)}
        yield (signed(4, 3), signed(2, 1)), {"index": (SliceItem(1, 3),)}
        yield (signed(4, 3), signed(3), MASK), {"index": (Slot(0),)}
        yield (signed(4), 2.5, 1), {"index": (Slot(0),)}
        yield (signed(4), signed(4), np.array([1, 1, 3, 1])), {"index": (Slot(0),)}


def _axes(*shapes: tuple[int, ...], **more: Any) -> list[Sample]:
    samples: list[Sample] = []
    for shape in shapes:
        choices: list[dict[str, Any]] = [{}, {"keepdims": True}]
        for axis in range(-1, len(shape)):
            choices += [{"axis": axis}, {"axis": axis, "keepdims": True}] if shape else []
        if len(shape) > 1:
            choices += [{"axis": (0, -1)}, {"axis": (1,), "keepdims": True}]
        samples += [((signed(*shape),), choice | more) for choice in choices]
    return samples


def _products() -> dict[str, list[Sample]]:
    pairs = [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((1, 3), (3, 1)), ((5, 2, 3), (1, 3, 4)),
        ((0, 3), (3, 2)),
    ]  # fmt: skip
    both = [((signed(*a), signed(*b)), {}) for a, b in pairs]
    dots = [((signed(*a), signed(*b)), {}) for a, b in [*pairs[:5], ((), ()), ((), (2, 3)), ((3,), ()), ((3,), (5, 3, 4))]]
    inners = [((signed(*a), signed(*b)), {}) for a, b in [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((), (3,)), ((3,), (2, 4, 3))]]
    outers = [((signed(*a), signed(*b)), {}) for a, b in [((3,), (2,)), ((2, 3), (4,)), ((), (3,)), ((1,), (3,))]]
    tensordots = [
        ((signed(2, 3, 4), signed(3, 4, 5)), {}),
        ((signed(2, 3), signed(3, 4)), {"axes": 1}),
        ((signed(2), signed(3)), {"axes": 0}),
        ((signed(2, 3, 4), signed(4, 5, 3)), {"axes": ((1, 2), (2, 0))}),
        ((signed(2, 3, 4), signed(4, 5, 3)), {"axes": ((-1,), (0,))}),
    ]
    table = {"matmul": both, "dot": dots, "inner": inners, "outer": outers, "tensordot": tensordots}
    for name, samples in list(table.items()):
        for side, operand in (("a", 0), ("b", 1)):
            table[f"{name}_bar_{side}"] = [
                ((signed(*np.shape(REGISTRY[name].implementation(*values, **attributes))), *values), attributes)
                for values, attributes in samples
            ]
            assert operand in (0, 1)
    return table


def _matrix(n: int, *stack: int) -> Any:
    return signed(*stack, n, n) + 3.0 * np.eye(n)


X = signed(2, 3)

SAMPLES: dict[str, list[Sample]] = {
    # ------------------------------------------------------------------ elementwise, beyond the domains
    "where": [
        ((np.array([True, False, True]), signed(3), signed(3)), {}),
        ((np.array([True, False, True]), signed(2, 3), 1.5), {}),
        ((True, 0.3, 0.7), {}),
        ((False, signed(3), 0.7), {}),
        ((np.array([[True], [False]]), signed(3), signed(2, 1)), {}),
    ],
    "power": [
        ((draw(3), signed(3)), {}),
        ((signed(2, 3), 3), {}),
        ((signed(3), 2), {}),
        ((0.7, 1.3), {}),
        ((signed(3), np.array([0, 1, 2])), {}),
        ((0.0, 0), {}),
        ((0.0, 1), {}),
        ((draw(2, 1), draw(3)), {}),
        ((2, signed(3)), {}),
        ((signed(3), -2), {}),
    ],
    "float_power": [((draw(3), signed(3)), {}), ((0.7, 1.3), {}), ((draw(2, 3), 2), {})],
    "clip": [
        ((signed(5), -0.5, 0.5), {}),
        ((signed(2, 3), None, signed(3)), {}),
        ((signed(4), signed(4), None), {}),
        ((0.3, 0.5, 0.9), {}),
        ((signed(5), 0.5, -0.5), {}),
    ],
    "heaviside": [((signed(3), draw(3)), {}), ((0.0, 0.5), {}), ((signed(2, 3), 0.5), {})],
    "round": [((signed(3),), {}), ((signed(3),), {"decimals": 1}), ((0.4,), {})],
    "isclose": [((signed(3), signed(3)), {})],
    "erf": [((0.7,), {}), ((-0.3,), {})],  # math's own, of numbers
    "erfc": [((0.7,), {})],
    "positive": [((signed(3),), {})],
    "left_shift": [((3, 2), {}), ((ROWS, 1), {})],
    "right_shift": [((30, 2), {}), ((ROWS, 1), {})],
    "invert": [((3,), {}), ((MASK,), {})],
    **{name: [((3, 5), {}), ((MASK, MASK), {}), ((ROWS, COLUMNS), {})] for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: [((MASK, MASK), {}), ((True, False), {}), ((signed(4), MASK), {})] for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": [((MASK,), {}), ((True,), {}), ((signed(3),), {})],
    # ------------------------------------------------------------------ scalars
    "stop_gradient": [((signed(3),), {})],
    "copy": [((signed(3),), {}), ((0.5,), {}), (([signed(3), signed(3)],), {})],
    "to_float": [((0.5,), {}), ((3,), {}), ((np.array(0.5),), {})],
    "to_int": [((2.5,), {}), ((-2.5,), {})],
    "to_bool": [((2.5,), {})],
    "int_floor": [((-2.5,), {})],
    "int_ceil": [((-2.5,), {})],
    "int_round": [((-2.7,), {})],
    "astype": [((signed(3),), {"dtype": np.float64}), ((signed(3),), {"dtype": int}), ((0.5,), {"dtype": float})],
    # ------------------------------------------------------------------ reductions
    "sum": _axes((3,), (2, 3), (2, 3, 4), ()),
    **{name: _axes((3,), (2, 3), ()) for name in ("mean", "prod", "max", "min", "any", "all", "count_nonzero")},
    "argmax": [s for s in _axes((3,), (2, 3)) if not isinstance(s[1].get("axis"), tuple)],
    "argmin": [s for s in _axes((3,), (2, 3)) if not isinstance(s[1].get("axis"), tuple)],
    "var": _axes((4,), (2, 3)) + _axes((4,), (3, 3), ddof=1),
    "std": _axes((4,), (2, 3)) + _axes((4,), (3, 3), ddof=1),
    "count": [((X,), {}), ((X,), {"axis": 1}), ((X,), {"axis": (0, -1)})],
    "spread": [
        ((0.5, X), {}),
        ((signed(3), X), {"axis": 0}),
        ((signed(2), X), {"axis": -1}),
        ((signed(2, 1), X), {"axis": 1, "keepdims": True}),
        ((signed(1, 1), X), {"axis": None, "keepdims": True}),
        ((signed(3), signed(2, 3, 4)), {"axis": (0, 2)}),
        ((0.5, 0.7), {}),
    ],
    "prod_others": [
        ((signed(4),), {}), ((signed(2, 3),), {"axis": 1}), ((signed(2, 3),), {"axis": 0}), ((signed(2, 3),), {}),
        ((np.array([0.0, 2.0, 3.0]),), {}), ((np.array([0.0, 2.0, 0.0]),), {"axis": 0}),
    ],  # fmt: skip
    "cumsum": [((signed(4),), {}), ((X,), {}), ((X,), {"axis": 0}), ((X,), {"axis": -1})],
    "cumprod": [
        ((signed(4),), {}), ((X,), {}), ((X,), {"axis": 0}), ((X,), {"axis": -1}), ((np.array([2.0, 0.0, 3.0]),), {})
    ],  # fmt: skip
    "cumprod_bar": [((signed(4), signed(4)), {"axis": 0}), ((X, signed(2, 3)), {"axis": -1}), ((X, signed(2, 3)), {"axis": 0})],
    "cumprod_dot": [((signed(4), signed(4)), {"axis": 0}), ((X, signed(2, 3)), {"axis": -1}), ((X, signed(2, 3)), {"axis": 0})],
    # ------------------------------------------------------------------ creation
    **{name: [((), {"shape": (2, 3)}), ((4,), {"shape": (Slot(0), 1)}), ((), {"shape": 3, "dtype": int}), ((), {"shape": (2,), "dtype": np.float32})] for name in ("zeros", "ones", "empty")},
    "full": [((0.5,), {"shape": (2, 3)}), ((signed(3), 2), {"shape": (Slot(0), 3)}), ((1,), {"shape": (2,)})],
    "zeros_like": [((X,), {}), ((0.5,), {}), (([X, signed(3)],), {}), ((X,), {"dtype": int})],
    "ones_like": [((X,), {}), ((0.5,), {})],
    "full_like": [((X, 0.5), {}), ((X, signed(3)), {}), ((0.4, 0.5), {})],
    "eye": [((3,), {}), ((3, 4), {}), ((3, 4), {"k": 1})],
    "arange": [((0, 4, 1), {}), ((0.5, 3.1, 0.7), {}), ((1, 4, 1), {})],
    "linspace": [((0.5, 2.0, 5), {}), ((0.5, 2.0, 4), {"endpoint": False}), ((signed(2), signed(2), 4), {}), ((0.1, 0.4), {})],
    "array": [
        ((0.1, 0.2, 0.3), {"tree": ListTree((Leaf(), Leaf(), Leaf()))}),
        ((0.1, 0.2), {"tree": ListTree((ListTree((Leaf(),)), ListTree((Leaf(),))))}),
        ((signed(3), signed(3)), {"tree": ListTree((Leaf(), Leaf()))}),
        ((signed(3),), {"tree": Leaf()}),
        ((1, 2), {"tree": ListTree((Leaf(), Leaf())), "dtype": float}),
    ],
    # ------------------------------------------------------------------ shaping
    "unbroadcast": [((signed(2, 3), signed(3)), {}), ((signed(2, 3), signed(2, 1)), {}), ((X, 0.5), {}), ((X, signed(2, 3)), {})],
    "broadcast_like": [((signed(3), X), {}), ((signed(2, 1), X), {}), ((0.5, X), {}), ((0.5, 0.6), {})],
    "broadcast_to": [((signed(3),), {"shape": (2, 3)}), ((0.5, 4), {"shape": (Slot(0),)}), ((signed(2, 1), 3), {"shape": (2, Slot(0))})],
    "dim": [((X,), {"axis": 0}), ((X,), {"axis": -1})],
    "size": [((X,), {}), ((0.5,), {})],
    "ndim": [((X,), {}), ((0.5,), {})],
    "reshape": [((X,), {"shape": (3, 2)}), ((X,), {"shape": (-1,)}), ((X, 6), {"shape": (Slot(0),)}), ((X,), {"shape": (1, -1)}), ((X,), {"shape": -1})],
    "reshape_like": [((signed(6), X), {}), ((signed(1), 0.5), {})],
    "ravel": [((X,), {}), ((signed(3),), {}), ((0.5,), {})],
    "flatten": [((X,), {}), ((signed(3),), {})],
    "expand_dims": [((X,), {"axis": 0}), ((X,), {"axis": -1}), ((X,), {"axis": (0, 2)}), ((0.5,), {"axis": 0})],
    "squeeze": [((signed(2, 1, 3),), {}), ((signed(2, 1, 3),), {"axis": 1}), ((signed(1, 2, 1),), {"axis": (0, -1)}), ((signed(1, 1),), {})],
    "atleast_1d": [((0.5,), {}), ((signed(3),), {}), ((X,), {})],
    "atleast_2d": [((0.5,), {}), ((signed(3),), {}), ((X,), {})],
    "transpose": [((X,), {}), ((signed(2, 3, 4),), {"axes": (1, 2, 0)}), ((signed(3),), {}), ((signed(2, 3, 4),), {"axes": (0, -1, 1)})],
    "swapaxes": [((signed(2, 3, 4),), {"axis1": 0, "axis2": -1})],
    "moveaxis": [((signed(2, 3, 4),), {"source": 0, "destination": -1}), ((signed(2, 3, 4),), {"source": (0, 1), "destination": (2, 0)})],
    "flip": [((X,), {}), ((X,), {"axis": 1}), ((X,), {"axis": (0, 1)})],
    "roll": [((X, 1), {}), ((X, -2), {"axis": 1}), ((signed(4), 1), {"axis": 0})],
    "concatenate": [
        ((signed(2, 3), signed(4, 3)), {}), ((signed(2, 3), signed(2, 1), signed(2, 2)), {"axis": 1}),
        ((signed(3), signed(2)), {"axis": -1}), ((signed(2, 3), signed(2)), {"axis": None}), ((signed(2, 3), signed(2, 3)), {"axis": -2}),
    ],  # fmt: skip
    "stack": [((signed(3), signed(3)), {}), ((signed(3), signed(3)), {"axis": 1}), ((0.3, 0.4), {}), ((X, X), {"axis": -1})],
    "hstack": [((signed(3), signed(2)), {}), ((signed(2, 3), signed(2, 1)), {}), ((0.1, 0.2), {})],
    "vstack": [((signed(3), signed(3)), {}), ((signed(2, 3), signed(1, 3)), {}), ((0.1, 0.2), {})],
    "tile": [((signed(3),), {"reps": 2}), ((X,), {"reps": (2, 1)}), ((signed(3),), {"reps": (2, 2)}), ((X,), {"reps": 3}), ((0.5,), {"reps": 2})],
    "tile_bar": [((signed(6), signed(3)), {"reps": 2}), ((signed(4, 3), X), {"reps": (2, 1)})],
    "repeat": [((signed(3),), {"repeats": 2}), ((X,), {"repeats": 3, "axis": 1}), ((X,), {"repeats": 2})],
    "repeat_bar": [((signed(6), signed(3)), {"repeats": 2}), ((signed(2, 9), X), {"repeats": 3, "axis": 1})],
    "pad": [((X,), {"pad_width": 1}), ((signed(3),), {"pad_width": (1, 2)}), ((X,), {"pad_width": ((0, 1), (2, 0))})],
    "diag": [((signed(3),), {}), ((signed(3, 3),), {}), ((signed(3),), {"k": 1}), ((signed(3, 4),), {"k": -1}), ((signed(3, 4),), {"k": 2})],
    "diag_bar": [((signed(3), signed(3, 3)), {}), ((signed(4, 4), signed(3)), {"k": 1})],
    "diagonal": [((signed(3, 4),), {}), ((signed(3, 4),), {"offset": 1}), ((signed(3, 4, 2),), {})],
    "diagonal_bar": [((signed(3), signed(3, 4)), {}), ((signed(2, 3), signed(3, 4, 2)), {})],
    "trace": [((signed(3, 3),), {}), ((signed(3, 4),), {"offset": 1}), ((signed(3, 4, 2),), {})],
    "trace_bar": [((0.5, signed(3, 3)), {}), ((signed(2), signed(3, 4, 2)), {"offset": 1})],
    "triu": [((signed(3, 3),), {}), ((signed(3, 4),), {"k": 1}), ((signed(3),), {})],
    "tril": [((signed(3, 3),), {}), ((signed(2, 3, 4),), {"k": -1}), ((signed(3),), {})],
    # ------------------------------------------------------------------ indexing
    "take": [((X, ROWS - 1), {}), ((X, COLUMNS), {"axis": 0}), ((X, COLUMNS), {"axis": 1}), ((X, 1), {"axis": -1}), ((X, np.array([[0, 1], [1, 1]])), {"axis": 0})],
    # ------------------------------------------------------------------ linear algebra
    **_products(),
    "inv": [((_matrix(3),), {}), ((_matrix(2, 4),), {})],
    "det": [((_matrix(3),), {}), ((_matrix(2, 4),), {})],
    "solve": [((_matrix(3), signed(3)), {}), ((_matrix(3), signed(3, 2)), {}), ((_matrix(3, 2), signed(2, 3, 2)), {}), ((_matrix(3), signed(2, 3, 2)), {})],
    "norm": [
        ((signed(4),), {}), ((X,), {}), ((X,), {"axis": 1}), ((X,), {"axis": 0, "keepdims": True}), ((signed(4),), {"ord": 1}),
        ((signed(4),), {"ord": np.inf}), ((signed(4),), {"ord": -np.inf}), ((X,), {"ord": "fro"}), ((X,), {"ord": 3, "axis": 0}), ((signed(4),), {"ord": 2}),
        ((X,), {"ord": 2, "axis": -1}), ((signed(2, 3, 4),), {"axis": (0, 1)}), ((X,), {"ord": 1, "axis": 1, "keepdims": True}),
    ],  # fmt: skip
    "einsum": [
        ((signed(2, 3), signed(3, 4)), {"subscripts": "ij,jk->ik"}),
        ((signed(2, 3), signed(3, 4)), {"subscripts": "ij,jk"}),
        ((signed(2, 3),), {"subscripts": "ij->ji"}),
        ((signed(2, 3),), {"subscripts": "ij->i"}),
        ((signed(2, 3),), {"subscripts": "ij->"}),
        ((signed(3, 3),), {"subscripts": "ii->i"}),
        ((signed(3, 3), signed(3)), {"subscripts": "ii,i"}),
        ((signed(3, 3),), {"subscripts": "ii"}),
        ((signed(5, 2, 3), signed(5, 3, 4)), {"subscripts": "bij,bjk->bik"}),
        ((signed(2), signed(3, 4), signed(2, 3)), {"subscripts": "i,jk,ij->ik"}),
        ((signed(2, 3), signed(4)), {"subscripts": "ij,k->ik"}),
        ((signed(5, 2, 3), signed(3, 4)), {"subscripts": "...ij,jk->...ik"}),
        ((signed(5, 2, 3), signed(2, 3, 4)), {"subscripts": "...j,...jk->...k"}),
        ((signed(5, 2, 3), signed(2, 3)), {"subscripts": "...,..."}),
        ((signed(3), signed(3)), {"subscripts": "i,i->"}),
    ],
    "convolve": [((signed(5), signed(3)), {"mode": mode}) for mode in ("full", "same", "valid")] + [((signed(3), signed(4)), {})]
    + [((signed(2), signed(5)), {"mode": mode}) for mode in ("same", "valid")],
    "convolve_bar_a": [((signed(7), signed(5), signed(3)), {}), ((signed(3), signed(5), signed(3)), {"mode": "valid"})],
    "convolve_bar_b": [((signed(7), signed(5), signed(3)), {}), ((signed(5), signed(5), signed(3)), {"mode": "same"})],
    # ------------------------------------------------------------------ composed
    "diff": [((signed(4),), {}), ((signed(3, 4),), {"axis": 0}), ((signed(5),), {"n": 2})],
    "ptp": [((signed(4),), {}), ((signed(3, 4),), {"axis": 0, "keepdims": True})],
    "average": [((X,), {}), ((X,), {"axis": 0}), ((X, draw(3)), {"axis": 1}), ((X, draw(2, 3)), {}), ((signed(3), draw(3)), {"axis": 0})],
    "trapezoid": [((signed(4),), {}), ((signed(4), signed(4)), {}), ((X,), {"dx": 0.5, "axis": 0}), ((X, draw(3)), {})],
    **{name: [((np.array([0.5, np.nan, 1.5]),), {}), ((X,), {"axis": 0}), ((X,), {"axis": 1, "keepdims": True})] for name in ("nansum", "nanmean", "nanmax", "nanmin")},
    "argsort": [((signed(4),), {}), ((X,), {"axis": 0})],
    "searchsorted": [((np.arange(4.0), signed(3)), {}), ((np.arange(4.0), 1.5), {"side": "right"})],
    "sort": [((signed(4),), {}), ((X,), {}), ((X,), {"axis": 0}), ((X,), {"axis": None})],
    "median": [((signed(4),), {}), ((signed(5),), {}), ((X,), {}), ((X,), {"axis": 0}), ((X,), {"axis": 1, "keepdims": True})],
    "quantile": [((signed(4),), {"q": 0.3}), ((X,), {"q": 0.8, "axis": 1}), ((X,), {"q": 1.0, "axis": 0, "keepdims": True})],
    "percentile": [((signed(4),), {"q": 30.0}), ((X,), {"q": 80, "axis": 1})],
    "interp": [
        ((draw(4, low=0.3, high=2.7), np.arange(4.0), signed(4)), {}), ((1.4, np.array([0.0, 1.0, 3.0]), signed(3)), {}),
        ((np.array([-1.0, 5.0, 0.3]), np.arange(4.0), signed(4)), {}),
    ],
    "vdot": [((signed(3), signed(3)), {}), ((X, signed(2, 3)), {}), ((0.3, 0.4), {})],
    "kron": [((signed(2), signed(3)), {}), ((signed(2, 3), signed(3, 2)), {})],
    "cross": [((signed(3), signed(3)), {}), ((signed(4, 3), signed(3)), {})],
    "correlate": [((signed(5), signed(3)), {"mode": mode}) for mode in ("full", "same", "valid")] + [((signed(2), signed(4)), {})],
    "matrix_power": [((_matrix(3),), {"n": n}) for n in (0, 1, 2, 5, -2)],
    "multi_dot": [((signed(2, 3), signed(3, 4), signed(4, 2)), {}), ((signed(3), signed(3, 4), signed(4)), {})],
    "fliplr": [((X,), {})],
    "flipud": [((X,), {})],
    "rot90": [((X,), {"k": k}) for k in (1, 2, 3, 4)],
    "column_stack": [((signed(3), signed(3)), {}), ((signed(3, 2), signed(3)), {})],
    "dstack": [((signed(3), signed(3)), {}), ((X, signed(2, 3)), {}), ((signed(2, 3, 1), X), {})],
    "take_along_axis": [((X, np.array([[0, 2], [1, 1]])), {}), ((X, np.array([[0, 1, 1]])), {"axis": 0})],
    "along_bar": [((signed(2, 2), X, np.array([[0, 2], [1, 1]])), {"axis": -1})],
    # ------------------------------------------------------------------ containers
    "list": [((signed(3), signed(3)), {}), ((0.1, 0.2), {})],
    "append": [(([0.1, 0.2], 0.3), {}), (([signed(3)], signed(3)), {})],
    "pop": [(([0.1, 0.2],), {}), (([signed(3), signed(3)],), {})],
    "list_len": [(([0.1, 0.2],), {})],
    "list_get": [(([0.1, 0.2], 1), {}), (([signed(3), signed(3)], -1), {})],
    "list_set": [(([0.1, 0.2], 1, 0.5), {}), (([signed(3), signed(3)], 0, signed(3)), {})],
    "list_add_at": [(([0.1, 0.2], 0.5, 1), {}), (([signed(3), signed(3)], signed(3), 0), {})],
    "list_concat": [(([0.1, 0.2], [0.3]), {})],
    "list_slice": [(([0.1, 0.2, 0.3],), {"index": (SliceItem(1, None),)}), (([0.1, 0.2, 0.3], 2), {"index": (SliceItem(None, Slot(0)),)})],
    "list_scatter": [(([0.1, 0.2], [0.1, 0.2, 0.3]), {"index": (SliceItem(1, None),)})],
    "list_repeat": [(([0.1, 0.2], 3), {})],
    "list_repeat_bar": [(([0.1, 0.2, 0.3, 0.4], [0.5, 0.6]), {})],
    "list_reverse": [(([0.1, 0.2, 0.3],), {})],
    "list_stack": [(([0.1, 0.2],), {}), (([signed(3), signed(3)],), {}), (([signed(2, 3), signed(2, 3)],), {"axis": -1})],
    "list_unstack": [((signed(2), [0.1, 0.2]), {}), ((signed(3, 2), [signed(3), signed(3)]), {"axis": 1})],
    "list_join": [(([signed(3), signed(2)],), {}), (([signed(3, 2), signed(3, 1)],), {"axis": 1})],
    "list_split": [((signed(5), [signed(3), signed(2)]), {})],
    "tuple": [((0.1, signed(3)), {})],
    "tuple_add_at": [(((0.1, signed(3)), signed(3)), {"position": 1}), (((0.1, 0.2), 0.4), {"position": 0})],
    "tuple_get": [(((0.1, signed(3)),), {"position": 1}), (((0.1, 0.2),), {"position": 0})],
}

DATA = ("constant", "captured", "undefined", "effect", "opaque")  # of no operands, or the user's own text
INDEXING = ("getitem", "setitem", "add_at", "scatter", "last_write")


def samples_of(name: str) -> list[Sample]:
    if name in SAMPLES:
        return SAMPLES[name]
    if name in INDEXING:
        return list(indexing_samples(name))
    primitive = REGISTRY[name]
    if name in DATA or not primitive.operands or len(primitive.operands) > 2 or primitive.kind not in ("elementwise", "constant"):
        return []
    return list(elementwise_samples(name))
