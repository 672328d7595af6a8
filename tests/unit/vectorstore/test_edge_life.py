"""The edge store's engine is killed, its console is killed, many threads ask at once: nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from console_core.errors import StoreError, StoreFull, StoreUnavailable
from console_core.vectorstore import edge
from console_core.vectorstore.edge import EdgeStore
from console_core.vectorstore.edge_registry import FILE
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point

DIMENSION = 16
WRITER = """
import sys
from pathlib import Path
import numpy as np
from console_core.vectorstore.edge import EdgeStore
from console_core.vectorstore.types import Point

store = EdgeStore(Path(sys.argv[1]))
print(store.engine_pid, flush=True)
for first in range(0, 10**6, 64):
    rows = np.random.default_rng(first).normal(size=(64, 16))
    store.upsert("images", [Point(first + i, rows[i], {"n": first + i}) for i in range(64)])
    print(first, flush=True)
"""


def batch(first: int, count: int = 64) -> list[Point]:
    rows = np.random.default_rng(first).normal(size=(count, DIMENSION)).astype(np.float32)
    return [Point(first + i, rows[i], {"n": first + i}) for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "edge"
    store = EdgeStore(folder)
    store.create("images", CollectionSpec(DIMENSION))
    store.close()
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[EdgeStore]:
    store = EdgeStore(folder)
    yield store
    store.close()


def kill_engine(store: EdgeStore) -> None:
    engine = psutil.Process(store.engine_pid)
    engine.send_signal(signal.SIGKILL)
    while engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def ended(process: int) -> bool:
    until = time.monotonic() + 30
    while psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def written_by_a_console(folder: Path) -> tuple["subprocess.Popen[str]", int]:
    """A console that writes until it is stopped, and its engine."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_an_engine_that_is_killed_is_told_with_a_remedy_and_started_again_by_the_next_call(store: EdgeStore) -> None:
    store.upsert("images", batch(0))
    before = store.engine_pid
    kill_engine(store)
    with pytest.raises(StoreUnavailable, match=r"its engine ended \(killed.*Try again: it is started anew"):
        store.count("images")
    assert not store.info().answered
    assert store.count("images") == 64
    assert store.info().answered
    assert store.engine_pid != before


def test_an_engine_that_is_killed_while_it_writes_again_and_again_loses_no_acknowledged_point(store: EdgeStore) -> None:
    acknowledged = deaths = 0
    over = threading.Event()

    def kill_now_and_then() -> None:
        while not over.wait(0.4):
            try:
                os.kill(store.engine_pid, signal.SIGKILL)
            except (ProcessLookupError, OSError):
                continue

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    while deaths < 4:
        try:
            acknowledged += store.upsert("images", batch(acknowledged))
        except StoreError:
            deaths += 1
    over.set()
    killer.join()
    store.close()
    again = EdgeStore(store._folder)
    found = {point.id: point for point in again.scroll("images", vectors=True)}
    assert acknowledged > 0
    assert not set(range(acknowledged)) - set(found)
    assert all(point.payload == {"n": key} for key, point in found.items())
    again.close()


def test_a_killed_console_leaves_no_engine_and_the_folder_opens_with_all_that_was_acknowledged(folder: Path) -> None:
    process, engine = written_by_a_console(folder)
    time.sleep(0.7)
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    lines = process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    acknowledged = [int(line) for line in lines if line.endswith("\n")]
    assert acknowledged
    store = EdgeStore(folder)
    assert ended(engine)
    wanted = [first + i for first in acknowledged for i in range(64)]
    assert len(store.retrieve("images", wanted)) == len(wanted)
    assert store.upsert("images", batch(0)) == 64
    store.close()


def test_a_stopped_engine_outlives_neither_its_console_nor_its_closing(folder: Path) -> None:
    store = EdgeStore(folder)
    engine = store.engine_pid
    os.kill(engine, signal.SIGINT)  # Ctrl+C reaches every process of a terminal; the console ends its engine itself
    os.kill(engine, signal.SIGTERM)
    assert store.count("images") == 0
    assert store.engine_pid == engine
    store.close()
    assert ended(engine)
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.count("images")


def test_a_second_console_is_refused_with_the_process_that_has_the_folder(store: EdgeStore, folder: Path) -> None:
    with pytest.raises(StoreUnavailable, match=rf"is open already: process {os.getpid()} has it.*Stop that one"):
        EdgeStore(folder)
    assert store.upsert("images", batch(0)) == 64


