"""Assigning: names, structures of names, elements, attributes; and `+=`, which changes arrays and lists in place.

assign    : target, Meaning -> ()
augmented : `before op= value` -> what the name stands for afterwards
"""

from __future__ import annotations

import ast
from typing import Any

from ad_compiler.frontend import calls, containers, control, iteration, subscripts, views
from ad_compiler.frontend.attributes import attribute_of, set_attribute
from ad_compiler.frontend.context import Lowering, is_list, tensor_type
from ad_compiler.frontend.describe import parts_of
from ad_compiler.frontend.expressions import expression
from ad_compiler.frontend.names import assign_name, lookup
from ad_compiler.frontend.operators import BINARY, SPECIAL, binary
from ad_compiler.frontend.values import Meaning, Reference, Static
from ad_compiler.ir.types import INTEGERS, Tensor, is_scalar, rank, same_shape


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


def augmented_assignment(low: Lowering, node: ast.AugAssign) -> None:
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
    kind = tensor_type(low, before)
    if kind is None:  # an object, a dict
        method = calls.method_of(low, before, SPECIAL[BINARY[type(op)][0]].replace("__", "__i", 1))
        return binary(low, op, before, value) if method is None else calls.call(low, method, [value], {})
    if rank(kind) is None and not _sole_holder(low, before):
        low.refuse(
            "ADC104",
            f"whether `{name}` is a number or an array is not known, and another name stands for it too",
            notes=("a number is bound anew, an array is changed in place, and the other name sees that",),
            help=f"say what it is in the function's annotations (`{name}: float`, `{name}: float[n]`)",
        )
    _check_cast(low, op, kind, before, value)
    result = binary(low, op, before, value)
    after = low.value(result)
    if rank(kind) is not None and not (same_shape(kind, after.type) and after.type.dtype == kind.dtype):  # type: ignore[union-attr]
        after = low.builder.one("setitem", views.read(low, before), after, index=(Ellipsis,))
    views.write(low, before, after)
    return before


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
