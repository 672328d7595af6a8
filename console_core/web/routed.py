"""Searches of callers that say who they are: which collection answers them, and how many each one has answered."""

import threading
from collections import Counter
from typing import Any, NamedTuple

from console_core.console import Console
from console_core.errors import CollectionNotFound, DimensionMismatch, FingerprintMismatch, ModelError
from console_core.querylab.finding import Found, find
from console_core.rollout.router import Routed
from console_core.vectorstore.types import Outline
from console_core.web.asked import Asked


class Answered(NamedTuple):
    """Searches, or questions for the way (`routes`), of an alias ("": of a collection by its own name) that led to a
    collection; with a caller's key, or without one."""

    what: str
    alias: str
    collection: str
    keyed: bool


_lock = threading.Lock()
_answered: Counter[Answered] = Counter()


def answered() -> Counter[Answered]:
    """What was answered since this process started."""
    with _lock:
        return _answered.copy()


def search(console: Console, name: str, wanted: Asked) -> tuple[Found, Routed | None]:
    """The answer to a question, and the way that its key led; None where it has none.

    One collection answers, whole: the candidate where the key leads there, else what the alias serves. A candidate that
    is not the one that the share was given to any more answers nobody. Nor does one that cannot answer the question,
    because its model was edited, cannot be loaded, or embeds no texts: a share must cost nobody an answer.

    Raises:
        as `querylab.finding.find`.
    """
    routed = console.router.route(name, wanted.key) if wanted.key else None
    found = None
    if routed is not None and routed.share is not None:
        found = _by_candidate(console, routed, wanted)
        routed = routed if found is not None else routed.without()
    found = found or _found(console, name, wanted)
    _count("searches", name, found.collection.name, bool(wanted.key))
    return found, routed


def route(console: Console, alias: str, key: str) -> dict[str, Any]:
    """Where a caller's searches of an alias go, for an application that searches the store itself.

    Raises:
        CollectionNotFound: there is no such alias.
        StoreError
    """
    routed = console.router.route(alias, key)
    if routed.bucket is None:
        raise CollectionNotFound(f"There is no alias {alias}.", "Introduce it, or search the collection itself.")
    info = _candidate(console, routed)
    if routed.share is not None and info is None:
        routed = routed.without()
    info = info or console.store.outline(alias)
    _count("routes", alias, info.name, keyed=True)
    return {
        "alias": alias,
        "collection": info.name,
        "model": info.stamp.model if info.stamp else "",
        "fingerprint": info.stamp.fingerprint if info.stamp else "",
        **told(routed),
    }


def told(routed: Routed | None) -> dict[str, Any]:
    """The bucket of a caller, and the share of the traffic in force, in percent; nothing without a key."""
    return {} if routed is None else {"bucket": routed.bucket, "share": routed.percent}


def _candidate(console: Console, routed: Routed) -> Outline | None:
    if routed.share is None:
        return None
    try:
        info = console.store.outline(routed.collection)
    except CollectionNotFound:
        return None
    return info if routed.holds(info) else None


def _by_candidate(console: Console, routed: Routed, wanted: Asked) -> Found | None:
    if _candidate(console, routed) is None:
        return None
    try:
        found = _found(console, routed.collection, wanted)
    except (CollectionNotFound, DimensionMismatch, FingerprintMismatch, ModelError):
        return None
    return found if routed.holds(found.collection) else None  # it may have been replaced meanwhile


def _found(console: Console, name: str, wanted: Asked) -> Found:
    question, where = wanted.question(), wanted.where or None
    return find(console.store, console.models, name, question, limit=wanted.limit, where=where)


def _count(what: str, name: str, collection: str, keyed: bool) -> None:
    alias = name if name != collection else ""
    with _lock:
        _answered[Answered(what, alias, collection, keyed)] += 1
