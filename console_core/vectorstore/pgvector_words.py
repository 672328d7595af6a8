"""Between our plain data and pgvector's words: distances, index settings, and the names of tables and views."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console_core.errors import StoreRefused
from console_core.vectorstore.pgvector_places import Place
from console_core.vectorstore.types import CollectionSpec, ModelStamp

OPERATORS = {"cosine": "<=>", "dot": "<#>", "euclid": "<->", "manhattan": "<+>"}
OPERATOR_CLASSES = {"cosine": "cosine_ops", "dot": "ip_ops", "euclid": "l2_ops", "manhattan": "l1_ops"}

MOST = 16_000
"""Numbers that a vector may have."""
INDEXED = 2_000
"""Numbers up to which pgvector indexes a vector as it is; as a half-precision copy up to twice as many."""
HALF_INDEXED = 4_000

HNSW = {"m": 16, "ef_construct": 100}
"""What an index gets where nothing else was asked for."""
_RANGES = {"m": (2, 100), "ef_construct": (4, 1000)}
_NOTED = ("full_scan_threshold", "max_indexing_threads", "on_disk", "memory", "payload_m", "inline_storage")
"""Settings of other stores, as backups carry them: kept, and not in force."""

FLOAT16 = "float16"
_QUANTIZATIONS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    FLOAT16: {},
    "int8": {"quantile": (float, int), "always_ram": bool, "memory": str},
    "product": {"compression": str, "always_ram": bool, "memory": str},
    "binary": {"always_ram": bool, "memory": str, "encoding": str, "query_encoding": str},
    "turbo": {"always_ram": bool, "memory": str, "bits": str},
}

LONGEST_NAME = 63
"""Bytes that the name of a table or a view may have."""
RESERVED = "console_"
"""How the names of the console's own tables and indexes begin."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A collection as the console's own table has it. `index` and `quantization` are as they were asked for.

    `theirs`: the vectors, and the index over them, are an application's; the console did not make them.
    """

    number: int
    name: str
    place: Place
    dimension: int
    distance: str
    vector_name: str
    stamp: ModelStamp | None
    deferred: bool
    index: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)
    theirs: bool = False

    @property
    def hnsw(self) -> dict[str, int]:
        """The settings of its index, where it has one: those asked for, within what pgvector takes."""
        asked = {name: int(self.index.get(name, usual)) for name, usual in HNSW.items()}
        m, ef = (min(max(asked[name], least), most) for name, (least, most) in _RANGES.items())
        return {"m": m, "ef_construct": max(ef, 2 * m)}

    @property
    def indexable(self) -> bool:
        return self.dimension <= HALF_INDEXED and self.index.get("m") != 0

    @property
    def half(self) -> bool:
        """Whether the index is over half-precision copies of the vectors, by wish or because they are long."""
        return self.dimension > INDEXED or self.halved

    @property
    def halved(self) -> bool:
        """Whether that was asked for, which a collection that takes its settings over then does too."""
        return self.quantization.get("type") == FLOAT16

    @property
    def operator_class(self) -> str:
        return f"{'halfvec' if self.half else 'vector'}_{OPERATOR_CLASSES[self.distance]}"


def relation(name: str) -> str:
    """The name of the table or view of a collection or alias: the same where PostgreSQL and the console's own tables
    allow it."""
    if len(name.encode()) <= LONGEST_NAME and not name.startswith(RESERVED):
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    stem = name.removeprefix(RESERVED).encode()[: LONGEST_NAME - 14].decode(errors="ignore")
    return f"{stem}__{digest}"


def check(spec: CollectionSpec) -> None:
    """Refuse what PostgreSQL could not keep.

    Raises:
        StoreRefused: the distance, the dimension or a setting is not one that there is.
    """
    if spec.distance not in OPERATORS:
        raise StoreRefused(f'"{spec.distance}" is not a distance.', f"Use one of: {', '.join(OPERATORS)}.")
    if not 1 <= spec.dimension <= MOST:
        raise StoreRefused(f"{spec.dimension} is not a dimension.", f"Use the model's, between 1 and {MOST:,}.")
    for name, value in spec.index.items():
        known = name in HNSW or name in _NOTED
        if not known or (name in HNSW and (not isinstance(value, int) or isinstance(value, bool) or value < 0)):
            raise StoreRefused(
                f"The index settings {dict(spec.index)} are wrong: {name} {'is not known' if not known else value!r}.",
                f"Known: {', '.join((*HNSW, *_NOTED))}; m and ef_construct are whole numbers.",
            )
    _check_quantization(spec.quantization)


def _check_quantization(settings: Mapping[str, Any]) -> None:
    if not settings:
        return
    kind = str(settings.get("type", ""))
    if kind not in _QUANTIZATIONS:
        raise StoreRefused(f'"{kind}" is not a quantization.', f"Use one of: {', '.join(_QUANTIZATIONS)}.")
    known = _QUANTIZATIONS[kind]
    for name, value in settings.items():
        if name != "type" and not (name in known and isinstance(value, known[name])):
            raise StoreRefused(
                f"The {kind} quantization {dict(settings)} is wrong: {name} is {value!r}.",
                f"Known: {', '.join(known) or 'no further settings'}.",
            )
