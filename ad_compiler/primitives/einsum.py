"""`einsum`: its transpose is another einsum, with the cotangent in place of the operand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ad_compiler.ir.types import Dim, Symbol, Tensor, Type, broadcast, derived, promote, rank
from ad_compiler.primitives.broadcasting import unbroadcast
from ad_compiler.primitives.declare import multilinear, ops
from ad_compiler.primitives.reductions import in_precision_of
from ad_compiler.primitives.rules import NoRule
from ad_compiler.primitives.shapes import tensor


@dataclass(frozen=True, slots=True)
class Subscripts:
    """`ij,jk->ik` in parts; `...` stays in the text of each."""

    inputs: tuple[str, ...]
    output: str

    def text(self) -> str:
        return f"{','.join(self.inputs)}->{self.output}"


def parse(text: str) -> Subscripts:
    """The parts, with the output that NumPy implies when there is no arrow."""
    text = text.replace(" ", "")
    if "->" in text:
        left, output = text.split("->")
        return Subscripts(tuple(left.split(",")), output)
    letters = text.replace("...", "").replace(",", "")
    once = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return Subscripts(tuple(text.split(",")), ("..." if "..." in text else "") + once)


def _einsum(*xs: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *xs)[()]


def _type(types: Sequence[Type], attributes: dict[str, Any]) -> Type:
    tensors = [tensor(type) for type in types]
    dtype = promote(*[type.dtype for type in tensors])
    parts = parse(attributes["subscripts"])
    if any(isinstance(type.shape, Symbol) for type in tensors):
        if "..." in parts.output:
            return Tensor(dtype, derived("einsum", parts.text(), tuple(type.shape for type in tensors)))
        return Tensor(dtype, tuple(Dim(Symbol()) for _ in parts.output))
    lengths: dict[str, Any] = {}
    stacks: list[Any] = []
    for labels, type in zip(parts.inputs, tensors, strict=True):
        before, _, after = labels.partition("...")
        shape = type.shape
        assert isinstance(shape, tuple)
        width = len(shape) - len(before) - len(after)
        if "..." in labels:
            stacks.append(shape[len(before) : len(before) + width])
        dims = shape[: len(before)] + (shape[len(before) + width :] if "..." in labels else ())
        for letter, dim in zip(before + after, dims, strict=False):
            known = lengths.get(letter)
            lengths[letter] = dim if known is None else broadcast((known,), (dim,))[0]  # type: ignore[index]
    stack = broadcast(*stacks) if stacks else ()
    if isinstance(stack, Symbol):
        return Tensor(dtype, Symbol())
    before, _, after = parts.output.partition("...")
    return Tensor(dtype, (*[lengths[k] for k in before], *stack, *[lengths[k] for k in after]))


def _bar(ct: Any, xs: tuple[Any, ...], subscripts: str, position: int) -> Any:
    parts = parse(subscripts)
    own = parts.inputs[position]
    letters = own.replace("...", "")
    if len(set(letters)) < len(letters):
        return _diagonal_bar(ct, xs, parts, position)
    others = [labels for k, labels in enumerate(parts.inputs) if k != position]
    values = [x for k, x in enumerate(xs) if k != position]
    visible = set(parts.output).union(*others) if others else set(parts.output)
    kept = "".join(letter for letter in letters if letter in visible)
    lost = tuple(k for k, letter in enumerate(letters) if letter not in visible)
    stack_known = "..." in parts.output or any("..." in labels for labels in others)
    if "..." in own:
        return _bar_with_stack(ct, xs, parts, position, kept, lost, stack_known)
    wide = "..." if stack_known else ""  # a stack that this operand has no part in is summed over
    back = Subscripts((parts.output, *others), kept)
    if wide and "..." in parts.output:
        summed = ops.einsum(ct, *values, subscripts=Subscripts(back.inputs, "..." + kept).text())
        extra = rank(summed.value.type)
        if extra is None:
            raise NoRule(einsum, "xs", "the number of axes behind `...` is not known")
        leading = tuple(range(extra - len(kept)))
        result = ops.sum(summed, axis=leading) if leading else summed
    else:
        result = ops.einsum(ct, *values, subscripts=back.text())
    return _spread_lost(result, xs[position], lost, letters)


def _spread_lost(result: Any, x: Any, lost: tuple[int, ...], letters: str) -> Any:
    """Axes that the operand was summed over alone come back by repetition; length 1 against n is undone."""
    if lost:
        return ops.spread(result, x, axis=lost)
    return unbroadcast(result, x)


def _bar_with_stack(
    ct: Any, xs: tuple[Any, ...], parts: Subscripts, position: int, kept: str, lost: tuple[int, ...], known: bool
) -> Any:
    own = parts.inputs[position]
    if lost or "..." not in parts.output:
        raise NoRule(einsum, "xs", "`...` together with an index that is summed over alone")
    others = [labels for k, labels in enumerate(parts.inputs) if k != position]
    values = [x for k, x in enumerate(xs) if k != position]
    before, _, after = own.partition("...")
    first = ops.einsum(ct, *values, subscripts=Subscripts((parts.output, *others), "..." + before + after).text())
    return unbroadcast_stack(first, xs[position], len(before), len(after))


def unbroadcast_stack(value: Any, x: Any, before: int, after: int) -> Any:
    """`value` has axes (stack, before, after); `x` has (before, stack, after), its stack perhaps shorter."""
    width, own = rank(value.value.type), rank(x.value.type)
    if width is None or own is None:
        raise NoRule(einsum, "xs", "the number of axes behind `...` is not known")
    stack = width - before - after
    extra = width - own
    if extra:
        value = ops.sum(value, axis=tuple(range(extra)))
        stack -= extra
    order = (*range(stack, stack + before), *range(stack), *range(stack + before, stack + before + after))
    moved = value if order == tuple(range(own)) else ops.transpose(value, axes=order)
    return unbroadcast(moved, x)


def _diagonal_bar(ct: Any, xs: tuple[Any, ...], parts: Subscripts, position: int) -> Any:
    """An operand with a repeated index, `ii`: the einsum of its diagonal, put back on the diagonal.

    Each repetition gets a fresh letter, tied to the first by an identity matrix.
    """
    own = parts.inputs[position]
    if "..." in own:
        raise NoRule(einsum, "xs", "a repeated index together with `...`")
    used = set("".join(parts.inputs) + parts.output)
    free = (letter for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used)
    seen: set[str] = set()
    relabelled, ties, eyes = "", [], []
    for axis, letter in enumerate(own):
        if letter in seen:
            fresh = next(free)
            relabelled += fresh
            ties.append(letter + fresh)
            eyes.append(in_precision_of(ops.eye(ops.dim(xs[position], axis=axis)), xs[position]))
        else:
            seen.add(letter)
            relabelled += letter
    inputs = (*parts.inputs[:position], relabelled, *parts.inputs[position + 1 :], *ties)
    return _bar(ct, (*xs, *eyes), Subscripts(inputs, parts.output).text(), position)


einsum = multilinear(
    _einsum, "subscripts, *xs", operands="*xs", name="einsum", infer=_type, also=(np.einsum,),
    xs=_bar,
)  # fmt: skip
