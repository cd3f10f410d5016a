"""Giving up on a computation that takes too long, where the system can interrupt it: in the main thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TimeUpError(Exception):
    """The time is over."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TimeUpError` in the body after so many seconds.  In another thread, nothing interrupts it."""
    possible = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if not possible or signal.getitimer(signal.ITIMER_REAL)[0]:  # somebody else's timer is running
        yield
        return

    def up(number: int, frame: Any) -> None:
        raise TimeUpError

    before = signal.signal(signal.SIGALRM, up)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
