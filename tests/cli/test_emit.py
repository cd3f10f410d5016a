"""`adc emit`: what it writes where, and what it refuses."""

from __future__ import annotations

import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import LECTURE


def load(text: str) -> dict:
    namespace: dict = {"__name__": "emitted"}
    exec(compile(text, "<emitted>", "exec"), namespace)
    return namespace


def write(folder: Path, text: str, name: str = "model.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_lecture(adc, lecture):
    ran = adc("emit", lecture)
    assert ran.code == 0
    assert not ran.err
    x1_bar, x2_bar = load(ran.out)["f_grad"](2.0, 5.0)
    assert math.isclose(x1_bar, 5.5)
    assert math.isclose(x2_bar, 2 - math.cos(5))
    assert "ad_compiler" not in ran.out.replace("adc emit", "")


def test_it_is_the_same_every_time(adc, adc_process, lecture):
    first = adc("emit", lecture, "--mode", "both").out
    assert first == adc("emit", lecture, "--mode", "both").out
    for seed in ("0", "1"):
        assert adc_process("emit", lecture, "--mode", "both", PYTHONHASHSEED=seed).out == first


def test_modes(adc, lecture):
    reverse, forward, both = (
        set(load(adc("emit", lecture, "--mode", mode).out)) for mode in ("reverse", "forward", "both")
    )
    assert "f_grad" in reverse
    assert "f_jvp" in forward
    assert both >= {"f_grad", "f_jvp"}
    assert "f_jvp" not in reverse


def test_forward_mode_is_right(adc, lecture):
    emitted = load(adc("emit", f"{lecture}:f", "--mode", "forward").out)
    out, out_dot = emitted["f_jvp"](2.0, 5.0, 1.0, 0.0)
    assert math.isclose(out, math.log(2) + 10 - math.sin(5))
    assert math.isclose(out_dot, 5.5)


def test_one_function_of_a_file(adc, tmp_path):
    path = write(tmp_path, "def f(x: float):\n    return x * x\n\n\ndef g(x: float):\n    return 3.0 * x\n")
    names = load(adc("emit", f"{path}:g").out)
    assert "g_grad" in names
    assert "f_grad" not in names


def test_all_functions_of_a_file_with_one_import_block(adc, tmp_path):
    path = write(
        tmp_path,
        "import numpy as np\n\n\n"
        "def f(x: float):\n    return np.sin(x)\n\n\n"
        "def g(x: float):\n    return np.exp(x) * x\n",
    )
    text = adc("emit", path).out
    names = load(text)
    assert math.isclose(names["f_grad"](0.5), math.cos(0.5))
    assert math.isclose(names["g_grad"](0.5), 1.5 * math.exp(0.5))
    assert text.count("import numpy") == 1
    assert text.index("f_grad") < text.index("g_grad")


def test_wrt(adc, lecture):
    assert math.isclose(load(adc("emit", lecture, "--wrt", "x2").out)["f_grad"](2.0, 5.0), 2 - math.cos(5))
    assert len(load(adc("emit", lecture, "--wrt", "x1, x2").out)["f_grad"](2.0, 5.0)) == 2


@pytest.mark.parametrize("wrt", ["nothere", "x1,,x2", "x1;x2", ""])
def test_a_wrong_wrt_is_a_usage_error(adc, lecture, wrt):
    ran = adc("emit", lecture, "--wrt", wrt)
    assert ran.code == 2
    assert not ran.out
    assert ran.err


def test_arg_gives_a_type(adc, tmp_path):
    path = write(tmp_path, "import numpy as np\n\n\ndef loss(w, x):\n    return np.sum(x @ w)\n")
    ran = adc("emit", path, "--arg", "w: float[3]", "--arg", "x: float[4,3]", "--wrt", "w")
    import numpy as np

    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(load(ran.out)["loss_grad"](np.ones(3), x), x.sum(axis=0))


@pytest.mark.parametrize("argument", ["w", "w:", "w: flaot[3]", ": float", "w: float[", "w: __import__('os')"])
def test_a_wrong_arg_is_a_usage_error(adc, lecture, argument):
    ran = adc("emit", lecture, "--arg", argument)
    assert ran.code == 2
    assert not ran.out


@pytest.mark.parametrize("stage", ["ssa", "adjoint", "optimised"])
def test_stages_show_the_program(adc, lecture, stage):
    ran = adc("emit", lecture, "--stage", stage)
    assert ran.code == 0
    assert "func " in ran.out


def test_nothing_is_written_when_one_function_is_refused(adc, tmp_path):
    path = write(
        tmp_path,
        "import numpy as np\n\n\n"
        "def good(x: float):\n    return x * x\n\n\n"
        "def bad(x: float):\n    exec('x')\n    return x\n\n\n"
        "def worse(x: float):\n    eval('x')\n    return x\n",
    )
    out = tmp_path / "out.py"
    ran = adc("emit", path, "-o", out)
    assert ran.code == 3
    assert not ran.out
    assert not out.exists()
    assert "model.py:9" in ran.err  # both findings, each at its line
    assert "model.py:14" in ran.err
    assert adc("emit", f"{path}:good").code == 0


def test_output_file(adc, lecture, tmp_path):
    out = tmp_path / "out.py"
    ran = adc("emit", lecture, "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert out.read_text(encoding="utf-8") == adc("emit", lecture).out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lecture.py", "out.py"]


def test_output_is_replaced_whole_and_keeps_its_mode(adc, lecture, tmp_path):
    out = tmp_path / "out.py"
    out.write_text("old", encoding="utf-8")
    out.chmod(0o640)
    assert adc("emit", lecture, "-o", out).code == 0
    assert "f_grad" in out.read_text(encoding="utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_output(adc, tmp_path):
    path = write(tmp_path, "def f(x: float):\n    exec('x')\n    return x\n")
    out = write(tmp_path, "old", "out.py")
    assert adc("emit", path, "-o", out).code == 3
    assert out.read_text(encoding="utf-8") == "old"


def test_output_through_a_link_and_to_a_device(adc, lecture, tmp_path):
    real, link = tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("", encoding="utf-8")
    link.symlink_to(real)
    assert adc("emit", lecture, "-o", link).code == 0
    assert link.is_symlink()
    assert "f_grad" in real.read_text(encoding="utf-8")
    assert adc("emit", lecture, "-o", os.devnull).code == 0
    assert adc("emit", lecture, "-o", "-").out == adc("emit", lecture).out


def test_where_output_cannot_go(adc, lecture, tmp_path):
    for out in (lecture, tmp_path, tmp_path / "no" / "such" / "folder.py"):
        ran = adc("emit", lecture, "-o", out)
        assert ran.code == 2
        assert ran.err.startswith("error: ")
    assert lecture.read_text(encoding="utf-8") == LECTURE


def test_what_cannot_be_read(adc, tmp_path):
    for path in (
        tmp_path / "no.py",
        tmp_path,
        write(tmp_path, "x = 1\n", "none.py"),
        write(tmp_path, "def f(:\n", "bad.py"),
    ):
        ran = adc("emit", path)
        assert ran.code == 2
        assert not ran.out
        assert ran.err.startswith("error")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"def f(x):\n    return '\xe9'\n",
        b"# coding: rot13\nqrs s(k): erghea k\n",
        b"def f(x):\0\n    return x\n",
    ],
)
def test_what_is_no_text(adc, tmp_path, data):
    path = tmp_path / "model.py"
    path.write_bytes(data)
    ran = adc("emit", path)
    assert ran.code == 2
    assert not ran.out


