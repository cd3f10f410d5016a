"""Writing formulas with primitives: the same lambda over arrays, over SSA values, over SymPy terms.

A rule such as `lambda x: 1.0 / (1.0 + x * x)` runs with `Operand`s in place of numbers.  An `Operand` turns
each operator into the application of a primitive; what an application *does* is its subclass's matter:
`Expr` appends an op to a block, `symbolic` builds a SymPy term.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ad_compiler.ir.builder import Builder
    from ad_compiler.ir.core import Value


class Operand(ABC):
    """A stand-in for a number or an array inside a rule."""

    @abstractmethod
    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The result of primitive `name` on `operands`, some of which may be plain numbers."""

    def constant(self) -> tuple[Any] | None:
        """The constant that this stands for, in a tuple; None when it stands for something computed."""
        return None

    def __add__(self, other: Any) -> Any:
        return self.apply("add", (self, other), {})

    def __radd__(self, other: Any) -> Any:
        return self.apply("add", (other, self), {})

    def __sub__(self, other: Any) -> Any:
        return self.apply("subtract", (self, other), {})

    def __rsub__(self, other: Any) -> Any:
        return self.apply("subtract", (other, self), {})

    def __mul__(self, other: Any) -> Any:
        return self.apply("multiply", (self, other), {})

    def __rmul__(self, other: Any) -> Any:
        return self.apply("multiply", (other, self), {})

    def __truediv__(self, other: Any) -> Any:
        return self.apply("divide", (self, other), {})

    def __rtruediv__(self, other: Any) -> Any:
        return self.apply("divide", (other, self), {})

    def __floordiv__(self, other: Any) -> Any:
        return self.apply("floor_divide", (self, other), {})

    def __pow__(self, other: Any) -> Any:
        return self.apply("power", (self, other), {})

    def __rpow__(self, other: Any) -> Any:
        return self.apply("power", (other, self), {})

    def __neg__(self) -> Any:
        return self.apply("negative", (self,), {})

    def __matmul__(self, other: Any) -> Any:
        return self.apply("matmul", (self, other), {})

    def __lt__(self, other: Any) -> Any:
        return self.apply("less", (self, other), {})

    def __le__(self, other: Any) -> Any:
        return self.apply("less_equal", (self, other), {})

    def __gt__(self, other: Any) -> Any:
        return self.apply("greater", (self, other), {})

    def __ge__(self, other: Any) -> Any:
        return self.apply("greater_equal", (self, other), {})

    def equals(self, other: Any) -> Any:
        """`==` keeps its Python meaning (identity), so that operands can sit in sets; this compares values."""
        return self.apply("equal", (self, other), {})


class Expr(Operand):
    """An SSA value, and the builder that ops on it are appended with."""

    __slots__ = ("builder", "value")

    def __init__(self, value: Value, builder: Builder) -> None:
        self.value = value
        self.builder = builder

    def apply(self, name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        results = self.builder.emit(name, [self.lift(operand) for operand in operands], **attributes)
        wrapped = tuple(Expr(result, self.builder) for result in results)
        return wrapped[0] if len(wrapped) == 1 else wrapped

    def constant(self) -> tuple[Any] | None:
        op = self.value.op
        return (op.attributes["value"],) if op is not None and op.name == "constant" else None

    def lift(self, operand: Any) -> Value:
        return operand.value if isinstance(operand, Expr) else self.builder.constant(operand)


def known(operand: Any, *, numbers_only: bool = True) -> Any:
    """The number that an operand is known to be when compiling, else None.

    With `numbers_only=False`: a tuple of the constant, whatever it is, or None when it is no constant.
    """
    value = operand.constant() if isinstance(operand, Operand) else (operand,)
    if not numbers_only:
        return value
    if value is None or isinstance(value[0], bool) or not isinstance(value[0], int | float):
        return None
    return value[0]
