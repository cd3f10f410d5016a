"""Diagnostics as text: the message, the lines it is about with carets under them, notes, help.

    render : (diagnostics, color) -> str

    error[ADC201]: `np.linalg.svd` has no derivative rule
     --> model.py:5:9
      |
    5 |     s = np.linalg.svd(h)
      |         ^^^^^^^^^^^^^^^^ called here on a value that depends on `w`

Nothing of the program's text reaches the terminal raw: control and bidirectional characters are escaped,
tabs become blanks, and carets count the columns that wide characters take.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ad_compiler.diagnostics.codes import has_page
from ad_compiler.diagnostics.source import Source, Span

if TYPE_CHECKING:
    from ad_compiler.diagnostics.diagnostic import Diagnostic

TAB = "    "
WIDEST = 160  # columns of a source line that are shown; a longer line is cut to a window around the carets
MOST_LINES = 6  # of one span that goes over several lines

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # unicode categories that act on a terminal, or hide
_STYLES = {"error": "1;31", "code": "1", "gutter": "1;34", "primary": "1;31", "label": "1;34", "help": "1;36"}


@dataclass(frozen=True, slots=True)
class _Mark:
    """Carets (or dashes) on one line, from one column up to another, in characters; and what to say there."""

    line: int
    start: int
    stop: int
    text: str
    primary: bool


def render(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """All diagnostics, a blank line between two of them."""
    return "\n\n".join(_one(diagnostic, _Paint(color)) for diagnostic in diagnostics)


def escape(text: str) -> str:
    r"""The text with every character that acts on a terminal, or hides, written as `\u202e`."""
    return "".join(map(_visible, text))


def width(text: str) -> int:
    """The columns that (escaped) text takes on a terminal."""
    return sum(map(_columns, text))


class _Paint:
    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text


def _one(diagnostic: Diagnostic, paint: _Paint) -> str:
    code = f"[{escape(diagnostic.code)}]" if diagnostic.code else ""
    parts = [paint("error", f"error{code}") + paint("code", f": {_prose(diagnostic.message)}")]
    if diagnostic.span is not None:
        parts += _snippets(diagnostic, paint)
    elif diagnostic.labels:
        parts += [f"  = note: {_prose(text)}" for _, text in diagnostic.labels]
    parts += [f"  = note: {_prose(note)}" for note in diagnostic.notes]
    helps = list(diagnostic.helps)
    if has_page(diagnostic.code):
        helps.append(f"run `adc explain {diagnostic.code}` for examples")
    parts += [paint("help", "help") + f": {_prose(help)}" for help in helps]
    return "\n".join(parts)


def _prose(text: str) -> str:
    """Message text: escaped, but its own line breaks kept, indented."""
    return "\n    ".join(escape(line) for line in text.split("\n"))


def _snippets(diagnostic: Diagnostic, paint: _Paint) -> list[str]:
    """The source with its marks: the file of the primary span first, then the other files of labels."""
    primary = diagnostic.span
    assert primary is not None
    beside = "; ".join(text for span, text in diagnostic.labels if _same(span, primary))
    marks: dict[str, list[_Mark]] = {primary.source.filename: _marks(primary, beside, primary=True)}
    sources: dict[str, tuple[Source, Span]] = {primary.source.filename: (primary.source, primary)}
    for span, text in diagnostic.labels:
        if not _same(span, primary):
            marks.setdefault(span.source.filename, []).extend(_marks(span, text, primary=False))
            sources.setdefault(span.source.filename, (span.source, span))
    gutter = len(str(max(mark.line for group in marks.values() for mark in group)))
    lines: list[str] = []
    for position, (filename, (source, span)) in enumerate(sources.items()):
        arrow = "-->" if position == 0 else ":::"
        place = f"{escape(filename)}:{span.line}:{span.column + 1}"
        lines.append(" " * gutter + paint("gutter", arrow) + f" {place}")
        lines.append(" " * gutter + paint("gutter", " |"))
        lines += _numbered(source, marks[filename], gutter, paint)
    if diagnostic.notes:
        lines.append(" " * gutter + paint("gutter", " |"))
    return lines


def _same(a: Span, b: Span) -> bool:
    return a is b or (
        (a.source.filename, a.line, a.column, a.end_line, a.end_column)
        == (b.source.filename, b.line, b.column, b.end_line, b.end_column)
    )


def _marks(span: Span, text: str, *, primary: bool) -> list[_Mark]:
    """A mark for each line of the span; the text stands on the last one."""
    if span.end_line <= span.line:
        stop = max(span.end_column, span.column + 1)
        return [_Mark(span.line, span.column, stop, text, primary)]
    numbers: Sequence[int] = range(span.line, span.end_line + 1)
    if len(numbers) > MOST_LINES:
        numbers = [*numbers[: MOST_LINES - 1], span.end_line]
    marks = []
    for number in numbers:
        line = span.source.line(number)
        start = span.column if number == span.line else len(line) - len(line.lstrip())
        stop = span.end_column if number == span.end_line else len(line.rstrip())
        if stop > start:
            marks.append(_Mark(number, start, stop, "", primary))
    if not marks:
        return [_Mark(span.line, span.column, span.column + 1, text, primary)]
    last = marks[-1]
    return [*marks[:-1], _Mark(last.line, last.start, last.stop, text, primary)]


def _numbered(source: Source, marks: list[_Mark], gutter: int, paint: _Paint) -> list[str]:
    """The marked lines in order, `...` where some are left out."""
    lines: list[str] = []
    before: int | None = None
    for number in sorted({mark.line for mark in marks}):
        if before is not None and number == before + 2:
            lines.append(_source_line(before + 1, _shown(source.line(before + 1)), gutter, paint))
        elif before is not None and number > before + 1:
            lines.append(paint("gutter", "..."))
        here = [mark for mark in marks if mark.line == number]
        lines += _marked_line(number, source.line(number), here, gutter, paint)
        before = number
    return lines


def _source_line(number: int, shown: str, gutter: int, paint: _Paint) -> str:
    return (paint("gutter", f"{number:>{gutter}} |") + f" {_cut(shown, 0, WIDEST)}").rstrip()


def _marked_line(number: int, raw: str, marks: list[_Mark], gutter: int, paint: _Paint) -> list[str]:
    """The line, then its marks: those without text share a row, each text has its own."""
    shown = _shown(raw)
    columns = _offsets(raw)
    spans = [(_at(columns, mark.start), _at(columns, mark.stop), mark) for mark in marks]
    left, right = _window(columns[-1], min((mark[0] for mark in spans), default=0))
    bar = " " * gutter + paint("gutter", " |")
    lines = [paint("gutter", f"{number:>{gutter}} |") + f" {_cut(shown, left, right)}".rstrip()]
    for start, stop, mark in sorted(spans, key=lambda each: (-each[0], each[2].primary)):
        start, stop = max(start - left, 0), min(max(stop - left, start - left + 1), right - left)
        if stop <= start:
            start, stop = max(right - left - 1, 0), right - left
        symbol = "^" if mark.primary else "-"
        style = "primary" if mark.primary else "label"
        text = symbol * (stop - start) + (f" {_prose(mark.text)}" if mark.text else "")
        lines.append(f"{bar} {' ' * start}{paint(style, text)}")
    return lines


def _window(length: int, start: int) -> tuple[int, int]:
    """Which columns of a line are shown, so that `start` is among them."""
    if length <= WIDEST:
        return 0, max(length, 1) + 1
    left = max(0, min(start - WIDEST // 4, length - WIDEST))
    return left, left + WIDEST


def _cut(shown: str, left: int, right: int) -> str:
    """The characters of an escaped line that begin in columns left … right."""
    if left == 0 and len(shown) * 2 <= right:
        return shown
    kept, column = [], 0
    for character in shown:
        if left <= column < right:
            kept.append(character)
        column += _columns(character)
    return "".join(kept)


def _shown(raw: str) -> str:
    return "".join(TAB if character == "\t" else _visible(character) for character in raw)


def _offsets(raw: str) -> list[int]:
    """The column at which each character begins, and where the line ends."""
    columns = [0]
    for character in raw:
        columns.append(columns[-1] + (len(TAB) if character == "\t" else width(_visible(character))))
    return columns


def _at(columns: list[int], character: int) -> int:
    """The column of a character; a place past the end of the line stands just after it."""
    last = len(columns) - 1
    return columns[character] if character <= last else columns[last] + (character - last)


def _visible(character: str) -> str:
    if " " <= character <= "~":
        return character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _columns(character: str) -> int:
    if " " <= character <= "~":
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
