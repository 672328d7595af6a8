"""One question to one http server, through fsspec and aiohttp; and whatever goes wrong with it, in our words."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from fsspec.implementations.http import HTTPFileSystem

from console_core.catalog.http_answers import HttpAnswer, lost, refused
from console_core.catalog.names import told
from console_core.catalog.transfer import TryAgain, replaced, stalled
from console_core.catalog.web_addresses import Address, is_number, is_public
from console_core.errors import ImageForbidden, ImageUnavailable, ImageUnreadable, ImageUnsupported
from console_core.settings import ImageSettings


class NotPublic(OSError):
    """A host's address is not one that anybody can reach."""


class Transport:
    """Asks servers, without following where they send us. Used on the loop of fsspec only."""

    def __init__(self, settings: ImageSettings) -> None:
        self._timeout = settings.timeout
        self._trusting = _filesystem(settings, None)
        self._wary = _filesystem(settings, _PublicOnly)

    async def get(self, at: Address, path: str, headers: Mapping[str, str], *, trusted: bool) -> aiohttp.ClientResponse:
        """The answer of a server. One that is not `trusted` must be at a public address, and is connected to at exactly
        the address that was looked at.

        Raises:
            ImageForbidden: it is not, or its certificate is not good.
            ImageUnavailable: the transport was closed.
            TryAgain: it does not answer.
        """
        if not trusted and is_number(at.origin[1]) and not is_public(at.origin[1]):
            raise self._not_public(path, at)
        filesystem = self._trusting if trusted else self._wary
        session = await filesystem.set_session()
        if session.closed:
            raise ImageUnavailable(f"{told(path)} was asked for while the console closed.", "Try it again.", path=path)
        async with self._translated(path, at):
            response: aiohttp.ClientResponse = await session.get(
                filesystem.encode_url(str(at)),
                headers={"Accept-Encoding": "identity", **headers},
                allow_redirects=False,
            )
        return response

    def answer(self, response: aiohttp.ClientResponse, at: Address, path: str, start: int, version: str) -> HttpAnswer:
        """What a success holds, where it is what was asked for.

        Raises:
            ImageUnsupported, ImageUnreadable: it is not a whole picture as it is.
            TryAgain: it does not go on with what came before.
        """
        if (packed := response.headers.get("Content-Encoding", "").lower()) not in ("", "identity"):
            raise ImageUnsupported(
                f"The server sends {told(path)} packed as {packed}, although it was asked not to.",
                "Let it send pictures as they are.",
                path=path,
            )
        if response.status == 206 and not start:
            raise ImageUnreadable(
                f"The server sends a part of {told(path)} only.", "Look at the server's own log.", path=path
            )
        found = HttpAnswer(response, partial(self._translated, path, at))
        if found.start and (found.start != start or found.version != version):
            raise replaced(path)
        return found

    async def close(self) -> None:
        for filesystem in (self._trusting, self._wary):
            if filesystem._session is not None:
                await filesystem._session.close()

    @staticmethod
    def _not_public(path: str, at: Address) -> ImageForbidden:
        return refused(path, f"to {at.origin[1]}, which is not at a public address")

    @asynccontextmanager
    async def _translated(self, path: str, at: Address) -> AsyncIterator[None]:
        """Whatever aiohttp raises, in our words. Its own errors of answers are not kept: they hold what was asked."""
        server = f"{at.origin[1]}:{at.origin[2]}"
        try:
            yield
        except TimeoutError as error:
            raise TryAgain(stalled(path, self._timeout)) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise ImageForbidden(
                f"{told(path)} is not read: the certificate of {server} is not trusted ({error.certificate_error}).",
                "Renew it, or let this machine trust who issued it.",
                path=path,
            ) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, NotPublic):
                raise self._not_public(path, at) from error
            raise lost(path, server, error.os_error.strerror or str(error.os_error)) from error
        except aiohttp.ClientResponseError as error:
            raise lost(path, server, f"it does not answer as it should ({error.message[:100]})") from None
        except aiohttp.ClientPayloadError as error:
            raise lost(path, server, "it broke off in the middle") from error
        except (aiohttp.ClientError, OSError) as error:
            raise lost(path, server, "the connection was lost") from error


class _PublicOnly(AbstractResolver):
    """Names to addresses, and only to public ones: exactly these are connected to."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise NotPublic(f"{host} is at an address that is not public.")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _filesystem(settings: ImageSettings, resolver: type[AbstractResolver] | None) -> HTTPFileSystem:
    async def client(**_: object) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, resolver=resolver() if resolver else None),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.timeout, sock_read=settings.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    return HTTPFileSystem(get_client=client, encoded=True, skip_instance_cache=True)
