"""The promises of SECURITY.md that concern the command line: a file is read, never run."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from ad_compiler.cli import main

ROOT = Path(__file__).parent.parent

HOSTILE = '''
import os, pathlib
pathlib.Path("ran-module").touch()
open("ran-open", "w").close()

def touch(name):
    pathlib.Path(name).touch()
    return 1.0

CONSTANT = touch("ran-constant")

class Meta(type):
    touch("ran-class")

def decorate(function):
    touch("ran-decorator")
    return function

@decorate
def decorated(x: float) -> float:
    return x * x

def f(
    x: float, y: touch("ran-annotation") = touch("ran-default"), *, k: float = touch("ran-keyword")
) -> touch("ran-result"):
    """A docstring: {touch("ran-docstring")}"""
    return x * x + k * y

def g(x: float) -> float:
    return x * CONSTANT

def h(x: float) -> float:
    return x * touch("ran-call")

if True:
    touch("ran-if")
else:
    pass
touch("ran-expression")
'''
SHADOWS = (
    "numpy",
    "sympy",
    "astor",
    "click",
    "pygments",
    "math",
    "os",
    "ad_compiler",
    "scipy",
    "sitecustomize",
    "typing",
)


def run(*arguments: str | Path, cwd: Path, module: bool = False) -> subprocess.CompletedProcess[str]:
    """`adc` as it is installed: the working folder is not on the import path."""
    start = (
        ["-P", "-m", "ad_compiler"]
        if module
        else ["-P", "-c", "from ad_compiler.cli import main; raise SystemExit(main())"]
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *start, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with a file full of side effects, and files that shadow what `adc` imports."""
    (tmp_path / "model.py").write_text(HOSTILE, encoding="utf-8")
    for name in SHADOWS:
        marker = f"open({str(tmp_path / ('ran-' + name))!r}, 'w').close()\nraise SystemExit('run')\n"
        (tmp_path / f"{name}.py").write_text(marker, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("emit", "model.py"),
        ("emit", "model.py:f"),
        ("emit", "model.py:g"),
        ("emit", "model.py:h"),
        ("emit", "model.py:decorated"),
        ("check", "model.py"),
        ("check", "model.py:f"),
        ("check", "model.py:h"),
    ],
)
def test_nothing_of_the_file_is_run(hostile, command, target):
    before = sorted(hostile.iterdir())
    done = run(command, target, cwd=hostile)
    assert sorted(hostile.iterdir()) == before
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2, 3)


@pytest.mark.parametrize("arguments", [["emit", "model.py", "--stage", "ssa"], ["emit", "model.py", "--mode", "both"]])
def test_nor_as_a_module_with_a_safe_path(hostile, arguments):
    before = sorted(hostile.iterdir())
    run(*arguments, cwd=hostile, module=True)
    assert sorted(hostile.iterdir()) == before


def test_nothing_is_written_but_the_output(hostile):
    (hostile / "good.py").write_text("def f(x: float):\n    return x * x\n", encoding="utf-8")
    before = set(hostile.iterdir())
    assert run("emit", "good.py", "-o", "out.py", cwd=hostile).returncode == 0
    assert set(hostile.iterdir()) - before == {hostile / "out.py"}


HIDDEN = ["\u202e", "\u2066", "\u200b", "\u2028", "\x1b[2J", "\x07", "\x7f", "\x9b"]


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_no_steering_character_is_printed(tmp_path, monkeypatch, capfd, character):
    """Neither in emitted source nor in messages, whatever strings, comments and file names hold."""
    text = (
        f'def f(x: float):\n    """Doc {character} string."""\n'
        f'    print("say {character} it")  # a {character} comment\n'
        f"    y = x * x  # more {character}\n    return y\n\n\n"
        f'def bad(x: float):\n    exec("{character}")\n    return x\n'
    )
    name = f"mo{character}del.py"
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")
    for arguments in (
        ["emit", f"{name}:f"],
        ["emit", f"{name}:f", "--stage", "ssa"],
        ["emit", f"{name}:f", "-o", "out.py"],
        ["emit", name],
        ["check", name],
        ["emit", name + "x"],
        ["emit", f"{name}:{character}"],
    ):
        capfd.readouterr()
        assert main(arguments) in (0, 2, 3)
        captured = capfd.readouterr()
        written = Path("out.py").read_text(encoding="utf-8") if Path("out.py").exists() else ""
        everything = captured.out + captured.err + written
        assert not [c for c in everything if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


def test_text_is_no_markup(tmp_path):
    """Names and messages that look like markup come out as they are."""
    (tmp_path / "model.py").write_text(
        "def f(x: float):\n    exec('[red]x[/red] <b>')\n    return x\n", encoding="utf-8"
    )
    done = run("--color", "always", "emit", "model.py", cwd=tmp_path)
    assert "[red]x[/red] <b>" in done.stderr


def test_a_module_flag_keeps_the_folder_off_the_path_after_start(tmp_path):
    """`python -m ad_compiler` without `-P`: once our code runs, nothing is imported from the folder."""
    for name in ("sympy", "astor", "click", "pygments"):
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "ad_compiler", "explain"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0
    assert not list(tmp_path.glob("ran-*"))
