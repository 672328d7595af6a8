"""What went wrong inside Qdrant's client, in our words: which error, what to do, and whether trying again may help."""

import errno
import json
import re
import sqlite3
from dataclasses import dataclass

import grpc  # type: ignore[import-untyped]
import httpx
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from console_core.errors import (
    CollectionExists,
    DimensionMismatch,
    StoreDenied,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore import refusals

UNREACHABLE, TIMED_OUT, NOT_QDRANT, LOCAL = -1, -2, -3, -4
_AGAIN = frozenset({UNREACHABLE, TIMED_OUT, 408, 429, 500, 502, 503, 504})
_FULL = ("no space left on device", "database or disk is full", "insufficient storage", "disk quota exceeded")
NO_ROOM_FOR_THE_LOG = "SQLITE_IOERR_SHMSIZE"
"""SQLite calls it a "disk I/O error" when a full disk has no room for the index of its log."""
_GRPC = {
    grpc.StatusCode.UNAVAILABLE: UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: TIMED_OUT,
    grpc.StatusCode.CANCELLED: TIMED_OUT,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.OUT_OF_RANGE: 413,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.UNIMPLEMENTED: NOT_QDRANT,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as an HTTP status or one of the words above, what the store said, and the seconds it asked to wait."""

    status: int
    said: str
    wait: float | None = None

    @property
    def worth_another_try(self) -> bool:
        return self.status in _AGAIN and not _mentions(self.said, *_FULL)


def answer(error: Exception) -> Answer:
    """What an exception of Qdrant's client means."""
    if isinstance(error, UnexpectedResponse):
        said, genuine = _said(error.content)
        status = error.status_code or 500
        return Answer(NOT_QDRANT if status == 404 and not genuine else status, said or error.reason_phrase)
    if isinstance(error, ResourceExhaustedResponse):
        return Answer(429, error.message, float(error.retry_after_s))
    if isinstance(error, QdrantException):  # a Retry-After that is a date, not seconds
        return Answer(429, str(error))
    if isinstance(error, ResponseHandlingException):
        return _unanswered(error.source)
    if isinstance(error, json.JSONDecodeError):
        return Answer(NOT_QDRANT, str(error))
    if isinstance(error, grpc.RpcError):
        code, details = error.code(), str(error.details() or "")
        too_large = _mentions(details, "larger than max", "message too large")
        return Answer(413 if too_large else _GRPC.get(code, 400), details)
    return Answer(LOCAL, str(error) or type(error).__name__)


def _unanswered(source: Exception) -> Answer:
    if isinstance(source, httpx.TimeoutException):
        return Answer(TIMED_OUT, str(source))
    if isinstance(source, ValidationError | ValueError):
        return Answer(NOT_QDRANT, str(source).splitlines()[0])
    return Answer(UNREACHABLE, str(source) or type(source).__name__)


def _said(content: bytes) -> tuple[str, bool]:
    """The error in an answer's body, and whether it is written the way Qdrant writes errors."""
    try:
        status = json.loads(content)["status"]
        return str(status["error"]), True
    except (ValueError, KeyError, TypeError):
        return content[:200].decode("utf-8", "replace").strip(), False


def translated(error: Exception, place: str, name: str = "") -> StoreError:
    """The `StoreError` for any exception of Qdrant's client. `place` is the store for people, `name` the collection."""
    if isinstance(error, StoreError):
        return error
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    full = full or getattr(error, "sqlite_errorname", "") == NO_ROOM_FOR_THE_LOG
    found = answer(error)
    said = found.said.rstrip(".!")
    if full or found.status == 507 or _mentions(said, *_FULL):
        return StoreFull(
            f"{place} has no space left: {said}.",
            "Free disk space or add some, then resume; what was acknowledged is kept.",
        )
    if found.status == LOCAL:
        return _from_this_machine(error, said, place, name)
    return _from_a_server(found.status, said, place, name)


def _from_a_server(status: int, said: str, place: str, name: str) -> StoreError:
    if status == UNREACHABLE:
        return StoreUnavailable(
            f"{place} cannot be reached: {said}.",
            "Check that Qdrant runs there, that host, port and http or https are right (REST listens on 6333, gRPC "
            "on 6334), and that no firewall lies between.",
        )
    if status in (TIMED_OUT, 408):
        return StoreUnavailable(
            f"{place} did not answer in time.",
            "Check its load and the network; raise timeout in [store] of console.toml if its answers are slow.",
        )
    if status == NOT_QDRANT:
        return StoreDenied(f"{place} answers, but not like Qdrant: {said}.", "Check the store's URL, port and path.")
    if status == 401:
        return StoreDenied(
            f"{place} wants an API key, or another one: {said}.",
            "Set CONSOLE_STORE_API_KEY to a key of this server and start again.",
        )
    if status == 403:
        return StoreDenied(f"{place} forbids this: {said}.", "Use an API key that may write to this collection.")
    if status == 413:
        return StoreRefused(
            f"{place} refuses a request of this size: {said}.",
            "Use a smaller batch, or raise max_request_size_mb on the server or its proxy.",
        )
    if status == 429:
        return StoreUnavailable(f"{place} is busy: {said}.", "Wait a little, or raise the server's rate limit.")
    if status >= 500:
        return StoreUnavailable(f"{place} failed with status {status}: {said}.", "Look into the server's log.")
    return _from_its_words(said, place, name, status)


def _from_its_words(said: str, place: str, name: str, status: int = 0) -> StoreError:
    if status == 404 or re.search(r"collection .*(doesn't exist|not found)", said, re.IGNORECASE):
        return refusals.not_found(name, place)
    if status == 409 or _mentions(said, "already exists"):
        return CollectionExists(f'"{name}" is taken in {refusals.within(place)}: {said}.', "Choose another name.")
    if _mentions(said, "dimension error", "expected dim"):
        return DimensionMismatch(
            f'The collection "{name}" has vectors of another length: {said}.', "Use the model that made the collection."
        )
    if _mentions(said, "index required"):
        return StoreRefused(
            f"{place} filters by indexed fields only: {said}.", "Create a payload index for the field on the server."
        )
    return StoreRefused(f"{place} refused: {said}.", "Change the request as the store's words say.")


def _from_this_machine(error: Exception, said: str, place: str, name: str) -> StoreError:
    if isinstance(error, PermissionError) or _mentions(said, "readonly database"):
        return StoreUnavailable(
            f"{place} may not be written: {said}.", "Give this user write permission to the folder and its files."
        )
    if isinstance(error, OSError | sqlite3.Error):
        return StoreUnavailable(
            f"{place} cannot be used: {said}.", "Check the folder and its disk, then open it again."
        )
    if isinstance(error, RuntimeError) and _mentions(said, "closed"):
        return StoreUnavailable(f"{place} is closed.", "Open it again.")
    if isinstance(error, RuntimeError) and _mentions(said, "already accessed"):
        return in_use(place)
    return _from_its_words(said, place, name)


def in_use(place: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{place} is open already: another process has it, the console or another command, or a notebook or script.",
        "Stop that one, or do the same in the console that has it open; several at a time need a Qdrant server.",
    )


def _mentions(text: str, *words: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in words)
