"""The public functions.  Argument conventions are JAX's.

A derivative is compiled at the first call with arguments of new types, and kept: one compiled function for
each signature.  Arguments are checked before anything is computed; the caller's arrays stay as they are.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ad_compiler.compiled import Argnums, Differentiated, differentiated
from ad_compiler.diagnostics.diagnostic import ArgumentError, ArgumentValueError, Diagnostic
from ad_compiler.frontend.read import from_function
from ad_compiler.ir.trees import Tree, rebuild
from ad_compiler.pipeline import MODES, STAGES, emit_text
from ad_compiler.specialise import Binder, flatten, signature_of


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, optimise: bool = True
) -> Differentiated:
    """The gradient of `f`, a function that returns one real number.

    `argnums` says with respect to what: a position, a parameter's name, or a tuple of these.  The function
    returned takes the arguments of `f`; it returns the gradient in the structure of that argument (an array of
    its shape, a list of such, …), or a tuple of gradients where `argnums` is a tuple.  With `has_aux`, `f`
    returns `(loss, aux)`, and the result is `(gradient, aux)`.

    Raises `LanguageError` for a program that cannot be read, `DerivativeError` where a rule is missing,
    `ArgumentError` (a TypeError) for an integer argument, `ArgumentValueError` (a ValueError) for a result
    that is not one number or an `argnums` that is out of range: all at the call, with the user's own line.
    """
    return differentiated(f, "grad", argnums, has_aux, optimise)


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, optimise: bool = True
) -> Differentiated:
    """As `grad`, and the value too: `(value, gradient)`, with `has_aux` `((value, aux), gradient)`."""
    return differentiated(f, "value_and_grad", argnums, has_aux, optimise)


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *, optimise: bool = True
) -> tuple[Any, Any]:
    """The value of `f` at `primals` and its directional derivative along `tangents`: `(out, out_dot)`.

    `tangents` has an entry of the same structure and shapes for each primal; None for one that stays fixed
    (an integer, an object).
    """
    primals, tangents = tuple(primals), tuple(tangents)
    if len(primals) != len(tangents):
        raise ArgumentError(
            Diagnostic("ADC209", f"jvp was given {len(primals)} primals and {len(tangents)} tangents"),
            argument="tangents",
        )
    if all(tangent is None for tangent in tangents):
        raise ArgumentValueError(Diagnostic("ADC209", "jvp was given no tangent"), argument="tangents")
    for k, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        if tangent is not None:
            check_like(tangent, primal, f"tangents[{k}]", f"primals[{k}]")
    star = differentiated(f, "jvp", None, False, optimise).star
    along = list(tangents)
    if star is not None:  # the tangent of `*args` is a tuple
        rest = zip(primals[star:], tangents[star:], strict=True)
        along[star:] = [tuple(_zeros(primal) if tangent is None else tangent for primal, tangent in rest)]
    moving = tuple(k for k, tangent in enumerate(along) if tangent is not None and not _is_empty_tuple(tangent))
    forward = differentiated(f, "jvp", moving, False, optimise)
    return forward.with_extra(forward.bind(primals, {}), [along[k] for k in moving])


def vjp(
    f: Callable[..., Any], *primals: Any, optimise: bool = True
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f` at `primals` and its pullback: `(out, pullback)`.

    `pullback(out_bar)` takes a cotangent of the structure and shapes of `out`; it returns a tuple with the
    cotangent of each primal, None for one that has no derivative (an integer, an object).  It may be called
    any number of times.
    """
    reverse = differentiated(f, "vjp", None, False, optimise)
    bound = reverse.bind(primals, {})
    names = reverse.wrt_names(bound)
    out, pullback = reverse.lookup(bound).call(bound)

    @functools.wraps(pullback)
    def checked(out_bar: Any) -> tuple[Any, ...]:
        check_like(out_bar, out, "the cotangent", "the result")
        bars = iter(pullback(out_bar))
        by_name = {name: next(bars) for name in names}
        found: list[Any] = []
        for k, name in enumerate(reverse.parameters):
            if k == reverse.star:
                found.extend(by_name.get(name, (None,) * len(bound[k])))
            else:
                found.append(by_name.get(name))
        return tuple(found[: len(primals)])

    return out, checked


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, mode: str | None = None, *, optimise: bool = True
) -> Callable[..., Any]:
    """The Jacobian of `f`: for a result of shape `s` and an argument of shape `t`, an array of shape `s + t`.

    `mode` is "forward" (one sweep for each element of the arguments), "reverse" (one for each element of the
    result), or None for the one that needs fewer sweeps.  A structured result or argument gives the structure
    of the result, with the structure of the argument at each leaf.
    """
    if mode not in (None, "forward", "reverse"):
        raise ArgumentValueError(
            Diagnostic("ADC210", f"mode is {mode!r}; it can be 'forward', 'reverse' or None"), argument="mode"
        )
    single = isinstance(argnums, int | str)
    chosen = (argnums,) if isinstance(argnums, int | str) else tuple(argnums)
    forward = differentiated(f, "jvp", chosen, False, optimise)
    reverse = differentiated(f, "vjp", chosen, False, optimise)

    @functools.wraps(f)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        bound = forward.bind(args, kwargs)
        inputs = [bound[k] for k in forward.positions]
        size_in = sum(np.size(leaf) for value in inputs for leaf in _leaves(value))
        if mode == "forward":
            result = _forward_jacobian(forward, bound, inputs, size_in)
        else:
            out, pullback = reverse.lookup(bound).call(bound)
            size_out = sum(np.size(leaf) for leaf in _leaves(out))
            if mode == "reverse" or size_out <= size_in:
                result = _reverse_jacobian(out, pullback, inputs)
            else:
                result = _forward_jacobian(forward, bound, inputs, size_in)
        return _first(result, single)

    return jacobian_of_f


