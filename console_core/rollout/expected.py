"""What a collection holds as far as its last verification, and the console's own catching up since, can tell."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import Signature, Signing
from console_core.vectorstore.types import PointId, VectorStore

MOST = 1000
"""Catch-ups since a verification that are looked at."""


@dataclass(frozen=True, slots=True)
class _Chained:
    """What a collection holds since a catch-up, but for the points that it was about to change when it was stopped."""

    now: Signature
    writing: Sequence[PointId]


def expected_signature(
    ledger: Ledger, store: VectorStore, collection: str, verdict: Run | None = None
) -> Signature | None:
    """The signature that a collection must have now for its verdict to hold; None where there is no verdict.

    A verification signs what it checked. Each catch-up begins with the signature that was expected then and carries it
    on, whatever somebody else wrote meanwhile; so the newest one tells. What became of the points that it was changing
    when it was stopped is read from the store.

    Raises:
        StoreError
    """
    verdict = verdict or newest_verdict(ledger, collection)
    signed = (verdict.result or {}).get("signature") if verdict else None
    if verdict is None or signed is None:
        return None
    newest = next(filter(None, map(_chained, _catch_ups(ledger, verdict))), None)
    if newest is None:
        return Signature.from_json(signed)
    signing = Signing(newest.now)
    if newest.writing:
        signing.add(store.retrieve(collection, newest.writing, vectors=True))
    return signing.signature()


def lost_since(ledger: Ledger, verdict: Run) -> int:
    """Pictures that catch-ups since a verification could not embed, although what is served now has them."""
    return sum(int((run.result or {}).get("lost", 0)) for run in _catch_ups(ledger, verdict))


def newest_verdict(ledger: Ledger, collection: str) -> Run | None:
    """The newest verification of a collection that came to a verdict."""
    runs = ledger.runs(kinds=("verify",), target=collection)
    return next((run for run in runs if run.state is RunState.SUCCEEDED), None)


def _catch_ups(ledger: Ledger, verdict: Run) -> list[Run]:
    """Those since a verification, the newest first."""
    runs = ledger.runs(kinds=("catch_up",), target=verdict.target, limit=MOST)
    return [run for run in runs if _after(run, verdict)]


def _after(run: Run, verdict: Run) -> bool:
    return run.started_at is not None and verdict.finished_at is not None and run.started_at >= verdict.finished_at


def _chained(run: Run) -> _Chained | None:
    """From a catch-up's checkpoint; None where it has not begun, or began without a verdict to carry on."""
    told = json.loads(run.checkpoint) if run.checkpoint.startswith("{") else {}
    if not told.get("began"):
        return None
    writing = list(dict.fromkeys(identifier for identifier, *_ in told["writing"]))
    return _Chained(Signature.from_json(told["now"]), writing)
