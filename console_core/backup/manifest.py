"""What an archive says of itself: the collection, its parts and their digests, its intakes, and a seal over it all."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from console_core.backup.damage import Damage, damaged
from console_core.catalog.intake import Ingested, Intake
from console_core.vectorstore.tuning import settings_of
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, PointId

FILE = "manifest.json"
FORMAT, VERSION = "embedding-console-backup", 2
"""Version 1 did not say what was ingested."""
READABLE = (1, 2)
SEAL = "seal"
COPY = re.compile(r"[0-9a-f]{24}\.csv")
"""How the copy of a list is called: after its own bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive: its name, points, bytes, SHA-256, and the ids of its first and last point."""

    file: str
    rows: int
    bytes: int
    sha256: str
    first: PointId
    last: PointId


@dataclass(frozen=True, slots=True)
class Saved:
    """The collection as it was described when its backup began. `model` and `fingerprint` are "" where unknown.

    `preprocess` is the mode in which its pictures were decoded, "" where it was not recorded: archives from before it
    was have none.
    """

    name: str
    dimension: int
    distance: str
    vector_name: str
    index: Mapping[str, Any]
    quantization: Mapping[str, Any]
    model: str
    fingerprint: str
    aliases: tuple[str, ...]
    payload_fields: tuple[str, ...]
    preprocess: str = ""

    @classmethod
    def of(cls, info: CollectionInfo) -> Self:
        index, quantization = settings_of(info)
        return cls(
            name=info.name,
            dimension=info.dimension,
            distance=info.distance,
            vector_name=info.vector_name,
            index=dict(index),
            quantization=dict(quantization),
            model=info.stamp.model if info.stamp else "",
            fingerprint=info.stamp.fingerprint if info.stamp else "",
            aliases=tuple(info.aliases),
            payload_fields=tuple(info.payload_fields),
            preprocess=info.stamp.preprocess if info.stamp else "",
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "aliases": tuple(data["aliases"]), "payload_fields": tuple(data["payload_fields"])})

    @property
    def spec(self) -> CollectionSpec:
        """What a collection that is restored from it shall be."""
        stamp = ModelStamp(self.model, self.fingerprint, self.preprocess) if self.fingerprint else None
        return CollectionSpec(
            self.dimension, self.distance, stamp, self.index, self.quantization, vector_name=self.vector_name
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """`signature` is that of the points in the archive, as JSON. `points_before` and `points_after` are the
    collection's own counts around the reading: a scroll is not a view of one moment. `versions` are of the tools.
    `ingested` is what was ingested into the collection, and `lists` are the files of the archive with such lists.
    """

    archive: str
    collection: Saved
    points: int
    parts: tuple[Part, ...]
    signature: Mapping[str, Any]
    points_before: int
    points_after: int
    began: datetime
    ended: datetime
    run: str
    versions: Mapping[str, str]
    ingested: Ingested = field(default_factory=Ingested)
    lists: tuple[str, ...] = ()

    @property
    def changed_meanwhile(self) -> bool:
        """Whether points came or went while they were read."""
        return not self.points_before == self.points == self.points_after

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def as_text(self) -> str:
        fields = asdict(self) | {"began": self.began.isoformat(), "ended": self.ended.isoformat()}
        return sealed({"format": FORMAT, "version": VERSION, **fields})

    @classmethod
    def from_text(cls, text: str, backup: str) -> Self:
        """The reverse of `as_text`. `backup` names it for people.

        Raises:
            BackupDamaged: it cannot be read, is of another version, or was edited.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise damaged(backup, Damage.MANIFEST_UNREADABLE, f"its manifest is not JSON: {error}.") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise damaged(backup, Damage.MANIFEST_UNREADABLE, "its manifest is not that of a backup.")
        if (version := data.get("version")) not in READABLE:
            raise damaged(backup, Damage.VERSION, f"it has the version {version}; this console reads up to {VERSION}.")
        if not is_sealed(data):
            raise damaged(backup, Damage.MANIFEST_EDITED, "its manifest was changed after it was written.")
        fields = {name: value for name, value in data.items() if name not in ("format", "version", SEAL)}
        try:
            return cls(
                **fields
                | {
                    "collection": Saved.from_json(data["collection"]),
                    "parts": tuple(Part(**part) for part in data["parts"]),
                    "began": datetime.fromisoformat(data["began"]),
                    "ended": datetime.fromisoformat(data["ended"]),
                    "ingested": _ingested(data.get("ingested")),
                    "lists": tuple(data.get("lists", ())),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(
                backup, Damage.MANIFEST_UNREADABLE, f"its manifest lacks something, or says what it cannot: {error}."
            ) from error


def _ingested(data: Mapping[str, Any] | None) -> Ingested:
    if data is None:
        return Ingested()
    intakes = tuple(map(Intake.from_json, data["intakes"]))
    for one in intakes:
        if one.copy and not COPY.fullmatch(one.copy):  # it would be read wherever it lies
            raise ValueError(f"{one.copy!r} is not what the copy of a list is called")
        if one.kind not in ("folder", "list"):
            raise ValueError(f"{one.kind!r} is not what can be ingested")
    return Ingested(intakes, bool(data["beside"]), bool(data.get("emptied", False)))


def sealed(data: Mapping[str, Any]) -> str:
    """The data as canonical JSON with a digest of itself."""
    return _text({**data, SEAL: seal(data)})


def is_sealed(data: Mapping[str, Any]) -> bool:
    """Whether the data are as they were sealed."""
    return data.get(SEAL) == seal(data)


def seal(data: Mapping[str, Any]) -> str:
    """SHA-256 of the data as canonical JSON, without the seal that they may bear."""
    return hashlib.sha256(_text({name: data[name] for name in data if name != SEAL}).encode()).hexdigest()


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
