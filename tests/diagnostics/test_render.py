"""How a finding looks on a terminal: carets under the smallest span, and nothing of the program's text raw."""

from __future__ import annotations

import pytest

from ad_compiler.diagnostics.diagnostic import Diagnostic
from ad_compiler.diagnostics.render import WIDEST, escape, render, width
from ad_compiler.diagnostics.source import Source, Span


def span(text: str, part: str, *, filename: str = "model.py", function: str = "") -> Span:
    """The span of the first occurrence of `part` in `text`."""
    start = text.index(part)
    before, within = text[:start], text[: start + len(part)]
    return Span(
        source=Source(filename, text),
        line=before.count("\n") + 1,
        column=start - (before.rfind("\n") + 1),
        end_line=within.count("\n") + 1,
        end_column=start + len(part) - (within.rfind("\n") + 1),
        function=function,
    )


MODEL = """\
def loss(w, x):
    h = x @ w
    β = 2.0
    k = 3
    s = np.linalg.svd(β * h)
    return s
"""


def test_everything_at_once():
    call = span(MODEL, "np.linalg.svd(β * h)")
    finding = Diagnostic(
        "ADC998",
        "`np.linalg.svd` has no derivative rule",
        call,
        (
            (call, "called here on a value that depends on `w`"),
            (span(MODEL, "w"), "differentiating with respect to `w`"),
        ),
        ("the value reaches the result of `loss` through `s`, so it cannot be skipped",),
        "stop the derivative here: `np.linalg.svd(stop_gradient(β * h))`",
    )
    assert render([finding]) == (
        """\
error[ADC998]: `np.linalg.svd` has no derivative rule
 --> model.py:5:9
  |
1 | def loss(w, x):
  |          - differentiating with respect to `w`
...
5 |     s = np.linalg.svd(β * h)
  |         ^^^^^^^^^^^^^^^^^^^^ called here on a value that depends on `w`
  |
  = note: the value reaches the result of `loss` through `s`, so it cannot be skipped
help: stop the derivative here: `np.linalg.svd(stop_gradient(β * h))`"""
    )


def test_a_code_with_a_page_points_to_it():
    assert render([Diagnostic("ADC201", "no rule")]).endswith("help: run `adc explain ADC201` for examples")


def test_without_a_place():
    assert render([Diagnostic("", "no more than this")]) == "error: no more than this"


def test_several_findings_are_set_apart():
    text = render([Diagnostic("", "one"), Diagnostic("", "two")])
    assert text == "error: one\n\nerror: two"


def test_one_line_between_is_shown_and_more_are_not():
    text = "a = 1\nb = 2\nc = 3\n\n\n\nd = 4\n"
    shown = render([Diagnostic("", "m", span(text, "a"), ((span(text, "c"), "here"), (span(text, "d"), "there")))])
    assert "2 | b = 2" in shown
    assert shown.count("...") == 1
    assert "5 |" not in shown


def test_line_numbers_are_aligned():
    text = "x = 1\n" * 9 + "bad = 2\n"
    shown = render([Diagnostic("", "m", span(text, "bad"), ((span(text, "x"), "first"),))])
    assert "\n 1 | x = 1\n   | - first\n" in shown
    assert "\n10 | bad = 2\n   | ^^^" in shown


def test_a_span_over_several_lines():
    text = "y = f(\n    a,\n\n    b,\n)\nz = 1\n"
    shown = render(
        [Diagnostic("", "m", span(text, "f(\n    a,\n\n    b,\n)"), ((span(text, "f(\n    a,\n\n    b,\n)"), "all"),))]
    )
    assert "1 | y = f(\n  |     ^^\n" in shown
    assert "2 |     a,\n  |     ^^\n" in shown
    assert shown.endswith("5 | )\n  | ^ all")


def test_a_span_over_very_many_lines_is_cut():
    text = "f(\n" + "  a,\n" * 40 + ")\n"
    shown = render([Diagnostic("", "m", span(text, text.rstrip("\n")))])
    assert len(shown.splitlines()) < 20
    assert shown.rstrip().endswith("42 | )\n   | ^")


