"""Rows of an application's table around a write of ours: what its triggers change there with it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from console_core.catalog.embedding_column import EmbeddingColumn, chunks
from console_core.catalog.row_mapping import RowMapping
from console_core.catalog.table_rows import fetched
from console_core.catalog.types import ImageRow


class WatchedRows:
    """The rows as the catalog has them, but for their facets, read within the transaction that writes them."""

    def __init__(self, column: EmbeddingColumn) -> None:
        """Find the columns that the catalog reads.

        Raises:
            CatalogInvalid: one of them is not in the table.
        """
        self._column = column
        self._is_sqlite = column.database.is_sqlite
        self._mapping = RowMapping(column.table, column.settings, {}, self._is_sqlite)

    def locked(self, connection: Connection, keys: Iterable[str]) -> dict[str, ImageRow]:
        """Those of the rows that exist, which nobody else changes until the transaction ends."""
        return self._read(connection, keys, lock=True)

    def moved(self, connection: Connection, before: Mapping[str, ImageRow]) -> dict[str, tuple[str, str]]:
        """The rows of which now only the updated-at column is another, with their revisions before and now."""
        after = self._read(connection, before)
        return {
            key: (row.revision, now.revision)
            for key, row in before.items()
            if (now := after.get(key)) is not None and row != now and row == replace(now, revision=row.revision)
        }

    def _read(self, connection: Connection, keys: Iterable[str], *, lock: bool = False) -> dict[str, ImageRow]:
        key = self._column.key()
        query = self._mapping.select(key)
        found: dict[str, ImageRow] = {}
        for some in chunks(values for values in map(key.parse, keys) if values is not None):
            wanted = query.where(key.among(some))
            records = fetched(connection, wanted.with_for_update() if lock else wanted, is_sqlite=self._is_sqlite)
            found |= {row.key: row for row in self._mapping.rows(records, key)}
        return found
