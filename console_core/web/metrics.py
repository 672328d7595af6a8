"""/metrics: what the console does, as Prometheus text."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import psutil
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from console_core.console import Console
from console_core.database import now
from console_core.errors import ConsoleError
from console_core.runs.tables import runs
from console_core.runs.types import WORKING, RunState
from console_core.web import process
from console_core.web.incidents import incident
from console_core.web.routed import answered

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STARTED = time.time()

Series = tuple[Mapping[str, str], float]


async def metrics(_request: Request) -> PlainTextResponse:
    """All series; a part that does not answer is left out, and `console_up` says so."""
    text = await asyncio.to_thread(exposition, process.opened())
    return PlainTextResponse(text, media_type=CONTENT_TYPE)


def exposition(console: Console | None) -> str:
    """The text of /metrics. Reads the ledger and the store."""
    lines: list[str] = []
    up: dict[str, float] = {"ledger": 0, "store": 0, "worker": 0}
    if console is not None:
        up["worker"] = float(console.worker is not None and console.worker.alive())
        for part, read in (("ledger", _ledger), ("store", _store)):
            try:
                lines += read(console)
                up[part] = 1
            except ConsoleError:
                continue
            except Exception as error:
                incident(f"metrics of the {part}", error)
    memory = float(psutil.Process().memory_info().rss)
    lines += _answered()
    lines += _family("console_up", "gauge", "Whether a part answers.", (({"part": p}, v) for p, v in up.items()))
    lines += _family("process_resident_memory_bytes", "gauge", "Memory of this process.", [({}, memory)])
    lines += _family("process_start_time_seconds", "gauge", "When this process started.", [({}, _STARTED)])
    return "\n".join(lines) + "\n"


def _ledger(console: Console) -> Iterator[str]:
    per_state = select(runs.c.state, func.count().label("number")).group_by(runs.c.state)
    builds = select(runs.c.target, runs.c.done, runs.c.failed).where(runs.c.kind.in_(("reembed", "ingest")))
    beats = select(runs.c.id, runs.c.heartbeat).where(runs.c.state.in_([state.value for state in WORKING]))
    with console.database.reading() as connection:
        states = {row.state: row.number for row in connection.execute(per_state)}
        built = connection.execute(builds).all()
        working = connection.execute(beats).all()
    done: Counter[str] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    for row in built:
        done[row.target] += row.done
        failed.update({(row.target, kind): number for kind, number in row.failed.items()})
    yield from _family("console_runs", "gauge", "Runs by state.", (({"state": s}, states.get(s, 0)) for s in RunState))
    yield from _family(
        "console_pictures_embedded",
        "gauge",
        "Pictures that runs embedded.",
        (({"target": t}, n) for t, n in done.items()),
    )
    yield from _family(
        "console_pictures_failed",
        "gauge",
        "Pictures that runs could not embed, by class of failure.",
        (({"target": target, "class": kind}, number) for (target, kind), number in failed.items()),
    )
    yield from _family(
        "console_run_heartbeat_age_seconds",
        "gauge",
        "Seconds since the worker last recorded something of a run that it works on.",
        (({"run": row.id}, (now() - row.heartbeat).total_seconds()) for row in working if row.heartbeat),
    )
    given = console.shares.given()
    shares = [({"alias": share.alias, "collection": share.candidate}, share.percent) for share in given]
    yield from _family("console_share_percent", "gauge", "The share of an alias' traffic that a candidate has.", shares)


def _store(console: Console) -> Iterator[str]:
    points = [({"collection": info.name}, float(info.points)) for info in console.store.collections()]
    yield from _family("console_collection_points", "gauge", "Points in a collection.", points)


def _answered() -> Iterator[str]:
    counted = answered()
    for what, text in (("searches", "Searches over HTTP"), ("routes", "Questions for the way of a caller")):
        series = (
            ({"alias": one.alias, "collection": one.collection, "keyed": "yes" if one.keyed else "no"}, float(number))
            for one, number in counted.items()
            if one.what == what
        )
        yield from _family(f"console_{what}_total", "counter", f"{text}, by the collection that answers.", series)


def _family(name: str, kind: str, text: str, series: Iterable[Series]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in series:
        shown = ",".join(f'{label}="{_escaped(of)}"' for label, of in labels.items())
        yield f"{name}{{{shown}}} {value:.17g}" if shown else f"{name} {value:.17g}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


ROUTES = [Route("/metrics", metrics)]
