"""`@differentiate`: a function that is still itself, with its derivatives hanging on it."""

from __future__ import annotations

import functools
import html
import inspect
from collections.abc import Callable, Sequence
from typing import Any, overload

from ad_compiler import api
from ad_compiler.compiled import Argnums
from ad_compiler.diagnostics.diagnostic import ArgumentValueError, Diagnostic

MODES = ("reverse", "forward")


class DifferentiableFunction:
    """What `@differentiate` makes of `f`: calling it calls `f`.

    `grad`, `value_and_grad`, `hessian` are called like `f`; `jvp(primals, tangents)` and `vjp(*primals)` as the
    functions of the same names.  `source(mode)` is the emitted text, `ssa` and `stages` what comes before it.
    """

    def __init__(
        self, function: Callable[..., Any], wrt: Argnums = 0, mode: str = "reverse", optimise: bool = True
    ) -> None:
        if mode not in MODES:
            raise ArgumentValueError(
                Diagnostic("ADC210", f"mode is {mode!r}; it can be 'reverse' or 'forward'"), argument="mode"
            )
        functools.update_wrapper(self, function)
        self.function = function
        self.wrt = wrt
        self.mode = mode
        self.optimise = optimise

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return DifferentiableFunction(self.function.__get__(instance, owner), self.wrt, self.mode, self.optimise)

    # -- derivatives ----------------------------------------------------------------------------

    def grad(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient at these arguments."""
        if self.mode == "forward":
            return api.jacobian(self.function, self.wrt, "forward", optimise=self.optimise)(*args, **kwargs)
        return api.grad(self.function, self.wrt, optimise=self.optimise)(*args, **kwargs)

    def value_and_grad(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The value and the gradient at these arguments."""
        if self.mode == "forward":
            return self.function(*args, **kwargs), self.grad(*args, **kwargs)
        return api.value_and_grad(self.function, self.wrt, optimise=self.optimise)(*args, **kwargs)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """The value and the directional derivative."""
        return api.jvp(self.function, primals, tangents, optimise=self.optimise)

    def vjp(self, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
        """The value and the pullback."""
        return api.vjp(self.function, *primals, optimise=self.optimise)

    def jacobian(self, *args: Any, **kwargs: Any) -> Any:
        """The Jacobian at these arguments."""
        return api.jacobian(self.function, self.wrt, optimise=self.optimise)(*args, **kwargs)

    def hessian(self, *args: Any, **kwargs: Any) -> Any:
        """The Hessian at these arguments."""
        return api.hessian(self.function, self.wrt, optimise=self.optimise)(*args, **kwargs)

    def hvp(self, *args: Any, **kwargs: Any) -> Any:
        """The Hessian-vector product; the vector is the last argument."""
        return api.hvp(self.function, self.wrt, optimise=self.optimise)(*args, **kwargs)

    # -- looking inside -------------------------------------------------------------------------

    def source(self, mode: str | None = None, args: Sequence[Any] | None = None) -> str:
        """The emitted source: "reverse" (the gradient) or "forward" (the tangent program), or "both".

        Argument types come from `args`, else from the annotations.
        """
        return api.emit(self.function, mode or self.mode, self._names(), args, optimise=self.optimise)

    def _names(self) -> list[str]:
        names = list(inspect.signature(self.function).parameters)
        chosen = (self.wrt,) if isinstance(self.wrt, int | str) else tuple(self.wrt)
        return [names[one] if isinstance(one, int) else one for one in chosen]

    @property
    def stages(self) -> dict[str, str]:
        """Every stage of the reverse derivative as text: "ssa", "adjoint", "optimised", "source"."""
        return api.stages(self.function, "reverse", self._names(), optimise=self.optimise)

    @property
    def ssa(self) -> str:
        """The SSA of the function."""
        return self.stages["ssa"]

    def _repr_html_(self) -> str:
        """Source, SSA and adjoint side by side, for a notebook."""
        stages = self.stages
        columns = {
            "source": inspect.cleandoc("\n" + inspect.getsource(self.function)),
            "SSA": stages["ssa"],
            "derivative": stages["source"],
        }
        cells = "".join(
            f'<td style="vertical-align:top;text-align:left"><b>{html.escape(title)}</b>'
            f"<pre>{html.escape(text)}</pre></td>"
            for title, text in columns.items()
        )
        return f"<table><tr>{cells}</tr></table>"

    def __repr__(self) -> str:
        return f"<differentiable {getattr(self.function, '__qualname__', self.function)!s}>"

    def __reduce__(self) -> Any:
        # a decorated function is found by its name, which is bound to this object
        return self.function.__qualname__


@overload
def differentiate(f: Callable[..., Any]) -> DifferentiableFunction: ...


@overload
def differentiate(
    f: None = None, *, wrt: Argnums = 0, mode: str = "reverse", optimise: bool = True
) -> Callable[[Callable[..., Any]], DifferentiableFunction]: ...


def differentiate(
    f: Callable[..., Any] | None = None, *, wrt: Argnums = 0, mode: str = "reverse", optimise: bool = True
) -> Any:
    """Decorate `f`, bare or with options: `wrt` as `argnums` of `grad`, `mode` "reverse" or "forward"."""

    def decorate(function: Callable[..., Any]) -> DifferentiableFunction:
        return DifferentiableFunction(function, wrt, mode, optimise)

    return decorate if f is None else decorate(f)