def test_limits_of_size_and_depth(adc, tmp_path):
    large = write(tmp_path, "#" * 5_000_000, "large.py")
    deep = write(tmp_path, "def f(x):\n    return " + "(" * 150 + "x" + ")" * 150 + "\n", "deep.py")
    long = write(tmp_path, "def f(x: float):\n    return " + "-" * 100_000 + "x\n", "long.py")
    assert adc("emit", large).code == 2
    assert adc("emit", deep).code in (0, 2)
    assert adc("emit", long).code == 2


def test_a_function_that_is_not_there(adc, lecture):
    ran = adc("emit", f"{lecture}:ff")
    assert ran.code == 2
    assert "did you mean `f`?" in ran.err


def test_a_file_whose_name_has_a_colon(adc, tmp_path):
    path = write(tmp_path, LECTURE, "a:b")
    assert adc("emit", path).code == 0
    assert adc("emit", f"{path}:f").code == 0


def test_stdin(adc_process):
    assert "f_grad" in adc_process("emit", "-", stdin=LECTURE).out
    refused = adc_process("emit", "-", stdin="def f(x: float):\n    exec('x')\n    return x\n")
    assert "<stdin>:2" in refused.err


def test_colours_only_where_they_are_wanted(adc, lecture, monkeypatch):
    assert "\x1b" not in adc("emit", lecture).out
    assert "\x1b[" in adc("--color", "always", "emit", lecture).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in adc("emit", lecture).out
    assert "\x1b" not in adc("--color", "never", "emit", lecture).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in adc("emit", lecture).out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_highlighted_on_a_terminal(lecture):
    import pty

    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "ad_compiler", "emit", str(lecture)]
    done = subprocess.run(command, stdout=theirs, env=environment | {"TERM": "xterm"}, check=False)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert done.returncode == 0
    assert b"\x1b[" in shown


def test_a_highlighted_source_is_the_same_source(adc, lecture):
    import re

    shown = adc("--color", "always", "emit", lecture).out
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == adc("emit", lecture).out
