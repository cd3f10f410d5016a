"""What names mean, live and static; and that reading a file runs nothing of it."""

from __future__ import annotations

import ast
import builtins
import functools
import math
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import ad_compiler
from ad_compiler.frontend.read import from_function, from_path, from_text
from ad_compiler.frontend.resolve import (
    READS,
    PythonObject,
    Read,
    StaticConstant,
    UnknownName,
    UserFunction,
    attribute,
    classify,
)

SCALE = 2.5
TABLE = np.arange(3.0)
PAIR = (1, (2.0, "a"), None)


def helper(x):
    return SCALE * x


cached = functools.lru_cache(helper)


class Box:
    value = 3

    def method(self, x):
        return x

    @property
    def broken(self):
        raise RuntimeError("no")


BOX = Box()


def uses_globals(x):
    return x


def scope_of(f):
    return from_function(f).scope


# -- live ---------------------------------------------------------------------------------------------


def test_live_globals():
    scope = scope_of(uses_globals)
    assert scope.lookup("SCALE") == StaticConstant(2.5)
    assert scope.lookup("PAIR") == StaticConstant(PAIR)
    assert scope.lookup("TABLE").obj is TABLE
    assert scope.lookup("np").obj is np
    assert scope.lookup("Box").obj is Box
    assert scope.lookup("len").obj is len
    assert scope.lookup("no_such_name") is None


def test_live_functions_are_read_when_asked_for():
    scope = scope_of(uses_globals)
    found = scope.lookup("helper")
    assert isinstance(found, UserFunction)
    assert found.function is helper
    assert found.definition.name == "helper"
    assert found.definition is found.definition
    assert scope.lookup("cached").definition.function is helper
    assert "helper" in repr(found)


def test_live_closures_win_and_can_be_empty():
    SCALE = 7

    def inner(x):
        return SCALE * x + later

    scope = scope_of(inner)
    assert scope.lookup("SCALE") == StaticConstant(7)
    assert isinstance(scope.lookup("later"), UnknownName)
    later = 1
    assert scope.lookup("later") == StaticConstant(1)


def reads_of(act) -> list[Read]:
    """What `act` reads, as the compiler notes it."""
    reads: list[Read] = []
    token = READS.set(reads)
    try:
        act()
    finally:
        READS.reset(token)
    return reads


def test_live_scope_sees_the_present(monkeypatch):
    scope = scope_of(uses_globals)
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 3.5)
    assert scope.lookup("SCALE") == StaticConstant(3.5)


@pytest.mark.parametrize("name", ["SCALE", "TABLE", "helper", "PAIR"])
def test_a_read_is_current_until_the_name_means_something_else(monkeypatch, name):
    (read,) = reads_of(lambda: scope_of(uses_globals).lookup(name))
    assert read.is_current()
    monkeypatch.setattr(sys.modules[__name__], name, "other")
    assert not read.is_current()
    monkeypatch.delattr(sys.modules[__name__], name)
    assert not read.is_current()


def test_modules_are_taken_for_granted():
    assert reads_of(lambda: scope_of(uses_globals).lookup("np")) == []


def test_reads_of_attributes():
    (read,) = reads_of(lambda: attribute(PythonObject(BOX), "method"))
    assert read.is_current()  # a bound method is another object at each read

    class Sensor:
        step = 0.5

        @property
        def length(self):
            return float(1e3 * self.step)

    sensor = Sensor()
    (read,) = reads_of(lambda: attribute(PythonObject(sensor), "length"))
    assert read.is_current()
    sensor.step = 0.25
    assert not read.is_current()


def test_reads_of_containers_notice_writes():
    table = {"a": [1.0]}

    def inner(x):
        return table["a"]

    (read,) = reads_of(lambda: scope_of(inner).lookup("table"))
    assert read.is_current()
    table["a"].append(2.0)
    assert not read.is_current()


def test_live_globals_hide_builtins():
    space = {"len": 3, "__builtins__": {"len": len, "mine": 1}}
    f = type(helper)(helper.__code__, space)
    from ad_compiler.frontend.resolve import LiveScope

    scope = LiveScope(f, from_function)
    assert scope.lookup("len") == StaticConstant(3)
    assert scope.lookup("mine") == StaticConstant(1)
    assert scope.lookup("print") is None


def test_attributes():
    assert attribute(PythonObject(np), "sin").obj is np.sin
    assert attribute(attribute(PythonObject(np), "linalg"), "norm").obj is np.linalg.norm
    assert attribute(PythonObject(math), "pi") == StaticConstant(math.pi)
    assert isinstance(attribute(PythonObject(np), "nonsense"), UnknownName)
    assert attribute(PythonObject(Box), "value") == StaticConstant(3)
    assert attribute(PythonObject(BOX), "method").definition.bound_args == (BOX,)
    assert "RuntimeError" in attribute(PythonObject(BOX), "broken").reason
    assert attribute(UnknownName("why"), "x") == UnknownName("why")
    assert isinstance(attribute(UserFunction(function=helper, read=from_function), "cache"), UnknownName)
    assert isinstance(attribute(StaticConstant(2), "real"), StaticConstant)


