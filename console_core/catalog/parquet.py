"""Parquet files as tables: their columns with types, and their rows."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Boolean, Float, String
from sqlalchemy.types import TypeEngine

from console_core.catalog.columns import json_value
from console_core.catalog.index import file_unavailable
from console_core.catalog.types import JsonValue
from console_core.errors import CatalogInvalid

BATCH = 1024
"""Rows that are in memory at a time."""
BUFFER = 1024 * 1024
"""Bytes that are read at a time of each column."""


class ParquetFile:
    """A Parquet file. Numbers, truth and text keep their types; times become ISO text, lists and structures JSON text.

    Memory: a batch of rows, however large the file's groups of rows are.
    """

    unit = "Row"
    odd_lines: Sequence[int] = ()
    odd = 0

    def __init__(self, file: Path, wanted: Sequence[str] = ()) -> None:
        """Read the schema.

        Raises:
            CatalogUnavailable: the file cannot be read.
            CatalogInvalid: it is no Parquet file.
        """
        self._file = file
        with closing(self._opened()) as opened:
            schema = opened.schema_arrow
        self.names: list[str] = list(schema.names)
        self._types = dict(zip(schema.names, schema.types, strict=True))

    def kind(self, name: str) -> TypeEngine[Any]:
        """The type of a column."""
        found = self._types[name]
        if pa.types.is_integer(found):
            return BigInteger()
        if pa.types.is_boolean(found):
            return Boolean()
        return Float() if pa.types.is_floating(found) or pa.types.is_decimal(found) else String()

    def records(self, names: Sequence[str]) -> Iterator[tuple[int, tuple[JsonValue, ...]]]:
        """The number of each row from 1, and its values of these columns.

        Raises:
            CatalogUnavailable: the file cannot be read.
            CatalogInvalid: it is damaged.
        """
        plain = [_is_plain(self._types[name]) for name in names]
        number = 0
        try:
            with closing(self._opened()) as opened:
                for batch in opened.iter_batches(batch_size=BATCH, columns=list(names), use_threads=False):
                    columns = [batch.column(name).to_pylist() for name in names]
                    told = [
                        values if is_plain else [json_value(value) for value in values]
                        for values, is_plain in zip(columns, plain, strict=True)
                    ]
                    for record in zip(*told, strict=True):
                        number += 1
                        yield number, record
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._damaged(error) from error
        except OSError as error:
            raise self._unreadable(error) from error

    def _opened(self) -> Any:
        try:
            return pq.ParquetFile(self._file, pre_buffer=False, buffer_size=BUFFER)
        except pa.ArrowException as error:
            raise self._damaged(error) from error
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> Exception:
        """What arrow reports of damaged pages has no number of the system's."""
        return file_unavailable(self._file, error) if error.errno else self._damaged(error)

    def _damaged(self, error: Exception) -> CatalogInvalid:
        return CatalogInvalid(
            f"{self._file} cannot be read as Parquet: {str(error).rstrip('.')}.", "Write the file again."
        )


def _is_plain(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )
