"""Functions computed from functions: compiled at the first call with arguments of new types, then kept."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ad_compiler import specialise
from ad_compiler.custom import CustomFunction, as_function
from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic
from ad_compiler.frontend.read import from_function
from ad_compiler.ir.trees import count, leaves
from ad_compiler.ir.types import may_vary
from ad_compiler.pipeline import (
    Arguments,
    Compiled,
    Derived,
    Program,
    Request,
    Written,
    call_bound,
    check_differentiable,
    compile_program,
)

Argnums = int | str | Sequence[int | str]


class Differentiated:
    """A derivative of `function`, called like it.

    `compiled(*args)` hands out the emitted function itself for arguments of these types, `source(*args)` its
    text, `stages(*args)` all that came before it.
    """

    def __init__(
        self, function: Callable[..., Any], mode: str, argnums: Argnums | None, has_aux: bool, optimise: bool
    ) -> None:
        self.function = function
        self.mode = mode
        self.argnums = argnums
        self.has_aux = has_aux
        self.optimise = optimise
        functools.update_wrapper(self, function, updated=())
        self.__name__ = f"{getattr(function, '__name__', 'function')}_{mode}"
        self.signature = _signature(function)
        self.parameters = list(self.signature.parameters)
        self.single = isinstance(argnums, int | str)
        # what is asked for: (position among the parameters, position within `*args` or None)
        self.wanted = [] if argnums is None else _wanted(argnums, self.parameters, self.star, self.__name__)
        self.positions = tuple(dict.fromkeys(position for position, _ in self.wanted))
        self.picks = any(item is not None for _, item in self.wanted)
        self.binder = specialise.Binder(self.signature, self.__name__)
        self.entries: dict[Any, Compiled] = {}
        self.lock = threading.RLock()

    # -- calling --------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self.binder.positional(args, kwargs)
        entry = self.entries.get(self.binder.key(bound))
        if entry is None or entry.reads or entry.written:
            entry = self.lookup(bound)
        result = entry.function(*bound) if entry.simple else entry.call(bound)
        return self.picked(result) if self.picks else result

    def picked(self, result: Any) -> Any:
        """Out of the gradients by parameter, those of single arguments that `*args` took."""
        if self.mode == "value_and_grad":
            return result[0], self._pick(result[1])
        return (self._pick(result[0]), result[1]) if self.has_aux else self._pick(result)

    def _pick(self, gradients: Any) -> Any:
        found = []
        for position, item in self.wanted:
            bar = gradients[self.positions.index(position)]
            found.append(bar if item is None else bar[item])
        return found[0] if self.single else tuple(found)

    def gathered(self, vectors: Sequence[Any], bound: Sequence[Any], zeros: Callable[[Any], Any]) -> list[Any]:
        """The other way round: tangents by parameter, from those of what is asked for."""
        found: dict[int, Any] = {}
        for (position, item), vector in zip(self.wanted, vectors, strict=True):
            if item is None:
                found[position] = vector
            else:
                whole = found.setdefault(position, [zeros(value) for value in bound[position]])
                whole[item] = vector
        return [tuple(one) if isinstance(one, list) and self.picks else one for one in found.values()]

    def with_extra(self, bound: Sequence[Any], extra: Sequence[Any]) -> Any:
        """Call a derivative that takes tangents too: one for each of `positions`, in that order."""
        dots = {f"{self.parameters[k]}_dot": dot for k, dot in zip(self.positions, extra, strict=True)}
        return self.lookup(bound).call(bound, dots)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        """The arguments in the order of the parameters, defaults filled in."""
        return self.binder.positional(args, kwargs)

    def primal(self, bound: Sequence[Any]) -> Any:
        """The value of the function for bound arguments."""
        return call_bound(self.function, self.signature, bound, {})

    def lookup(self, bound: Sequence[Any]) -> Compiled:
        """The compiled function for arguments of these types."""
        key = self.binder.key(bound)
        entry = self.entries.get(key)
        if entry is None or not entry.is_current():
            with self.lock:
                entry = self.entries[key] = self._compile(bound)
        if entry.written:
            self.binder.check_aliases(bound, entry.written)
        return entry

    def _compile(self, bound: Sequence[Any]) -> Compiled:
        arguments = self.binder.arguments(bound)
        request = self.request(arguments)
        for name in request.wrt:
            check_differentiable(name, self.parameters.index(name), arguments[name])
        return compile_program(
            Derived(program_of(self.function), request), arguments, optimise=self.optimise
        )

    def request(self, arguments: Arguments) -> Request:
        if self.argnums is None:
            names = [name for k, name in enumerate(self.parameters) if _differentiable(arguments[name])]
        else:
            names = [self.parameters[k] for k in self.positions]
        return Request(self.mode, tuple(names), self.single and not self.picks, self.has_aux)

    def wrt_names(self, bound: Sequence[Any]) -> list[str]:
        """The parameters that have a derivative (where `argnums` does not say)."""
        arguments = self.binder.arguments(bound)
        return [name for name in self.parameters if _differentiable(arguments[name])]

    @property
    def star(self) -> int | None:
        """The position of `*args` among the parameters."""
        kinds = [parameter.kind for parameter in self.signature.parameters.values()]
        return kinds.index(inspect.Parameter.VAR_POSITIONAL) if inspect.Parameter.VAR_POSITIONAL in kinds else None

    # -- looking inside -----------------------------------------------------------------------------

    def compiled(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The emitted function for arguments of these types."""
        return self.lookup(self.binder.positional(args, kwargs)).function

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The emitted module's text for arguments of these types."""
        return self.lookup(self.binder.positional(args, kwargs)).source

    def stages(self, *args: Any, **kwargs: Any) -> dict[str, str]:
        """Every stage of the compilation as text: "ssa", "adjoint", "optimised", "source"."""
        return self.lookup(self.binder.positional(args, kwargs)).stages.texts()

    def __repr__(self) -> str:
        return f"<{self.mode} of {getattr(self.function, '__qualname__', self.function)!s}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Differentiated, (self.function, self.mode, self.argnums, self.has_aux, self.optimise)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def _differentiable(tree: Any) -> bool:
    return count(tree) > 0 and all(may_vary(leaf.payload) for leaf in leaves(tree))


