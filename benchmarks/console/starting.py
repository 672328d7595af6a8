"""From `embedding-console serve` to the first page, and from SIGTERM to the end."""

import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.console.measured import Measured
from benchmarks.console.server import serving
from benchmarks.console.visitor import Visitor

GROUP = "Start and stop"
FIRST_PAGE = 5.0
STOP = 3.0


def measure(workspace: Path, times: int) -> list[Measured]:
    """Starts with compiled files and the disk's cache warm: what people wait for every time but the first."""
    starts = [asyncio.run(_start(workspace)) for _ in range(times + 1)][1:]
    merged = []
    for lines in zip(*starts, strict=True):
        walls = [line.wall for line in lines if line.wall is not None]
        cpu = [line.cpu for line in lines if line.cpu is not None]
        merged.append(
            replace(lines[0], wall=median(walls), worst=max(walls), cpu=median(cpu) if cpu else None, times=times)
        )
    return merged


async def _start(workspace: Path) -> list[Measured]:
    with serving(workspace) as server:
        async with Visitor(server.url) as visitor:
            before = server.cpu()
            first = await visitor.open("")
            page = Measured(GROUP, "first page of all", first.seconds, server.cpu() - before, bytes=first.bytes)
            whole = server.ready + first.seconds
            stopping = await asyncio.to_thread(server.stop)
    return [
        Measured(GROUP, "until ready", server.ready, server.ready_cpu),
        page,
        Measured(GROUP, "until the first page is there", whole, server.ready_cpu + (page.cpu or 0), budget=FIRST_PAGE),
        Measured(GROUP, "stop with an open page", stopping, budget=STOP),
    ]
