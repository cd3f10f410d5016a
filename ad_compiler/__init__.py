"""ad_compiler differentiates plain Python and NumPy functions into Python source that people can read.

    api          grad value_and_grad jvp vjp jacobian hessian hvp emit
    decorator    @differentiate
    custom       custom_jvp custom_vjp primitive register
    cli          the command `adc`
    pipeline     source text -> SSA -> derivative -> source text, as one readable line
    specialise   types of arguments, keys of compiled functions
    frontend     Python -> SSA
    analysis     facts about SSA
    transforms   SSA -> its tangent, its adjoint
    passes       SSA -> better SSA
    backends     SSA -> Python source -> function
    primitives   what operations are, and how they differentiate
    symbolic     SymPy as a second opinion
    ir           the structured SSA itself
    diagnostics  what is said when something is wrong, and where it is
"""

from ad_compiler.api import emit, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from ad_compiler.custom import backward, custom_jvp, custom_vjp, primitive, register
from ad_compiler.decorator import differentiate
from ad_compiler.diagnostics.diagnostic import (
    ArgumentError,
    ArgumentValueError,
    BackendError,
    DerivativeError,
    Error,
    InternalError,
    LanguageError,
    SourceError,
)
from ad_compiler.primitives.scalars import stop_gradient
from ad_compiler.version import __version__

__all__ = [
    "ArgumentError",
    "ArgumentValueError",
    "BackendError",
    "DerivativeError",
    "Error",
    "InternalError",
    "LanguageError",
    "SourceError",
    "__version__",
    "backward",
    "check",
    "custom_jvp",
    "custom_vjp",
    "differentiate",
    "emit",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "primitive",
    "register",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]


def check(f, *args, **options):  # type: ignore[no-untyped-def]
    """Verify the derivatives of `f` at `args`: see `ad_compiler.symbolic.check.check`."""
    from ad_compiler.symbolic.check import check as run

    return run(f, *args, **options)
