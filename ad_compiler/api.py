"""The public functions.  Argument conventions are JAX's.

A derivative is compiled at the first call with arguments of new types, and kept: one compiled function for
each signature.  Nothing is computed before the arguments were checked; the caller's arrays stay as they are.
"""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ad_compiler import specialise
from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic, Error
from ad_compiler.frontend.read import from_function
from ad_compiler.ir.printer import show
from ad_compiler.ir.trees import Tree, count, leaves
from ad_compiler.pipeline import (
    Arguments,
    Compiled,
    Derived,
    Program,
    Request,
    Written,
    check_differentiable,
    compile_program,
    differentiable_names,
)

Argnums = int | str | Sequence[int | str]


class Differentiated:
    """A function computed from another one: `grad(f)`, `value_and_grad(f)`, `hvp(f)`.

    It is called like `f`.  `compiled(*args)` hands out the emitted function itself, `source(*args)` its text.
    """

    def __init__(self, function: Callable[..., Any], mode: str, argnums: Argnums, has_aux: bool, optimise: bool) -> None:
        self.function = function
        self.mode = mode
        self.argnums = argnums
        self.has_aux = has_aux
        self.optimise = optimise
        functools.update_wrapper(self, function, updated=())
        self.__name__ = f"{getattr(function, '__name__', 'function')}_{mode}"
        self.parameters = _parameters(function)
        self.wrt, self.single = _wrt(argnums, self.parameters, self.__name__)
        self.cache = _Cache(self)

    def request(self) -> Request:
        return Request(self.mode, self.wrt, self.single, self.has_aux)

    def program(self) -> Program:
        return Derived(_program(self.function), self.request())

    def check(self, arguments: Arguments) -> None:
        names = list(arguments)
        for name in self.wrt:
            check_differentiable(name, names.index(name), arguments[name])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        compiled, bound = self.cache.lookup(args, kwargs)
        return compiled.function(*bound)

    def compiled(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The emitted function for arguments of these types."""
        return self.cache.lookup(args, kwargs)[0].function

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The emitted module's text for arguments of these types."""
        return self.cache.lookup(args, kwargs)[0].source

    def stages(self, *args: Any, **kwargs: Any) -> dict[str, str]:
        """Every stage of the compilation as text: "ssa", "adjoint", "optimised", "source"."""
        return _show_stages(self.cache.lookup(args, kwargs)[0])

    def __repr__(self) -> str:
        return f"<{self.mode} of {getattr(self.function, '__qualname__', self.function)!s}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Differentiated, (self.function, self.mode, self.argnums, self.has_aux, self.optimise)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


class _Cache:
    """The compiled functions of one derivative, by the signature of the arguments."""

    def __init__(self, derivative: Differentiated) -> None:
        self.derivative = derivative
        self.binder = specialise.Binder(derivative.parameters, derivative.__name__)
        self.entries: dict[Any, Compiled] = {}
        self.lock = threading.RLock()

    def lookup(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Compiled, Sequence[Any]]:
        """The compiled function, and the arguments in the order in which it takes them."""
        bound = self.binder.positional(args, kwargs)
        key = self.binder.key(bound)
        entry = self.entries.get(key)
        if entry is None or not entry.is_current():
            with self.lock:
                entry = self.entries[key] = self.compile(bound)
        return entry, bound

    def compile(self, bound: Sequence[Any]) -> Compiled:
        arguments = self.binder.arguments(bound)
        self.derivative.check(arguments)
        return compile_program(self.derivative.program(), arguments, optimise=self.derivative.optimise)
