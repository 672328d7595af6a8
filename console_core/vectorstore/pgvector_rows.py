"""Points as PostgreSQL has them in its binary form: for COPY, and as they are read."""

import json
import re
import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.errors import StoreRefused
from console_core.vectorstore.types import Payload, Point, PointId, Vector
from console_core.vectorstore.vectors import canonical

Key = tuple[bool, int, uuid.UUID]
"""A point's id as three columns, whose order is the contract's: integers by their value, then UUIDs."""

COLUMNS = ("is_uuid", "number", "uuid", "vector", "payload")
TYPES = ("bool", "int8", "uuid", "bytea", "bytea")
"""How COPY writes them: the last two are bytes that PostgreSQL's own types read as they are."""

NO_UUID = uuid.UUID(int=0)
_JSONB = b"\x01"
_LARGE_FLOAT = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?e\+\d+')


def key_of(identifier: PointId) -> Key:
    """The columns of a canonical id."""
    if isinstance(identifier, int):
        return False, identifier, NO_UUID
    return True, 0, uuid.UUID(identifier)


def id_of(is_uuid: bool, number: int, identifier: uuid.UUID) -> PointId:
    return str(identifier) if is_uuid else number


def arrays(ids: Iterable[PointId]) -> tuple[list[bool], list[int], list[uuid.UUID]]:
    """The columns of canonical ids, as three lists."""
    keys = [key_of(identifier) for identifier in ids]
    return [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]


def staged(points: Sequence[Point], vectors: NDArray[np.float32], *, bare: bool = False) -> Iterator[tuple[Any, ...]]:
    """Rows for COPY in the order of their ids, so that two writers cannot wait for each other; of two points with the
    same id the later one. `vectors` has a row for each point, but for those without a vector where these are `bare`.

    Raises:
        StoreRefused: an id or a payload cannot be stored.
    """
    packed = iter(_packed(vectors))
    last = {}
    for point in points:
        row = None if bare and point.vector is None else next(packed)
        last[key_of(canonical(point.id))] = (point, row)
    for key in sorted(last):
        point, row = last[key]
        yield (*key, None if row is None else row.tobytes(), _JSONB + json_text(point).encode())


def _packed(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Each row as pgvector receives a vector: its length as two bytes, two bytes of zero, big-endian float32."""
    number, dimension = vectors.shape
    packed = np.empty((number, 4 + 4 * dimension), dtype=np.uint8)
    packed[:, :4] = np.frombuffer(struct.pack(">HH", dimension, 0), dtype=np.uint8)
    packed[:, 4:] = vectors.astype(">f4").view(np.uint8).reshape(number, -1)
    return packed


def json_text(point: Point) -> str:
    """A payload as JSON that PostgreSQL gives back with the same types.

    Raises:
        StoreRefused: it is not JSON.
    """
    try:
        text = json.dumps(dict(point.payload), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreRefused(
            f"The payload of point {point.id} cannot be stored: {error}.",
            "Payloads are JSON: text, finite numbers, true, false, null, lists and tables of those.",
        ) from error
    return _LARGE_FLOAT.sub(_written_out, text) if "e+" in text else text


def _written_out(found: re.Match[str]) -> str:
    """1e+22 with all its digits and a fraction: PostgreSQL would give back a whole number."""
    token = found[0]
    return token if token.startswith('"') else f"{Decimal(token):f}.0"


def vector_text(vector: Vector) -> str:
    return f"[{','.join(map(repr, vector.tolist()))}]"


def point_of(row: Sequence[Any]) -> Point:
    """A row of `COLUMNS`, or of those without the vector."""
    packed = row[3] if len(row) == len(COLUMNS) else None
    vector = None if packed is None else np.frombuffer(packed, dtype=">f4", offset=4).astype(np.float32)
    payload: Payload = row[-1]
    return Point(id_of(*row[:3]), vector, payload)
