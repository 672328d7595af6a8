"""Pictures on http and https servers."""

import contextlib
import json
from collections.abc import Mapping
from urllib.parse import urljoin

import aiohttp

from console_core.catalog.http_answers import LET_IN, is_later, refused, seconds_of, status_of
from console_core.catalog.http_transport import Transport
from console_core.catalog.names import told
from console_core.catalog.transfer import Answer, TryAgain
from console_core.catalog.web_addresses import Address, located, parsed
from console_core.errors import (
    ImageError,
    ImageForbidden,
    ImageMissing,
    ImageUnavailable,
    ImageUnreadable,
    SettingsError,
)
from console_core.settings import ImageSettings

REDIRECTS = 5
"""How often in a row a server may send us elsewhere."""
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_TOLD = 2048
"""Bytes of an error's text that are looked at."""


class HttpSource:
    """See `transfer.Source`. The servers of the roots are trusted, wherever they are, and get the configured headers.
    Where they send us is not: it gets no headers and must be at a public address."""

    def __init__(self, settings: ImageSettings) -> None:
        self.roots = tuple(root for root in settings.roots if root.startswith(("http://", "https://")))
        try:
            self._addresses = tuple(map(parsed, self.roots))
        except ValueError as error:
            raise SettingsError(
                f"One of the image roots is no address: {', '.join(self.roots)}.", "Write http(s)://host/prefix/."
            ) from error
        self._origins = {address.origin for address in self._addresses}
        self._location = ", ".join(self.roots)
        self._headers = dict(settings.http.headers)
        self._transport = Transport(settings)

    def locate(self, path: str) -> str:
        return str(located(path, self._addresses, self._location))

    async def ask(self, address: str, path: str, start: int, version: str) -> Answer:
        wanted = {"Range": f"bytes={start}-", "If-Range": version} if start else {}
        at = parsed(address)
        for _ in range(REDIRECTS + 1):
            response = await self._get(at, path, wanted)
            try:
                if response.status in (200, 206):
                    return self._transport.answer(response, at, path, start, version)
                failure = None if response.status in _ELSEWHERE else await self._failure(response, path)
                at = at if failure else self._led(at, response.headers.get("Location", ""), path)
            except BaseException:
                response.release()
                raise
            response.release()
            if failure is not None:
                raise failure
        raise ImageUnreadable(
            f"{told(path)} leads from one address to the next, more than {REDIRECTS} times.",
            "Look where the server sends a browser, and name in the catalog where the picture is.",
            path=path,
        )

    async def trouble(self, root: str) -> tuple[str, str]:
        try:
            response = await self._get(parsed(root), root, {})
        except (TryAgain, ImageError) as error:
            found = error.error if isinstance(error, TryAgain) else error
            return f"does not answer: {found.message}".rstrip("."), found.remedy
        response.release()
        said = f"answers {status_of(response)}"
        if response.status == 401:
            return said, LET_IN
        return (said, "Look at the server's own log.") if is_later(response.status) else ("", "")

    async def close(self) -> None:
        await self._transport.close()

    async def _get(self, at: Address, path: str, wanted: Mapping[str, str]) -> aiohttp.ClientResponse:
        trusted = at.origin in self._origins
        headers = {**(self._headers if trusted else {}), **wanted}
        return await self._transport.get(at, path, headers, trusted=trusted)

    def _led(self, at: Address, location: str, path: str) -> Address:
        """Where a redirect leads."""
        try:
            to = parsed(urljoin(str(at), location))
        except ValueError:  # not chained: it may hold what must not be shown
            scheme = location.partition(":")[0][:20]
            raise refused(path, f"to {scheme}:…, which is no plain http(s) address") from None
        if at.origin[0] == "https" and to.origin[0] == "http" and to.origin not in self._origins:
            raise refused(path, f"from https to http, at {to.origin[1]}")
        return to

    async def _failure(self, response: aiohttp.ClientResponse, path: str) -> Exception:
        """What a status means."""
        status, shown = response.status, f"The server answers {status_of(response)} for {told(path)}"
        if status == 400:  # there are storage servers that tell in the text what others tell by the status
            with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, TypeError, KeyError):
                status = int(json.loads(await response.content.read(_TOLD))["statusCode"])
        if status in (404, 410):
            return ImageMissing(f"{shown}: there is nothing.", "Store the picture again.", path=path)
        if status in (401, 403, 407):
            return ImageForbidden(f"{shown}: it may not be read.", LET_IN, path=path)
        if status == 416:
            return TryAgain(ImageUnavailable(f"{shown}.", "Try it again later.", path=path), afresh=True)
        if is_later(status):
            return TryAgain(
                ImageUnavailable(f"{shown}.", "Try it again later; the server's own log says why.", path=path),
                after=seconds_of(response.headers.get("Retry-After", "")),
            )
        return ImageUnreadable(f"{shown}.", "Open the address in a browser, and correct it in the catalog.", path=path)
