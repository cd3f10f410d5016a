"""`adc emit`: the derivative's source.  Static: the file is parsed, never run.

Several functions of a file become one module text with one block of imports.  When one of them cannot be
differentiated nothing is written: all findings go to stderr and the exit code is 3.
"""

from __future__ import annotations

import os

import click

from ad_compiler.cli.console import printable_source, show_source, write_atomically
from ad_compiler.cli.exits import YES, Unusable
from ad_compiler.cli.target import Target, TargetType, chosen, types_of

MODES = ("reverse", "forward", "both")
STAGES = ("ssa", "adjoint", "optimised", "source")

EXAMPLES = """\b
Examples:
  adc emit model.py                        every function of the file, reverse mode
  adc emit model.py:loss --wrt w,b         one function, with respect to w and b
  adc emit model.py --mode both -o d.py    gradients and tangents, into a file
  adc emit model.py --arg 'w: float[3,4]'  say what an argument is
  adc emit model.py:loss --stage ssa       the program before it is differentiated

\b
Exit codes: 0 written, 2 usage or unreadable input, 3 not differentiable, 4 a bug of ours."""


def run(target: Target, *, mode: str, wrt: tuple[str, ...] | None, arguments: tuple[str, ...], stage: str) -> str:
    """The text that `adc emit` writes."""
    definitions = chosen(target, wrt, arguments)
    types = types_of(arguments)
    from ad_compiler.pipeline import emit_text

    text = emit_text(definitions, mode=mode, wrt=wrt, arguments=types, stage=stage)
    return printable_source(text) if stage == "source" else text


@click.command("emit", epilog=EXAMPLES, short_help="Write the source of a derivative.")
@click.argument("target", type=TargetType(), metavar="FILE[:FUNCTION]")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="reverse",
    show_default=True,
    help="Gradient, tangent, or both.",
)
@click.option(
    "--wrt",
    metavar="NAME,…",
    help="The arguments to differentiate with respect to.  [default: all that can be]",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="'NAME: TYPE'",
    help="The type of an argument: `float`, `int`, `float[3,4]`, `float[n,m]`, `list[float]`.  Repeatable.",
)
@click.option(
    "--stage",
    type=click.Choice(STAGES),
    default="source",
    show_default=True,
    help="Which step of the compiler to show.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Write there instead of to stdout: the whole file, or nothing.",
)
def command(
    target: Target, mode: str, wrt: str | None, arguments: tuple[str, ...], stage: str, output: str | None
) -> int:
    """Write the source of the derivative of the functions in FILE.

    FILE is read, never run: no import, no decorator, no default value of it is evaluated.  `-` reads stdin.
    The source that comes out needs NumPy, and not ad_compiler.
    """
    to_file = output is not None and output != "-"
    if (
        to_file
        and os.path.exists(str(output))
        and os.path.exists(target.path)
        and os.path.samefile(str(output), target.path)
    ):
        raise Unusable(f"`{output}` is the file that is read; it is not overwritten")
    text = run(target, mode=mode, wrt=names(wrt), arguments=arguments, stage=stage)
    if not to_file:
        show_source(text, "python" if stage == "source" else "text")
        return YES
    try:
        write_atomically(str(output), text if text.endswith("\n") else text + "\n")
    except OSError as error:
        raise Unusable(f"`{output}` cannot be written: {error.strerror or error}") from None
    return YES


def names(text: str | None) -> tuple[str, ...] | None:
    """`x, w` as names; None when nothing was said."""
    if text is None:
        return None
    found = tuple(part.strip() for part in text.split(","))
    if not all(name.isidentifier() for name in found):
        raise Unusable(f"`--wrt {text}` is not a list of names", "write it as `--wrt x,w`")
    return found
