"""Points as rows of a table, and back: the columns of a part."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from console_core.backup.damage import Damage
from console_core.errors import DimensionMismatch, VectorInvalid
from console_core.vectorstore.types import Payload, Point, PointId

INTEGER, UUID = "int", "uuid"
VECTOR_PATH = "vector.list.element"
"""Where Parquet keeps the numbers of the vectors."""


class Unreadable(ValueError):
    """A row that no writer of this console wrote."""

    def __init__(self, damage: Damage, detail: str) -> None:
        super().__init__(detail)
        self.damage = damage


def schema(dimension: int) -> pa.Schema:
    """A vector is null where a point has none."""
    return pa.schema(
        [
            pa.field("id_kind", pa.string(), nullable=False),
            pa.field("id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dimension)),
            pa.field("payload", pa.string(), nullable=False),
        ]
    )


def order(identifier: PointId) -> tuple[int, int | str]:
    """The order of points: integers before UUIDs."""
    return (0, identifier) if isinstance(identifier, int) else (1, identifier)


def encode(points: Sequence[Point], dimension: int) -> pa.RecordBatch:
    """Points as a batch of rows.

    Raises:
        DimensionMismatch, VectorInvalid: naming the first point that could never be restored.
    """
    numbers = np.zeros((len(points), dimension), dtype=np.float32)
    absent = np.zeros(len(points), dtype=bool)
    for place, point in enumerate(points):
        if point.vector is None:
            absent[place] = True
            continue
        if point.vector.shape != (dimension,):
            raise DimensionMismatch(
                f"The vector of point {point.id} has {point.vector.size} numbers, the collection {dimension}.",
                "Look at this point in the store; its collection cannot be backed up as it is.",
            )
        numbers[place] = point.vector
    if not np.isfinite(numbers).all():
        wrong = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise VectorInvalid(
            f"The vector of point {points[wrong].id} has a number that is not finite, which no store takes back.",
            "Embed it again or delete the point, then resume.",
        )
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), dimension, mask=pa.array(absent))
    columns = [
        pa.array([INTEGER if isinstance(point.id, int) else UUID for point in points], pa.string()),
        pa.array([str(point.id) for point in points], pa.string()),
        vectors,
        pa.array([_text(point.payload) for point in points], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema(dimension))


def decode(batch: pa.RecordBatch, dimension: int) -> list[Point]:
    """The reverse of `encode`.

    Raises:
        Unreadable
    """
    kinds, texts, payloads = (batch.column(place).to_pylist() for place in (0, 1, 3))
    column = batch.column(2)
    numbers = column.values.fill_null(0).to_numpy(zero_copy_only=False)
    numbers = numbers[column.offset * dimension :].reshape(-1, dimension)[: len(batch)]
    present = column.is_valid().to_numpy(zero_copy_only=False)
    if not np.isfinite(numbers[present]).all():
        raise Unreadable(Damage.VECTOR, "a vector has a number that is not finite.")
    return [
        Point(
            _identifier(kind, text),
            np.array(numbers[place], dtype=np.float32) if present[place] else None,
            _payload(payload, text),
        )
        for place, (kind, text, payload) in enumerate(zip(kinds, texts, payloads, strict=True))
    ]


def _text(payload: Payload) -> str:
    """Equal payloads are equal texts. In ASCII, because half a character, which JSON may have, is no UTF-8."""
    return json.dumps(dict(payload), sort_keys=True, separators=(",", ":"))


def _identifier(kind: str | None, text: str | None) -> PointId:
    try:
        if kind == INTEGER and text is not None and str(int(text)) == text and 0 <= int(text) < 2**63:
            return int(text)
        if kind == UUID and text is not None and str(uuid.UUID(text)) == text:
            return text
    except ValueError:
        pass
    raise Unreadable(Damage.IDENTIFIER, f"{text!r} of kind {kind!r} is not the id of a point.")


def _payload(text: str | None, identifier: str | None) -> dict[str, Any]:
    try:
        payload = json.loads(text or "")
    except ValueError as error:
        raise Unreadable(Damage.PAYLOAD, f"the payload of point {identifier} cannot be read: {error}.") from error
    if not isinstance(payload, dict):
        raise Unreadable(Damage.PAYLOAD, f"the payload of point {identifier} is no object.")
    return payload
