"""The embedded store under several threads, a killed process, a second opener and a full disk."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from console_core.errors import StoreFull, StoreUnavailable
from console_core.vectorstore import qdrant_embedded
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import CollectionSpec, Point

DIMENSION = 16
WRITER = """
import sys
from pathlib import Path
import numpy as np
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import Point

store = QdrantEmbedded(Path(sys.argv[1]))
print("open", flush=True)
for first in range(0, 10**6, 16):
    rows = np.random.default_rng(first).normal(size=(16, 16))
    store.upsert("images", [Point(first % 19000 + i, rows[i], {"round": first}) for i in range(16)])
    print(first, flush=True)
"""


def batch(first: int, count: int = 16) -> list[Point]:
    rows = np.random.default_rng(first).normal(size=(count, DIMENSION)).astype(np.float32)
    return [Point(first + i, rows[i], {"n": first + i}) for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "qdrant"
    store = QdrantEmbedded(folder)
    store.create("images", CollectionSpec(DIMENSION))
    store.close()
    return folder


def test_four_writers_and_four_readers_get_no_error_and_lose_no_acknowledged_point(folder: Path) -> None:
    store = QdrantEmbedded(folder)
    end = time.monotonic() + 2.5
    acknowledged: list[int] = []
    errors: list[Exception] = []

    def repeatedly(act: Callable[[int], None]) -> Callable[[], None]:
        def loop() -> None:
            turn = 0
            while time.monotonic() < end:
                try:
                    act(turn)
                except Exception as error:
                    errors.append(error)
                    return
                turn += 1
                time.sleep(0.002)

        return loop

    def writer(number: int) -> Callable[[int], None]:
        def write(turn: int) -> None:
            first = number * 4000 + (turn * 16) % 4000
            store.upsert("images", batch(first))
            acknowledged.extend(range(first, first + 16))

        return write

    def reader(turn: int) -> None:
        query = np.ones(DIMENSION, dtype=np.float32)
        store.search("images", query, limit=5)
        store.page("images", limit=20, vectors=True)
        store.retrieve("images", [1, 4001, 8001], vectors=True)
        store.collections()

    threads = [threading.Thread(target=repeatedly(act)) for act in (*map(writer, range(4)), *[reader] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(acknowledged)) > 200
    store.close()
    store = QdrantEmbedded(folder)
    found = {point.id: point for point in store.scroll("images", vectors=True)}
    assert set(found) == set(acknowledged)
    assert store.count("images") == len(found)
    for point in found.values():
        assert point.payload == {"n": point.id}
        assert point.vector is not None
        assert abs(np.linalg.norm(point.vector) - 1) < 1e-6
    store.close()


def test_closing_waits_for_the_call_that_is_under_way(folder: Path) -> None:
    store = QdrantEmbedded(folder)
    begun, go_on, counted = threading.Event(), threading.Event(), []

    def slowly() -> int:
        begun.set()
        go_on.wait(10)
        return store._client.count("images").count

    calling = threading.Thread(target=lambda: counted.append(store._ask(slowly)))
    closing = threading.Thread(target=store.close)
    calling.start()
    assert begun.wait(10)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    go_on.set()
    calling.join()
    closing.join()
    assert counted == [0]


@pytest.mark.parametrize("moment", [0.1, 0.5])
def test_killing_a_writer_loses_no_acknowledged_point(folder: Path, moment: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    acknowledged = [int(line) for line in lines if line.endswith("\n")]
    assert acknowledged
    store = QdrantEmbedded(folder)
    for first in acknowledged[-1000:]:
        found = store.retrieve("images", range(first % 19000, first % 19000 + 16), vectors=True)
        assert len(found) == 16
        assert all(point.payload["round"] >= first for point in found)
    assert store.upsert("images", batch(0)) == 16
    store.close()


def test_a_second_process_is_refused_and_the_first_goes_on(folder: Path) -> None:
    store = QdrantEmbedded(folder)
    second = subprocess.run(
        [sys.executable, "-W", "error", "-c", WRITER, str(folder)], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "StoreUnavailable" in second.stderr
    assert "is open already" in second.stderr
    assert "ResourceWarning" not in second.stderr
    assert store.upsert("images", batch(0)) == 16
    store.close()


def test_opening_twice_in_one_process_is_refused_until_the_first_is_closed(folder: Path) -> None:
    first = QdrantEmbedded(folder)
    with pytest.raises(StoreUnavailable, match=r"is open already.*do the same in the console"):
        QdrantEmbedded(folder)
    assert first.count("images") == 0
    first.close()
    first.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        first.count("images")
    QdrantEmbedded(folder).close()


def test_a_full_disk_is_told_apart_and_what_was_acknowledged_stays(folder: Path) -> None:
    store = QdrantEmbedded(folder)
    store.upsert("images", batch(0, 64))
    engine = store._client._client
    connection = engine.collections["images"].storage.storage  # type: ignore[attr-defined]
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    acknowledged = 64

    def fill() -> None:
        nonlocal acknowledged
        while acknowledged < 4096:
            acknowledged += store.upsert("images", batch(acknowledged))

    with pytest.raises(StoreFull, match=r"has no space left.*Free disk space"):
        fill()
    assert {point.id for point in store.retrieve("images", range(acknowledged))} == set(range(acknowledged))
    connection.execute("PRAGMA max_page_count=1000000")
    store.upsert("images", batch(acknowledged))
    store.close()
    store = QdrantEmbedded(folder)
    assert len(store.retrieve("images", range(acknowledged + 16))) == acknowledged + 16
    store.close()


def test_beyond_its_capacity_the_store_refuses_new_points_but_not_new_versions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant_embedded, "CAPACITY", 40)
    store = QdrantEmbedded(folder)
    assert store.upsert("images", batch(0, 40)) == 40
    with pytest.raises(StoreFull, match=r"40 points and would get 1 more.*Connect a Qdrant server"):
        store.upsert("images", batch(40, 1))
    with pytest.raises(StoreFull, match="would get 8 more"):
        store.upsert("images", batch(32, 16))
    assert store.upsert("images", batch(0, 40)) == 40
    assert store.count("images") == 40
    store.close()
