"""The exceptions: what `except` catches, what they say, and that they travel."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from ad_compiler.diagnostics import diagnostic as errors
from ad_compiler.diagnostics.diagnostic import Diagnostic, Error, Findings, SourceError, span_text
from ad_compiler.diagnostics.source import Source, Span

SOURCE = Source("model.py", "def f(x):\n    return g(x)\n\ny = [\n  1,\n  2]\n")
CALL = Span(source=SOURCE, line=2, column=11, end_line=2, end_column=15, function="f")
FINDING = Diagnostic("ADC111", "`g` is not known", CALL, help=("define it", "or stop"))

FAMILY = [
    (errors.LanguageError, NotImplementedError),
    (errors.DerivativeError, NotImplementedError),
    (errors.ArgumentError, TypeError),
    (errors.ArgumentValueError, ValueError),
    (errors.SourceError, SyntaxError),
    (errors.InternalError, RuntimeError),
    (errors.BackendError, NotImplementedError),
]


@pytest.mark.parametrize(("cls", "builtin"), FAMILY)
def test_each_is_ours_and_the_builtin_that_fits(cls, builtin):
    error = cls(FINDING)
    assert isinstance(error, Error)
    assert isinstance(error, builtin)


@pytest.mark.parametrize("cls", [cls for cls, _ in FAMILY])
def test_the_fields_are_those_of_the_first_finding(cls):
    error = cls((FINDING, Diagnostic("ADC102", "another")))
    assert (error.code, error.filename, error.lineno, error.col) == ("ADC111", "model.py", 2, 11)
    assert error.source_line == "    return g(x)"
    assert (error.function, error.construct, error.hint) == ("f", "g(x)", "define it")
    assert len(error.diagnostics) == 2
    assert "another" in str(error)


@pytest.mark.parametrize("cls", [cls for cls, _ in FAMILY])
@pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy, copy.copy])
def test_they_travel(cls, travel):
    error = cls(FINDING, argument="x", position=2)
    error.add_note("seen on the way")
    other = travel(error)
    assert type(other) is cls
    assert str(other) == str(error)
    assert other.diagnostics == error.diagnostics
    assert (other.argument, other.position) == ("x", 2)
    assert other.__notes__ == ["seen on the way"]


def test_without_a_place():
    error = errors.ArgumentError("what is wrong")
    assert str(error) == "error: what is wrong"
    assert (error.code, error.filename, error.lineno, error.col, error.construct) == ("", None, None, None, None)
    assert (error.hint, error.function, error.source_line) == (None, None, None)


def test_no_findings_at_all():
    assert str(Error(())) == ""


def test_a_syntax_error_prints_as_python_prints_one():
    text = "".join(traceback.format_exception_only(SourceError(FINDING)))
    assert 'File "model.py", line 2' in text
    assert "return g(x)" in text
    assert "`g` is not known" in text


def test_a_syntax_error_without_a_place_prints():
    assert "nothing" in "".join(traceback.format_exception_only(SourceError("nothing")))


@pytest.mark.parametrize(("line", "shown"), [("\tx = 1", True), ("x = 1  # \u202e", False), ("x = '\x1b[2J'", False)])
def test_python_is_not_handed_a_line_that_acts_on_the_terminal(line, shown):
    place = Span(source=Source("f.py", line), line=1, column=0, end_line=1, end_column=1)
    assert (SourceError(Diagnostic("ADC109", "m", place)).text == line) is shown


def test_repr_is_short():
    assert repr(errors.LanguageError(FINDING)) == "LanguageError(ADC111: `g` is not known)"


def test_span_text_over_lines():
    assert span_text(Span(source=SOURCE, line=4, column=4, end_line=6, end_column=4)) == "[\n  1,\n  2]"


def test_findings_are_in_the_order_of_the_text_and_counted_once():
    found = Findings()
    assert not found
    found.raise_if_any()
    later = Span(source=SOURCE, line=4, column=0, end_line=4, end_column=1)
    found.add("ADC102", "second", later)
    found.add("ADC111", "first", CALL)
    found.add("ADC111", "first", CALL, help="said again, for another round of a loop")
    assert len(found) == 2
    assert [one.message for one in found] == ["first", "second"]
    with pytest.raises(errors.LanguageError) as caught:
        found.raise_if_any()
    assert [one.message for one in caught.value.diagnostics] == ["first", "second"]


def test_findings_can_be_gathered_from_others():
    one, two = Findings(), Findings()
    one.add("ADC101", "a")
    two.extend(one.diagnostics)
    two.extend(one.diagnostics)
    assert len(two) == 1
    with pytest.raises(errors.DerivativeError):
        two.throw(errors.DerivativeError)
