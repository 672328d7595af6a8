"""What a server says over gRPC arrives as the same errors as over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from console_core.errors import (
    CollectionExists,
    CollectionNotFound,
    DimensionMismatch,
    StoreDenied,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore.qdrant_server import QdrantServer

Answer = tuple[grpc.StatusCode, str]


class RefusingServer(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A gRPC server on loopback that answers every call with the same status, and counts the calls."""

    def __init__(self) -> None:
        self.answer: Answer = (grpc.StatusCode.UNAVAILABLE, "")
        self.calls: list[str] = []
        self.keys: list[str] = []

    def service(self, details: Any) -> Any:
        def refuse(_request: bytes, context: Any) -> bytes:
            self.calls.append(details.method)
            self.keys += [entry.value for entry in context.invocation_metadata() if entry.key == "api-key"]
            context.abort(*self.answer)
            return b""

        return grpc.unary_unary_rpc_method_handler(refuse)


@pytest.fixture
def refusing() -> Iterator[tuple[RefusingServer, QdrantServer]]:
    handler = RefusingServer()
    server = grpc.server(ThreadPoolExecutor(2), handlers=(handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    store = QdrantServer(f"grpc://127.0.0.1:{port}", api_key="s3cret", timeout=5, retries=2, first_pause=0.01)
    yield handler, store
    store.close()
    server.stop(None).wait()


@pytest.mark.parametrize(
    ("code", "details", "expected", "tries"),
    [
        (grpc.StatusCode.UNAVAILABLE, "going down", StoreUnavailable, 3),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", StoreUnavailable, 3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "rate limit", StoreUnavailable, 3),
        (grpc.StatusCode.INTERNAL, "panic", StoreUnavailable, 3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (2 vs. 1)", StoreRefused, 1),
        (grpc.StatusCode.UNAUTHENTICATED, "Must provide an API key", StoreDenied, 1),
        (grpc.StatusCode.PERMISSION_DENIED, "read only", StoreDenied, 1),
        (grpc.StatusCode.UNIMPLEMENTED, "unknown service", StoreDenied, 1),
        (grpc.StatusCode.NOT_FOUND, "Not found: Collection `images` doesn't exist!", CollectionNotFound, 1),
        (grpc.StatusCode.ALREADY_EXISTS, "Collection `images` already exists!", CollectionExists, 1),
        (grpc.StatusCode.INVALID_ARGUMENT, "Vector dimension error: expected dim: 4, got 2", DimensionMismatch, 1),
    ],
)
def test_a_grpc_status_becomes_an_error_with_a_remedy_and_is_repeated_only_where_that_helps(
    refusing: tuple[RefusingServer, QdrantServer],
    code: grpc.StatusCode,
    details: str,
    expected: type[StoreError],
    tries: int,
) -> None:
    server, store = refusing
    server.answer = (code, details)
    with pytest.raises(expected) as failure:
        store.count("images")
    assert type(failure.value) is expected
    assert failure.value.remedy
    assert isinstance(failure.value.__cause__, grpc.RpcError)
    assert server.calls == ["/qdrant.Points/Count"] * tries
    assert set(server.keys) == {"s3cret"}
