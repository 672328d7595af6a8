"""The words of coverage: the status of a catalog row in a collection, a gap, and the report of one measurement."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from console_core.catalog.types import EVERYTHING, Slice
from console_core.coverage.column import ColumnReport


class Status(StrEnum):
    """How a catalog row stands in a collection; the last one is that of a point without a row."""

    EMBEDDED = "embedded"
    STALE = "stale"
    FAILED = "failed"
    MISSING = "missing"
    ORPHANED = "orphaned"


ROW_STATUSES = (Status.EMBEDDED, Status.STALE, Status.FAILED, Status.MISSING)
"""The statuses that add up to the total of a report."""

CHANGED = "changed"
OTHER_MODEL = "other model"
"""Why a point is stale: the catalog row changed since, or another fingerprint than the collection's made it."""

OTHER = "(other)"
"""The facet value that stands for all beyond the 200 commonest; in brackets, as catalogs may well say "other"."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One picture that is not as it should be: its catalog key, and for people why.

    `facets` are the values that the report counts it under, OTHER included; an orphaned point has none.
    """

    key: str
    status: Status
    detail: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """One measurement of a catalog slice against a collection.

    `model` and `fingerprint` are the collection's stamp, "" where it has none; then no point is stale by its model.
    `totals` has every one of ROW_STATUSES, `stale` the reasons of the stale ones. `facets` counts the same rows by
    facet, value and status. `orphaned` is None where only a slice was measured, as orphans belong to no slice.
    `column` is None where the catalog has no embedding column, or it was not compared.
    """

    collection: str
    model: str
    fingerprint: str
    measured_at: datetime
    totals: Mapping[str, int]
    stale: Mapping[str, int]
    facets: Mapping[str, Mapping[str, Mapping[str, int]]]
    orphaned: int | None
    part: Slice = EVERYTHING
    column: ColumnReport | None = None

    @property
    def total(self) -> int:
        """Catalog rows measured."""
        return sum(self.totals.values())

    @property
    def coverage(self) -> float:
        """The share of rows that are embedded, 0 to 1; 0 where there are no rows."""
        return self.totals[Status.EMBEDDED] / self.total if self.total else 0.0

    @property
    def gaps(self) -> Mapping[str, int]:
        """Gaps by status, orphaned points included."""
        counted = {str(status): self.totals[status] for status in ROW_STATUSES if status is not Status.EMBEDDED}
        return {**counted, str(Status.ORPHANED): self.orphaned or 0}

    def as_json(self) -> dict[str, Any]:
        """Plain data; `coverage` and `total` are added for readers."""
        plain = {**asdict(self), "measured_at": self.measured_at.isoformat()}
        return {**plain, "total": self.total, "coverage": self.coverage}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CoverageReport":
        """The report as stored; the reverse of `as_json`."""
        fields = {name: data[name] for name in cls.__slots__ if name in data}  # older ones have no column
        fields["measured_at"] = datetime.fromisoformat(data["measured_at"])
        fields["part"] = Slice.from_json(data["part"])
        fields["column"] = ColumnReport.from_json(data["column"]) if data.get("column") else None
        return cls(**fields)
