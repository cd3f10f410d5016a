"""`adc check`: is the derivative right?  A verdict a line, exit code 1 when one of them is no."""

from __future__ import annotations

import ast
import json
from typing import Any

import click

from ad_compiler.cli.console import printable
from ad_compiler.cli.exits import NO, YES, Unusable
from ad_compiler.cli.target import Target, TargetType, chosen, types_of

EXAMPLES = """\b
Examples:
  adc check model.py                           every function, at sample points of its own choice
  adc check model.py:loss --at x1=2,x2=5       at this point
  adc check model.py --arg 'w: float[3,4]'     say what an argument is
  adc check model.py:loss --at 'w=[1, 2], n=3' --json

\b
Exit codes: 0 right, 1 wrong or not decided, 2 usage or unreadable input, 3 not differentiable, 4 a bug of ours."""


def run(
    target: Target, *, at: dict[str, Any], arguments: tuple[str, ...], wrt: tuple[str, ...] | None, seed: int
) -> dict[str, Any]:
    """A report for each function asked for.  Of a whole file, those with something to differentiate."""
    definitions = chosen(target, tuple(dict.fromkeys((*(wrt or ()), *at))) or None, arguments)
    types = types_of(arguments)
    from ad_compiler.symbolic.check import check_definition, has_derivative

    if len(definitions) > 1:
        definitions = [one for one in definitions if has_derivative(one, types)]
    return {one.name: check_definition(one, at=at, arguments=types, wrt=wrt, seed=seed) for one in definitions}


@click.command("check", epilog=EXAMPLES, short_help="Check a derivative: proof, dot product, finite differences.")
@click.argument("target", type=TargetType(), metavar="FILE[:FUNCTION]")
@click.option(
    "--at",
    metavar="NAME=VALUE,…",
    default="",
    help="The point: numbers and nested lists of them.  [default: sampled]",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="'NAME: TYPE'",
    help="The type of an argument, as in `adc emit`.  Repeatable.",
)
@click.option(
    "--wrt",
    metavar="NAME,…",
    help="The arguments to differentiate with respect to.  [default: all that can be]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sample points.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
def command(target: Target, at: str, arguments: tuple[str, ...], wrt: str | None, seed: int, as_json: bool) -> int:
    """Check the derivatives of the functions in FILE, both modes.

    Three verdicts: SymPy's proof, the dot-product identity, finite differences.  The file itself is not run:
    the functions are read from its text and evaluated by the compiler's own interpreter.
    """
    from ad_compiler.cli.emit import names

    reports = run(target, at=point(at), arguments=arguments, wrt=names(wrt), seed=seed)
    if as_json:
        click.echo(json.dumps({name: report.as_json() for name, report in reports.items()}, indent=2))
    else:
        for name, report in reports.items():
            click.echo(printable("\n".join([name, *(f"  {line}" for line in report.lines())])))
    return YES if all(report.ok for report in reports.values()) else NO


def point(text: str) -> dict[str, Any]:
    """`x1=2, w=[1, 2]` as values.  Literals only: nothing is evaluated."""
    if not text.strip():
        return {}
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not isinstance(call.func, ast.Name):
            raise ValueError
        values = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
        if len(values) != len(call.keywords):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Unusable(
            f"`--at {text}` is not a list of name=value", "write it as `--at 'x1=2, w=[1.5, 2.5]'`"
        ) from None
    return values
