"""By what a report counts rows: the facets of the catalog, each with a bounded number of values."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from console_core.catalog.types import ImageCatalog, ImageRow, Slice
from console_core.coverage.report import OTHER, ROW_STATUSES, Status

MOST_VALUES = 200
"""Values of one facet that are counted by name; the rest is counted as OTHER."""
FOLDER = "folder"
"""The facet that every catalog has in a report: where it tells none, it is the folder of a row's first path."""


class FacetCounts:
    """Counts rows by facet, value and status, in memory that does not grow with the catalog."""

    def __init__(self, catalog: ImageCatalog, part: Slice) -> None:
        """Named are the commonest values of the whole catalog, and of a facet that the slice filters by, its own."""
        found = catalog.facets()
        self._named: dict[str, frozenset[str]] = {}
        for facet in catalog.info().facets:
            values = part.filters.get(facet) or tuple(found.get(facet, ()))
            self._named[facet] = frozenset(values[:MOST_VALUES])
        self._folders: set[str] | None = None if FOLDER in self._named else set()
        facets = [*self._named] if self._folders is None else [*self._named, FOLDER]
        self._counts: dict[str, dict[str, dict[str, int]]] = {facet: {} for facet in facets}

    def values(self, row: ImageRow) -> dict[str, str]:
        """The facet values of a row as they are counted; a facet that the row says nothing of is left out."""
        told = {facet: value for facet in self._named if (value := facet_value(row, facet)) is not None}
        counted = {facet: value if value in self._named[facet] else OTHER for facet, value in told.items()}
        if self._folders is not None and (folder := facet_value(row, FOLDER)) is not None:
            if len(self._folders) < MOST_VALUES:
                self._folders.add(folder)
            counted[FOLDER] = folder if folder in self._folders else OTHER
        return counted

    def add(self, values: Mapping[str, str], status: Status) -> None:
        """Count one row."""
        for facet, value in values.items():
            counts = self._counts[facet].setdefault(value, {str(each): 0 for each in ROW_STATUSES})
            counts[status] += 1

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """{facet: {value: {status: rows}}}, without facets that no row said anything of, and without folders of paths
        where there is only one."""
        fewest = {FOLDER: 2} if self._folders is not None else {}
        return {facet: values for facet, values in self._counts.items() if len(values) >= fewest.get(facet, 1)}


def facet_value(row: ImageRow, facet: str) -> str | None:
    """A row's value of a facet: as its catalog tells, or else as its payload has it; None where neither says.

    A folder that neither tells is that of the row's first path, "" at the top.
    """
    if facet in row.facets:
        return row.facets[facet]
    if facet not in row.payload:
        if facet != FOLDER or not row.candidates:
            return None
        first = row.candidates[0]
        folder = first.rpartition("/")[0] if "://" in first else str(PurePosixPath(first).parent)
        return "" if folder == "." else folder
    value = row.payload[facet]
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
