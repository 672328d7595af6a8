"""How long a question takes while a second person judges and a collection is built, beside one that is asked alone.

    python -m benchmarks.two_people [--workspace DIR] [--pictures 1200] [--seconds 60] [--json]
        [--write docs/performance.md]

Each person is a session of their own, through the protocol that browsers speak. A question is asked through the Query
lab, of two collections, and counts until its page is complete. Only the ratio of both 95th percentiles counts.
"""

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.console.report import machine, write_section
from benchmarks.console.server import serving
from benchmarks.console.visitor import Visitor
from benchmarks.console.workspace import MODEL, Prepared, console, opened_ledger, prepare
from console_core.runs.types import ACTIVE

PAUSE = 0.2
"""Seconds after each question, and after each grade."""
ROUNDS = 4
LOOK = 0.25
"""Seconds between two looks at a build."""
QUERY_SET, TARGET = "two people", "images__two-people"
ALONE, TOGETHER = "nothing else goes on", "a second session judges, and a collection is built"
Going = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
_NUMBERS = itertools.count()


async def measure(
    url: str, columns: list[str], evaluation: str, seconds: float, building: Going, *, pause: float = PAUSE
) -> list[dict[str, Any]]:
    """Questions for so many seconds in all while nothing else goes on, and as long beside `building` and somebody who
    judges; in turn several times, so that a neighbour on the machine disturbs both. `building` ends once it is told to.
    """
    alone, together, grades = list[float](), list[float](), list[int]()
    async with Visitor(url) as ann, Visitor(url) as bob:
        await ann.open("")
        await ann.open("query_lab", {"columns": columns, "q": "a first question"})
        await _asked(ann, seconds / 10, pause)
        await bob.open("")
        for _ in range(ROUNDS):
            alone += await _asked(ann, seconds / ROUNDS, pause)
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as beside:
                beside.create_task(_judging(bob, evaluation, pause, stop, grades))
                beside.create_task(building(stop))
                together += await _asked(ann, seconds / ROUNDS, pause)
                stop.set()
    idle = float(np.percentile(alone, 95))
    return [_line(ALONE, alone, idle, 0), _line(TOGETHER, together, idle, len(grades))]


async def _asked(ann: Visitor, seconds: float, pause: float) -> list[float]:
    """Milliseconds of questions, of which none is asked twice: an answer that is remembered tells nothing."""
    until, taken = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < until:
        taken.append((await ann.enter("lab-query", f"a red car {next(_NUMBERS)}")).seconds * 1e3)
        await asyncio.sleep(pause)
    return taken


async def _judging(bob: Visitor, evaluation: str, pause: float, stop: asyncio.Event, given: list[int]) -> None:
    await bob.open("judging", {"evaluation": evaluation, "judge": "bob"})
    while not stop.is_set():
        given.append(len(given) % 4)
        await bob.press(f"grade-{given[-1]}")
        await asyncio.sleep(pause)


def _line(what: str, taken: list[float], idle: float, grades: int) -> dict[str, Any]:
    median, late = (float(np.percentile(taken, part)) for part in (50, 95))
    return {
        "what": what,
        "questions": len(taken),
        "grades": grades,
        "p50_ms": round(median, 1),
        "p95_ms": round(late, 1),
        "of_idle_p95": round(late / idle, 2),
    }


def rebuilding(url: str, prepared: Prepared) -> Going:
    """One build after the other, each begun in the wizard by a third session."""

    async def build(stop: asyncio.Event) -> None:
        async with Visitor(url) as olga:
            await olga.open("")
            while not stop.is_set():
                target = f"{TARGET}-{next(_NUMBERS)}-{time.time_ns()}"
                await olga.open("migrations", {"view": "new", "served": "images", "model": MODEL, "target": target})
                while not olga.knows("start") and not stop.is_set():
                    await asyncio.sleep(LOOK)
                    await olga.refresh()
                if olga.knows("start"):
                    await olga.press("start")
                while _works(prepared, target):
                    await asyncio.sleep(LOOK)

    return build


def built(prepared: Prepared) -> int:
    """Pictures that were embedded in these builds."""
    with opened_ledger(prepared.folder) as (ledger, _):
        return sum(run.counts.settled for run in ledger.runs(limit=1000) if (run.target or "").startswith(TARGET))


def _works(prepared: Prepared, target: str) -> bool:
    with opened_ledger(prepared.folder) as (ledger, _):
        return bool(ledger.runs(target=target, states=ACTIVE, limit=1))


def evaluated(prepared: Prepared) -> str:
    """An evaluation with more pictures than can be judged meanwhile, made by the console's own commands."""
    folder = prepared.folder
    console(folder, "query-set", QUERY_SET, "--captions", "300")
    snapshot = console(folder, "ask", QUERY_SET, *prepared.collections[:2])["snapshot"]
    return str(console(folder, "evaluate", snapshot, "--columns", "1,2")["evaluation"])


def section(lines: list[dict[str, Any]], said: str) -> str:
    """The report as Markdown."""
    rows = [("A question while", "p50", "p95", "p95 of alone", "questions", "grades"), ("---", *["---:"] * 5)]
    for one in lines:
        times = (f"{one['p50_ms']:,.0f} ms", f"{one['p95_ms']:,.0f} ms", f"{one['of_idle_p95']:.2f}×")
        rows.append((one["what"], *times, str(one["questions"]), str(one["grades"])))
    return f"{said}.\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_people", description=about)
    parser.add_argument("--workspace", type=Path, help="an empty folder, or one of an earlier benchmark")
    parser.add_argument("--pictures", type=int, default=1200)
    parser.add_argument("--seconds", type=float, default=60, help="of each of both cases")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="two-people-") as own:
        said = machine()
        prepared = prepare(given.workspace or Path(own) / "workspace", given.pictures)
        evaluation = evaluated(prepared)
        with serving(prepared.folder) as server:
            going, columns = rebuilding(server.url, prepared), list(prepared.collections[:2])
            before = built(prepared)
            lines = asyncio.run(measure(server.url, columns, evaluation, given.seconds, going))
            said = f"{built(prepared) - before:,} pictures were embedded meanwhile. {said}"
    print(json.dumps({"machine": said, "lines": lines}, indent=2) if given.json else section(lines, said))
    if given.write:
        write_section(given.write, "benchmarks.two_people", section(lines, said))


if __name__ == "__main__":
    main()
