"""`adc explain CODE`: the page of a diagnostic.  A page is a file of `diagnostics/explain/`."""

from __future__ import annotations

import difflib
import sys
from importlib.resources import files

import click
from click.shell_completion import CompletionItem

from ad_compiler.cli.console import color_on, highlighted
from ad_compiler.cli.exits import YES, Unusable


def pages() -> dict[str, str]:
    """Every page by its code, in order."""
    folder = files("ad_compiler.diagnostics").joinpath("explain")
    found = {
        entry.name.removesuffix(".md"): entry for entry in folder.iterdir() if entry.name.endswith(".md")
    }
    return {code: found[code].read_text(encoding="utf-8") for code in sorted(found)}


def title(page: str) -> str:
    return page.lstrip().splitlines()[0].lstrip("# ").strip() if page.strip() else ""


class CodeType(click.ParamType):
    """A diagnostic's code, in any case."""

    name = "CODE"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        known = pages()
        return [
            CompletionItem(code, help=title(known[code]))
            for code in known
            if code.startswith(incomplete.upper())
        ]


@click.command("explain", short_help="Explain a diagnostic's code, with examples.")
@click.argument("code", type=CodeType(), required=False)
def command(code: str | None) -> int:
    """Explain the diagnostic CODE (`ADC201`): what it means, a program that has it, the same program without it.

    Without CODE: the list of all codes.
    """
    known = pages()
    if code is None:
        for one, page in known.items():
            heading = title(page)
            click.echo(heading if heading.startswith(one) else f"{one}  {heading}")
        return YES
    if code.upper() not in known:
        near = difflib.get_close_matches(code.upper(), list(known), 1)
        raise Unusable(
            f"there is no diagnostic `{code}`",
            f"did you mean `{near[0]}`?" if near else "`adc explain` lists them all",
        )
    page = known[code.upper()]
    click.echo(highlighted(page, "markdown") if color_on(sys.stdout) else page.rstrip("\n"), color=True)
    return YES
