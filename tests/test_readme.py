"""README.md says what is: its emitted example, its commands, the names in its tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ad_compiler
from ad_compiler.cli.app import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The fenced block under `<!-- mark -->`."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"README.md has no block marked `{mark}`"
    return found[1]


def test_the_emitted_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """`pytest --bless` writes it anew, as for the golden files."""
    from ad_compiler.cli import main

    monkeypatch.chdir(ROOT)
    assert main(["--color", "never", "emit", "examples/lecture.py"]) == 0
    emitted, shown = capsys.readouterr().out, block("emitted: examples/lecture.py")
    if pytestconfig.getoption("--bless"):
        (ROOT / "README.md").write_text(README.replace(shown, emitted), encoding="utf-8")
    else:
        assert shown == emitted


@pytest.mark.parametrize("mark", ["ci: run", "ci: test"])
def test_the_two_commands_are_one_line_each(mark: str) -> None:
    assert block(mark).count("\n") == 1
    assert f"run_readme {mark.removeprefix('ci: ')}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_names_of_the_api_exist() -> None:
    table = README.split("| call | gives |")[1].split("\n\n")[0]
    names = re.findall(r"`@?(\w+)", "\n".join(line.split("|")[1] for line in table.splitlines()[2:]))
    assert len(names) > 12
    for name in names:
        if name != "with":
            assert hasattr(ad_compiler, name), name


def test_the_commands_and_their_options_exist() -> None:
    usage = README.split("## On the command line")[1].split("```")[1]
    by_name = {command.name: command for command in COMMANDS}
    assert set(re.findall(r"adc (\w+)", usage)) == set(by_name)
    for line in usage.replace("\\\n", " ").splitlines()[1:]:
        if line.startswith("adc "):
            options = {option for parameter in by_name[line.split()[1]].params for option in parameter.opts}
            assert set(re.findall(r"--?[a-z]+(?=[ \]])", line)) <= options


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
