"""Statements: `statement(low, node)` changes the state and appends ops.  (`if` is in `control`.)"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ad_compiler.frontend import calls, containers, control, effects, iteration, loops, subscripts, views
from ad_compiler.frontend.attributes import attribute_of, set_attribute
from ad_compiler.frontend.context import Lowering, Refused, Report, is_list, tensor_type
from ad_compiler.frontend.control import Live, run
from ad_compiler.frontend.expressions import condition, expression
from ad_compiler.frontend.liveness import live_names
from ad_compiler.frontend.names import assign_name, binds, delete_name, lookup, owner_of, walk_scope
from ad_compiler.frontend.operators import BINARY, binary
from ad_compiler.frontend.values import (
    NONE,
    POISON,
    Attribute,
    Group,
    Meaning,
    Reference,
    Scalar,
    Static,
    Variable,
    pair,
)
from ad_compiler.ir.core import Value
from ad_compiler.ir.types import INTEGERS, Tensor, is_scalar, rank, same_shape


def statement(low: Lowering, node: ast.stmt) -> None:
    rule = RULES.get(type(node))
    if rule is None:
        low.refuse("ADC101", f"{_kind(node)} is not supported", node)
    with low.at(node):
        rule(low, node)


def _kind(node: ast.stmt) -> str:
    words = {"ClassDef": "a class inside a function", "Delete": "this `del`", "AsyncFor": "`async for`"}
    return words.get(type(node).__name__, f"`{type(node).__name__.lower()}`")


# ---------------------------------------------------------------------------------------------- liveness


def live_after(low: Lowering, node: ast.stmt) -> Live:
    """The variables that matter after a compound statement of the function being lowered."""
    return _live(low, live_names(low.frame.definition.node).after.get(id(node)))


def _live(low: Lowering, names: frozenset[str] | None) -> Live:
    if names is None:
        return control.always
    frame, always = low.frame, live_names(low.frame.definition.node).always

    def live(variable: Variable) -> bool:
        if variable.owner is not frame or variable.name.startswith("<"):
            return True
        return variable.name in names or variable.name in always

    return live


# -------------------------------------------------------------------------------------------- assignment


def assign(low: Lowering, target: ast.expr, meaning: Meaning) -> None:
    """Bind or write `target`."""
    if isinstance(target, ast.Name):
        assign_name(low, target.id, meaning, target)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(low, target, meaning)
    elif isinstance(target, ast.Starred):
        assign(low, target.value, meaning)
    elif isinstance(target, ast.Subscript):
        owner, index = low.each([lambda: expression(low, target.value), lambda: expression(low, target.slice)])
        with low.at(target):
            subscripts.put(low, owner, index, meaning)
    elif isinstance(target, ast.Attribute):
        set_attribute(low, expression(low, target.value), target.attr, meaning, target)
    else:
        low.refuse("ADC101", "this cannot be assigned to", target)


def _unpack(low: Lowering, target: ast.Tuple | ast.List, meaning: Meaning) -> None:
    names = target.elts
    star = next((k for k, one in enumerate(names) if isinstance(one, ast.Starred)), None)
    items = iteration.known(low, meaning)
    if items is None:
        items = _taken_apart(low, meaning, target, star)
    after = 0 if star is None else len(names) - star - 1
    if len(items) < len(names) - (star is not None) or (star is None and len(items) > len(names)):
        low.refuse("ADC117", f"{len(names)} names are assigned from {len(items)} values", target)
    if star is not None:
        middle = containers.new_list(low, items[star : len(items) - after])
        items = [*items[:star], middle, *items[len(items) - after :]]
    for name, item in zip(names, items, strict=True):
        assign(low, name, item)


def _taken_apart(low: Lowering, meaning: Meaning, target: ast.expr, star: int | None) -> list[Meaning]:
    """The elements of an array or a list of unknown length, as many as there are names."""
    assert isinstance(target, ast.Tuple | ast.List)
    if star is not None:
        low.refuse("ADC118", "how many values the starred name takes must be known when compiling", target)
    if not isinstance(meaning, Reference):
        low.refuse("ADC101", "this cannot be taken apart", target)
    return [subscripts.get(low, meaning, Static(k)) for k in range(len(target.elts))]


def _assign(low: Lowering, node: ast.Assign) -> None:
    meaning = expression(low, node.value)
    for target in node.targets:
        assign(low, target, meaning)


def _annotated(low: Lowering, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(low, node.target, expression(low, node.value))


def _augmented(low: Lowering, node: ast.AugAssign) -> None:
    target = node.target
    if isinstance(target, ast.Name):
        before = lookup(low, target.id, target)
        value = expression(low, node.value)
        assign_name(low, target.id, augmented(low, node.op, before, value, target.id), target)
    elif isinstance(target, ast.Subscript):
        owner, index = low.each([lambda: expression(low, target.value), lambda: expression(low, target.slice)])
        before = subscripts.get(low, owner, index)
        value = expression(low, node.value)
        with low.at(node):
            if isinstance(owner, Reference) and tensor_type(low, owner) is not None:
                _check_cast(low, node.op, tensor_type(low, owner), before, value)
                after = binary(low, node.op, before, value)  # written with the index, which broadcasts
            else:
                after = augmented(low, node.op, before, value, "")
            if after is not before:  # else it was changed where it lies
                subscripts.put(low, owner, index, after)
    else:
        assert isinstance(target, ast.Attribute)
        holder = expression(low, target.value)
        before = attribute_of(low, holder, target.attr, target)
        value = expression(low, node.value)
        set_attribute(low, holder, target.attr, augmented(low, node.op, before, value, target.attr), target)


def augmented(low: Lowering, op: ast.operator, before: Meaning, value: Meaning, name: str) -> Meaning:
    """`before op= value`: what the name stands for afterwards.  Arrays and lists are changed in place."""
    before = control.without_none(before)
    if not isinstance(before, Reference):
        return binary(low, op, before, value)
    if is_list(low, before):
        return _augmented_list(low, op, before, value)
    type = tensor_type(low, before)
    if type is None:  # an object, a dict
        method = calls.method_of(low, before, f"__i{BINARY[type_of(op)][0]}__")
        return binary(low, op, before, value) if method is None else calls.call(low, method, [value], {})
    if rank(type) is None and not _sole_holder(low, before):
        low.refuse(
            "ADC104",
            f"whether `{name}` is a number or an array is not known, and another name stands for it too",
            notes=("a number is bound anew, an array is changed in place, and the other name sees that",),
            help=f"say what it is in the function's annotations (`{name}: float`, `{name}: float[n]`)",
        )
    _check_cast(low, op, type, before, value)
    result = binary(low, op, before, value)
    after = low.value(result)
    if rank(type) is not None and not (same_shape(type, after.type) and after.type.dtype == type.dtype):  # type: ignore[union-attr]
        after = low.builder.one("setitem", views.read(low, before), after, index=(Ellipsis,))
    views.write(low, before, after)
    return before


def type_of(op: ast.operator) -> type[ast.operator]:
    return type(op)


def _check_cast(low: Lowering, op: ast.operator, into: Tensor | None, before: Meaning, value: Meaning) -> None:
    """NumPy refuses to put floats into an array of integers in place; so does this."""
    other = tensor_type(low, value)
    if into is None or other is None or into.dtype not in (*INTEGERS, "bool") or is_scalar(into):
        return
    if isinstance(op, ast.Div) or other.dtype in ("f32", "f64", "c64", "c128"):
        if tensor_type(low, before) is not None and not is_scalar(tensor_type(low, before)):  # type: ignore[arg-type]
            low.refuse(
                "ADC119",
                "a float is put into an array of integers in place, which NumPy refuses",
                help="make the array one of floats: `.astype(float)`",
            )


def _sole_holder(low: Lowering, reference: Reference) -> bool:
    """Whether nothing but one name stands for the array."""
    from ad_compiler.frontend.describe import parts_of

    root, count = reference.root, 0
    stack: list[Any] = [m for v, m in low.state.variables.items() if not isinstance(v.owner, int)]
    for content in low.state.heap.values():
        stack.extend(getattr(content, "items", ()))
    while stack:
        meaning = stack.pop()
        if isinstance(meaning, Reference):
            count += meaning.root is root
        else:
            stack.extend(parts_of(meaning))
    shared = any(root in both for both in low.state.aliases) or any(held is root for _, held in low.state.holds)
    return count <= 1 and not shared and not reference.path


def _augmented_list(low: Lowering, op: ast.operator, before: Reference, value: Meaning) -> Meaning:
    if isinstance(op, ast.Add):
        from ad_compiler.frontend.listmethods import extend

        extend(low, before.root, value)
        return before
    if isinstance(op, ast.Mult):
        repeated = containers.repeat(low, before, value)
        assert isinstance(repeated, Reference)
        containers.changed(low, before.root, views.content_of(low, repeated.root))
        return before
    return binary(low, op, before, value)


# ------------------------------------------------------------------------------------------------- loops


def _for(low: Lowering, node: ast.For) -> None:
    try:
        iterable = expression(low, node.iter)
        items = iteration.known(low, iterable) if _unrolls(low, node, iterable) else None
    except Refused:
        low.poison([name for one in walk_scope([node.target]) for name in binds(one)])
        with low.scratch():  # for its findings
            run(low, node.body, control.always)
        raise
    exits = loops.Exits.new(low)
    exits.asked = bool(node.orelse)
    liveness = live_names(low.frame.definition.node)
    live = _live(low, liveness.head.get(id(node)))

    def iterate(item: Meaning) -> None:
        assign(low, node.target, item)
        run(low, node.body, live, last=frozenset({exits.continued}))

    def count() -> None:
        with low.at(node.iter):
            counting = iteration.counting(low, iterable)
        hint = node.target.id if isinstance(node.target, ast.Name) and not _is_rows(low, iterable) else ""
        loops.for_each(low, counting, iterate, exits, live, _seeds(low, node), hint)

    if items is None:
        few = iteration.known(low, iterable) if not isinstance(iterable, Reference) else None
        if few is None or _succeeds(low, count):
            if few is None:
                count()
        else:
            items = few
    if items is not None:
        loops.unrolled(low, items, iterate, exits, live)
    _orelse(low, node, exits)


def _succeeds(low: Lowering, lower: Callable[[], None]) -> bool:
    """Lower it; undone when something in it cannot be lowered."""
    block, size, state = low.builder.block, len(low.builder.block.ops), low.state.copy()
    findings, low.findings = low.findings, Report()
    bottomed, low.bottomed = low.bottomed, False
    try:
        lower()
        failed = low.bottomed or low.findings.refused or bool(low.findings)
    except Refused:
        failed = True
    finally:
        tried, low.findings, low.bottomed = low.findings, findings, bottomed
    if failed:
        del block.ops[size:]
        low.state = state
        return False
    low.findings.take(tried)
    return True


def _is_rows(low: Lowering, iterable: Meaning) -> bool:
    return isinstance(iterable, Reference)


def _unrolls(low: Lowering, node: ast.For, iterable: Meaning) -> bool:
    """Whether a loop over something of known length is written out."""
    from ad_compiler.frontend.values import Range

    if isinstance(iterable, Range) or (isinstance(iterable, Static) and isinstance(iterable.value, range)):
        return _indexes_structure(low, node)
    items = containers.known_items(low, iterable)
    if items is not None and len(items) > iteration.MOST_UNROLLED:
        return not all(isinstance(one, Scalar | Static) and tensor_type(low, one) is not None for one in items)
    return True


def _indexes_structure(low: Lowering, node: ast.For) -> bool:
    """Whether the body indexes, with the loop variable, a tuple or list whose parts have to be told apart."""
    names = {name for one in walk_scope([node.target]) for name in binds(one)}
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript) and any(
            isinstance(part, ast.Name) and part.id in names for part in ast.walk(one.slice)
        ):
            if _is_structure(low, one.value):
                return True
    return False


def _is_structure(low: Lowering, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    try:
        with low.probing():
            owner = expression(low, node)
            if isinstance(owner, Static) and isinstance(owner.value, str):
                return False
            items = containers.known_items(low, owner)
            if items is not None:
                return any(not isinstance(one, Scalar) and not _number(one) for one in items)
            content = low.state.content(owner.root) if isinstance(owner, Reference) else None
            return content is not None and not isinstance(content, Value)
    except Refused:
        return False


def _number(meaning: Meaning) -> bool:
    return isinstance(meaning, Static) and isinstance(meaning.value, int | float | complex)


def _while(low: Lowering, node: ast.While) -> None:
    exits = loops.Exits.new(low)
    exits.asked = bool(node.orelse)
    liveness = live_names(low.frame.definition.node)
    live = _live(low, liveness.head.get(id(node)))

    def test() -> Meaning:
        return condition(low, node.test)

    def body() -> None:
        run(low, node.body, live, last=frozenset({exits.continued}))

    binds_names = any(isinstance(one, ast.NamedExpr) for one in ast.walk(node.test))
    loops.while_(low, test, body, exits, live, _seeds(low, node), binds=binds_names)
    _orelse(low, node, exits)


def _orelse(low: Lowering, node: ast.For | ast.While, exits: loops.Exits) -> None:
    broke = low.state.variables.pop(exits.broke, Static(False))
    if not node.orelse or control.exited(low):
        return
    live = live_after(low, node)
    skip = control.pending(low)
    if skip is not None:
        broke = skip if isinstance(broke, Static) and not broke.value else low.emit("logical_or", broke, skip)
    control.branch(low, broke, lambda: None, lambda: run(low, node.orelse, live), live)


def _seeds(low: Lowering, node: ast.For | ast.While) -> loops.Seeds:
    """What the text of the body says it changes."""
    nodes = walk_scope([*([node.target] if isinstance(node, ast.For) else []), *node.body])
    assigned: dict[Variable, None] = {}
    written: dict[Variable, None] = {}
    for one in nodes:
        for name in binds(one):
            owner = owner_of(low.frame, name)
            if owner is not None:
                assigned[Variable(owner, name)] = None
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
            base: ast.expr = one
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            owner = owner_of(low.frame, base.id) if isinstance(base, ast.Name) else None
            if owner is not None:
                written[Variable(owner, base.id)] = None  # type: ignore[attr-defined]
    return loops.Seeds(tuple(assigned), tuple(written))


# ------------------------------------------------------------------------------------------ early exits


def _return(low: Lowering, node: ast.Return) -> None:
    meaning = NONE if node.value is None else expression(low, node.value)
    calls.set_result(low, meaning)


def _break(low: Lowering, node: ast.Break) -> None:
    low.state.variables[_flag(low, "<broke>")] = Static(True)


def _continue(low: Lowering, node: ast.Continue) -> None:
    low.state.variables[_flag(low, "<continued>")] = Static(True)


def _flag(low: Lowering, name: str) -> Variable:
    return next(flag for flag in reversed(low.exits) if flag.name == name)


# ------------------------------------------------------------------------------------------------- others


def _expression(low: Lowering, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node.value, ast.Call) and effects.is_effect(low, node.value):
        effects.effect_statement(low, node.value)
        return
    expression(low, node.value)


def _function(low: Lowering, node: ast.FunctionDef) -> None:
    meaning = calls.closure(low, node, node.name)
    assign_name(low, node.name, calls.decorated(low, node, meaning), node)


def _delete(low: Lowering, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            delete_name(low, target.id)
        elif isinstance(target, ast.Subscript):
            subscripts.delete(low, expression(low, target.value), expression(low, target.slice))
        else:
            low.refuse("ADC101", "this `del` is not supported", target)


def _with(low: Lowering, node: ast.With) -> None:
    for item in node.items:
        effects.enter(low, item)
    run(low, node.body, live_after(low, node))


def _import(low: Lowering, node: ast.Import | ast.ImportFrom) -> None:
    from ad_compiler.frontend.libraries import NotALibraryError, import_library, member

    filename = low.frame.definition.source.filename
    for alias in node.names:
        try:
            if isinstance(node, ast.ImportFrom):
                found: Any = member(import_library(node.module or "", filename), alias.name, filename)
            else:
                found = import_library(alias.name, filename)
                if not alias.asname:
                    found = import_library(alias.name.split(".")[0], filename)
        except NotALibraryError as error:
            low.refuse("ADC102", f"the meaning of `{alias.asname or alias.name}` is not known", node, notes=(str(error),))
        from ad_compiler.frontend.names import outside

        assign_name(low, alias.asname or alias.name.split(".")[0], outside(low, found, alias.name), node)


def _nothing(low: Lowering, node: ast.stmt) -> None:
    pass


def _global(low: Lowering, node: ast.Global) -> None:
    pass  # assigning to one is refused where that happens


RULES: dict[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.For: _for,
    ast.While: _while,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Expr: _expression,
    ast.FunctionDef: _function,
    ast.Delete: _delete,
    ast.With: _with,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Pass: _nothing,
    ast.Global: _global,
    ast.Nonlocal: _nothing,
    ast.Assert: lambda low, node: effects.assertion(low, node),
    ast.Raise: lambda low, node: effects.raising(low, node),
    ast.Match: lambda low, node: _match(low, node),
    ast.Try: lambda low, node: _try(low, node),
}


def _match(low: Lowering, node: ast.Match) -> None:
    from ad_compiler.frontend.patterns import match

    match(low, node)


def _try(low: Lowering, node: ast.Try) -> None:
    low.refuse("ADC101", "`try` is not supported", node, help="test for the condition with `if` instead")


