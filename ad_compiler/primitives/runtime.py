"""Helpers that are written into the emitted file when a program needs them.

Plain NumPy, each standing alone but for the helpers that `HELPER_NEEDS` names: the backend copies their source.
"""

from __future__ import annotations

import numpy as np

HELPER_NEEDS: dict[str, tuple[str, ...]] = {
    "_diag_bar": ("_diagonal_bar",),
    "_convolve_bar_a": ("_whole_convolution",),
    "_convolve_bar_b": ("_whole_convolution",),
    "_tuple_add_at": ("_add",),
    "_list_scatter": ("_zeros_like",),
    "_scatter": ("_zeros_like",),
    "_list_repeat_bar": ("_add",),
    "_matmul_bar_a": ("_unbroadcast",),
    "_matmul_bar_b": ("_unbroadcast",),
    "_tensordot_bar_a": ("_contracted",),
    "_tensordot_bar_b": ("_contracted",),
    "_dot_bar_a": ("_unbroadcast", "_tensordot_bar_a"),
    "_dot_bar_b": ("_unbroadcast", "_tensordot_bar_b"),
    "_inner_bar_a": ("_unbroadcast", "_tensordot_bar_a"),
    "_inner_bar_b": ("_unbroadcast", "_tensordot_bar_b"),
}


def _unbroadcast(y, x):
    """Sum `y` down to the shape of `x`, which was broadcast to the shape of `y`."""
    shape = np.shape(x)
    extra = np.ndim(y) - len(shape)
    if extra:
        y = np.sum(y, axis=tuple(range(extra)))
    ones = tuple(k for k, n in enumerate(shape) if n == 1 and np.shape(y)[k] != 1)
    return np.sum(y, axis=ones, keepdims=True) if ones else y


def _zeros_like(x):
    """Zeros in the structure of `x`, floats also where `x` holds integers."""
    if isinstance(x, (list, tuple)):
        return type(x)([_zeros_like(part) for part in x])
    if np.ndim(x) == 0 and not isinstance(x, np.ndarray):
        return 0.0
    return np.zeros_like(x, dtype=np.result_type(x, np.float32))


def _add(a, b):
    """a + b, part by part for lists and tuples."""
    if isinstance(a, (list, tuple)):
        return type(a)([_add(p, q) for p, q in zip(a, b, strict=True)])
    return a + b


def _prod_others(x, axis=None):
    """For each element the product of all the others along `axis`."""
    x = np.asarray(x)
    rows = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1)
    before, after = np.ones_like(rows), np.ones_like(rows)
    if rows.shape[-1]:
        before[..., 1:] = np.cumprod(rows[..., :-1], axis=-1)
        after[..., :-1] = np.cumprod(rows[..., :0:-1], axis=-1)[..., ::-1]
    others = before * after
    return others.reshape(x.shape)[()] if axis is None else np.moveaxis(others, -1, axis)


def _cumprod_bar(y, x, axis):
    """The cotangent of x, from the cotangent y of np.cumprod(x, axis)."""
    y, x = np.moveaxis(y, axis, -1), np.moveaxis(x, axis, -1)
    out = np.zeros(np.broadcast_shapes(y.shape, x.shape), np.result_type(y, x))
    before = np.ones_like(out)
    if out.shape[-1]:
        before[..., 1:] = np.cumprod(x[..., :-1], axis=-1)
    after = np.zeros(out.shape[:-1], out.dtype)
    for k in range(out.shape[-1] - 1, -1, -1):
        after = y[..., k] + (x[..., k + 1] * after if k + 1 < out.shape[-1] else 0.0)
        out[..., k] = before[..., k] * after
    return np.moveaxis(out, -1, axis)


def _cumprod_dot(y, x, axis):
    """The tangent of np.cumprod(x, axis), from the tangent y of x."""
    y, x = np.moveaxis(y, axis, -1), np.moveaxis(x, axis, -1)
    out = np.zeros(np.broadcast_shapes(y.shape, x.shape), np.result_type(y, x))
    product = np.ones(out.shape[:-1], out.dtype)
    total = np.zeros(out.shape[:-1], out.dtype)
    for k in range(out.shape[-1]):
        total = total * x[..., k] + product * y[..., k]
        product = product * x[..., k]
        out[..., k] = total
    return np.moveaxis(out, -1, axis)


