"""Searches of programs while settings are changed: they wait for the Console that is being opened, for a while."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from console_core.console import Console
from console_core.web import process

PATIENCE = 8.0
"""Seconds that a request waits; then it is answered that the console is not open."""
PATHS = "/api/v1/"
FOUND = "console"
_LOOK = 0.02


async def held() -> Console | None:
    """The Console, held for its user until `process.let_go`, as soon as it is open; None where it is not being opened,
    or takes longer than a request waits. The event loop goes on meanwhile."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while (console := process.hold()) is None:
        if not process.is_opening() or asyncio.get_running_loop().time() > end:
            return None
        await asyncio.sleep(_LOOK)
    return console


class WaitsForConsole:
    """Lets requests of the search API begin once there is a Console; nothing of their bodies is read before.

    `scope[FOUND]` is that Console, whose settings say who may search. It may be closed by the time that one works.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATHS) and (console := await held()) is not None:
            process.let_go(console)
            scope[FOUND] = console
        await self.app(scope, receive, send)
