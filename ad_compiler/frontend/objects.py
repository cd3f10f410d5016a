"""Objects of the user's classes: dataclasses, named tuples, plain classes.

An object is `Entries` in the heap: its class, its attributes.  `construct` makes one by lowering `__init__`, or
by the fields of a dataclass or a named tuple.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from ad_compiler.frontend import calls, containers
from ad_compiler.frontend.context import Lowering
from ad_compiler.frontend.names import outside
from ad_compiler.frontend.resolve import LIBRARIES, is_user_function, root_of
from ad_compiler.frontend.values import Entries, Group, Meaning, Reference, Static

Keywords = dict[str, Meaning]


def construct(low: Lowering, cls: Any, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    fields = getattr(cls, "_fields", None)
    if issubclass(cls, tuple) and fields is not None:
        return _named_tuple(low, cls, fields, arguments, keywords)
    if dataclasses.is_dataclass(cls) and _generated_init(cls):
        return _dataclass(low, cls, arguments, keywords)
    init = inspect.getattr_static(cls, "__init__", None)
    known = root_of(cls) not in LIBRARIES and inspect.getattr_static(cls, "__new__", None) is object.__new__
    if not known or (hasattr(cls, "__slots__") and not is_user_function(init)):
        low.refuse("ADC111", f"what making a `{cls.__name__}` does is not known")
    made = Reference(low.root(Entries((), (), cls)))
    if is_user_function(init):
        calls.call(low, Static(init), [made, *arguments], keywords)
    elif arguments or keywords:
        low.refuse("ADC117", f"`{cls.__name__}` takes no arguments")
    return made


def _generated_init(cls: Any) -> bool:
    return cls.__dataclass_params__.init and "__init__" in vars(cls)


def _bound(low: Lowering, cls: Any, signature: inspect.Signature, arguments: list[Meaning], keywords: Keywords) -> Any:
    try:
        return signature.bind(*arguments, **keywords).arguments
    except TypeError as error:
        low.refuse("ADC117", f"`{cls.__name__}`: {error}")


def _named_tuple(low: Lowering, cls: Any, fields: Any, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    kinds = inspect.Parameter
    parameters = [
        kinds(name, kinds.POSITIONAL_OR_KEYWORD, default=cls._field_defaults.get(name, kinds.empty)) for name in fields
    ]
    bound = _bound(low, cls, inspect.Signature(parameters), arguments, keywords)
    items = [bound[name] if name in bound else outside(low, cls._field_defaults[name], name) for name in fields]
    return Group(tuple(items), cls)


def _dataclass(low: Lowering, cls: Any, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    bound = _bound(low, cls, inspect.signature(cls), arguments, keywords)
    entries = Entries((), (), cls)
    for field in dataclasses.fields(cls):
        if field.name in bound:
            item = bound[field.name]
        elif field.default is not dataclasses.MISSING:
            item = outside(low, field.default, field.name)
        elif field.default_factory in (list, dict):
            empty = (
                containers.new_list(low, ()) if field.default_factory is list else Reference(low.root(Entries((), ())))
            )
            item = empty
        elif field.default_factory is not dataclasses.MISSING:
            item = calls.call(low, Static(field.default_factory), [], {})
        else:
            continue
        low.hinted(item, field.name)
        entries = entries.put(field.name, item)
    made = Reference(low.root(entries))
    after = calls.method_of(low, made, "__post_init__")
    if after is not None:
        calls.call(low, after, [], {})
    return made
