"""What happens in one run, and when: decided by the dice of a seed, so that it can happen again."""

import random
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from console_core.database import Database

ENDINGS = ("kill", "pause", "stop")
STORE_FAULTS = ("store read", "store before", "store after", "partial", "torn")
MODEL_FAULTS = ("glitch", "tight memory", "out of memory")
FILE_FAULTS = ("decode", "timeout")
LEDGER_FAULTS = ("ledger before", "ledger after", "ledger unread", "ledger locked")
FAULTS = (*ENDINGS, *STORE_FAULTS, *MODEL_FAULTS, *FILE_FAULTS, *LEDGER_FAULTS)
MOST_FAULTS = 5
ODDS, READING_ODDS, FILE_ODDS = 0.12, 0.02, 0.03
"""Of an act that changes something, of one that reads, and of a picture."""


class Killed(BaseException):
    """The process died here: nothing after this point ran."""


@dataclass
class Schedule:
    """The dice of one seed. `strike` is called between any two acts of a run; it raises or does what falls.

    `changes` are what else may happen to the world, and `change` makes it happen. While it is `quiet` nothing does.
    `struck` are the keys of pictures that could not be had for once.
    """

    seed: int
    lock: "Lock | None" = None
    changes: tuple[str, ...] = ()
    change: Callable[[str], object] = lambda _what: None
    pause: Callable[[], object] = lambda: None
    odds: float = ODDS
    quiet: bool = True
    stop: bool = False
    happened: list[str] = field(default_factory=list)
    struck: set[str] = field(default_factory=set)
    spoilt: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._reads: dict[str, int] = {}

    def falls(self, *kinds: str, odds: float = 0.0) -> str:
        """Which of these happens now, "" for none; by the schedule's own odds where none are given."""
        if self.quiet or len(self.happened) >= MOST_FAULTS or self.dice.random() > (odds or self.odds):
            return ""
        kind = self.dice.choice(kinds)
        self.happened.append(kind)
        return kind

    def strike(self) -> None:
        match self.falls(*ENDINGS, "ledger locked", *self.changes):
            case "kill":
                raise Killed
            case "pause":
                if self.lock is None or not self.lock.held:
                    self.pause()
            case "stop":
                self.stop = True
            case "ledger locked" if self.lock is not None:
                self.lock.hold(self.dice.randint(1, 5))
            case "":
                pass
            case change:
                self.change(change)

    def spoils(self, key: str) -> str:
        """Whether a picture cannot be had for once. Threads read pictures, so each reading has dice of its own."""
        if self.quiet:
            return ""
        number = self._reads[key] = self._reads.get(key, 0) + 1
        dice = random.Random(f"{self.seed} {key} {number}")
        if dice.random() > FILE_ODDS:
            return ""
        self.struck.add(key)
        self.spoilt.append(fault := dice.choice(FILE_FAULTS))
        return fault


class Lock:
    """Another program that locks the ledger for real, until it was found locked so many times."""

    def __init__(self, database: Database) -> None:
        path = database.engine.url.database or ""
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        self._guard = threading.RLock()  # a run writes to its store on another thread than to its ledger
        self._times = 0

    @property
    def held(self) -> bool:
        return self._times > 0

    def hold(self, times: int) -> None:
        with self._guard:
            if not self.held:
                self._connection.execute("BEGIN IMMEDIATE")
            self._times = times

    def met(self) -> None:
        """Somebody wanted to write and could not."""
        with self._guard:
            if self.held:
                self._times -= 1
                if not self._times:
                    self._connection.execute("ROLLBACK")

    def let_go(self) -> None:
        while self.held:
            self.met()

    def close(self) -> None:
        self.let_go()
        self._connection.close()

    def __enter__(self) -> None:
        """Around an attempt to write."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.met()


@dataclass
class Clock:
    """The time that a run waits in: it passes at once."""

    moment: float = 0.0

    def monotonic(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += seconds
