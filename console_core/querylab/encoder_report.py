"""The words of an encoder check: what was measured, what was found, and whether the result still counts.

Every number that a screen, the command line or a report shows of a check is in here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from console_core.vectorstore.signature import Signature
from console_core.vectorstore.types import CollectionInfo


class Level(StrEnum):
    """RED: no comparison with this collection can be trusted. WARN: something was not looked at. INFO: good to know."""

    RED = "red"
    WARN = "warn"
    INFO = "info"


FAULTS: Mapping[str, str] = {
    "padding": "Wrong padding of texts",
    "context-length": "Wrong context length",
    "normalisation": "Missing normalisation",
    "channels": "Swapped colour channels",
    "weights": "Other weights",
    "collection": "Wrong collection",
    "shuffled": "Shuffled ids",
    "activation": "Wrong activation",
    "preprocessing": "Other preprocessing",
    "vectors": "Vectors of another origin",
    "captions": "Texts do not find their pictures",
    "too-few": "Too few pictures compared",
    "captions-skipped": "Texts were not compared",
    "wiring-unknown": "The model could not be looked into",
}
"""The stable names of all findings, and what each is called. The first eight are the faults that a check must tell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `code` is one of FAULTS."""

    code: str
    level: Level
    message: str
    remedy: str = ""

    @property
    def title(self) -> str:
        return FAULTS[self.code]


@dataclass(frozen=True, slots=True)
class Compared:
    """Stored vectors beside new ones. Cosines do not depend on lengths.

    `pictures` were compared, of which `agreeing` reach `threshold`. `elsewhere` of `sought` others have their new
    vector stored at another point. `unknown` points have no picture in the catalog, `unreadable` counts pictures that
    could not be embedded by class, `changed` files are others than those that were embedded; none of these is compared.
    """

    pictures: int = 0
    agreeing: int = 0
    threshold: float = 0.0
    lowest: float = 0.0
    median: float = 0.0
    sought: int = 0
    elsewhere: int = 0
    unknown: int = 0
    changed: int = 0
    unreadable: Mapping[str, int] | None = None

    @property
    def disagreeing(self) -> int:
        return self.pictures - self.agreeing


@dataclass(frozen=True, slots=True)
class Tried:
    """A known wrong way in which `pictures` that disagree were embedded: the median cosine to what is stored, and how
    many of them reach the threshold. `fault` is the finding that it would be."""

    way: str
    fault: str
    pictures: int
    agreeing: int
    median: float


@dataclass(frozen=True, slots=True)
class Structure:
    """Whether the stored vectors of pictures that disagree find the same pictures alike as the model does: the
    correlation of the cosines of all pairs, and the p value of a Mantel test of it (one-sided, by permutation)."""

    pictures: int
    correlation: float
    p: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of all stored vectors: how many were looked at, how many are not of length 1, the least and greatest.
    `void` are those that have no direction: zero, or not finite; they count nowhere else."""

    points: int = 0
    wrong: int = 0
    void: int = 0
    lowest: float = 1.0
    highest: float = 1.0


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the texts have their own picture among the first `k`, and the share that chance would have."""

    k: int
    found: int
    share: float
    chance: float


@dataclass(frozen=True, slots=True)
class Captions:
    """Texts beside their pictures, both as the model here embeds them: `texts` different captions of the payload's
    `field`. `median_rank` is of the own picture among the pictures of the sample; chance would have `chance_rank`. `p`
    is of a permutation test of the mean rank (one-sided): the chance to do as well if texts say nothing of pictures."""

    field: str
    texts: int
    median_rank: float
    chance_rank: float
    recall: tuple[Recall, ...]
    p: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """What `texts` captions and their pictures say of the other activation: with it a text stands out from the sample
    by `gain` standard deviations more for its own picture (less, where negative), in the mean. `p` is of a sign-flip
    test of the pairs (one-sided): the chance to gain so much if both were as good."""

    texts: int
    gain: float
    p: float


@dataclass(frozen=True, slots=True)
class Setting:
    """A configuration fact: what is said of the model, by whom, and what was found."""

    part: str
    expected: str
    found: str
    source: str
    fits: bool


@dataclass(frozen=True, slots=True)
class EncoderReport:
    """The result of a check of `collection` with the model `model`, whose fingerprint was `fingerprint`.

    `stamped` is the model and fingerprint that the collection said. `signature` is of everything that it held.
    """

    collection: str
    model: str
    fingerprint: str
    stamped: str
    points: int
    seed: int
    compared: Compared
    lengths: Lengths
    tried: tuple[Tried, ...]
    structure: Structure | None
    captions: Captions | None
    other_activation: Alternative | None
    settings: tuple[Setting, ...]
    findings: tuple[Finding, ...]
    signature: Signature

    @property
    def is_green(self) -> bool:
        """Whether comparisons with this collection can be trusted, as far as was looked."""
        return not any(finding.level is Level.RED for finding in self.findings)

    def has(self, code: str) -> bool:
        return any(finding.code == code for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Plain data for the ledger; `verdict` is "green" or "red"."""
        told = {**asdict(self), "signature": self.signature.as_json()}
        return {"verdict": "green" if self.is_green else "red", **told}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        plain = {name: data[name] for name in ("collection", "model", "fingerprint", "stamped", "points", "seed")}
        captions = data["captions"]
        if captions is not None:
            captions = Captions(**{**captions, "recall": tuple(Recall(**one) for one in captions["recall"])})
        return cls(
            **plain,
            compared=Compared(**data["compared"]),
            lengths=Lengths(**data["lengths"]),
            tried=tuple(Tried(**one) for one in data["tried"]),
            structure=Structure(**data["structure"]) if data["structure"] else None,
            captions=captions,
            other_activation=Alternative(**data["other_activation"]) if data["other_activation"] else None,
            settings=tuple(Setting(**one) for one in data["settings"]),
            findings=tuple(Finding(**{**one, "level": Level(one["level"])}) for one in data["findings"]),
            signature=Signature.from_json(data["signature"]),
        )


def stale(
    report: EncoderReport, info: CollectionInfo, *, fingerprint: str = "", signature: Signature | None = None
) -> tuple[str, ...]:
    """Why a report does not count any more, in sentences; () where it does as far as can be told.

    `info` is of the collection now, `fingerprint` the model's now, `signature` the collection's now; what is not given
    is not compared. Without a signature only a change of the number of points tells that something was written.
    """
    reasons = []
    stamped = stamp_text(info)
    if stamped != report.stamped:
        reasons.append(f"The collection said then that {report.stamped} made it, and says {stamped} now.")
    if fingerprint not in ("", report.fingerprint):
        reasons.append(f"{report.model} had the fingerprint {report.fingerprint} then, and has {fingerprint} now.")
    if info.points != report.points or (signature is not None and not signature.same_as(report.signature)):
        reasons.append("The collection was written to since.")
    return tuple(reasons)


def stamp_text(info: CollectionInfo) -> str:
    """Which model a collection says that it was made by."""
    return f"{info.stamp.model} {info.stamp.fingerprint}" if info.stamp else "no model"
