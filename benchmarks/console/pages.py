"""Page changes: from another page to this one, in one session, with everything in memory."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from statistics import median

import httpx

from benchmarks.console.measured import Measured
from benchmarks.console.server import Server
from benchmarks.console.visitor import Query, Visitor
from benchmarks.console.workspace import MODEL, Prepared
from console_core import settings

GROUP = "Page change"
BUDGET = 0.300
SETTLING = 0.05
"""Seconds after an answer until what the server still does for it is done."""
AT_ONCE = 6
"""Connections that a browser opens to one server."""


async def measure(server: Server, prepared: Prepared, times: int) -> list[Measured]:
    """Every page of the menu, those that show one thing, and all pictures that they showed, at first not yet made."""
    shutil.rmtree(settings.read(prepared.folder).cache / "thumbnails", ignore_errors=True)
    async with Visitor(server.url) as visitor:
        await visitor.open("")
        names = visitor.pages
        lines = [await _first_question(server, visitor)]
        lines += [await _change(server, visitor, name or "overview", name, {}, times) for name in names]
        for title, page, query in _full(prepared):
            if page in names:
                lines.append(await _change(server, visitor, title, page, query, times))
        addresses = sorted(visitor.thumbnails)
    titles = ("first time", "again") if addresses else ()
    return [*lines, *[await _pictures(server, title, addresses) for title in titles]]


def _full(prepared: Prepared) -> Sequence[tuple[str, str, Query]]:
    if not prepared.collections:
        return ()
    collection = prepared.collections[-1]
    columns = prepared.columns[:4]
    chosen = {"view": "new", "served": "images", "model": MODEL}
    late = {"collection": collection, "after": prepared.late, "before": str(prepared.pictures - 100)}
    return (
        ("one collection, its points", "collections", {"collection": collection}),
        ("one collection, its last points", "collections", late),
        ("new migration, preflight", "migrations", chosen),
        ("new migration, of a part", "migrations", {**chosen, "only.user_id": "amelie"}),
        ("one migration", "migrations", {"migration": prepared.migration}),
        ("one run", "runs", {"run": prepared.run}),
        ("failures of one collection", "failures", {"collection": collection}),
        ("coverage, embedded pictures", "coverage", {"collection": collection, "status": "embedded"}),
        ("query lab, the most answers", "query_lab", {"q": "a red car", "columns": columns, "limit": "48"}),
    )


async def _first_question(server: Server, visitor: Visitor) -> Measured:
    """The Query lab loads the models that it asks, once in the server's life, and says so meanwhile."""
    before = server.cpu()
    answer = await visitor.open("query_lab")
    name = "query lab for the first time: models are loaded"
    return Measured(GROUP, name, answer.seconds, server.cpu() - before, bytes=answer.bytes)


async def _change(server: Server, visitor: Visitor, title: str, page: str, query: Query, times: int) -> Measured:
    away = next(name for name in visitor.pages if name != page)
    shown = (await visitor.open(page, query)).thumbnails
    walls, cpu, size = [], [], 0
    for _ in range(times):
        await visitor.open(away)
        await asyncio.sleep(SETTLING)
        before = server.cpu()
        answer = await visitor.open(page, query)
        await asyncio.sleep(SETTLING)
        cpu.append(server.cpu() - before)
        walls.append(answer.seconds)
        size = answer.bytes
    return Measured(GROUP, title, median(walls), median(cpu), max(walls), size, times, shown, BUDGET)


async def _pictures(server: Server, title: str, addresses: Sequence[str]) -> Measured:
    """All thumbnails that were seen, as a browser fetches them."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    before, began = server.cpu(), time.perf_counter()
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60) as client:
        answers = await asyncio.gather(*(client.get(address) for address in addresses))
    wall = time.perf_counter() - began
    await asyncio.sleep(SETTLING)
    size = sum(len(answer.content) for answer in answers)
    broken = sum(answer.status_code not in (200, 404, 422) for answer in answers)
    if broken:
        raise RuntimeError(f"{broken} thumbnails were refused")
    name = f"{len(addresses)} thumbnails, {title}"
    return Measured(GROUP, name, wall, server.cpu() - before, bytes=size, thumbnails=len(addresses))
