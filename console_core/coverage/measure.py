"""Walk the catalog beside the collection, then the collection beside the catalog, a page at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.names import told
from console_core.catalog.types import EVERYTHING, ImageCatalog, ImageRow, Slice
from console_core.coverage.column import ColumnTally, vectors_of
from console_core.coverage.facets import FacetCounts
from console_core.coverage.report import CHANGED, OTHER_MODEL, ROW_STATUSES, CoverageReport, Gap, Status
from console_core.database import now
from console_core.runs.types import Failure
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import picture_key, point_id, provenance
from console_core.vectorstore.types import CollectionInfo, Point, VectorStore

PAGE = 1000

FailedAmong = Callable[[str, Sequence[str]], Mapping[str, Failure]]
"""Those of the keys that the latest re-embedding into a collection failed on, with why."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one page added: `rows` of the catalog, `points` of the collection, and gaps. The last has the report."""

    rows: int = 0
    points: int = 0
    gaps: tuple[Gap, ...] = ()
    report: CoverageReport | None = None


def measure(
    catalog: ImageCatalog,
    store: VectorStore,
    collection: str,
    failed_among: FailedAmong,
    *,
    part: Slice = EVERYTHING,
    page_size: int = PAGE,
    column: EmbeddingColumn | None = None,
) -> Iterator[Step]:
    """The coverage of a slice of the catalog in a collection; an alias is resolved once, at the start.

    With `column`, the vectors that the application's table keeps are compared with the collection's, where the whole
    catalog is measured and the collection says which model made it.

    Memory is bounded by one page and by the facets' values. Nothing is written. Rows and points that come or go
    meanwhile are counted as they were when their page was read. Orphaned points are looked for only where the whole
    catalog is measured.

    Raises:
        CollectionNotFound, StoreError, CatalogError
    """
    info = store.describe(collection)
    measured_at = now()
    totals = {str(status): 0 for status in ROW_STATUSES}
    stale = {CHANGED: 0, OTHER_MODEL: 0}
    facets = FacetCounts(catalog, part)
    tally = _tally(column, info) if part.is_everything else None
    rows = catalog.rows(part)
    while page := list(islice(rows, page_size)):
        found: list[Gap] = []
        points = _points(page, store, info)
        classified = _classify(page, points, info, failed_among)
        if tally is not None:
            current = {row.key for row, (status, _) in zip(page, classified, strict=True) if status is Status.EMBEDDED}
            tally.add([row.key for row in page], points.keys(), current, partial(vectors_of, store, info.name))
        for row, (status, detail) in zip(page, classified, strict=True):
            values = facets.values(row)
            facets.add(values, status)
            totals[status] += 1
            if status is Status.STALE:
                stale[detail] += 1
            if status is not Status.EMBEDDED:
                found.append(Gap(row.key, status, detail, values))
        yield Step(rows=len(page), gaps=tuple(found))
    orphaned: int | None = None
    if part.is_everything:
        orphaned = 0
        for step in _orphans(catalog, store, info.name, page_size):
            orphaned += len(step.gaps)
            yield step
    yield Step(
        report=CoverageReport(
            collection=info.name,
            model=info.stamp.model if info.stamp else "",
            fingerprint=info.stamp.fingerprint if info.stamp else "",
            measured_at=measured_at,
            totals=totals,
            stale=stale,
            facets=facets.counts(),
            orphaned=orphaned,
            part=part,
            column=tally.report() if tally is not None else None,
        )
    )


def _tally(column: EmbeddingColumn | None, info: CollectionInfo) -> ColumnTally | None:
    if column is None or info.stamp is None or info.problem:
        return None
    return ColumnTally(column, info.stamp.model, info.dimension)


def _points(rows: Sequence[ImageRow], store: VectorStore, info: CollectionInfo) -> dict[str, Point]:
    """The points at the rows' ids, by the rows' keys."""
    ids = {row.key: point_id(row.key) for row in rows}
    found = {point.id: point for point in store.retrieve(info.name, list(ids.values()))}
    return {key: found[identifier] for key, identifier in ids.items() if identifier in found}


def _classify(
    rows: Sequence[ImageRow], points: Mapping[str, Point], info: CollectionInfo, failed_among: FailedAmong
) -> list[tuple[Status, str]]:
    found = [standing(row, points.get(row.key), info) for row in rows]
    absent = [row.key for row, (status, _) in zip(rows, found, strict=True) if status is Status.MISSING]
    failures = failed_among(info.name, absent) if absent else {}
    return [
        (Status.FAILED, f"{failure.kind}: {failure.message}")
        if status is Status.MISSING and (failure := failures.get(row.key))
        else (status, detail)
        for row, (status, detail) in zip(rows, found, strict=True)
    ]


def standing(row: ImageRow, point: Point | None, info: CollectionInfo) -> tuple[Status, str]:
    """A row by its point alone. What a point does not say (no provenance, no revision) never makes it stale."""
    if point is None:
        return Status.MISSING, ""
    origin = provenance(point.payload)
    if origin is None:
        return Status.EMBEDDED, ""
    if origin.key not in ("", row.key):
        return Status.MISSING, f"its point id belongs to picture {told(origin.key)}"
    if info.stamp and origin.fingerprint not in ("", info.stamp.fingerprint):
        return Status.STALE, OTHER_MODEL
    if origin.revision not in ("", row.revision):
        return Status.STALE, CHANGED
    return Status.EMBEDDED, ""


def _orphans(catalog: ImageCatalog, store: VectorStore, name: str, page_size: int) -> Iterator[Step]:
    for points in pages(store, name, size=page_size):
        keys = [picture_key(point.id, point.payload) for point in points]
        known = {row.key for row in catalog.get(list(dict.fromkeys(keys)))}
        gaps = tuple(
            Gap(key, Status.ORPHANED, f"point {point.id}")
            for point, key in zip(points, keys, strict=True)
            if key not in known
        )
        if points:
            yield Step(points=len(points), gaps=gaps)
