"""From live arguments to types and keys."""

from __future__ import annotations

import array
import dataclasses
import decimal
import enum
import fractions
import inspect
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

from ad_compiler.diagnostics.diagnostic import ArgumentError
from ad_compiler.ir.trees import DictTree, Fixed, Leaf, ListTree, RecordTree, TupleTree, leaves, rebuild
from ad_compiler.ir.types import BOOL, FLOAT, INT, ONE, Dim, ListType, Symbol, Tensor
from ad_compiler.specialise import LONG, Binder, aliases, flatten, signature_of


@dataclasses.dataclass
class Layer:
    W: object
    b: object
    name: str = "dense"


class Point(NamedTuple):
    x: object
    y: object


class Color(enum.Enum):
    RED = 1


def some_function(x):
    return x


# -- values to types ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "type"),
    [
        (1.0, FLOAT),
        (np.float64(1.0), FLOAT),
        (np.float32(1.0), Tensor("f32", ())),
        (1, INT),
        (np.int64(1), INT),
        (np.uint8(1), Tensor("u8", ())),
        (True, BOOL),
        (np.True_, BOOL),
        (10**30, INT),
    ],
)
def test_numbers(value, type):
    assert signature_of(value) == Leaf(type)


@pytest.mark.parametrize(
    "value", ["relu", None, some_function, np.sin, len, Color.RED, range(3), b"x", np.float32, object()]
)
def test_other_objects_are_fixed(value):
    found = signature_of(value)
    assert isinstance(found, Fixed)
    assert found.value is value


def test_subclasses_of_numbers():
    class Metres(float):
        pass

    assert signature_of(Metres(1.0)) == Leaf(FLOAT)
    assert signature_of(enum.IntEnum("Level", "LOW")(1)) == Fixed(1)


def test_sets_are_fixed_as_they_are_now():
    value = {1, 2}
    found = signature_of(value)
    value.add(3)
    assert found == Fixed(frozenset({1, 2}))


def test_lengths():
    memo: dict[int, Symbol] = {}
    a = signature_of(np.zeros((3, 4)), memo).payload
    b = signature_of(np.zeros((4, 1), np.float32), memo).payload
    assert (a.dtype, b.dtype) == ("f64", "f32")
    assert a.shape[1] == b.shape[0]
    assert a.shape[0] != a.shape[1]
    assert b.shape[1] == ONE
    assert all(dim.symbol.many for dim in a.shape)


def test_lengths_of_two_calls_have_nothing_to_do_with_each_other():
    assert signature_of(np.zeros(3)) != signature_of(np.zeros(3))


def test_empty_and_zero_dimensional_arrays():
    empty = signature_of(np.zeros(0)).payload
    assert empty.shape[0].symbol.many  # 0 is not 1
    assert isinstance(signature_of(np.array(1.0)).payload.shape, Symbol)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"])
def test_dtypes(dtype):
    kind = dtype[0] + str(int(dtype[1]) * 8)
    assert signature_of(np.zeros(2, dtype)).payload.dtype == kind
    assert signature_of(np.zeros(2, bool)).payload.dtype == "bool"


def test_containers():
    value = ([1.0, (2, "a")], {"w": np.ones(2), 3: None}, Layer(np.ones(2), 1.0), Point(1.0, True))
    tree = signature_of(value)
    assert isinstance(tree, TupleTree)
    first, second, third, fourth = tree.items
    assert first == ListTree((Leaf(FLOAT), TupleTree((Leaf(INT), Fixed("a")))))
    assert isinstance(second, DictTree)
    assert second.keys == ("w", 3)
    assert second.items[1] == Fixed(None)
    assert isinstance(third, RecordTree)
    assert (third.cls, third.keys, third.items[2]) == (Layer, ("W", "b", "name"), Fixed("dense"))
    assert fourth == RecordTree(Point, ("x", "y"), (Leaf(FLOAT), Leaf(BOOL)))
    flat = flatten(value, tree)
    assert len(flat) == len(list(leaves(tree))) == 7
    again = rebuild(tree, iter(flat))
    assert again[0] == value[0]
    assert again[3] == Point(1.0, True)
    assert again[1]["w"] is value[1]["w"]


def test_empty_containers():
    for value in ([], (), {}):
        assert flatten(value, signature_of(value)) == []


