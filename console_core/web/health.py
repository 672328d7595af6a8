"""/healthz: the process answers. /readyz: ledger, store and worker do, and if not, why."""

import asyncio
from collections.abc import Callable

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.web import process
from console_core.web.incidents import incident

OK = "ok"


async def healthz(_request: Request) -> PlainTextResponse:
    """Answers as long as the event loop turns, whatever the parts do."""
    return PlainTextResponse(OK)


async def readyz(_request: Request) -> JSONResponse:
    """200 `{"ready": true, "checks": {…}}`, or 503 with what is wrong as the value of the check."""
    checks = await asyncio.to_thread(readiness)
    ready = all(answer == OK for answer in checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


def readiness() -> dict[str, str]:
    """Each check with "ok" or what is wrong, as one sentence for a person."""
    try:
        console = process.poll()
    except ConsoleError as error:
        return {"console": str(error)}
    if console is None:
        return {"console": "The workspace is being opened."}
    return {
        "ledger": _answer(console, _ledger),
        "store": _answer(console, _store),
        "worker": _answer(console, _worker),
    }


def _answer(console: Console, check: Callable[[Console], str]) -> str:
    try:
        return check(console)
    except ConsoleError as error:
        return str(error)
    except Exception as error:
        return f"It cannot be checked (incident {incident('readiness', error)}). The server's log says why."


def _ledger(console: Console) -> str:
    with console.database.reading() as connection:
        connection.execute(text("SELECT 1"))
    return OK


def _store(console: Console) -> str:
    console.store.aliases()
    return OK


def _worker(console: Console) -> str:
    if console.worker is None:
        return "This process only looks at the workspace: it has no worker."
    return OK if console.worker.alive() else "A lane of the worker has ended. Restart the console."


ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz)]
