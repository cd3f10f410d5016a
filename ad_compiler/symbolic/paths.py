"""Running a program on numbers and on SymPy terms at once, along the path that the numbers take.

A `Pair` is a value: the number, and the term where it depends on a symbol.  Branches, trip counts, comparisons,
`argmax`, `floor` go by the number, so that what remains is a smooth formula: the program's meaning around the
sample point.  Statements of the user's (a print, a hook) are never run here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ad_compiler.ir.core import Module, Op, Value, walk
from ad_compiler.ir.interpreter import Apply, Environment, Interpreter
from ad_compiler.primitives import lookup
from ad_compiler.primitives.evaluate import apply as numeric_apply
from ad_compiler.symbolic.terms import UncheckedError, lift, term_of

MOST_TRIPS = 1_000_000  # of all loops, so that a loop that does not end at some point is not waited for
USER_CODE = ("hook", "effect", "opaque")


class OutsideError(Exception):
    """The program raises at this point, by a statement of its own."""


class Quiet(Interpreter):
    """The interpreter without the user's statements: prints are left out, a `raise` leaves the domain.

    Nothing of a module's text is executed here, so that a file that is only to be looked at stays text.
    """

    def __init__(self, module: Module, apply: Apply = numeric_apply, trips: int = MOST_TRIPS) -> None:
        super().__init__(replace(module, imports=()), apply)
        self.trips = trips
        self.structured["captured"] = lambda op, environment: (op.attributes["value"],)  # a live object

    def iteration(self, op: Op, arguments: list[Any], environment: Environment) -> tuple[list[Any], bool]:
        self.trips -= 1
        if self.trips < 0:
            raise UncheckedError("its loops run for too long at this point")
        return super().iteration(op, arguments, environment)

    def hook(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        if op.phase == "reverse":
            raise UncheckedError("it runs statements of yours in the reverse sweep, on purpose")
        return (environment[op.operands[0]],)

    def effect(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        statement = ast.parse(op.attributes["template"]).body[0]
        if isinstance(statement, ast.Raise):
            raise OutsideError
        if isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Name):
            position = statement.test.id.strip("_")
            if position.isdigit() and not environment[op.operands[int(position)]]:
                raise OutsideError
        return ()

    def opaque(self, op: Op, environment: Environment) -> tuple[Any, ...]:
        raise UncheckedError(f"`{op.attributes['template']}` is not evaluated when a program is checked")


def run(module: Module, leaves: Sequence[Any]) -> tuple[Any, ...]:
    """The results on numbers.  Raises `OutsideError`, or what NumPy raises, where the program is not defined."""
    with np.errstate(all="ignore"):
        return Quiet(module).call(module.functions[module.main], list(leaves))


def has_user_code(module: Module) -> bool:
    """Whether running the emitted module would run statements that the user wrote."""
    functions = module.functions.values()
    return bool(module.imports) or any(op.name in USER_CODE for f in functions for op in walk(f.body))


@dataclass(frozen=True, slots=True)
class Pair:
    """A number (an array, a list of them), and its term; `term` is None where no symbol is in it."""

    number: Any
    term: Any = None

    def __bool__(self) -> bool:
        return bool(self.number)

    def __int__(self) -> int:
        return int(self.number)

    @property
    def lifted(self) -> Any:
        return lift(self.number) if self.term is None else self.term


class Paired(Quiet):
    """The interpreter over pairs."""

    def __init__(self, module: Module, most_ops: int) -> None:
        super().__init__(module, self.pair)
        self.left = most_ops
        for name in ("constant", "captured"):
            self.structured[name] = lambda op, environment: (Pair(op.attributes["value"]),)
        self.structured["undefined"] = lambda op, environment: (Pair(None),) * len(op.results)

    def iteration(self, op: Op, arguments: list[Any], environment: Environment) -> tuple[list[Any], bool]:
        wrapped = [argument if isinstance(argument, Pair) else Pair(argument) for argument in arguments]
        return super().iteration(op, wrapped, environment)

    def pair(self, name: str, operands: list[Pair], attributes: dict[str, Any]) -> Any:
        self.left -= 1
        if self.left < 0:
            raise UncheckedError("it runs too many operations to be written as a formula")
        numbers = [operand.number for operand in operands]
        result = numeric_apply(name, numbers, attributes)
        several = lookup(name).results > 1
        if all(operand.term is None for operand in operands):
            return tuple(map(Pair, result)) if several else Pair(result)
        terms = [operand.lifted for operand in operands]
        found = term_of(lookup(name), numbers, terms, result, attributes)
        if several:
            return tuple(Pair(number, term) for number, term in zip(result, found, strict=True))
        return Pair(result, found)


def run_terms(module: Module, leaves: Sequence[Pair], most_ops: int = 5_000) -> list[Any]:
    """The terms of the results; a result without a symbol in it is lifted, too."""
    with np.errstate(all="ignore"):
        results = Paired(module, most_ops).call(module.functions[module.main], list(leaves))
    return [result.lifted for result in results]


def parameters(module: Module) -> list[Value]:
    """The leaves that the main function takes."""
    return module.functions[module.main].body.parameters
