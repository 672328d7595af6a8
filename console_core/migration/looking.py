"""Looking at rows, points and pictures as they are at this moment, and looking again at what differed."""

from collections.abc import Sequence
from dataclasses import dataclass

from console_core.catalog.types import ImageCatalog, ImageRow
from console_core.engine.again import SAME
from console_core.engine.types import Embedded
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.migration.comparing import belongs, compare, difference, key_of, stray
from console_core.migration.difference import Difference, DifferenceKind
from console_core.migration.filling import FailedAmong, Filling
from console_core.migration.verify_plan import VerifyPlan
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import Point, VectorStore

Pair = tuple[ImageRow, Point]


@dataclass(frozen=True, slots=True)
class Rows:
    """What was found at rows: the points at their ids, what differs, the `sound` rows, and how many are `excused` for
    having no point because embedding them failed."""

    points: tuple[Point, ...]
    differences: tuple[Difference, ...]
    sound: tuple[Pair, ...]
    excused: int

    @property
    def expected(self) -> int:
        """Rows that have a point of their own."""
        return len(self.points) - sum(one.kind is DifferenceKind.DUPLICATE for one in self.differences)


@dataclass(frozen=True, slots=True)
class Derived:
    """A picture embedded again: what differs, or the cosine to the stored vector; neither where it cannot be had."""

    difference: Difference | None = None
    cosine: float | None = None


class Looking:
    """Reads catalog, collection and pictures afresh at every call. Nothing is written."""

    def __init__(
        self,
        plan: VerifyPlan,
        catalog: ImageCatalog,
        store: VectorStore,
        filling: Filling,
        failed_among: FailedAmong,
    ) -> None:
        self._plan = plan
        self._catalog = catalog
        self._store = store
        self._filling = filling
        self._failed_among = failed_among

    def rows(self, rows: Sequence[ImageRow]) -> Rows:
        """Rows beside their points, the pictures unseen."""
        collection = self._plan.collection
        points = self._store.retrieve(collection, [point_id(row.key) for row in rows], vectors=True)
        there = {point.id: point for point in points}
        found = [(row, there.get(point_id(row.key))) for row in rows]
        compared = [compare(row, point, self._plan) for row, point in found]
        lacking = (DifferenceKind.MISSING, DifferenceKind.STALE)
        behind = [one.key for one in compared if one is not None and one.kind in lacking]
        known = self._failed_among(collection, behind) if behind else {}
        told = tuple(one for one in compared if one is not None and one.key not in known)
        sound = [
            (row, point) for (row, point), one in zip(found, compared, strict=True) if one is None and point is not None
        ]
        return Rows(tuple(points), told, tuple(sound), len(known))

    def pictures(self, pairs: Sequence[Pair]) -> list[Derived]:
        """Sound rows and points beside their pictures: the bytes are those that were embedded, the vector is theirs."""
        found = self._filling.fetched(row for row, _ in pairs)
        return [_derived(row, point, picture) for (row, point), (_, picture) in zip(pairs, found, strict=True)]

    def sampled(self, keys: Sequence[str]) -> list[Derived]:
        """The pictures of those keys whose rows and points are sound at this moment."""
        return self.pictures(self.rows(self._in_part(keys)).sound)

    def points(self, points: Sequence[Point]) -> list[Difference]:
        """Points that no row accounts for."""
        rows = {row.key: row for row in self._catalog.get(list(dict.fromkeys(map(key_of, points))))}
        return [one for point in points if (one := stray(point, rows, self._plan)) is not None]

    def again(self, differences: Sequence[Difference]) -> list[Difference | None]:
        """Each of these as it is now; None where it is none any more."""
        surplus = [one for one in differences if one.is_surplus]
        ids = [one.point for one in surplus]
        points = self._store.retrieve(self._plan.collection, ids, vectors=True) if ids else []
        strays = {one.point: one for one in self.points(points)} if points else {}
        others = [one for one in differences if not one.is_surplus]
        found = self._rows_again(others) if others else {}
        return [strays.get(one.point) if one.is_surplus else found.get(one.key) for one in differences]

    def _rows_again(self, differences: Sequence[Difference]) -> dict[str, Difference]:
        looked = self.rows(self._in_part([one.key for one in differences]))
        found = {one.key: one for one in looked.differences}
        by_picture = {one.key for one in differences if one.kind in (DifferenceKind.STALE, DifferenceKind.WRONG_VECTOR)}
        if pairs := [(row, point) for row, point in looked.sound if row.key in by_picture]:
            derived = (one.difference for one in self.pictures(pairs))
            found |= {one.key: one for one in derived if one is not None}
        return found

    def _in_part(self, keys: Sequence[str]) -> list[ImageRow]:
        return [row for row in self._catalog.get(list(dict.fromkeys(keys))) if belongs(row, self._plan.part)]


def _derived(row: ImageRow, point: Point, picture: Embedded | ImageError) -> Derived:
    if isinstance(picture, ImageError):
        return Derived()
    origin = provenance(point.payload)
    if origin is not None and origin.content not in ("", picture.content):
        changed = "The picture's file changed since it was embedded."
        return Derived(difference(DifferenceKind.STALE, row, point, changed))
    (vector,) = picture.answers
    if isinstance(vector, ModelOutputInvalid) or point.vector is None:
        return Derived()
    cosine = float(vector @ point.vector)
    told = f"Embedded again, its vector has a cosine of {cosine:.4f} to the stored one."
    return Derived(difference(DifferenceKind.WRONG_VECTOR, row, point, told) if cosine < SAME else None, cosine)
