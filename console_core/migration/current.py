"""Which pictures a target has already: with a point of this model and of the row's revision."""

from collections.abc import Sequence
from itertools import islice

from console_core.catalog.types import ImageCatalog, ImageRow, Slice
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import VectorStore

PAGE = 1000
ALREADY_EMBEDDED = "already embedded"
"""Why a picture is passed over whose point is current."""


def current_keys(store: VectorStore, target: str, fingerprint: str, rows: Sequence[ImageRow]) -> set[str]:
    """The keys of those rows whose point is there, of this model and this revision."""
    points = store.retrieve(target, [point_id(row.key) for row in rows])
    written = {point.id: provenance(point.payload) for point in points}
    return {
        row.key
        for row in rows
        if (made := written.get(point_id(row.key))) is not None
        and (made.fingerprint, made.revision) == (fingerprint, row.revision)
    }


def count_lacking(catalog: ImageCatalog, part: Slice, store: VectorStore, target: str, fingerprint: str) -> int:
    """How many pictures of a slice a target lacks or has out of date; memory is bounded by one page.

    Raises:
        CatalogError, StoreError
    """
    rows = catalog.rows(part)
    lacking = 0
    while page := list(islice(rows, PAGE)):
        lacking += len(page) - len(current_keys(store, target, fingerprint, page))
    return lacking
