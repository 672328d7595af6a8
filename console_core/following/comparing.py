"""What has changed since: pages of the catalog beside a followed collection, and pages of that beside the catalog."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from console_core.catalog.intake import PREFIX
from console_core.catalog.loading import load
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.errors import ImageError
from console_core.following.records import Follow, Follows, Lag
from console_core.migration.comparing import belongs
from console_core.migration.filling import FailedAmong
from console_core.runs.types import FailedPicture
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import Provenance, picture_key, point_id, provenance
from console_core.vectorstore.types import Point, PointId, VectorStore

PAGE = 1000
REMEMBERED = 100_000
"""Pictures of which a comparison remembers that their files were touched and are the same."""
Change = Literal["added", "edited"]
_SLACK = timedelta(seconds=2)
"""Clocks of file systems are coarse, and a point's time has whole seconds."""


class Left(NamedTuple):
    """A point whose picture left the catalog, and that picture's key."""

    point: Point
    key: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares one followed collection with the catalog. A picture is in step where its point is of the follow's model
    and of the row's revision, and its file has not been replaced since; or where it was accepted as it is.

    A picture that the console could not embed is not behind: it is a failure, until its path or its file changes.
    """

    follow: Follow
    catalog: ImageCatalog
    images: ImageStore
    store: VectorStore
    follows: Follows
    failed_among: FailedAmong
    tried: dict[str, str] = field(default_factory=dict)
    _looked_at: dict[str, datetime] = field(default_factory=dict)

    def behind(self, rows: Sequence[ImageRow]) -> dict[str, Change]:
        """Why the rows that are behind are so, by key."""
        follow = self.follow
        points = self._points(follow.collection, rows)
        found: dict[str, Change] = {}
        for row in rows:
            point = points.get(row.key)
            made = provenance(point.payload) if point else None
            if made is None or (made.fingerprint, made.revision) != (follow.fingerprint, row.revision):
                found[row.key] = "added" if point is None else "edited"
            elif self._replaced(row, made):
                found[row.key] = "edited"
        return self._without_settled(rows, found)

    def left(self, points: Sequence[Point]) -> list[Left]:
        """Those of a page of points whose pictures have left the catalog since.

        A point of which nobody knows what its picture is called in the catalog is never one of them.
        """
        keys = self._keys(points)
        present = {row.key for row in self.catalog.get(list(dict.fromkeys(keys.values())))}
        absent = [Left(point, keys[point.id]) for point in points if keys.get(point.id, "") not in ("", *present)]
        accepted = self.follows.accepted(self.follow.id, [key for _, key in absent]) if absent else {}
        return [one for one in absent if accepted.get(one.key) != ""]

    def _keys(self, points: Sequence[Point]) -> dict[PointId, str]:
        """The catalog keys of points: as they say themselves; else as the collection `beside` says; else as their ids
        do, where those are numbers, or a key of that spelling was in the catalog when stock was taken.

        Where the catalog is a collection, a point that an application wrote to one that the console built has none:
        while traffic went there, that collection was the list, so that absence from another one says nothing."""
        made = {point.id: provenance(point.payload) for point in points}
        keys = {identifier: origin.key for identifier, origin in made.items() if origin and origin.key}
        bare = [point.id for point in points if point.id not in keys]
        if not bare or (not self.follow.beside and self.catalog.info().kind == "collection"):
            return (
                keys  # what an application wrote to a collection of the console's was on no list while another is one
            )
        if self.follow.beside:
            for point in self.store.retrieve(self.follow.beside, bare):
                if (origin := provenance(point.payload)) and origin.key:
                    keys[point.id] = origin.key
        keys |= {identifier: str(identifier) for identifier in bare if isinstance(identifier, int)}
        spelled = {text: identifier for identifier in bare for text in (str(identifier), str(identifier).upper())}
        known = self.follows.accepted(self.follow.id, list(spelled))
        return {spelled[text]: text for text, revision in known.items() if revision} | keys

    def oddities(self, rows: Sequence[ImageRow]) -> dict[str, str]:
        """Rows that are not in step, but have not changed since the follow began: to be accepted as they are.

        What changed since is told by the collection `beside`, which was in step then. A picture that was ingested into
        that one is to be in this one too, whenever that was.
        """
        behind = self.behind(rows)
        odd = [row for row in rows if row.key in behind]
        if not self.follow.beside:
            return {row.key: row.revision for row in odd}
        served = self._points(self.follow.beside, odd)
        ingested = {row.key for row in odd if row.key in served and row.key.startswith(PREFIX)}
        here = self._points(self.follow.collection, [r for r in odd if r.key not in served or r.key in ingested])
        failed = self.failed_among(self.follow.beside, [row.key for row in odd if row.key not in served])
        other = self.follows.of(self.follow.beside)
        outside = [row.key for row in odd if other is not None and not belongs(row, other.part)]
        told = {key for key in (*here, *failed, *outside) if key not in served}
        return {
            row.key: row.revision
            for row in odd
            if row.key in told
            or (row.key in served and row.key not in ingested - here.keys() and self._as_it_was(row, served[row.key]))
        }

    def orphans(self, points: Sequence[Point]) -> dict[str, str]:
        """Points without a picture that had none when the follow began, to be accepted as they are."""
        left = self.left(points)
        ids = list({point_id(one.key) for one in left})
        served = {p.id for p in self.store.retrieve(self.follow.beside, ids)} if self.follow.beside and ids else set()
        return {one.key: "" for one in left if point_id(one.key) not in served}

    def _as_it_was(self, row: ImageRow, served: Point) -> bool:
        """Whether a row is as it was when the follow began, by the point that served it then."""
        made = provenance(served.payload)
        if made is None:
            return True
        embedded = _moment(made)
        if made.revision != row.revision or (embedded is not None and embedded > self.follow.since):
            return False
        return not self._replaced(row, made)

    def _points(self, collection: str, rows: Sequence[ImageRow]) -> dict[str, Point]:
        """The rows' points by key; a point that says it is of another picture is none of theirs."""
        keys: dict[PointId, str] = {point_id(row.key): row.key for row in rows}
        found = self.store.retrieve(collection, list(keys))
        return {keys[p.id]: p for p in found if picture_key(p.id, p.payload) in (keys[p.id], str(p.id))}

    def _without_settled(self, rows: Sequence[ImageRow], found: dict[str, Change]) -> dict[str, Change]:
        if not found:
            return found
        accepted = self.follows.accepted(self.follow.id, list(found))
        failed = self.failed_among(self.follow.collection, list(found))
        by_key = {row.key: row for row in rows}
        revisions = {row.key: row.revision for row in rows}
        touched = self._touched([row for row in rows if row.key in accepted])
        return {
            key: change
            for key, change in found.items()
            if (accepted.get(key) != revisions[key] or key in touched)
            and (key not in failed or self._mended(by_key[key], failed[key]))
            and self.tried.get(key) != revisions[key]
        }

    def _replaced(self, row: ImageRow, made: Provenance) -> bool:
        """Whether the picture's bytes are others than when it was embedded; read only where its file is newer."""
        embedded, changed = _moment(made), self._changed_at(row)
        if not made.content or embedded is None or changed is None or changed < embedded - _SLACK:
            return False
        if self._looked_at.get(row.key) == changed:
            return False
        try:
            replaced = load(row, self.images).content != made.content
        except ImageError:
            return False
        if not replaced:
            if len(self._looked_at) >= REMEMBERED:
                self._looked_at.clear()
            self._looked_at[row.key] = changed
        return replaced

    def _mended(self, row: ImageRow, failure: FailedPicture) -> bool:
        """Whether a picture that failed may be another by now; one in quarantine waits for a person."""
        if failure.quarantined_by:
            return False
        changed = self._changed_at(row)
        return failure.path not in row.candidates or (changed is not None and changed > failure.last_at)

    def _touched(self, rows: Sequence[ImageRow]) -> set[str]:
        """Accepted rows whose files were replaced since; where `beside` can tell, touching a file is not enough."""
        newer = [row for row in rows if (at := self._changed_at(row)) is not None and at > self.follow.since]
        served = self._points(self.follow.beside, newer) if self.follow.beside and newer else {}
        return {row.key for row in newer if row.key not in served or not self._as_it_was(row, served[row.key])}

    def _changed_at(self, row: ImageRow) -> datetime | None:
        moments = (self.images.changed_at(path) for path in row.candidates)
        return max((moment for moment in moments if moment is not None), default=None)


def measure(comparison: Comparison, should_stop: Callable[[], bool] = lambda: False) -> Lag | None:
    """How far behind a collection is now, in bounded memory; None where it was stopped.

    Of a follow that has not taken stock yet, what it would accept is left out.

    Raises:
        CollectionNotFound, StoreError, CatalogError
    """
    counts = {"added": 0, "edited": 0, "deleted": 0}
    stocked = comparison.follow.stocked
    rows = comparison.catalog.rows(comparison.follow.part)
    while page := list(islice(rows, PAGE)):
        found = comparison.behind(page)
        odd = {} if stocked else comparison.oddities([row for row in page if row.key in found])
        for change in (found[key] for key in found.keys() - odd.keys()):
            counts[change] += 1
        if should_stop():
            return None
    for points in pages(comparison.store, comparison.follow.collection, size=PAGE):
        orphans = {} if stocked else comparison.orphans(points)
        counts["deleted"] += sum(one.key not in orphans for one in comparison.left(points))
        if should_stop():
            return None
    return Lag(**counts)


def _moment(made: Provenance) -> datetime | None:
    """When a point was embedded; None where it does not say."""
    try:
        moment = datetime.fromisoformat(made.embedded_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
