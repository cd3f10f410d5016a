"""A finding (`Diagnostic`), the exceptions that carry findings, and a place to collect them (`Findings`).

One base class, `Error`; below it a class for each family of codes that is also the built-in exception that
fits, so that `except TypeError` works.  An error carries *all* findings; its fields are those of the first.
Errors are plain data: they pickle, and a deep copy is equal in text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ad_compiler.diagnostics.render import escape, render
from ad_compiler.diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong, where, and what to do.

    A label on `span` itself is written beside its carets; labels elsewhere get a line of their own.
    `help` alone proposes something; `notes` say why.
    """

    code: str
    message: str
    span: Span | None = None
    labels: tuple[tuple[Span, str], ...] = ()
    notes: tuple[str, ...] = ()
    help: str | tuple[str, ...] | None = None

    @property
    def helps(self) -> tuple[str, ...]:
        """`help` as a tuple of lines, possibly none."""
        if self.help is None:
            return ()
        return (self.help,) if isinstance(self.help, str) else tuple(self.help)


class Error(Exception):
    """Base of everything that ad_compiler raises about a program or a call.

    `argument` and `position` name the argument of a call that the error is about, where it is about one.
    """

    def __init__(
        self,
        diagnostics: Diagnostic | Iterable[Diagnostic] | str,
        *,
        argument: str | None = None,
        position: int | None = None,
    ) -> None:
        if isinstance(diagnostics, str):
            diagnostics = Diagnostic("", diagnostics)
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        self.argument = argument
        self.position = position
        super().__init__(self.diagnostics[0].message if self.diagnostics else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (type(self), self.diagnostics), dict(self.__dict__)

    def __str__(self) -> str:
        return render(self.diagnostics)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code or 'no code'}: {self.message})"

    @property
    def first(self) -> Diagnostic:
        return self.diagnostics[0] if self.diagnostics else Diagnostic("", "")

    @property
    def code(self) -> str:
        return self.first.code

    @property
    def message(self) -> str:
        return self.first.message

    @property
    def hint(self) -> str | None:
        """The first help of the first finding."""
        return self.first.helps[0] if self.first.helps else None

    @property
    def filename(self) -> str | None:
        return self.first.span.source.filename if self.first.span else None

    @property
    def lineno(self) -> int | None:
        return self.first.span.line if self.first.span else None

    @property
    def col(self) -> int | None:
        """The column, counted from 0, in characters."""
        return self.first.span.column if self.first.span else None

    @property
    def source_line(self) -> str | None:
        return self.first.span.source.line(self.first.span.line) if self.first.span else None

    @property
    def function(self) -> str | None:
        """The name of the user's function that the finding is in."""
        return (self.first.span.function or None) if self.first.span else None

    @property
    def construct(self) -> str | None:
        """The source text that the finding is about."""
        return span_text(self.first.span) if self.first.span else None


def _remake(cls: type[Error], diagnostics: tuple[Diagnostic, ...]) -> Error:
    return cls(diagnostics)


class LanguageError(Error, NotImplementedError):
    """ADC1xx: the program is outside the language."""


class DerivativeError(Error, NotImplementedError):
    """ADC2xx: there is no derivative rule."""


class ArgumentError(Error, TypeError):
    """ADC2xx: an argument of a call has the wrong kind."""


class ArgumentValueError(Error, ValueError):
    """ADC2xx: an argument of a call has the right kind and a wrong value."""


class SourceError(Error, SyntaxError):  # type: ignore[override]
    """ADC1xx: the source of a function cannot be found or read."""

    # what Python's own printing of a SyntaxError asks for
    @property
    def offset(self) -> int | None:  # type: ignore[override]
        return None if self.col is None else self.col + 1

    @property
    def text(self) -> str | None:  # type: ignore[override]
        line = self.source_line
        return None if line is None or escape(line) != line.replace("\t", escape("\t")) else line

    @property
    def end_lineno(self) -> int | None:  # type: ignore[override]
        return self.first.span.end_line if self.first.span else None

    @property
    def end_offset(self) -> int | None:  # type: ignore[override]
        return self.first.span.end_column + 1 if self.first.span else None


class InternalError(Error, RuntimeError):
    """ADC3xx: our bug."""


class BackendError(Error, NotImplementedError):
    """ADC4xx: a backend cannot write this program."""


class Findings:
    """Collects diagnostics, so that all of a function's are reported at once.  The same one counts once."""

    def __init__(self) -> None:
        self._found: dict[Any, Diagnostic] = {}

    def add(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        labels: Iterable[tuple[Span, str]] = (),
        notes: Iterable[str] = (),
        help: str | tuple[str, ...] | None = None,
    ) -> Diagnostic:
        finding = Diagnostic(code, message, span, tuple(labels), tuple(notes), help)
        return self._found.setdefault((code, message, _place(span)), finding)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for one in diagnostics:
            self._found.setdefault((one.code, one.message, _place(one.span)), one)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.diagnostics)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings in the order of the text; those without a place first."""
        return tuple(sorted(self._found.values(), key=lambda one: _place(one.span)))

    def raise_if_any(self, cls: type[Error] = LanguageError) -> None:
        if self._found:
            self.throw(cls)

    def throw(self, cls: type[Error] = LanguageError) -> NoReturn:
        raise cls(self.diagnostics)


def span_text(span: Span) -> str:
    """The source text that a span covers."""
    if span.line == span.end_line:
        return span.source.line(span.line)[span.column : span.end_column]
    first = span.source.line(span.line)[span.column :]
    middle = [span.source.line(number) for number in range(span.line + 1, span.end_line)]
    return "\n".join([first, *middle, span.source.line(span.end_line)[: span.end_column]])


def _place(span: Span | None) -> tuple[str, int, int, int, int]:
    if span is None:
        return "", 0, 0, 0, 0
    return span.source.filename, span.line, span.column, span.end_line, span.end_column
