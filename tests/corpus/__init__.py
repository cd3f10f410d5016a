"""Plain NumPy functions as scientists write them, by topic, each with the arguments to try it at.

`@example(args…)` only records; the function stays what it is.  The modules here import NumPy and `example`,
nothing of `ad_compiler`: what the corpus differentiates is code that has never heard of it.
Samples stay away from points where a function has no derivative.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests import numeric

TOPICS = (
    "arithmetic",
    "mathematics",
    "branches",
    "loops",
    "whiles",
    "arrays",
    "views",
    "inplace",
    "reductions",
    "indexing",
    "products",
    "networks",
    "physics",
    "lists",
    "dicts",
    "closures",
    "calls",
    "recursion",
    "structures",
)


@dataclass(frozen=True, slots=True)
class Example:
    """A function and a sample of its arguments."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...]  # positions of the arguments to differentiate with respect to
    name: str
    refused: str | None  # the code of the diagnostic, where refusing is right
    analytic: bool  # complex step works on it
    smooth: bool  # has a second derivative at the sample


EXAMPLES: list[Example] = []


def example(
    *args: Any,
    wrt: str | None = None,
    refused: str | None = None,
    analytic: bool = False,
    smooth: bool = True,
) -> Callable[[Callable], Callable]:
    """Record the decorated function with these arguments.

    `wrt` names the arguments to differentiate with respect to, as in "x, w"; without it, all that hold
    nothing but floats.  A function may have several examples.
    """

    def record(function: Callable) -> Callable:
        names = list(inspect.signature(function).parameters)
        if wrt is None:
            chosen = tuple(k for k, value in enumerate(args) if _all_floats(value))
        else:
            chosen = tuple(names.index(name.strip()) for name in wrt.split(","))
        topic = function.__module__.rpartition(".")[2]
        taken = sum(known.function is function for known in EXAMPLES)
        name = f"{topic}-{function.__name__}" + (f"-{taken + 1}" if taken else "")
        EXAMPLES.append(Example(function, args, chosen, name, refused, analytic, smooth))
        return function

    return record


def _all_floats(value: Any) -> bool:
    found = list(numeric.leaves(value))
    return bool(found) and all(map(numeric.is_float, found))


def load() -> list[Example]:
    """All examples of all topics."""
    for topic in TOPICS:
        importlib.import_module(f"tests.corpus.{topic}")
    return EXAMPLES
