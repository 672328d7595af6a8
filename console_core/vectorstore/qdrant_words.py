"""Between our plain data and Qdrant's models: what a collection is, shall be, and which model made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from qdrant_client import models

from console_core.errors import StoreRefused
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.vectorstore.ways import Search

DISTANCES = {
    "cosine": models.Distance.COSINE,
    "dot": models.Distance.DOT,
    "euclid": models.Distance.EUCLID,
    "manhattan": models.Distance.MANHATTAN,
}
NEARER_IS_LESS = frozenset({"euclid", "manhattan"})
"""Distances whose scores Qdrant sorts upwards."""

_THRESHOLD = "deferred_indexing_threshold"

_QUANTIZATIONS: dict[str, tuple[str, type[BaseModel], type[BaseModel]]] = {
    "int8": ("scalar", models.ScalarQuantization, models.ScalarQuantizationConfig),
    "product": ("product", models.ProductQuantization, models.ProductQuantizationConfig),
    "binary": ("binary", models.BinaryQuantization, models.BinaryQuantizationConfig),
    "turbo": ("turbo", models.TurboQuantization, models.TurboQuantQuantizationConfig),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What must be known to write to a collection and to search it. `problem` forbids writing."""

    dimension: int
    distance: str
    vector_name: str
    problem: str


def shape(parameters: models.CollectionParams) -> Shape:
    """The one vector of a collection, or the first where it has several, with the problem named."""
    vectors = parameters.vectors
    named: Mapping[str, models.VectorParams] = (
        {"": vectors} if isinstance(vectors, models.VectorParams) else vectors or {}
    )
    if not named:
        return Shape(0, "", "", "It has no dense vectors; the console migrates collections with one dense vector.")
    name, vector = next(iter(named.items()))
    return Shape(vector.size, vector.distance.value.lower(), name, _problem(parameters, named))


def _problem(parameters: models.CollectionParams, named: Mapping[str, models.VectorParams]) -> str:
    first = next(iter(named.values()))
    if len(named) > 1:
        names = ", ".join(f'"{name}"' for name in named)
        return (
            f"It has {len(named)} named vectors ({names}); the console migrates collections with one vector per point."
        )
    if parameters.sparse_vectors:
        names = ", ".join(f'"{name}"' for name in parameters.sparse_vectors)
        return f"It has sparse vectors ({names}), which the console cannot make and a migration would lose."
    if first.multivector_config is not None:
        return "It has several vectors per point (multivector); the console migrates collections with one."
    if first.datatype == models.Datatype.UINT8:
        return "It stores vectors as whole numbers (uint8), to which vectors of length 1 would be rounded away."
    if parameters.sharding_method == models.ShardingMethod.CUSTOM:
        return "It is sharded by the application's own keys, which the console does not know."
    return ""


def vector_params(spec: CollectionSpec) -> models.VectorParams | dict[str, models.VectorParams]:
    """The vectors of a new collection: one, with its name where it has one.

    Raises:
        StoreRefused: the distance or the dimension is not one that Qdrant has.
    """
    if spec.distance not in DISTANCES:
        raise StoreRefused(f'"{spec.distance}" is not a distance.', f"Use one of: {', '.join(DISTANCES)}.")
    if not 1 <= spec.dimension <= 65536:
        raise StoreRefused(f"{spec.dimension} is not a dimension.", "Use the model's, between 1 and 65,536.")
    vector = models.VectorParams(size=spec.dimension, distance=DISTANCES[spec.distance])
    return {spec.vector_name: vector} if spec.vector_name else vector


def search_params(way: Search, *, quantized: bool) -> models.SearchParams | None:
    """How Qdrant is asked to search; None for its own usual way.

    A quantized collection usually finds twice as many as asked for, and ranks them by their whole vectors.
    """
    if way is Search.EXACT:
        return models.SearchParams(exact=True, quantization=models.QuantizationSearchParams(ignore=True))
    if not quantized:
        return None
    asked = {
        Search.USUAL: models.QuantizationSearchParams(rescore=True, oversampling=2.0),
        Search.UNQUANTIZED: models.QuantizationSearchParams(ignore=True),
        Search.WITHOUT_RESCORING: models.QuantizationSearchParams(rescore=False),
    }
    return models.SearchParams(quantization=asked[way])


def index_config(index: Mapping[str, Any]) -> models.HnswConfigDiff | None:
    """Index settings (m, ef_construct, full_scan_threshold, on_disk, …) in Qdrant's model; None where there are none.

    Raises:
        StoreRefused: a setting is unknown or has a wrong value.
    """
    try:
        return models.HnswConfigDiff(**index) if index else None
    except ValidationError as error:
        known = ", ".join(models.HnswConfigDiff.model_fields)
        raise StoreRefused(f"The index settings {dict(index)} are wrong: {_why(error)}.", f"Known: {known}.") from error


