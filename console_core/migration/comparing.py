"""A catalog row beside its point, and a point beside the catalog: what differs, told for people. Nothing is read."""

import math
from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow, JsonValue, Slice
from console_core.migration.difference import Difference, DifferenceKind
from console_core.migration.verify_plan import VerifyPlan
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.signature import canonical_payload
from console_core.vectorstore.types import Payload, Point, Vector

UNIT = 1e-3
"""How far from 1 the length of a vector may be."""


def compare(row: ImageRow, point: Point | None, plan: VerifyPlan) -> Difference | None:
    """What is wrong with the point of a row, as far as both can tell without the picture; None where nothing is.

    What a point does not say (no provenance, no revision) never makes it stale.
    """
    if (found := _compared(row, point, plan)) is None:
        return None
    kind, detail = found
    return difference(kind, row, point, detail)


def difference(kind: DifferenceKind, row: ImageRow, point: Point | None, detail: str) -> Difference:
    """A difference of a row and its point, or of the point that it should have."""
    path = row.candidates[0] if row.candidates else ""
    return Difference(kind, row.key, point_id(row.key), detail, path, seen(row, point))


def stray(point: Point, rows: Mapping[str, ImageRow], plan: VerifyPlan) -> Difference | None:
    """A point that no row of the plan's part accounts for; `rows` are the catalog's by key, as far as it has them."""
    key = key_of(point)
    row = rows.get(key)
    if row is None or not belongs(row, plan.part):
        detail = "Its picture left the catalog." if row is None else "Its picture is not in the slice that was built."
        return Difference(DifferenceKind.EXTRA, key, point.id, detail, seen=seen(row, point))
    if point.id != (right := point_id(key)):
        detail = f"A second point of this picture; its own is {right}."
        path = row.candidates[0] if row.candidates else ""
        return Difference(DifferenceKind.DUPLICATE, key, point.id, detail, path, seen(row, point))
    return None


def key_of(point: Point) -> str:
    """The catalog key of a point: as recorded, or the id itself where it does not say."""
    origin = provenance(point.payload)
    return origin.key if origin is not None and origin.key else str(point.id)


def belongs(row: ImageRow, part: Slice) -> bool:
    """Whether a row is in a slice."""
    chosen = part.keys is None or row.key in part.keys
    return chosen and all(row.facets.get(facet) in values for facet, values in part.filters.items())


def seen(row: ImageRow | None, point: Point | None) -> str:
    """A digest of a row and a point as they are now."""
    digest = blake2b((row.revision if row else "none").encode("utf-8", "surrogatepass"), digest_size=8)
    if point is not None:
        digest.update(canonical_payload(point.payload).encode("utf-8", "surrogatepass"))
        digest.update(b"" if point.vector is None else point.vector.tobytes())
    return digest.hexdigest()


def _compared(row: ImageRow, point: Point | None, plan: VerifyPlan) -> tuple[DifferenceKind, str] | None:
    if point is None:
        return DifferenceKind.MISSING, "It has no point."
    origin = provenance(point.payload)
    if origin is not None and origin.key not in ("", row.key):
        return DifferenceKind.DUPLICATE, f"The id of its point is taken by a point of picture {told(origin.key)}."
    if wrong := _vector_problem(point.vector, plan.dimension):
        return DifferenceKind.INVALID, wrong
    fingerprint = origin.fingerprint if origin else ""
    if fingerprint not in ("", plan.fingerprint):
        return DifferenceKind.FOREIGN, f"It was made by a model with the fingerprint {fingerprint}."
    if not fingerprint and (plan.ours or str(point.id) != row.key):  # an id made from the key: the console's own
        return DifferenceKind.FOREIGN, "It does not say which model made it."
    if origin is None or not origin.revision:
        return None
    if origin.revision != row.revision:
        return DifferenceKind.STALE, "Its row in the catalog changed since it was embedded."
    if changed := _changed_fields(row.payload, point.payload):
        return DifferenceKind.STALE, f"The point's payload is not that of its row: {', '.join(changed)}."
    return None


def _vector_problem(vector: Vector | None, dimension: int) -> str:
    if vector is None:
        return "It has no vector."
    if vector.shape != (dimension,):
        return f"Its vector has {vector.size:,} numbers instead of {dimension:,}."
    if not np.isfinite(vector).all():
        return "Its vector has a number that is not finite."
    length = float(np.linalg.norm(vector))
    return f"Its vector has the length {length:.4g} instead of 1." if abs(length - 1) > UNIT else ""


def _changed_fields(told: Mapping[str, JsonValue], stored: Payload) -> list[str]:
    """Fields that the catalog tells and the point does not have so. What an application added is its own."""
    return [name for name, value in told.items() if name not in stored or not _same(value, stored[name])]


def _same(one: JsonValue, other: object) -> bool:
    if isinstance(one, float) and not math.isfinite(one):  # which no store can keep
        return other is None or isinstance(other, float)
    return one == other and isinstance(one, bool) == isinstance(other, bool)
