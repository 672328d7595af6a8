"""Search for programs: POST /api/v1/search, GET /api/v1/route and /api/v1/collections, behind a bearer token.

Nothing here reads a cookie or allows another site's pages to ask. What is asked is counted as a search, so that polite
runs yield, and embedded as a query, which goes before what runs embed.
"""

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console_core.console import Console
from console_core.errors import (
    AliasConflict,
    CollectionNotFound,
    ConsoleError,
    DimensionMismatch,
    FingerprintMismatch,
    ImageError,
    ImageTooLarge,
    ModelError,
    ModelUnknown,
    NoTextTower,
    Refused,
    StoreDenied,
    StoreError,
    StoreRefused,
)
from console_core.web import asked, process, routed
from console_core.web.incidents import incident
from console_core.web.waiting import FOUND, held

AT_ONCE = 8
"""Requests that are worked on at once."""
MOST_WAITING = 64
"""Requests that may be in this process at once: each may hold a body of `asked.MOST_BYTES`."""

_POOL = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="search")
_HEADERS = {"cache-control": "no-store"}
_STATUS: tuple[tuple[type[ConsoleError], int], ...] = (
    (asked.TooLarge, 413),
    (ImageTooLarge, 413),
    (asked.NotUnderstood, 400),
    (ImageError, 422),
    (NoTextTower, 422),
    (ModelUnknown, 409),
    (ModelError, 503),
    (CollectionNotFound, 404),
    (AliasConflict, 409),
    (DimensionMismatch, 409),
    (FingerprintMismatch, 409),
    (StoreDenied, 503),
    (StoreRefused, 400),
    (StoreError, 503),
    (Refused, 400),
)
"""The first that fits tells an error's status; others are 503. A store that was reached refuses the question, such as a
field of `where` that its engine cannot look into, unless it does not let the console in at all."""
_TURN_ON = (
    "Turn it on under Connections, start the console with CONSOLE_API_TOKEN, or write [api] token in console.toml; "
    "see docs/search-api.md."
)
_waiting: set[Request] = set()


async def search(request: Request) -> JSONResponse:
    """The nearest points to a text or a picture."""
    if (refused := _refused(request)) is not None:
        return refused
    if len(_waiting) >= MOST_WAITING:
        return _problem(
            "Too many searches are being made at once.", "Ask again in a moment.", 503, {"retry-after": "1"}
        )
    _waiting.add(request)
    try:
        wanted = await asked.read(request)
        return await _worked_on(lambda console: _search(console, wanted))
    except ConsoleError as error:
        return _told(error)
    except ClientDisconnect:
        return _problem("Nobody waits for the answer any more.", "", 400)
    finally:
        _waiting.discard(request)


async def route(request: Request) -> JSONResponse:
    """Which collection answers a caller, for an application that searches the store itself."""
    if (refused := _refused(request)) is not None:
        return refused
    try:
        alias, key = request.query_params.get("alias", ""), asked.checked_key(request.query_params.get("key", ""))
    except ConsoleError as error:
        return _told(error)
    return await _worked_on(lambda console: routed.route(console, alias or _only_alias(console), key))


async def collections(request: Request) -> JSONResponse:
    """The collections of the store: name, model, fingerprint, dimension, points and aliases."""
    refused = _refused(request)
    return refused if refused is not None else await _worked_on(_collections)


async def _worked_on(work: Callable[[Console], dict[str, Any]]) -> JSONResponse:
    """Do it on a thread of the pool, and tell its errors."""
    console = await held()
    if console is None:
        return _problem("The console is not open yet.", "Ask again in a moment.", 503, {"retry-after": "1"})
    try:
        working = _POOL.submit(work, console)
        working.add_done_callback(lambda _: process.let_go(console))
        return JSONResponse(await asyncio.wrap_future(working), headers=_HEADERS)
    except ConsoleError as error:
        return _told(error)
    except Exception as error:
        number = incident("the search API", error)
        return _problem(f"This did not work (incident {number}).", "The server's log says why, under this number.", 500)


def _search(console: Console, wanted: asked.Asked) -> dict[str, Any]:
    with console.traffic.search():
        name = wanted.collection or _only_alias(console)
        found, way = routed.search(console, name, wanted)
    info = found.collection
    return {
        "model": info.stamp.model if info.stamp else "",
        "fingerprint": info.stamp.fingerprint if info.stamp else "",
        "collection": info.name,
        "alias": name if name != info.name else None,
        "results": [{"id": one.id, "score": one.score, "payload": dict(one.payload)} for one in found.answers],
        "took_ms": round(found.took_ms, 2),
        **routed.told(way),
    }


def _only_alias(console: Console) -> str:
    aliases = list(console.store.aliases())
    if len(aliases) == 1:
        return aliases[0]
    raise Refused(
        "No collection is named, and there is not exactly one alias to search.",
        "Name one as collection; GET /api/v1/collections lists them.",
    )


def _collections(console: Console) -> dict[str, Any]:
    return {
        "collections": [
            {
                "name": info.name,
                "model": info.stamp.model if info.stamp else None,
                "fingerprint": info.stamp.fingerprint if info.stamp else None,
                "dimension": info.dimension,
                "points": info.points,
                "aliases": list(info.aliases),
            }
            for info in console.store.collections()
        ]
    }


def _refused(request: Request) -> JSONResponse | None:
    """Why a request may not search; None where it may."""
    console: Console | None = request.scope.get(FOUND) or process.opened()
    if console is None:
        return _problem("The console is not open yet.", "Ask again in a moment.", 503, {"retry-after": "1"})
    token = console.settings.api_token
    if not token:
        return _problem("The search API is turned off.", _TURN_ON, 403)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        remedy = "Send the header Authorization: Bearer with the token that the console was started with."
        return _problem("The token is missing or wrong.", remedy, 401, {"www-authenticate": "Bearer"})
    return None


def _told(error: ConsoleError) -> JSONResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 503)
    return _problem(error.message, error.remedy, status)


def _problem(message: str, remedy: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    document = {"error": {"message": message, "remedy": remedy}}
    return JSONResponse(document, status, {**_HEADERS, **(headers or {})})


ROUTES = [
    Route("/api/v1/search", search, methods=["POST"]),
    Route("/api/v1/route", route, methods=["GET"]),
    Route("/api/v1/collections", collections, methods=["GET"]),
]
