"""Declaring primitives: what an operation is and how it differentiates, each fact once.

    sin      = elementwise(np.sin, "x", x=lambda x: cos(x), also=(math.sin,))
    multiply = elementwise(np.multiply, "a, b", a=lambda b: b, b=lambda a: a, emit="a * b")
    sum      = linear(np.sum, "x, axis=None, keepdims=False", operands="x", x=lambda ct, x, axis, keepdims: …)

The signature string is the Python signature users call it by.  The names in `operands` (all of them unless
said otherwise) are SSA operands; the rest are attributes, known when compiling.  A last operand `*xs` takes
any number.

A rule is a lambda whose parameter names say what it reads: operands, attributes, `out` (the result, or the
tuple of results), and, except in partials, `ct` (the cotangent of the result).  In the rule of a variadic
operand `*xs`, `xs` is the tuple of all of them and `position` the index of the one asked for.

    elementwise   rules are partials d out/d operand; the driver multiplies and un-broadcasts
    linear        jointly linear in the operands that have rules; rules are transposes; the tangent is the
                  primitive itself on the tangents
    multilinear   linear in each operand that has a rule, the others fixed; rules are transposes
    general       rules are pullbacks, and `jvp` is the pushforward: it reads `x_dot` beside `x`, and only
                  the tangents that it names; a tangent that is zero arrives as None
    constant      no derivative: zero everywhere it has one
    composite     a formula of other primitives, `definition`, and that is all: type and derivatives follow from it

`emit` is how it is written: a Python expression in which the names of operands and attributes stand for these, and
a name like `_unbroadcast` for a helper of `runtime.py`; or a function `(types, attributes) -> ` such a text; or None
for `np.NAME(…)` (`_NAME(…)` for a helper) with the arguments of the signature.  What writes in place is a statement,
and the backend's own.

`jvp` may be given for any kind, where the pushforward is nicer said directly.  A rule that answers None says
that the derivative is zero.  `rules.py` is the driver that applies all this.

An operand without a rule cannot carry a derivative: `None` says that its derivative is zero (an index, a
condition); leaving it out says that there is no rule yet, and differentiating it is a diagnostic.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ad_compiler.ir.types import Type
from ad_compiler.primitives.expression import Operand

InferRule = Callable[[Sequence[Type], dict[str, Any]], tuple[Type, ...] | Type]
Flag = bool | Callable[[Sequence[Type], dict[str, Any]], bool]
Emit = str | Callable[[Sequence[Type], dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A formula and the names that it reads."""

    formula: Callable[..., Any]
    reads: tuple[str, ...]

    def __call__(self, environment: Mapping[str, Any]) -> Any:
        return self.formula(*[environment[name] for name in self.reads])


@dataclass(slots=True, eq=False)
class Primitive:
    name: str
    implementation: Callable[..., Any]  # on NumPy values: implementation(*operands, **attributes)
    kind: str  # "elementwise", "linear", "multilinear", "general", "constant", "composite"
    declared: str  # the text of its signature
    operands: tuple[str, ...]  # the last one may be "*name"
    rules: dict[str, Rule | None]
    infer: InferRule
    jvp: Rule | None = None
    definition: Rule | None = None
    spellings: tuple[Any, ...] = ()  # the callables that users write it by
    methods: tuple[str, ...] = ()  # `x.NAME(…)` and `x.NAME`
    emit: Emit | None = None  # see above
    helper: bool = False  # the implementation's own source is written into the emitted file
    shape_only: tuple[str, ...] = ()  # operands of which only shape and dtype are read
    views: Flag = False  # the result may share memory with the first operand
    readonly: Flag = False  # the emitted expression may be an array that cannot be written (np.broadcast_to)
    effect: bool = False  # must stay, and stay in order: a print, a random draw
    formula: Callable[..., Any] | None = None  # its meaning for SymPy, where the name does not say it
    results: int = 1
    samples: dict[str, Any] = field(default_factory=dict)  # for tests: domain, operand shapes, attribute values

    @property
    def signature(self) -> inspect.Signature:
        return _parse_signature(self.declared)

    @property
    def variadic(self) -> str | None:
        last = self.operands[-1] if self.operands else ""
        return last[1:] if last.startswith("*") else None

    def operand_name(self, position: int) -> str:
        """The declared name of the operand at `position`; for a variadic one, its name with the star."""
        if self.variadic and position >= len(self.operands) - 1:
            return self.operands[-1]
        return self.operands[position]

    def environment(self, operands: Sequence[Any], attributes: dict[str, Any]) -> dict[str, Any]:
        """What a rule can read, by name, but for `ct`, `out` and `position`."""
        plain = [name for name in self.operands if not name.startswith("*")]
        bound = dict(zip(plain, operands, strict=False))
        if self.variadic:
            bound[self.variadic] = tuple(operands[len(plain) :])
        return self.absent() | self.defaults() | attributes | bound

    def absent(self) -> dict[str, Any]:
        """What stands for the operands that need not be given."""
        return _absent(self.declared, self.operands)

    def defaults(self) -> dict[str, Any]:
        """The attributes that have a default, with it."""
        return _defaults(self.declared, self.operands)

    def is_view(self, types: Sequence[Type], attributes: dict[str, Any]) -> bool:
        """Whether the result may share memory with the first operand."""
        return self.views(types, self.defaults() | attributes) if callable(self.views) else self.views

    def is_readonly(self, types: Sequence[Type], attributes: dict[str, Any]) -> bool:
        """Whether the result, as it is written in NumPy, may be an array that cannot be written."""
        return self.readonly(types, self.defaults() | attributes) if callable(self.readonly) else self.readonly

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        stand_in = next((operand for operand in operands if isinstance(operand, Operand)), None)
        if stand_in is not None:
            return stand_in.apply(self.name, operands, attributes)
        return self.implementation(*operands, **attributes)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


