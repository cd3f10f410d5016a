"""The command line, `adc`: one file a command.

    main : [argument] -> exit code

Importing this room is cheap: a command imports what it needs when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `adc` with these arguments (those of the process by default) and return its exit code."""
    from ad_compiler.cli.app import run

    return run(argv)