def test_a_long_list_of_numbers_is_one_value():
    value = [1.0] * (LONG + 1)
    tree = signature_of(value)
    assert tree == Leaf(ListType(FLOAT))
    assert flatten(value, tree) == [value]
    assert isinstance(signature_of([1.0] * LONG), ListTree)
    assert isinstance(signature_of([1.0, 1] * LONG), ListTree)
    assert isinstance(signature_of([np.ones(2)] * 2 * LONG), ListTree)


class ArrayLike:
    def __array__(self, dtype=None, copy=None):
        return np.ones(3)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (1j, "complex"),
        (np.ones(2) * 1j, "complex array"),
        (np.complex64(1), "complex"),
        (np.array([1.0, "a"], dtype=object), "Python objects"),
        (np.ones(2, ">f8"), "byte order"),
        (np.ones(2, "f2"), "float16"),
        (np.ones(2, "g"), "array of dtype"),
        (np.float16(1), "float16"),
        (np.array(["a"]), "dtype <U1"),
        (np.array(["2020-01-01"], "M8[D]"), "datetime64"),
        (np.zeros(2, [("a", float)]), "dtype"),
        (np.ma.masked_array([1.0]), "masked"),
        (np.rec.array([(1.0,)], dtype=[("a", float)]), "subclass"),
        (ArrayLike(), "not a NumPy array"),
        ((x for x in [1.0]), "only once"),
        (iter([1.0]), "only once"),
        (decimal.Decimal(1), "Decimal"),
        (fractions.Fraction(1), "Fraction"),
    ],
)
def test_what_is_refused(value, what):
    with pytest.raises(ArgumentError, match="ADC205") as caught:
        signature_of([{"k": value}], path="argument `w`")
    assert what in caught.value.message
    assert "argument `w`[0]['k']" in caught.value.message
    assert caught.value.hint


def test_matrices_are_refused():
    with pytest.warns(PendingDeprecationWarning):
        value = np.matrix([[1.0]])
    with pytest.raises(ArgumentError, match="matrix product"):
        signature_of(value)


@pytest.mark.parametrize("name", ["pandas.core.Series", "torch.Tensor", "jaxlib.Array"])
def test_arrays_of_other_libraries_are_refused(name):
    module, _, cls = name.rpartition(".")
    value = type(cls, (), {"__module__": module})()
    with pytest.raises(ArgumentError, match=r"np\.asarray"):
        signature_of(value)


def test_a_list_that_contains_itself():
    loop: list = []
    loop.append(loop)
    with pytest.raises(ArgumentError, match="contains itself"):
        signature_of(loop)
    with pytest.raises(ArgumentError, match="contains itself"):
        binder(some_function).key((loop,))


def test_array_subclass_that_is_only_a_file(tmp_path):
    memory = np.memmap(tmp_path / "x", shape=(3,), mode="w+")
    assert signature_of(memory).payload.dtype == "u8"


# -- aliases ------------------------------------------------------------------------------------------


def test_aliases():
    a, b = np.zeros((4, 4)), np.zeros(3)
    assert aliases([a, b, 1.0, a]) == [(0, 3)]
    assert aliases([a[:2], a[2:]]) == []
    assert aliases([a[1:], b, a[:2], a.T]) == [(0, 2), (0, 3), (2, 3)]
    assert aliases([a[:, ::2], a[:, 1::2]]) == []  # interleaved, yet apart
    assert aliases([np.zeros(0), np.zeros(0), "text", None]) == []


def test_a_question_that_is_too_hard_counts_as_shared(monkeypatch):
    def too_hard(*args, **kwargs):
        raise np.exceptions.TooHardError

    a = np.zeros(6)
    monkeypatch.setattr(np, "shares_memory", too_hard)
    assert aliases([a[::2], a[1::2]]) == [(0, 1)]


@pytest.mark.parametrize("make", [lambda a: a, lambda a: [a], lambda a: {"k": (a[1:],)}, lambda a: Layer(a.T, 1.0)])
def test_written_arguments_must_not_share_memory(make):
    b, a = binder(f), np.zeros((3, 3))
    bound = b.positional((a, make(a)), {})
    b.check_aliases(bound, ())
    b.check_aliases(bound, ("z",))
    for written in ("x", "y"):
        with pytest.raises(ValueError, match="ADC206") as caught:
            b.check_aliases(bound, (written,))
        assert f"`{written}` is written" in caught.value.message
        assert (caught.value.argument, caught.value.position) == ("y", 1)
    b.check_aliases((a, make(a.copy())), ("x", "y"))