def test_attributes_stay_inside_the_libraries():
    import numpy.f2py  # noqa: F401, it makes `np.f2py.os` reachable

    assert isinstance(attribute(attribute(PythonObject(np), "f2py"), "os"), UnknownName)
    assert isinstance(attribute(PythonObject(functools), "sys"), UnknownName)


def test_classify():
    assert classify(True) == StaticConstant(True)
    assert classify(np.float64(1.0)) == PythonObject(np.float64(1.0))
    assert classify([1]) == PythonObject([1])
    assert isinstance(classify(helper), UserFunction)
    assert classify(helper).definition.name == "helper"
    assert isinstance(classify(np.linalg.norm), PythonObject)
    assert isinstance(classify(functools.reduce), PythonObject)
    assert isinstance(classify((1, [2])), PythonObject)


# -- static -------------------------------------------------------------------------------------------


def static(text: str):
    return from_text(text, "file.py").scope


def reason(text: str, name: str) -> str:
    found = static(text).lookup(name)
    assert isinstance(found, UnknownName), found
    return found.reason


@pytest.mark.parametrize(
    ("text", "name", "obj"),
    [
        ("import numpy as np", "np", np),
        ("import numpy", "numpy", np),
        ("import numpy.linalg", "numpy", np),
        ("import numpy.linalg as la", "la", np.linalg),
        ("import numpy.linalg, numpy.fft", "numpy", np),
        ("from numpy import linalg", "linalg", np.linalg),
        ("from numpy import sin as s", "s", np.sin),
        ("from numpy.linalg import norm", "norm", np.linalg.norm),
        ("from math import sin", "sin", math.sin),
        ("from math import *", "cos", math.cos),
        ("from numpy import *", "tanh", np.tanh),
        ("import functools", "functools", functools),
        ("from functools import partial", "partial", functools.partial),
        ("", "len", len),
        ("", "range", range),
    ],
)
def test_static_imports(text, name, obj):
    assert static(text).lookup(name).obj is obj


@pytest.mark.parametrize("text", ["import scipy.special", "import scipy", "from scipy import special"])
def test_scipy_is_imported_when_it_is_looked_up(text):
    scipy_special = pytest.importorskip("scipy.special")
    scope = static(text)
    found = scope.lookup("special") or attribute(scope.lookup("scipy"), "special")
    assert attribute(found, "erf").obj is scipy_special.erf


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("1 / 60", 1 / 60),
        ("-2.5", -2.5),
        ("(1, -2, 'a', None)", (1, -2, "a", None)),
        ("-np.pi * 2", -np.pi * 2),
        ("math.sqrt(2.0)", math.sqrt(2.0)),
        ("np.sqrt(2)", np.sqrt(2)),
        ("2 ** 10 % 7 // 2", 2**10 % 7 // 2),
        ("True", True),
        ("not 3", False),
        ("float('3')" if False else "float(3)", 3.0),
        ("1e-3 + 2j", 1e-3 + 2j),
        ("OTHER * 2", 14),
        ("max(1, OTHER)", 7),
        ("np.inf", np.inf),
        ("()", ()),
    ],
)
def test_static_constants(text, value):
    found = static(f"import numpy as np, math\nOTHER = 7\nX = {text}\n").lookup("X")
    assert found == StaticConstant(value)
    assert type(found.value) is type(value)


def test_static_constants_with_annotations_and_in_tuples():
    scope = static("N: int = 3\nA, (B, C) = 1, (2, 3.0)\nF: float\n")
    assert [scope.lookup(name).value for name in "NABC"] == [3, 1, 2, 3.0]
    assert scope.lookup("F") is None


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("x = [1, 2]", "x", "literals alone"),
        ("x = f(3)", "x", "literals alone"),
        ("x = open('/etc/passwd').read()", "x", "literals alone"),
        ("x = y + 1", "x", "not known"),
        ("x = x + 1", "x", "by itself"),
        ("x = y\ny = x", "x", "by itself"),
        ("x = 1 / 0", "x", "ZeroDivisionError"),
        ("x = 10 ** 10 ** 10", "x", "too large"),
        ("x = 1 << 10 ** 10", "x", "literals alone"),
        ("x = 'a' * 10 ** 10", "x", "numbers alone"),
        ("x = np.zeros(3)\nimport numpy as np", "x", "literals alone"),
        ("x = np.sin\nimport numpy as np", "x", "not a number"),
        ("x = 1\nx = 2", "x", "lines 1, 2"),
        ("x = 1\nx += 2", "x", "more than once"),
        ("if a:\n    x = 1\nelse:\n    x = 2", "x", "more than once"),
        ("if a:\n    x = 1", "x", "`if` on line 1"),
        ("for x in range(3): pass", "x", "`for`"),
        ("with a as x: pass", "x", "`with`"),
        ("while a:\n    import numpy as x", "x", "`while`"),
        ("try:\n    import numpy as np\nexcept ImportError:\n    np = None", "np", "more than once"),
        ("try:\n    a\nexcept E as x:\n    pass", "x", "`try`"),
        ("match a:\n    case [x, *y]: pass", "x", "`match`"),
        ("match a:\n    case {**x}: pass", "x", "`match`"),
        ("x, *y = 1, 2, 3", "y", "not followed"),
        ("a = (x := 3)", "x", "inside an expression"),
        ("x = 1\ndel x", "x", "more than once"),
        ("def f():\n    global x\n    x = 2\nx = 1", "x", "more than once"),
        ("def f():\n    global x\n    x = 2", "x", "global"),
        ("class x: pass", "x", "class"),
        ("async def x(): pass", "x", "coroutine"),
        ("@unknown\ndef x(): pass", "x", "decorated"),
        ("import os", "os", "not followed"),
        ("from . import x", "x", "not followed"),
        ("from .model import x", "x", "`.model`"),
        ("from mine import *", "x", "`from mine import *`"),
        ("from mine import *", "len", "`from mine import *`"),
        ("from numpy import no_such_thing", "no_such_thing", "has no"),
        ("import numpy.no_such_thing as x", "x", "cannot be imported"),
        ("from typing import sys", "sys", "not known"),
    ],
)
def test_static_names_that_are_not_known(text, name, why):
    assert why in reason(text, name)


