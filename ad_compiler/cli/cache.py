"""`adc cache info|clear`: the compiled derivatives kept on disk."""

from __future__ import annotations

import json

import click

from ad_compiler.cli.console import printable
from ad_compiler.cli.exits import YES


@click.group("cache", short_help="Show or clear the compiled derivatives kept on disk.")
def command() -> None:
    """Compiled derivatives are kept as source text in the user's cache folder.

    The variable AD_COMPILER_CACHE names another folder, or is `off`.
    """


@command.command("info")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(as_json: bool) -> int:
    """Where the cache is, how many entries it has, and how large they are."""
    from ad_compiler import cache

    found = cache.info()
    folder = None if found.folder is None else str(found.folder)
    if as_json:
        facts = {"folder": folder, "entries": found.entries, "bytes": found.bytes, "problem": found.problem}
        click.echo(json.dumps(facts))
    else:
        lines = [
            f"folder   {folder or 'none'}",
            f"entries  {found.entries}",
            f"size     {human(found.bytes)}",
        ]
        lines += [f"problem  {found.problem}"] if found.problem else []
        click.echo(printable("\n".join(lines)))
    return YES


@command.command("clear")
def clear() -> int:
    """Remove every entry.  They are compiled again when they are needed."""
    from ad_compiler import cache

    count = cache.clear()
    click.echo(f"{count} {'entry' if count == 1 else 'entries'} removed")
    return YES


def human(size: float) -> str:
    """`12 B`, `3.4 kB`, `1.2 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
