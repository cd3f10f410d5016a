"""Writing to the terminal and to files: colours only where they are wanted, control characters never.

What a user's file says (names, comments, messages) passes through here as text.  A character that steers
a terminal or reorders a line is written as its escape, so that output reads as it runs.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

import click

from ad_compiler.diagnostics.render import escape

_wish: ContextVar[str] = ContextVar("color", default="auto")  # `--color`


def wish_color(wish: str) -> None:
    """Keep what `--color` says: "always", "never" or "auto"."""
    _wish.set(wish)


def color_on(stream: TextIO) -> bool:
    """Whether to colour: `--color`, then NO_COLOR, then FORCE_COLOR, then whether a terminal reads."""
    if _wish.get() != "auto":
        return _wish.get() == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """`text` with every character that acts on a terminal, or hides, written as its Python escape."""
    return "".join(part if part in ("\n", "\t") else escape(part) for part in re.split(r"([\n\t])", text))


def printable_source(text: str) -> str:
    """The same for Python source, whose meaning must stay: an escape means the same in a string literal."""
    escaped = printable(text)
    if escaped == text or ast.dump(ast.parse(escaped)) == ast.dump(ast.parse(text)):
        return escaped
    return ast.unparse(ast.parse(text)) + "\n"  # a raw string: its comments go, its meaning stays


def report(text: str, *, rendered: bool = False) -> None:
    """Write a message to stderr.  `rendered` text was escaped by who coloured it."""
    click.echo(text.rstrip("\n") if rendered else printable(text).rstrip("\n"), err=True, color=True)


def show_source(text: str, language: str = "python") -> None:
    """Write source to stdout: highlighted on a terminal, as it is in a pipe."""
    if color_on(sys.stdout):
        text = highlighted(text, language)
    click.echo(text, nl=not text.endswith("\n"), color=True)


def highlighted(text: str, language: str) -> str:
    from pygments import highlight
    from pygments.formatters import TerminalFormatter
    from pygments.lexers import get_lexer_by_name

    return str(highlight(text, get_lexer_by_name(language, stripnl=False), TerminalFormatter()))


def write_atomically(path: str, text: str) -> None:
    """Write the whole file or nothing.  Through a symbolic link; a device or a pipe is written as it is."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        if target.is_dir():
            raise IsADirectoryError(f"`{path}` is a folder")
        target.write_text(text, encoding="utf-8")
        return
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
