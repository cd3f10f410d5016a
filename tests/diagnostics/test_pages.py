"""The examples of the pages: the failing ones fail with the page's code, the fixed ones do not.

An example that imports ad_compiler is run; any other is given to `adc emit`, its last function asked for.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from ad_compiler.cli import main
from ad_compiler.diagnostics.codes import CODES, explain
from ad_compiler.diagnostics.diagnostic import Error

if importlib.util.find_spec("ad_compiler.frontend.lower") is None:
    pytest.skip("nothing can be compiled yet", allow_module_level=True)

BLOCK = re.compile(r"```python (failing|fixed)\n(.*?)```", re.DOTALL)
EXAMPLES = [(code, kind, text) for code in CODES for kind, text in BLOCK.findall(explain(code))]


def run(text: str, folder: Path, name: str) -> None:
    """Import the text as a module."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def emit(text: str, folder: Path, name: str) -> int:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    try:
        functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        functions = []
    return main(["emit", f"{path}:{functions[-1]}" if functions else str(path)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in ("sympy", "edited"):  # what examples put there
        if module in sys.modules:
            monkeypatch.setitem(sys.modules, module, sys.modules[module])
    return tmp_path


NOT_RAISED_YET: set[str] = set()  # the strict xfail tells when this set is to shrink
FAILING = [
    pytest.param(code, text, marks=[pytest.mark.xfail(strict=True)] if code in NOT_RAISED_YET else [])
    for code, kind, text in EXAMPLES
    if kind == "failing"
]


@pytest.mark.parametrize(("code", "text"), FAILING)
def test_failing_examples_fail_with_the_code(code: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]):
    if "ad_compiler" in text:
        with pytest.raises(Error) as caught:
            run(text, folder, "example")
        assert caught.value.code == code
    else:
        assert emit(text, folder, "example") in (2, 3)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"error[{code}]" in shown.err


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, kind, text in EXAMPLES if kind == "fixed"])
def test_fixed_examples_do_not(code: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]):
    if "ad_compiler" in text:
        run(text, folder, "example")
    else:
        assert emit(text, folder, "example") == 0, capsys.readouterr().err
