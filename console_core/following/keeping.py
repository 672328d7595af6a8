"""What is kept in step with the catalog, and the runs that bring it there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from console_core.catalog.types import Slice
from console_core.database import now
from console_core.errors import CollectionNotFound, Refused
from console_core.following.catch_up import BATCH
from console_core.following.comparing import Comparison, measure
from console_core.following.records import Follow, Follows, Lag
from console_core.migration.plan import built_part
from console_core.migration.records import Migrations
from console_core.rollout import cutover
from console_core.rollout.records import Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import RESUMABLE, Lane, Run, RunState, Verb
from console_core.vectorstore.types import VectorStore

KIND = "catch_up"
CONSOLE = "the console"
"""Who acts where nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeps collections in step. `window`: for how long after a cut-over the former collection is.

    `settle` writes down, in the name of whoever it is told, which shares of traffic are over.
    """

    store: VectorStore
    ledger: Ledger
    migrations: Migrations
    moves: Moves
    follows: Follows
    compare: Callable[[Follow], Comparison]
    window: timedelta
    settle: Callable[[str], object] = lambda actor: None

    def keep_in_step(self) -> None:
        """Follow every collection that a migration has built and nobody has retired or given up, and every way back.

        Derived from what the ledger and the store say, so that no crash can leave something out.

        Raises:
            StoreError, LedgerUnavailable
        """
        self.settle(CONSOLE)
        aliases, newest = self.store.aliases(), set[str]()
        for migration in self.migrations.all():
            plan = migration.plan
            if plan.target in newest:
                continue
            builds = self.ledger.runs(kinds=("reembed",), migration=migration.id, limit=1)
            if not builds or builds[0].state is not RunState.SUCCEEDED:
                continue
            newest.add(plan.target)
            known = self.follows.of(plan.target)
            if known is not None and known.since >= builds[0].created_at:
                continue
            if known is not None and known.ended_at is None:
                if known.part == self._built(plan.target):
                    continue
                self.follows.end(known.id, f"{plan.target} was built again, by {migration.id}.")
            moves = self.moves.of(plan.served_as)
            serving = aliases.get(plan.served_as, "")
            gone = cutover.overtaken(moves, plan.target, migration.created_at, serving)
            if serving == plan.target or gone is None:
                self.follows.begin(
                    plan.target,
                    model=plan.model,
                    fingerprint=plan.fingerprint,
                    part=self._built(plan.target),
                    alias=plan.served_as,
                    migration=migration.id,
                    since=builds[0].created_at,
                    stocked=True,
                )
        self._keep_ways_open(aliases)

    def _keep_ways_open(self, aliases: Mapping[str, str]) -> None:
        """See that every alias that was cut over within the window has its former collection followed, and what it
        serves too. Derived from the moves, so that no crash can leave a way back that is not kept.

        Raises:
            StoreError, LedgerUnavailable
        """
        for alias, serving in aliases.items():
            brought = cutover.way_back(self.moves, alias, serving)
            if brought is None or now() - brought.at > self.window:
                continue
            until = brought.at + self.window
            serves = self.follows.of(serving)
            if serves is not None and serves.ended_at is None:
                self.follows.begin(serving, model=serves.model, fingerprint=serves.fingerprint, until=until)
            elif serves is not None and serves.ended_at is not None and serves.ended_at < brought.at:
                self._again(serves, brought.at, until)
            known = self.follows.of(brought.before)
            if known is not None and known.ended_at is None:
                self.follows.begin(known.collection, model=known.model, fingerprint=known.fingerprint, until=until)
                continue
            if known is not None and known.since >= brought.at:
                continue
            try:
                former = self.store.describe(brought.before)
            except CollectionNotFound:
                continue
            if former.stamp is not None and former.stamp.model:
                self.follows.begin(
                    former.name,
                    model=former.stamp.model,
                    fingerprint=former.stamp.fingerprint,
                    part=known.part if known is not None else self._built(former.name),
                    alias=alias,
                    beside=serving,
                    migration=brought.migration,
                    since=brought.at,
                    until=until,
                )

    def take_up_again(self, collection: str) -> None:
        """Keep a collection in step again that was once, because it is about to go live."""
        known = self.follows.of(collection)
        if known is not None and known.ended_at is not None:
            self._again(known, now(), None)

    def _again(self, known: Follow, since: datetime, until: datetime | None) -> None:
        """Follow as before; what was accepted as it is then is nobody's wish any more."""
        self.follows.begin(
            known.collection,
            model=known.model,
            fingerprint=known.fingerprint,
            part=known.part,
            alias=known.alias,
            migration=known.migration,
            since=since,
            until=until,
            stocked=True,
        )

    def _built(self, collection: str) -> Slice:
        """The slice that a collection was built from, as its verification judges it."""
        return built_part(self.ledger.runs(kinds=("reembed",), target=collection, limit=200))

    def lag(self, collection: str) -> Lag | None:
        """How far behind a collection is now, measured exactly; None where it is not, and never was, followed.

        Raises:
            CollectionNotFound, StoreError, CatalogError
        """
        follow = self.follows.of(collection)
        return None if follow is None else measure(self.compare(follow))

    def holder(self, collection: str) -> Run | None:
        """The catch-up of a collection that is not finished."""
        run = self.ledger.holder(collection)
        return run if run is not None and run.kind == KIND else None

    def catch_up(
        self,
        follow: Follow,
        lag: Lag,
        actor: str,
        *,
        then: Mapping[str, Any] | None = None,
        mass_deletion: bool = False,
    ) -> Run:
        """Queue the run that brings a followed collection in step, and does `then` afterwards.

        Raises:
            Refused: another run writes to the collection.
        """
        run = self.ledger.submit(
            kind=KIND,
            lane=Lane.ACCELERATOR,
            title=f"Catch up {follow.collection}",
            target=follow.collection,
            spec={
                "version": 1,
                "follow": follow.id,
                "model": follow.model,
                "then": dict(then) if then else None,
                "mass_deletion": mass_deletion,
                "batch_size": BATCH,
            },
            actor=actor,
            migration=follow.migration,
            selected=lag.total,
            writes=True,
        )
        if then:  # somebody waits for it: it need not wait for tonight
            self.ledger.manners.put(run.id, replace(self.ledger.manners.of(run.id), hours=None))
        return run

    def deleted_lately(self, collection: str, *, besides: str) -> int:
        """How many points other catch-ups have deleted within the last hour, without a person's word."""
        runs = self.ledger.runs(kinds=(KIND,), target=collection, limit=500)
        lately = now() - timedelta(hours=1)
        return sum(
            int((run.result or {}).get("deleted", 0))
            for run in runs
            if run.id != besides and run.heartbeat and run.heartbeat > lately and not run.spec["mass_deletion"]
        )

    def bring_in_step(self, collection: str, actor: str, *, mass_deletion: bool = False) -> Run | Lag:
        """Queue a catch-up of a followed collection; a Lag where nothing is behind. One that stopped is called off.

        Raises:
            Refused: the collection is not followed, or another run writes to it.
        """
        self.keep_in_step()
        follow = self.followed(collection)
        stopped = self.holder(collection)
        if stopped is not None and stopped.state in RESUMABLE:
            self.ledger.ask(stopped.id, Verb.CANCEL, actor)
        lag = measure(self.compare(follow)) or Lag()
        if follow.stocked and not lag.total:
            self.follows.checked(follow.id, lag)
            return lag
        run = self.catch_up(follow, lag, actor, mass_deletion=mass_deletion)
        self.follows.checked(follow.id, lag, f"Run {run.id} catches up.")
        return run

    def stop(self, collection: str, actor: str) -> Follow:
        """Keep a collection in step no longer.

        Raises:
            Refused: it is not.
        """
        follow = self.followed(collection)
        self.follows.end(follow.id, f"{actor} ended it.")
        return self.follows.get(follow.id)

    def let_go(self, collection: str, why: str) -> None:
        """Keep a collection that is no more in step no longer, if it was."""
        follow = self.follows.of(collection)
        if follow is not None and follow.ended_at is None:
            self.follows.end(follow.id, why)

    def followed(self, collection: str) -> Follow:
        """The follow of a collection that has not ended.

        Raises:
            Refused: there is none.
        """
        follow = self.follows.of(collection)
        if follow is None or follow.ended_at is not None:
            raise Refused(
                f"{collection} is not kept in step with the catalog.",
                "A collection is from the end of its build on, and a former one for as long as the way back is kept.",
            )
        return follow
