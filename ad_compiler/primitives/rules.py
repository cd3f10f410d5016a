"""Applying the rules of a primitive: the part that all rules share.

    pushforward : (op, operands, results, tangents of the operands)   -> tangents of the results
    pullback    : (op, operands, results, cotangents of the results)  -> cotangents of the operands

A zero is None, on the way in and on the way out.  The driver multiplies partials, adds terms, undoes
broadcasting; a rule only says its formula.  What a rule answers has the shape of the operand it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ad_compiler.ir.core import Op, Value
from ad_compiler.ir.types import Tensor, Type, is_scalar, same_shape, unknown
from ad_compiler.primitives.broadcasting import broadcast, refine, unbroadcast
from ad_compiler.primitives.declare import REGISTRY, Primitive, Rule, ops
from ad_compiler.primitives.expression import Expr


class NoRule(KeyError):  # noqa: N818  (it says what is the matter)
    """`primitive` has no rule for `operand`, and a derivative needs it."""

    def __init__(self, primitive: Primitive, operand: str, reason: str = "") -> None:
        super().__init__(primitive.name, operand)
        self.primitive = primitive
        self.operand = operand
        self.reason = reason

    def __str__(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        return f"`{self.primitive.name}` has no derivative rule for `{self.operand}`{because}"


def pushforward(
    name: str,
    attributes: dict[str, Any],
    operands: Sequence[Expr],
    out: Expr | Sequence[Expr],
    tangents: Sequence[Expr | None],
) -> tuple[Expr | None, ...] | None:
    """The tangents of the results, one each; None when all are zero."""
    primitive, results = REGISTRY[name], _sequence(out)
    rules = [_rule(primitive, k) if tangent is not None else None for k, tangent in enumerate(tangents)]
    tangents = [
        tangent if rule is not None or (primitive.jvp and _is_ruled(primitive, k)) else None
        for k, (tangent, rule) in enumerate(zip(tangents, rules, strict=True))
    ]
    if all(tangent is None for tangent in tangents):
        return None
    if primitive.definition is not None:
        return _definition_forward(primitive, attributes, operands, results, tangents)
    environment = _environment(primitive, attributes, operands, results)
    if primitive.jvp is not None:
        answer = primitive.jvp(environment | _dots(primitive, tangents))
    elif primitive.kind == "elementwise":
        answer = _sum_of_partials(primitive, environment, operands, results, tangents)
    elif primitive.kind == "linear":
        filled = [_tangent_or_zero(primitive, k, *pair) for k, pair in enumerate(zip(operands, tangents, strict=True))]
        answer = operands[0].apply(name, tuple(filled), dict(attributes))
    elif primitive.kind == "multilinear":
        answer = _sum_of_terms(name, attributes, operands, tangents)
    else:
        raise NoRule(primitive, "", "it has no pushforward")
    answers = answer if isinstance(answer, tuple) else (answer,)
    assert len(answers) == len(results), f"the pushforward of `{name}` gave {len(answers)} tangents"
    inputs = _identities([*operands, *results, *[tangent for tangent in tangents if tangent is not None]])
    return tuple(_fit_tangent(one, result, inputs) for one, result in zip(answers, results, strict=True))


def pullback(
    name: str,
    attributes: dict[str, Any],
    operands: Sequence[Expr],
    out: Expr | Sequence[Expr],
    cts: Sequence[Expr | None],
    wanted: Collection[int],
) -> list[Expr | None]:
    """The cotangents of the operands at the positions `wanted`, None elsewhere and where they are zero."""
    primitive, results = REGISTRY[name], _sequence(out)
    answers: list[Expr | None] = [None] * len(operands)
    if all(ct is None for ct in cts):
        return answers
    if primitive.definition is not None:
        ruled = [k for k in wanted if _is_ruled(primitive, k)]
        return _definition_backward(primitive, attributes, operands, results, cts, ruled)
    environment = _environment(primitive, attributes, operands, results)
    environment["ct"] = cts[0] if len(results) == 1 else tuple(cts)
    inputs = _identities([*operands, *results, *[ct for ct in cts if ct is not None]])
    for k in sorted(wanted):
        rule = _rule(primitive, k)
        if rule is None:
            continue
        if primitive.variadic:
            environment["position"] = k - len(primitive.operands) + 1
        answer = rule(environment)
        if primitive.kind == "elementwise":
            product = _times(cts[0], answer, inputs)
            answers[k] = None if product is None else unbroadcast(product, operands[k], of=results[0].value.type)
        elif answer is not None:
            answers[k] = _note_shape(answer, operands[k], inputs)
    return answers


# ---------------------------------------------------------------------------- what rules read


def _sequence(out: Expr | Sequence[Expr]) -> tuple[Expr, ...]:
    return (out,) if isinstance(out, Expr) else tuple(out)


def _identities(exprs: Sequence[Expr]) -> set[int]:
    return {id(expr.value) for expr in exprs}


def _is_ruled(primitive: Primitive, position: int) -> bool:
    """Whether the operand can carry a derivative at all: its rule is not the explicit None."""
    return primitive.rules.get(primitive.operand_name(position).lstrip("*"), 0) is not None


def _rule(primitive: Primitive, position: int) -> Rule | None:
    operand = primitive.operand_name(position).lstrip("*")
    if operand in primitive.rules:
        return primitive.rules[operand]
    if primitive.jvp is not None and f"{operand}_dot" in primitive.jvp.reads:
        return None
    raise NoRule(primitive, operand)


def _environment(
    primitive: Primitive, attributes: dict[str, Any], operands: Sequence[Expr], results: tuple[Expr, ...]
) -> dict[str, Any]:
    environment = primitive.environment(operands, attributes)
    environment["out"] = results[0] if len(results) == 1 else results
    return environment


def _dots(primitive: Primitive, tangents: Sequence[Expr | None]) -> dict[str, Any]:
    """`x_dot` for each operand `x`; a tuple for a variadic one."""
    bound = primitive.environment(tangents, {})
    names = [name.lstrip("*") for name in primitive.operands]
    return {f"{name}_dot": bound[name] for name in names}


# ---------------------------------------------------------------------------- pushforward by kind


def _sum_of_partials(
    primitive: Primitive,
    environment: dict[str, Any],
    operands: Sequence[Expr],
    results: tuple[Expr, ...],
    tangents: Sequence[Expr | None],
) -> Expr | None:
    total: Expr | None = None
    for k, tangent in enumerate(tangents):
        if tangent is None:
            continue
        rule = _rule(primitive, k)
        inputs = _identities([*operands, *results, tangent])
        term = None if rule is None else _times(tangent, rule(environment), inputs)
        total = _plus(total, term, inputs)
    return total


def _sum_of_terms(
    name: str, attributes: dict[str, Any], operands: Sequence[Expr], tangents: Sequence[Expr | None]
) -> Expr | None:
    total: Expr | None = None
    for k, tangent in enumerate(tangents):
        if tangent is not None:
            replaced = (*operands[:k], tangent, *operands[k + 1 :])
            term = operands[0].apply(name, replaced, dict(attributes))
            total = term if total is None else total + term
    return total


def _tangent_or_zero(primitive: Primitive, position: int, operand: Expr, tangent: Expr | None) -> Any:
    if not _is_ruled(primitive, position):
        return operand  # an index or a condition: the same for the tangents
    return zeros_like(operand) if tangent is None else tangent


def zeros_like(operand: Expr) -> Any:
    """Zeros of the operand's type; a plain 0.0 for a number."""
    return 0.0 if is_scalar(operand.value.type) else ops.zeros_like(operand)