def quantization_config(settings: Mapping[str, Any]) -> Any:
    """Quantization settings ({"type": "int8", "quantile": 0.99, "always_ram": True}) in Qdrant's model, or None.

    Raises:
        StoreRefused: a setting is unknown or has a wrong value.
    """
    if not settings:
        return None
    kind = str(settings.get("type", ""))
    rest = {name: value for name, value in settings.items() if name != "type"}
    if kind not in _QUANTIZATIONS:
        raise StoreRefused(f'"{kind}" is not a quantization.', f"Use one of: {', '.join(_QUANTIZATIONS)}.")
    word, outer, inner = _QUANTIZATIONS[kind]
    try:
        return outer(**{word: inner(**({"type": "int8"} if kind == "int8" else {}), **rest)})
    except ValidationError as error:
        known = ", ".join(name for name in inner.model_fields if name != "type")
        raise StoreRefused(f"The {kind} quantization {rest} is wrong: {_why(error)}.", f"Known: {known}.") from error


def refusal(spec: CollectionSpec) -> StoreRefused | None:
    """Why Qdrant has no such collection, as far as its client knows; None where nothing speaks against it."""
    try:
        vector_params(spec)
        index_config(spec.index)
        quantization_config(spec.quantization)
    except StoreRefused as error:
        return error
    return None


def index_in_force(config: models.CollectionConfig, vector_name: str) -> dict[str, Any]:
    """The index settings of a collection's vector: the collection's, overruled by the vector's own."""
    return _plain(config.hnsw_config) | _plain(_vector(config, vector_name).hnsw_config)


def quantization_in_force(config: models.CollectionConfig, vector_name: str) -> dict[str, Any]:
    """The quantization of a collection's vector; empty where there is none."""
    found = _vector(config, vector_name).quantization_config or config.quantization_config
    for kind, (word, outer, _) in _QUANTIZATIONS.items():
        if isinstance(found, outer):
            return {**_plain(getattr(found, word)), "type": kind}
    return _plain(found)


def limits_in_force(config: models.CollectionConfig) -> dict[str, Any]:
    """What the collection's strict mode enforces; empty where that is off."""
    found = _plain(config.strict_mode_config)
    return {name: limit for name, limit in found.items() if name != "enabled"} if found.get("enabled") else {}


def _vector(config: models.CollectionConfig, name: str) -> models.VectorParams:
    vectors = config.params.vectors
    if isinstance(vectors, models.VectorParams):
        return vectors
    return (vectors or {}).get(name) or models.VectorParams(size=1, distance=models.Distance.COSINE)


def stamp_in(metadata: Mapping[str, Any] | None) -> ModelStamp | None:
    """Which model made a collection, as its metadata say."""
    recorded = (metadata or {}).get(FIELD)
    if not isinstance(recorded, Mapping) or not recorded.get("fingerprint"):
        return None
    model, preprocess = (str(recorded.get(name, "")) for name in ("model", "preprocess"))
    return ModelStamp(model, str(recorded["fingerprint"]), preprocess)


def stamped(metadata: Mapping[str, Any] | None, stamp: ModelStamp) -> dict[str, Any]:
    """What to merge into a collection's metadata to stamp it, keeping what else the console recorded there."""
    recorded = (metadata or {}).get(FIELD)
    kept = dict(recorded) if isinstance(recorded, Mapping) else {}
    told = {"preprocess": stamp.preprocess} if stamp.preprocess or "preprocess" in kept else {}
    return {FIELD: {**kept, "model": stamp.model, "fingerprint": stamp.fingerprint, **told}}


def deferred_threshold(metadata: Mapping[str, Any] | None) -> int | None:
    """The indexing threshold in kB that was in force before indexing was deferred; None where it is not deferred."""
    recorded = (metadata or {}).get(FIELD)
    noted = recorded.get(_THRESHOLD) if isinstance(recorded, Mapping) else None
    return noted if isinstance(noted, int) else None


def with_deferred_threshold(metadata: Mapping[str, Any] | None, threshold: int | None) -> dict[str, Any]:
    """What to merge into a collection's metadata to note that threshold; None: that it is in force again."""
    recorded = (metadata or {}).get(FIELD)
    kept = dict(recorded) if isinstance(recorded, Mapping) else {}
    return {FIELD: {**kept, _THRESHOLD: threshold}}


def _plain(model: BaseModel | None) -> dict[str, Any]:
    return {} if model is None else model.model_dump(mode="json", exclude_none=True)


def _why(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].lower()}" for item in error.errors())
