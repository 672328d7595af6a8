"""Indexing that is left to later on a Qdrant server: the threshold that is put back is the collection's own."""

from collections.abc import Callable, Iterator

import pytest

from console_core.errors import StoreUnavailable
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.unit.vectorstore.loopback_qdrant import Fault, LoopbackQdrant

OWN = 12_345
STAMP = ModelStamp("demo-clip", "f00dfeed")


@pytest.fixture
def server() -> Iterator[LoopbackQdrant]:
    with LoopbackQdrant().running() as running:
        yield running


@pytest.fixture
def opened(server: LoopbackQdrant) -> Iterator[Callable[[], QdrantServer]]:
    """Open a store on the server; a collection `images` with a threshold of its own is there."""
    stores: list[QdrantServer] = []

    def open_one() -> QdrantServer:
        stores.append(QdrantServer(server.url, retries=0))
        return stores[-1]

    open_one().create("images", CollectionSpec(8, stamp=STAMP))
    server.thresholds["images"] = OWN
    yield open_one
    for store in stores:
        store.close()


def test_the_threshold_of_the_collection_is_put_back_by_another_process(
    server: LoopbackQdrant, opened: Callable[[], QdrantServer]
) -> None:
    opened().defer_index("images")
    assert server.thresholds["images"] == 0
    later = opened()
    assert later.describe("images").index_deferred
    later.defer_index("images")
    later.restore_index("images")
    assert server.thresholds["images"] == OWN
    assert (later.describe("images").index_deferred, later.describe("images").stamp) == (False, STAMP)


def test_a_threshold_that_somebody_chose_meanwhile_stays(
    server: LoopbackQdrant, opened: Callable[[], QdrantServer]
) -> None:
    store = opened()
    store.defer_index("images")
    server.thresholds["images"] = 777
    store.restore_index("images")
    assert server.thresholds["images"] == 777
    assert not store.describe("images").index_deferred


def test_indexing_that_its_owner_has_switched_off_stays_off(
    server: LoopbackQdrant, opened: Callable[[], QdrantServer]
) -> None:
    server.thresholds["images"] = 0
    store = opened()
    store.defer_index("images")
    assert not store.describe("images").index_deferred
    store.restore_index("images")
    assert server.thresholds["images"] == 0


def test_a_server_that_keeps_no_metadata_goes_on_indexing() -> None:
    with LoopbackQdrant("1.15.0", keeps_metadata=False).running() as server:
        store = QdrantServer(server.url)
        store.create("images", CollectionSpec(8))
        server.thresholds["images"] = OWN
        store.defer_index("images")
        assert server.thresholds["images"] == OWN
        assert not store.describe("images").index_deferred
        store.close()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("before", [0, 1])
def test_a_deferral_or_a_restoring_that_broke_off_is_made_good_by_doing_it_again(
    server: LoopbackQdrant, opened: Callable[[], QdrantServer], before: int, done: bool
) -> None:
    store = opened()
    answered = Fault(200, {"result": True, "status": "ok", "time": 0}, only="PATCH", done=True)
    for call, wanted in ((store.defer_index, 0), (store.restore_index, OWN)):
        server.faults.extend([answered] * before + [Fault(500, only="PATCH", done=done)])
        with pytest.raises(StoreUnavailable, match="status 500"):
            call("images")
        call("images")
        assert not server.faults
        assert server.thresholds["images"] == wanted
        assert store.describe("images").index_deferred == (wanted == 0)
