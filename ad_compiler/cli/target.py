"""`FILE[:FUNCTION]`: finding it and reading it.  The file is text to us: it is never imported or run."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ad_compiler.cli.exits import Unusable

if TYPE_CHECKING:
    from ad_compiler.diagnostics.diagnostic import Diagnostic
    from ad_compiler.frontend.read import Definition, ModuleText
    from ad_compiler.ir.trees import Tree

LARGEST = 4_000_000  # bytes; the reader's own limit is below it


@dataclass(frozen=True, slots=True)
class Target:
    """A file (`-` is stdin), and the function asked for; None asks for all of them."""

    path: str
    function: str | None = None

    @property
    def shown(self) -> str:
        return "<stdin>" if self.path == "-" else self.path


class TargetType(click.ParamType):
    """`FILE[:FUNCTION]` on the command line, completed from the folder and from the file's own functions."""

    name = "FILE[:FUNCTION]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        return value if isinstance(value, Target) else parse_target(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        path, colon, beginning = incomplete.rpartition(":")
        if not colon or not os.path.isfile(path):
            return [CompletionItem(incomplete, type="file")]
        try:
            names = list(read_module(Target(path)).definitions)
        except Exception:  # completion is silent
            return []
        return [CompletionItem(f"{path}:{name}") for name in names if name.startswith(beginning)]


def parse_target(text: str) -> Target:
    """Split at the last colon when a name stands behind it and the whole is not itself a file."""
    path, colon, function = text.rpartition(":")
    if colon and path and function.isidentifier() and not os.path.exists(text):
        return Target(path, function)
    return Target(text)


def read_bytes(target: Target) -> bytes:
    """The file's bytes, a bounded number of them: the reader refuses what is larger than it allows."""
    try:
        if target.path == "-":
            return sys.stdin.buffer.read(LARGEST)
        with open(target.path, "rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        raise Unusable(f"there is no file `{target.path}`") from None
    except IsADirectoryError:
        raise Unusable(f"`{target.path}` is a folder", "name a file in it") from None
    except OSError as error:
        raise Unusable(f"`{target.path}` cannot be read: {error.strerror or error}") from None


def read_module(target: Target) -> ModuleText:
    """The file's functions, parsed.  A wrong function name is answered with the nearest right one."""
    data = read_bytes(target)
    from ad_compiler.frontend.read import from_text

    module = from_text(data, target.shown)
    if not module.definitions:
        help = "functions are what stands under a `def` at the left margin"
        raise Unusable(f"there is no function in `{target.shown}`", help)
    if target.function is not None and target.function not in module.definitions:
        message = f"there is no function `{target.function}` in `{target.shown}`"
        raise Unusable(message, *_near(target.function, list(module.definitions)))
    return module


def chosen(target: Target, wrt: tuple[str, ...] | None, arguments: tuple[str, ...]) -> list[Definition]:
    """The functions asked for.  Of a whole file, those that have one of the arguments in `wrt`.

    Raises one error with all findings when some of them cannot be looked at; `Unusable` for a name in `wrt` or
    `arguments` that none of them has.
    """
    from ad_compiler.diagnostics.diagnostic import LanguageError

    module = read_module(target)
    wanted = [target.function] if target.function else list(module.definitions)
    known = {name: set(parameter_names(module.definitions[name])) for name in wanted}
    everything = set().union(*known.values())
    for stranger in [*(wrt or ()), *types_of(arguments)]:
        if stranger not in everything:
            message = f"there is no argument `{stranger}` in `{target.function or target.shown}`"
            raise Unusable(message, *_near(stranger, sorted(everything)))
    found: list[Definition] = []
    failures: list[Diagnostic] = []
    for name in wanted:
        if wrt is not None and not known[name] & set(wrt):
            continue
        try:
            found.append(module.find(name))
        except LanguageError as error:
            failures.extend(error.diagnostics)
    if failures:
        raise LanguageError(failures)
    return found


def parameter_names(definition: Definition) -> list[str]:
    """The names of all parameters, `*args` and `**kwargs` among them."""
    given = definition.parameters
    stars = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *stars)]


def _near(name: str, names: list[str]) -> list[str]:
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return [f"did you mean `{near[0]}`?"]
    if not names:
        return []
    return ["it has " + ", ".join(f"`{one}`" for one in names[:10]) + (", …" if len(names) > 10 else "")]


def types_of(arguments: tuple[str, ...]) -> dict[str, Tree]:
    """What `--arg 'NAME: TYPE'` says, by name.  The same letter is the same length in all of them."""
    from ad_compiler.frontend.annotations import parse_arg
    from ad_compiler.ir.types import Symbol

    symbols: dict[str, Symbol] = {}
    return dict(parse_arg(argument, symbols) for argument in arguments)
