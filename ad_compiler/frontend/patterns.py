"""`match` on constants and on the shapes of tuples and lists: a chain of tests."""

from __future__ import annotations

import ast
import functools

from ad_compiler.frontend import containers, control
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.names import assign_name
from ad_compiler.frontend.values import Meaning, Static


def match(low: Lowering, node: ast.Match) -> None:
    from ad_compiler.frontend.control import live_after
    from ad_compiler.frontend.expressions import expression

    subject = expression(low, node.subject)
    live = live_after(low, node)

    def cases(rest: list[ast.match_case]) -> None:
        if rest:
            case = rest[0]
            holds = _matches(low, case.pattern, subject)
            control.branch(low, holds, lambda: guarded(case, rest[1:]), lambda: cases(rest[1:]), live)

    def guarded(case: ast.match_case, rest: list[ast.match_case]) -> None:
        from ad_compiler.frontend.expressions import condition

        _bind(low, case.pattern, subject)
        if case.guard is None:
            control.run(low, case.body, live)
        else:
            control.branch(
                low, condition(low, case.guard), lambda: control.run(low, case.body, live), lambda: cases(rest), live
            )

    cases(node.cases)


def _matches(low: Lowering, pattern: ast.pattern, subject: Meaning) -> Meaning:
    from ad_compiler.frontend.expressions import expression
    from ad_compiler.frontend.operators import compare

    result: Meaning
    if isinstance(pattern, ast.MatchAs):
        return Static(True) if pattern.pattern is None else _matches(low, pattern.pattern, subject)
    if isinstance(pattern, ast.MatchValue):
        return compare(low, ast.Eq(), subject, expression(low, pattern.value))
    if isinstance(pattern, ast.MatchSingleton):
        return compare(low, ast.Is(), subject, Static(pattern.value))
    if isinstance(pattern, ast.MatchOr):
        result = _matches(low, pattern.patterns[0], subject)
        for one in pattern.patterns[1:]:
            result = control.short_circuit(low, False, result, functools.partial(_matches, low, one, subject))
        return result
    if isinstance(pattern, ast.MatchSequence):
        items = containers.known_items(low, subject)
        if (
            items is None
            or isinstance(subject, Static)
            or any(isinstance(one, ast.MatchStar) for one in pattern.patterns)
        ):
            low.refuse("ADC101", "this pattern is not supported", pattern)
        if len(items) != len(pattern.patterns):
            return Static(False)
        result = Static(True)
        for one, item in zip(pattern.patterns, items, strict=True):
            result = control.short_circuit(low, True, result, functools.partial(_matches, low, one, item))
        return result
    low.refuse("ADC101", "this pattern is not supported", pattern)


def _bind(low: Lowering, pattern: ast.pattern, subject: Meaning) -> None:
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None:
            _bind(low, pattern.pattern, subject)
        if pattern.name is not None:
            assign_name(low, pattern.name, subject, pattern)
    elif isinstance(pattern, ast.MatchSequence):
        for one, item in zip(pattern.patterns, containers.known_items(low, subject) or (), strict=True):
            _bind(low, one, item)
