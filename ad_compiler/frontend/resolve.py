"""What a name that is not local to a function means.

    lookup    : Scope, name      -> Resolved | None      None: no such name
    attribute : Resolved, name   -> Resolved             `np.linalg`, `math.pi`

`LiveScope` asks a function object: its closure cells, its globals, builtins, as they are now.  The other scope,
`static.StaticScope`, asks the text of a module and nothing else.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from ad_compiler.frontend.libraries import LIBRARIES, NotALibraryError, member, root_of

if TYPE_CHECKING:
    from ad_compiler.frontend.read import Definition

__all__ = [
    "LIBRARIES",
    "LiveScope",
    "PythonObject",
    "Resolved",
    "Scope",
    "StaticConstant",
    "UnknownName",
    "UserFunction",
    "attribute",
    "classify",
    "root_of",
    "transparent",
]


@dataclass(frozen=True, slots=True)
class PythonObject:
    """An object that is at hand: of a library, or (live only) of the user."""

    obj: Any


@dataclass(frozen=True, slots=True)
class StaticConstant:
    """A number, a string, None, or a tuple of these: a value that cannot change."""

    value: Any


@dataclass(frozen=True, slots=True)
class UnknownName:
    """The name exists, or may, and its meaning is not known.  `reason` is a clause: "it is a class"."""

    reason: str


class UserFunction:
    """A function of the user's.  Its definition is read when it is asked for; that may raise SourceError."""

    __slots__ = ("_definition", "_read", "function")

    def __init__(
        self,
        definition: Definition | None = None,
        *,
        function: Callable[..., Any] | None = None,
        read: Callable[[Any], Definition] | None = None,
    ) -> None:
        self._definition = definition
        self.function = function  # the live function, if this is one
        self._read = read

    @property
    def definition(self) -> Definition:
        if self._definition is None:
            assert self._read is not None
            self._definition = self._read(self.function)
        return self._definition

    def __repr__(self) -> str:
        return f"<user function {getattr(self.function, '__name__', None) or self.definition.name}>"


Resolved: TypeAlias = PythonObject | UserFunction | StaticConstant | UnknownName

_SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


class Scope(Protocol):
    """Where the names of a function that are not its own are looked up."""

    def lookup(self, name: str) -> Resolved | None: ...


def attribute(resolved: Resolved, name: str) -> Resolved:
    """`resolved.name`, for modules, classes and other objects at hand.

    On an object of a library it stays inside the libraries: `np.os` is unknown.
    """
    if isinstance(resolved, UnknownName):
        return resolved
    if isinstance(resolved, UserFunction):
        return UnknownName("it is an attribute of a function")
    obj = resolved.obj if isinstance(resolved, PythonObject) else resolved.value
    if isinstance(obj, types.ModuleType) and root_of(obj) in LIBRARIES:
        try:
            found = member(obj, name)
        except NotALibraryError as error:
            return UnknownName(str(error))
    else:
        try:
            found = getattr(obj, name)
        except Exception as error:  # a property of the user's may raise anything
            return UnknownName(f"reading it raises {type(error).__name__}: {error}")
        record(functools.partial(getattr, obj), name, found)
    return classify(found)


def classify(obj: Any, read: Callable[[Any], Definition] | None = None) -> Resolved:
    """A live object as a meaning: unchanging values, the user's functions, anything else as it is."""
    if _is_constant(obj):
        return StaticConstant(obj)
    if is_user_function(obj):
        if read is None:
            from ad_compiler.frontend.read import from_function as read  # read imports this file
        return UserFunction(function=obj, read=read)
    return PythonObject(obj)


def _is_constant(obj: Any) -> bool:
    return type(obj) in _SCALARS or (type(obj) is tuple and all(map(_is_constant, obj)))


def transparent(obj: Any) -> Any:
    """The function in a wrapper that is known to change nothing: `lru_cache`, `@differentiate`, Numba's."""
    kind = type(obj)
    if root_of(kind) == "numba":
        return getattr(obj, "py_func", None)
    ours = kind.__name__ == "DifferentiableFunction" and root_of(kind) == "ad_compiler"
    if ours or kind is functools._lru_cache_wrapper:
        return obj.__wrapped__
    return None


def is_user_function(obj: Any) -> bool:
    """A plain Python function of no library; or a method, or a transparent wrapper, of one."""
    if isinstance(obj, types.MethodType):
        return is_user_function(obj.__func__)
    inner = transparent(obj)
    if inner is not None:
        return is_user_function(inner)
    return isinstance(obj, types.FunctionType) and root_of(obj) not in LIBRARIES


READS: ContextVar[list[Read] | None] = ContextVar("READS", default=None)  # filled while something is compiled


@dataclass(frozen=True, slots=True)
class Read:
    """What compiling found under a name: the derivative holds only as long as that is what is found there."""

    find: Callable[[str], Any]
    name: str
    obj: Any
    content: Any  # of a list or a dict: what was in it

    def is_current(self) -> bool:
        try:
            found = self.find(self.name)
        except (KeyError, ValueError, AttributeError):
            return False
        return _same(found, self.obj) and (self.content is None or self.content == _content_of(found))


def record(find: Callable[[str], Any], name: str, obj: Any) -> None:
    """Note, while compiling, that `find(name)` was `obj`."""
    reads = READS.get()
    if reads is not None and not isinstance(obj, types.ModuleType | types.BuiltinFunctionType | np.ufunc):
        reads.append(Read(find, name, obj, _content_of(obj)))


def _same(a: Any, b: Any) -> bool:
    """Whether two reads gave the same: the same object, or equal ones of a kind that is made anew at each read."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    return a == b if isinstance(a, types.MethodType) else type(a) in _SCALARS and repr(a) == repr(b)


def _content_of(obj: Any) -> Any:
    """What a mutable container holds, in a form that compares; None for anything else."""
    if isinstance(obj, dict):
        return [(key, id(item), _content_of(item)) for key, item in obj.items()]
    if isinstance(obj, list | tuple):
        return [(id(item), _content_of(item)) for item in obj]
    return sorted(map(repr, obj)) if isinstance(obj, set) else None


class LiveScope:
    """The names around a live function, as they are now; what is handed out is recorded in `READS`."""

    def __init__(self, function: types.FunctionType, read: Callable[[Any], Definition]) -> None:
        self.function = function
        self.read = read

    def lookup(self, name: str) -> Resolved | None:
        try:
            obj = self._value(name)
        except KeyError:
            return None
        except ValueError:
            return UnknownName("it is a variable of an outer function that is not bound yet")
        record(self._value, name, obj)
        return classify(obj, self.read)

    def _value(self, name: str) -> Any:
        """The object; KeyError when there is none, ValueError for an empty cell."""
        free = self.function.__code__.co_freevars
        if name in free and self.function.__closure__:
            return self.function.__closure__[free.index(name)].cell_contents
        if name in self.function.__globals__:
            return self.function.__globals__[name]
        own = self.function.__globals__.get("__builtins__", builtins)
        return (own if isinstance(own, dict) else vars(own))[name]
