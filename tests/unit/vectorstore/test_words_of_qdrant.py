"""Between our plain data and Qdrant's models."""

from typing import Any

import pytest
from qdrant_client import models

from console_core.errors import StoreRefused
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore.types import ModelStamp

COSINE = models.Distance.COSINE
HNSW = models.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10000)


def parameters(vectors: Any, **options: Any) -> models.CollectionParams:
    return models.CollectionParams(vectors=vectors, **options)


def config(vectors: Any, **options: Any) -> models.CollectionConfig:
    optimizer = models.OptimizersConfig(
        deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
    )
    return models.CollectionConfig(params=parameters(vectors), hnsw_config=HNSW, optimizer_config=optimizer, **options)


def one(**options: Any) -> models.VectorParams:
    return models.VectorParams(size=4, distance=COSINE, **options)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (parameters(one()), ""),
        (parameters({"image": one()}), ""),
        (parameters(one(datatype="float16")), ""),
        (parameters({"image": one(), "text": one()}), "2 named vectors"),
        (parameters(one(), sparse_vectors={"words": models.SparseVectorParams()}), "sparse vectors"),
        (parameters(None, sparse_vectors={"words": models.SparseVectorParams()}), "no dense vectors"),
        (parameters(one(multivector_config={"comparator": "max_sim"})), "several vectors per point"),
        (parameters(one(datatype="uint8")), "uint8"),
        (parameters(one(), sharding_method="custom"), "sharded"),
    ],
)
def test_what_the_console_cannot_migrate_is_named(given: models.CollectionParams, problem: str) -> None:
    found = words.shape(given).problem
    assert problem in found
    assert bool(problem) == bool(found)


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "int8", "quantile": 0.99, "always_ram": True},
        {"type": "int8"},
        {"type": "product", "compression": "x16", "always_ram": False},
        {"type": "binary", "always_ram": True},
        {},
    ],
)
def test_quantization_settings_come_back_as_they_were_given(settings: dict[str, Any]) -> None:
    model = words.quantization_config(settings)
    assert words.quantization_in_force(config(one(), quantization_config=model), "") == settings
    assert words.quantization_in_force(config({"image": one(quantization_config=model)}), "image") == settings


def test_a_vectors_own_index_settings_overrule_the_collections() -> None:
    own = config(one(hnsw_config=models.HnswConfigDiff(m=64, on_disk=True)))
    wanted = {"m": 64, "ef_construct": 100, "full_scan_threshold": 10000, "on_disk": True}
    assert wanted.items() <= words.index_in_force(own, "").items()


def test_a_wrong_setting_is_named_with_those_that_are_known() -> None:
    with pytest.raises(StoreRefused, match=r"trees.*Known: .*ef_construct"):
        words.index_config({"trees": 3})
    with pytest.raises(StoreRefused, match=r"Use one of: int8, product, binary"):
        words.quantization_config({"type": "int4"})


@pytest.mark.parametrize("metadata", [None, {}, {"_console": "x"}, {"_console": {"model": "demo-clip"}}])
def test_without_a_fingerprint_there_is_no_stamp(metadata: Any) -> None:
    assert words.stamp_in(metadata) is None
    assert words.stamp_in(words.stamped(metadata, ModelStamp("m", "f"))) == ModelStamp("m", "f")
