"""`adc completion SHELL`: the script that lets the shell complete commands, options, files and functions."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from ad_compiler.cli.exits import COMPLETION, YES

EXAMPLES = """\b
Examples:
  adc completion bash >> ~/.bashrc
  adc completion zsh >> ~/.zshrc
  adc completion fish > ~/.config/fish/completions/adc.fish"""


@click.command("completion", epilog=EXAMPLES, short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script for SHELL.  Nothing is installed: put it where your shell reads it."""
    cls = get_completion_class(shell)
    assert cls is not None
    script = cls(context.find_root().command, {}, "adc", COMPLETION)
    click.echo(ShellComplete.source(script))  # the base class's: it does not ask the shell for its version
    return YES
