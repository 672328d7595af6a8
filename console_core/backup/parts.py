"""One part of an archive: a Parquet file with checksums, written whole or not at all, and checked before it is read."""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from console_core.backup.damage import Damage, damaged
from console_core.backup.durable import DRAFT, put_in_place, writing
from console_core.backup.manifest import Part
from console_core.backup.rows import VECTOR_PATH, Unreadable, decode, encode, order, schema
from console_core.errors import BackupDamaged
from console_core.vectorstore.types import Point, PointId

PATTERN = "part-*.parquet"
_ARCHIVE, _NUMBER = b"embedding-console.archive", b"embedding-console.part"
_BLOCK = 1 << 20


def part_file(number: int) -> str:
    return f"part-{number:05}.parquet"


def write_part(
    folder: Path, archive: str, number: int, dimension: int, pages: Iterator[Sequence[Point]], limit: int
) -> Part | None:
    """Write a part from the next pages of points, until it has `limit` bytes in memory; None where there is none.

    Each page becomes a row group, and is let go of after it.

    Raises:
        BackupFull, BackupUnavailable: nothing is left of the part.
        DimensionMismatch, VectorInvalid: a point could not be restored.
    """
    page = next(pages, None)
    if page is None:
        return None
    file = folder / part_file(number)
    draft = file.with_name(file.name + DRAFT)
    marked = schema(dimension).with_metadata({_ARCHIVE: archive.encode(), _NUMBER: str(number).encode()})
    rows, size, first = 0, 0, page[0].id
    try:
        with writing(folder):
            with draft.open("wb") as stream:
                hashing = _Hashing(stream)
                with _writer(hashing, marked) as writer:
                    while page:
                        batch = encode(page, dimension)
                        writer.write_batch(batch)
                        rows, size, last = rows + len(page), size + batch.nbytes, page[-1].id
                        page = next(pages, None) if size < limit else None
                stream.flush()
                os.fsync(stream.fileno())
            put_in_place(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return Part(file.name, rows, hashing.size, hashing.digest.hexdigest(), first, last)


def _writer(stream: "_Hashing", marked: pa.Schema) -> Any:
    return pq.ParquetWriter(
        stream,
        marked,
        compression="zstd",
        compression_level=3,
        use_dictionary=["id_kind"],
        column_encoding={VECTOR_PATH: "BYTE_STREAM_SPLIT"},
        write_page_checksum=True,
        write_statistics=False,
    )


class _Hashing(io.RawIOBase):
    """Passes bytes on, and knows how many they were and their SHA-256."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self._stream.write(data)
        self.size += len(data)
        return len(data)


class PartReader:
    """Reads the parts of one archive. What is not as the manifest says is a BackupDamaged before a point is given."""

    def __init__(self, folder: Path, archive: str, dimension: int) -> None:
        self._folder, self._archive, self._dimension = folder, archive, dimension

    def pages(self, number: int, part: Part, before: PointId | None) -> Iterator[list[Point]]:
        """The points of a part, a row group at a time. `before` is the last id of the part before it."""
        self._check_bytes(number, part)
        previous = before
        try:
            with pq.ParquetFile(self._folder / part.file, page_checksum_verification=True) as file:
                self._check_shape(file, part)
                for group in range(file.num_row_groups):
                    for batch in file.iter_batches(batch_size=1 << 16, row_groups=[group]):
                        points = decode(batch, self._dimension)
                        previous = self._check_order(part, points, previous)
                        yield points
        except Unreadable as error:
            raise damaged(self._archive, error.damage, f"in {part.file}, {error}") from error
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(part, error) from error
        if previous != part.last:
            raise damaged(self._archive, Damage.ORDER, f"{part.file} ends with point {previous}, not with {part.last}.")

    def check_size(self, number: int, part: Part) -> None:
        """Refuse a part that is missing or has another size; its bytes are not read."""
        if self._size(part) != part.bytes:
            raise self._other_bytes(number, part)

    def _check_bytes(self, number: int, part: Part) -> None:
        """SHA-256, which no change escapes."""
        self.check_size(number, part)
        digest = hashlib.sha256()
        try:
            with (self._folder / part.file).open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise self._unreadable(part, error) from error
        if digest.hexdigest() != part.sha256:
            raise self._other_bytes(number, part)

    def _size(self, part: Part) -> int:
        try:
            return (self._folder / part.file).stat().st_size
        except FileNotFoundError as error:
            raise damaged(self._archive, Damage.PART_MISSING, f"there is no {part.file}.") from error
        except OSError as error:
            raise self._unreadable(part, error) from error

    def _other_bytes(self, number: int, part: Part) -> BackupDamaged:
        """What happened to a part whose bytes are not those that were written."""
        archive, place = _marks(self._folder / part.file)
        if archive and archive != self._archive:
            return damaged(self._archive, Damage.PART_FOREIGN, f"{part.file} belongs to the backup {archive}.")
        if place and place != str(number):
            return damaged(self._archive, Damage.PART_MISPLACED, f"{part.file} is part {place} of this backup.")
        lacking = part.bytes - self._size(part)
        if lacking > 0:
            detail = f"{part.file} lacks {lacking:,} of its {part.bytes:,} bytes."
            return damaged(self._archive, Damage.PART_TRUNCATED, detail)
        return damaged(self._archive, Damage.PART_CHANGED, f"{part.file} has bytes that were not written to it.")

    def _unreadable(self, part: Part, error: Exception) -> BackupDamaged:
        return damaged(self._archive, Damage.PART_UNREADABLE, f"{part.file} cannot be read: {str(error).rstrip('.')}.")

    def _check_shape(self, file: Any, part: Part) -> None:
        found, wanted = file.schema_arrow, schema(self._dimension)
        if found.names != wanted.names:
            raise damaged(
                self._archive, Damage.COLUMNS, f"{part.file} has the columns {', '.join(found.names) or 'none'}."
            )
        vector = found.field("vector").type
        if pa.types.is_fixed_size_list(vector) and vector.list_size != self._dimension:
            raise damaged(
                self._archive,
                Damage.DIMENSION,
                f"{part.file} has vectors of {vector.list_size} numbers, the manifest says {self._dimension}.",
            )
        if not found.equals(wanted, check_metadata=False):
            raise damaged(self._archive, Damage.COLUMNS, f"{part.file} has columns of other types.")
        if file.metadata.num_rows != part.rows:
            raise damaged(
                self._archive,
                Damage.ROWS,
                f"{part.file} has {file.metadata.num_rows:,} rows, the manifest says {part.rows:,}.",
            )

    def _check_order(self, part: Part, points: Sequence[Point], previous: PointId | None) -> PointId | None:
        for point in points:
            if previous is not None and order(point.id) <= order(previous):
                raise damaged(self._archive, Damage.ORDER, f"point {point.id} in {part.file} comes after {previous}.")
            previous = point.id
        return previous


def _marks(file: Path) -> tuple[str, str]:
    """The archive and the number that a part says it belongs to; "" where it cannot be read."""
    try:
        metadata = pq.read_schema(file).metadata or {}
    except (pa.ArrowException, OSError):
        return "", ""
    return metadata.get(_ARCHIVE, b"").decode(errors="replace"), metadata.get(_NUMBER, b"").decode(errors="replace")
