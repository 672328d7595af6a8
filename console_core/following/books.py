"""What a catch-up has done so far, as its checkpoint keeps it: exact even where it died between a write and its record.

What it is about to change is written down first. Where it was stopped in the middle of that, the store tells what
became of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self

from console_core.runs.types import Counts
from console_core.vectorstore.signature import Signature, Signing
from console_core.vectorstore.types import PointId

Changed = Literal["added", "edited", "deleted"]


class Writing(NamedTuple):
    """One point that is about to change: its id, its picture's key, and how."""

    id: PointId
    key: str
    change: Changed


@dataclass(slots=True)
class Books:
    """The counts, the changes by kind, and the signature of the collection as far as the console's own writes tell it.

    `lost` are pictures that could not be embedded, although what is served now has them.
    """

    counts: Counts
    began: Signature | None
    signing: Signing | None
    changes: dict[str, int] = field(default_factory=lambda: {"added": 0, "edited": 0, "deleted": 0})
    rounds: int = 0
    lost: int = 0

    @classmethod
    def opened(cls, checkpoint: str, counts: Counts, expected: Signature | None) -> tuple[Self, list[Writing]]:
        """As the checkpoint tells, with what was about to change then; `expected` is the signature at the start."""
        told: Mapping[str, Any] = json.loads(checkpoint) if checkpoint.startswith("{") else {}
        if not told:
            return cls(counts, expected, Signing(expected) if expected else None), []
        began, now = ((Signature.from_json(told[name]) if told[name] else None) for name in ("began", "now"))
        books = cls(counts, began, Signing(now) if now else None, dict(told["changes"]), told["rounds"], told["lost"])
        return books, [Writing(*one) for one in told["writing"]]

    def checkpoint(self, writing: Sequence[Writing] = ()) -> str:
        """How far it is; `writing` are points that are about to change, which `now` leaves out."""
        now = self.signing.signature().as_json() if self.signing else None
        began = self.began.as_json() if self.began else None
        told = {"rounds": self.rounds, "lost": self.lost, "changes": self.changes, "began": began, "now": now}
        return json.dumps({**told, "writing": list(writing)})

    def result(self) -> dict[str, Any]:
        chained = {}
        if self.signing and self.began:
            chained = {"signature_before": self.began.as_json(), "signature": self.signing.signature().as_json()}
        return {**self.changes, "rounds": self.rounds, "lost": self.lost, **chained}

    def settle(self, changed: Sequence[Writing]) -> None:
        """Count what has changed, of which nothing else tells."""
        for one in changed:
            self.changes[one.change] += 1
        counts = replace(self.counts, done=self.counts.done + len(changed))
        self.counts = replace(counts, selected=max(counts.selected, counts.settled))
