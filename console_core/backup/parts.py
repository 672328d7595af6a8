"""One part of an archive: a Parquet file with checksums, written whole or not at all, and checked before it is read."""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from console_core.backup.damage import Damage, damaged
from console_core.backup.durable import DRAFT, put_in_place, writing
from console_core.backup.manifest import Part
from console_core.backup.rows import VECTOR_PATH, Unreadable, decode, encode, order, schema
from console_core.vectorstore.types import Point, PointId

PATTERN = "part-*.parquet"
_ARCHIVE, _NUMBER = b"embedding-console.archive", b"embedding-console.part"
_BLOCK = 1 << 20


def part_file(number: int) -> str:
    return f"part-{number:05}.parquet"


def write_part(folder: Path, archive: str, number: int, dimension: int, pages: Iterable[Sequence[Point]]) -> Part:
    """Write pages of points, at least one, as a part; each becomes a row group, and is let go of after it.

    Raises:
        BackupFull, BackupUnavailable: nothing is left of the part.
    """
    file = folder / part_file(number)
    draft = file.with_name(file.name + DRAFT)
    marked = schema(dimension).with_metadata({_ARCHIVE: archive.encode(), _NUMBER: str(number).encode()})
    rows, first, last = 0, None, None
    try:
        with writing(folder):
            with draft.open("wb") as stream:
                hashing = _Hashing(stream)
                with _writer(hashing, marked) as writer:
                    for page in pages:
                        writer.write_batch(encode(page, dimension))
                        rows, first, last = rows + len(page), page[0].id if first is None else first, page[-1].id
                stream.flush()
                os.fsync(stream.fileno())
            put_in_place(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    assert first is not None
    assert last is not None
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
        try:
            with pq.ParquetFile(self._folder / part.file, page_checksum_verification=True) as file:
                self._check_shape(file, part)
                previous = before
                for group in range(file.num_row_groups):
                    for batch in file.iter_batches(batch_size=1 << 16, row_groups=[group]):
                        points = decode(batch, self._dimension)
                        previous = self._check_order(part, points, previous, before)
                        yield points
        except Unreadable as error:
            raise damaged(self._archive, error.damage, f"in {part.file}, {error}") from error
        except (pa.ArrowException, OSError) as error:
            raise damaged(self._archive, Damage.PART_UNREADABLE, f"{part.file} cannot be read: {error}.") from error
        if previous != part.last:
            raise damaged(
                self._archive, Damage.ORDER, f"{part.file} ends with point {previous}, not with {part.last} as it says."
            )

    def _check_bytes(self, number: int, part: Part) -> None:
        """Size and SHA-256, which no change escapes; what else is found out only gives it its name."""
        file = self._folder / part.file
        try:
            size, digest = file.stat().st_size, hashlib.sha256()
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
        except FileNotFoundError as error:
            raise damaged(self._archive, Damage.PART_MISSING, f"there is no {part.file}.") from error
        except OSError as error:
            raise damaged(self._archive, Damage.PART_UNREADABLE, f"{part.file} cannot be read: {error}.") from error
        if (size, digest.hexdigest()) == (part.bytes, part.sha256):
            return
        archive, place = _marks(file)
        if archive and archive != self._archive:
            raise damaged(self._archive, Damage.PART_FOREIGN, f"{part.file} belongs to the backup {archive}.")
        if place and place != str(number):
            raise damaged(self._archive, Damage.PART_MISPLACED, f"{part.file} is the part {int(place)} of this backup.")
        if size < part.bytes:
            missing = part.bytes - size
            raise damaged(
                self._archive, Damage.PART_TRUNCATED, f"{part.file} lacks {missing:,} of its {part.bytes:,} bytes."
            )
        raise damaged(self._archive, Damage.PART_CHANGED, f"{part.file} has bytes that were not written to it.")

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

    def _check_order(
        self, part: Part, points: Sequence[Point], previous: PointId | None, before: PointId | None
    ) -> PointId | None:
        for point in points:
            if previous is not None and order(point.id) <= order(previous):
                raise damaged(self._archive, Damage.ORDER, f"point {point.id} in {part.file} comes after {previous}.")
            if previous is before and point.id != part.first:
                raise damaged(
                    self._archive, Damage.ORDER, f"{part.file} begins with point {point.id}, not with {part.first}."
                )
            previous = point.id
        return previous


def _marks(file: Path) -> tuple[str, str]:
    """The archive and the number that a part says it belongs to; "" where it cannot be read."""
    try:
        metadata = pq.read_schema(file).metadata or {}
    except (pa.ArrowException, OSError):
        return "", ""
    return metadata.get(_ARCHIVE, b"").decode(errors="replace"), metadata.get(_NUMBER, b"").decode(errors="replace")
