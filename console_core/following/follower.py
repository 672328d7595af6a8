"""The thread that looks whether followed collections are still in step, and queues the runs that catch them up."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from console_core.database import now
from console_core.errors import CollectionNotFound, ConsoleError, Refused
from console_core.following.comparing import Comparison, measure
from console_core.following.keeping import CONSOLE, KIND, Keeping
from console_core.following.records import Follow
from console_core.migration.left_over_index import LeftOverIndexes
from console_core.rollout.cutover import overtaken
from console_core.rollout.gap import close_gaps
from console_core.runs.types import Run, RunState, Verb

log = logging.getLogger(__name__)

INTERVAL = 15.0
"""Seconds between two looks at a collection."""
REST = 20.0
"""After a look the collection is left alone for so many times as long as it took, so that looking costs little."""
AGAIN_AFTER = timedelta(minutes=10)
"""After how long a catch-up that failed is tried again by itself."""


_WAITS, _WORKS = "Waits ", "Run "


def hindered(follow: Follow) -> str:
    """What keeps the console from looking at a collection; "" where it looks, works on it, or waits for a run."""
    active = follow.ended_at is None
    return follow.note if active and not follow.note.startswith((_WAITS, _WORKS)) else ""


class Follower:
    """Looks at every followed collection in turn, every `interval` seconds, as long as the console runs.

    A catch-up that was interrupted is resumed; one that failed is tried again later, unless a person's word is asked
    for. What keeps a collection from being in step is noted on its follow.
    """

    def __init__(
        self,
        keeping: Keeping,
        wake: Callable[[], None],
        *,
        held: Callable[[], bool] = lambda: True,
        interval: float = INTERVAL,
        rest: float = REST,
    ) -> None:
        self._keeping, self._wake, self._held, self._interval = keeping, wake, held, interval
        self._rest = rest
        self._closing = threading.Event()
        self._left_over = LeftOverIndexes(keeping.store, keeping.ledger)
        self._due: dict[str, float] = {}
        self._comparisons: dict[str, Comparison] = {}
        self._thread = threading.Thread(target=self._serve, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout: float = 30.0) -> None:
        """Stop looking, after the page that is being looked at."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        self._left_over.close()

    def look(self) -> None:
        """One round over all follows that are due, after names that lead nowhere."""
        keeping = self._keeping
        try:
            if close_gaps(keeping.store, keeping.ledger, keeping.moves, CONSOLE):
                self._wake()
            self._left_over.begin()
            keeping.keep_in_step()
            follows = keeping.follows.active()
        except ConsoleError as error:
            log.warning("following waits: %s", error.message)
            return
        for follow in follows:
            if self._closing.is_set() or not self._held():
                return
            if self._is_due(follow.id):
                self._look_in_time(follow.id)

    def _is_due(self, follow: str) -> bool:
        return self._due.get(follow, 0.0) <= time.monotonic()

    def _look_in_time(self, identifier: str) -> None:
        started = time.monotonic()
        try:
            self._look_at(self._keeping.follows.get(identifier))  # a round takes long, and people move aliases
        except CollectionNotFound as error:
            self._keeping.follows.end(identifier, str(error))
        except ConsoleError as error:
            self._keeping.follows.checked(identifier, None, str(error))
        took = time.monotonic() - started
        self._due[identifier] = time.monotonic() + self._rest * took

    def _look_at(self, follow: Follow) -> None:
        keeping = self._keeping
        if follow.ended_at is not None:
            return
        if follow.until is not None and now() > follow.until:
            keeping.follows.end(follow.id, f"The window closed on {follow.until:%Y-%m-%d at %H:%M} UTC.")
            return
        if follow.until is None and follow.alias:
            serving = keeping.store.aliases().get(follow.alias, "")
            moves = keeping.moves.of(follow.alias)
            if serving != follow.collection and overtaken(moves, follow.collection, follow.since, serving):
                keeping.follows.end(follow.id, f"{follow.alias} was moved elsewhere.")
                return
        if (run := keeping.ledger.holder(follow.collection)) is not None:
            keeping.follows.checked(follow.id, None, self._about(run))
            return
        comparison = keeping.compare(follow)
        if (
            former := self._comparisons.get(follow.id)
        ) is not None:  # which knows what files are the same though touched
            comparison = replace(former, follow=follow, catalog=comparison.catalog)
        self._comparisons[follow.id] = comparison
        lag = measure(comparison, self._closing.is_set)
        if lag is None:
            return
        if lag.total or not follow.stocked:
            run = keeping.catch_up(follow, lag, CONSOLE)
            keeping.follows.checked(follow.id, lag, f"{_WORKS}{run.id} catches up.")
            self._wake()
        else:
            keeping.follows.checked(follow.id, lag)

    def _about(self, run: Run) -> str:
        """Why a collection waits for a run, which is put going again where that needs nobody."""
        if run.kind == KIND and run.state is RunState.FAILED and run.spec["then"]:
            self._keeping.ledger.ask(run.id, Verb.CANCEL, CONSOLE)
            return f"{_WAITS}no longer for run {run.id}, whose move was refused: {run.reason}"
        ours = run.kind == KIND and run.created_by == CONSOLE
        late = run.finished_at is not None and now() - run.finished_at > AGAIN_AFTER
        stopped = run.state is RunState.INTERRUPTED or (run.state is RunState.FAILED and late)
        if ours and stopped:
            try:
                self._keeping.ledger.ask(run.id, Verb.RESUME, CONSOLE)
                self._wake()
            except Refused as error:
                return str(error)
            return f"{_WORKS}{run.id} goes on catching up."
        said = f": {run.reason}" if run.state is RunState.FAILED else ""
        return f"{_WAITS}for run {run.id}, which is {run.state}{said}"

    def _serve(self) -> None:
        while not self._closing.wait(self._interval):
            try:
                if self._held():
                    self.look()
            except Exception:
                log.exception("following: unexpected trouble; going on")
