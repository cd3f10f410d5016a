"""The functions of `ir` that have to ask what primitives are, already told."""

from __future__ import annotations

from typing import Any

import ad_compiler.ir.interpreter as interpreter
import ad_compiler.ir.parser as parser
import ad_compiler.ir.verifier as verifier
from ad_compiler.ir.core import Module
from ad_compiler.primitives import infer, lookup


def apply(name: str, operands: list[Any], attributes: dict[str, Any]) -> Any:
    """The primitive's own implementation, on NumPy values."""
    return lookup(name).implementation(*operands, **attributes)


def evaluate(module: Module, *leaves: Any, namespace: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """The results of the main function on these leaves: the reference for everything we emit."""
    return interpreter.evaluate(module, *leaves, apply=apply, namespace=namespace)


def parse(text: str) -> Module:
    """The module whose text this is; result types may be left out."""
    return parser.parse(text, infer)


def verify(module: Module, stage: str = "") -> None:
    """Raise `InternalError` where the module breaks the rules of the IR; `stage` says after what."""
    verifier.verify(module, infer, stage=stage)
