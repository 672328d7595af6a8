"""How long the agreement board of two columns takes, and the verdict on them.

    python -m benchmarks.agreement [--queries 1000] [--k 20] [--times 5] [--json]

The rankings share about half of their pictures. For the verdict all of them have a grade, and every query is judged.
"""

import argparse
import json
from collections.abc import Callable
from time import perf_counter

import numpy as np

from benchmarks.console.report import machine, seconds
from console_core.judging.board import board
from console_core.judging.protocol import Protocol
from console_core.judging.verdict import decide
from console_core.querylab.rankings import Query

Lists = dict[str, list[str]]


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    said = machine()
    found = measure(given.queries, given.k, given.times)
    if given.json:
        print(json.dumps({"machine": said, **found}, indent=2))
        return
    print(f"{given.queries:,} queries, top {given.k}; {said}")
    for name, value in found.items():
        print(f"{name:8} {seconds(value)}")


if __name__ == "__main__":
    main()
