"""Move an alias, atomically and with a way back. Nothing is deleted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console_core.database import now
from console_core.errors import AliasConflict, CollectionNotFound, Refused
from console_core.rollout.expected import expected_signature, lost_since, newest_verdict
from console_core.rollout.records import Move, MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import EMBEDDING, TERMINAL, Run, RunState
from console_core.vectorstore.naming import refuse_name, refuse_vector_name
from console_core.vectorstore.sharing import sharing_of
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionInfo, VectorStore

LOSSES = "losses"
"""The check of a verification that compares with what is served now."""
VERDICT_AGE = timedelta(hours=24)
"""A verdict older than this says nothing about today, unless it is set otherwise; verify again."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether an alias may be moved to a collection, and every reason why not.

    `losses` are pictures that are found today and would not be found afterwards. Where they are the only reason,
    `acceptable` is true: a person who knows better may accept them.
    """

    open: bool
    reasons: tuple[str, ...]
    verdict: Run | None
    losses: int = 0
    acceptable: bool = False


def gate(
    ledger: Ledger,
    store: VectorStore,
    target: str,
    *,
    serving: str = "",
    at: datetime | None = None,
    age: timedelta = VERDICT_AGE,
) -> Gate:
    """A collection may go live after a green verdict on exactly what it holds now, and on nothing less.

    With `serving`, what the alias serves now, the verdict must have compared the two: no picture that is found today
    may be lost. A verdict counts for the `age`. What is looked at here is cheap; `written_since` looks at every point.
    """
    at = at or now()
    reasons: list[str] = []
    writers = ledger.runs(kinds=EMBEDDING, target=target, limit=200)
    verdict = newest_verdict(ledger, target)
    if busy := [run for run in writers if run.state not in TERMINAL]:
        reasons.append(f"Run {busy[0].id} is {busy[0].state} and still writes to {target}.")
    if writers and writers[0].state is RunState.INVALID:
        reasons.append(f"The books of run {writers[0].id} do not add up.")
    losses = 0
    if verdict is None or verdict.finished_at is None:
        reasons.append(f"{target} has not been verified.")
    else:
        held = _held(store, target)
        expected = expected_signature(ledger, store, target, verdict) if held else None
        points = expected.points if expected else (verdict.result or {}).get("points", 0)
        reasons += _about(verdict, verdict.finished_at, writers, held, points, at, age)
        reasons += _compared(verdict, serving) or _left_out(ledger, verdict, serving)
        losses = int((verdict.result or {}).get("losses", 0)) + lost_since(ledger, verdict)
    found = f"{losses:,} pictures that {serving} finds would not be found any more." if losses else ""
    found = found or _uncompared(verdict, serving)
    all_reasons = (*reasons, found) if found else tuple(reasons)
    return Gate(not all_reasons, all_reasons, verdict, losses, bool(found) and not reasons)


def _uncompared(verdict: Run | None, serving: str) -> str:
    """That nothing of what is served could be compared, so that nobody knows what would be lost; "" where it could."""
    result: Mapping[str, Any] = (verdict.result or {}) if verdict is not None else {}
    if not any(check["name"] == LOSSES and not check["ok"] for check in result.get("checks", ())):
        return ""
    return f"None of the pictures that {serving} finds is in the catalog, so that nobody knows which would be lost."


def _compared(verdict: Run, serving: str) -> list[str]:
    compared = (verdict.result or {}).get("replaces", "")
    if not serving or compared == serving:
        return []
    return [f"{verdict.target} was not compared with {serving}, which it would replace: verify it again."]


def _left_out(ledger: Ledger, verdict: Run, serving: str) -> list[str]:
    """That pictures came into what is served since, which no catching up brings to a collection of a part only."""
    part = verdict.spec.get("part") or {}
    if not serving or not (part.get("filters") or part.get("keys") is not None):
        return []
    ingested = [run for run in ledger.runs(kinds=("ingest",), target=serving, limit=20) if run.counts.done]
    if any(run.heartbeat and verdict.started_at and run.heartbeat > verdict.started_at for run in ingested):
        return [
            f"Pictures were ingested into {serving} after {verdict.target} was compared with it, which was built from "
            "a part of the catalog and does not get them: verify it again."
        ]
    return []


def _held(store: VectorStore, target: str) -> CollectionInfo | None:
    try:
        return store.describe(target)
    except CollectionNotFound:
        return None


def _about(
    verdict: Run,
    finished: datetime,
    writers: list[Run],
    held: CollectionInfo | None,
    points: int,
    at: datetime,
    age: timedelta,
) -> list[str]:
    if held is None:
        return [f"{verdict.target} was deleted after it was verified."]
    result: Mapping[str, Any] = verdict.result or {}
    reasons = []
    if result.get("verdict") != "green":
        failed = [check["name"] for check in result.get("checks", ()) if not check["ok"]]
        if failed != [LOSSES]:
            reasons.append(f"Verification {verdict.id} is red: {', '.join(failed)}.")
    if any(run.finished_at and verdict.started_at and run.finished_at > verdict.started_at for run in writers):
        reasons.append(f"{verdict.target} was written to after it was verified.")
    elif not result.get("steady", True):
        reasons.append(f"{verdict.target} was written to while it was verified.")
    elif held.points != points:
        reasons.append(f"{verdict.target} has {held.points:,} points, but {points:,} when it was verified.")
    if (held.stamp.fingerprint if held.stamp else None) != result.get("fingerprint"):
        reasons.append(f"{verdict.target} is not of the model that was verified any more.")
    if held.index_deferred:
        reasons.append(f"{verdict.target} is not indexed: a load that deferred it was not finished.")
    if at - finished > age:
        hours = age.total_seconds() / 3600
        reasons.append(f"Verification {verdict.id} is older than {hours:g} {'hour' if hours == 1 else 'hours'}.")
    return reasons


def written_since(ledger: Ledger, store: VectorStore, verdict: Run) -> str:
    """Why a verdict is not about what its collection holds now, to the last payload and vector; "" where it is.

    Reads the whole collection.
    """
    expected = expected_signature(ledger, store, verdict.target, verdict)
    if expected is None:
        return f"Verification {verdict.id} did not record what {verdict.target} held."
    if not signature_of(store, verdict.target).same_as(expected):
        return f"{verdict.target} was written to after it was verified."
    return ""


def introduce_alias(store: VectorStore, moves: Moves, alias: str, collection: str, *, actor: str) -> Move:
    """Give a collection that is searched by its own name an alias, once, so that traffic can be moved later.

    Raises:
        Refused: no alias may have that name.
        AliasConflict: the alias exists, or bears a collection's name.
    """
    refuse = refuse_name if sharing_of(store, collection) else refuse_vector_name
    refuse(alias, "an alias")
    with moves.recorded(MoveKind.INTRODUCED, alias, "", collection, actor=actor) as move:
        store.set_alias(alias, collection, expected=None)
    return move


def cut_over(
    store: VectorStore,
    ledger: Ledger,
    moves: Moves,
    alias: str,
    to: str,
    *,
    actor: str,
    migration: str = "",
    accept_losses: bool = False,
    age: timedelta = VERDICT_AGE,
    since: datetime | None = None,
) -> Move:
    """Point the alias to a verified collection in one atomic call.

    Either the alias serves the new collection afterwards, or everything is as it was. The whole collection is read
    first, to see that it holds what was verified. With `accept_losses` a collection may go live that lacks pictures
    which are found today. A verdict counts for the `age`. A run passes `since` when it has wanted this move.

    Raises:
        Refused: the verdict is missing, red or stale, or a run still writes.
        OutcomeUnknown: the store stopped answering; the move may have been made, and can be rolled back if it was.
        AliasConflict: the alias does not exist, or was moved by somebody else meanwhile.
        CollectionNotFound: there is no collection `to`.
    """
    before = _serving(store, alias)
    to = store.describe(to).name
    if before == to:
        raise Refused(f"{alias} serves {to} already.", "There is nothing to cut over.")
    found = gate(ledger, store, to, serving=before, age=age)
    allowed = found.open or (accept_losses and found.acceptable)
    stale = written_since(ledger, store, found.verdict) if allowed and found.verdict else ""
    if stale or not allowed:
        reasons = stale or " ".join(found.reasons)
        raise Refused(f"{alias} cannot be moved to {to}: {reasons}", "Verify the collection, then cut over.")
    kind = MoveKind.CUT_OVER
    with moves.recorded(kind, alias, before, to, actor=actor, migration=migration, since=since) as move:
        store.set_alias(alias, to, expected=before)
    return move


def roll_back(store: VectorStore, moves: Moves, alias: str, *, actor: str, since: datetime | None = None) -> Move:
    """Point the alias back to what it served before the last cut-over. A run passes `since` when it has wanted that.

    Raises:
        Refused: it was not cut over, or it serves something else than the cut-over left.
        CollectionNotFound: the former collection is gone.
    """
    serving = _serving(store, alias)
    last = way_back(moves, alias, serving)
    if last is None:
        raise Refused(
            f"{alias} serves {serving}, and there is no cut-over of it to roll back.",
            "Cut over to the collection that you want.",
        )
    kind, migration = MoveKind.ROLLED_BACK, last.migration
    with moves.recorded(kind, alias, serving, last.before, actor=actor, migration=migration, since=since) as move:
        store.set_alias(alias, last.before, expected=serving)
    return move


def way_back(moves: Moves, alias: str, serving: str) -> Move | None:
    """The cut-over that brought the alias to what it serves now, and that a rollback would undo.

    Moves are recorded before they are made, so one that a crash prevented leads elsewhere and is passed over.
    """
    brought = next((move for move in moves.of(alias) if move.after == serving), None)
    return brought if brought is not None and brought.kind is MoveKind.CUT_OVER else None


def overtaken(moves: Sequence[Move], target: str, since: datetime, serving: str) -> MoveKind | None:
    """What became of a collection that does not serve: it was rolled back, or a later cut-over went elsewhere.

    `moves` are those of its alias, the newest first, and `serving` is what that serves now; `since` is when its
    migration began. A move that a crash prevented made nothing of anything.
    """
    for move in made(moves, serving):
        if move.kind is MoveKind.ROLLED_BACK and move.before == target:
            return MoveKind.ROLLED_BACK
        if move.kind is MoveKind.CUT_OVER and (move.after == target or move.at > since):
            return MoveKind.CUT_OVER
    return None


def made(moves: Sequence[Move], serving: str) -> Iterator[Move]:
    """Those of an alias' moves, the newest first, that led to what it serves now."""
    for move in moves:
        if move.after == serving:
            yield move
            serving = move.before


def _serving(store: VectorStore, alias: str) -> str:
    serving = store.aliases().get(alias)
    if serving is None:
        raise AliasConflict(f"There is no alias {alias}.", "Introduce it first, on the Collections page.")
    return serving
