"""The pace of a pipeline: how fast and how busy each stage is, and what it takes of the machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from console_core.engine.gpu import Card
from console_core.engine.meter import Readings, Stage


@dataclass(frozen=True, slots=True)
class Load:
    """Of one stage: pictures a second, and the share of its workers' time in which they worked, 0 to 1."""

    rate: float
    busy: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened in some time: `loads` by stage. `held` is the share of it in which the next batch was not asked
    for, because the one before was recorded, or because of `waits`: what the run waited for, "" where for nothing."""

    loads: Mapping[Stage, Load]
    held: float = 0.0
    waits: str = ""

    @property
    def busiest(self) -> Stage | None:
        """None where nothing was done, or where the stages had less to do than there was waiting."""
        if not self.loads:
            return None
        stage = max(self.loads, key=lambda one: self.loads[one].busy)
        return stage if self.loads[stage].busy > max(self.held, 0.0) else None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        found = {stage: Load(**data["loads"][stage]) for stage in Stage if stage in data["loads"]}
        return cls(found, data["held"], data["waits"])


@dataclass(frozen=True, slots=True)
class Pace:
    """`recent` is about the last seconds, `overall` about all of an attempt so far.

    `workers` are threads by stage, `decoders` pictures by who decoded them, `notes` what happened on the way.
    `process` is that of the engine, None where it runs on threads of the console. `bound` are bytes of memory that
    the pipeline takes at most; `memory` is what the console and its engine take now, `memory_before` what they took at
    the beginning.
    """

    recent: Stretch
    overall: Stretch
    workers: Mapping[Stage, int]
    decoders: Mapping[str, int]
    mode: str
    batch: int
    device: str
    process: int | None
    bound: int
    memory: int
    memory_before: int
    notes: tuple[str, ...] = ()
    cards: tuple[Card, ...] = field(default=())

    @property
    def where(self) -> str:
        """On what it runs, for people."""
        return f"the engine process {self.process}" if self.process else "threads of the console"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        made = {
            "recent": Stretch.from_json(data["recent"]),
            "overall": Stretch.from_json(data["overall"]),
            "workers": {Stage(name): number for name, number in data["workers"].items()},
            "notes": tuple(data["notes"]),
            "cards": tuple(Card(**card) for card in data["cards"]),
        }
        return cls(**{**data, **made})


def loads(before: Readings, after: Readings) -> dict[Stage, Load]:
    """What each stage did between two readings of a meter; nothing where they are of the same moment."""
    seconds = after.at - before.at
    if seconds <= 0:
        return {}
    found = {}
    for stage, busy in after.stages.items():
        done = busy.since(before.stages[stage]) if stage in before.stages else busy
        share = done.seconds / (seconds * busy.workers)
        found[stage] = Load(done.pictures / seconds, min(max(share, 0.0), 1.0))
    return found
