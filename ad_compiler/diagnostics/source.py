"""Where a piece of program stands: the text it was read from, and a span in it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@functools.lru_cache(maxsize=32)
def _lines(text: str) -> tuple[str, ...]:
    """The lines as Python counts them; `splitlines` also splits at form feeds."""
    return tuple(re.split(r"\r\n|\r|\n", text))


@dataclass(frozen=True, slots=True)
class Source:
    """A file's (or a cell's) text.  `text` is the whole file wherever there is one, so that lines are its lines."""

    filename: str
    text: str

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1; empty when there is none."""
        lines = _lines(self.text)
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From (line, column) up to (end_line, end_column); lines from 1, columns from 0, in characters."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int
    function: str = ""
