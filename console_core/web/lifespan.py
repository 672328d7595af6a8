"""What happens when the server starts and when it stops."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from console_core.web import process

_log = logging.getLogger(__name__)

SWITCH_INTERVAL = 0.0005
"""Seconds. With Python's own 5 ms a page waits a quarter of a second behind four busy threads."""


def lifespan(warm_up: Callable[[], None]) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    """The server's life. It answers at once, and opens the Console and runs `warm_up` beside that.

    No garbage is collected meanwhile, for importing makes much that stays: that takes a third off the start. Then
    everything that is in memory is taken out of the collector's rounds.
    """

    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[dict[str, Any]]:
        sys.setswitchinterval(SWITCH_INTERVAL)
        process.allow()  # before the thread that opens it: a request may come first
        starting = asyncio.create_task(asyncio.to_thread(_start, warm_up))
        try:
            yield {}
        finally:
            await asyncio.wait([starting])
            await asyncio.to_thread(process.stop)

    return life


def _start(warm_up: Callable[[], None]) -> None:
    gc.disable()
    try:
        process.start()
        problem = process.problem()
        if problem is not None:
            _log.error("The console is not open: %s", problem)
        warm_up()
        gc.freeze()
    except Exception:
        _log.exception("Starting failed")
    finally:
        gc.enable()
