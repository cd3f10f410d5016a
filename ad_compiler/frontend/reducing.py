"""`len`, `sum`, `min`, `max`, `any`, `all`, `sorted`: over known items a chain, elsewhere a loop or a reduction."""

from __future__ import annotations

import ast
import builtins as python
from collections.abc import Callable
from typing import Any

from ad_compiler.frontend import calls, comprehensions, containers, control, iteration, operators, views
from ad_compiler.frontend.context import Lowering, describe, is_list, static_int, tensor_type
from ad_compiler.frontend.primitive_calls import operand
from ad_compiler.frontend.values import NONE, ZERO, Lengths, Meaning, Range, Reference, Static
from ad_compiler.ir.types import is_scalar, rank

Rule = Callable[..., Meaning]


def length(low: Lowering, meaning: Meaning) -> Meaning:
    low.check_usable(meaning)
    method = calls.method_of(low, meaning, "__len__")
    if method is not None:
        return calls.call(low, method, [], {})
    if iteration.is_one_shot(low, meaning):
        low.refuse("ADC117", "an iterator has no length")
    items = iteration.known(low, meaning) if not isinstance(meaning, Range) else None
    if items is not None:
        return Static(len(items))
    if isinstance(meaning, Lengths):
        return low.emit("ndim", meaning.owner)
    if isinstance(meaning, Range):
        return iteration.counting(low, meaning).length()
    if isinstance(meaning, Reference):
        if is_list(low, meaning):
            return low.emit("list_len", meaning)
        if tensor_type(low, meaning) is not None:
            return iteration.first_length(low, views.read(low, meaning))
    low.refuse("ADC101", f"{describe(meaning)} has no length that is known")


def total(low: Lowering, part: Meaning, start: Meaning = ZERO) -> Meaning:
    items = iteration.known(low, part)
    if items is None:
        return comprehensions.accumulate(low, part, start, lambda a, b: operators.binary(low, ast.Add(), a, b))
    total: Meaning = start
    if items and static_int(start) == 0 and isinstance(start, Static):
        total, items = items[0], items[1:]
    for item in items:
        total = operators.binary(low, ast.Add(), total, item)
    return total


def extreme(name: str, compare: ast.cmpop) -> Rule:
    """`min` and `max`: of numbers a chain of choices, of arrays and long lists a reduction."""

    def pick(low: Lowering, best: Meaning, item: Meaning, key: Meaning) -> Meaning:
        if isinstance(key, Static) and key.value is None:
            if isinstance(best, Static) and isinstance(item, Static):
                better = operators.compare(low, compare, item, best)
                assert isinstance(better, Static)
                return item if better.value else best
            return low.emit(name, best, item)
        better = operators.compare(low, compare, calls.call(low, key, [item], {}), calls.call(low, key, [best], {}))
        return control.choose(low, better, lambda: item, lambda: best)

    def rule(low: Lowering, *parts: Meaning, key: Meaning = NONE, default: Meaning | None = None) -> Meaning:
        items: list[Meaning] | None = list(parts)
        if len(parts) == 1:
            items = iteration.known(low, parts[0])
            if items is not None and not items:
                if default is None:
                    low.refuse("ADC117", f"`{'max' if name == 'maximum' else 'min'}` of nothing")
                return default
        if items is None:
            return low.emit("max" if name == "maximum" else "min", low.wrap(operand(low, _as_sequence(low, parts[0]))))
        for item in items:
            type = tensor_type(low, item)
            if type is None or (not is_scalar(type) and rank(type) is not None):
                low.refuse(
                    "ADC101",
                    f"`{'max' if name == 'maximum' else 'min'}` of {describe(item)} is not supported",
                    help="use `np.maximum`, `np.minimum`, `np.max`, `np.min` for arrays",
                )
        best = items[0]
        for item in items[1:]:
            best = pick(low, best, item, key)
        return best

    return rule


def _as_sequence(low: Lowering, part: Meaning) -> Meaning:
    walked = isinstance(part, Range) or iteration.is_one_shot(low, part)
    return comprehensions.collect(low, part) if walked else part


def any_all(name: str, both: bool) -> Rule:
    def rule(low: Lowering, part: Meaning) -> Meaning:
        items = iteration.known(low, part)
        if items is None:
            start: Meaning = Static(both)
            combine = "logical_and" if both else "logical_or"
            return comprehensions.accumulate(
                low, part, start, lambda a, b: low.emit(combine, a, operators.truth(low, b))
            )
        result: Meaning = Static(both)
        for item in items:
            holds = operators.truth(low, item)
            if isinstance(holds, Static):
                if bool(holds.value) != both:
                    return Static(not both)
                continue
            result = (
                holds
                if isinstance(result, Static)
                else low.emit("logical_and" if both else "logical_or", result, holds)
            )
        return result

    return rule


def known_items(low: Lowering, part: Meaning) -> list[Meaning]:
    items = iteration.known(low, part)
    if items is None:
        low.refuse("ADC118", "how many items there are must be known when compiling")
    return items


def reduced(low: Lowering, function: Meaning, part: Meaning, *initial: Meaning) -> Meaning:
    items = iteration.known(low, part)
    if items is not None:
        rest = [*initial, *items]
        if not rest:
            low.refuse("ADC117", "`reduce` of nothing")
        total = rest[0]
        for item in rest[1:]:
            total = calls.call(low, function, [total, item], {})
        return total
    if not initial:
        low.refuse("ADC118", "`reduce` of an unknown number of items needs a first value")
    return comprehensions.accumulate(
        low, part, initial[0], lambda total, item: calls.call(low, function, [total, item], {})
    )


def sorted_items(low: Lowering, items: list[Meaning], keywords: dict[str, Meaning]) -> list[Meaning]:
    """Items in order, where what they are sorted by is known when compiling."""
    key, reverse = keywords.get("key", NONE), keywords.get("reverse", Static(False))
    keys = [
        item if isinstance(key, Static) and key.value is None else calls.call(low, key, [item], {}) for item in items
    ]
    if not all(isinstance(one, Static) for one in keys) or not isinstance(reverse, Static):
        low.refuse("ADC118", "what is sorted must be known when compiling", help="use `np.sort` on an array")
    order = python.sorted(range(len(items)), key=lambda k: _value(keys[k]), reverse=bool(reverse.value))  # type: ignore[union-attr]
    return [items[k] for k in order]


def _value(meaning: Meaning) -> Any:
    return meaning.value if isinstance(meaning, Static) else None


def in_order(low: Lowering, part: Meaning, **keywords: Meaning) -> Meaning:
    return containers.new_list(low, sorted_items(low, known_items(low, part), keywords))
