"""Functions that are no primitives: Python's builtins, and those of NumPy, functools, itertools that make structure.

rule_for : a live object -> the rule for calling it, or None
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ad_compiler.frontend import (
    arrays,
    asking,
    attributes,
    calls,
    comprehensions,
    containers,
    control,
    iteration,
    operators,
    reducing,
    subscripts,
)
from ad_compiler.frontend.context import Lowering, is_list, static_int, tensor_type
from ad_compiler.frontend.primitive_calls import as_array
from ad_compiler.frontend.values import (
    NONE,
    ONE,
    ZERO,
    Bound,
    Entries,
    Group,
    Lengths,
    Meaning,
    Range,
    Reference,
    Series,
    Slice,
    Static,
)
from ad_compiler.ir.types import is_scalar, rank

Rule = Callable[..., Meaning]


def rule_for(obj: Any) -> Rule | None:
    found = _RULES.get(id(obj))
    return found[1] if found is not None and found[0] is obj else None


def apply(low: Lowering, rule: Rule, obj: Any, arguments: list[Meaning], keywords: dict[str, Meaning]) -> Meaning:
    try:
        return rule(low, *arguments, **keywords)
    except TypeError as error:
        trace = error.__traceback__
        if trace is not None and trace.tb_next is None:  # raised by the call itself: the arguments do not fit
            low.refuse("ADC117", f"`{getattr(obj, '__name__', obj)}` is called with arguments that do not fit it")
        raise


# --------------------------------------------------------------------------------------------- iterators


def _range(low: Lowering, first: Meaning, second: Meaning | None = None, step: Meaning = ONE) -> Meaning:
    return Range(Static(0), first, step) if second is None else Range(first, second, step)


def _slice(low: Lowering, first: Meaning, second: Meaning | None = None, step: Meaning = NONE) -> Meaning:
    return Slice(NONE, first, step) if second is None else Slice(first, second, step)


def _zip(low: Lowering, *parts: Meaning, strict: Meaning = NONE) -> Meaning:
    return iteration.one_shot(low, Series("zip", parts))


def _enumerate(low: Lowering, part: Meaning, start: Meaning = ZERO) -> Meaning:
    return iteration.one_shot(low, Series("enumerate", (part,), start))


def _reversed(low: Lowering, part: Meaning) -> Meaning:
    return iteration.one_shot(low, Series("reversed", (part,)))


def _map(low: Lowering, function: Meaning, *parts: Meaning) -> Meaning:
    return iteration.one_shot(low, Series("map", parts, function))


def _chain(low: Lowering, *parts: Meaning) -> Meaning:
    return iteration.one_shot(low, Series("chain", parts))


def _product(low: Lowering, *parts: Meaning, repeat: Meaning = ONE) -> Meaning:
    return iteration.one_shot(low, Series("product", parts * (static_int(repeat) or 1)))


def _ndindex(low: Lowering, *lengths: Meaning) -> Meaning:
    if len(lengths) == 1 and isinstance(lengths[0], Group):
        lengths = lengths[0].items
    return iteration.one_shot(low, Series("ndindex", tuple(Range(Static(0), one, Static(1)) for one in lengths)))


def _combined(choose: Callable[..., Any]) -> Rule:
    """`itertools.combinations` and the like, of known items."""

    def rule(low: Lowering, part: Meaning, *more: Meaning) -> Meaning:
        items = reducing.known_items(low, part)
        sizes = [static_int(one) for one in more]
        return Group(tuple(Group(tuple(row)) for row in choose(items, *sizes)))

    return rule


def _accumulate(low: Lowering, part: Meaning, function: Meaning | None = None) -> Meaning:
    function = Static(operator.add) if function is None else function
    found: list[Meaning] = []
    for item in reducing.known_items(low, part):
        found.append(calls.call(low, function, [found[-1], item], {}) if found else item)
    return Group(tuple(found))


def _filter(low: Lowering, function: Meaning, part: Meaning) -> Meaning:
    def keep(item: Meaning) -> Meaning:
        return operators.truth(low, item if function is NONE else calls.call(low, function, [item], {}))

    return comprehensions.collect(low, part, condition=keep)


# ---------------------------------------------------------------------------------------------- making


def _list(low: Lowering, part: Meaning | None = None) -> Meaning:
    if part is None:
        return containers.new_list(low, ())
    items = iteration.known(low, part)
    if items is not None:
        return containers.new_list(low, items)
    if is_list(low, part):
        return containers.copy(low, part, deep=False)
    return comprehensions.collect(low, part)


def _tuple(low: Lowering, part: Meaning | None = None) -> Meaning:
    if part is None:
        return Group(())
    if isinstance(part, Lengths):
        return part
    items = iteration.known(low, part)
    if items is None:
        return comprehensions.collect(low, part)
    return Group(tuple(items))


def _dict(low: Lowering, *parts: Meaning, **keywords: Meaning) -> Meaning:
    made = Reference(low.root(Entries((), ())))
    from ad_compiler.frontend.listmethods import DICT_METHODS

    DICT_METHODS["update"](low, made.root, *parts, **keywords)
    return made


def _partial(low: Lowering, function: Meaning, *arguments: Meaning, **keywords: Meaning) -> Meaning:
    return Bound(function, arguments, tuple(keywords.items()))


# --------------------------------------------------------------------------------------------- reductions


# -------------------------------------------------------------------------------------------- conversions


def _converting(name: str, cls: type) -> Rule:
    def rule(low: Lowering, meaning: Meaning | None = None, *more: Meaning) -> Meaning:
        if meaning is None:
            return Static(cls())
        meaning = control.without_none(meaning)
        if isinstance(meaning, Static) and not more:
            try:
                return Static(cls(meaning.value))
            except (TypeError, ValueError) as error:
                low.refuse("ADC117", f"this call raises {type(error).__name__}: {error}")
        type_ = tensor_type(low, meaning)
        if cls is bool and (type_ is None or not is_scalar(type_)):
            return operators.truth(low, meaning)
        method = calls.method_of(low, meaning, f"__{cls.__name__}__")
        if method is not None:
            return calls.call(low, method, [], {})
        exact = {float: "f64", int: "i64", bool: "bool"}.get(cls)
        if type_ is not None and is_scalar(type_) and type_.dtype == exact:
            return meaning  # it is one already
        return low.emit(name, meaning)

    return rule


def _str(low: Lowering, meaning: Meaning | None = None) -> Meaning:
    from ad_compiler.frontend import text

    if meaning is None:
        return Static("")
    if isinstance(meaning, Static):
        return Static(str(meaning.value))
    return text.formatted_by_method(low, Static("{}"), [meaning], {})


def _round(low: Lowering, meaning: Meaning, digits: Meaning = NONE) -> Meaning:
    if isinstance(meaning, Static) and isinstance(digits, Static):
        return Static(round(meaning.value) if digits.value is None else round(meaning.value, digits.value))
    if isinstance(digits, Static) and digits.value is None:
        return low.emit("int_round", meaning)
    at = static_int(digits)
    if at is None:
        low.refuse("ADC118", "to how many digits is rounded must be known when compiling")
    return low.wrap(low.builder.one("round", low.value(meaning), decimals=at))


def _abs(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static) and isinstance(meaning.value, int | float):
        return Static(abs(meaning.value))
    method = calls.method_of(low, meaning, "__abs__")
    return low.emit("absolute", meaning) if method is None else calls.call(low, method, [], {})


def _divmod(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    return Group((operators.binary(low, ast.FloorDiv(), a, b), operators.binary(low, ast.Mod(), a, b)))


def _pow(low: Lowering, a: Meaning, b: Meaning) -> Meaning:
    return operators.binary(low, ast.Pow(), a, b)


def _log(low: Lowering, x: Meaning, base: Meaning | None = None) -> Meaning:
    top = low.emit("log", x)
    return top if base is None else low.emit("divide", top, low.emit("log", base))


# ------------------------------------------------------------------------------------------------- types


# ------------------------------------------------------------------------------------------------- others


def _shape(low: Lowering, meaning: Meaning) -> Meaning:
    return attributes.shape_of(low, low.wrap(low.value(meaning)) if isinstance(meaning, Static) else meaning)


def _ndim(low: Lowering, meaning: Meaning) -> Meaning:
    type = tensor_type(low, meaning)
    known = None if type is None else rank(type)
    return low.emit("ndim", meaning) if known is None else Static(known)


def _size(low: Lowering, meaning: Meaning, axis: Meaning = NONE) -> Meaning:
    if isinstance(axis, Static) and axis.value is not None:
        return subscripts.get(low, _shape(low, meaning), axis)
    return attributes.size_of(low, meaning)


def _as_array(low: Lowering, *arguments: Meaning, **keywords: Meaning) -> Meaning:
    return as_array(low, list(arguments), keywords)


def _copied(deep: bool) -> Rule:
    return lambda low, meaning: containers.copy(low, meaning, deep=deep)


_TABLE: list[tuple[Any, Rule]] = [
    (range, _range), (slice, _slice), (zip, _zip), (enumerate, _enumerate), (reversed, _reversed), (map, _map),
    (filter, _filter), (itertools.chain, _chain), (itertools.product, _product), (np.ndindex, _ndindex),
    (itertools.combinations, _combined(itertools.combinations)),
    (itertools.permutations, _combined(itertools.permutations)),
    (itertools.pairwise, _combined(itertools.pairwise)), (itertools.accumulate, _accumulate),
    (list, _list), (tuple, _tuple), (dict, _dict), (functools.partial, _partial), (functools.reduce, reducing.reduced),
    (sorted, reducing.in_order), (iter, lambda low, part: iteration.one_shot(low, Series("chain", (part,)))),
    (len, reducing.length), (sum, reducing.total),
    (min, reducing.extreme("minimum", ast.Lt())), (max, reducing.extreme("maximum", ast.Gt())),
    (any, reducing.any_all("any", False)), (all, reducing.any_all("all", True)),
    (float, _converting("to_float", float)), (int, _converting("to_int", int)), (bool, _converting("to_bool", bool)),
    (str, _str), (round, _round), (abs, _abs), (divmod, _divmod), (pow, _pow), (math.log, _log),
    (isinstance, asking.is_instance), (type, asking.type_of), (callable, asking.is_callable),
    (np.isscalar, asking.is_scalar_),
    (getattr, asking.get_attribute), (hasattr, asking.has_attribute),
    (np.shape, _shape), (np.ndim, _ndim), (np.size, _size),
    (np.asarray, _as_array), (np.asanyarray, _as_array), (np.ascontiguousarray, arrays.contiguous),
    (np.copy, _copied(False)), (copy.copy, _copied(False)), (copy.deepcopy, _copied(True)),
    (np.copyto, arrays.copy_to), (np.fill_diagonal, arrays.fill_diagonal), (np.put, arrays.put),
    (np.meshgrid, arrays.meshgrid), (np.split, arrays.split),
    (np.broadcast_arrays, arrays.broadcast_arrays), (np.column_stack, arrays.column_stack),
    (np.flipud, lambda low, x: arrays.flipped(low, x, 0)), (np.fliplr, lambda low, x: arrays.flipped(low, x, 1)),
    (np.diff, arrays.diff), (np.append, arrays.appended), (np.ix_, arrays.open_mesh),
    (operator.getitem, lambda low, x, i: subscripts.get(low, x, i)),
]  # fmt: skip
_RULES: dict[int, tuple[Any, Rule]] = {id(obj): (obj, rule) for obj, rule in _TABLE}

ARRAY_METHODS: dict[str, Rule] = {
    "copy": lambda low, x, order=NONE: containers.copy(low, x, deep=False),
    "fill": arrays.fill,
    "item": arrays.item,
    "tolist": arrays.to_list,
    "__len__": reducing.length,
    "conj": lambda low, x: low.emit("conjugate", x),
    "conjugate": lambda low, x: low.emit("conjugate", x),
    "is_integer": lambda low, x: low.emit("equal", x, low.emit("floor", x)),
}
