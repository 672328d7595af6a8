"""The words of a run: its states and their legal changes, counts, progress, and the operation protocol."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    INVALID = "invalid"


_S = RunState
TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    _S.QUEUED: frozenset({_S.RUNNING, _S.PAUSED, _S.CANCELLED}),
    _S.RUNNING: frozenset({_S.PAUSING, _S.CANCELLING, _S.QUEUED, _S.INTERRUPTED, _S.FAILED, _S.SUCCEEDED, _S.INVALID}),
    _S.PAUSING: frozenset({_S.PAUSED, _S.CANCELLING, _S.INTERRUPTED, _S.FAILED, _S.SUCCEEDED, _S.INVALID}),
    _S.PAUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.FAILED, _S.SUCCEEDED, _S.INVALID}),
    _S.INTERRUPTED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.CANCELLED: frozenset(),
    _S.SUCCEEDED: frozenset(),
    _S.INVALID: frozenset(),
}
TERMINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)
ACTIVE = frozenset({_S.QUEUED, _S.RUNNING, _S.PAUSING, _S.CANCELLING})
"""States in which the worker has, or will soon have, something to do."""
WORKING = frozenset({_S.RUNNING, _S.PAUSING, _S.CANCELLING})
"""States in which an attempt is open and a worker writes progress."""
RESUMABLE = frozenset({_S.PAUSED, _S.INTERRUPTED, _S.FAILED})


EMBEDDING = ("reembed", "ingest", "retry", "repair", "generate")
"""The kinds of runs that embed pictures into their target."""


class Lane(StrEnum):
    """What a run needs for itself. One run at a time in each lane."""

    ACCELERATOR = "accelerator"
    STORE = "store"


class Verb(StrEnum):
    """What a person can ask of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Counts:
    """The accounting of a run: selected = done + skipped + failed + pending, in distinct pictures.

    `done` counts acknowledged work only (pictures embedded, points checked). `skipped` and `failed` are counted by
    reason. `selected` is what the plan chose, raised by pictures that were added during the run.
    """

    selected: int = 0
    done: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_skipped(self) -> int:
        return sum(self.skipped.values())

    @property
    def all_failed(self) -> int:
        return sum(self.failed.values())

    @property
    def settled(self) -> int:
        return self.done + self.all_skipped + self.all_failed

    @property
    def pending(self) -> int:
        """May be negative only where the books are wrong; such a run is invalid."""
        return self.selected - self.settled


@dataclass(frozen=True, slots=True)
class Failure:
    """One picture that failed: its catalog key, the class of failure, a message for people, and its path.

    `read_at` is when its bytes began to be read; None where that is not known.
    """

    key: str
    kind: str
    message: str
    path: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPicture(Failure):
    """A failure that stands: no run into this collection has embedded the picture since.

    `run` failed on it last, `tries` attempts did in all. A quarantined picture is not tried again by a build, nor by
    a retry that does not name it; `quarantined_by` is "" for the others.
    """

    run: str
    tries: int
    first_at: datetime
    last_at: datetime
    quarantined_by: str = ""
    quarantined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything up to `checkpoint` is durable. `counts` are totals of the whole run, not of the step.

    `failures` are those of this step, `cleared` the keys of which no failure stands any more: their pictures are in
    the target, or have left the catalog. `result` is what the operation has measured so far, instead of what it told
    before; None changes nothing.
    `pace` tells now and then how fast each stage is and what limits the work (`engine.pace.Pace` as JSON).
    """

    checkpoint: str
    counts: Counts
    failures: tuple[Failure, ...] = ()
    result: Mapping[str, Any] | None = None
    note: str = ""
    cleared: tuple[str, ...] = ()
    pace: Mapping[str, Any] | None = None


class Operation(Protocol):
    """Long work as a generator. It yields only after what it reports is durable.

    `steps` continues behind `checkpoint` with `counts` ("" and the planned counts at the first attempt). The worker
    may stop it at any yield (pause, cancel, shutdown) and reopen it later from what was last recorded. A
    `ConsoleError` that it raises ends the attempt as failed with its message and remedy.
    """

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]: ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger has it.

    `kind` names the operation ("reembed", "verify"). `spec` is the plan as JSON, stored with the
    run. `target` is the collection that it writes or checks: at most one run that is not finished may write to it.
    `reason` says why it is in its state, for people. `finished_at` is when it last stopped working for whatever
    reason but a pause, `heartbeat` when its worker last recorded something. Times are UTC and aware.
    """

    id: str
    kind: str
    lane: Lane
    title: str
    target: str
    spec: Mapping[str, Any]
    state: RunState
    reason: str
    remedy: str
    checkpoint: str
    counts: Counts
    result: Mapping[str, Any] | None
    attempt: int
    migration: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a run, from a claim until a stop. `done` is what this attempt added to the run's count."""

    number: int
    owner: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    done: int


@dataclass(frozen=True, slots=True)
class Sample:
    """How many pictures of a run were settled at a moment. An attempt's first sample is the moment of its claim."""

    at: datetime
    attempt: int
    settled: int


@dataclass(frozen=True, slots=True)
class RecordedPace:
    """The latest pace of a run (`engine.pace.Pace` as JSON), when it was recorded, and by which attempt."""

    at: datetime
    attempt: int
    pace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asked of a run, and when."""

    verb: Verb
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing that a person or the console did."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    outcome: str
