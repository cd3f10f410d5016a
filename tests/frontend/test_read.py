"""Finding the source of functions: live ones in every form, and those of a file that is only read."""

from __future__ import annotations

import ast
import functools
import importlib.util
import linecache
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from ad_compiler.diagnostics.diagnostic import ArgumentError, Error, LanguageError, SourceError
from ad_compiler.frontend import read
from ad_compiler.frontend.read import Definition, from_function, from_path, from_text, span_of


def plain(x, y=2.0):
    """A docstring."""
    return x * y


def with_assert(x):
    assert x > 0  # pytest rewrites this when it imports the file
    return x * x


def returned(definition: Definition) -> str:
    """The expression of the first return."""
    return ast.unparse(
        next(node for node in ast.walk(ast.Module(definition.body, [])) if isinstance(node, ast.Return)).value
    )


def module_from(tmp_path, text: str, name: str = "sample"):
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- live ---------------------------------------------------------------------------------------------


def test_a_plain_function():
    definition = from_function(plain)
    assert (definition.name, definition.qualname) == ("plain", "plain")
    assert definition.source.filename == __file__
    assert definition.source.line(definition.first_line) == "def plain(x, y=2.0):"
    assert [argument.arg for argument in definition.parameters.args] == ["x", "y"]
    assert returned(definition) == "x * y"
    assert definition.function is plain


def test_the_span_of_a_function_is_its_first_line():
    definition = from_function(plain)
    span = definition.span()
    assert (span.line, span.end_line, span.function) == (definition.first_line, definition.first_line, "plain")
    assert definition.text(definition.body[-1]) == "return x * y"


def test_a_function_that_pytest_rewrote():
    assert returned(from_function(with_assert)) == "x * x"


def test_a_nested_function():
    def inner(x):
        return x + 1

    assert from_function(inner).qualname.endswith("<locals>.inner")


def test_a_lambda_takes_the_name_it_is_assigned_to():
    square = lambda x: x * x
    definition = from_function(square)
    assert isinstance(definition.node, ast.Lambda)
    assert definition.name == "square"
    assert returned(definition) == "x * x"
    assert from_function([lambda x: x][0]).name == "function"


def test_lambdas_on_one_line():
    a, b, c = (lambda x: x + 1), (lambda x: x + 2), (lambda x, y=3: x + y)
    assert [returned(from_function(f)) for f in (a, b, c)] == ["x + 1", "x + 2", "x + y"]


def test_lambdas_on_one_line_that_differ_in_a_constant_only():
    fs = [lambda x: x * 1, lambda x: x * 1.0, lambda x: x * True, lambda x: x + 0.0, lambda x: x + -0.0]
    assert [returned(from_function(f)) for f in fs] == ["x * 1", "x * 1.0", "x * True", "x + 0.0", "x + -0.0"]


def test_lambdas_in_lambdas_on_one_line():
    k = 4
    outer, other = (lambda p: lambda r: r + p + k), (lambda p: lambda r: r * p * k)
    assert returned(from_function(outer)) == "lambda r: r + p + k"
    assert returned(from_function(other(2))) == "r * p * k"


def test_lambdas_on_one_line_that_call_into_a_module():
    """Calls of `module.function` compile differently where Python knows that the name is a module."""
    a, b = (lambda x: np.sin(x)), (lambda x: np.cos(x))
    assert [returned(from_function(f)) for f in (a, b)] == ["np.sin(x)", "np.cos(x)"]
    c, d = (lambda x: x in {1, 2}), (lambda x: x in {1.0, 2})
    assert [returned(from_function(f)) for f in (c, d)] == ["x in {1, 2}", "x in {1.0, 2}"]


def test_the_function_around_lambdas_on_one_line():
    def around(x):
        if x:
            pass
        a, b = (lambda: x), (lambda: x + 1)
        return a() + b()

    assert returned(from_function(around)) == "a() + b()"


def test_equal_lambdas_on_one_line_keep_their_own_place():
    a, b = (lambda x: x), (lambda x: x)
    assert from_function(a).node.col_offset < from_function(b).node.col_offset


def test_a_lambda_over_several_lines():
    f = lambda x: x + 1
    assert returned(from_function(f)) == "x + 1"


class Model:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return self.scale * x

    def method(self, x, y):
        return self.scale * x + y

    @staticmethod
    def static(x):
        return x

    @classmethod
    def of_class(cls, x):
        return x

    @property
    def prop(self):
        return self.scale


def test_methods_and_objects_bind_their_object():
    model = Model(2.0)
    for f, name in [(model, "__call__"), (model.method, "method")]:
        definition = from_function(f)
        assert definition.name == name
        assert definition.bound_args == (model,)
    assert from_function(Model.static).bound_args == ()
    assert from_function(Model.of_class).bound_args == (Model,)
    assert from_function(Model.method).bound_args == ()
    assert from_function(Model.__dict__["static"]).name == "static"