def test_written_lists_must_not_hold_an_array_twice():
    b, a = binder(f), np.zeros(3)
    b.check_aliases(([a, a], 1.0, 1.0, "a"), ("y",))
    with pytest.raises(ValueError, match="holds two arrays"):
        b.check_aliases(([a, a], 1.0, 1.0, "a"), ("x",))


# -- binding ------------------------------------------------------------------------------------------


def binder(f) -> Binder:
    return Binder(inspect.signature(f), f.__name__)


def f(x, y, z=3.0, mode="a"):
    pass


@pytest.mark.parametrize(
    ("args", "kwargs", "bound"),
    [
        ((1, 2, 4, "b"), {}, (1, 2, 4, "b")),
        ((1, 2), {}, (1, 2, 3.0, "a")),
        ((1,), {"y": 2}, (1, 2, 3.0, "a")),
        ((), {"mode": "b", "y": 2, "x": 1}, (1, 2, 3.0, "b")),
    ],
)
def test_binding(args, kwargs, bound):
    assert tuple(binder(f).positional(args, kwargs)) == bound


@pytest.mark.parametrize(
    ("args", "kwargs", "argument"),
    [((), {}, "x"), ((1,), {}, "y"), ((1, 2, 3, 4, 5), {}, None), ((1, 2), {"w": 3}, None), ((1, 2), {"x": 3}, "x")],
)
def test_calls_that_do_not_fit(args, kwargs, argument):
    with pytest.raises(ArgumentError, match="ADC208") as caught:
        binder(f).positional(args, kwargs)
    assert isinstance(caught.value, TypeError)
    assert "f(x, y, z=3.0, mode='a')" in caught.value.hint
    assert caught.value.argument == argument


def test_stars_and_keyword_only():
    def g(x, /, *rest, scale=2.0, **more):
        pass

    b = binder(g)
    assert b.kinds == ("positional", "star", "keyword", "kwargs")
    bound = b.positional((1.0, 2.0, 3), {"k": 4.0})
    assert bound == (1.0, (2.0, 3), 2.0, {"k": 4.0})
    trees = b.arguments(bound)
    assert trees["rest"] == TupleTree((Leaf(FLOAT), Leaf(INT)))
    assert trees["more"] == DictTree(("k",), (Leaf(FLOAT),))
    assert b.leaves(bound) == [1.0, 2.0, 3, 2.0, 4.0]
    assert b.positional((1.0,), {}) == (1.0, (), 2.0, {})


def test_arguments_share_lengths_and_name_what_is_refused():
    b = binder(f)
    trees = b.arguments((np.zeros((2, 3)), np.zeros(3), 1.0, "a"))
    assert trees["x"].payload.shape[1] == trees["y"].payload.shape[0]
    with pytest.raises(ArgumentError, match="argument `y`") as caught:
        b.key((1.0, 2j, 3.0, "a"))
    assert (caught.value.argument, caught.value.position) == ("y", 1)


def test_a_parameter_list_will_do():
    assert Binder(inspect.signature(f).parameters.values()).names == ("x", "y", "z", "mode")


# -- keys ---------------------------------------------------------------------------------------------


def key(b: Binder, *values):
    return b.key(b.positional(values, {}))


def test_same_types_same_key():
    b = binder(f)
    assert key(b, 1.0, 2.0) is key(b, 3.0, -4.0)
    assert key(b, np.zeros((3, 4)), np.zeros(4)) is key(b, np.zeros((7, 5)), np.zeros(5))
    assert key(b, [(np.ones(2), 1)], {"k": 1}) is key(b, [(np.ones(5), 2)], {"k": 7})


