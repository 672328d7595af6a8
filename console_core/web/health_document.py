"""/health: one JSON document with the state of the parts, the collections, and what was last measured of embeddings."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console_core.console import Console
from console_core.coverage.report import CoverageReport
from console_core.coverage.stats import stats
from console_core.errors import ConsoleError
from console_core.vectorstore.types import CollectionInfo
from console_core.web import process
from console_core.web.health import OK, readiness
from console_core.web.incidents import incident

FAILING = "failing"
"""What is told of a part that is not well. Why is not: such a sentence may have a path in it (/readyz has it)."""


async def health(_request: Request) -> JSONResponse:
    """200 with `"status": "ok"`, or 503 with `"failing"` where a check is.

    Open like /metrics, which tells the same names and numbers of points: it has neither a secret nor a path, nothing of
    any one picture or user, and nothing that an application wrote. It is for monitors on the same network, which the
    host names that the server answers to bound.

    Nothing is measured for it: the ledger and the list of collections are read.
    """
    document = await asyncio.to_thread(state)
    return JSONResponse(document, 200 if document["status"] == OK else 503)


def state() -> dict[str, Any]:
    """The document. `collections` is None where they cannot be listed."""
    checks = {part: OK if answer == OK else FAILING for part, answer in readiness().items()}
    console = process.opened()
    document: dict[str, Any] = {"checks": checks, "store": None, "collections": None}
    if console is not None:
        document["store"] = {"kind": console.store.info().kind, "version": console.store.info().version}
        try:
            document["collections"] = list(_collections(console))
        except ConsoleError:
            checks["collections"] = FAILING
        except Exception as error:
            incident("health", error)
            checks["collections"] = FAILING
    return {"status": OK if all(answer == OK for answer in checks.values()) else FAILING, **document}


def _collections(console: Console) -> Iterator[dict[str, Any]]:
    for info in console.store.collections():
        newest = console.coverage.latest(info.name)
        yield {
            "name": info.name,
            "model": model_name(info),
            "dimension": info.dimension,
            "points": info.points,
            "aliases": list(info.aliases),
            "embeddings": _embeddings(newest.report) if newest is not None else None,
        }


def _embeddings(report: CoverageReport) -> dict[str, Any]:
    """The statistics of `embedding-console stats`, and when they were measured.

    Of the column, its numbers only: the names of models in it are an application's own text.
    """
    told = {name: value for name, value in stats(report).items() if name not in ("model", "collection", "column")}
    column: Mapping[str, Any] | None = report.column.stats() if report.column is not None else None
    numbers = {name: value for name, value in column.items() if name != "by_model"} if column is not None else None
    return {**told, "measured_at": report.measured_at.isoformat(), "column": numbers}


def model_name(info: CollectionInfo) -> str | None:
    """Which model made a collection, without the folder of one whose key is where its weights lie."""
    if info.stamp is None:
        return None
    key = info.stamp.model
    return PurePosixPath(key).name if ":" in key or key.startswith("/") or key.count("/") > 1 else key


ROUTES = [Route("/health", health)]