def test_partials_bind_in_the_order_of_a_call():
    model = Model(2.0)
    f = functools.partial(functools.partial(model.method, 1.0), y=3.0)
    definition = from_function(f)
    assert definition.bound_args == (model, 1.0)
    assert definition.bound_keywords == {"y": 3.0}
    later = functools.partial(functools.partial(plain, y=1.0), y=2.0)
    assert from_function(later).bound_keywords == {"y": 2.0}


def passes_on(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper


def doubles(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return 2 * f(*args, **kwargs)

    return wrapper


def test_a_wrapper_that_changes_nothing_is_looked_through():
    assert from_function(passes_on(passes_on(plain))).function is plain
    assert from_function(functools.lru_cache(plain)).function is plain
    assert from_function(functools.partial(passes_on(plain), y=1.0)).bound_keywords == {"y": 1.0}


def test_a_wrapper_that_does_more_is_itself_the_function():
    """Looking through it would differentiate half of what runs."""
    definition = from_function(doubles(plain))
    assert returned(definition) == "2 * f(*args, **kwargs)"


def test_wrappers_that_nearly_pass_on():
    def takes_one_more(f):
        @functools.wraps(f)
        def wrapper(first, *args, **kwargs):
            return f(*args, **kwargs)

        return wrapper

    def drops_keywords(f):
        @functools.wraps(f)
        def wrapper(*args):
            return f(*args)

        return wrapper

    for made in (takes_one_more(plain), drops_keywords(plain)):
        assert from_function(made).function is made


def test_a_wrapper_around_nothing_yet():
    def make():
        def wrapper(*args, **kwargs):
            return inner(*args, **kwargs)

        wrapper.__wrapped__ = plain
        return wrapper
        inner = plain

    assert returned(from_function(make())) == "inner(*args, **kwargs)"


def test_wrapped_is_not_believed():
    def wrapper(*args, **kwargs):
        return other(*args, **kwargs)

    other = lambda x: x
    wrapper.__wrapped__ = plain
    assert returned(from_function(wrapper)) == "other(*args, **kwargs)"


def test_decorated_with_ours():
    from ad_compiler.decorator import differentiate

    assert from_function(differentiate(plain)).function is plain


def test_a_derivative_is_not_taken_for_its_function():
    from ad_compiler.api import grad

    with pytest.raises(SourceError):
        from_function(grad(plain))


@pytest.mark.parametrize("f", [np.sin, len, np.linalg.svd, functools.reduce, np.vectorize(plain), Model, print])
def test_without_python_source(f):
    if f is np.linalg.svd and hasattr(f, "__code__"):
        pytest.skip("written in Python in this NumPy")
    with pytest.raises(SourceError, match="ADC107") as caught:
        from_function(f)
    assert caught.value.hint


@pytest.mark.parametrize("f", [3.0, "f", None, [plain]])
def test_no_function_at_all(f):
    with pytest.raises(ArgumentError, match="expected a function"):
        from_function(f)


def test_made_from_text_that_nobody_kept():
    space = {}
    exec("def f(x):\n    return x\n", space)
    with pytest.raises(SourceError, match="ADC107"):
        from_function(space["f"])


def test_typed_at_the_prompt():
    space = {}
    exec(compile("def f(x): return x\n", "<stdin>", "single"), space)
    with pytest.raises(SourceError, match="prompt"):
        from_function(space["f"])


def test_a_file_that_is_gone(tmp_path):
    module = module_from(tmp_path, "def f(x):\n    return x\n")
    (tmp_path / "sample.py").unlink()
    linecache.clearcache()
    with pytest.raises(SourceError, match="cannot be read"):
        from_function(module.f)


def notebook_cell(text: str, name: str, space: dict) -> None:
    """As IPython does: compile under a made-up name that linecache knows."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), space)


def test_a_notebook_cell_and_its_second_version():
    space = {}
    notebook_cell("scale = 3\ndef f(x):\n    return scale * x\n", "<ipython-input-1-abc>", space)
    first = space["f"]
    notebook_cell("def f(x):\n    return x ** 2\n", "<ipython-input-2-def>", space)
    assert returned(from_function(first)) == "scale * x"
    assert returned(from_function(space["f"])) == "x ** 2"


def test_a_cell_with_await_at_its_top():
    text = "import asyncio\ndef f(x):\n    return x\nawait asyncio.sleep(0)\n"
    name = "<ipython-input-3-abc>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    code = compile(text, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    inner = next(one for one in code.co_consts if hasattr(one, "co_code") and one.co_name == "f")
    assert returned(from_function(type(plain)(inner, {}))) == "x"


def test_an_edited_file_is_refused(tmp_path):
    module = module_from(tmp_path, "def f(x):\n    return x * x\n")
    (tmp_path / "sample.py").write_text("def f(x):\n    return x * x * x\n")
    linecache.clearcache()
    with pytest.raises(SourceError, match="ADC108") as caught:
        from_function(module.f)
    assert caught.value.lineno == 1


def test_a_file_edited_elsewhere_is_still_found(tmp_path):
    module = module_from(tmp_path, "def f(x):\n    return x * x\n")
    (tmp_path / "sample.py").write_text("import math\n\n\ndef g(x):\n    return x\n\n\ndef f(x):\n    return x * x\n")
    linecache.clearcache()
    definition = from_function(module.f)
    assert returned(definition) == "x * x"
    assert definition.first_line == 8


def test_what_was_read_before_the_edit_is_used(tmp_path):
    module = module_from(tmp_path, "def f(x):\n    return x * x\n")
    assert returned(from_function(module.f)) == "x * x"
    (tmp_path / "sample.py").write_text("def f(x):\n    return x * x * x\n")
    assert returned(from_function(module.f)) == "x * x"  # the text that runs is still at hand


def test_a_file_that_was_broken_since(tmp_path):
    module = module_from(tmp_path, "def f(x):\n    return x * x\n")
    (tmp_path / "sample.py").write_text("def f(x:\n")
    linecache.clearcache()
    with pytest.raises(SourceError, match="ADC108"):
        from_function(module.f)


def test_one_of_two_functions_of_a_name(tmp_path):
    module = module_from(
        tmp_path,
        """
        def f(x):
            return x + 1
        first = f
        def f(x):
            return x + 2
        same = [lambda x: x, lambda x: x]
        """,
    )
    assert returned(from_function(module.first)) == "x + 1"
    assert returned(from_function(module.f)) == "x + 2"


def test_decorated_and_annotated_under_a_future_import(tmp_path):
    module = module_from(
        tmp_path,
        """
        from __future__ import annotations
        import functools

        @functools.lru_cache(
            maxsize=None
        )
        def f(x: float[n, 3]) -> Anything:
            return x * 2
        """,
    )
    assert returned(from_function(module.f)) == "x * 2"


def test_a_method_with_a_private_name(tmp_path):
    module = module_from(
        tmp_path,
        """
        class C:
            __scale = 2
            def f(self, x):
                return self.__scale * x
            g = lambda self, x: super().__init__() or x
        """,
    )
    assert returned(from_function(module.C().f)) == "self.__scale * x"
    assert from_function(module.C().g).name == "g"


def test_generators_and_coroutines():
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    for f in (generator, coroutine):
        with pytest.raises(LanguageError, match="ADC115") as caught:
            from_function(f)
        assert caught.value.lineno is not None


def test_optimised_python_finds_functions_with_asserts(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        "from ad_compiler.frontend.read import from_function\n"
        "def f(x):\n    'doc'\n    assert x > 0\n    return x\n"
        "fs = [lambda x: x + 1, lambda x: x + 2]\n"
        "print(from_function(f).first_line, from_function(fs[1]).node.body.right.value)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(read.__file__).parents[2])}
    for flags in (["-O"], ["-OO"], ["-X", "no_debug_ranges"]):
        ran = subprocess.run(
            [sys.executable, *flags, path], env=environment, capture_output=True, text=True, check=True
        )
        assert ran.stdout == "2 2\n"


# -- static -------------------------------------------------------------------------------------------


FILE = """\
import numpy as np
import functools
import ad_compiler as ad
from ad_compiler import differentiate

print("this must not run")
raise SystemExit

def g(x):
    return x

@differentiate
def marked(x):
    return g(x)

@ad.differentiate(wrt="x", mode="forward", other=g)
@functools.lru_cache(maxsize=None)
def marked_too(x):
    return x

@np.vectorize
def vectorised(x):
    return x

if __name__ == "__main__":
    def hidden(x):
        return x

class C:
    def method(self): pass

async def waits(x): pass
"""


def test_the_functions_of_a_text(capsys):
    module = from_text(FILE, "file.py")
    assert list(module.definitions) == ["g", "marked", "marked_too", "vectorised"]
    assert module.differentiated == {"marked": {}, "marked_too": {"wrt": "x", "mode": "forward", "other": None}}
    assert module.find("g").source.filename == "file.py"
    assert capsys.readouterr().out == ""


def test_lambdas_with_a_name_are_functions_of_a_text():
    module = from_text("f = lambda x: x * g(x)\ng, h = (lambda x: x), 3\nk: Any = lambda x: x\n", "f.py")
    assert list(module.definitions) == ["f"]
    assert returned(module.find("f")) == "x * g(x)"


def test_find_says_what_there_is():
    module = from_text(FILE, "file.py")
    with pytest.raises(LanguageError, match="ADC112") as caught:
        module.find("vectorised")
    assert caught.value.construct == "np.vectorize"
    for name, why in [("hidden", "inside the `if`"), ("C", "class"), ("waits", "coroutine"), ("nope", "`g`")]:
        with pytest.raises(LanguageError, match="ADC102") as caught:
            module.find(name)
        assert why in str(caught.value)


def test_the_last_definition_of_a_name_is_the_one():
    module = from_text("def f(x): return 1\ndef g(x): return 2\ndef f(x): return 3\n", "f.py")
    assert list(module.definitions) == ["g", "f"]
    assert returned(module.definitions["f"]) == "3"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("def f(x:\n    return x\n", 1, 5),
        ("x = 1\n  y = 2\n", 2, None),
        ("a = 'β' +* 2\n", 1, 9),
        ("if True:\n", 1, None),
    ],
)
def test_syntax_errors_have_a_place(text, line, column):
    with pytest.raises(SourceError, match="ADC109") as caught:
        from_text(text, "bad.py")
    assert isinstance(caught.value, SyntaxError)
    assert (caught.value.filename, caught.value.lineno) == ("bad.py", line)
    if column is not None:
        assert caught.value.col == column


@pytest.mark.parametrize("text", ["x = 1\0", "x = " + "1" * 5000, b"\xff\xfe\x00x", b"x = '\xff'"])
def test_what_is_not_python(text):
    with pytest.raises(SourceError, match="ADC109"):
        from_text(text, "bad.py")


@pytest.mark.parametrize(
    "data",
    [
        "# coding: latin-1\nNAME = 'é'\n".encode("latin-1"),
        "\ufeffNAME = 'é'\n".encode(),
        "#!/usr/bin/python\n# -*- coding: cp1252 -*-\nNAME = 'é'\n".encode("cp1252"),
        "NAME = 'é'\n".encode(),
    ],
)
def test_declared_encodings(data):
    assert "NAME = 'é'" in from_text(data, "f.py").source.text


@pytest.mark.parametrize("name", ["rot13", "unicode_escape", "utf-7", "base64", "nonsense", "idna"])
def test_encodings_that_hide_text(name):
    with pytest.raises(SourceError, match="ADC109"):
        from_text(f"# coding: {name}\nx = 1\n".encode(), "f.py")


def test_line_ends_of_all_systems():
    module = from_text(b"x = 1\r\ndef f(y):\r\n    return y\r\n", "f.py")
    assert module.definitions["f"].span().line == 2


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 100_000 + "1",
        "x = " + " + ".join(["1"] * 100_000),
        "x = 1" + ".a" * 3000,
        "def f(x):\n  if x: pass\n" + "  elif x: pass\n" * 2000,
    ],
)
def test_too_deep_is_refused(text):
    with pytest.raises(SourceError) as caught:
        from_text(text, "deep.py")
    assert caught.value.code in ("ADC109", "ADC110")


def test_what_people_write_is_not_too_deep():
    from_text("x = " + " + ".join(["y"] * 300) + "\n", "f.py")
    from_text("".join(f"{' ' * k}if x:\n" for k in range(95)) + " " * 95 + "x", "f.py")


def test_too_large_is_refused(tmp_path):
    text = "x = 1\n" * 400_000
    with pytest.raises(SourceError, match="ADC110"):
        from_text(text, "large.py")
    path = tmp_path / "large.py"
    path.write_text(text)
    with pytest.raises(SourceError, match="ADC110"):
        from_path(path)


def test_from_path(tmp_path):
    path = tmp_path / "f.py"
    path.write_bytes(b"def f(x): return x\n")
    assert list(from_path(path).definitions) == ["f"]
    with pytest.raises(OSError):
        from_path(tmp_path / "none.py")


def test_columns_are_in_characters():
    module = from_text("def f(ä, x):\n    return 'ß漢' + x\n", "f.py")
    definition = module.definitions["f"]
    x = definition.body[0].value.right
    assert definition.span(x).column == len("    return 'ß漢' + ")
    assert span_of(definition.node.args.args[1], definition.source).column == len("def f(ä, ")


def test_reading_never_raises_anything_else():
    for text in [
        "",
        "\\",
        "'",
        "def",
        "\t x",
        "lambda: (yield)",
        "return",
        "match x:\n case _: pass\n",
        "\x0c",
        "é = 1",
    ]:
        try:
            from_text(text, "f.py")
        except Error:
            pass


def test_limits_are_stated():
    assert read.MOST_BYTES == 2_000_000
