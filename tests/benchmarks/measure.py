"""Timing side by side: several calls are timed in turns, so that what slows one slows the others."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_number = itertools.count()


def compare(*calls: Callable[[], Any], seconds: float = 0.4, rounds: int = 25) -> list[float]:
    """The time of each call: the shortest, the least disturbed one, over rounds in which all take their turn."""
    repeats = []
    for call in calls:
        call()
        started = time.perf_counter()
        call()
        once = max(time.perf_counter() - started, 1e-7)
        repeats.append(max(1, int(seconds / rounds / once / len(calls))))
    times: list[list[float]] = [[] for _ in calls]
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for call, repeat, taken in zip(calls, repeats, times, strict=True):
                started = time.perf_counter()
                for _ in range(repeat):
                    call()
                taken.append((time.perf_counter() - started) / repeat)
    finally:
        gc.enable()
    return [min(taken) for taken in times]


def define(text: str) -> Callable[..., Any]:
    """The function `f` of this text, from a file of its own, new each time."""
    folder = Path(tempfile.mkdtemp(prefix="ad_compiler_benchmark_"))
    name = f"benchmark_program_{next(_number)}"
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.f
