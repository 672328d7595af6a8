"""Recreate a collection under its own name, for applications that cannot search an alias.

Guides say: delete it, then create it with the other dimension. Here the new one is built and verified beside it, what
it held is kept in a second collection, and only then the name changes hands: the collection goes, and an alias of its
name takes over. No store has a call that does both, so for the time of two calls the name leads nowhere. Whatever fails
or dies in that gap, the name leads somewhere again: to the new collection, or else to what the old one held.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, NoReturn, Self

from console_core.backup.backups import Backup, Backups
from console_core.backup.rebuilding import BEGUN, MAKE, PASSES, Reached, Rebuilding
from console_core.backup.restoring import discard
from console_core.backup.since import is_current, known_writes
from console_core.errors import OutcomeUnknown, Refused, StoreError
from console_core.rollout import cutover, gap
from console_core.rollout.gap import DONE, SWITCH, exists, lead_somewhere
from console_core.rollout.records import MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, Counts, Lane, Progress, Run, RunState, Verb
from console_core.vectorstore.sharing import sharing_of
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import VectorStore

KIND = gap.KIND
KEEP = "keep"
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
    if (shared := sharing_of(store, collection)) is not None:
        return [f"{collection} is a named vector of {shared.home}, whose name nothing else can take: cut over instead."]
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
    """Runs that are not finished and write to a collection, read from it, compare with it, or will let a name lead to
    it."""
    unfinished = ledger.runs(states=frozenset(RunState) - TERMINAL, limit=1000)
    named = ("source", "replaces", "collection", "target", "former")
    return [
        run for run in unfinished if run.target == collection or any(run.spec.get(name) == collection for name in named)
    ]


class Recreate:
    """Keep what the collection holds as a second collection, then let its name lead to the new one.

    Cancelled before the name was taken away, it takes back what it had kept. `done` counts the points that are checked,
    written and compared, and one for the switch. `let_go` is told the name
    and that of the second collection once the name is an alias: what the ledger has about the former collection is
    about the second one from then on. It must do no harm when it runs twice. The last step's result has the `gap` in
    seconds, None where a crash came between.
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
        let_go: Callable[[str, str], object] = lambda name, former: None,
    ) -> None:
        self._plan = plan
        self._run = run
        self._store = store
        self._ledger = ledger
        self._backups = backups
        self._moves = moves
        self._age = age
        self._let_go = let_go

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            Refused: the backup is not proven or not of now, or the new collection is not as it was verified.
            StoreError: the name could not be given to the new collection; it leads to what the old one held.
        """
        try:
            yield from self._steps(checkpoint, counts)
        except GeneratorExit:
            if self._ledger.asked(self._run) is Verb.CANCEL:
                take_back(self._store, self._ledger.get(self._run))
            raise

    def _steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
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
            yield Progress(json.dumps({"stage": SWITCH}), counts)
        if told["stage"] != DONE:
            seconds = self._switch()
            self._let_go(plan.collection, plan.former)
            counts = replace(counts, done=counts.done + 1, selected=max(counts.selected, counts.done + 1))
            result = {"former": plan.former, "target": plan.target, "gap": seconds}
            yield Progress(json.dumps({"stage": DONE}), counts, result=result)

    def _refuse_unsafe(self) -> None:
        """Look at everything that the old collection's end relies on, right before it: what it holds last of all."""
        plan, store = self._plan, self._store
        if using := [run for run in busy(self._ledger, plan.collection) if run.id != self._run]:
            raise Refused(
                f"Run {using[0].id} ({using[0].title}, {using[0].state}) uses {plan.collection}.",
                "Let it finish or cancel it, then resume.",
            )
        backup = self._backups.require_proven(plan.backup)
        if not self._backups.open(plan.backup).signature.same_as(signature_of(store, plan.former)):
            raise Refused(
                f"{plan.former} does not hold what {plan.collection} held.",
                "Something else wrote to it. Cancel this run and start again.",
            )
        self._refuse_stale()
        self._refuse_written(backup)

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
        serving = aliases.get(plan.collection)
        if serving == plan.target:
            return None
        alone = serving is None and exists(store, plan.collection)
        if alone:
            self._refuse_unsafe()
        with self._moves.recorded(
            MoveKind.CUT_OVER,
            plan.collection,
            plan.former,
            plan.target,
            actor=plan.actor,
            migration=plan.migration,
            since=self._ledger.get(self._run).created_at,
        ):
            began = time.perf_counter()
            try:
                if alone:
                    store.drop(plan.collection)
                store.set_alias(plan.collection, plan.target, expected=plan.former if serving else None)
            except BaseException as error:
                leads_to = lead_somewhere(store, plan.collection, plan.former)
                if not isinstance(error, StoreError):
                    raise
                if leads_to != plan.target:
                    self._refuse_to_go_on(error, leads_to)
            return time.perf_counter() - began if alone else None

    def _refuse_to_go_on(self, error: StoreError, leads_to: str) -> NoReturn:
        """Say what a store that failed in the gap has left of the name."""
        name, former, target = self._plan.collection, self._plan.former, self._plan.target
        if leads_to == name:
            raise error
        if not leads_to:
            raise OutcomeUnknown(
                f"{name} may lead nowhere now: the store stopped answering while it changed hands. {error.message}",
                f"Nothing is lost: {former} holds what it held, and {target} what it shall lead to. It is given back "
                "as soon as the store answers; resume this run then.",
            ) from error
        raise type(error)(
            f"{name} could not be pointed to {target}, and leads to {leads_to} now. {error.message}",
            f"{former} holds what {name} held. Resume this run when the store is well: {name} leads to {target} then.",
        ) from error


def take_back(store: VectorStore, run: Run) -> None:
    """Drop what a cancelled recreation had kept so far, where its collection is there still; nothing of other runs."""
    if run.kind != KIND or not (told := json.loads(run.checkpoint or "{}")):
        return
    plan, made = RecreatePlan.from_json(run.spec), told["stage"] == SWITCH
    with suppress(StoreError):
        if told["stage"] == KEEP:
            stage = Reached.from_text(told["inner"]).stage
            made = stage in BEGUN or (stage == MAKE and store.count(plan.former) == 0)
        if made and exists(store, plan.collection):
            discard(store, plan.former)
