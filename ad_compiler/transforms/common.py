"""What both transforms need: repeating an op under new operands, naming companions, zeros."""

from __future__ import annotations

from collections.abc import Sequence

from ad_compiler.diagnostics.diagnostic import DerivativeError, Diagnostic
from ad_compiler.ir.builder import Builder
from ad_compiler.ir.core import Block, Module, Op, Value, walk
from ad_compiler.ir.types import Undefined, is_scalar
from ad_compiler.primitives import lookup
from ad_compiler.primitives.expression import Expr


def repeat(builder: Builder, op: Op, operands: Sequence[Value], regions: Sequence[Block] = ()) -> list[Value]:
    """Append the same op on other operands: same attributes, types, hints, span and phase."""
    with builder.at(op.span, builder.phase or op.phase):
        results = builder.emit(
            op.name, operands, types=[result.type for result in op.results], regions=regions, **op.attributes
        )
    for new, old in zip(results, op.results, strict=True):
        new.hint = old.hint
    return list(results)


def companion(value: Value, suffix: str) -> str:
    """The name hint of the tangent (`_dot`) or the cotangent (`_bar`) of `value`."""
    return f"{value.hint}{suffix}" if value.hint else ""


def wrap(builder: Builder, values: Sequence[Value]) -> list[Expr]:
    return [Expr(value, builder) for value in values]


def zeros(builder: Builder, value: Value) -> Value:
    """A zero of the shape and structure of `value`."""
    if is_scalar(value.type) or isinstance(value.type, Undefined):
        return builder.one("constant", value=0.0)
    if value.op is not None and value.op.name == "undefined":
        return builder.one("constant", value=0.0)
    if value.op is not None and value.op.name == "list" and not value.op.operands:
        return builder.emit("list", types=[value.type])[0]
    return builder.one("zeros_like", value)


def add(builder: Builder, a: Value, b: Value, hint: str) -> Value:
    """The sum of two tangents or cotangents of one value: it keeps the hint of that value."""
    return builder.one("add", a, b, hint=hint)


def no_rule(op: Op, operand: str = "", reason: str = "") -> DerivativeError:
    """The error for an op that the derivative must pass and that has no rule."""
    what = "this call"
    if op.name != "opaque":
        primitive = lookup(op.name)
        spelling = next((s.__name__ for s in primitive.spellings if hasattr(s, "__name__")), op.name)
        what = f"`{spelling}`"
        if operand and len(primitive.operands) > 1:
            what += f", in its operand `{operand}`,"
    notes = ("its argument depends on an input that is differentiated, and its result reaches the function's",)
    return DerivativeError(
        Diagnostic(
            code="ADC201",
            message=f"{what} has no derivative rule",
            span=op.span,
            notes=(reason, *notes) if reason else notes,
            help="wrap the argument in `stop_gradient` if it is to count as data",
        )
    )


def only_reverse(op: Op) -> DerivativeError:
    """The error for forward mode through a function of which the user gave the reverse rule alone."""
    return DerivativeError(
        Diagnostic(
            code="ADC201",
            message=f"`{op.attributes['callee']}` has a reverse rule (`defvjp`) and no forward rule",
            span=op.span,
            help="give it a rule by `custom_jvp`, which serves both modes",
        )
    )


def keep_function(source: Module, target: Module, name: str) -> None:
    """Take the function `name`, which is still called as it is, over to `target`, with those that it calls."""
    if name in target.functions:
        return
    function = source.functions[name]
    target.functions[name] = function
    for op in walk(function.body):
        for called in functions_named_by(op):
            keep_function(source, target, called)


def functions_named_by(op: Op) -> list[str]:
    """The functions that a call calls, or would call when it is differentiated."""
    if op.name != "call":
        return []
    custom = [op.attributes[key] for key in ("custom_jvp",) if key in op.attributes]
    return [op.attributes["callee"], *custom, *op.attributes.get("custom_vjp", ())]