def _fit_tangent(answer: Any, result: Expr, inputs: set[int]) -> Expr | None:
    if answer is None:
        return None
    tangent = answer if isinstance(answer, Expr) else Expr(result.lift(answer), result.builder)
    return _note_shape(broadcast(tangent, result), result, inputs)


def _note_shape(answer: Any, like: Expr, inputs: set[int]) -> Expr:
    """What a rule computed for `like` has the shape of `like`; remember it, unless it is somebody else's value."""
    answer = answer if isinstance(answer, Expr) else Expr(like.lift(answer), like.builder)
    if id(answer.value) in inputs or same_shape(answer.value.type, like.value.type):
        return answer
    return refine(answer, like.value.type) if isinstance(like.value.type, Tensor) else answer


# ---------------------------------------------------------------------------- by definition


def type_of_definition(primitive: Primitive, types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    """The type of what the definition computes from operands of these types."""
    from ad_compiler.primitives import builder

    scratch = builder()
    operands = [Expr(Value(type), scratch) for type in types]
    try:
        return _expand(primitive, attributes, operands).value.type
    except NoRule:
        return unknown()


def _expand(primitive: Primitive, attributes: dict[str, Any], operands: Sequence[Expr]) -> Expr:
    assert primitive.definition is not None
    result = primitive.definition(primitive.environment(operands, attributes))
    assert isinstance(result, Expr)
    return result


def _stand_ins(operands: Sequence[Expr], positions: Collection[int]) -> list[Expr]:
    """The operands, those at `positions` under values of their own: `f(x, x)` has two derivatives, not one."""
    return [
        Expr(Value(operand.value.type, operand.value.hint), operand.builder) if k in positions else operand
        for k, operand in enumerate(operands)
    ]


def _install(ops: Sequence[Op], stand_ins: Sequence[Expr], operands: Sequence[Expr]) -> None:
    """Let the ops read the operands in place of what stood for them."""
    real = {id(one.value): operand.value for one, operand in zip(stand_ins, operands, strict=True)}
    for op in ops:
        op.operands = [real.get(id(value), value) for value in op.operands]


def _definition_forward(
    primitive: Primitive,
    attributes: dict[str, Any],
    operands: Sequence[Expr],
    results: tuple[Expr, ...],
    tangents: Sequence[Expr | None],
) -> tuple[Expr | None, ...]:
    block = operands[0].builder.block
    start = len(block.ops)
    moving = [k for k, tangent in enumerate(tangents) if tangent is not None]
    inner = _stand_ins(operands, moving)
    result = _expand(primitive, attributes, inner)
    dots = {id(inner[k].value): tangents[k] for k in moving}
    for op in list(block.ops[start:]):
        given = [dots.get(id(value)) for value in op.operands]
        if any(one is not None for one in given):
            answer = pushforward(op.name, op.attributes, _exprs(op.operands, result), _exprs(op.results, result), given)
            dots.update((id(value), one) for value, one in zip(op.results, answer or (), strict=False))
    _install(block.ops[start:], inner, operands)
    return (_fit_tangent(dots.get(id(result.value)), results[0], set()),)


def _definition_backward(
    primitive: Primitive,
    attributes: dict[str, Any],
    operands: Sequence[Expr],
    results: tuple[Expr, ...],
    cts: Sequence[Expr | None],
    wanted: Collection[int],
) -> list[Expr | None]:
    block = operands[0].builder.block
    start = len(block.ops)
    inner = _stand_ins(operands, wanted)
    result = _expand(primitive, attributes, inner)
    ops = list(block.ops[start:])
    varied = {id(inner[k].value) for k in wanted}
    for op in ops:
        if any(id(value) in varied for value in op.operands) and REGISTRY[op.name].kind != "constant":
            varied.update(id(value) for value in op.results)
    bars: dict[int, Expr | None] = {id(result.value): cts[0]}
    for op in reversed(ops):
        given = [bars.get(id(value)) for value in op.results]
        active = [k for k, value in enumerate(op.operands) if id(value) in varied and _is_ruled(REGISTRY[op.name], k)]
        if active and any(id(value) in varied for value in op.results):
            found = pullback(
                op.name, op.attributes, _exprs(op.operands, result), _exprs(op.results, result), given, active
            )
            for value, one in zip(op.operands, found, strict=True):
                bars[id(value)] = _plus(bars.get(id(value)), one, set())
    _install(block.ops[start:], inner, operands)
    return [bars.get(id(one.value)) if k in wanted else None for k, one in enumerate(inner)]


def _exprs(values: Sequence[Value], like: Expr) -> list[Expr]:
    return [Expr(value, like.builder) for value in values]


# ---------------------------------------------------------------------------- products that read well


def _times(t: Expr | None, partial: Any, foreign: set[int]) -> Expr | None:
    """t * partial, by the form of the partial; None is zero.

    t * 1 -> t · t * -p -> -(t * p) · t * (p / q) -> t * p / q · t * where(c, p, q) -> where(c, t * p, t * q)
    """
    if t is None or partial is None:
        return None
    number = partial if not isinstance(partial, Expr) else (partial.constant() or (None,))[0]
    if isinstance(number, int | float):
        return _times_number(t, number)
    if isinstance(partial, Expr) and id(partial.value) not in foreign and partial.value.op is not None:
        parts = [Expr(value, partial.builder) for value in partial.value.op.operands]
        match partial.value.op.name:
            case "negative":
                product = _times(t, parts[0], foreign)
                return None if product is None else -product
            case "divide":
                product = _times(t, parts[0], foreign)
                return None if product is None else product / parts[1]
            case "multiply" if is_scalar(parts[0].value.type):
                product = _times(t, parts[0], foreign)
                return None if product is None else _times(product, parts[1], foreign)
            case "where":
                sides = [_times(t, part, foreign) for part in parts[1:]]
                return ops.where(parts[0], *[0.0 if side is None else side for side in sides])
    return t * partial


def _times_number(t: Expr, number: float) -> Expr | None:
    if number == 0:
        return None
    if number == 1:
        return t
    if number == -1:
        return -t
    return number * t


def _plus(total: Expr | None, term: Expr | None, foreign: set[int]) -> Expr | None:
    """total + term; total + -t -> total - t."""
    if total is None or term is None:
        return term if total is None else total
    op = term.value.op
    if op is not None and op.name == "negative" and id(term.value) not in foreign:
        return total - Expr(op.operands[0], term.builder)
    return total + term