def program_of(function: Callable[..., Any]) -> Program:
    """What there is to lower behind a callable: a derivative's own program, or the user's source."""
    if isinstance(function, Differentiated):
        names = tuple(function.parameters[k] for k in function.positions)
        single = function.single and not function.picks
        return Derived(program_of(function.function), Request(function.mode, names, single, function.has_aux))
    if isinstance(function, CustomFunction):
        function = as_function(function)
    return Written(from_function(function))


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if isinstance(function, Differentiated):
        return function.signature
    if not callable(function):
        raise ArgumentError(
            Diagnostic("ADC205", f"a function is needed, and {type(function).__name__} was given"), argument="f"
        )
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        from_function(function)  # says why it has no source
        raise


def _wanted(
    argnums: Argnums, parameters: list[str], star: int | None, name: str
) -> list[tuple[int, int | None]]:
    """`argnums` counts arguments; those from `*args` on are parts of one parameter."""
    one = isinstance(argnums, int | str)
    chosen = [argnums] if isinstance(argnums, int | str) else list(argnums)
    if star is None or not any(isinstance(k, int) and k >= star for k in chosen):
        return [(position, None) for position in positions_of(argnums if one else chosen, parameters, name)]
    found: list[tuple[int, int | None]] = []
    for k in chosen:
        if isinstance(k, int) and k >= star:
            found.append((star, k - star))
        else:
            found.append((positions_of(k, parameters, name)[0], None))
    return found


def positions_of(argnums: Argnums, parameters: list[str], name: str) -> tuple[int, ...]:
    """`argnums` as positions among the parameters."""
    wanted = [argnums] if isinstance(argnums, int | str) else list(argnums)
    found = []
    for one in wanted:
        position = parameters.index(one) if one in parameters else one
        if isinstance(position, bool) or not isinstance(position, int):
            raise ArgumentValueError(
                Diagnostic(
                    "ADC204",
                    f"{name}: argnums names {one!r}, which is no parameter",
                    help=f"the parameters are {', '.join(parameters) or 'none'}",
                ),
                argument="argnums",
            )
        if not -len(parameters) <= position < len(parameters):
            raise ArgumentValueError(
                Diagnostic(
                    "ADC204",
                    f"{name}: argnums is {position}, and the function has {len(parameters)} parameters",
                    help=f"the parameters are {', '.join(parameters) or 'none'}",
                ),
                argument="argnums",
            )
        found.append(position % len(parameters))
    if len(set(found)) != len(found):
        raise ArgumentValueError(
            Diagnostic("ADC204", f"{name}: argnums {argnums!r} names a parameter twice"), argument="argnums"
        )
    return tuple(found)


@functools.lru_cache(maxsize=1024)
def _kept(function: Any, mode: str, argnums: Any, has_aux: bool, optimise: bool) -> Differentiated:
    return Differentiated(function, mode, argnums, has_aux, optimise)


def differentiated(
    function: Callable[..., Any], mode: str, argnums: Argnums | None, has_aux: bool, optimise: bool
) -> Differentiated:
    """The derivative; the same object for the same function and options, so that it is compiled once."""
    hashable = argnums if isinstance(argnums, int | str | None) else tuple(argnums)
    try:
        hash(function)
    except TypeError:  # an instance with __call__ and no hash
        return Differentiated(function, mode, hashable, has_aux, optimise)
    return _kept(function, mode, hashable, has_aux, optimise)
