"""Which ops are derivative code, where a rewrite may change the last bit.

The user's own operations keep their bits; the forward sweep, its form too.  Derivative code is ours: the
transforms mark it with a phase.
"""

from __future__ import annotations

from ad_compiler.ir.core import Op


def is_derivative(op: Op) -> bool:
    """Whether a transform made the op: it belongs to the reverse sweep, or computes a tangent."""
    return op.phase in ("reverse", "tangent")
