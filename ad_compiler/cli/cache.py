"""`adc cache info|clear`: the compiled derivatives kept on disk."""

from __future__ import annotations

import json

import click

from ad_compiler.cli.exits import YES


@click.group("cache", short_help="Show or clear the compiled derivatives kept on disk.")
def command() -> None:
    """Compiled derivatives are kept as source text in the user's cache folder; AD_COMPILER_CACHE moves it."""


@command.command("info")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(as_json: bool) -> int:
    """Where the cache is, how many entries it has, and how large they are."""
    from ad_compiler import cache

    folder, entries = cache.folder(), cache.entries()
    size = sum(entry.stat().st_size for entry in entries)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "entries": len(entries), "bytes": size}))
    else:
        click.echo(f"folder   {folder}\nentries  {len(entries)}\nsize     {human(size)}")
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