def hessian(f: Callable[..., Any], argnums: Argnums = 0, *, optimise: bool = True) -> Callable[..., Any]:
    """The Hessian of `f`, forward over reverse: for an argument of shape `t`, an array of shape `t + t`.

    For a structured argument, or a tuple of `argnums`, the structure of the argument within itself.
    """
    gradient = grad(f, argnums, optimise=optimise)
    return functools.wraps(f)(jacobian(gradient, argnums, "forward", optimise=optimise))


def hvp(f: Callable[..., Any], argnums: Argnums = 0, *, optimise: bool = True) -> Callable[..., Any]:
    """The Hessian-vector product: `hvp(f)(*args, v)`, with `v` of the structure of the argument.

    Forward over reverse: it costs a small multiple of a gradient.  For a tuple of `argnums`, `v` is a tuple.
    """
    single = isinstance(argnums, int | str)
    forward = differentiated(grad(f, argnums, optimise=optimise), "hvp", argnums, False, optimise)

    def hvp_of_f(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise ArgumentError(Diagnostic("ADC208", "hvp(f) is called as hvp(f)(*args, v)"), argument="v")
        *primals, v = args
        vectors = [v] if single else list(v)
        bound = forward.bind(tuple(primals), kwargs)
        if len(vectors) != len(forward.wanted):
            raise ArgumentError(
                Diagnostic("ADC209", f"v has {len(vectors)} parts for {len(forward.wanted)} arguments"),
                argument="v",
            )
        for k, ((position, item), vector) in enumerate(zip(forward.wanted, vectors, strict=True)):
            like = bound[position] if item is None else bound[position][item]
            check_like(vector, like, "v" if single else f"v[{k}]", f"argument {position}")
        result = forward.with_extra(bound, forward.gathered(vectors, bound, _zeros))
        return forward.picked(result) if forward.picks else result

    functools.update_wrapper(hvp_of_f, f, updated=())
    return hvp_of_f


def emit(
    f: Callable[..., Any],
    mode: str = "reverse",
    wrt: str | int | Sequence[str | int] | None = None,
    args: Sequence[Any] | None = None,
    *,
    optimise: bool = True,
) -> str:
    """The derivative of `f` as the text of a module that stands alone.

    `mode` is "reverse" (the gradient `f_grad`, or `f_vjp` where the result is not one number), "forward"
    (`f_jvp`) or "both".  `wrt` names parameters, all differentiable ones by default.  Types come from `args`
    where given, else from annotations, defaults and use.
    """
    return _emit(f, mode, wrt, args, "source", optimise)


def stages(
    f: Callable[..., Any],
    mode: str = "reverse",
    wrt: str | int | Sequence[str | int] | None = None,
    args: Sequence[Any] | None = None,
    *,
    optimise: bool = True,
) -> dict[str, str]:
    """The same derivative at every stage: "ssa", "adjoint", "optimised" and "source"."""
    return {stage: _emit(f, mode, wrt, args, stage, optimise) for stage in STAGES}


def _emit(f: Any, mode: str, wrt: Any, args: Sequence[Any] | None, stage: str, optimise: bool) -> str:
    if mode not in MODES:
        raise ArgumentValueError(
            Diagnostic("ADC210", f"mode is {mode!r}; it can be {', '.join(map(repr, MODES))}"), argument="mode"
        )
    signature = inspect.signature(f)
    names = list(signature.parameters)
    chosen = None if wrt is None else [wrt] if isinstance(wrt, int | str) else list(wrt)
    wanted = None if chosen is None else [names[one] if isinstance(one, int) else one for one in chosen]
    arguments: dict[str, Tree] = {}
    if args is not None:
        binder = Binder(signature, getattr(f, "__name__", "function"))
        arguments = binder.arguments(binder.positional(tuple(args), {}))
    return emit_text(
        [from_function(f)], mode=mode, wrt=wanted, arguments=arguments, stage=stage, optimise=optimise
    )


# -- structures ----------------------------------------------------------------------------------------


def check_like(value: Any, like: Any, what: str, of: str) -> None:
    """Refuse a tangent or a cotangent that has not the structure and the shapes of what it belongs to."""
    try:
        wanted = [np.shape(leaf) for leaf in _leaves(like)]
        given = [np.shape(leaf) for leaf in _leaves(value)]
    except ValueError:
        given, wanted = [()], []
    if given != wanted or type(signature_of(value)) is not type(signature_of(like)):
        raise ArgumentValueError(
            Diagnostic("ADC209", f"{what} has the shapes {given}, and {of} has {wanted}"), argument=what
        )


def _is_empty_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and not value


def _zeros(value: Any) -> Any:
    tree = signature_of(value)
    return rebuild(tree, iter([np.zeros_like(leaf)[()] for leaf in flatten(value, tree)]))


def _leaves(value: Any) -> list[Any]:
    return flatten(value, signature_of(value))


def _first(structure: Any, single: bool) -> Any:
    """The Jacobian with respect to one argument, out of those with respect to a tuple of them."""
    tree, parts = structure
    chosen = [part[0] if single else tuple(part) for part in parts]
    return rebuild(tree, iter(chosen))


def _basis(inputs: Sequence[Any]) -> Any:
    """For each element of `inputs`: copies of them, all zero but for a one there."""
    trees = [signature_of(value) for value in inputs]
    shapes = [[np.asarray(leaf) for leaf in flatten(value, tree)] for value, tree in zip(inputs, trees, strict=True)]
    for i, group in enumerate(shapes):
        for j, leaf in enumerate(group):
            for index in np.ndindex(leaf.shape):
                fresh = [[np.zeros_like(one) for one in arrays] for arrays in shapes]
                fresh[i][j][index] = 1
                yield [_like(tree, arrays, value) for tree, arrays, value in zip(trees, fresh, inputs, strict=True)]


def _like(tree: Tree, arrays: Sequence[Any], value: Any) -> Any:
    """The arrays in the structure of `value`; a plain number where that has one."""
    originals = flatten(value, tree)
    flat = [
        new if isinstance(old, np.ndarray) else new[()] for new, old in zip(arrays, originals, strict=True)
    ]
    return rebuild(tree, iter(flat))


def _forward_jacobian(
    forward: Differentiated, bound: Sequence[Any], inputs: Sequence[Any], size: int
) -> tuple[Tree, list[list[Any]]]:
    columns = []
    out = None
    for tangents in _basis(inputs):
        out, out_dot = forward.with_extra(bound, tangents)
        columns.append([np.asarray(leaf) for leaf in _leaves(out_dot)])
    if not columns:
        out = forward.primal(bound)
    tree = signature_of(out)
    parts = []
    for k, leaf in enumerate(flatten(out, tree)):
        stacked = (
            np.stack([column[k] for column in columns], axis=-1) if columns else np.zeros((*np.shape(leaf), 0))
        )
        parts.append(_split(stacked, np.shape(leaf), inputs))
    return tree, parts


def _reverse_jacobian(
    out: Any, pullback: Callable[[Any], Any], inputs: Sequence[Any]
) -> tuple[Tree, list[list[Any]]]:
    tree = signature_of(out)
    rows = []
    for (seed,) in _basis([out]):
        bars = pullback(seed)
        rows.append(
            np.concatenate([np.ravel(leaf) for bar in bars for leaf in _leaves(bar)] or [np.zeros(0)])
        )
    parts, at = [], 0
    width = sum(np.size(leaf) for value in inputs for leaf in _leaves(value))
    for leaf in flatten(out, tree):
        chosen = rows[at : at + np.size(leaf)]
        at += np.size(leaf)
        stacked = np.reshape(np.stack(chosen) if chosen else np.zeros((0, width)), (*np.shape(leaf), width))
        parts.append(_split(stacked, np.shape(leaf), inputs))
    return tree, parts


def _split(stacked: Any, shape: tuple[int, ...], inputs: Sequence[Any]) -> list[Any]:
    """Cut the last axis, which counts all elements of `inputs`, into one block for each leaf."""
    parts, at = [], 0
    for value in inputs:
        tree = signature_of(value)
        blocks = []
        for leaf in flatten(value, tree):
            size = int(np.size(leaf))
            blocks.append(np.reshape(stacked[..., at : at + size], (*shape, *np.shape(leaf))))
            at += size
        parts.append(rebuild(tree, iter(blocks)))
    return parts


