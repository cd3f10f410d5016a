"""A few hundred random programs with fixed seeds; thousands: `python -m tests.random_programs`."""

from __future__ import annotations

import pytest

from tests.random_programs.__main__ import accepted, report, run, shares
from tests.random_programs.generate import KINDS, program
from tests.random_programs.judge import judge
from tests.random_programs.shrink import shrink

# The least share that must be accepted and right: the figures this project holds itself to.
SHARES = {"scalar": 0.98, "arrays": 0.98, "functional": 0.95, "inplace": 0.80, "containers": 0.90, "mixed": 0.80}


@pytest.mark.parametrize("kind", KINDS)
def test_none_wrong_none_crashed(kind: str) -> None:
    results = run(count=25, seed=0, kind=kind)
    failed = [(made, verdict) for made, verdict in results if verdict.failed]
    assert not failed, report(results) + "\n" + failed[0][0].source + failed[0][1].detail
    assert accepted(shares(results)[kind]) >= SHARES[kind], report(results)


def test_the_same_seed_gives_the_same_program() -> None:
    for seed in range(12):
        first, second = program(seed), program(seed)
        assert first.source == second.source
        assert repr(first.args) == repr(second.args)


def test_most_programs_are_usable() -> None:
    """The generator's own quality: programs that run, stay bounded and are smooth where they are tried."""
    from tests.random_programs.judge import Expected, UnusableError, forget, limited, load

    usable = 0
    for seed in range(30):
        made = program(seed)
        f = load(made.source)
        try:
            with limited(2):
                Expected(f, made.args)
            usable += 1
        except (UnusableError, ArithmeticError):
            pass
        finally:
            forget(f)
    assert usable >= 27


def test_a_program_that_raises_is_no_test() -> None:
    made = program(0, "scalar")
    broken = type(made)(0, "scalar", "def f(x, y=1.0):\n    return [][1]\n", made.args)
    assert judge(broken).outcome == "unusable"


def test_shrinking_keeps_what_fails_and_no_more() -> None:
    source = (
        "def f(x):\n    y = x * 2.0\n    for i in range(3):\n        y = y + 1.0\n    z = bad(y)\n    return z * y\n"
    )
    small = shrink(source, lambda text: "bad(" in text and "return" in text)
    assert small == "def f(x):\n    bad(0.5)\n    return 0.5\n" or small.count("\n") <= 3