def _tile_bar(y, x, reps):
    """Sum `y`, which has the shape of np.tile(x, reps), over the copies."""
    reps = reps if isinstance(reps, tuple) else (reps,)
    shape = np.shape(x)
    width = max(len(shape), len(reps))
    reps, full = (1,) * (width - len(reps)) + reps, (1,) * (width - len(shape)) + shape
    split = np.reshape(y, [n for pair in zip(reps, full, strict=True) for n in pair])
    return np.reshape(np.sum(split, axis=tuple(range(0, 2 * width, 2))), shape)[()]


def _repeat_bar(y, x, repeats, axis=None):
    """Sum `y`, which has the shape of np.repeat(x, repeats, axis), over the copies."""
    shape = np.shape(x)
    if axis is None:
        return np.reshape(np.sum(np.reshape(y, (np.size(x), repeats)), axis=1), shape)[()]
    k = axis % len(shape)
    split = np.reshape(y, shape[: k + 1] + (repeats,) + shape[k + 1 :])
    return np.sum(split, axis=k + 1)


def _diagonal_bar(y, x, offset=0):
    """Zeros in the shape of `x`, with `y` on a diagonal."""
    out = np.zeros(np.shape(x), np.result_type(y))
    n = np.shape(y)[-1]
    rows, columns = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    out[rows, columns] = np.moveaxis(y, -1, 0)
    return out


def _diag_bar(y, x, k=0):
    """The cotangent of `x` from the cotangent `y` of np.diag(x, k)."""
    return np.diag(y, k) if np.ndim(x) == 1 else _diagonal_bar(y, x, k)


def _trace_bar(y, x, offset=0):
    """`y` on each element of a diagonal of the first two axes of zeros in the shape of `x`."""
    shape = np.shape(x)
    mask = np.eye(shape[0], shape[1], offset, dtype=np.result_type(x, np.float32))
    return np.reshape(mask, mask.shape + (1,) * (len(shape) - 2)) * y


def _last_write(x, index):
    """For each element of x[index] whether it is the last one written there by `x[index] = …`."""
    writer = np.empty(np.shape(x), dtype=int)
    order = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = order
    return writer[index] == order


def _matmul_bar_a(y, a, b):
    """The cotangent of `a`, from the cotangent `y` of a @ b."""
    if np.ndim(b) == 1:
        return _unbroadcast(np.expand_dims(y, -1) * b, a)
    if np.ndim(a) == 1:
        return _unbroadcast((b @ np.expand_dims(y, -1))[..., 0], a)
    return _unbroadcast(y @ np.swapaxes(b, -1, -2), a)


def _matmul_bar_b(y, a, b):
    """The cotangent of `b`, from the cotangent `y` of a @ b."""
    if np.ndim(a) == 1:
        return _unbroadcast(np.expand_dims(a, -1) * np.expand_dims(y, -2) if np.ndim(b) > 1 else a * y, b)
    if np.ndim(b) == 1:
        return _unbroadcast((np.swapaxes(a, -1, -2) @ np.expand_dims(y, -1))[..., 0], b)
    return _unbroadcast(np.swapaxes(a, -1, -2) @ y, b)


def _contracted(axes, m, n):
    """The axes of operands of `m` and `n` axes that np.tensordot(a, b, axes) sums over, counted from 0."""
    if isinstance(axes, int):
        return tuple(range(m - axes, m)), tuple(range(axes))
    left, right = axes
    left = tuple(left) if isinstance(left, (tuple, list)) else (left,)
    right = tuple(right) if isinstance(right, (tuple, list)) else (right,)
    return tuple(k % m for k in left), tuple(k % n for k in right)


def _tensordot_bar_a(y, a, b, axes=2):
    """The cotangent of `a`, from the cotangent `y` of np.tensordot(a, b, axes)."""
    m, n = np.ndim(a), np.ndim(b)
    left, right = _contracted(axes, m, n)
    free = [k for k in range(n) if k not in right]
    here = np.tensordot(y, b, (list(range(m - len(left), np.ndim(y))), free))
    order = [k for k in range(m) if k not in left] + [left[right.index(k)] for k in sorted(right)]
    return np.transpose(here, np.argsort(order))[()]