def test_tabs_and_wide_characters_keep_the_carets_in_place():
    text = '\tx = f("漢字", bad)\n'
    lines = render([Diagnostic("", "m", span(text, "bad"))]).splitlines()
    code, carets = lines[-2], lines[-1]
    assert "\t" not in code
    before = code[: code.index("bad")]
    assert width(before) == len(carets) - len("^^^")
    assert carets.endswith("^^^")


def test_combining_characters_take_no_column():
    assert width("e\u0301") == 1


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\u202e", "\u2066", "\x07", "\x9b", "\u200b", "\ufeff", "\x7f"])
def test_nothing_that_acts_on_a_terminal_gets_through(hidden: str):
    text = f"x = 1  # {hidden} \ny = 2\n"
    finding = Diagnostic(
        "ADC1" + hidden,
        "message " + hidden,
        span(text, "x", filename=f"file{hidden}.py"),
        ((span(text, "y"), "label " + hidden),),
        ("note " + hidden,),
        "help " + hidden,
    )
    shown = render([finding])
    assert hidden[0] not in shown
    assert shown.count(escape(hidden)) == 7


def test_an_escape_moves_the_carets():
    text = "a\u202eb = bad\n"
    lines = render([Diagnostic("", "m", span(text, "bad"))]).splitlines()
    assert lines[-1].index("^") == lines[-2].index("bad")


def test_a_very_long_line_is_cut_around_the_carets():
    text = "x = " + " + ".join(f"a{k}" for k in range(5000)) + "\n"
    lines = render([Diagnostic("", "m", span(text, "a3000"))]).splitlines()
    assert max(map(len, lines)) <= WIDEST + 10
    assert lines[-1].index("^") == lines[-2].index("a3000")


def test_a_label_in_another_file():
    here, there = span("call()\n", "call"), span("def call(): pass\n", "call", filename="other.py")
    shown = render([Diagnostic("", "m", here, ((there, "defined here"),))])
    assert " --> model.py:1:1" in shown
    assert " ::: other.py:1:5" in shown


def test_labels_without_a_primary_place_become_notes():
    assert "= note: look" in render([Diagnostic("", "m", None, ((span("a\n", "a"), "look"),))])


def test_an_empty_span_still_has_a_caret():
    source = Source("f.py", "")
    assert render([Diagnostic("", "m", Span(source=source, line=1, column=0, end_line=1, end_column=0))]).endswith("^")


def test_a_span_of_nothing_but_blank_lines():
    source = Source("f.py", "\n\n\n")
    shown = render([Diagnostic("", "m", Span(source=source, line=1, column=0, end_line=3, end_column=0))])
    assert shown.endswith("1 |\n  | ^")


def test_two_places_far_apart_on_a_long_line():
    text = "x = " + " + ".join(f"a{k}" for k in range(500)) + "\n"
    lines = render([Diagnostic("", "m", span(text, "a3 "), ((span(text, "a400"), "far"),))]).splitlines()
    assert max(map(len, lines)) <= WIDEST + 20
    assert any(line.endswith("- far") for line in lines)


def test_several_helps():
    shown = render([Diagnostic("", "m", help=("one", "two"))])
    assert shown.endswith("help: one\nhelp: two")


def test_color_changes_nothing_but_the_color():
    import re

    finding = Diagnostic("ADC201", "m", span(MODEL, "x"), ((span(MODEL, "h"), "here"),), ("note",), "help")
    colored = render([finding], color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([finding])


def test_lines_are_python_lines():
    text = "a = 1\x0c\nb = 2\rc = 3\r\nbad = 4\n"  # a form feed ends no line
    shown = render([Diagnostic("", "m", Span(source=Source("f.py", text), line=4, column=0, end_line=4, end_column=3))])
    assert "4 | bad = 4" in shown
