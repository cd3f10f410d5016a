"""Derivatives by number, to compare with: finite differences that know their own error, complex step, dot products.

Everything here works on *trees*: nestings of tuple, list, dict, dataclass and named tuple whose leaves are
numbers, arrays or other data.  The float leaves, laid end to end, are the tree's vector: `flat(tree)`;
`unflat(tree, vector)` puts another vector into the same structure.  Nothing here imports `ad_compiler`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Vector = np.ndarray


def is_float(leaf: Any) -> bool:
    """Whether a leaf is a float or an array of floats: something a derivative is asked for."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind == "f"
    return isinstance(leaf, float | np.floating)


def children(tree: Any) -> list[Any] | None:
    """The parts of a container in order; None for a leaf."""
    if isinstance(tree, dict):
        return list(tree.values())
    if isinstance(tree, list | tuple):
        return list(tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [getattr(tree, field.name) for field in dataclasses.fields(tree)]
    return None


def leaves(tree: Any) -> Iterator[Any]:
    """Every leaf, from left to right."""
    parts = children(tree)
    if parts is None:
        yield tree
    else:
        for part in parts:
            yield from leaves(part)


def map_leaves(change: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with `change(leaf)` for each leaf."""
    parts = children(tree)
    if parts is None:
        return change(tree)
    changed = [map_leaves(change, part) for part in parts]
    if isinstance(tree, dict):
        return dict(zip(tree, changed, strict=True))
    if isinstance(tree, list):
        return changed
    if isinstance(tree, tuple):
        return type(tree)(*changed) if hasattr(tree, "_fields") else tuple(changed)
    return dataclasses.replace(tree, **dict(zip((f.name for f in dataclasses.fields(tree)), changed, strict=True)))


def flat(tree: Any) -> Vector:
    """The float leaves of a tree as one vector."""
    parts = [np.ravel(np.asarray(leaf, dtype=float)) for leaf in leaves(tree) if is_float(leaf)]
    return np.concatenate(parts) if parts else np.zeros(0)


def unflat(tree: Any, vector: Vector) -> Any:
    """`tree` with its float leaves replaced by the numbers of `vector`; other leaves are copied."""
    position = 0

    def change(leaf: Any) -> Any:
        nonlocal position
        if not is_float(leaf):
            return copy.deepcopy(leaf)
        if isinstance(leaf, np.ndarray):
            piece = vector[position : position + leaf.size].reshape(leaf.shape).copy()
            position += leaf.size
            return piece
        position += 1
        number = vector[position - 1]
        return number if np.iscomplexobj(vector) else float(number)

    return map_leaves(change, tree)


def random_like(tree: Any, seed: int) -> Any:
    """The structure of `tree` with random numbers between -1 and 1."""
    return unflat(tree, np.random.default_rng(seed).uniform(-1, 1, flat(tree).size))


def dot(a: Any, b: Any) -> float:
    """The inner product of two trees of one structure."""
    return float(np.dot(flat(a), flat(b)))


def same_bits(a: Any, b: Any) -> bool:
    """Whether two trees have the same structure and the same bits: nan equals nan, 0.0 is not -0.0."""
    parts_a, parts_b = children(a), children(b)
    if parts_a is None or parts_b is None:
        return _same_leaf(a, b) if parts_a is None and parts_b is None else False
    if isinstance(a, dict) != isinstance(b, dict) or (isinstance(a, dict) and list(a) != list(b)):
        return False
    return len(parts_a) == len(parts_b) and all(map(same_bits, parts_a, parts_b))


def _same_leaf(a: Any, b: Any) -> bool:
    numbers = (int, float, complex, np.ndarray, np.generic)
    if not isinstance(a, numbers) or not isinstance(b, numbers):
        return a is b or a == b
    left, right = np.asarray(a), np.asarray(b)
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def same_structure(a: Any, b: Any) -> bool:
    """Whether two trees nest alike, with leaves of equal shape."""
    parts_a, parts_b = children(a), children(b)
    if parts_a is None or parts_b is None:
        return parts_a is None and parts_b is None and np.shape(a) == np.shape(b)
    if isinstance(a, dict) and (not isinstance(b, dict) or list(a) != list(b)):
        return False
    return type(a) is type(b) and len(parts_a) == len(parts_b) and all(map(same_structure, parts_a, parts_b))


def richardson(curve: Callable[[float], Vector], start: float = 0.02, rows: int = 9) -> tuple[Vector, Vector]:
    """The derivative of `curve` at 0 and an estimate of its error, elementwise.

    Central differences at shrinking steps, extrapolated to step 0 (Ridders' method; Numerical Recipes 5.7).
    Each element keeps the entry of the tableau with the smallest estimated error, so a kink farther away
    than the smallest steps does no harm.
    """
    shrink = 1.7
    step = start
    previous: list[Vector] = []
    best, error = np.zeros(0), np.zeros(0)
    for row in range(rows):
        difference = (curve(step) - curve(-step)) / (2 * step)
        current = [difference]
        if row == 0:
            best, error = difference, np.full(difference.shape, np.inf)
        factor = shrink**2
        for column in range(row):
            refined = (current[column] * factor - previous[column]) / (factor - 1)
            factor *= shrink**2
            spread = np.maximum(abs(refined - current[column]), abs(refined - previous[column]))
            best = np.where(spread < error, refined, best)
            error = np.minimum(spread, error)
            current.append(refined)
        previous = current
        step /= shrink
    return best, error


def directional(f: Callable[..., Any], args: tuple, direction: tuple, start: float = 0.02) -> tuple[Vector, Vector]:
    """d f(args + t direction) / dt at t = 0 as a vector, by differences, and the estimated error.

    The derivative is of the float leaves of the result.  `f` gets fresh copies of its arguments each time.
    """
    origin, along = flat(args), flat(direction)
    return richardson(lambda t: flat(f(*unflat(args, origin + t * along))), start)


def complex_step(f: Callable[..., Any], args: tuple, direction: tuple) -> Vector:
    """The same for an analytic function of float leaves: exact to rounding.  All arguments must be floats."""
    step = 1e-200
    result = f(*unflat(args, flat(args) + 1j * step * flat(direction)))
    return np.concatenate([np.ravel(np.imag(leaf)) for leaf in leaves(result)]) / step


def numeric_gradient(f: Callable[..., float], args: tuple, which: tuple[int, ...]) -> tuple:
    """The gradient of a scalar function with respect to some of its arguments, one element at a time."""
    chosen = tuple(args[k] for k in which)
    origin = flat(chosen)

    def along(index: int) -> float:
        def curve(t: float) -> Vector:
            moved = origin.copy()
            moved[index] += t
            full = [copy.deepcopy(argument) for argument in args]
            for k, piece in zip(which, unflat(chosen, moved), strict=True):
                full[k] = piece
            return np.array([float(f(*full))])

        return float(richardson(curve)[0][0])

    return unflat(chosen, np.array([along(index) for index in range(origin.size)]))


def close(actual: Vector, expected: Vector, error: Vector | float = 0.0, tolerance: float = 1e-7) -> bool:
    """Whether two vectors agree within `tolerance` of their size, or within what the differences can tell."""
    if np.shape(actual) != np.shape(expected) or not np.all(np.isfinite(actual)):
        return False
    if np.size(expected) == 0:
        return True
    size = max(1.0, float(np.max(np.abs(expected))))
    return bool(np.all(np.abs(actual - expected) <= tolerance * size + 20 * np.asarray(error)))
