"""What a preflight says: findings that block, warn or inform, exact counts, and an estimate."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from console_core.catalog.types import EVERYTHING, Slice
from console_core.embedding.preprocessing import Mode
from console_core.migration.plan import USUAL_BATCH, MigrationPlan
from console_core.runs.wording import decoded
from console_core.vectorstore.tuning import AS_FORMER, Tuning

if TYPE_CHECKING:
    from console_core.migration.preflight.resources import Need


class Severity(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class About(StrEnum):
    """What a finding is about, in the order in which a person meets it."""

    SOURCE = "what is served now"
    MODEL = "the model"
    PICTURES = "the pictures"
    TARGET = "the new collection"
    STORE = "the store"
    MACHINE = "this machine"
    WORKSPACE = "the workspace"


CODES: Mapping[About, tuple[str, ...]] = {
    About.SOURCE: (
        *("source-missing", "source-shape", "source-unknown", "source-mixed", "source-unmarked", "source-vectors"),
        *("source-lengths", "source-model", "source-weights", "source-dimension", "source-busy"),
        *("alias-instead", "no-alias", "alias-moved", "distance", "settings-kept"),
        *("in-place-gap", "in-place-backup", "in-place-needless"),
    ),
    About.MODEL: (
        *("model", "model-dimension", "no-text-tower", "image-only", "weights-changed", "same-model", "dimension"),
        "device",
    ),
    About.PICTURES: (
        *("catalog", "key-order", "nothing-selected", "slice", "no-paths", "few-paths", "image-root", "pictures"),
        *("parity", "catalog-target", "catalog-pinned", "catalog-moves"),
    ),
    About.TARGET: (
        *("target-name", "target-alias", "target-exists", "target-weights", "target-shape", "target-dimension"),
        *("target-distance", "target-index", "target-quantization", "target-foreign", "target-mixed", "target-busy"),
        *("target-live", "target-continued", "target-mode", "already-built"),
        *("target-elsewhere", "switch-blocked", "switch-foreign", "switch-left", "switch-trigger", "switch"),
        *("named-vector", "named-refused", "named-elsewhere", "named-beside"),
        *("settings-chosen", "target-settings"),
    ),
    About.STORE: (
        *("server-version", "server-metadata", "store-read-only", "store-limits", "store-rate", "capacity"),
        *("settings-refused", "settings-noted", "rescoring"),
    ),
    About.MACHINE: ("disk", "disk-ledger", "memory", "room", "batch-size"),
    About.WORKSPACE: ("owned-elsewhere", "owner-lost", "clock-back", "clock-differs"),
}
"""The stable names of all findings, by what they are about."""
_ABOUT = {code: about for about, codes in CODES.items() for code in codes}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found before anything was written. `code` is its stable name, one of CODES."""

    code: str
    severity: Severity
    message: str
    remedy: str = ""

    @property
    def about(self) -> About:
        return _ABOUT[self.code]


def block(code: str, message: str, remedy: str = "") -> Finding:
    return Finding(code, Severity.BLOCK, message, remedy)


def warn(code: str, message: str, remedy: str = "") -> Finding:
    return Finding(code, Severity.WARN, message, remedy)


def info(code: str, message: str, remedy: str = "") -> Finding:
    return Finding(code, Severity.INFO, message, remedy)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person chose in the wizard. `target` "" lets the console name it; `served` is an alias or collection.

    `text_search`: people will search the new collection by text, so the model must embed text too. `in_place`: the
    application cannot search an alias, so the new collection shall take over the name of the one that is served.
    `mode` is how pictures are decoded and resized. `tuning` is how the new collection is indexed and quantized.
    """

    served: str
    model: str
    part: Slice = EVERYTHING
    target: str = ""
    batch_size: int = USUAL_BATCH
    text_search: bool = True
    in_place: bool = False
    mode: Mode = Mode.FAST
    tuning: Tuning = AS_FORMER


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the build will take: seconds from–to, as a trial on real pictures showed, bytes of disk, and at most so many
    bytes of memory."""

    rate: float
    seconds: tuple[float, float]
    bytes: int
    tried: int
    memory: int


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a mode is from exact mode on `compared` pictures: the lowest and the median cosine of their vectors, and
    the largest difference of a pixel, of 255 levels. `decoders` counts by who decoded, `kinds` what Pillow did."""

    compared: int
    lowest: float
    median: float
    levels: int
    decoders: Mapping[str, int]
    kinds: Mapping[str, int]

    def text(self, mode: Mode) -> str:
        """All of it, in one sentence without its full stop."""
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(self.kinds.items()))
        pictures = f"{self.compared:,} picture{'' if self.compared == 1 else 's'} of yours"
        return (
            f"{pictures} in {mode} and in exact mode: cosine {cosine(self.lowest)} at the lowest, "
            f"{cosine(self.median)} in the median, pixels at most {self.levels} of 255 levels apart; decoded "
            f"{decoded(self.decoders)}{f' ({kinds})' if kinds else ''}"
        )


def cosine(value: float) -> str:
    """Six decimals, never rounded up to 1."""
    return f"{math.floor(value * 1e6) / 1e6:.6f}"


@dataclass(frozen=True, slots=True)
class Preflight:
    """The outcome. `plan` is None where something blocks; `selected` is the exact number of pictures.

    `to_embed` of them have no current point in the target: all of them where the target is new. `parity` is None in
    exact mode, and where nothing could be compared. `need` is what the build takes, together with those that it was
    looked at beside; None where that is not known.
    """

    request: Request
    plan: MigrationPlan | None
    target: str
    findings: tuple[Finding, ...]
    selected: int
    to_embed: int
    source_points: int
    estimate: Estimate | None
    parity: Parity | None = None
    need: "Need | None" = None

    @property
    def blocked(self) -> bool:
        return any(finding.severity is Severity.BLOCK for finding in self.findings)

    @property
    def fills(self) -> bool:
        """Whether the target exists, and only what it lacks is embedded."""
        return self.has("target-continued")

    def has(self, code: str) -> bool:
        return any(finding.code == code for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "alias": self.request.served,
            "model": self.request.model,
            "mode": self.request.mode.value,
            "target": self.target,
            "blocked": self.blocked,
            "findings": [{**asdict(finding), "about": finding.about.value} for finding in self.findings],
            "counts": {
                "selected": self.selected,
                "to_embed": self.to_embed,
                "source_points": self.source_points,
            },
            "settings": {"index": dict(self.plan.index), "quantization": dict(self.plan.quantization)}
            if self.plan
            else None,
            "estimate": asdict(self.estimate) if self.estimate else None,
            "parity": asdict(self.parity) if self.parity else None,
        }
