"""What a collection holds as far as its last verification, and the console's own catching up since, can tell."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import Signature, Signing
from console_core.vectorstore.types import PointId, VectorStore


@dataclass(frozen=True, slots=True)
class _Chained:
    """What a catch-up began with, and what the collection holds since, but for the points that it was about to change
    when it was stopped."""

    began: Signature
    now: Signature
    writing: Sequence[PointId]


def expected_signature(
    ledger: Ledger, store: VectorStore, collection: str, verdict: Run | None = None
) -> Signature | None:
    """The signature that a collection must have now for its verdict to hold; None where there is no verdict.

    A verification signs what it checked. Catch-ups that began with just that, one after the other, carry it on; one
    that began with something else followed upon somebody's write, and carries nothing. What became of the points that
    a catch-up was changing when it was stopped for good, the next one read from the store when it began; where there
    is none yet, they are read now.

    Raises:
        StoreError
    """
    verdict = verdict or newest_verdict(ledger, collection)
    signed = (verdict.result or {}).get("signature") if verdict else None
    if verdict is None or signed is None:
        return None
    expected, writing = Signature.from_json(signed), tuple[PointId, ...]()
    for run in _catch_ups(ledger, verdict):
        if (chained := _chained(run)) is None:
            continue
        if writing and abs(chained.began.points - expected.points) <= len(writing):
            expected, writing = chained.began, ()
        if chained.began.same_as(expected):
            expected, writing = chained.now, tuple(chained.writing)
    if writing:
        signing = Signing(expected)
        signing.add(store.retrieve(collection, writing, vectors=True))
        expected = signing.signature()
    return expected


def lost_since(ledger: Ledger, verdict: Run) -> int:
    """Pictures that catch-ups since a verification could not embed, although what is served now has them."""
    return sum(int((run.result or {}).get("lost", 0)) for run in _catch_ups(ledger, verdict))


def newest_verdict(ledger: Ledger, collection: str) -> Run | None:
    """The newest verification of a collection that came to a verdict."""
    runs = ledger.runs(kinds=("verify",), target=collection)
    return next((run for run in runs if run.state is RunState.SUCCEEDED), None)


def _catch_ups(ledger: Ledger, verdict: Run) -> list[Run]:
    """Those since a verification, the oldest first."""
    runs = ledger.runs(kinds=("catch_up",), target=verdict.target, limit=1000)
    return [run for run in reversed(runs) if _after(run, verdict)]


def _after(run: Run, verdict: Run) -> bool:
    return run.started_at is not None and verdict.finished_at is not None and run.started_at >= verdict.finished_at


def _chained(run: Run) -> _Chained | None:
    """From a catch-up's checkpoint; None where it has not begun, or began without a verdict to carry on."""
    told = json.loads(run.checkpoint) if run.checkpoint.startswith("{") else {}
    if not told.get("began"):
        return None
    writing = list(dict.fromkeys(identifier for identifier, *_ in told["writing"]))
    return _Chained(Signature.from_json(told["began"]), Signature.from_json(told["now"]), writing)
