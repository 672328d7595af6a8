"""Recreate a collection under its own name, for applications that cannot search an alias.

Guides say: delete it, then create it with the other dimension. Here the new one is built and verified beside it, what
it held is kept in a second collection, and only then the name changes hands: the collection goes, and an alias of its
name takes over. Qdrant has no call that does both, so for the time of two calls the name leads nowhere. Whatever fails
or dies in that gap, the name leads somewhere again: to the new collection, or else to what the old one held.
"""

import json
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Self

from console_core.backup.backups import Backup, Backups
from console_core.backup.rebuilding import PASSES, Rebuilding
from console_core.backup.since import is_current, known_writes
from console_core.errors import CollectionNotFound, Refused, StoreError
from console_core.rollout import cutover
from console_core.rollout.records import MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, Counts, Lane, Progress, Run, RunState, Verb
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import VectorStore

KIND = "recreate"
KEEP, SWITCH, DONE = "keep", "switch", "done"
_EMBEDDED_GAP = (0.001, 0.05)
"""The embedded store answers from memory, but its switch writes: 1 to 7 ms at up to 20,000 points, more on a slow
disk."""
_CALLS = 3
"""Calls of the store that the gap takes at most: deleting the collection, setting the alias, reading it back."""


@dataclass(frozen=True, slots=True)
class RecreatePlan:
    """Let `collection` be the alias of `target` from now on; what it held stays as `former`, restored from `backup`."""

    collection: str
    target: str
    former: str
    backup: str
    actor: str
    migration: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan as stored; the reverse of `as_json`."""
        return cls(**{name: value for name, value in data.items() if name != "version"})


def steps_of(points: int) -> int:
    """How much a recreation of so many points counts: three passes over them, and the switch."""
    return PASSES * points + 1


def former_name(collection: str, taken: set[str]) -> str:
    """The name under which stays what a collection held."""
    stem, number = f"{collection}__former", 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def gap_estimate(store: VectorStore) -> tuple[float, float]:
    """For about how many seconds the name will lead nowhere, from and to, by how long the store takes to answer now."""
    answers = []
    for _ in range(5):
        began = time.perf_counter()
        store.aliases()
        answers.append(time.perf_counter() - began)
    least, most = _EMBEDDED_GAP if store.info().embedded else (0.0, 0.0)
    return max(_CALLS * statistics.median(answers), least), max(10 * _CALLS * max(answers), most)


def hindrances(
    store: VectorStore, ledger: Ledger, backups: Backups, collection: str, target: str, *, age: timedelta
) -> list[str]:
    """Everything that keeps a collection from being recreated in place, as far as it shows without reading points.

    A verdict on the target counts for the `age`.
    """
    reasons = []
    if collection in store.aliases():
        return [f"{collection} is an alias already: cut it over."]
    info = store.describe(collection)
    if info.aliases:
        reasons.append(f"{collection} is searched through the alias {', '.join(info.aliases)}: cut that over instead.")
    for run in busy(ledger, collection):
        reasons.append(f"Run {run.id} ({run.title}, {run.state}) uses {collection}.")
    reasons += cutover.gate(ledger, store, target, serving=collection, age=age).reasons
    backup = backups.newest_proven(collection)
    if backup is None:
        reasons.append(f"{collection} has no backup that a restore has proven.")
    elif backup.manifest is not None and (written := known_writes(backup.manifest, info, ledger)):
        reasons.append(f"{written} Its proven backup {backup.id} is older.")
    return reasons


def busy(ledger: Ledger, collection: str) -> list[Run]:
    """Runs that are not finished and write to a collection, read from it, or compare with it."""
    unfinished = ledger.runs(states=frozenset(RunState) - TERMINAL, limit=1000)
    named = ("source", "replaces", "collection")
    return [
        run for run in unfinished if run.target == collection or any(run.spec.get(name) == collection for name in named)
    ]


class Recreate:
    """Keep what the collection holds as a second collection, then let its name lead to the new one.

    `done` counts the points that are checked, written and compared, and one for the switch. The last step's result has
    the `gap` in seconds.
    """

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        plan: RecreatePlan,
        run: str,
        *,
        store: VectorStore,
        ledger: Ledger,
        backups: Backups,
        moves: Moves,
        age: timedelta,
    ) -> None:
        self._plan = plan
        self._run = run
        self._store = store
        self._ledger = ledger
        self._backups = backups
        self._moves = moves
        self._age = age

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            Refused: the backup is not proven or not of now, or the new collection is not as it was verified.
            StoreError: the name could not be given to the new collection; it leads to what the old one held.
        """
        told: dict[str, Any] = json.loads(checkpoint) if checkpoint else {"stage": KEEP, "inner": ""}
        plan = self._plan
        if told["stage"] == KEEP:
            backup = self._backups.require_proven(plan.backup)
            self._refuse_written(backup)
            archive = self._backups.open(plan.backup)
            for progress in Rebuilding(archive, self._store, plan.former).steps(told["inner"], counts):
                counts = progress.counts
                inner = json.dumps({"stage": KEEP, "inner": progress.checkpoint}, sort_keys=True)
                yield replace(progress, checkpoint=inner)
            if not archive.signature.same_as(signature_of(self._store, plan.former)):
                raise Refused(
                    f"{plan.former} does not hold what {plan.collection} held.",
                    "Something else wrote to it. Cancel this run and start again.",
                )
            self._refuse_written(backup)
            self._refuse_stale()
            yield Progress(json.dumps({"stage": SWITCH}), counts)
        gap = self._switch()
        counts = replace(counts, done=counts.done + 1, selected=max(counts.selected, counts.done + 1))
        result = {"former": plan.former, "target": plan.target, "gap": gap}
        yield Progress(json.dumps({"stage": DONE}), counts, result=result)

    def _refuse_written(self, backup: Backup) -> None:
        archive = self._backups.open(backup.id)
        if not is_current(archive, self._store):
            raise Refused(
                f"{self._plan.collection} was written to after it was backed up.",
                "Stop what writes to it, back it up and prove that once more, then start again.",
            )

    def _refuse_stale(self) -> None:
        plan, store = self._plan, self._store
        found = cutover.gate(self._ledger, store, plan.target, serving=plan.collection, age=self._age)
        reasons = " ".join(found.reasons)
        if not reasons and found.verdict is not None:
            reasons = cutover.written_since(self._ledger, store, found.verdict)
        if reasons:
            raise Refused(
                f"{plan.collection} cannot be recreated: {reasons}", "Verify the new collection, then resume."
            )

    def _switch(self) -> float | None:
        """Give the name to the new collection; the seconds for which it led nowhere, None where that is not known."""
        plan, store = self._plan, self._store
        aliases = store.aliases()
        if aliases.get(plan.collection) == plan.target:
            return None
        with self._moves.recorded(
            MoveKind.CUT_OVER,
            plan.collection,
            plan.former,
            plan.target,
            actor=plan.actor,
            migration=plan.migration,
        ):
            began = time.perf_counter()
            if plan.collection not in aliases and _exists(store, plan.collection):
                store.drop(plan.collection)
            try:
                store.set_alias(plan.collection, plan.target, expected=aliases.get(plan.collection))
            except StoreError:
                lead_somewhere(store, plan.collection, plan.former)
                raise
            return time.perf_counter() - began


def lead_somewhere(store: VectorStore, name: str, to: str) -> bool:
    """Let a name that leads nowhere lead to a collection; False where it leads somewhere already, or cannot."""
    try:
        if name in store.aliases() or _exists(store, name):
            return False
        store.set_alias(name, to, expected=None)
    except StoreError:
        return False
    return True


def close_gaps(store: VectorStore, ledger: Ledger, actor: str) -> list[Run]:
    """After a crash: let every name that was about to change hands lead somewhere, and its run go on by itself."""
    closed = []
    for run in ledger.runs(kinds=(KIND,), states=(RunState.INTERRUPTED,)):
        if json.loads(run.checkpoint or "{}").get("stage") == SWITCH:
            lead_somewhere(store, run.spec["collection"], run.spec["target"])
            closed.append(ledger.ask(run.id, Verb.RESUME, actor))
    return closed


def _exists(store: VectorStore, collection: str) -> bool:
    try:
        return store.describe(collection).name == collection
    except CollectionNotFound:
        return False
