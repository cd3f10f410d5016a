"""`adc`: the commands, in the order that `adc --help` lists them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ad_compiler.cli import cache, check, completion, emit, explain
from ad_compiler.cli.console import wish_color
from ad_compiler.cli.exits import COMPLETION, guarded
from ad_compiler.version import __version__

COMMANDS = (emit.command, check.command, explain.command, cache.command, completion.command)

EXAMPLES = """\b
Examples:
  adc emit model.py                     the gradient's source, to stdout
  adc emit model.py:loss -o grad.py     one function's, into a file
  adc check model.py:loss               is it right?
  adc explain ADC201                    what does this message mean?

\b
Exit codes: 0 yes, 1 the answer is no, 2 usage or unreadable input, 3 not differentiable, 4 a bug of ours."""


class Listed(click.Group):
    """A group that lists its commands in the order given."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=Listed,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="adc", message="%(prog)s %(version)s")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; NO_COLOR is honoured.",
)
def app(color: str) -> None:
    """Differentiate plain Python and NumPy functions into Python source that people can read."""
    wish_color(color)


for one in COMMANDS:
    app.add_command(one)


def run(argv: Sequence[str] | None = None) -> int:
    """Run `adc` and return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)

    def action() -> int:
        wish_color("auto")
        result = app.main(args=arguments, prog_name="adc", standalone_mode=False, complete_var=COMPLETION)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0

    return guarded(action)
