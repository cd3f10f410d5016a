"""`adc(…)` runs the command line in this process, or, where that matters, in a fresh one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ad_compiler.cli import main

LECTURE = """
import numpy as np

def f(x1: float, x2: float) -> float:
    return np.log(x1) + x1 * x2 - np.sin(x2)
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def adc(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """`adc("emit", path)` -> exit code, stdout, stderr."""
    for name in ("NO_COLOR", "FORCE_COLOR", "ADC_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def adc_process() -> Callable[..., Ran]:
    """The same in a process of its own, where `cwd`, `stdin` and the environment can be chosen."""

    def run(*arguments: str | Path, cwd: Path | None = None, stdin: str | None = None, **environment: str) -> Ran:
        code = "import sys; from ad_compiler.cli import main; sys.exit(main())"
        root = str(Path(__file__).parents[2])
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            input=stdin,
            env={**os.environ, "PYTHONPATH": root, **environment},
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def lecture(tmp_path: Path) -> Path:
    path = tmp_path / "lecture.py"
    path.write_text(LECTURE, encoding="utf-8")
    return path
