"""The text itself: layout, names, numbers, loading; and that it does not change from run to run."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import time
import traceback
import warnings

import numpy as np
import pytest

from ad_compiler.backends import write as writing
from ad_compiler.backends.load import filename_of, load
from ad_compiler.backends.numpy import emit
from ad_compiler.backends.write import COLUMN, LIMIT, Blank, Comment, check, lay_out, write
from ad_compiler.diagnostics.diagnostic import InternalError
from ad_compiler.primitives.evaluate import parse


def function(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


@pytest.mark.parametrize(
    "text",
    [
        "a + (b + c)", "a - (b - c)", "(a + b) * c", "-a ** 2", "(-a) ** 2", "2 ** -a", "(a ** b) ** c",
        "a ** b ** c", "not a and b", "not (a and b)", "(a if c else b) + 1", "f(a if c else b)", "x[()]",
        "x[1:, None, ..., ::-1]", "x[i][j].T @ y", "(a, b)", "(a,)", "[a, b]", "{'k': a}", "f(*a, k=b, **c)",
        "lambda x: x", "a < b", "(a < b) < c", "f'{a:.3f} {b!r}'", "'it\\'s'", "'\\n'", "1e-05", "1j",
        "(1 + 2j) * x", "-1.0 ** 2", "(-1.0) ** 2", "~a & b | c", "a // b % c", "a % (b // c)", "(a * b) / c",
        "a * (b / c)", "(yield)", "[x for x in y if x]", "(x := 3)", "x.y.z",
    ],
)  # fmt: skip
def test_expressions_read_back(text: str) -> None:
    """What is written is the same tree, brackets and all."""
    tree = function(f"def f():\n    r = {text}\n")
    assert ast.dump(ast.parse(write(tree))) == ast.dump(ast.parse(f"def f():\n    r = {text}\n"))


def test_negative_numbers() -> None:
    base = ast.BinOp(ast.Constant(-2), ast.Pow(), ast.Constant(2))
    made = write(ast.Assign([ast.Name("x", ast.Store())], base, lineno=1))
    assert made == "x = (-2) ** 2\n"


def test_products_say_their_order() -> None:
    assert write(function("x = a / b * c")) == "x = (a / b) * c\n"
    assert write(function("x = a * b * c")) == "x = a * b * c\n"


def test_statements_that_astor_does_not_know() -> None:
    text = "def f(x):\n    match x:\n        case 1:\n            return 2\n"
    assert ast.dump(ast.parse(write(function(text)))) == ast.dump(ast.parse(text))


def test_comments_stand_in_their_column() -> None:
    assert lay_out("    x = 1\0line 3") == [f"{'    x = 1':<{COLUMN - 2}}  # line 3"]
    long = "    x = " + " + ".join(["abcdefgh"] * 7)
    assert lay_out(f"{long}\0line 3") == [f"{long}  # line 3"]
    longer = "    x = " + " + ".join(["abcdefgh"] * 8)
    assert lay_out(f"{longer}\0line 3") == ["    # line 3", longer]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + " + ".join(f"variable_{k}" for k in range(30)),
        "x = np.foo(" + ", ".join(f"argument_{k}" for k in range(30)) + ")",
        "return " + ", ".join(f"value_{k}" for k in range(30)),
        "x += " + " * ".join(f"np.sin(variable_{k})" for k in range(20)),
        "a, b = " + ", ".join("np.where(condition, value_one, value_two)" for _ in range(2)) + ", *c" * 30,
        "assert f(" + ", ".join(f"argument_{k}" for k in range(30)) + ")",
        "x[" + ", ".join(f"i{k}" for k in range(30)) + "] = y",
    ],
)
def test_long_lines_are_broken(text: str) -> None:
    code = f"def f():\n    {text}\n"
    made = write(function(code))
    assert max(map(len, made.splitlines())) <= LIMIT
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(code))


def test_comments_and_blank_lines() -> None:
    tree = function("def f(x):\n    y = x\n    return y\n")
    assert isinstance(tree, ast.FunctionDef)
    tree.body.insert(1, Comment("reverse sweep"))
    tree.body.insert(1, Blank())
    assert write(tree) == "def f(x):\n    y = x\n\n    # reverse sweep\n    return y\n"


def test_a_text_that_reads_back_otherwise_is_our_bug() -> None:
    with pytest.raises(InternalError, match="ADC302"):
        check("x = 1\n", function("x = 2"))
    with pytest.raises(InternalError, match="ADC302"):
        check("x = = 1\n", function("x = 2"))


def test_importing_astor_warns_nobody() -> None:
    code = "import warnings; warnings.simplefilter('error'); import ad_compiler.backends.write"
    subprocess.run([sys.executable, "-c", code], check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writing.write(function("x = 1.5 if a else f'{b}'"))


def test_constants(emits) -> None:
    text = emits(
        """
