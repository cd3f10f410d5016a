"""`adc explain CODE`: the page of a diagnostic."""

from __future__ import annotations

import difflib
import sys

import click
from click.shell_completion import CompletionItem

from ad_compiler.cli.console import color_on, highlighted
from ad_compiler.cli.exits import YES, Unusable
from ad_compiler.diagnostics.codes import CODES, explain


class CodeType(click.ParamType):
    """A diagnostic's code, in any case, with or without `ADC`."""

    name = "CODE"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        fitting = [code for code in CODES if code.startswith(incomplete.upper())]
        return [CompletionItem(code, help=CODES[code]) for code in fitting]


@click.command("explain", short_help="Explain a diagnostic's code, with examples.")
@click.argument("code", type=CodeType(), required=False)
def command(code: str | None) -> int:
    """Explain the diagnostic CODE (`ADC201`): what it means, with examples.

    Without CODE: the list of all codes.
    """
    if code is None:
        click.echo("\n".join(f"{one}  {title}" for one, title in CODES.items()))
        return YES
    try:
        page = explain(code)
    except KeyError as missing:
        near = difflib.get_close_matches(str(missing.args[0]), list(CODES), 1)
        help = f"did you mean `{near[0]}`?" if near else "`adc explain` lists them all"
        raise Unusable(f"there is no diagnostic `{code}`", help) from None
    click.echo(highlighted(page, "markdown") if color_on(sys.stdout) else page.rstrip("\n"), color=True)
    return YES
