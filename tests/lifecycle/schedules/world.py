"""One schedule: a world with a run in it, which is resumed whenever it stopped, until it has come to its end."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, cast

from console_core.errors import ConsoleError, LedgerUnavailable
from console_core.runs.execution import work
from console_core.runs.types import Lane, Operation, Run, RunState, Verb
from console_core.vectorstore.types import VectorStore
from tests.lifecycle.schedules.dice import Killed, Schedule
from tests.lifecycle.schedules.parts import AnyStore, FaultyStore, StrictLedger

MOST_ATTEMPTS = 100
NOTHING_WORKED = "None of the "


class World(ABC):
    """What a run of one kind needs, and the truth that its success is compared with. `ended` is the run at its end,
    `lied` what is wrong although it says that it succeeded."""

    kind: str
    ended: Run
    unwanted: Any = staticmethod(lambda _id: False)

    def __init__(self, seed: int, ledger: StrictLedger, store: AnyStore, folder: Path) -> None:
        self.seed, self.ledger, self.store, self.folder = seed, ledger, store, folder
        self.schedule = ledger.schedule = Schedule(seed, ledger.lock)
        self.dice = self.schedule.dice
        self.target = f"target-{seed}"
        self.lied: list[str] = []

    @abstractmethod
    def prepare(self) -> Run:
        """Make what must be there before, with nothing happening, and queue the run."""

    @abstractmethod
    def operation(self, run: Run, store: VectorStore) -> Operation:
        """The operation of a run."""

    @abstractmethod
    def untruths(self) -> list[str]:
        """What is not as a run that succeeded says."""

    @abstractmethod
    def close(self) -> None:
        """Take away what others would stumble over."""

    def live(self) -> None:
        """From the first attempt to the end."""
        run = self.prepare()
        schedule = self.schedule
        schedule.pause = lambda: self.ledger.ask(run.id, Verb.PAUSE, "jo")
        schedule.quiet = False
        for _ in range(MOST_ATTEMPTS):
            self.ended = self.attempt(run)
            state, reason = self.ended.state, self.ended.reason
            if state is RunState.INVALID or "did not expect" in reason:
                schedule.wrong.append(f"{run.kind} {run.id}: {state}, {reason}")
            if state in (RunState.SUCCEEDED, RunState.INVALID) or reason.startswith(NOTHING_WORKED):
                break
            self.ledger.ask(run.id, Verb.RESUME, "olga")
        else:
            schedule.wrong.append(f"{run.kind} {run.id} never ended: {reason}")
        schedule.quiet = True
        if self.ended.state is RunState.SUCCEEDED:
            try:
                self.lied = self.untruths()
            except ConsoleError as error:  # what should be there cannot even be read
                self.lied = [str(error)]

    def attempt(self, run: Run) -> Run:
        """One attempt at a queued run, however it ends."""
        self.schedule.stop = False
        claimed = self.ledger.claim(run.lane, "this test", only=run.id)
        assert claimed is not None
        try:
            return work(claimed, self.build, self.ledger, lambda: self.schedule.stop, float(self.seed % 4))
        except (Killed, LedgerUnavailable):
            pass
        finally:
            self.ledger.lock.let_go()
        (left,) = self.ledger.recover("this test")
        return left

    def build(self, run: Run) -> Operation:
        return self.operation(run, cast(VectorStore, FaultyStore(self.store, self.schedule, self.unwanted)))

    def quietly(self, run: Run) -> Run:
        """Another run that belongs to this world, while nothing happens."""
        self.schedule.quiet = True
        ended = self.attempt(run)
        assert ended.state in (RunState.SUCCEEDED, RunState.FAILED), ended.reason
        return ended

    def submit(self, kind: str, spec: dict[str, Any], selected: int, *, target: str = "", writes: bool = True) -> Run:
        return self.ledger.submit(
            kind=kind,
            lane=Lane.STORE,
            title=f"Schedule {self.seed}",
            target=target or self.target,
            spec=spec,
            actor="olga",
            selected=selected,
            writes=writes,
        )
