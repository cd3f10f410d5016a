"""The examples do what they say: each is run as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str, folder: Path) -> str:
    """What the example prints, run from an empty folder."""
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lecture(tmp_path: Path) -> None:
    printed = run("lecture.py", folder=tmp_path)
    assert "5.500000" in printed
    assert "1.716338" in printed


def test_logistic_regression(tmp_path: Path) -> None:
    """The example itself compares with the published figures and fails when one is off."""
    printed = run("logistic_regression.py", folder=tmp_path)
    assert printed.count("e-") >= 12
    assert "[ 2.76196259 -1.66165016  8.3258685   2.05455772]" in printed
    assert "2.772588722239781 at the start, 0.965957752127686" in printed


def test_digits_a_few_epochs(tmp_path: Path) -> None:
    for needed in ("sklearn", "matplotlib", "tqdm"):
        pytest.importorskip(needed)
    printed = run("digits.py", "--epochs", "3", "--output", "curves.png", folder=tmp_path)
    assert held_out_accuracy(printed) > 90
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert str(tmp_path / "curves.png") in printed


@pytest.mark.slow
def test_digits(tmp_path: Path) -> None:
    for needed in ("sklearn", "matplotlib", "tqdm"):
        pytest.importorskip(needed)
    printed = run("digits.py", folder=tmp_path)
    assert held_out_accuracy(printed) >= 97
    assert (tmp_path / "digits_loss.png").exists()


def held_out_accuracy(printed: str) -> float:
    found = re.search(r"held-out accuracy: ([\d.]+) %", printed)
    assert found, printed
    return float(found.group(1))
