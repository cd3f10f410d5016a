"""`python -m tests.benchmarks [--quick]`: one table of ratios, all measured side by side in this run."""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import ad_compiler
from tests.benchmarks import measure, problems


def gradient_rows(quick: bool) -> Iterator[tuple[str, ...]]:
    """gradient : primal : by hand, for each problem."""
    for problem in problems.problems(quick):
        primal, emitted, by_hand = compiled_side_by_side(problem)
        t_primal, t_emitted, t_hand = measure.compare(primal, emitted, by_hand, seconds=0.3 if quick else 1.5)
        yield (
            problem.name,
            f"{1e6 * t_primal:,.1f} µs",
            f"{t_emitted / t_primal:.2f}",
            f"{t_hand / t_primal:.2f}",
            f"{t_emitted / t_hand:.2f}",
        )


def compiled_side_by_side(problem: problems.Problem) -> tuple[Callable[[], Any], ...]:
    """The primal, the emitted `value_and_grad` called directly, and the gradient by hand."""
    args = copy.deepcopy(problem.args)
    emitted = ad_compiler.value_and_grad(problem.function, argnums=problem.wrt).compiled(*args)
    own = copy.deepcopy(problem.args)  # the primal writes into them
    return lambda: problem.function(*own), lambda: emitted(*args), lambda: problem.by_hand(*args)


def compile_rows(quick: bool) -> Iterator[tuple[str, ...]]:
    """Time to compile by number of statements: it should grow linearly."""
    for shape in (problems.straight_line, problems.nested):
        previous = None
        for statements in (10, 100) if quick else (10, 100, 1000):
            f = measure.define(shape(statements))
            started = time.perf_counter()
            ad_compiler.value_and_grad(f, argnums=(0, 1)).compiled(1.1, 0.3)
            taken = time.perf_counter() - started
            growth = f"{taken / previous:.1f}" if previous else ""
            yield shape.__name__, str(statements), f"{1e3 * taken:.0f} ms", f"{1e3 * taken / statements:.2f} ms", growth
            previous = taken


def call_rows(quick: bool) -> Iterator[tuple[str, ...]]:
    """A call that finds its compiled function, against calling that one directly."""

    def product(x: Any, y: Any) -> Any:
        return x * y

    def weighted(p: Any) -> Any:
        return np.sum(p["w"] * p["x"])

    weights = {"w": np.ones(3), "x": np.ones(3)}
    yield call_row("two numbers", product, 1.5, 2.0)
    yield call_row("two arrays", lambda x, y: np.sum(x * y), np.ones(3), np.ones(3))
    yield call_row("a dict of two arrays", weighted, weights)


def call_row(label: str, f: Callable[..., Any], *args: Any) -> tuple[str, ...]:
    gradient = ad_compiler.grad(f)
    direct = gradient.compiled(*args)

    def wrapper(*given: Any, **named: Any) -> Any:
        return direct(*given, **named)

    through, straight, wrapped = measure.compare(lambda: gradient(*args), lambda: direct(*args), lambda: wrapper(*args))
    return (
        label,
        f"{1e9 * straight:.0f} ns",
        f"{through / straight:.1f}",
        f"{wrapped / straight:.1f}",
        f"{1e9 * (through - straight):.0f} ns",
    )


def element_rows(quick: bool) -> Iterator[tuple[str, ...]]:
    """Time an element in loops over elements: it should not grow with their number."""
    for n in (1000, 10_000) if quick else (1000, 10_000, 100_000):
        problem = problems.elements(n)
        primal, emitted, by_hand = measure.compare(*compiled_side_by_side(problem), seconds=0.2, rounds=5)
        yield f"{n:,}", f"{1e9 * primal / n:.0f} ns", f"{1e9 * emitted / n:.0f} ns", f"{1e9 * by_hand / n:.0f} ns"


TABLES: dict[str, tuple[Callable[[bool], Iterator[tuple[str, ...]]], tuple[str, ...]]] = {
    "gradients": (gradient_rows, ("function", "primal", "gradient : primal", "by hand : primal", "gradient : by hand")),
    "calls": (call_rows, ("arguments", "emitted function", "grad(f) : it", "a wrapper : it", "overhead")),
    "elements": (element_rows, ("elements", "primal each", "gradient each", "by hand each")),
    "compile time": (compile_rows, ("program", "statements", "compile", "a statement", "growth")),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, shorter measurements")
    parser.add_argument("--only", choices=list(TABLES), help="one part")
    options = parser.parse_args(arguments)
    for title, (rows, head) in TABLES.items():
        if options.only in (None, title):
            table = [head, *rows(options.quick)]
            widths = [max(len(row[column]) for row in table) for column in range(len(head))]
            print(f"\n{title}")
            for row in table:
                first, *rest = zip(row, widths, strict=True)
                print("  " + first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest), sep="  ")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
