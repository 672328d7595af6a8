"""One picture on its way from a server: asked for, received, and where it breaks off, gone on with."""

import asyncio
import io
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from console_core.catalog.local_files import MEBIBYTE
from console_core.catalog.names import told
from console_core.catalog.types import UNTOLD
from console_core.errors import ImageEmpty, ImageError, ImageTimeout, ImageTooLarge, ImageUnavailable, ImageUnsupported

FIRST_PAUSE = 0.25
"""Seconds before the second try; twice as many before each further one."""
LONGEST_PAUSE = 60.0
"""Seconds for which a server that says "later" is obeyed."""
SLOWEST = 1024
"""Bytes a second; what comes slower for as long as the timeout does not come."""


class TryAgain(Exception):
    """A transfer came to nothing, and may succeed at the next try.

    `error` is what is told where that was the last one. `after` is for how many seconds the server wants to be left
    alone. `afresh`: what was received so far cannot be gone on with.
    """

    def __init__(self, error: ImageError, *, after: float | None = None, afresh: bool = False) -> None:
        super().__init__(error.message)
        self.error, self.after, self.afresh = error, after, afresh


class Answer(Protocol):
    """A server's answer, whose bytes are still to come.

    They are those from `start` on of a picture of `size` bytes, where that is told. `version` tells these bytes for
    certain from any others that the address may lead to, "" where the server says nothing of the kind. `is_page`: the
    server says that they are a page for people.
    """

    start: int
    size: int | None
    version: str
    is_page: bool

    async def receive(self) -> bytes:
        """The next bytes; b"" after the last.

        Raises:
            TryAgain: they do not come.
        """
        ...

    async def close(self) -> None:
        """Nothing more is wanted of it."""
        ...


class Source(Protocol):
    """A kind of server, as a transfer needs it. Used on the loop of fsspec only."""

    @property
    def roots(self) -> tuple[str, ...]: ...

    def locate(self, path: str) -> str:
        """The address of a path, which lies in one of the roots. Of any thread.

        Raises:
            ImageForbidden: it leads outside all of them.
            ImageMissing: nothing can have that name.
        """
        ...

    async def ask(self, address: str, path: str, start: int, version: str) -> Answer:
        """Ask for what is at an address: from `start` on where it still is that version, else from its beginning.

        Raises:
            ImageError: it cannot be had; `path` is the one that was asked for.
            TryAgain: it cannot be had now.
        """
        ...

    async def trouble(self, root: str) -> tuple[str, str]:
        """See `ImageStore`."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one transfer: seconds without progress, tries after the first, and bytes."""

    timeout: float
    retries: int
    most: int


class Gate:
    """Shut for as long as a server wants to be left alone, by whomever of us."""

    def __init__(self) -> None:
        self._until = 0.0

    def shut(self, seconds: float) -> None:
        self._until = max(self._until, time.monotonic() + seconds)

    async def passed(self) -> None:
        while (left := self._until - time.monotonic()) > 0:
            await asyncio.sleep(left)


