"""What the answers of http servers say of themselves, and what is said of those that do not come."""

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from console_core.catalog.names import told
from console_core.catalog.transfer import TryAgain
from console_core.errors import ImageForbidden, ImageUnavailable

LET_IN = "Let the console in: with headers in [images.http], such as Authorization, or by making the folder public."
_SURE = timedelta(minutes=1)
"""A file that was written so long before the answer was not written again since: its time tells its version."""


class HttpAnswer:
    """See `transfer.Answer`. `translated` makes errors ours."""

    def __init__(
        self, response: aiohttp.ClientResponse, translated: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self._response, self._translated = response, translated
        self.start, self.size = 0, response.content_length
        if response.status == 206:
            self.start, self.size = range_of(response.headers.get("Content-Range", ""))
        self.version = _version(response.headers)
        self.is_page = response.content_type in ("text/html", "application/xhtml+xml")

    async def receive(self) -> bytes:
        async with self._translated():
            return await self._response.content.readany()

    async def close(self) -> None:
        self._response.close()


def range_of(text: str) -> tuple[int, int | None]:
    """The first byte and the size of the whole, of a Content-Range; -1 where it cannot be understood."""
    unit, _, said = text.partition(" ")
    first, dash, rest = said.partition("-")
    size = rest.partition("/")[2]
    if unit != "bytes" or not dash or not first.isdigit():
        return -1, None
    return int(first), int(size) if size.isdigit() else None


def _version(headers: Mapping[str, str]) -> str:
    """What tells these bytes from any others: a strong ETag, or a time of writing that is long enough ago."""
    if tag := headers.get("ETag", ""):
        return tag if tag.startswith('"') else ""
    written = headers.get("Last-Modified", "")
    with contextlib.suppress(ValueError, TypeError):
        if parsedate_to_datetime(headers.get("Date", "")) - parsedate_to_datetime(written) >= _SURE:
            return written
    return ""


def is_later(status: int) -> bool:
    """Whether a status may be another at the next try."""
    return status in (408, 425, 429) or (status >= 500 and status not in (501, 505))


def status_of(response: aiohttp.ClientResponse) -> str:
    """A status for people."""
    return f"{response.status} {response.reason or ''}".strip()[:100]


def seconds_of(text: str) -> float | None:
    """A Retry-After: seconds, or a moment; None where there is none."""
    if text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    return None


def lost(path: str, server: str, why: str) -> TryAgain:
    return TryAgain(
        ImageUnavailable(
            f"{told(path)} did not come from {server}: {why}.",
            "Check that the server is up and can be reached from this machine, then try again.",
            path=path,
        )
    )


def refused(path: str, leads: str) -> ImageForbidden:
    """A redirect that is not followed."""
    return ImageForbidden(
        f"{told(path)} is redirected {leads}; that is not followed.",
        "Name in the catalog where the picture is, and add that to the image roots if it can be trusted.",
        path=path,
    )
