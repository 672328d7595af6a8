"""One attempt at a run, inline: drive the operation, record each step, obey, and write down how it ended."""

import logging
import secrets
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeVar

from console_core.errors import ConsoleError, IllegalTransition, LedgerUnavailable
from console_core.runs import accounting
from console_core.runs.courtesy import Courtesy, nobody_searches
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Cause
from console_core.runs.types import Counts, Operation, Progress, Run, RunState, Verb
from console_core.runs.waiting import Waiting
from console_core.runs.wording import counted, treated

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

PATIENCE = 60.0
"""For how many seconds a ledger that is away is tried again before the attempt is given up."""
MAY_FAIL_THROUGHOUT = frozenset({"catch_up"})
"""Kinds of runs whose success is to have tried: the few pictures that changed may all be bad ones."""
_GO_ON = "Resume it: it continues from its last checkpoint."


def work(
    run: Run,
    build: Callable[[Run], Operation],
    ledger: Ledger,
    should_stop: Callable[[], bool],
    patience: float = PATIENCE,
    busy: Callable[[], bool] = nobody_searches,
) -> Run:
    """Build the operation of a claimed run and `execute` it. An error of `build` fails the run like one of a step."""
    return _drive(run, lambda: build(run), _Attempt(run, ledger, should_stop, patience, busy))


def execute(
    run: Run,
    operation: Operation,
    ledger: Ledger,
    should_stop: Callable[[], bool],
    patience: float = PATIENCE,
    busy: Callable[[], bool] = nobody_searches,
) -> Run:
    """Drive a claimed run until it ends or must stop; returns it as the ledger then has it.

    Before each step it waits as the run's manners say; `busy` says whether searches are being made. Outside of its
    allowed hours the run goes back to the queue, so that its lane is free for others. Where the operation itself could
    not reach the ledger, it is opened again from its last checkpoint, for as long as `patience` lasts.

    Raises:
        LedgerUnavailable: not even the end could be written. The run is still "running" there, and everything up to
            its last checkpoint holds; see `abandon`.
        IllegalTransition: another process took the run over; nothing was recorded after that.
    """
    return _drive(run, lambda: operation, _Attempt(run, ledger, should_stop, patience, busy))


def _drive(run: Run, build: Callable[[], Operation], attempt: "_Attempt") -> Run:
    steps = _steps(build, run.checkpoint, run.counts)
    try:
        while attempt.ready():
            try:
                progress = next(steps, None)
            except LedgerUnavailable as error:
                attempt.outlast(error)
                steps = _steps(build, attempt.checkpoint, attempt.counts)
                continue
            except Exception as error:
                return attempt.fail(error)
            if progress is None:
                return attempt.conclude()
            if attempt.record(progress):
                _close(steps, run)
                return attempt.conclude()
        _close(steps, run)
        return attempt.stop()
    except LedgerUnavailable as error:
        _close(steps, run)
        reason = f"The ledger could not be used, so the work was stopped. {error.message}"
        return abandon(run, attempt.ledger, reason)
    except IllegalTransition:
        _close(steps, run)
        raise
    except (KeyboardInterrupt, SystemExit):
        _close(steps, run)
        abandon(run, attempt.ledger, "The process was told to stop while this run was working.")
        raise


def abandon(run: Run, ledger: Ledger, reason: str) -> Run:
    """End the open attempt of a run that nobody works on: interrupted, or cancelled where that was asked.

    Raises:
        LedgerUnavailable, IllegalTransition: as `execute`.
    """
    return _Attempt(run, ledger, lambda: True, patience=0).stop(reason)


