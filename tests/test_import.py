"""`import ad_compiler` is quick: NumPy and nothing else that is slow."""

from __future__ import annotations

import json
import subprocess
import sys

SLOW = ("sympy", "scipy", "astor", "rich", "pygments", "click", "mpmath", "numba", "matplotlib", "pytest")


def modules_after(statement: str) -> set[str]:
    """The top-level packages in `sys.modules` after running `statement` in a fresh interpreter."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps([name.split('.')[0] for name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_import_brings_numpy_only() -> None:
    brought = modules_after("import ad_compiler") - modules_after("import numpy") - {"ad_compiler"}
    assert not brought & set(SLOW)
    assert brought <= set(sys.stdlib_module_names), "third-party packages beside numpy"


def test_the_command_line_is_light_too() -> None:
    brought = modules_after("from ad_compiler.cli import app")
    assert not brought & (set(SLOW) - {"click"})


def test_the_module_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "ad_compiler", "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("adc ")