def test_static_functions():
    scope = static("def f(x): return g(x)\n\ndef g(x): return x\n")
    found = scope.lookup("g")
    assert isinstance(found, UserFunction)
    assert found.definition.name == "g"
    assert found.function is None


def test_static_lambdas():
    scope = static("square = lambda x: x * x\na, b = (lambda x: x), 1\n")
    assert scope.lookup("square").definition.name == "square"
    assert isinstance(scope.lookup("a"), UnknownName)


def test_static_type_checking_imports_are_not_followed():
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from numpy import sin\n"
    assert "`if`" in reason(text, "sin")


def test_static_decorators_known_to_change_nothing():
    text = """
import functools, numba
from numba import njit
from ad_compiler import differentiate as d
@functools.cache
@njit(parallel=True)
@numba.njit
@d(wrt=0)
def f(x): return x
"""
    assert isinstance(static(text).lookup("f"), UserFunction)


@pytest.mark.parametrize("text", ["njit = print\n@njit\ndef f(x): return x\n", "@lru_cache\ndef f(x): return x\n"])
def test_static_decorators_are_known_by_their_import(text):
    assert isinstance(static(text).lookup("f"), UnknownName)


def test_the_scope_of_a_name_that_is_nowhere():
    assert static("x = 1").lookup("nowhere") is None


def test_the_same_library_imported_twice_is_one_name():
    assert static("import numpy.linalg\nimport numpy\n").lookup("numpy").obj is np
    assert isinstance(static("import numpy\nnumpy = 3\n").lookup("numpy"), UnknownName)


def test_dotted_names():
    scope = static("import numpy as np\n")
    assert scope.dotted(ast.parse("np.linalg.norm", mode="eval").body).obj is np.linalg.norm
    assert scope.dotted(ast.parse("nope.linalg", mode="eval").body) is None
    assert scope.dotted(ast.parse("f()", mode="eval").body) is None
    assert scope.dotted(ast.parse("len", mode="eval").body).obj is builtins.len


EVIL = """\
open({mark!r}, "w").write("it ran")
"""


def test_files_beside_the_file_are_not_imported(tmp_path):
    """A `numpy.py`, a `scipy.py` or a `random.py` in the folder would run if any path led there."""
    mark = tmp_path / "it_ran"
    for name in ["scipy", "random", "dataclasses", "helpers", "cmath"]:
        (tmp_path / f"{name}.py").write_text(EVIL.format(mark=str(mark)))
    file = tmp_path / "model.py"
    file.write_text(
        EVIL.format(mark=str(mark))
        + "import numpy as np, helpers, cmath\nimport scipy.special\nfrom random import gauss\n"
        + "def f(x): return np.sin(x)\n"
    )
    program = (
        "import sys\n"
        "from ad_compiler.frontend.read import from_path\n"
        "sys.path.insert(0, '')\n"
        "scope = from_path('model.py').scope\n"
        "for name in ['np', 'helpers', 'scipy', 'gauss', 'cmath']: print(name, scope.lookup(name))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(ad_compiler.__file__).parents[1])}
    command = [sys.executable, "-P", "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert not mark.exists()
    assert "helpers UnknownName" in ran.stdout
    assert "module 'numpy'" in ran.stdout
    assert str(tmp_path) not in ran.stdout


def test_a_library_that_was_loaded_from_beside_the_file_is_not_one(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text("import cmath\n")
    fake = types.ModuleType("cmath")
    fake.__file__ = str(tmp_path / "cmath.py")
    monkeypatch.setitem(sys.modules, "cmath", fake)
    assert "beside" in from_path(tmp_path / "model.py").scope.lookup("cmath").reason


def test_a_file_in_the_folder_of_installed_libraries_is_fine():
    folder = os.path.dirname(os.path.dirname(np.__file__))
    scope = from_text("import numpy as np\n", os.path.join(folder, "some_script.py")).scope
    assert scope.lookup("np").obj is np
