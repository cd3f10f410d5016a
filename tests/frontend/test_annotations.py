"""Types as people write them."""

from __future__ import annotations

import ast

import pytest

from ad_compiler.diagnostics.diagnostic import ArgumentValueError, LanguageError
from ad_compiler.diagnostics.source import Source
from ad_compiler.frontend.annotations import parse_annotation, parse_arg
from ad_compiler.frontend.read import from_text
from ad_compiler.ir.trees import Fixed, Leaf, TupleTree
from ad_compiler.ir.types import BOOL, FLOAT, INT, ONE, Dim, ListType, Symbol, Tensor, TupleType


def tree(text: str, symbols=None):
    return parse_annotation(ast.parse(text, mode="eval").body, symbols=symbols)


def payload(text: str, symbols=None):
    found = tree(text, symbols)
    assert isinstance(found, Leaf)
    return found.payload


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("float", FLOAT),
        ("int", INT),
        ("bool", BOOL),
        ("np.float64", FLOAT),
        ("np.float32", Tensor("f32", ())),
        ("np.bool_", BOOL),
        ("np.int32", Tensor("i32", ())),
        ("f32", Tensor("f32", ())),
        ("complex", Tensor("c128", ())),
        ("'float'", FLOAT),
        ("Annotated[float, 'metres']", FLOAT),
        ("float | int", Tensor("?", ())),
        ("float[3, 1]", Tensor("f64", (Dim(None, 3), ONE))),
        ("float32[2]", Tensor("f32", (Dim(None, 2),))),
        ("list[float]", ListType(FLOAT)),
        ("list[tuple[float, int]]", ListType(TupleType((FLOAT, INT)))),
        ("List[list[bool]]", ListType(ListType(BOOL))),
        ("float[0]", Tensor("f64", (Dim(None, 0),))),
    ],
)
def test_types(text, type):
    assert payload(text) == type


def test_named_lengths_are_shared_and_not_one():
    symbols: dict[str, Symbol] = {}
    a, b = payload("float[n, m]", symbols), payload("float[m, n - 1]", symbols)
    assert a.shape[1] == b.shape[0]
    assert b.shape[1] == Dim(a.shape[0].symbol, -1)
    assert payload("float[n + 2]", symbols).shape[0].offset == 2
    assert all(dim.symbol.many for dim in a.shape)
    assert a.shape[0] != a.shape[1]


def test_unknown_lengths_are_all_different():
    found = payload("float[:, :]")
    assert found.shape[0] != found.shape[1]
    assert not found.shape[0].symbol.many


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("float[...]", "f64"),
        ("np.ndarray", "f64"),
        ("NDArray[np.float32]", "f32"),
        ("npt.NDArray[np.int64]", "i64"),
        ("np.ndarray[Any, np.dtype[np.float32]]", "f32"),
        ("ArrayLike", "f64"),
        ("float | np.ndarray", "f64"),
        ("Union[float, np.ndarray]", "f64"),
        ("Float[np.ndarray, '... n']", "f64"),
    ],
)
def test_unknown_ranks(text, dtype):
    found = payload(text)
    assert found.dtype == dtype
    assert isinstance(found.shape, Symbol)


def test_jaxtyping():
    symbols: dict[str, Symbol] = {}
    found = payload("Float32[Array, 'n 3 1 _']", symbols)
    assert found.dtype == "f32"
    assert found.shape[:3] == (Dim(symbols["n"]), Dim(None, 3), ONE)
    assert not found.shape[3].symbol.many


def test_tuples_and_fixed_values():
    assert tree("tuple[float, int]") == TupleTree((Leaf(FLOAT), Leaf(INT)))
    assert tree("tuple[()]") == TupleTree(())
    assert tree("None") == Fixed(None)
    assert tree("Literal['a']") == Fixed("a")


@pytest.mark.parametrize(
    "text",
    [
        "str",
        "Model",
        "dict[str, float]",
        "Callable[[float], float]",
        "tuple[float, ...]",
        "float | None",
        "Optional[float]",
        "list[Model]",
        "Any",
        "f(x)",
        "'not a type'",
        "x.y.z",
        "list",
        "1",
    ],
)
def test_what_says_nothing_of_numbers(text):
    assert tree(text) is None


def test_no_annotation():
    assert parse_annotation(None) is None


@pytest.mark.parametrize(
    "text", ["float[2.5]", "float[-1]", "float[::2]", "float[..., 3]", "float[f(n)]", "list[int, int]"]
)
def test_malformed_types_are_errors(text):
    with pytest.raises(LanguageError, match="ADC119"):
        tree(text)


def test_the_error_is_where_the_mistake_is():
    source = Source("f.py", "def f(x: float[n, 2.5]): pass\n")
    node = ast.parse(source.text).body[0].args.args[0].annotation
    with pytest.raises(LanguageError) as caught:
        parse_annotation(node, source=source, function="f")
    assert caught.value.construct == "2.5"
    assert caught.value.function == "f"


def test_in_a_string_the_whole_string_is_shown():
    source = Source("f.py", "def f(x: 'float[n, 2.5]'): pass\n")
    node = ast.parse(source.text).body[0].args.args[0].annotation
    with pytest.raises(LanguageError) as caught:
        parse_annotation(node, source=source)
    assert caught.value.construct == "'float[n, 2.5]'"


def test_names_are_looked_up():
    scope = from_text("from numpy import ndarray as Vector, float32 as real\n", "f.py").scope
    vector = parse_annotation(ast.parse("Vector", mode="eval").body, scope)
    assert isinstance(vector, Leaf)
    assert isinstance(vector.payload.shape, Symbol)
    assert parse_annotation(ast.parse("real[3]", mode="eval").body, scope) == Leaf(Tensor("f32", (Dim(None, 3),)))


def test_args():
    symbols: dict[str, Symbol] = {}
    assert parse_arg("w: float[3, 4]") == ("w", Leaf(Tensor("f64", (Dim(None, 3), Dim(None, 4)))))
    assert parse_arg("n:int") == ("n", Leaf(INT))
    assert parse_arg("n = 3") == ("n", Fixed(3))
    assert parse_arg("mode = 'fast'") == ("mode", Fixed("fast"))
    _, a = parse_arg("a: float[n]", symbols)
    _, b = parse_arg("b: float[n]", symbols)
    assert a == b


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("w: Model", "Model"),
        ("w: float[2.5]", "2.5"),
        ("w: list[Model]", "Model"),
        ("w: float[ä, ü()]", "ü()"),
        ("n = f()", "f()"),
    ],
)
def test_bad_args_point_at_the_mistake(text, construct):
    with pytest.raises(ArgumentValueError, match="ADC119") as caught:
        parse_arg(text)
    assert caught.value.construct == construct
    assert caught.value.filename == "--arg"


@pytest.mark.parametrize(
    "text", ["", " ", "w", "w float", "1: float", "a: int; b: int", "a.b: int", "w: float = 3", "(", "\0", " w: int"]
)
def test_unreadable_args(text):
    with pytest.raises(ArgumentValueError, match="ADC119") as caught:
        parse_arg(text)
    assert caught.value.hint
