"""The columns of a snapshot: what was asked, in which way, through which model, and how its encoder stood then."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from console_core.querylab.column_text import written
from console_core.querylab.comparison import Column
from console_core.querylab.encoder_report import FAULTS, Level
from console_core.querylab.encoder_standing import Standing
from console_core.vectorstore.types import CollectionInfo
from console_core.vectorstore.ways import Search

State = Literal["green", "red", "stale", "unchecked"]
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class AskedEncoder:
    """How the newest encoder check of a collection stood when it was asked, at `looked_at`.

    "red" is a fault that was found, also where the collection was written to since: a write mends none. "stale" was
    green, and `stale` says in sentences why it did not count any more; "unchecked" is a collection without a check.
    `run` did the check and ended at `checked_at`; `faults` are codes of `encoder_report.FAULTS`.
    """

    state: State
    looked_at: datetime
    run: str = ""
    checked_at: datetime | None = None
    faults: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @classmethod
    def of(cls, known: Standing | None, looked_at: datetime) -> Self:
        if known is None:
            return cls("unchecked", looked_at)
        faults = [finding.code for finding in known.report.findings if finding.level is Level.RED]
        state: State = "red" if faults else "stale" if known.stale else "green"
        return cls(state, looked_at, known.run.id, known.run.finished_at, tuple(faults), known.stale)

    @property
    def named(self) -> str:
        """Its faults by their names: Wrong padding of texts, Other weights."""
        return ", ".join(FAULTS.get(code, code) for code in dict.fromkeys(self.faults))

    @property
    def text(self) -> str:
        """What is to be known of it: encoder check green, 3 hours before."""
        if self.state == "unchecked":
            return "encoder never checked"
        found = f"red ({self.named})" if self.state == "red" else "green"
        late = f", out of date by then: {' '.join(self.stale)}" if self.stale else ""
        return f"encoder check {found}, {_before(self.checked_at, self.looked_at)}{late}"

    def as_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        checked = self.checked_at.isoformat() if self.checked_at else None
        return {**asdict(self), "looked_at": self.looked_at.isoformat(), "checked_at": checked}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        checked = datetime.fromisoformat(data["checked_at"]) if data["checked_at"] else None
        times = {"looked_at": datetime.fromisoformat(data["looked_at"]), "checked_at": checked}
        return cls(**{**data, **times, "faults": tuple(data["faults"]), "stale": tuple(data["stale"])})


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """A column of a snapshot: the collection that was asked, as `asked` named it, the way in which it was searched, and
    the model that asked it. `encoder` is None in snapshots that were made before it was recorded."""

    asked: str
    collection: str
    model: str
    fingerprint: str
    dimension: int
    points: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    way: Search = Search.USUAL
    encoder: AskedEncoder | None = None

    @classmethod
    def of(cls, column: Column, info: CollectionInfo, encoder: AskedEncoder | None = None) -> "AskedColumn":
        stamp = info.stamp
        return cls(
            column.asked,
            info.name,
            stamp.model if stamp else "",
            stamp.fingerprint if stamp else "",
            info.dimension,
            info.points,
            {"distance": info.distance},
            column.way,
            encoder,
        )

    @property
    def name(self) -> str:
        """What it is called, and can be asked by again: images, images~exact."""
        return written(Column(self.asked, self.way))

    @property
    def title(self) -> str:
        """Its model, and the way where that is not the usual one: demo-clip, demo-clip, exact."""
        return self.model if self.way is Search.USUAL else f"{self.model}, {self.way.value}"

    @property
    def fed(self) -> str:
        """How its encoder stood when it was asked, in words."""
        return self.encoder.text if self.encoder else "encoder check not recorded"

    def as_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {**asdict(self), "way": self.way.value, "encoder": self.encoder.as_json() if self.encoder else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AskedColumn":
        """The reverse of `as_json`; of snapshots that know neither way nor encoder too."""
        encoder = AskedEncoder.from_json(data["encoder"]) if data.get("encoder") else None
        return cls(**{**data, "way": Search(data.get("way", Search.USUAL)), "encoder": encoder})


def _before(then: datetime | None, now: datetime) -> str:
    """How long before, in the largest unit that fits: 3 hours before."""
    seconds = (now - then).total_seconds() if then else 0.0
    for size, unit in _UNITS:
        if (whole := int(seconds // size)) > 0:
            return f"1 {unit} before" if whole == 1 else f"{whole:,} {unit}s before"
    return "just before"
