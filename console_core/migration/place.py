"""How far a verification has come, as it is kept beside its differences so that another attempt goes on from there."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from console_core.vectorstore.signature import Signature
from console_core.vectorstore.types import PointId


class Phase(StrEnum):
    """What a verification does, in this order."""

    CATALOG = "catalog"
    SAMPLE = "sample"
    POINTS = "points"
    LOSSES = "losses"
    AGAIN = "again"
    LAST = "last"


@dataclass(slots=True)
class Place:
    """Where it is: `after` is the key of the row, the id of the point, or the number of the sampled picture or of the
    difference behind which the phase goes on.

    `checked` rows, of which `found` have a point and `excused` none because of a known failure. `sound` points differ
    in nothing that can be told without the picture; `derived` were embedded again, `unreadable` could not be, `lowest`
    is the lowest cosine to a stored vector. `seen` is the signature of exactly the points that were looked at,
    `held` that of everything in the collection when the points were walked. `numbered` differences were recorded.
    Of `served` points, that are found today, `strange`
    ones have ids that are no keys of the catalog.
    """

    phase: Phase = Phase.CATALOG
    after: PointId | None = None
    checked: int = 0
    found: int = 0
    excused: int = 0
    sound: int = 0
    derived: int = 0
    unreadable: int = 0
    lowest: float = 1.0
    lost: int = 0
    lost_examples: list[str] = field(default_factory=list)
    drawn: list[list[Any]] = field(default_factory=list)
    seen: Signature = field(default_factory=Signature)
    held: Signature = field(default_factory=Signature)
    numbered: int = 0
    served: int = 0
    strange: int = 0

    def begin(self, phase: Phase) -> None:
        self.phase, self.after = phase, None

    def as_json(self) -> dict[str, Any]:
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**plain, "seen": self.seen.as_json(), "held": self.held.as_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The place as stored; the reverse of `as_json`."""
        signatures = {name: Signature.from_json(data[name]) for name in ("seen", "held")}
        return cls(**{**data, **signatures, "phase": Phase(data["phase"])})
