"""What every vector store promises, whichever it is: each test here runs against every store.

Run them against a Qdrant of one's own with: QDRANT_URL=http://host:6333 [QDRANT_API_KEY=…] make test-server
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from qdrant_client import QdrantClient, models

from console_core.settings import StoreSettings, TableSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.traffic import Traffic
from tests.contract.vectorstore.world import URL, World
from tests.postgres import Postgres
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

ROWS = """
CREATE TABLE pictures (id bigint PRIMARY KEY, title text, embedding vector(3));
INSERT INTO pictures (id) SELECT number FROM generate_series(0, 9999) number;
INSERT INTO pictures (id) VALUES (9223372036854775807);
"""
"""An application's table that has a row for each picture that the tests write."""

NUMBERS = """(
    WITH RECURSIVE counted (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM counted WHERE number < 9999)
    SELECT number FROM counted
)"""

QDRANT_SERVERS = ["loopback", *([pytest.param("server", marks=pytest.mark.server)] if URL else [])]
SQL = ["pgvector", "column", "bytes", "bytes-column", "bytea-column"]
STORES = ["embedded", "embedded-named", "edge", *SQL, *QDRANT_SERVERS, "loopback-named"]


@pytest.fixture(params=STORES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    match request.param:
        case "embedded":
            settings = StoreSettings(f"local:{tmp_path / 'qdrant'}")
            yield from _opened(settings)
        case "embedded-named":
            folder = tmp_path / "qdrant"
            client = QdrantClient(path=str(folder))
            _application(client)
            client.close()
            yield from _opened(StoreSettings(f"local:{folder}"), home="pictures@")
        case "loopback-named":
            with LoopbackQdrant().running() as server:
                _application(server.engine)
                yield from _opened(StoreSettings(server.url), home="pictures@")
        case "edge":
            yield from _opened(StoreSettings(f"edge:{tmp_path / 'edge'}"))
        case "pgvector":
            postgres: Postgres = request.getfixturevalue("postgres")
            with postgres.schema() as url:
                yield from _opened(StoreSettings(url))
        case "column":
            postgres = request.getfixturevalue("postgres")
            with postgres.schema() as url, postgres.application(ROWS) as schema:
                table = TableSettings("pictures", f"{schema}.pictures")
                yield from _opened(StoreSettings(url, tables=(table,)), home="pictures.")
        case "bytes":
            yield from _opened(StoreSettings(f"sqlite:///{tmp_path / 'app.db'}"))
        case "bytes-column":
            with closing(sqlite3.connect(tmp_path / "app.db")) as application:
                application.executescript(
                    ROWS.replace("vector(3)", "blob").replace("generate_series(0, 9999) number", NUMBERS)
                )
            table = TableSettings("pictures", "pictures")
            yield from _opened(StoreSettings(f"sqlite:///{tmp_path / 'app.db'}", tables=(table,)), home="pictures.")
        case "bytea-column":
            postgres = request.getfixturevalue("postgres")
            with postgres.application(ROWS.replace("vector(3)", "bytea")) as schema:
                url = postgres.url("postgres", options=f"-csearch_path%3D{schema}")
                url = f"blob:{url.replace('postgresql:', 'postgresql+psycopg:', 1)}"
                table = TableSettings("pictures", "pictures")
                yield from _opened(StoreSettings(url, tables=(table,)), home="pictures.")
        case "loopback":
            with LoopbackQdrant().running() as server:
                yield from _opened(StoreSettings(server.url))
        case _:
            settings = StoreSettings(URL, api_key=os.environ.get("QDRANT_API_KEY", ""))
            yield from _opened(settings, drop=True)


def _application(client: QdrantClient) -> None:
    """A collection of an application's own, with a named vector; its points are some of those that the tests write."""
    vectors = {"first": models.VectorParams(size=3, distance=models.Distance.DOT)}
    client.create_collection("pictures", vectors_config=vectors)
    found = [
        models.PointStruct(id=i, vector={"first": [float(i), 1.0, 2.0]}, payload={"title": f"{i}"}) for i in range(5)
    ]
    client.upsert("pictures", found)


def _opened(settings: StoreSettings, drop: bool = False, home: str = "") -> Iterator[World]:
    traffic = Traffic()
    world = World(lambda: open_store(settings, traffic), open_store(settings, traffic), traffic, home=home)
    yield world
    world.store.close()
    if drop:
        client = QdrantClient(URL, headers={"api-key": settings.api_key}, check_compatibility=False)
        for found in client.get_collections().collections:
            if found.name.startswith(world.prefix):
                client.delete_collection(found.name)  # its aliases go with it
        client.close()