def _tensordot_bar_b(y, a, b, axes=2):
    """The cotangent of `b`, from the cotangent `y` of np.tensordot(a, b, axes)."""
    m, n = np.ndim(a), np.ndim(b)
    left, right = _contracted(axes, m, n)
    free = [k for k in range(m) if k not in left]
    here = np.tensordot(a, y, (free, list(range(len(free)))))
    order = [right[left.index(k)] for k in sorted(left)] + [k for k in range(n) if k not in right]
    return np.transpose(here, np.argsort(order))[()]


def _dot_bar_a(y, a, b):
    """The cotangent of `a`, from the cotangent `y` of np.dot(a, b)."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _unbroadcast(y * b, a)
    return _tensordot_bar_a(y, a, b, (-1, -2 if np.ndim(b) > 1 else 0))


def _dot_bar_b(y, a, b):
    """The cotangent of `b`, from the cotangent `y` of np.dot(a, b)."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _unbroadcast(y * a, b)
    return _tensordot_bar_b(y, a, b, (-1, -2 if np.ndim(b) > 1 else 0))


def _inner_bar_a(y, a, b):
    """The cotangent of `a`, from the cotangent `y` of np.inner(a, b)."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _unbroadcast(y * b, a)
    return _tensordot_bar_a(y, a, b, (-1, -1))


def _inner_bar_b(y, a, b):
    """The cotangent of `b`, from the cotangent `y` of np.inner(a, b)."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _unbroadcast(y * a, b)
    return _tensordot_bar_b(y, a, b, (-1, -1))


def _outer_bar_a(y, a, b):
    """The cotangent of `a`, from the cotangent `y` of np.outer(a, b)."""
    return np.reshape(y @ np.ravel(b), np.shape(a))[()]


def _outer_bar_b(y, a, b):
    """The cotangent of `b`, from the cotangent `y` of np.outer(a, b)."""
    return np.reshape(np.ravel(a) @ y, np.shape(b))[()]


def _list_scatter(y, xs, index):
    """A list of zeros like `xs`, with `y` in the place of xs[index]."""
    out = _zeros_like(xs)
    out[index] = y
    return out


def _tuple_add_at(t, v, position):
    """The tuple `t` with `v` added to the part at `position`."""
    return (*t[:position], _add(t[position], v), *t[position + 1 :])


def _list_repeat_bar(y, xs):
    """The cotangent of the list `xs`, from the cotangent `y` of xs * n."""
    out = list(y[: len(xs)])
    for k in range(len(xs), len(y)):
        out[k % len(xs)] = _add(out[k % len(xs)], y[k])
    return out


def _copy(x):
    """A copy that shares no array or list with `x`."""
    if isinstance(x, (list, tuple)):
        return type(x)([_copy(part) for part in x])
    return x.copy() if isinstance(x, np.ndarray) else x


def _scatter(y, x, index):
    """Zeros like `x`, with `y` added in the places of x[index]."""
    out = _zeros_like(x)
    np.add.at(out, index, y)
    return out


def _list_split(y, xs, axis=0):
    """The parts of `y` that came from the arrays in the list `xs`, joined along `axis`."""
    ends = np.cumsum([np.shape(x)[axis] for x in xs[:-1]], dtype=int)
    return np.split(y, ends, axis) if xs else []


def _along_bar(y, x, indices, axis):
    """Zeros in the shape of `x`, with `y` added where np.take_along_axis(x, indices, axis) reads."""
    out = np.zeros(np.shape(x), np.result_type(y))
    index = list(np.ogrid[tuple(slice(n) for n in np.shape(indices))])
    index[axis] = indices
    np.add.at(out, tuple(index), y)
    return out


def _whole_convolution(y, a, b, mode):
    """`y`, of the shape of np.convolve(a, b, mode), inside zeros of the shape of mode "full"."""
    m, n = max(len(a), len(b)), min(len(a), len(b))
    start = {"full": 0, "same": (n - 1) // 2, "valid": n - 1}[mode]
    return np.pad(y, (start, m + n - 1 - len(y) - start))


def _convolve_bar_a(y, a, b, mode="full"):
    """The cotangent of `a`, from the cotangent `y` of np.convolve(a, b, mode)."""
    return np.correlate(_whole_convolution(y, a, b, mode), b, "valid")


def _convolve_bar_b(y, a, b, mode="full"):
    """The cotangent of `b`, from the cotangent `y` of np.convolve(a, b, mode)."""
    return np.correlate(_whole_convolution(y, a, b, mode), a, "valid")
