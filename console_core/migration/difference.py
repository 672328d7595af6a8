"""A difference between a catalog and a collection: what kind it is, and which picture and point it is about."""

from dataclasses import dataclass
from enum import StrEnum

from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import PointId


class DifferenceKind(StrEnum):
    """How a collection can differ from its catalog. A point with several differences has the first of these."""

    MISSING = "missing"
    EXTRA = "extra"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    FOREIGN = "foreign"
    STALE = "stale"
    WRONG_VECTOR = "wrong vector"


@dataclass(frozen=True, slots=True)
class Difference:
    """One picture or point that is not as it should be.

    `key` is the picture's catalog key, `point` the id that is concerned (also where there is no point), `detail` says
    for people what differs, `path` is the picture's first path. `seen` is a digest of the row and the point as they
    were looked at: two looks with the same one saw the same.
    """

    kind: DifferenceKind
    key: str
    point: PointId
    detail: str
    path: str = ""
    seen: str = ""

    @property
    def is_surplus(self) -> bool:
        """Whether it is a point too many, which is mended by deleting it; all others are mended by embedding.

        A point of another picture at the id of this one is a duplicate too, and is written over.
        """
        taken = self.kind is DifferenceKind.DUPLICATE and self.point == point_id(self.key)
        return self.kind in (DifferenceKind.EXTRA, DifferenceKind.DUPLICATE) and not taken
