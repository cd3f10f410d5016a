"""Functions that are no primitives: Python's builtins, and those of NumPy, functools, itertools that make structure.

    rule_for : a live object -> the rule for calling it, or None
"""

from __future__ import annotations

import ast
import builtins as python
import copy
import functools
import itertools
import math
import operator
import types
import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from ad_compiler.frontend import (
    arrays,
    attributes,
    calls,
    comprehensions,
    containers,
    control,
    iteration,
    operators,
    subscripts,
    views,
)
from ad_compiler.frontend.context import Lowering, describe, is_list, static_int, tensor_type
from ad_compiler.frontend.primitive_calls import as_array, operand
from ad_compiler.frontend.values import (
    NONE,
    Bound,
    Closure,
    Entries,
    Group,
    Lengths,
    Meaning,
    Range,
    Reference,
    Scalar,
    Series,
    Slice,
    Static,
)
from ad_compiler.ir.types import FLOATS, INTEGERS, Tensor, is_scalar, rank

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


def _range(low: Lowering, first: Meaning, second: Meaning | None = None, step: Meaning = Static(1)) -> Meaning:
    return Range(Static(0), first, step) if second is None else Range(first, second, step)


def _slice(low: Lowering, first: Meaning, second: Meaning | None = None, step: Meaning = NONE) -> Meaning:
    return Slice(NONE, first, step) if second is None else Slice(first, second, step)


def _zip(low: Lowering, *parts: Meaning, strict: Meaning = NONE) -> Meaning:
    return Series("zip", parts)


def _enumerate(low: Lowering, part: Meaning, start: Meaning = Static(0)) -> Meaning:
    return Series("enumerate", (part,), start)


def _reversed(low: Lowering, part: Meaning) -> Meaning:
    return Series("reversed", (part,))


def _map(low: Lowering, function: Meaning, *parts: Meaning) -> Meaning:
    return Series("map", parts, function)


def _chain(low: Lowering, *parts: Meaning) -> Meaning:
    return Series("chain", parts)


def _product(low: Lowering, *parts: Meaning, repeat: Meaning = Static(1)) -> Meaning:
    return Series("product", parts * (static_int(repeat) or 1))


def _ndindex(low: Lowering, *lengths: Meaning) -> Meaning:
    if len(lengths) == 1 and isinstance(lengths[0], Group):
        lengths = lengths[0].items
    return Series("ndindex", tuple(Range(Static(0), one, Static(1)) for one in lengths))


def _combined(choose: Callable[..., Any]) -> Rule:
    """`itertools.combinations` and the like, of known items."""

    def rule(low: Lowering, part: Meaning, *more: Meaning) -> Meaning:
        items = _items(low, part)
        sizes = [static_int(one) for one in more]
        return Group(tuple(Group(tuple(row)) for row in choose(items, *sizes)))

    return rule


def _accumulate(low: Lowering, part: Meaning, function: Meaning = Static(operator.add)) -> Meaning:
    found: list[Meaning] = []
    for item in _items(low, part):
        found.append(calls.call(low, function, [found[-1], item], {}) if found else item)
    return Group(tuple(found))


def _filter(low: Lowering, function: Meaning, part: Meaning) -> Meaning:
    def keep(item: Meaning) -> Meaning:
        return operators.truth(low, item if function is NONE else calls.call(low, function, [item], {}))

    return comprehensions.collect(low, part, condition=keep)


def _items(low: Lowering, part: Meaning) -> list[Meaning]:
    items = iteration.known(low, part)
    if items is None:
        low.refuse("ADC118", "how many items there are must be known when compiling")
    return items


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


def _tuple(low: Lowering, part: Meaning = Group(())) -> Meaning:
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


def _reduce(low: Lowering, function: Meaning, part: Meaning, *initial: Meaning) -> Meaning:
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
    return comprehensions.accumulate(low, part, initial[0], lambda total, item: calls.call(low, function, [total, item], {}))


def sorted_items(low: Lowering, items: list[Meaning], keywords: dict[str, Meaning]) -> list[Meaning]:
    """Items in order, where what they are sorted by is known when compiling."""
    key, reverse = keywords.get("key", NONE), keywords.get("reverse", Static(False))
    keys = [item if isinstance(key, Static) and key.value is None else calls.call(low, key, [item], {}) for item in items]
    if not all(isinstance(one, Static) for one in keys) or not isinstance(reverse, Static):
        low.refuse("ADC118", "what is sorted must be known when compiling", help="use `np.sort` on an array")
    order = python.sorted(range(len(items)), key=lambda k: keys[k].value, reverse=bool(reverse.value))  # type: ignore[union-attr]
    return [items[k] for k in order]


def _sorted(low: Lowering, part: Meaning, **keywords: Meaning) -> Meaning:
    return containers.new_list(low, sorted_items(low, _items(low, part), keywords))


