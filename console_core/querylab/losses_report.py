"""What a measurement of losses found, as it is kept with its run, and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from console_core.querylab.effects import Effect
from console_core.querylab.losses import TOLERANCE, Loss
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import CollectionInfo

KIND = "losses"
NOT_THE_MODEL = "Nothing of that is the model's doing: exact and usual searches were asked with the same vectors."
_WHAT = {"text": "texts", "picture": "pictures", "text and picture": "texts with pictures"}


@dataclass(frozen=True, slots=True)
class LossReport:
    """What is lost in a collection by how it is searched, for each kind of query, and what was asked.

    `texts_from` says where the texts come from; it is "" where none were asked, and `without_texts` then says why.
    `left_out` counts queries that the collection could not be asked. `exact` says that the store compares every vector
    in every search, so that there is nothing to lose. `index` and `quantization` are those in force.
    """

    collection: str
    points: int
    fingerprint: str
    k: int
    texts_from: str
    without_texts: str
    left_out: int
    exact: bool
    index: Mapping[str, Any]
    quantization: Mapping[str, Any]
    losses: tuple[Loss, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"index": dict(self.index), "quantization": dict(self.quantization)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        return cls(**{**data, "losses": tuple(_loss(one) for one in data["losses"])})

    def sentences(self) -> list[str]:
        """The result for people: one sentence for each kind of query, and whose doing it is."""
        said = [_sentence(loss) for loss in self.losses]
        if self.exact:
            said.append("This store compares every vector in each search, so there is nothing that it could lose.")
        elif any(loss.total.mean < 0 for loss in self.losses):
            said.append(NOT_THE_MODEL)
        if self.without_texts:
            said.append(f"Texts were not asked: {self.without_texts}")
        return said

    def changed_since(self, info: CollectionInfo) -> tuple[str, ...]:
        """What of the collection is not as it was measured, in sentences; notices no write that keeps the number of
        points."""
        reasons = {
            "It was made by another model since.": (info.stamp.fingerprint if info.stamp else "") != self.fingerprint,
            f"It had {self.points:,} points then, and has {info.points:,} now.": info.points != self.points,
            "Its index has other settings now.": dict(info.index) != dict(self.index),
            "Its quantization has other settings now.": dict(info.quantization) != dict(self.quantization),
        }
        return tuple(reason for reason, holds in reasons.items() if holds)


def newest_losses(ledger: Ledger, collection: str) -> tuple[Run, LossReport] | None:
    """The newest measurement of a collection, named by its real name, that came to its end."""
    found = ledger.runs(kinds=(KIND,), target=collection, states=(RunState.SUCCEEDED,), limit=1)
    if not found or found[0].result is None:
        return None
    return found[0], LossReport.from_json(found[0].result)


def lost(effect: Effect) -> str:
    """What an effect says is lost, of 100 pictures: 3.1; what is won counts as nothing lost."""
    return f"{max(0.0, -100 * effect.mean):.1f}"


def lost_between(effect: Effect) -> str:
    """Its interval: 2.0 to 4.4."""
    low, high = (max(0.0, -100 * value) for value in (effect.high, effect.low))
    return f"{low:.1f} to {high:.1f}"


def _sentence(loss: Loss) -> str:
    asked = _WHAT[loss.kind]
    if loss.total.mean >= 0 and not loss.causes():
        return f"Of 100 nearest pictures for {asked} none is lost."
    named = {"index": "the index", "quantization": "rounding"}
    causes = [named[cause] for cause in loss.causes()]
    blamed = (
        f" The cause is {' and '.join(causes)}." if causes else f" It is less than {100 * TOLERANCE:.0f}, or chance."
    )
    return (
        f"Of 100 nearest pictures for {asked} the index loses {lost(loss.index)} and rounding "
        f"{lost(loss.quantization)}.{blamed}"
    )


def _loss(data: Mapping[str, Any]) -> Loss:
    effects: Sequence[str] = ("total", "index", "quantization", "without_rescoring")
    return Loss(**{**data, **{name: Effect(**data[name]) for name in effects}})
