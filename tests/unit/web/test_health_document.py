"""/health: what a monitor is told, at once and without a secret."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.commands import command
from console_core.runs.types import TERMINAL
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, Vector
from console_core.web import process
from tests.conftest import OPERATOR

STAMP = ModelStamp("demo-clip", "f1")


def _vector(*numbers: float) -> Vector:
    return np.array(numbers, np.float32)


def _measure(collection: str) -> None:
    console = process.console()
    run = command(console, OPERATOR, "measure_coverage", collection=collection)
    until = time.monotonic() + 20
    while (now := console.ledger.get(run.id)).state not in TERMINAL:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert now.state == "succeeded", now.reason


def test_a_console_that_is_well_tells_its_collections_and_what_was_measured_of_them(client: TestClient) -> None:
    console = process.console()
    console.store.create("plain", CollectionSpec(2, stamp=STAMP))
    console.store.create("served", CollectionSpec(2, stamp=ModelStamp("local-dir:/srv/secret place/house", "f2")))
    console.store.upsert("plain", [Point(1, _vector(1, 0), {})])
    console.store.set_alias("images", "served", expected=None)
    _measure("plain")
    answer = client.get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["checks"]) == ("ok", {"ledger": "ok", "store": "ok", "worker": "ok"})
    assert found["store"] == {"kind": console.store.info().kind, "version": console.store.info().version}
    plain, served = found["collections"]
    assert (plain["name"], plain["model"], plain["points"], plain["aliases"]) == ("plain", "demo-clip", 1, [])
    assert (served["model"], served["aliases"], served["embeddings"]) == ("house", ["images"], None)
    embeddings = plain["embeddings"]
    assert (embeddings["total"], embeddings["with_embedding"], embeddings["orphaned"]) == (4, 0, 1)
    snapshot = console.coverage.latest("plain")
    assert snapshot is not None
    assert embeddings["measured_at"] == snapshot.report.measured_at.isoformat()


def test_nothing_is_measured_for_it_and_no_catalog_and_no_point_is_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = process.console()
    console.store.create("plain", CollectionSpec(2, stamp=STAMP))
    _measure("plain")

    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("it was read")

    for owner, name in (
        (console.catalog, "rows"),
        (console.catalog, "count"),
        (console.store, "retrieve"),
        (console.store, "page"),
        (console.store, "scroll"),
    ):
        monkeypatch.setattr(owner, name, read)
    monkeypatch.setattr(EmbeddingColumn, "counts", read)
    assert client.get("/health").json()["collections"][0]["embeddings"]["total"] == 4


def test_what_fails_is_told_without_saying_why_because_that_may_name_a_file(
    client: TestClient, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError(f"a detail of {workspace}")

    console = process.console()
    monkeypatch.setattr(console.store, "aliases", broken)
    monkeypatch.setattr(console.store, "collections", broken)
    answer = client.get("/health")
    assert answer.status_code == 503
    found = answer.json()
    assert (found["status"], found["collections"]) == ("failing", None)
    assert found["checks"] == {"ledger": "ok", "store": "failing", "worker": "ok", "collections": "failing"}
    assert str(workspace) not in answer.text
    assert "detail" not in answer.text


def test_a_workspace_that_cannot_be_opened_is_failing_and_no_path_is_told(client: TestClient, workspace: Path) -> None:
    process.stop()
    (workspace / "console.toml").write_text("[catalog]\nkind = 'carrier pigeon'\n")
    process.start()
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "failing",
        "checks": {"console": "failing"},
        "store": None,
        "collections": None,
    }


def test_the_numbers_of_the_embedding_column_are_told_and_not_what_the_application_wrote_there(
    client: TestClient, workspace: Path
) -> None:
    process.stop()
    with closing(sqlite3.connect(workspace / "app.db")) as application, application:
        application.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT, vector BLOB, made_by TEXT)")
        same = _vector(1, 0).tobytes()
        rows = [(1, "a.jpg", same, "demo-clip"), (2, "b.jpg", same, "/home/olga/private"), (3, "c.jpg", None, None)]
        application.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    (workspace / "console.toml").write_text(
        '[catalog]\nlocation = "sqlite:///app.db"\ntable = "t"\npaths = ["path"]\nembedding = "vector"\n'
        'embedding_model = "made_by"\n[store]\nurl = "local:qdrant"\n'
    )
    process.start()
    console = process.console()
    console.store.create("plain", CollectionSpec(2, stamp=STAMP))
    console.store.upsert("plain", [Point(number, _vector(1, 0), {}) for number in (1, 2, 3)])
    _measure("plain")
    answer = client.get("/health")
    column = answer.json()["collections"][0]["embeddings"]["column"]
    assert (column["total"], column["with_embedding"], column["same"], column["only_in_store"]) == (3, 1, 1, 1)
    assert column["differing_by"] == {"another model's name": 1}
    assert "private" not in json.dumps(answer.json())
    assert str(workspace) not in answer.text


def test_a_host_that_the_server_does_not_answer_to_is_refused(client: TestClient) -> None:
    assert client.get("/health", headers={"host": "elsewhere.example"}).status_code == 400
