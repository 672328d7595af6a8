"""A server that fails, is slow, full, or no Qdrant at all: what the console says, and how often it asks again."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from console_core.errors import (
    AliasConflict,
    CollectionNotFound,
    DimensionMismatch,
    StoreDenied,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.unit.vectorstore.loopback_qdrant import Fault, LoopbackQdrant

RETRIES = 3
NOT_CONFIRMED = {"result": {"operation_id": 1, "status": "wait_timeout"}, "status": "ok", "time": 0}


@pytest.fixture
def server() -> Iterator[LoopbackQdrant]:
    with LoopbackQdrant().running() as server:
        yield server


@pytest.fixture
def store(server: LoopbackQdrant) -> Iterator[QdrantServer]:
    store = connect(server.url)
    store.create("images", CollectionSpec(2))
    server.requests.clear()
    yield store
    store.close()


def connect(url: str, **options: Any) -> QdrantServer:
    return QdrantServer(url, **{"retries": RETRIES, "first_pause": 0.01, "timeout": 5, **options})


def a_point(identifier: int = 1) -> Point:
    return Point(identifier, np.array([3, 4], dtype=np.float32), {"caption": "a"})


def said(text: str) -> dict[str, Any]:
    return {"status": {"error": text}, "time": 0}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_reads_are_asked_again_until_the_server_recovers(
    server: LoopbackQdrant, store: QdrantServer, status: int
) -> None:
    server.faults.extend([Fault(status)] * RETRIES)
    assert store.count("images") == 0
    assert len(server.requests) == RETRIES + 1


def test_a_server_that_goes_on_failing_is_given_up_after_the_agreed_tries(
    server: LoopbackQdrant, store: QdrantServer
) -> None:
    server.faults.extend([Fault(500, said("segment is broken"))] * 20)
    with pytest.raises(StoreUnavailable, match=r"status 500: segment is broken.*server's log") as failure:
        store.count("images")
    assert server.url in failure.value.message
    assert failure.value.__cause__ is not None
    assert len(server.requests) == RETRIES + 1


@pytest.mark.parametrize("fault", [Fault(503, only="PUT"), Fault(200, NOT_CONFIRMED, only="PUT")])
def test_a_batch_that_failed_or_was_not_confirmed_is_written_again(
    server: LoopbackQdrant, store: QdrantServer, fault: Fault
) -> None:
    server.faults.append(fault)
    assert store.upsert("images", [a_point()]) == 1
    assert store.count("images") == 1
    assert len([request for request in server.requests if request.method == "PUT"]) == 2


def test_a_write_that_is_never_confirmed_is_no_acknowledgement(server: LoopbackQdrant, store: QdrantServer) -> None:
    server.faults.extend([Fault(200, NOT_CONFIRMED, only="PUT")] * 20)
    with pytest.raises(StoreUnavailable, match=r"did not confirm in time.*done again on resume"):
        store.upsert("images", [a_point()])
    assert len([request for request in server.requests if request.method == "PUT"]) == RETRIES + 1


def test_the_server_is_given_the_time_it_asks_for(server: LoopbackQdrant, store: QdrantServer) -> None:
    server.faults.append(Fault(429, said("slow down"), {"Retry-After": "1"}))
    began = time.monotonic()
    assert store.count("images") == 0
    assert time.monotonic() - began >= 1.0
    assert len(server.requests) == 2


@pytest.mark.alone
@pytest.mark.parametrize("asked_for", ["3600", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_busy_server_is_not_waited_for_without_end(
    server: LoopbackQdrant, store: QdrantServer, asked_for: str
) -> None:
    server.faults.extend([Fault(429, said("slow down"), {"Retry-After": asked_for})] * 20)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="is busy"):
        store.count("images")
    assert time.monotonic() - began < 3.0
    assert len(server.requests) <= RETRIES + 1


@pytest.mark.alone
def test_a_server_that_hangs_is_given_up_after_about_twice_the_timeout(server: LoopbackQdrant) -> None:
    store = connect(server.url, timeout=1)
    server.faults.extend([Fault(after=2.5)] * 20)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"did not answer in time.*raise timeout"):
        store.count("images")
    assert time.monotonic() - began < 3
    assert len(server.requests) <= 2
    store.close()


@pytest.mark.parametrize(
    ("status", "text", "expected", "words"),
    [
        (401, "Must provide an API key", StoreDenied, "CONSOLE_STORE_API_KEY"),
        (403, "Global manage access is required", StoreDenied, "may write"),
        (413, "Payload too large", StoreRefused, "smaller batch"),
        (404, "Not found: Collection `images` doesn't exist!", CollectionNotFound, '"images"'),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 2", DimensionMismatch, "expected dim: 4"),
        (400, 'Bad request: Index required but not found for "user"', StoreRefused, "payload index"),
        (400, "Wrong input: something else", StoreRefused, "something else"),
        (500, "Service internal error: No space left on device: WAL buffer", StoreFull, "Free disk space"),
        (507, "Insufficient storage", StoreFull, "Free disk space"),
    ],
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(
    server: LoopbackQdrant, store: QdrantServer, status: int, text: str, expected: type[StoreError], words: str
) -> None:
    server.faults.extend([Fault(status, said(text))] * 2)
    with pytest.raises(expected) as failure:
        store.count("images")
    assert type(failure.value) is expected
    assert words in str(failure.value)
    assert failure.value.remedy
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 404])
def test_something_else_than_qdrant_at_the_url_is_recognised(
    server: LoopbackQdrant, store: QdrantServer, status: int
) -> None:
    server.faults.append(Fault(status, b"<html>It works!</html>"))
    with pytest.raises(StoreRefused, match=r"not like Qdrant.*Check the store's URL"):
        store.count("images")


def test_a_server_that_is_down_is_named_by_the_first_call_and_not_before() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    store = connect(url)
    with pytest.raises(StoreUnavailable, match=rf"{url} cannot be reached.*Check that Qdrant runs there"):
        store.collections()
    store.close()


def test_what_a_server_is_can_be_told_while_it_is_down(server: LoopbackQdrant) -> None:
    store = connect(server.url)
    assert (store.info().version, store.info().answered, server.requests) == ("", None, [])
    store.collections()
    assert (store.info().version, store.info().answered) == ("1.20.0", True)
    asked = len(server.requests)
    server.faults.extend([Fault(503)] * 4)
    with pytest.raises(StoreUnavailable):
        store.aliases()
    info = store.info()
    assert (info.kind, info.location, info.version, info.answered) == ("Qdrant server", server.url, "1.20.0", False)
    assert len(server.requests) == asked + 4
    store.aliases()
    assert store.info().answered
    store.close()


@pytest.mark.alone
def test_a_refused_connection_is_given_up_within_three_seconds() -> None:
    store = QdrantServer("http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.collections()
    assert time.monotonic() - began < 3
    store.close()


def test_a_server_that_hides_its_version_still_lists_its_collections(
    server: LoopbackQdrant, store: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server.answer

    def hidden(method: str, path: str, body: object) -> object:
        if path == "/":
            raise ValueError("Not found")
        return answer(method, path, body)

    monkeypatch.setattr(server, "answer", hidden)
    assert [info.name for info in store.collections()] == ["images"]
    assert (store.info().version, store.info().limits) == ("", ())


def test_creating_a_collection_is_tried_once_only(server: LoopbackQdrant, store: QdrantServer) -> None:
    server.faults.extend([Fault(500, only="PUT")] * 5)
    with pytest.raises(StoreUnavailable):
        store.create("other", CollectionSpec(2))
    assert len([request for request in server.requests if request.method == "PUT"]) == 1


def test_a_cut_over_is_one_create_alias_operation_and_nothing_else(server: LoopbackQdrant, store: QdrantServer) -> None:
    store.create("other", CollectionSpec(2))
    store.set_alias("live", "images", expected=None)
    server.requests.clear()
    store.set_alias("live", "other", expected="images")
    changes = [request for request in server.requests if request.method != "GET"]
    assert [request.body for request in changes] == [
        {"actions": [{"create_alias": {"collection_name": "other", "alias_name": "live"}}]}
    ]
    assert server.requests[-1].path == "/aliases"


def test_a_cut_over_that_took_effect_though_the_answer_was_lost_is_a_cut_over(
    server: LoopbackQdrant, store: QdrantServer
) -> None:
    server.faults.append(Fault(504, done=True, only="POST"))
    store.set_alias("live", "images", expected=None)
    assert store.aliases() == {"live": "images"}


def test_a_cut_over_that_was_overtaken_by_another_is_reported(server: LoopbackQdrant, store: QdrantServer) -> None:
    store.create("other", CollectionSpec(2))
    overtaken = Fault(200, {"result": {"aliases": [{"alias_name": "live", "collection_name": "other"}]}})
    server.faults.extend([Fault(200, {"result": True}, only="POST"), overtaken])
    with pytest.raises(AliasConflict, match='now points to "other"'):
        store.set_alias("live", "images", expected=None)


def test_the_api_key_is_sent_and_never_shown(server: LoopbackQdrant) -> None:
    store = connect(server.url, api_key="s3cret")
    store.collections()
    assert "s3cret" not in str(store.info())
    assert {name.lower(): value for name, value in server.requests[0].headers.items()}["api-key"] == "s3cret"
    server.faults.append(Fault(401, said("Invalid API key")))
    with pytest.raises(StoreRefused) as failure:
        store.aliases()
    assert "s3cret" not in str(failure.value)
    store.close()


def test_a_key_in_clear_text_to_another_machine_is_a_limit_worth_saying(server: LoopbackQdrant) -> None:
    assert not connect(server.url, api_key="s3cret").info().limits
    store = connect("http://qdrant.example:6333", api_key="s3cret")
    store._client.close()
    store._client = connect(server.url)._client
    assert any("clear text" in limit for limit in store.info().limits)


def test_a_server_without_metadata_refuses_a_stamp_and_tells_the_model_from_its_points() -> None:
    with LoopbackQdrant(version="1.14.2", keeps_metadata=False).running() as server:
        store = connect(server.url)
        store.create("images", CollectionSpec(2, stamp=ModelStamp("demo-clip", "f00d")))
        assert store.describe("images").stamp is None
        with pytest.raises(StoreRefused, match=r"does not keep metadata.*1\.16"):
            store.stamp("images", ModelStamp("demo-clip", "f00d"))
        origin = Provenance("1", "r", "c", "f00d", "run", "now").as_payload()
        store.upsert("images", [Point(1, a_point().vector, origin)])
        assert store.describe("images").stamp == ModelStamp("", "f00d")
        store.upsert("images", [a_point(2)])
        assert store.describe("images").stamp is None
        assert any("no metadata" in limit for limit in store.info().limits)
        store.close()
