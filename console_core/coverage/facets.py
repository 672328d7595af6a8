"""By what a report counts rows: the facets of the catalog, each with a bounded number of values."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from console_core.catalog.types import ImageCatalog, ImageRow, JsonValue, Slice
from console_core.coverage.report import OTHER, ROW_STATUSES, Status

MOST_VALUES = 200
"""Values of one facet that are counted by name; the rest is counted as OTHER."""

FOLDER = "folder"


class FacetCounts:
    """Counts rows by facet, value and status, in memory that does not grow with the catalog."""

    def __init__(self, catalog: ImageCatalog, part: Slice) -> None:
        """Named are the commonest values of the whole catalog, and of a facet that the slice filters by, its own."""
        found = catalog.facets()
        self._named: dict[str, frozenset[str]] = {}
        for facet in catalog.info().facets:
            values = part.filters.get(facet) or tuple(found.get(facet, ()))
            self._named[facet] = frozenset(values[:MOST_VALUES])
        self._counts: dict[str, dict[str, dict[str, int]]] = {facet: {} for facet in self._named}

    def values(self, row: ImageRow) -> dict[str, str]:
        """The facet values of a row as they are counted."""
        found = {facet: facet_value(row, facet) for facet in self._named}
        return {facet: value if value in self._named[facet] else OTHER for facet, value in found.items()}

    def add(self, values: Mapping[str, str], status: Status) -> None:
        """Count one row."""
        for facet, value in values.items():
            counts = self._counts[facet].setdefault(value, {str(each): 0 for each in ROW_STATUSES})
            counts[status] += 1

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """{facet: {value: {status: rows}}}."""
        return self._counts


def facet_value(row: ImageRow, facet: str) -> str:
    """A row's value of a facet as text: from its payload, or for "folder" from its path; "" where it has none."""
    value: JsonValue = row.payload.get(facet)
    if value is None and facet == FOLDER and row.candidates:
        parent = str(PurePosixPath(row.candidates[0]).parent)
        return "" if parent == "." else parent
    return "" if value is None else str(value)
