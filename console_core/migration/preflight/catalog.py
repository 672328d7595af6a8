"""Which pictures are selected, whether their keys can order them, and whether they have paths at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from console_core.catalog.types import ImageCatalog, Slice
from console_core.errors import CatalogError, KeysUnusable
from console_core.migration.findings import Finding, block, warn
from console_core.migration.preflight.spread import spread_rows

ROWS = 1000
"""Rows of the slice that are looked at for paths: one page."""
ELSEWHERE = 64
"""Rows from everywhere in the slice that are looked at where the first have no path."""
MANY = 0.05
"""Share of rows without a path from which that is worth a warning of its own."""


@dataclass(frozen=True, slots=True)
class Selection:
    """How many pictures are selected, exactly; `readable` is False where their rows cannot be read in order."""

    selected: int
    readable: bool


def look_at_catalog(catalog: ImageCatalog, part: Slice, findings: list[Finding]) -> Selection:
    """Count the slice and look at its first rows."""
    try:
        catalog.check_keys()
        ordered = True
    except KeysUnusable as error:
        findings.append(block("key-order", error.message, error.remedy))
        ordered = False
    except CatalogError as error:
        findings.append(block("catalog", error.message, error.remedy))
        return Selection(0, readable=False)
    try:
        selected, total = catalog.count(part), catalog.count()
        findings += _about_slice(part, selected, total)
        if selected and ordered:
            findings += _about_paths(catalog, part, selected)
    except CatalogError as error:
        findings.append(block("catalog", error.message, error.remedy))
        return Selection(0, readable=False)
    return Selection(selected, readable=ordered and selected > 0)


def _about_slice(part: Slice, selected: int, total: int) -> Iterator[Finding]:
    if not selected:
        yield block("nothing-selected", "The catalog has no picture in this slice.", "Widen the slice.")
    elif not part.is_everything:
        yield warn(
            "slice",
            f"Only {selected:,} of {total:,} pictures are selected; the rest is not found after cut-over.",
            "Choose everything unless this is a trial.",
        )


def _about_paths(catalog: ImageCatalog, part: Slice, selected: int) -> Iterator[Finding]:
    seen = without = 0
    for row in islice(catalog.rows(part), ROWS):
        seen += 1
        without += not row.candidates
    columns = catalog.info().details.get("paths", "paths")
    nowhere = seen == without and not any(row.candidates for row in spread_rows(catalog, part, ELSEWHERE, selected))
    if seen and nowhere:
        yield block(
            "no-paths",
            f"Not one of the first {seen:,} rows has a path: {columns} are empty in all of them.",
            "Name the columns that hold the paths in [catalog] paths of console.toml.",
        )
    elif without and without >= MANY * seen:
        yield warn(
            "few-paths",
            f"{without:,} of the first {seen:,} rows ({without / seen:.0%}) have no path in {columns}; these pictures "
            "will fail.",
            "Add further columns to [catalog] paths of console.toml, or leave these rows out with a view or a slice.",
        )