REGISTRY: dict[str, Primitive] = {}  # by name; filled by the families that `primitives/__init__` lists


class _Ops:
    """Primitives by name, for rules that use one of another family or one named like a builtin: `ops.sum`."""

    def __getattr__(self, name: str) -> Primitive:
        if name.startswith("__"):  # whatever looks at modules asks for these
            raise AttributeError(name)
        return REGISTRY[name]


ops = _Ops()


def _declare(
    kind: str,
    implementation: Callable[..., Any],
    signature: str,
    rules: Mapping[str, Callable[..., Any] | None],
    *,
    infer: InferRule,
    name: str | None = None,
    operands: str | None = None,
    jvp: Callable[..., Any] | None = None,
    also: Sequence[Any] = (),
    **rest: Any,
) -> Primitive:
    name = name or implementation.__name__.lstrip("_")
    if name in REGISTRY:
        raise ValueError(f"primitive `{name}` is declared twice")
    names = _names(signature if operands is None else operands)
    unknown = set(rules) - {operand.lstrip("*") for operand in names}
    if unknown:
        raise ValueError(f"primitive `{name}` has rules for {sorted(unknown)}, which are no operands of it")
    primitive = Primitive(
        name=name,
        implementation=implementation,
        kind=kind,
        declared=signature,
        operands=names,
        rules={operand: None if rule is None else _rule(rule) for operand, rule in rules.items()},
        infer=infer,
        jvp=None if jvp is None else _rule(jvp),
        spellings=(implementation, *also),
        **rest,
    )
    REGISTRY[name] = primitive
    return primitive


def _names(text: str) -> tuple[str, ...]:
    """The parameters of a signature text, a variadic one with its star."""
    parts = [part.split("=")[0].strip() for part in text.split(",")]
    return tuple(part for part in parts if part not in ("", "*", "/"))


def _rule(formula: Callable[..., Any]) -> Rule:
    if isinstance(formula, Rule):
        return formula
    if inspect.isfunction(formula):  # quicker than a signature, and there are hundreds
        return Rule(formula, formula.__code__.co_varnames[: formula.__code__.co_argcount])
    return Rule(formula, tuple(inspect.signature(formula).parameters))


@cache
def _defaults(signature: str, operands: tuple[str, ...]) -> dict[str, Any]:
    names = {name.lstrip("*") for name in operands}
    parameters = _parse_signature(signature).parameters.values()
    return {one.name: one.default for one in parameters if one.name not in names and one.default is not one.empty}


@cache
def _absent(signature: str, operands: tuple[str, ...]) -> dict[str, Any]:
    parameters = _parse_signature(signature).parameters.values()
    return {one.name: one.default for one in parameters if one.name in operands and one.default is not one.empty}


@cache
def _parse_signature(signature: str) -> inspect.Signature:
    namespace: dict[str, Any] = {}
    exec(f"def f({signature}): pass", namespace)  # the text is ours, never a user's
    return inspect.signature(namespace["f"])


def elementwise(
    implementation: Callable[..., Any], signature: str, *, infer: InferRule, **options: Any
) -> Primitive:
    """A function of each element.  Keywords that name operands are partials; the others are options."""
    rules, rest = _split(signature, options)
    return _declare("elementwise", implementation, signature, rules, infer=infer, **rest)


def linear(implementation: Callable[..., Any], signature: str, *, infer: InferRule, **options: Any) -> Primitive:
    """Jointly linear in the operands that have a transpose."""
    rules, rest = _split(signature, options)
    return _declare("linear", implementation, signature, rules, infer=infer, **rest)


def multilinear(
    implementation: Callable[..., Any], signature: str, *, infer: InferRule, **options: Any
) -> Primitive:
    """Linear in each of the operands that have a transpose, one at a time."""
    rules, rest = _split(signature, options)
    return _declare("multilinear", implementation, signature, rules, infer=infer, **rest)


def general(implementation: Callable[..., Any], signature: str, *, infer: InferRule, **options: Any) -> Primitive:
    """Anything else: pullbacks by operand, and one pushforward, `jvp`."""
    rules, rest = _split(signature, options)
    return _declare("general", implementation, signature, rules, infer=infer, **rest)


def constant(implementation: Callable[..., Any], signature: str, *, infer: InferRule, **options: Any) -> Primitive:
    """No derivative: piecewise constant, or data."""
    names = _names(options.get("operands", signature))
    rules = {name.lstrip("*"): None for name in names}
    return _declare("constant", implementation, signature, rules, infer=infer, **options)


def composite(
    implementation: Callable[..., Any], signature: str, definition: Callable[..., Any], **options: Any
) -> Primitive:
    """What `definition` says in other primitives.  The primal is still written as the user wrote it."""
    rule = _rule(definition)

    def infer(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
        from ad_compiler.primitives.rules import type_of_definition

        return type_of_definition(made, types, attributes)

    names = _names(options.get("operands", signature))
    data = options.pop("data", ())
    rules = {name.lstrip("*"): None if name in data else definition for name in names}
    made = _declare("composite", implementation, signature, rules, infer=infer, **options)
    made.definition = rule
    return made


def _split(signature: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options that name a parameter of the signature are rules."""
    operands = {name.lstrip("*") for name in _names(options.get("operands", signature))}
    rules = {name: option for name, option in options.items() if name in operands}
    return rules, {name: option for name, option in options.items() if name not in rules}
