"""What went wrong between the console and PostgreSQL, in our words, and whether trying again may help."""

from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import TimeoutError as NoConnectionFree

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

_DENIED = (
    ("password authentication failed", "Check the role and its password: in the URL, or CONSOLE_STORE_API_KEY."),
    ("no password supplied", "Set CONSOLE_STORE_API_KEY to the role's password."),
    ("no pg_hba.conf entry", "Let pg_hba.conf of the server admit this role from this machine, or ask for TLS."),
    ("authentication failed", "Check how the server wants this role to prove itself (pg_hba.conf)."),
    ("does not exist", "Check the names of the database and the role in the store's URL."),
    ("permission denied for database", "Grant CONNECT on the database to the role in the store's URL."),
)
_LOST_NOTHING = frozenset({"55P03", "40001", "40P01"})
"""Lock timeouts, serialization failures and deadlocks: the transaction was rolled back as a whole."""
_AGAIN = ("08", "40", "57P")
"""Classes of errors that pass: lost connections, conflicts, a server that starts or stops."""
NO_EXTENSION = "Let a superuser run CREATE EXTENSION vector; in the database, once pgvector is installed on the server."


class NotConnected(Exception):
    """No connection could be had, so nothing was asked; the error of the driver or its pool is its cause."""


class NotAnswered(Exception):
    """The server neither answered nor hung up, so the console did."""


@dataclass(frozen=True, slots=True)
class Cause:
    """An error of the driver: its SQLSTATE ("" without), what was said, and whether it came while connecting."""

    state: str
    said: str
    connecting: bool = False

    @property
    def worth_another_try(self) -> bool:
        if self.connecting:
            return _denial(self.said) is None
        return not self.state or self.state.startswith(_AGAIN) or self.state in ("53300", "55P03", "57014")

    @property
    def changed_nothing(self) -> bool:
        """Whether it is certain that nothing was changed."""
        return self.connecting or self.state in _LOST_NOTHING


def cause_of(error: Exception) -> Cause | None:
    """What an error of the driver or its pool means; None for any other error."""
    if isinstance(error, NotAnswered):
        return Cause("57014", "no answer")
    connecting = isinstance(error, NotConnected)
    found = error.__cause__ if connecting else error
    if isinstance(found, NoConnectionFree):
        return Cause("53300", "all connections of the console are busy", connecting)
    found = getattr(found, "orig", None) or found
    if not isinstance(found, psycopg.Error):
        return None
    said = found.diag.message_primary or str(found) or type(found).__name__
    return Cause(found.sqlstate or "", " ".join(said.split()).rstrip(".!"), connecting)


def translated(error: Exception, place: str, name: str = "", secret: str = "") -> StoreError | None:
    """The `StoreError` for an error of the driver; None for any other error. `place` is the store for people."""
    found = cause_of(error)
    if found is None:
        return None
    said = found.said.replace(secret, "…") if secret else found.said
    if found.connecting or not found.state or found.state.startswith("08"):
        if isinstance(error, psycopg.DataError | psycopg.ProgrammingError):  # the driver itself could not send it
            return StoreRefused(f"{place} cannot be given this: {said}.", "Change it as these words say.")
        return _unreachable(said, place, found.connecting)
    return _by_state(found.state, said, place, name)


def _unreachable(said: str, place: str, connecting: bool) -> StoreError:
    if connecting and (remedy := _denial(said)):
        return StoreDenied(f"{place} does not let the console in: {said}.", remedy)
    if "timeout expired" in said:
        return StoreUnavailable(f"{place} did not answer in time.", "Check host, port, network and firewall.")
    what = "cannot be reached" if connecting else "stopped answering"
    return StoreUnavailable(
        f"{place} {what}: {said}.", "Check that PostgreSQL runs there, and host, port and network; then try again."
    )


def _denial(said: str) -> str | None:
    return next((remedy for words, remedy in _DENIED if words in said), None)


def _by_state(state: str, said: str, place: str, name: str) -> StoreError:
    match state:
        case "53100" | "53400":
            return StoreFull(
                f"{place} has no space left: {said}.",
                "Free disk space or add some on the server, then resume; what was acknowledged is kept.",
            )
        case "57014":
            return StoreUnavailable(
                f"{place} did not answer in time.",
                "Check its load; raise timeout in [store] of console.toml if its answers are slow.",
            )
        case "55P03":
            return StoreUnavailable(
                f"{place} is held up by another session: {said}.",
                "Look into pg_stat_activity for a long transaction, end it, and try again.",
            )
        case "42501":
            return StoreDenied(f"{place} forbids this: {said}.", "Grant the role what it needs, or use another role.")
        case "25006":
            return StoreDenied(
                f"{place} takes no writes: {said}.",
                "Connect to the primary server, or set default_transaction_read_only to off for this role.",
            )
        case "42P01" | "3F000":
            if name:
                return refusals.not_found(name, place)
            return StoreUnavailable(f"{place} lacks a table: {said}.", "Try again.")
        case "42P07" | "23505":
            return CollectionExists(f'"{name}" is taken in {refusals.within(place)}: {said}.', "Choose another name.")
        case "2BP01":
            return StoreRefused(f"{place} refused: {said}.", "Drop what depends on it first; psql's \\d+ shows it.")
        case "42704" | "42883" if "vector" in said or "halfvec" in said:
            return StoreDenied(f"{place} has no pgvector extension, or an old one: {said}.", NO_EXTENSION)
    if state == "22000" and "dimensions" in said:
        return DimensionMismatch(
            f'The collection "{name}" has vectors of another length: {said}.', "Use the model that made the collection."
        )
    if state.startswith("28") or state == "3D000":
        return StoreDenied(f"{place} does not let the console in: {said}.", _denial(said) or _DENIED[0][1])
    if state.startswith(("40", "53", "57", "58", "XX")):
        return StoreUnavailable(f"{place} failed: {said}.", "Look into the server's log; then try again.")
    return StoreRefused(f"{place} refused: {said}.", "Change the request as the store's words say.")
