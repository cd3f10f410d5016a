"""What a check found: a verdict for each look, as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

YES, NO, OPEN = "yes", "no", "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` is "yes", "no", or "open" where this look could not decide; `detail` says why or how well."""

    look: str
    answer: str
    detail: str = ""


@dataclass(slots=True)
class Report:
    """What was found about the derivatives of one function, at one point."""

    name: str
    point: dict[str, Any] = field(default_factory=dict)
    gradient: dict[str, Any] | None = None  # of a function whose result is one number
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No verdict is no, and at least one is yes."""
        answers = [verdict.answer for verdict in self.verdicts]
        return NO not in answers and YES in answers

    @property
    def proved(self) -> bool:
        return any(verdict.look == "proof" and verdict.answer == YES for verdict in self.verdicts)

    def lines(self) -> list[str]:
        """The report as text, a line for each verdict."""
        lines = (
            ["at " + ", ".join(f"{name} = {_short(value)}" for name, value in self.point.items())] if self.point else []
        )
        if self.gradient is not None:
            lines.append("gradient " + ", ".join(f"{name}: {_short(value)}" for name, value in self.gradient.items()))
        width = max((len(verdict.look) for verdict in self.verdicts), default=0)
        lines += [f"{one.look:<{width}}  {one.answer:<4}  {one.detail}".rstrip() for one in self.verdicts]
        return lines

    def as_json(self) -> dict[str, Any]:
        return {
            "function": self.name,
            "ok": self.ok,
            "proved": self.proved,
            "point": {name: _plain(value) for name, value in self.point.items()},
            "gradient": None if self.gradient is None else {n: _plain(v) for n, v in self.gradient.items()},
            "verdicts": [{"look": v.look, "answer": v.answer, "detail": v.detail} for v in self.verdicts],
        }

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.name}: {'right' if self.ok else 'NOT right'}", *(f"  {line}" for line in self.lines())]
        )

    def __bool__(self) -> bool:
        return self.ok


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_short, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    with np.printoptions(precision=6, threshold=20, edgeitems=2, linewidth=100):
        if isinstance(value, float):
            return f"{value:.6g}"
        text = str(value) if isinstance(value, np.ndarray | np.generic) else repr(value)
    return " ".join(text.split())


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value if isinstance(value, int | float | str | bool) or value is None else repr(value)