PAIRS = [
    ((1.0, 2.0), (1, 2.0)),
    ((1, 2.0), (True, 2.0)),
    ((1.0, 2.0), (np.float32(1.0), 2.0)),
    ((np.ones(3), 1.0), (np.ones(3, np.float32), 1.0)),
    ((np.ones(3), 1.0), (np.ones((3, 3)), 1.0)),
    ((np.ones(3), 1.0), (np.ones(1), 1.0)),
    ((np.ones(3), np.ones(3)), (np.ones(3), np.ones(4))),
    ((np.ones((3, 4)), np.ones(3)), (np.ones((3, 4)), np.ones(4))),
    ((np.ones(3), 1.0), ([1.0, 1.0, 1.0], 1.0)),
    ((np.array(1.0), 1.0), (1.0, 1.0)),
    (((1.0, 2.0), 1.0), ([1.0, 2.0], 1.0)),
    (((1.0, 2.0), 1.0), ((1.0, 2.0, 3.0), 1.0)),
    (((1.0, (2.0,)), 1.0), (((1.0,), 2.0), 1.0)),
    (([[1.0], []], 1.0), ([[], [1.0]], 1.0)),
    (({"a": 1.0}, 1.0), ({"b": 1.0}, 1.0)),
    (({1: 1.0}, 1.0), ({True: 1.0}, 1.0)),
    (({"a": 1.0, "b": 1}, 1.0), ({"b": 1, "a": 1.0}, 1.0)),
    (({"a": 1.0}, 1.0), (OrderedDict(a=1.0), 1.0)),
    ((Point(1.0, 2.0), 1.0), ((1.0, 2.0), 1.0)),
    ((Layer(1.0, 2.0), 1.0), (Layer(1.0, 2.0, "conv"), 1.0)),
    (("a", 1.0), ("b", 1.0)),
    (("a", 1.0), (b"a", 1.0)),
    ((None, 1.0), (False, 1.0)),
    ((some_function, 1.0), (f, 1.0)),
    ((range(3), 1.0), (range(4), 1.0)),
    (({1}, 1.0), ({1.0}, 1.0)),
    ((object(), 1.0), (object(), 1.0)),
    (([1.0] * 40, 1.0), ([1] * 40, 1.0)),
    (([1.0] * 40, 1.0), ([1.0] * 3, 1.0)),
    ((Color.RED, 1.0), (1, 1.0)),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_different_types_different_keys(one, other):
    b = binder(f)
    assert key(b, *one) is not key(b, *other)
    assert key(b, *one) is key(b, *one)


def test_keys_agree_with_trees():
    """What has one key has one structure: the same leaves with the same dtypes and ranks."""
    b = binder(f)
    by_key: dict = {}
    for pair in PAIRS:
        for values in pair:
            bound = b.positional(values, {})
            trees = [
                [(leaf.payload.dtype, getattr(leaf.payload.shape, "__len__", lambda: None)()) for leaf in leaves(tree)]
                for tree in b.arguments(bound).values()
                if not any(isinstance(leaf.payload, ListType) for leaf in leaves(tree))
            ]
            assert by_key.setdefault(b.key(bound), trees) == trees


def test_equal_strings_are_one_even_when_they_are_two_objects():
    b = binder(f)
    assert key(b, "".join(list("relu")), 1.0) is key(b, "relu", 1.0)


def test_unhashable_objects_are_keyed_by_identity():
    b, one, two = binder(f), array.array("d", [1.0]), array.array("d", [1.0])
    assert key(b, one, 1.0) is key(b, one, 1.0)
    assert key(b, one, 1.0) is not key(b, two, 1.0)


def test_long_lists_of_any_length_share_a_key():
    b = binder(f)
    assert key(b, [1.0] * 40, 1.0) is key(b, [2.0] * 4000, 1.0)


def test_many_shapes_do_not_pile_up():
    b = binder(f)
    first = key(b, np.ones(2), 1.0)
    for n in range(2, 1500):
        assert key(b, np.empty(n), 1.0) is first
    assert len(b._exact) <= 1024
    assert repr(first).startswith("Key")


def test_a_refused_call_leaves_nothing_behind():
    b = binder(f)
    with pytest.raises(ArgumentError):
        key(b, np.ones(2) * 1j, 1.0)
    assert not b._exact
    assert not b._keys


def test_a_hit_builds_no_trees(monkeypatch):
    b = binder(f)
    args = ([(np.ones((3, 4)), np.ones(4))], {"k": 1.0}, 1.0, "a")
    first = b.key(args)
    monkeypatch.setattr(Binder, "arguments", None)
    assert b.key(args) is first


def test_labels_of_many_lengths():
    labels = [dim.symbol.label for dim in signature_of(np.zeros((2, 3, 4, 5, 6, 7, 8, 9, 0))).payload.shape]
    assert len(set(labels)) == 9
    assert Dim(None, 1) == ONE
