"""Live parts refreshing themselves at their own pace, while a run is in progress."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from statistics import median

from benchmarks.console.measured import Measured
from benchmarks.console.pages import SETTLING
from benchmarks.console.server import Server
from benchmarks.console.visitor import Answer, Query, Visitor
from console_core.ui.run_rows import TICK

GROUP = "Live tick"
BUDGET = 0.010
BEHIND = 2.0
"""Seconds that the board may be behind the ledger: one pause between two ticks, and a tick."""
CROWDS = (1, 10, 30)


async def measure(server: Server, run: str, seconds: float, crowds: Sequence[int] = CROWDS) -> list[Measured]:
    """Each live part of the pages that have one, then crowds before the board of runs."""
    idle = await _idle(server, seconds)
    lines = [Measured(GROUP, "server with nobody there, a second", cpu=idle)]
    for title, page, query in (("overview", "", {}), ("board of runs", "runs", {}), ("one run", "runs", {"run": run})):
        lines += await _parts(server, title, page, query, idle, seconds)
    crowded = [await _crowd(server, crowd, idle, seconds) for crowd in crowds]
    return [*lines, *crowded, *map(_behind, crowded[-1:])]


async def _idle(server: Server, seconds: float) -> float:
    """What the server spends in a second on itself. It is taken off what the ticks cost."""
    await asyncio.sleep(1)
    before = server.cpu()
    await asyncio.sleep(seconds)
    return (server.cpu() - before) / seconds


async def _parts(server: Server, title: str, page: str, query: Query, idle: float, seconds: float) -> list[Measured]:
    lines = []
    async with Visitor(server.url) as visitor:
        await visitor.open("")
        opened = await visitor.open(page, query)
        for fragment, every in opened.fragments.items():
            name = f"{title}, every {every:g} s"
            lines.append(await _ticking(server, name, [(visitor, fragment)], every, idle, max(seconds, every)))
    return lines


async def _crowd(server: Server, crowd: int, idle: float, seconds: float) -> Measured:
    async with AsyncExitStack() as open_tabs:
        tabs = []
        for _ in range(crowd):
            visitor = await open_tabs.enter_async_context(Visitor(server.url))
            opened = await visitor.open("runs")
            (fragment, every), *_ = opened.fragments.items()
            tabs.append((visitor, fragment))
        return await _ticking(
            server, f"board of runs, {crowd} {'tab' if crowd == 1 else 'tabs'}", tabs, every, idle, seconds
        )


def _behind(board: Measured) -> Measured:
    wall = board.wall or 0.0
    return replace(
        board,
        name="board behind the ledger, at most",
        wall=TICK + wall,
        worst=TICK + (board.worst or 0),
        cpu=None,
        bytes=None,
        budget=BEHIND,
        judged="worst",
    )


async def _ticking(
    server: Server, name: str, tabs: list[tuple[Visitor, str]], every: float, idle: float, seconds: float
) -> Measured:
    async def tick(place: int, visitor: Visitor, fragment: str) -> list[Answer]:
        answers, due = [], began + every * place / len(tabs)
        while due < began + seconds:
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            answers.append(await visitor.tick(fragment))
            due += every
        return answers

    await asyncio.sleep(SETTLING)
    before, began = server.cpu(), time.perf_counter()
    found = await asyncio.gather(*(tick(place, *tab) for place, tab in enumerate(tabs)))
    await asyncio.sleep(max(began + seconds - time.perf_counter(), SETTLING))
    took = time.perf_counter() - began
    answers = [answer for some in found for answer in some]
    cpu = (server.cpu() - before - idle * took) / len(answers)
    walls = [answer.seconds for answer in answers]
    size = round(median(answer.bytes for answer in answers))
    return Measured(GROUP, name, median(walls), cpu, max(walls), size, len(answers), 0, BUDGET, "cpu")
