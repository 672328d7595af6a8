"""The catalog of an application: any table or view that SQLAlchemy reaches, read by key and never written."""

from collections.abc import Iterator, Mapping, Sequence

from console_core.catalog.columns import FacetColumn
from console_core.catalog.key_order import check_order
from console_core.catalog.reflection import SourceDatabase
from console_core.catalog.row_mapping import RowMapping, column
from console_core.catalog.table_rows import PAGE, TableRows
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.settings import CatalogSettings


class SqlCatalog:
    """Rows of a table or view. Column names come from the database itself, values are always bound.

    Keys are whole numbers, text or UUIDs, or several such columns together; rows come in the database's own order of
    them.
    """

    def __init__(self, settings: CatalogSettings, *, page: int = PAGE, timeout: float = 15) -> None:
        """Connect, and check the mapping against the table. `timeout`: seconds to wait for a locked SQLite file.

        Raises:
            CatalogUnavailable: the database is missing, unreachable or locked.
            CatalogInvalid: no such table or column, or the key is not unique or has NULL.
        """
        self._settings = settings
        self._database = SourceDatabase(settings.location, timeout)
        try:
            self._table = self._database.table(settings.table)
            self._key = [column(self._table, name) for name in settings.key_columns]
            facets = {name: FacetColumn(column(self._table, name)) for name in settings.slices_by}
            mapping = RowMapping(self._table, settings, facets, self._database.is_sqlite)
            title = settings.table
            self._rows = TableRows(self._database, self._table, self._key, facets, mapping, title=title, page=page)
            self._rows.check_key(is_unique=self._database.is_unique(self._table, self._key))
        except BaseException:
            self._database.close()
            raise

    def info(self) -> CatalogInfo:
        details = {"table": self._settings.table, **mapping_details(self._settings)}
        details["database"] = self._database.engine.dialect.name
        settings = self._settings
        return CatalogInfo(
            "sql", self._database.location, settings.slices_by, details, settings.tenant, settings.updated_at
        )

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of rows in the slice, optionally of those behind a key."""
        return self._rows.count(part, after=after)

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Rows in ascending key order, strictly behind `after`; one page of memory, and no transaction between pages.

        Raises:
            CatalogInvalid: two rows have the same key, or a key is not of its column's type.
        """
        return self._rows.rows(part, after=after)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        return self._rows.get(keys)

    def check_keys(self) -> None:
        """Ask the database about all keys at once.

        Raises:
            KeysUnusable: some are NULL, of several types, or not all different.
        """
        check_order(self._database, self._table, self._key, self._rows.key())

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of rows."""
        return self._rows.facets()

    def close(self) -> None:
        self._database.close()


def mapping_details(settings: CatalogSettings) -> dict[str, str]:
    """Which columns mean what, for people."""
    return {
        "key": ", ".join(settings.key_columns),
        "paths": ", ".join(settings.paths),
        "payload": ", ".join(settings.carried) or "none",
        "updated at": settings.updated_at or "not known",
        **({"tenant": settings.tenant} if settings.tenant else {}),
    }