# --------------------------------------------------------------------------------------------- reductions


def _len(low: Lowering, meaning: Meaning) -> Meaning:
    low.check_usable(meaning)
    method = calls.method_of(low, meaning, "__len__")
    if method is not None:
        return calls.call(low, method, [], {})
    items = iteration.known(low, meaning) if not isinstance(meaning, Range) else None
    if items is not None:
        return Static(len(items))
    if isinstance(meaning, Lengths):
        return low.emit("ndim", meaning.owner)
    if isinstance(meaning, Range | Series):
        return iteration.counting(low, meaning).length()
    if isinstance(meaning, Reference):
        if is_list(low, meaning):
            return low.emit("list_len", meaning)
        if tensor_type(low, meaning) is not None:
            return iteration.first_length(low, views.read(low, meaning))
    low.refuse("ADC101", f"{describe(meaning)} has no length that is known")


def _sum(low: Lowering, part: Meaning, start: Meaning = Static(0)) -> Meaning:
    items = iteration.known(low, part)
    if items is None:
        return comprehensions.accumulate(low, part, start, lambda a, b: operators.binary(low, ast.Add(), a, b))
    total: Meaning = start
    if items and static_int(start) == 0 and isinstance(start, Static):
        total, items = items[0], items[1:]
    for item in items:
        total = operators.binary(low, ast.Add(), total, item)
    return total


def _extreme(name: str, compare: ast.cmpop) -> Rule:
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
            if type is None or not is_scalar(type) and rank(type) is not None:
                low.refuse("ADC101", f"`{'max' if name == 'maximum' else 'min'}` of {describe(item)} is not supported",
                           help="use `np.maximum`, `np.minimum`, `np.max`, `np.min` for arrays")
        best = items[0]
        for item in items[1:]:
            best = pick(low, best, item, key)
        return best

    return rule


def _as_sequence(low: Lowering, part: Meaning) -> Meaning:
    return comprehensions.collect(low, part) if isinstance(part, Series | Range) else part


def _any_all(name: str, both: bool) -> Rule:
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
            result = holds if isinstance(result, Static) else low.emit("logical_and" if both else "logical_or", result, holds)
        return result

    return rule


# -------------------------------------------------------------------------------------------- conversions


def _converting(name: str, cls: type) -> Rule:
    def rule(low: Lowering, meaning: Meaning = Static(cls()), *more: Meaning) -> Meaning:
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


def _str(low: Lowering, meaning: Meaning = Static("")) -> Meaning:
    from ad_compiler.frontend import text

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


def _isinstance(low: Lowering, meaning: Meaning, cls: Meaning) -> Meaning:
    classes = _classes(low, cls)
    if isinstance(meaning, Static):
        return Static(isinstance(meaning.value, classes))
    kind = _class_of(low, meaning)
    if kind is not None:
        return Static(issubclass(kind, classes))
    type = tensor_type(low, meaning)
    if type is not None and not is_scalar(type) and rank(type) is None:
        low.refuse("ADC118", "the type of this is not known when compiling")
    low.refuse("ADC118", f"the type of {describe(meaning)} is not known when compiling")


def _classes(low: Lowering, cls: Meaning) -> tuple[type, ...]:
    if isinstance(cls, Group):
        return tuple(one for item in cls.items for one in _classes(low, item))
    if isinstance(cls, Static) and isinstance(cls.value, type):
        return (cls.value,)
    if isinstance(cls, Static) and isinstance(cls.value, types.UnionType):
        return typing.get_args(cls.value)
    low.refuse("ADC118", "the class in `isinstance` must be known when compiling")


def _class_of(low: Lowering, meaning: Meaning) -> type | None:
    """The class of what a meaning stands for, where that is known."""
    if isinstance(meaning, Group):
        return meaning.cls  # type: ignore[no-any-return]
    if isinstance(meaning, Closure | Bound):
        return types.FunctionType
    if isinstance(meaning, Reference) and not meaning.path:
        content = views.content_of(low, meaning.root)
        if isinstance(content, Entries):
            return content.cls  # type: ignore[no-any-return]
        if is_list(low, meaning):
            return list
    type = tensor_type(low, meaning)
    if type is None or rank(type) is None:
        return None
    if not is_scalar(type):
        return np.ndarray
    if type.dtype in FLOATS:
        return np.float64 if type.dtype == "f64" else np.float32
    return bool if type.dtype == "bool" else int if type.dtype in INTEGERS else None


