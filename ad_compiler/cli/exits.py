"""The exit codes, and how every exception becomes one of them with a message on stderr.

0  yes                       2  usage, or input that cannot be read
1  the answer is no          3  not differentiable
                             4  a bug of ours, with what to report
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Callable

import click

from ad_compiler.cli.console import color_on, printable, report

YES, NO, USAGE, REFUSED, BUG = 0, 1, 2, 3, 4
COMPLETION = "_ADC_COMPLETE"  # set by the completion script of a shell
INTERRUPTED, CLOSED_PIPE = 130, 141
NOT_DIFFERENTIABLE = ("ADC202", "ADC203", "ADC207")  # said of an argument, but about the function


class Unusable(click.ClickException):
    """Input that cannot be used: a missing file, an unknown function, a malformed option."""

    exit_code = USAGE

    def __init__(self, message: str, *help: str) -> None:
        super().__init__(message)
        self.help = help

    def show(self, file: object = None) -> None:
        report("\n".join([f"error: {self.message}", *(f"help: {line}" for line in self.help)]))


def guarded(action: Callable[[], int]) -> int:
    """Run `action`; turn what it raises into text on stderr and an exit code.  Never a traceback."""
    try:
        return action()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        problem.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        report("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # `adc emit … | head`: nobody reads on
        return _closed_pipe()
    except SystemExit as stop:  # click's own: it has answered the shell, or, with code 1, met a closed pipe
        return int(stop.code or 0) if COMPLETION in os.environ else _closed_pipe()
    except Exception as error:
        return _of_error(error)


def _closed_pipe() -> int:
    """Python must not flush into the pipe at exit, where it would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _of_error(error: Exception) -> int:
    from ad_compiler.diagnostics.diagnostic import (
        ArgumentError,
        ArgumentValueError,
        Error,
        InternalError,
        SourceError,
    )
    from ad_compiler.diagnostics.render import render

    if not isinstance(error, Error):
        report(_bug(error))
        return BUG
    report(render(error.diagnostics, color=color_on(sys.stderr)), rendered=True)
    if isinstance(error, InternalError):
        report(_bug(error))
        return BUG
    of_usage = isinstance(error, SourceError | ArgumentError | ArgumentValueError)
    return USAGE if of_usage and error.code not in NOT_DIFFERENTIABLE else REFUSED


def _bug(error: Exception) -> str:
    """What a report of this bug should hold.  `ADC_TRACEBACK=1` adds the whole traceback."""
    import numpy

    from ad_compiler.version import __version__

    frames = traceback.extract_tb(error.__traceback__)
    ours = next((frame for frame in reversed(frames) if "ad_compiler" in frame.filename), None)
    where = f" in {os.path.basename(ours.filename)}:{ours.lineno} ({ours.name})" if ours else ""
    versions = (
        f"ad_compiler {__version__}, Python {platform.python_version()}, NumPy {numpy.__version__}, "
        f"{platform.system()} {platform.machine()}"
    )
    lines = [
        f"internal error: {type(error).__name__}{where}: {error}",
        "",
        "This is a bug in ad_compiler, not in your program.  Please report it with",
        "  - the function that was given, as short as still shows it,",
        f"  - the command line: adc {' '.join(sys.argv[1:])}",
        f"  - the versions: {versions},",
        "  - the traceback that ADC_TRACEBACK=1 prints.",
    ]
    if os.environ.get("ADC_TRACEBACK"):
        lines += ["", *"".join(traceback.format_exception(error)).splitlines()]
    return printable("\n".join(lines))
