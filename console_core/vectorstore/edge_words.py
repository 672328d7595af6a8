"""Between our plain data and the edge engine's objects: what a shard shall be, and which points a search may find."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import qdrant_edge as edge

from console_core.vectorstore.json_path import path_of
from console_core.vectorstore.types import CollectionSpec
from console_core.vectorstore.ways import Search

INDEX: Mapping[str, Any] = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
"""The engine's usual index: edges of a node, candidates while building, and kB below which all vectors are compared."""
_INDEXED_FROM = 1_000
"""kB of vectors in a part of a shard, from which on it gets an index when one is built."""

_DISTANCES = {
    "cosine": edge.Distance.Cosine,
    "dot": edge.Distance.Dot,
    "euclid": edge.Distance.Euclid,
    "manhattan": edge.Distance.Manhattan,
}
_COMPRESSIONS = {f"x{times}": getattr(edge.CompressionRatio, f"X{times}") for times in (4, 8, 16, 32, 64)}
_ENCODINGS = {
    "one_bit": edge.BinaryQuantizationEncoding.OneBit,
    "two_bits": edge.BinaryQuantizationEncoding.TwoBits,
    "one_and_half_bits": edge.BinaryQuantizationEncoding.OneAndHalfBits,
}
_QUERY_ENCODINGS = {
    "default": edge.BinaryQuantizationQueryEncoding.Default,
    "binary": edge.BinaryQuantizationQueryEncoding.Binary,
    "scalar4bits": edge.BinaryQuantizationQueryEncoding.Scalar4Bits,
    "scalar8bits": edge.BinaryQuantizationQueryEncoding.Scalar8Bits,
}
_BITS = {
    "bits1": edge.TurboQuantBitSize.Bits1,
    "bits1_5": edge.TurboQuantBitSize.Bits1_5,
    "bits2": edge.TurboQuantBitSize.Bits2,
    "bits4": edge.TurboQuantBitSize.Bits4,
}
_NAMED = {
    "compression": _COMPRESSIONS,
    "encoding": _ENCODINGS,
    "query_encoding": _QUERY_ENCODINGS,
    "bits": _BITS,
    "memory": {name.lower(): getattr(edge.Memory, name) for name in ("Cold", "Cached", "Pinned")},
}


def shard_config(spec: CollectionSpec) -> edge.EdgeConfig:
    """A shard with one vector, its log on: what it acknowledged survives a crash of the process.

    Raises:
        TypeError, ValueError, KeyError: a setting that the engine does not have.
    """
    vector = edge.EdgeVectorParams(size=spec.dimension, distance=_DISTANCES[spec.distance])
    return edge.EdgeConfig(
        vectors={spec.vector_name: vector} if spec.vector_name else vector,
        hnsw_config=edge.HnswIndexConfig(**_plain(index_in_force(spec))),
        quantization_config=_quantization(spec.quantization),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=_INDEXED_FROM),
        wal_enabled=True,
    )


def index_in_force(spec: CollectionSpec) -> dict[str, Any]:
    """The index settings of a collection: those that were wished for, and otherwise the engine's usual ones."""
    return {**INDEX, **{name: value for name, value in spec.index.items() if value is not None}}


def search_params(spec: CollectionSpec, way: Search = Search.USUAL) -> edge.SearchParams | None:
    """How to search: where vectors are quantized the best are usually compared again, which the engine would not do
    itself. None for its own usual way."""
    if way is Search.EXACT:
        return edge.SearchParams(exact=True, quantization=edge.QuantizationSearchParams(ignore=True))
    if not spec.quantization:
        return None
    match way:
        case Search.UNQUANTIZED:
            asked = edge.QuantizationSearchParams(ignore=True)
        case Search.WITHOUT_RESCORING:
            asked = edge.QuantizationSearchParams(rescore=False)
        case _:
            asked = edge.QuantizationSearchParams(rescore=True, oversampling=2.0)
    return edge.SearchParams(quantization=asked)


def filter_for(where: Mapping[str, Sequence[Any]] | None) -> edge.Filter | None:
    """Points whose payload has, in every field, one of the values. "" and None also stand for a missing field."""
    if not where:
        return None
    return edge.Filter(must=[_one_of(path_of(field), values) for field, values in where.items()])


def _one_of(field: str, values: Sequence[Any]) -> Any:
    words = ["" if value is None else value for value in values if value is None or isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    either: list[Any] = []
    if words:
        either.append(edge.FieldCondition(key=field, match=edge.MatchAny(any=words)))
    if "" in words:
        either.append(edge.IsEmptyCondition(key=field))
    if numbers:
        either.append(edge.FieldCondition(key=field, match=edge.MatchAny(any=numbers)))
    for value in values:
        if isinstance(value, bool):  # Python's own would be taken for 0 and 1
            truth: Any = np.bool_(value)
            either.append(edge.FieldCondition(key=field, match=edge.MatchValue(truth)))
        elif isinstance(value, float):
            either.append(edge.FieldCondition(key=field, range=edge.RangeFloat(gte=value, lte=value)))
    return either[0] if len(either) == 1 else edge.Filter(should=either)


def _quantization(settings: Mapping[str, Any]) -> Any:
    if not settings:
        return None
    rest = _plain({name: value for name, value in settings.items() if name != "type"})
    match settings["type"]:
        case "int8":
            return edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, **rest)
        case "product":
            return edge.ProductQuantizationConfig(**rest)
        case "binary":
            return edge.BinaryQuantizationConfig(**rest)
        case _:
            return edge.TurboQuantQuantizationConfig(**rest)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with words such as x16 or cached as the engine's own values, and without those that are not set."""
    return {
        name: _NAMED[name][str(value)] if name in _NAMED else value
        for name, value in settings.items()
        if value is not None
    }