def _type(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(type(meaning.value))
    cls = _class_of(low, meaning)
    if cls is None or (isinstance(meaning, Scalar)):
        low.refuse("ADC118", "the type of this is not known when compiling")
    return Static(cls)


def _callable(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(callable(meaning.value))
    return Static(isinstance(meaning, Closure | Bound) or calls.method_of(low, meaning, "__call__") is not None)


def _isscalar(low: Lowering, meaning: Meaning) -> Meaning:
    if isinstance(meaning, Static):
        return Static(np.isscalar(meaning.value))
    type = tensor_type(low, meaning)
    if type is not None and rank(type) is None:
        low.refuse("ADC118", "whether this is a number or an array is not known when compiling")
    return Static(isinstance(type, Tensor) and is_scalar(type))


def _getattr(low: Lowering, owner: Meaning, name: Meaning, *default: Meaning) -> Meaning:
    if not isinstance(name, Static):
        low.refuse("ADC118", "the name of an attribute must be known when compiling")
    if default and not _has(low, owner, name.value):
        return default[0]
    return attributes.attribute_of(low, owner, name.value)


def _hasattr(low: Lowering, owner: Meaning, name: Meaning) -> Meaning:
    if not isinstance(name, Static):
        low.refuse("ADC118", "the name of an attribute must be known when compiling")
    return Static(_has(low, owner, name.value))


def _has(low: Lowering, owner: Meaning, name: str) -> bool:
    if isinstance(owner, Static):
        return hasattr(owner.value, name)
    content = low.state.content(owner.root) if isinstance(owner, Reference) and not owner.path else None
    if isinstance(content, Entries):
        return content.get(name) is not None or hasattr(content.cls, name)
    cls = _class_of(low, owner)
    if cls is None:
        low.refuse("ADC118", "the type of this is not known when compiling")
    return hasattr(cls, name)


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


def _itemgetter(low: Lowering, *keys: Meaning) -> Meaning:
    return Bound(Static(_ItemGetter(len(keys))), keys)


class _ItemGetter:
    """Marks what `operator.itemgetter` makes."""

    def __init__(self, count: int) -> None:
        self.count = count


_TABLE: list[tuple[Any, Rule]] = [
    (range, _range), (slice, _slice), (zip, _zip), (enumerate, _enumerate), (reversed, _reversed), (map, _map),
    (filter, _filter), (itertools.chain, _chain), (itertools.product, _product), (np.ndindex, _ndindex),
    (itertools.combinations, _combined(itertools.combinations)),
    (itertools.permutations, _combined(itertools.permutations)),
    (itertools.pairwise, _combined(itertools.pairwise)), (itertools.accumulate, _accumulate),
    (list, _list), (tuple, _tuple), (dict, _dict), (functools.partial, _partial), (functools.reduce, _reduce),
    (sorted, _sorted), (iter, lambda low, part: part),
    (len, _len), (sum, _sum), (min, _extreme("minimum", ast.Lt())), (max, _extreme("maximum", ast.Gt())),
    (any, _any_all("any", False)), (all, _any_all("all", True)),
    (float, _converting("to_float", float)), (int, _converting("to_int", int)), (bool, _converting("to_bool", bool)),
    (str, _str), (round, _round), (abs, _abs), (divmod, _divmod), (pow, _pow), (math.log, _log),
    (isinstance, _isinstance), (type, _type), (callable, _callable), (np.isscalar, _isscalar),
    (getattr, _getattr), (hasattr, _hasattr),
    (np.shape, _shape), (np.ndim, _ndim), (np.size, _size),
    (np.asarray, _as_array), (np.asanyarray, _as_array), (np.ascontiguousarray, arrays.contiguous),
    (np.copy, _copied(False)), (copy.copy, _copied(False)), (copy.deepcopy, _copied(True)),
    (np.copyto, arrays.copy_to), (np.fill_diagonal, arrays.fill_diagonal), (np.put, arrays.put),
    (np.meshgrid, arrays.meshgrid), (np.split, arrays.split), (np.array_split, arrays.split),
    (np.broadcast_arrays, arrays.broadcast_arrays), (np.column_stack, arrays.column_stack),
    (np.flipud, lambda low, x: arrays.flipped(low, x, 0)), (np.fliplr, lambda low, x: arrays.flipped(low, x, 1)),
    (np.diff, arrays.diff), (np.append, arrays.appended), (np.ix_, arrays.open_mesh),
    (operator.itemgetter, _itemgetter), (operator.getitem, lambda low, x, i: subscripts.get(low, x, i)),
]  # fmt: skip
_RULES: dict[int, tuple[Any, Rule]] = {id(obj): (obj, rule) for obj, rule in _TABLE}

ARRAY_METHODS: dict[str, Rule] = {
    "copy": lambda low, x, order=NONE: containers.copy(low, x, deep=False),
    "fill": arrays.fill,
    "item": arrays.item,
    "tolist": arrays.to_list,
    "__len__": _len,
    "conj": lambda low, x: low.emit("conjugate", x),
    "conjugate": lambda low, x: low.emit("conjugate", x),
    "is_integer": lambda low, x: low.emit("equal", x, low.emit("floor", x)),
}
