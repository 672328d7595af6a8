"""The catalog of a CSV, TSV or Parquet file, which is served from an index of it as an application's table is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from console_core.catalog.columns import FacetColumn
from console_core.catalog.index import Index, IndexedFile
from console_core.catalog.row_mapping import RowMapping, no_path_columns
from console_core.catalog.sql import mapping_details
from console_core.catalog.table_file import fill, open_table_file, reflected
from console_core.catalog.table_rows import PAGE, TableRows
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.settings import CatalogSettings


class TableCatalog:
    """Records of a file, in the order of their keys: text by its letters, numbers of Parquet by their value.

    Values of a CSV or TSV file are text. A changed file is read again at the next question, which takes a while where
    it is large; a pass that is under way ends as it began. Memory is bounded by one page.
    """

    def __init__(
        self, settings: CatalogSettings, cache: Path | None = None, *, dry: bool = False, page: int = PAGE
    ) -> None:
        """Read the file, unless what was read of it lies in `cache` already. `dry`: nothing is written there.

        Raises:
            CatalogUnavailable: the file cannot be read, or there is no room for what is read.
            CatalogInvalid: a column is missing, a line is malformed, or keys are missing or not all different.
        """
        self._settings = settings
        self._page = page
        file = Path(settings.location).absolute()
        if not settings.paths:
            raise no_path_columns(str(file), open_table_file(file).names)
        used = (*settings.key_columns, *settings.paths, *settings.carried, *settings.slices_by, settings.updated_at)
        names = list(dict.fromkeys(name for name in used if name))
        recipe = json.dumps([names, settings.key_columns])
        self._file = IndexedFile(file, partial(fill, file, names, settings.key_columns), recipe, cache, dry=dry)
        self._last: tuple[Index, TableRows] | None = None
        self._rows()

    def info(self) -> CatalogInfo:
        settings = self._settings
        details = mapping_details(settings)
        if not (odd := str(self._file.current().remembered["odd"])).startswith("0 "):
            details["lines that are not UTF-8"] = odd
        return CatalogInfo("table", str(self._file.file), settings.slices_by, details, settings.tenant)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of records in the slice, optionally of those behind a key."""
        return self._rows().count(part, after=after)

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Records in ascending key order, strictly behind `after`, of the file as it is now."""
        return self._rows().rows(part, after=after)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The records of these keys that exist, in the order asked for."""
        return self._rows().get(keys)

    def check_keys(self) -> None:
        """Nothing to find: a file whose keys are missing or repeated is refused as a whole."""
        self._rows()

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of records."""
        return self._rows().facets()

    def close(self) -> None:
        self._last = None
        self._file.close()

    def _rows(self) -> TableRows:
        index = self._file.current()
        last = self._last
        if last is None or last[0] is not index:
            table = reflected(index.remembered)
            facets = {name: FacetColumn(table.c[name]) for name in self._settings.slices_by}
            mapping = RowMapping(table, self._settings, facets, is_sqlite=True)
            key = [table.c[name] for name in self._settings.key_columns]
            title = self._file.file.name
            last = index, TableRows(index, table, key, facets, mapping, title=title, page=self._page)
            last[1].key()
            self._last = last
        return last[1]
