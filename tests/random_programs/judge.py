"""What the compiler makes of a program: right, wrong, refused, crashed; or the program itself is no test."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import re
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ad_compiler
from tests import numeric
from tests.random_programs.generate import Program

FOLDER = Path(tempfile.gettempdir()) / "ad_compiler_random_programs"
SETTINGS: dict[str, dict[str, Any]] = {"optimised": {}, "plain": {"optimise": False}}


@dataclass(frozen=True)
class Verdict:
    """`outcome`: "right", "wrong", "refused", "crashed" or "unusable"; `reason`: what differs, or the code."""

    outcome: str
    reason: str = ""
    detail: str = ""

    @property
    def failed(self) -> bool:
        return self.outcome in ("wrong", "crashed")


class UnusableError(Exception):
    """The program raises, grows beyond bounds, or is not smooth where it is tried."""


def load(source: str, name: str = "program") -> Callable[..., Any]:
    """The function `f` of the text, from a module in a file of its own."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".py", prefix=f"{name}_", dir=FOLDER, delete=False) as file:
        file.write(source)
    spec = importlib.util.spec_from_file_location(Path(file.name).stem, file.name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.f


def forget(f: Callable[..., Any]) -> None:
    """Remove the module and its file."""
    sys.modules.pop(f.__module__, None)
    Path(f.__code__.co_filename).unlink(missing_ok=True)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError when the block takes longer (in the main thread; elsewhere there is no limit)."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    kept = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


def judge(program: Program, only: str | None = None) -> Verdict:
    """Reverse, forward and (for a scalar result) second order, with the optimiser on and off.

    `only` is the beginning of a reason ("forward, plain: …"): then only that check is made.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            f = load(program.source)
        except Exception as error:
            return Verdict("unusable", type(error).__name__)
        try:
            with limited(2):
                expected = Expected(f, program.args)
        except (UnusableError, Exception) as error:
            forget(f)
            return Verdict("unusable", str(error) or type(error).__name__)
        verdict = Verdict("right")
        for label, settings in SETTINGS.items():
            for check in (reverse, forward, hessian):
                where = f"{check.__name__}, {label}"
                if (check is hessian and not expected.scalar) or (only and not only.startswith(where)):
                    continue
                verdict = _attempt(check, f, program.args, expected, settings, where)
                if verdict.outcome != "right":
                    break
            if verdict.outcome != "right":
                break
        forget(f)
        return verdict


class Expected:
    """The primal's value and its derivative along one direction, by differences."""

    def __init__(self, f: Callable[..., Any], args: tuple) -> None:
        self.out = f(*copy.deepcopy(args))
        if not _bounded(self.out):
            raise UnusableError("grows")
        if not numeric.same_bits(f(*copy.deepcopy(args)), self.out):
            raise UnusableError("not deterministic")
        self.scalar = np.shape(self.out) == ()
        self.direction = numeric.random_like(args, seed=1)
        self.derivative, self.error = numeric.directional(f, args, self.direction)
        if (
            not _bounded(self.derivative)
            or np.max(self.error / np.maximum(1.0, abs(self.derivative)), initial=0) > 1e-6
        ):
            raise UnusableError("rough")


def _bounded(value: Any) -> bool:
    numbers = numeric.flat(value)
    return bool(np.all(np.isfinite(numbers)) and np.max(np.abs(numbers), initial=0) < 1e6)


class WrongError(Exception):
    """A derivative, a value or an argument is not what it must be."""


def _attempt(check: Callable, f: Callable, args: tuple, expected: Expected, settings: dict, where: str) -> Verdict:
    given = copy.deepcopy(args)
    try:
        with limited(20):
            check(f, given, expected, settings)
        if not numeric.same_bits(given, args):
            raise WrongError("an argument is changed")
    except ad_compiler.Error as error:
        if type(error).__name__ == "InternalError" or error.code.startswith("ADC3"):
            return Verdict("crashed", f"{where}: {_gist(error)}", str(error))
        if not error.lineno:
            return Verdict("wrong", f"{where}: {error.code} has no location", str(error))
        return Verdict("refused", f"{where}: {_gist(error)}", str(error))
    except WrongError as error:
        return Verdict("wrong", f"{where}: {str(error).split(':')[0]}", str(error))
    except Exception as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1]
        place = "the emitted code" if last.filename.startswith("<") else f"{Path(last.filename).name}:{last.name}"
        reason = f"{where}: {type(error).__name__} in {place}"
        return Verdict("crashed", reason, "".join(traceback.format_exception(error)[-6:]))
    return Verdict("right")


def _gist(error: ad_compiler.Error) -> str:
    """The code and the message, without names and numbers."""
    message = re.sub(r"`[^`]*`|%\S+|\d+", "…", error.diagnostics[0].message)
    return f"{error.code}, {message[:80]}"


def _compare(got: Any, wanted: Any, error: Any, what: str, tolerance: float = 1e-6) -> None:
    got, wanted = np.atleast_1d(got), np.atleast_1d(wanted)
    if not numeric.close(got, wanted, error, tolerance):
        raise WrongError(f"{what}: got {got}, expected {wanted}")


def _compare_value(out: Any, expected: Any) -> None:
    if not numeric.same_bits(np.asarray(out), np.asarray(expected)):
        raise WrongError(f"the primal's value: got {out!r}, expected {expected!r}")


def reverse(f: Callable, args: tuple, expected: Expected, settings: dict) -> None:
    out, pullback = ad_compiler.vjp(f, *args, **settings)
    _compare_value(out, expected.out)
    ct = numeric.random_like(expected.out, seed=2)
    bars = pullback(ct)
    if not numeric.same_structure(bars, args):
        raise WrongError(f"the structure of the gradient: got {bars!r}")
    _compare(
        numeric.dot(bars, expected.direction),
        numeric.flat(ct) @ expected.derivative,
        np.sum(expected.error),
        "gradient",
    )
    if not numeric.same_bits(pullback(ct), bars):
        raise WrongError("the pullback, used twice")
    if expected.scalar and not settings:
        compiled = ad_compiler.value_and_grad(f, argnums=tuple(range(len(args))), **settings)
        value, gradient = compiled(*args)
        _compare_value(value, expected.out)
        _compare(numeric.flat(gradient) * numeric.flat(ct), numeric.flat(bars), 0.0, "value_and_grad and vjp", 1e-9)
        if not numeric.same_bits(compiled(*args), (value, gradient)):
            raise WrongError("a second call")


def forward(f: Callable, args: tuple, expected: Expected, settings: dict) -> None:
    out, out_dot = ad_compiler.jvp(f, args, expected.direction, **settings)
    _compare_value(out, expected.out)
    _compare(numeric.flat(out_dot), expected.derivative, expected.error, "tangent")


def hessian(f: Callable, args: tuple, expected: Expected, settings: dict) -> None:
    """A Hessian-vector product against differences of the gradient."""
    chosen = tuple(range(len(args)))
    gradient = (
        ad_compiler.grad(f, argnums=chosen)
        if not settings
        else lambda *moved: ad_compiler.vjp(f, *moved, **settings)[1](1.0)
    )
    wanted, error = numeric.directional(gradient, args, expected.direction)
    if np.max(error / np.maximum(1.0, np.abs(wanted)), initial=0) > 1e-5:
        return  # the gradient itself is rough here
    product = ad_compiler.hvp(f, argnums=chosen, **settings)(*args, expected.direction)
    _compare(numeric.flat(product), wanted, error, "Hessian-vector product", 1e-5)
