"""The pictures that a collection does have. A measurement records gaps only, so they are looked up as they are now."""

from collections.abc import Collection, Iterator
from itertools import islice

from console_core.catalog.types import EVERYTHING, ImageCatalog, ImageRow, Slice
from console_core.coverage.facets import facet_value
from console_core.coverage.measure import standing
from console_core.coverage.report import OTHER, Status
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import VectorStore

_PAGE = 256


def embedded_rows(
    catalog: ImageCatalog,
    store: VectorStore,
    collection: str,
    *,
    facet: str = "",
    value: str = "",
    named: Collection[str] = (),
) -> Iterator[ImageRow]:
    """Catalog rows that are embedded in a collection, in key order, read a page at a time as they are asked for.

    With `facet` those of a value as a report counts it; `named` are the report's values of that facet, which
    OTHER stands beside.

    Raises:
        CollectionNotFound, StoreError, CatalogError
    """
    info = store.describe(collection)
    filtered = facet in catalog.info().facets and value != OTHER
    rows = catalog.rows(Slice({facet: (value,)}) if filtered else EVERYTHING)
    while page := list(islice(rows, _PAGE)):
        if facet and not filtered:
            page = [row for row in page if _counted(row, facet, named) == value]
        points = {point.id: point for point in store.retrieve(info.name, [point_id(row.key) for row in page])}
        for row in page:
            if standing(row, points.get(point_id(row.key)), info)[0] is Status.EMBEDDED:
                yield row


def _counted(row: ImageRow, facet: str, named: Collection[str]) -> str | None:
    """The value that a report counts a row under."""
    told = facet_value(row, facet)
    return told if told is None or told in named else OTHER
