"""The users' door to the rules: a function whose derivative is given rather than derived.

    custom_vjp      fwd(*args) -> (out, residuals); bwd(residuals, out_bar) -> tuple of cotangents
    custom_jvp      rule(primals, tangents) -> (out, out_dot)
    primitive       a formula, from which SymPy derives the rule
    register        the same for a function that has no source

The rules are plain Python functions in the same language as everything else: they are compiled into the
derivative, and can be differentiated again.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import math
import tokenize
from collections.abc import Callable
from typing import Any

import numpy as np

from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic


class CustomFunction:
    """A function with a rule of its own.  Calling it calls the function."""

    __name__: str  # the function's

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.jvp_rule: Callable[..., Any] | None = None
        self.vjp_rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __reduce__(self) -> Any:
        return self.function.__qualname__

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """`fwd(*args) -> (out, residuals)` and `bwd(residuals, out_bar) -> (cotangent of each argument)`."""
        self.vjp_rules = _callable(fwd, "fwd"), _callable(bwd, "bwd")

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """`rule(primals, tangents) -> (out, out_dot)`, two tuples in; usable as a decorator."""
        self.jvp_rule = _callable(rule, "rule")
        return rule


def _callable(rule: Any, name: str) -> Any:
    if not callable(rule):
        raise ArgumentError(
            Diagnostic("ADC205", f"`{name}` must be a function, and {type(rule).__name__} was given"), argument=name
        )
    return rule


def custom_vjp(f: Callable[..., Any]) -> CustomFunction:
    """`f`, whose reverse rule is given by `f.defvjp(fwd, bwd)`."""
    return CustomFunction(_callable(f, "f"))


def custom_jvp(f: Callable[..., Any]) -> CustomFunction:
    """`f`, whose forward rule is given by `f.defjvp(rule)`; reverse mode transposes it."""
    return CustomFunction(_callable(f, "f"))


def primitive(*, formula: str) -> Callable[[Callable[..., Any]], CustomFunction]:
    """Decorate an elementwise function whose value is `formula`, a SymPy expression in its parameters' names.

    SymPy derives the partial derivatives; the function's own body stays the way its value is computed.
    Raises `ArgumentValueError` for a formula that cannot be read or that names no parameter.
    """

    def decorate(function: Callable[..., Any]) -> CustomFunction:
        made = CustomFunction(_callable(function, "f"))
        made.jvp_rule = rule_from_formula(function.__name__, list(inspect.signature(function).parameters), formula)
        return made

    return decorate


def backward(x: Any, rule: Callable[[Any], Any]) -> Any:
    """`x` itself; in the reverse sweep its cotangent becomes `rule(x_bar)`.

    `rule` may clip the cotangent, print it, stop in a debugger; it is written into the emitted reverse sweep
    where the cotangent is complete.  Forward mode passes it by.
    """
    return x


_REGISTERED: dict[Any, CustomFunction] = {}


def register(
    function: Callable[..., Any],
    *,
    formula: str | None = None,
    parameters: str = "x",
    jvp: Callable[..., Any] | None = None,
    vjp: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
) -> None:
    """Give a function that has no source (an extension, a ufunc) a rule: exactly one of the three.

    `formula` is a SymPy expression in the names of `parameters` (separated by commas).  `jvp` and `vjp` are as
    for `custom_jvp` and `custom_vjp`.  Registering twice is an error.
    """
    if sum(rule is not None for rule in (formula, jvp, vjp)) != 1:
        raise ArgumentError(Diagnostic("ADC210", "give exactly one of `formula`, `jvp` and `vjp`"))
    if function in _REGISTERED:
        raise ArgumentValueError(
            Diagnostic("ADC210", f"`{getattr(function, '__name__', function)}` is registered already"),
            argument="function",
        )
    made = CustomFunction(_callable(function, "function"))
    if formula is not None:
        names = [name.strip() for name in parameters.split(",")]
        made.jvp_rule = rule_from_formula(getattr(function, "__name__", "function"), names, formula)
    elif jvp is not None:
        made.defjvp(jvp)
    elif vjp is not None:
        made.defvjp(*vjp)
    _REGISTERED[function] = made


def registered(function: Any) -> CustomFunction | None:
    """The rule that was registered for `function`, if any."""
    try:
        return _REGISTERED.get(function)
    except TypeError:  # no hash
        return None


def rule_from_formula(name: str, parameters: list[str], formula: str) -> Callable[..., Any]:
    """The pushforward of an elementwise function, as source text that SymPy's derivative is printed into."""
    import sympy
    from sympy.printing.numpy import NumPyPrinter

    symbols = {parameter: sympy.Symbol(parameter, real=True) for parameter in parameters}
    try:
        expression = sympy.parse_expr(formula, local_dict=dict(symbols))
    except (SyntaxError, TypeError, ValueError, AttributeError, tokenize.TokenError) as error:
        raise ArgumentValueError(
            Diagnostic("ADC210", f"the formula {formula!r} cannot be read: {error}"), argument="formula"
        ) from None
    extra = sorted(str(symbol) for symbol in expression.free_symbols if str(symbol) not in symbols)
    if extra:
        raise ArgumentValueError(
            Diagnostic("ADC210", f"the formula {formula!r} names {', '.join(extra)}, no parameter of `{name}`"),
            argument="formula",
        )
    printer = NumPyPrinter({"fully_qualified_modules": True})
    value = printer.doprint(expression)
    terms = [
        f"({printer.doprint(sympy.simplify(sympy.diff(expression, symbol)))}) * {parameter}_dot"
        for parameter, symbol in symbols.items()
    ]
    tuple_of = ", ".join(parameters) + ","
    dots = ", ".join(f"{parameter}_dot" for parameter in parameters) + ","
    text = (
        f"def {name}_rule(primals, tangents):\n"
        f"    ({tuple_of}) = primals\n"
        f"    ({dots}) = tangents\n"
        f"    return {value}, {' + '.join(terms)}\n"
    ).replace("numpy.", "np.")
    return _function_of(text, f"{name}_rule", f"<ad_compiler formula {name} {formula}>", {"math": math})


def as_function(custom: CustomFunction) -> Callable[..., Any]:
    """A plain function that calls `custom`: what is differentiated when `custom` itself is."""
    names = ", ".join(inspect.signature(custom).parameters)
    name = custom.__name__
    text = f"def {name}({names}):\n    return custom({names})\n"
    return _function_of(text, name, f"<ad_compiler custom {name} {id(custom)}>", {"custom": custom})


def _function_of(text: str, name: str, filename: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function that a text of ours defines; `inspect` finds its source."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope: dict[str, Any] = {"np": np, **namespace}
    exec(compile(text, filename, "exec"), scope)
    function: Callable[..., Any] = scope[name]
    return function
