"""What the console writes on every point beside the application's payload, and how keys become point ids."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console_core.vectorstore.types import Payload, PointId

FIELD = "_console"
"""The payload key that the console adds. Where several vectors share a point, those that came later have one each:
this one with a number."""

_NAMESPACE = uuid.UUID("6f1a4c1e-52c9-5c0b-9f3f-2a6f0d7c4b11")
_INTEGER = re.compile(r"0|[1-9][0-9]{0,18}")
_OURS = re.compile(rf"{FIELD}(_[0-9]+)?")


def point_id(key: str) -> PointId:
    """The point id of a catalog key: itself where it is an unsigned integer or a UUID, else a UUID made from it.

    Deterministic, so that writing a batch twice is harmless, and equal to the ids that applications choose
    themselves when they use their primary keys.
    """
    if _INTEGER.fullmatch(key) and int(key) < 2**63:
        return int(key)
    try:
        parsed = uuid.UUID(key)
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, key))
    return str(parsed) if str(parsed) == key.lower() else str(uuid.uuid5(_NAMESPACE, key))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a point comes from: the catalog key and revision, the picture's digest, the model, the run, the time."""

    key: str
    revision: str
    content: str
    fingerprint: str
    run: str
    embedded_at: str

    def as_payload(self) -> dict[str, Any]:
        return {FIELD: {name: getattr(self, name) for name in self.__slots__}}


def provenance(payload: Payload) -> Provenance | None:
    """What the console wrote on a point; None on points that it did not write."""
    recorded = payload.get(FIELD)
    if not isinstance(recorded, Mapping):
        return None
    return Provenance(**{name: str(recorded.get(name, "")) for name in Provenance.__slots__})


def picture_key(identifier: PointId, payload: Payload) -> str:
    """The catalog key of a point: as recorded, or the id itself where the application used its primary keys."""
    recorded = provenance(payload)
    return recorded.key if recorded else str(identifier)


def application_payload(payload: Payload) -> dict[str, Any]:
    """The payload without what the console added."""
    return {name: value for name, value in payload.items() if not (name.startswith(FIELD) and _OURS.fullmatch(name))}
