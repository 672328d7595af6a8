"""What the embedded store does beside the contract: it is honest, tuned, and mends what others wrote."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.local.qdrant_local import QdrantLocal

from console_core.errors import StoreRefused, StoreUnavailable
from console_core.vectorstore.qdrant_embedded import CAPACITY, QdrantEmbedded
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point

STAMP = ModelStamp("demo-clip", "f00d")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[QdrantEmbedded]:
    store = QdrantEmbedded(tmp_path / "qdrant")
    yield store
    store.close()


def engine_of(store: QdrantEmbedded) -> Any:
    return store._client._client


def test_it_says_what_it_cannot_do(store: QdrantEmbedded) -> None:
    info = store.info()
    assert (info.embedded, info.capacity) == (True, CAPACITY)
    told = " ".join(info.limits)
    for word in ("20,000 points", "one process", "no index", "not quantize", "no snapshots", "power cut"):
        assert word in told
    assert "slower" not in told


def test_it_writes_through_a_log_from_the_first_point_and_again_after_reopening(
    store: QdrantEmbedded, tmp_path: Path
) -> None:
    store.create("images", CollectionSpec(3))
    for _ in ("created", "reopened"):
        connection = engine_of(store).collections["images"].storage.storage
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        store.close()
        store = QdrantEmbedded(tmp_path / "qdrant")
    store.close()


def test_where_the_engine_cannot_be_tuned_it_works_and_says_that_it_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Renamed(QdrantLocal):
        @property
        def collections(self) -> Any:
            return self.__dict__["kept"]

        @collections.setter
        def collections(self, value: Any) -> None:
            self.__dict__["kept"] = Hidden(value)

    class Hidden(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return _WithoutStorage(super().__getitem__(key))

    monkeypatch.setattr("qdrant_client.qdrant_client.QdrantLocal", Renamed)
    store = QdrantEmbedded(tmp_path / "qdrant")
    store.create("images", CollectionSpec(2))
    assert store.upsert("images", [Point(1, np.array([3, 4], dtype=np.float32), {})]) == 1
    assert any("slower by far" in limit for limit in store.info().limits)
    store.close()


class _WithoutStorage:
    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        if name == "storage":
            raise AttributeError(name)
        return getattr(self._collection, name)


def test_settings_that_it_does_not_apply_are_noted_and_a_stamp_does_not_erase_the_note(store: QdrantEmbedded) -> None:
    index, quantization = {"m": 32}, {"type": "int8", "always_ram": True}
    store.create("images", CollectionSpec(3, index=index, quantization=quantization))
    store.stamp("images", STAMP)
    info = store.describe("images")
    assert (info.index, info.quantization, info.stamp) == ({}, {}, STAMP)
    noted = engine_of(store).get_collection("images").config.metadata["_console"]
    assert (noted["wished_index"], noted["wished_quantization"]) == (index, quantization)


def test_a_stamp_keeps_the_metadata_of_others(store: QdrantEmbedded) -> None:
    vectors = models.VectorParams(size=2, distance=models.Distance.COSINE)
    engine_of(store).create_collection("theirs", vectors_config=vectors, metadata={"owner": "search team"})
    store.stamp("theirs", STAMP)
    metadata = engine_of(store).get_collection("theirs").config.metadata
    assert metadata == {"owner": "search team", "_console": {"model": "demo-clip", "fingerprint": "f00d"}}


def test_points_that_others_wrote_unnormalised_or_infinite_neither_read_longer_nor_rank_first(tmp_path: Path) -> None:
    folder = tmp_path / "qdrant"
    theirs = QdrantClient(path=str(folder))
    theirs.create_collection("images", vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE))
    rows = {1: [30.0, 40.0], 2: [0.0, 5.0]}
    theirs.upsert("images", points=[models.PointStruct(id=key, vector=row) for key, row in rows.items()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs.upsert("images", points=[models.PointStruct(id=3, vector=[float("inf"), 1.0])])
    theirs.close()
    store = QdrantEmbedded(folder)
    found = [point.vector for point in store.retrieve("images", [1, 2], vectors=True)]
    np.testing.assert_allclose(np.array(found), [[0.6, 0.8], [0.0, 1.0]], atol=1e-6)
    hits = store.search("images", np.array([0, 2], dtype=np.float32))
    assert [hit.id for hit in hits] == [2, 1, 3]
    assert np.isfinite([hit.score for hit in hits]).all()
    store.close()


def test_a_collection_that_others_filled_beyond_the_capacity_opens_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QdrantLocal, "LARGE_DATA_THRESHOLD", 10)
    monkeypatch.setattr("qdrant_client.local.local_collection.LocalCollection.LARGE_DATA_THRESHOLD", 10)
    store = QdrantEmbedded(tmp_path / "qdrant")
    store.create("images", CollectionSpec(2))
    points = [Point(key, np.array([1, key], dtype=np.float32), {}) for key in range(30)]
    store.upsert("images", points)
    store.close()
    store = QdrantEmbedded(tmp_path / "qdrant")
    assert store.upsert("images", points) == 30
    store.close()


def test_a_collection_with_one_named_vector_is_written_read_and_searched(store: QdrantEmbedded) -> None:
    one = {"image": models.VectorParams(size=2, distance=models.Distance.COSINE)}
    engine_of(store).create_collection("named", vectors_config=one)
    store.upsert("named", [Point(1, np.array([3, 4], dtype=np.float32), {}), Point(2, np.array([1, 0]), {})])
    info = store.describe("named")
    assert (info.vector_name, info.dimension, info.points, info.problem) == ("image", 2, 2, "")
    [point] = store.retrieve("named", [1], vectors=True)
    assert point.vector is not None
    np.testing.assert_allclose(point.vector, [0.6, 0.8], atol=1e-6)
    assert [hit.id for hit in store.search("named", np.array([1, 0], dtype=np.float32))] == [2, 1]


def test_a_collection_with_several_vectors_is_shown_with_its_problem_and_not_written_to(store: QdrantEmbedded) -> None:
    params = models.VectorParams(size=2, distance=models.Distance.COSINE)
    engine_of(store).create_collection("several", vectors_config={"image": params, "text": params})
    assert '2 named vectors ("image", "text")' in store.describe("several").problem
    with pytest.raises(StoreRefused, match="2 named vectors"):
        store.upsert("several", [Point(1, np.array([3, 4], dtype=np.float32), {})])


def test_a_file_in_the_way_a_damaged_list_and_a_damaged_collection_are_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    with pytest.raises(StoreUnavailable, match=str(in_the_way)):
        QdrantEmbedded(in_the_way)
    damaged = tmp_path / "damaged"
    QdrantEmbedded(damaged).close()
    (damaged / "meta.json").write_text('{"collections":')
    with pytest.raises(StoreUnavailable, match=r"cannot be opened.*Restore the folder"):
        QdrantEmbedded(damaged)
    torn = tmp_path / "torn"
    store = QdrantEmbedded(torn)
    store.create("images", CollectionSpec(2))
    store.close()
    (torn / "collection" / "images" / "storage.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        QdrantEmbedded(torn)


def test_files_that_may_not_be_written_are_named(store: QdrantEmbedded, tmp_path: Path) -> None:
    store.create("images", CollectionSpec(2))
    engine_of(store).collections["images"].storage.storage.execute("PRAGMA query_only=1")
    with pytest.raises(StoreUnavailable, match=rf"{tmp_path}.* may not be written.*write permission"):
        store.upsert("images", [Point(1, np.array([3, 4], dtype=np.float32), {})])
    assert store.count("images") == 0


def test_its_size_is_that_of_its_files(store: QdrantEmbedded, tmp_path: Path) -> None:
    empty = store.size_on_disk()
    store.create("images", CollectionSpec(64))
    rows = np.random.default_rng(1).normal(size=(256, 64)).astype(np.float32)
    store.upsert("images", [Point(key, rows[key], {}) for key in range(256)])
    size = store.size_on_disk()
    assert empty is not None
    assert size is not None
    assert size - empty > 256 * 64 * 4
    assert json.loads((tmp_path / "qdrant" / "meta.json").read_text())["collections"].keys() == {"images"}