class Transfer:
    """A picture that is being received. `begin` receives as much of it as tells how large it is, `finish` the rest."""

    def __init__(self, source: Source, path: str, address: str, limits: Limits, gate: Gate) -> None:
        self._source, self._path, self._address, self._limits, self._gate = source, path, address, limits, gate
        self._data = io.BytesIO()
        self._answer: Answer | None = None
        self._version = ""
        self._is_page = False
        self._failed = 0
        self.size: int | None = None
        """Bytes of the whole picture, where the server told."""
        self.complete = False

    @property
    def received(self) -> int:
        return self._data.tell()

    async def begin(self) -> None:
        """Receive the beginning: the size where it is told, else up to `UNTOLD` bytes.

        Raises:
            ImageError: it cannot be had.
        """
        await self._persist(self._beginning)

    async def finish(self) -> None:
        """Receive what is left.

        Raises:
            ImageError: it cannot be had.
        """
        await self._persist(self._rest)

    async def hang_up(self) -> None:
        """Let go of the connection. Safe to call twice."""
        answer, self._answer = self._answer, None
        if answer is not None:
            await answer.close()

    def picture(self) -> bytes:
        """The bytes, of a transfer that is complete.

        Raises:
            ImageEmpty: there is none.
            ImageUnsupported: they are a page for people.
        """
        data = self._data.getvalue()
        if not data:
            raise ImageEmpty(f"{told(self._path)} is an empty file.", "Store the picture again.", path=self._path)
        if self._is_page and data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise ImageUnsupported(
                f"The server answers with a page for people instead of {told(self._path)}.",
                "Open the address in a browser: it may be a login or an error page that calls itself a success.",
                path=self._path,
            )
        return data

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await work()
            except TryAgain as reason:
                await self.hang_up()
                await self._pause(reason)

    async def _pause(self, reason: TryAgain) -> None:
        """Wait before the next try, or say that there is none."""
        self._failed += 1
        if reason.afresh:
            self._forget()
        if self._failed > self._limits.retries:
            times = f" It was tried {self._failed} times." if self._limits.retries else ""
            error = type(reason.error)(f"{reason.error.message}{times}", reason.error.remedy, path=self._path)
            raise error from (reason.__cause__ or reason)
        if reason.after is not None:
            self._gate.shut(min(reason.after, LONGEST_PAUSE))
        pause = min(FIRST_PAUSE * 2 ** (self._failed - 1), LONGEST_PAUSE)
        await asyncio.sleep(pause * random.uniform(0.5, 1))

    def _forget(self) -> None:
        self._data, self._version, self.size = io.BytesIO(), "", None

    async def _ask(self) -> Answer:
        if self._answer is None:
            await self._gate.passed()
            if not self._version:  # what came next might be of another picture
                self._forget()
            answer = await self._source.ask(self._address, self._path, self.received, self._version)
            self._answer, self._is_page = answer, answer.is_page
            if not answer.start:
                self._forget()
                self._version, self.size = answer.version, answer.size
            elif answer.start != self.received or answer.size not in (None, self.size):
                raise replaced(self._path)
            self._check(self.size or 0)
        return self._answer

    async def _beginning(self) -> None:
        await self._ask()
        if self.size is None:
            await self._receive(UNTOLD)

    async def _rest(self) -> None:
        if not self.complete:
            await self._receive()

    async def _receive(self, enough: float = float("inf")) -> None:
        answer = await self._ask()
        since, before = time.monotonic(), self.received
        while not self.complete and self.received < enough:
            if part := await answer.receive():
                self._data.write(part)
                self._check(self.received)
                now = time.monotonic()
                if now - since >= self._limits.timeout:
                    if self.received - before < SLOWEST * (now - since):
                        raise TryAgain(stalled(self._path, self._limits.timeout))
                    since, before = now, self.received
            elif self.size is not None and self.received < self.size:
                raise TryAgain(self._broken_off())
            else:
                self.complete = True
                await self.hang_up()

    def _check(self, size: int) -> None:
        if size > self._limits.most:
            raise ImageTooLarge(
                f"{told(self._path)} has {size / MEBIBYTE:.1f} MiB or more, and at most "
                f"{self._limits.most / MEBIBYTE:g} MiB are read.",
                "Store a smaller version of this picture, or raise largest in [images].",
                path=self._path,
            )

    def _broken_off(self) -> ImageUnavailable:
        return ImageUnavailable(
            f"{told(self._path)} broke off after {self.received:,} of {self.size or 0:,} bytes.",
            "Try again; where it breaks off each time, the server has it damaged.",
            path=self._path,
        )


def replaced(path: str) -> TryAgain:
    return TryAgain(
        ImageUnavailable(f"{told(path)} was replaced while it was read.", "Try it again later.", path=path), afresh=True
    )


def stalled(path: str, timeout: float) -> ImageTimeout:
    return ImageTimeout(
        f"{told(path)} did not arrive: nothing, or next to nothing, came for {timeout:g} s.",
        "Try again later; for a slow connection raise timeout in [images], or lower at_once.",
        path=path,
    )