def test_seven_threads_at_once_get_their_own_answers_and_lose_nothing(store: EdgeStore) -> None:
    end = time.monotonic() + 3
    acknowledged: list[int] = []
    problems: list[object] = []

    def write(number: int) -> None:
        first = number * 100_000
        while time.monotonic() < end:
            store.upsert("images", batch(first))
            acknowledged.extend(range(first, first + 64))
            first += 64

    def read(number: int) -> None:
        while time.monotonic() < end:
            store.search("images", np.ones(DIMENSION, dtype=np.float32), limit=5)
            wanted = acknowledged[-10 * (number + 1) :]
            found = store.retrieve("images", wanted, vectors=True)
            if [point.id for point in found] != wanted or any(point.payload != {"n": point.id} for point in found):
                problems.append((wanted, found))
            store.page("images", limit=20)
            store.collections()

    def guarded(act: "object", number: int) -> None:
        try:
            act(number)  # type: ignore[operator]
        except Exception as error:
            problems.append(error)

    work = [(write, 1), (write, 2), (write, 3), (read, 0), (read, 1), (read, 2), (read, 3)]
    threads = [threading.Thread(target=guarded, args=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(acknowledged) > 1000
    store.close()
    again = EdgeStore(store._folder)
    assert {point.id for point in again.scroll("images")} == set(acknowledged)
    again.close()


def test_thirty_thousand_points_are_written_paged_searched_and_there_after_a_restart(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "edge")
    store.create("images", CollectionSpec(32, stamp=ModelStamp("demo-clip", "f00d")))
    rows = np.random.default_rng(1).normal(size=(30_000, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for start in range(0, 30_000, 1000):
        points = [Point(i, rows[i], {"n": i}) for i in range(start, start + 1000)]
        assert store.upsert("images", points) == 1000
    for _ in ("before", "after reopening"):
        assert store.count("images") == 30_000
        assert [point.id for point in store.scroll("images", page_size=1000)] == list(range(30_000))
        hits = store.search("images", rows[12_345], limit=10)
        assert [hit.id for hit in hits] == np.argsort(-(rows @ rows[12_345]))[:10].tolist()
        store.close()
        store = EdgeStore(tmp_path / "edge")
    store.close()


def test_beyond_its_capacity_the_store_refuses_new_points_but_not_new_versions(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "CAPACITY", 40)
    assert store.upsert("images", batch(0, 40)) == 40
    with pytest.raises(StoreFull, match=r"40 points and would get 8 more.*Connect a Qdrant server"):
        store.upsert("images", batch(32, 16))
    assert store.upsert("images", batch(0, 40)) == 40
    assert store.count("images") == 40


def test_what_a_crash_left_half_made_or_half_deleted_is_cleaned_up(folder: Path) -> None:
    import sqlite3

    with sqlite3.connect(folder / FILE) as database:
        database.execute(
            "INSERT INTO collections (name, shard, dimension, distance, vector_name, settings_index, quantization) "
            "VALUES ('half', 'abc', 4, 'cosine', '', '{}', '{}')"
        )
    database.close()
    for left in ("shards/abc", "shards/deleted", "building/copy"):
        (folder / left).mkdir()
        (folder / left / "file").write_text("x")
    store = EdgeStore(folder)
    assert [info.name for info in store.collections()] == ["images"]
    store.create("half", CollectionSpec(4))
    store.close()
    assert not [one for left in ("shards/abc", "shards/deleted", "building/copy") if (one := folder / left).exists()]


def test_a_folder_that_lost_its_registry_is_not_taken_for_an_empty_one(folder: Path) -> None:
    (folder / FILE).unlink()
    with pytest.raises(StoreUnavailable, match=r"which tells their names, is gone.*Restore"):
        EdgeStore(folder)
    assert any((folder / "shards").iterdir())


def test_a_file_in_the_way_and_a_damaged_shard_are_named(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match=str(tmp_path / "file")):
        EdgeStore(tmp_path / "file")
    [shard] = (folder / "shards").iterdir()
    (shard / "edge_config.json").write_text("{")
    store = EdgeStore(folder)
    with pytest.raises(StoreUnavailable, match=r"failed: .*restore the folder from a backup"):
        store.count("images")
    store.close()


def test_an_alias_moves_when_the_engine_dies_at_that_moment_or_it_is_said_that_it_did_not(store: EdgeStore) -> None:
    store.create("new", CollectionSpec(DIMENSION))
    store.set_alias("served", "images", expected=None)
    kill_engine(store)
    with pytest.raises(StoreUnavailable):
        store.set_alias("served", "new", expected="images")
    assert store.aliases() == {"served": "images"}
    store.set_alias("served", "new", expected="images")
    assert store.aliases() == {"served": "new"}


def test_a_dry_run_reads_a_copy_and_leaves_every_byte(folder: Path) -> None:
    store = EdgeStore(folder)
    store.upsert("images", batch(0))
    store.close()

    def content() -> dict[str, tuple[bytes, int]]:
        return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()}

    before = content()
    dry = EdgeStore(folder, dry=True)
    assert dry.count("images") == 64
    assert dry.info().location == str(folder)
    dry.close()
    assert content() == before
