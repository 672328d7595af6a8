"""A sample from everywhere in a collection, over a server as an application would fill it."""

import random
import uuid
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.spread import PAGE, PAGES, spread
from console_core.vectorstore.types import CollectionSpec, Point, PointId
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

DICE = random.Random(20261)
VECTOR = np.ones(2, dtype=np.float32)


def _uuid7(millisecond: int) -> str:
    return str(uuid.UUID(int=(0x0190A0000000 + millisecond) << 80 | 7 << 76 | DICE.getrandbits(62)))


IDS: dict[str, Sequence[PointId]] = {
    "counted up": range(1, 6001),
    "scattered": sorted(DICE.sample(range(2**50), 5000)),
    "in two heaps": [*range(3000), *range(10**12, 10**12 + 3000)],
    "random UUIDs": sorted(str(uuid.UUID(int=DICE.getrandbits(128))) for _ in range(5000)),
    "UUIDs of one hour": [_uuid7(720 * number) for number in range(5000)],
    "integers and UUIDs": [*range(3000), *sorted(str(uuid.UUID(int=DICE.getrandbits(128))) for _ in range(3000))],
}


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackQdrant]:
    with LoopbackQdrant().running() as server:
        yield server


def _sample(server: LoopbackQdrant, ids: Sequence[PointId]) -> tuple[list[list[Point]], int]:
    store = QdrantServer(server.url)
    name = uuid.uuid4().hex
    try:
        store.create(name, CollectionSpec(2))
        store.upsert(name, [Point(identifier, VECTOR, {}) for identifier in ids])
        server.requests.clear()
        return list(spread(store, name)), len(server.requests)
    finally:
        store.close()


@pytest.mark.parametrize("kind", IDS)
def test_the_sample_reaches_from_the_first_to_the_last_point_and_into_every_fifth(
    server: LoopbackQdrant, kind: str
) -> None:
    ids = list(IDS[kind])
    pages, requests = _sample(server, ids)
    place = {identifier: number for number, identifier in enumerate(ids)}
    seen = [place[point.id] for page in pages for point in page]
    assert len(seen) == len(set(seen)) <= PAGES * PAGE
    assert {0, len(ids) - 1} <= set(seen)
    assert {5 * number // len(ids) for number in seen} == {0, 1, 2, 3, 4}
    assert all(point.vector is not None for page in pages for point in page)
    assert requests < 120
    print(f"{kind}: {len(seen)} of {len(ids):,} points in {len(pages)} pages, {requests} requests")  # noqa: T201


@pytest.mark.parametrize("number", [0, 1, PAGE, PAGE + 1, PAGES * PAGE])
def test_a_small_collection_is_read_whole(server: LoopbackQdrant, number: int) -> None:
    pages, _ = _sample(server, range(number))
    assert [point.id for page in pages for point in page] == list(range(number))
