"""`adc` itself: help, version, exit codes, completion, explain, cache."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ad_compiler.cli import emit, exits
from ad_compiler.diagnostics.codes import CODES
from ad_compiler.diagnostics.diagnostic import (
    ArgumentError,
    BackendError,
    DerivativeError,
    Diagnostic,
    InternalError,
    LanguageError,
    SourceError,
)
from ad_compiler.version import __version__

COMMANDS = ["emit", "check", "explain", "cache", "completion"]


def test_version(adc):
    ran = adc("--version")
    assert (ran.code, ran.out) == (0, f"adc {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help(adc, arguments):
    ran = adc(*arguments)
    assert ran.code == 0
    assert ran.out.startswith("Usage: adc")
    assert not ran.err


@pytest.mark.parametrize("name", ["emit", "check"])
def test_help_has_examples_and_exit_codes(adc, name):
    ran = adc(name, "--help")
    assert "Examples:" in ran.out
    assert "Exit codes:" in ran.out


def test_help_lists_every_command_in_order(adc):
    ran = adc("-h")
    places = [ran.out.index(f"\n  {name}") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["emit"],
        ["emit", "--mode", "sideways", "x.py"],
        ["explain", "ADC999"],
        ["cache", "burn"],
    ],
)
def test_usage_errors_exit_2_and_print_nothing(adc, arguments):
    ran = adc(*arguments)
    assert ran.code == 2
    assert not ran.out
    assert ran.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LanguageError(Diagnostic("ADC101", "no")), 3),
        (DerivativeError(Diagnostic("ADC201", "no")), 3),
        (BackendError(Diagnostic("ADC401", "no")), 3),
        (ArgumentError(Diagnostic("ADC202", "an integer")), 3),
        (ArgumentError(Diagnostic("ADC204", "no such argument")), 2),
        (SourceError(Diagnostic("ADC109", "not Python")), 2),
        (InternalError(Diagnostic("ADC301", "broken")), 4),
        (KeyError("anything"), 4),
        (RecursionError("deep"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_exit_codes_and_text_on_stderr(adc, lecture, monkeypatch, error, code):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(emit, "run", fail)
    ran = adc("emit", lecture)
    assert ran.code == code
    assert not ran.out
    assert ran.err.strip()


def test_a_bug_says_what_to_report(adc, lecture, monkeypatch):
    def fail(*arguments, **options):
        raise ZeroDivisionError("by \x1b[31mzero")

    monkeypatch.setattr(emit, "run", fail)
    ran = adc("emit", lecture)
    assert "ZeroDivisionError" in ran.err
    assert __version__ in ran.err
    assert "\x1b" not in ran.err
    monkeypatch.setenv("ADC_TRACEBACK", "1")
    exits.guarded(fail)


def test_a_closed_pipe_is_quiet():
    script = "import sys; from ad_compiler.cli import main; code = main(['explain']); sys.stderr.write(str(code))"
    command = f"""'{sys.executable}' -c "{script}" | (exec 0<&-; sleep 2)"""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == str(exits.CLOSED_PIPE)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(adc, shell):
    ran = adc("completion", shell)
    assert ran.code == 0
    assert "_ADC_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("adc em", "emit"),
        ("adc emit --mo", "--mode"),
        ("adc emit --mode f", "forward"),
        ("adc explain ADC20", "ADC201"),
    ],
)
def test_the_shell_is_answered(adc_process, line, answer):
    words = line.split()
    environment = {"_ADC_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    assert answer in adc_process(**environment).out


def test_functions_of_a_file_are_completed(adc_process, lecture):
    environment = {"_ADC_COMPLETE": "bash_complete", "COMP_WORDS": f"adc emit {lecture}:", "COMP_CWORD": "2"}
    assert f"{lecture}:f" in adc_process(**environment).out


def test_explain_lists_all_codes(adc):
    ran = adc("explain")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == list(CODES)


@pytest.mark.parametrize("code", ["ADC201", "adc201", "201"])
def test_explain_prints_the_page(adc, code):
    ran = adc("explain", code)
    assert ran.code == 0
    assert "ADC201" in ran.out
    assert "```python" in ran.out
    assert "\x1b" not in ran.out
    assert "\x1b[" in adc("--color", "always", "explain", code).out


def test_explain_suggests(adc):
    assert "did you mean `ADC2" in adc("explain", "ADC2O1").err


def test_cache(adc, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AD_COMPILER_CACHE", str(tmp_path / "cache"))
    ran = adc("cache", "info", "--json")
    assert ran.code == 0
    report = json.loads(ran.out)
    assert report["entries"] == 0
    assert str(tmp_path) in report["folder"]
    assert "0 entries removed" in adc("cache", "clear").out
    assert adc("cache", "info").out.startswith("folder")
