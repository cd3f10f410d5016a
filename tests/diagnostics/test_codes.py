"""Every code that the package names has a title and a page; every page is about one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ad_compiler.diagnostics.codes as codes
from ad_compiler.diagnostics.codes import CODES, PAGES, explain, has_page

PACKAGE = Path(codes.__file__).parents[1]
BLOCK = re.compile(r"```python (failing|fixed)\n(.*?)```", re.DOTALL)


def named_codes() -> set[str]:
    """Every ADCnnn that the package's source names."""
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {code for text in texts for code in re.findall(r"\bADC\d{3}\b", text)}


def test_every_code_that_is_named_is_listed():
    assert named_codes() - set(CODES) == set()


def test_every_listed_code_has_a_page_and_the_other_way_round():
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_a_title_and_both_examples(code: str):
    page = explain(code)
    assert page.splitlines()[0] == f"# {code}: {CODES[code]}"
    kinds = [kind for kind, _ in BLOCK.findall(page)]
    if code.startswith(("ADC3", "ADC4")):
        return  # our bugs have no example
    assert sorted(set(kinds)) == ["failing", "fixed"]


@pytest.mark.parametrize("code", [code for code in CODES if code != "ADC109"])
def test_the_examples_are_python(code: str):
    for _, text in BLOCK.findall(explain(code)):
        compile(text, code, "exec")


@pytest.mark.parametrize("spelling", ["ADC201", "adc201", "201", " adc201 "])
def test_explain_takes_any_spelling(spelling: str):
    assert explain(spelling).startswith("# ADC201")


@pytest.mark.parametrize("code", ["ADC999", "", "../../version", "ADC201/.."])
def test_explain_has_no_other_pages(code: str):
    assert not has_page(code)
    with pytest.raises(KeyError):
        explain(code)
