"""The golden folders: each is a tour of the compiler, a program at every stage.

    source.py   the program; comments at its head give `arg:` types, `wrt:` names, and the point `at:` which it runs
    ssa.txt     what it was lowered to
    jvp.py      its tangent program          vjp.py    its adjoint program

The texts are compared byte by byte (`pytest --bless` writes them anew), then imported and run against finite
differences.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ad_compiler.frontend.annotations import parse_arg
from ad_compiler.frontend.read import from_text
from ad_compiler.pipeline import emit_text
from tests import numeric

FOLDERS = sorted(path for path in (Path(__file__).parent / "golden").iterdir() if path.is_dir())


def head(text: str, key: str) -> list[str]:
    """The values of the comments `# key: …` at the head of a source."""
    return [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(f"# {key}:")]


def emitted(folder: Path, mode: str, stage: str = "source", optimise: bool = True) -> str:
    text = (folder / "source.py").read_text()
    definitions = list(from_text(text, "source.py").definitions.values())
    arguments = parse_args(head(text, "arg"))
    wrt = [name.strip() for line in head(text, "wrt") for name in line.split(",")] or None
    return emit_text(definitions, mode=mode, wrt=wrt, arguments=arguments, stage=stage, optimise=optimise)


def parse_args(lines: list[str]) -> dict[str, Any]:
    """The types, with one set of symbols for all: `n` is the same length everywhere."""
    symbols: dict[str, Any] = {}
    return dict(parse_arg(line, symbols) for line in lines)


def functions(text: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(text, "<golden>", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
class TestGolden:
    def test_texts(self, folder: Path, golden: Any) -> None:
        golden(emitted(folder, "forward", "ssa"), folder / "ssa.txt")
        golden(emitted(folder, "forward"), folder / "jvp.py")
        golden(emitted(folder, "reverse"), folder / "vjp.py")

    @pytest.mark.parametrize("optimise", [True, False])
    def test_runs(self, folder: Path, optimise: bool) -> None:
        text = (folder / "source.py").read_text()
        primal = next(value for name, value in functions(text).items() if callable(value) and name != "np")
        (point,) = head(text, "at")
        args = eval(f"({point},)", {"np": np})
        moving = [k for k, value in enumerate(args) if numeric.is_float(value)]
        names = [name.strip() for line in head(text, "wrt") for name in line.split(",")]
        if names:
            parameters = primal.__code__.co_varnames[: primal.__code__.co_argcount]
            moving = [parameters.index(name) for name in names]

        def at(*values: Any) -> Any:
            full = list(copy.deepcopy(args))
            for k, value in zip(moving, values, strict=True):
                full[k] = value
            return primal(*full)

        tangent = functions(emitted(folder, "forward", optimise=optimise))[f"{primal.__name__}_jvp"]
        gradient = functions(emitted(folder, "reverse", optimise=optimise))[f"{primal.__name__}_grad"]
        rng = np.random.default_rng(0)
        direction = [rng.normal(size=np.shape(args[k]))[()] for k in moving]
        expected, _ = numeric.directional(at, tuple(args[k] for k in moving), tuple(direction))
        before = copy.deepcopy(args)
        _, out_dot = tangent(*args, *direction)
        bars = gradient(*args)
        bars = bars if len(moving) > 1 else (bars,)
        np.testing.assert_allclose(out_dot, expected, rtol=1e-6)
        inner = sum(np.sum(bar * d) for bar, d in zip(bars, direction, strict=True))
        np.testing.assert_allclose(inner, expected, rtol=1e-6)
        for old, new in zip(before, args, strict=True):
            np.testing.assert_array_equal(old, new)