class _Attempt:
    def __init__(
        self,
        run: Run,
        ledger: Ledger,
        should_stop: Callable[[], bool],
        patience: float,
        busy: Callable[[], bool] = nobody_searches,
    ) -> None:
        self.run, self.ledger, self.should_stop, self.patience = run, ledger, should_stop, patience
        self.checkpoint, self.counts = run.checkpoint, run.counts
        self.away_since: float | None = None
        self.wrong = self.note = self.closed = ""
        self.courtesy = Courtesy(busy, run.counts.settled, counted(run.kind))
        self.waiting = Waiting(run, ledger, self._patiently)

    def record(self, progress: Progress) -> str:
        """Write down a step; returns what is wrong with its books, "" where nothing is."""
        told = self._with_waits(progress)
        self._patiently(lambda: self.ledger.record(self.run.id, told, attempt=self.run.attempt))
        self.wrong = accounting.check(progress.counts, before=self.counts)
        self.checkpoint, self.counts, self.note = progress.checkpoint, progress.counts, progress.note
        self.away_since = None
        return self.wrong

    def _with_waits(self, progress: Progress) -> Progress:
        """What the work was held up by is known here, how long it was held up at its pace."""
        if progress.pace is None:
            return progress
        recent, overall = self.waiting.most() or "", self.waiting.most_of_all or ""
        pace = {
            **progress.pace,
            "recent": {**progress.pace["recent"], "waits": recent},
            "overall": {**progress.pace["overall"], "waits": overall},
        }
        return replace(progress, pace=pace)

    def outlast(self, error: LedgerUnavailable) -> None:
        """Wait a moment for a ledger that the operation could not reach; raises the error where patience is over."""
        moment = time.monotonic()
        self.away_since = moment if self.away_since is None else self.away_since
        wait = min(max(moment - self.away_since, 0.02), 1.0)
        if moment + wait > self.away_since + self.patience or self.should_stop():
            raise error
        log.warning("run %s waits for the ledger: %s", self.run.id, error.message)
        time.sleep(wait)

    def ready(self) -> bool:
        """Wait until the next step may be made; False where the attempt must end instead."""
        while not self.must_stop():
            manners = self._patiently(lambda: self.ledger.manners.of(self.run.id))
            wait = self.courtesy.wait(manners, self.counts.settled)
            if wait is None:
                self.waiting.over(self.note)
                return True
            if wait.cause is Cause.HOURS:
                self.closed = wait.sentence
                return False
            self.waiting.nap(wait)
        return False

    def must_stop(self) -> bool:
        return self.should_stop() or self._patiently(lambda: self.ledger.asked(self.run.id)) is not None

    def stop(self, reason: str = "The console was stopped while this run was working.") -> Run:
        """Stop as asked, or because the hours are over, or as interrupted where nobody asked."""
        while True:
            verb = self._patiently(lambda: self.ledger.asked(self.run.id))
            try:
                if verb is Verb.CANCEL:
                    return self._finish(RunState.CANCELLED, f"Cancelled by {self._who(verb)}.")
                if verb is Verb.PAUSE:
                    return self._finish(RunState.PAUSED, f"Paused by {self._who(verb)}.")
                if self.closed:
                    return self._finish(RunState.QUEUED, self.closed)
                return self._finish(RunState.INTERRUPTED, reason, _GO_ON)
            except IllegalTransition:
                if self._patiently(lambda: self.ledger.asked(self.run.id)) is verb:
                    raise
                # a cancellation arrived between the question and the answer: obey that one

    def conclude(self) -> Run:
        """The operation has no more steps, or its books are wrong."""
        counts = self.counts
        if wrong := self.wrong or accounting.check(counts, finished=True):
            remedy = f"Do not cut over to {self.run.target}. Start a new run, and report this one."
            return self._finish(RunState.INVALID, wrong, remedy)
        nothing_worked = counts.all_failed and not counts.done and not counts.all_skipped
        if nothing_worked and self.run.kind not in MAY_FAIL_THROUGHOUT:
            kind, number = max(counts.failed.items(), key=lambda reason: reason[1])
            return self._finish(
                RunState.FAILED,
                f"None of the {counts.selected:,} {counted(self.run.kind)} could be {treated(self.run.kind)}. "
                f'The most frequent reason was "{kind}" ({number:,} pictures).',
                "Look at the failures, correct what they have in common, and start again.",
            )
        parts = [f"{counts.done:,} of {counts.selected:,} {counted(self.run.kind)} {treated(self.run.kind)}"]
        parts += [
            f"{number:,} {word}"
            for word, number in (("skipped", counts.all_skipped), ("failed", counts.all_failed))
            if number
        ]
        return self._finish(
            RunState.SUCCEEDED, ", ".join(parts) + "." if counts.selected else "There was nothing to do."
        )

    def fail(self, error: Exception) -> Run:
        if isinstance(error, ConsoleError):
            log.warning("run %s failed: %s", self.run.id, error)
            return self._finish(RunState.FAILED, error.message, error.remedy)
        incident = f"i-{secrets.token_hex(4)}"
        log.error("run %s failed, incident %s", self.run.id, incident, exc_info=error)
        return self._finish(
            RunState.FAILED,
            f"Something happened that the console did not expect ({type(error).__name__}, incident {incident}).",
            f"Find {incident} in the console's log. Resuming continues from the last checkpoint.",
        )

    def _finish(self, to: RunState, reason: str, remedy: str = "") -> Run:
        mine = self.run.attempt
        self.waiting.over(ends=True)
        try:
            return self._patiently(
                lambda: self.ledger.finish(self.run.id, to, reason=reason, remedy=remedy, attempt=mine)
            )
        except IllegalTransition:
            after = self._patiently(lambda: self.ledger.get(self.run.id))
            if (after.state, after.attempt, after.reason) == (to, mine, reason):
                return after  # it was written the first time; only the acknowledgement was lost
            raise

    def _who(self, verb: Verb) -> str:
        commands = self._patiently(lambda: self.ledger.commands(self.run.id))
        return next((command.actor for command in reversed(commands) if command.verb is verb), "the console")

    def _patiently(self, action: Callable[[], Answer]) -> Answer:
        """Try again while the ledger is away. What it is told is the same each time, so nothing counts twice."""
        until, wait = time.monotonic() + self.patience, 0.02
        while True:
            try:
                return action()
            except LedgerUnavailable as error:
                if time.monotonic() + wait > until or self.should_stop():
                    raise
                log.warning("run %s waits for the ledger: %s", self.run.id, error.message)
            time.sleep(wait)
            wait = min(wait * 2, 1.0)


def _steps(build: Callable[[], Operation], checkpoint: str, counts: Counts) -> Generator[Progress, None, None]:
    yield from build().steps(checkpoint, counts)


def _close(steps: Generator[Progress, None, None], run: Run) -> None:
    """Let the operation give back what it holds, before anyone is told that the run has stopped."""
    try:
        steps.close()
    except Exception:
        log.exception("run %s: the operation did not close cleanly", run.id)