func f(%x: f64) -> tuple(f64, f64, f64, f64)
  %0 = multiply %x, -2.0
  %1 = power -2.0, 2.0
  %2 = add %0, %1
  %3 = minimum %2, inf
  %4 = maximum %2, -inf
  %5 = multiply %x, -0.0
  %6 = multiply %x, 1e-300
  return %3, %4, %5, %6
""",
        None,
        (1.5,),
    )
    assert "(-2.0) ** 2.0" in text
    assert "-np.inf" in text
    assert np.signbit(load(text)["f"](1.5)[2])


def test_names(emits) -> None:
    """A user's name is kept; a number only where two values of that name are alive; builtins stay what they are."""
    emits(
        """
func f(%x: f64, %list: f64) -> tuple(f64, f64)
  %x.1 = sin %x
  %x.2 = multiply %x.1, %x
  %len = multiply %x.2, %x.2
  %for = add %len, %list
  %0 = multiply %for, %for
  %1 = multiply %0, %0
  return %1, %x.2
""",
        """
def f(x, list):
    x_1 = np.sin(x)
    x = x_1 * x
    len_ = x * x
    for_ = len_ + list
    s = for_ * for_
    return s * s, x
""",
        (1.0, 2.0),
    )


def test_hidden_builtins(emits) -> None:
    text = emits(
        """
func f(%x: f64, %range: i64, %np: f64) -> f64
  %y: f64 = for 0, %range, 1, %x
    do(%i: i64, %y.1: f64)
      %0 = sin %y.1
      %y.2 = multiply %0, %np
      yield %y.2
  return %y
""",
        None,
        (1.0, 3, 2.0),
    )
    assert "builtins.range(range)" in text
    assert "numpy.sin(y) * np" in text


def test_helpers_come_with_those_they_call() -> None:
    text = emit(
        parse("func f(%y: f64[*], %a: f64[*], %b: f64[*]) -> f64[*]\n  %0 = matmul_bar_a %y, %a, %b\n  return %0\n")
    )
    assert text.index("def _unbroadcast") < text.index("def _matmul_bar_a") < text.index("def f(")
    y, a, b = np.ones((2, 4)), np.ones((2, 3)), np.ones((3, 4))
    assert np.allclose(load(text)["f"](y, a, b), y @ b.T)


def test_loaded_functions_have_source() -> None:
    text = "import numpy as np\n\n\ndef f(x):\n    return 1.0 / x\n"
    f = load(text, filename_of(text, "f"))["f"]
    assert inspect.getsource(f) == "def f(x):\n    return 1.0 / x\n"
    assert filename_of(text, "f") == filename_of(text, "f") != filename_of(text + "\n", "f")
    with pytest.raises(ZeroDivisionError) as caught:
        f(0)
    assert "return 1.0 / x" in "".join(traceback.format_exception(caught.value))
    assert load("y = k + 1", namespace={"k": 1})["y"] == 2


def test_a_header() -> None:
    module = parse("func f(%x: f64) -> f64\n  return %x\n")
    assert emit(module, header="made by us\n\ntwice").startswith("# made by us\n#\n# twice\nimport numpy as np\n")


def test_the_same_text_under_other_hash_seeds() -> None:
    code = (
        "from tests.backends.programs import random_module\n"
        "from ad_compiler.backends.numpy import emit\n"
        "for seed in range(12): print(emit(random_module(seed, 25)))\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(texts) == 1


def test_emission_leaves_the_module_alone() -> None:
    from ad_compiler.ir.printer import show
    from tests.backends.programs import random_module

    for seed in range(10):
        module = random_module(seed)
        before = show(module)
        first = emit(module)
        assert show(module) == before
        assert emit(module) == first


def straight(n: int) -> str:
    lines = ["func f(%x: f64, %A: f64[n]) -> tuple(f64, f64[n])"]
    for k in range(n):
        x, A = (f"%x.{k}", f"%A.{k}") if k else ("%x", "%A")
        lines += [f"  %s.{k} = sin {x}", f"  %x.{k + 1} = multiply %s.{k}, {x}"]
        lines += [f"  %A.{k + 1} = setitem[index=({k},)] {A}, %x.{k + 1}"]
    return "\n".join([*lines, f"  return %x.{n}, %A.{n}", ""])


def test_time_grows_with_the_statements_and_nothing_recurses() -> None:
    times = []
    for n in (150, 1200):
        module = parse(straight(n))
        start = time.perf_counter()
        emit(module)
        times.append(time.perf_counter() - start)
    assert times[1] < 30 * times[0]
