"""The way forward and the way back of an alias: moves that lose nothing, because what they lead to is in step first."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console_core.errors import Refused
from console_core.following.comparing import measure
from console_core.following.keeping import CONSOLE, Keeping
from console_core.following.records import Lag
from console_core.rollout import cutover
from console_core.rollout.records import Move, MoveKind
from console_core.runs.types import RESUMABLE, WORKING, Run, RunState, Verb

PATIENCE = 30.0
"""For how many seconds a move waits for a catch-up that is at work on its collection."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Moves aliases to collections that are kept in step."""

    keeping: Keeping
    verdict_age: timedelta = cutover.VERDICT_AGE

    def cut_over(
        self, alias: str, to: str, *, actor: str, migration: str = "", accept_losses: bool = False
    ) -> Move | Run:
        """Move an alias to a verified collection; where that is behind the catalog, as a run that catches up first.

        Raises:
            as `rollout.cutover.cut_over`.
        """
        to = self.keeping.store.describe(to).name
        if self.keeping.store.aliases().get(alias) == to:
            raise Refused(f"{alias} serves {to} already.", "There is nothing to cut over.")
        self.keeping.keep_in_step()
        self.keeping.take_up_again(to)
        then: dict[str, Any] = {"act": "cut_over", "alias": alias, "to": to, "actor": actor}
        then |= {"migration": migration, "accept_losses": accept_losses}
        return self._moved(to, then, actor)

    def roll_back(self, alias: str, *, actor: str, accept_losses: bool = False) -> Move | Run:
        """Move an alias back; where what it served before is behind the catalog, as a run that catches up first.

        With `accept_losses` it is moved at once, as it stands.

        Raises:
            Refused: there is no cut-over to undo; or the former collection is behind and not kept in step any more.
        """
        self.keeping.keep_in_step()
        serving = self.keeping.store.aliases().get(alias, "")
        last = cutover.way_back(self.keeping.moves, alias, serving)
        then = {"act": "roll_back", "alias": alias, "actor": actor, "serving": serving}
        then["to"] = last.before if last is not None else ""
        if last is None or accept_losses:
            return self.act(then)
        follow = self.keeping.follows.of(last.before)
        if follow is None or follow.ended_at is not None:
            lag = self.keeping.lag(last.before)
            if lag is None or lag.total:
                known = f"{lag.total:,} pictures ({lag})" if lag else "nobody knows how many pictures"
                raise Refused(
                    f"{last.before} has not been kept in step since "
                    f"{follow.ended_at if follow else last.at:%Y-%m-%d %H:%M} UTC: {known} would be answered as they "
                    "were then, or not at all.",
                    f"Accept that by typing {alias}, or leave it as it is.",
                )
        return self._moved(last.before, then, actor)

    def act(self, then: Mapping[str, Any], since: datetime | None = None) -> Move:
        """Make a move; making it again does no harm. A run passes `since` when it has wanted it.

        Raises:
            as `rollout.cutover`.
        """
        alias, actor = str(then["alias"]), str(then["actor"])
        if then["act"] == "cut_over":
            to, before = str(then["to"]), self.keeping.store.aliases().get(alias)
            if before == to and (made := self._made(alias, to)) is not None:
                self.keeping.keep_in_step()
                return made
            move = cutover.cut_over(
                self.keeping.store,
                self.keeping.ledger,
                self.keeping.moves,
                alias,
                to,
                actor=actor,
                migration=str(then["migration"]),
                accept_losses=bool(then["accept_losses"]),
                age=self.verdict_age,
                since=since,
            )
            self.keeping.keep_in_step()
            return move
        serving, was, to = self.keeping.store.aliases().get(alias), then["serving"], then["to"]
        if serving != was:
            made = self._made(alias, to) if serving == to else None
            if made is not None and made.kind is MoveKind.ROLLED_BACK and made.before == was:
                return made
            raise Refused(
                f"{alias} serves {serving or 'nothing'} by now, and not {was}, from which it should be rolled back.",
                "Look at who moved it, then decide again.",
            )
        back = cutover.roll_back(self.keeping.store, self.keeping.moves, alias, actor=actor, since=since)
        self.keeping.settle(CONSOLE)
        return back

    def _made(self, alias: str, to: str) -> Move | None:
        return next((move for move in self.keeping.moves.of(alias, limit=1) if move.after == to), None)

    def _moved(self, collection: str, then: Mapping[str, Any], actor: str) -> Move | Run:
        """Act at once where the collection is in step, otherwise queue the run that catches up and then acts."""
        self._make_way(collection, actor)
        follow = self.keeping.follows.of(collection)
        if follow is None or follow.ended_at is not None:
            return self.act(then)
        lag = measure(self.keeping.compare(follow)) or Lag()
        if not lag.total:
            return self.act(then)
        if then["act"] == "cut_over":
            self._must_be_open(then)
        return self.keeping.catch_up(follow, lag, actor, then=then)

    def _must_be_open(self, then: Mapping[str, Any]) -> None:
        """Refuse before anything is queued what the cut-over itself would refuse for another reason than lag."""
        serving = self.keeping.store.aliases().get(str(then["alias"]), "")
        keeping = self.keeping
        found = cutover.gate(keeping.ledger, keeping.store, str(then["to"]), serving=serving, age=self.verdict_age)
        if not found.open and not (then["accept_losses"] and found.acceptable):
            raise Refused(
                f"{then['alias']} cannot be moved to {then['to']}: {' '.join(found.reasons)}",
                "Verify the collection, then cut over.",
            )

    def _make_way(self, collection: str, actor: str) -> None:
        """Wait for a catch-up that is at work, and call off one that has stopped."""
        until = time.monotonic() + PATIENCE
        while (run := self.keeping.holder(collection)) is not None:
            if run.state in RESUMABLE or run.state is RunState.QUEUED:
                self.keeping.ledger.ask(run.id, Verb.CANCEL, actor)
            elif run.state in WORKING and time.monotonic() > until:
                raise Refused(
                    f"Run {run.id} is bringing {collection} in step with the catalog.",
                    "Wait until it has ended, then try again.",
                )
            else:
                time.sleep(0.1)
