"""`python -m tests.random_programs`: many programs, the counts, and the first failures made small."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.random_programs.generate import KINDS, Program, program
from tests.random_programs.judge import Verdict, judge
from tests.random_programs.shrink import shrink


def run(count: int, seed: int, kind: str | None = None) -> list[tuple[Program, Verdict]]:
    """The programs `seed`, `seed + 1`, … and what became of each."""
    return [(made, judge(made)) for made in (program(number, kind) for number in range(seed, seed + count))]


def shares(results: list[tuple[Program, Verdict]]) -> dict[str, Counter[str]]:
    """Outcomes by kind of program."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for made, verdict in results:
        table[made.kind][verdict.outcome] += 1
        table["all"][verdict.outcome] += 1
    return table


def accepted(outcomes: Counter[str]) -> float:
    """The share that is right, of the usable ones."""
    usable = sum(outcomes.values()) - outcomes["unusable"]
    return outcomes["right"] / usable if usable else 1.0


def report(results: list[tuple[Program, Verdict]]) -> str:
    columns = ("right", "wrong", "crashed", "refused", "unusable")
    lines = [f"{'kind':<12}" + "".join(f"{column:>10}" for column in columns) + f"{'accepted':>10}"]
    table = shares(results)
    for kind in [kind for kind in KINDS if kind in table] + ["all"]:
        counts = "".join(f"{table[kind][column]:>10}" for column in columns)
        lines.append(f"{kind:<12}{counts}{100 * accepted(table[kind]):>9.1f}%")
    for outcome in columns[1:]:
        reasons = Counter(short(verdict) for _, verdict in results if verdict.outcome == outcome)
        lines += [f"{outcome:<9} {times:>4} × {reason}" for reason, times in reasons.most_common(12)]
    return "\n".join(lines)


def short(verdict: Verdict) -> str:
    """The reason; of a refusal, without the check that met it."""
    return verdict.reason.split(": ", 1)[-1] if verdict.outcome == "refused" else verdict.reason


def minimised(made: Program, verdict: Verdict, most: int = 600) -> Program:
    """The smallest program found that fails for the same reason."""

    def still_fails(source: str) -> bool:
        other = judge(dataclasses.replace(made, source=source), only=verdict.reason)
        return (other.outcome, other.reason) == (verdict.outcome, verdict.reason)

    return dataclasses.replace(made, source=shrink(made.source, still_fails, most))


def failures(results: list[tuple[Program, Verdict]], outcomes: tuple[str, ...]) -> list[tuple[Program, Verdict]]:
    """One for each outcome and reason, the shortest."""
    chosen: dict[tuple[str, str], tuple[Program, Verdict]] = {}
    for made, verdict in results:
        if verdict.outcome in outcomes:
            known = chosen.get((verdict.outcome, verdict.reason))
            if known is None or len(made.source) < len(known[0].source):
                chosen[verdict.outcome, verdict.reason] = made, verdict
    return list(chosen.values())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first program")
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--show", type=int, default=5, help="how many failures to make small and print")
    parser.add_argument("--refused", action="store_true", help="make refused programs small, too")
    parser.add_argument("--save", type=Path, help="a folder to write the small ones into")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    results = run(options.count, options.seed, options.kind)
    print(report(results))
    print(f"{time.perf_counter() - started:.0f} s")
    outcomes = ("wrong", "crashed", *(("refused",) if options.refused else ()))
    for made, verdict in failures(results, outcomes)[: options.show]:
        small = minimised(made, verdict)
        final = judge(small, only=verdict.reason)
        text = script(small, final)
        print(f"\n{'-' * 100}\n{text}")
        if options.save:
            options.save.mkdir(exist_ok=True, parents=True)
            (options.save / f"{final.outcome}_{made.kind}_{made.seed}.py").write_text(text)
    return 1 if any(verdict.failed for _, verdict in results) else 0


def script(made: Program, verdict: Verdict) -> str:
    """The program as a file that shows its failure when it is run from the root of the project."""
    quoted = "\n".join("# " + line for line in verdict.detail.splitlines())
    shown = "from numpy import array\n" if "array" in repr(made.args) else ""
    return (
        f"# {verdict.outcome}: {verdict.reason}   (kind {made.kind}, seed {made.seed})\n{quoted}\n{made.source}\n\n"
        f'if __name__ == "__main__":\n    {shown and shown.strip() + chr(10) + "    "}import inspect\n'
        f"    from tests.random_programs.generate import Program\n"
        f"    from tests.random_programs.judge import judge\n\n    import sys\n\n"
        f"    args = {made.args!r}\n"
        f"    source = inspect.getsource(sys.modules[__name__]).split('if __name__')[0]\n"
        f"    print(judge(Program(0, 'mixed', source, args)))\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
