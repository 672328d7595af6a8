"""What a collection holds as far as its last verification, and the console's own catching up since, can tell."""

from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import Signature


def expected_signature(ledger: Ledger, collection: str, verdict: Run | None = None) -> Signature | None:
    """The signature that a collection must have now for its verdict to hold; None where there is no verdict.

    A verification signs what it checked. Catch-ups that began with just that, one after the other, carry it on; one
    that began with something else followed upon somebody's write, and carries nothing.
    """
    verdict = verdict or newest_verdict(ledger, collection)
    signed = (verdict.result or {}).get("signature") if verdict else None
    if verdict is None or signed is None:
        return None
    expected = Signature.from_json(signed)
    for run in _catch_ups(ledger, verdict):
        result = run.result or {}
        if "signature" in result and Signature.from_json(result["signature_before"]).same_as(expected):
            expected = Signature.from_json(result["signature"])
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
