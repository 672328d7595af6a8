"""How long the agreement board of two columns takes, and the verdict on them.

    python -m benchmarks.agreement [--queries 1000] [--k 20] [--times 5] [--json]
        [--write docs/performance.md]

The rankings share about half of their pictures. For the verdict all of them have a grade, and every query is judged.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.console.report import machine, seconds, write_section
from console_core.judging.board import board
from console_core.judging.protocol import Protocol
from console_core.judging.verdict import decide
from console_core.querylab.rankings import Query

Lists = dict[str, list[str]]
BUDGET = 2.0
"""Seconds that the board of 1,000 queries may take."""


def columns(queries: int, k: int) -> tuple[Lists, Lists, dict[str, dict[str, int]]]:
    """Two columns' rankings of so many queries, and grades of every picture in them."""
    chance = np.random.default_rng(0)
    names = [f"query {number}" for number in range(queries)]
    a, b = ({name: [f"picture {key}" for key in chance.permutation(2 * k)[:k]] for name in names} for _ in range(2))
    grades = {name: {key: int(chance.integers(4)) for key in (*a[name], *b[name])} for name in names}
    return a, b, grades


def measure(queries: int, k: int, times: int) -> dict[str, float]:
    """Seconds of each, the median of so many times; the libraries are loaded before."""
    a, b, grades = columns(queries, k)
    asked = [Query(name, name, tags=(f"tag {number % 10}",)) for number, name in enumerate(a)]
    protocol = Protocol(k=k)
    decide(protocol, protocol.digest, *columns(20, k), resamples=99)
    return {
        "board": _median(lambda: board(asked, a, b, k=k), times),
        "verdict": _median(lambda: decide(protocol, protocol.digest, a, b, grades), times),
    }


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        started = perf_counter()
        work()
        taken.append(perf_counter() - started)
    return float(np.median(taken))


def section(found: dict[str, float], queries: int, k: int, said: str) -> str:
    """The report as Markdown."""
    rows = ["| Of two columns | time | budget |", "| --- | ---: | ---: |"]
    rows.append(f"| agreement board | {seconds(found['board'])} | {seconds(BUDGET)} |")
    rows.append(f"| verdict, all queries judged | {seconds(found['verdict'])} |  |")
    return f"{queries:,} queries, top {k}; {said}.\n\n" + "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    said = machine()
    found = measure(given.queries, given.k, given.times)
    told = section(found, given.queries, given.k, said)
    print(json.dumps({"machine": said, **found}, indent=2) if given.json else told)
    if given.write:
        write_section(given.write, "benchmarks.agreement", told)


if __name__ == "__main__":
    main()
