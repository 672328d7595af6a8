"""An application's table with a vector column, and the console's store beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from console_core.settings import StoreSettings, TableSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.switching import AnnouncesSwitch, Switching
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, Vector, VectorStore
from tests.postgres import Postgres

OLD, NEW = "images.embedding_4", "images.embedding_new"
SERVED = "images.embedding"
TABLE = """
CREATE TABLE images (id serial PRIMARY KEY, title text NOT NULL, "user" int, embedding vector(4) NOT NULL);
INSERT INTO images (title, "user", embedding)
    SELECT 'picture ' || n, n % 3, array[cos(n), sin(n), 0.5, n / 10.0]::real[]::vector(4)
    FROM generate_series(1, 20) n;
CREATE INDEX images_embedding_idx ON images USING ivfflat (embedding vector_cosine_ops) WITH (lists = 2);
"""
FUNCTION = """
CREATE FUNCTION match_images(query vector(4), count int) RETURNS TABLE (id int, score float) LANGUAGE sql STABLE AS $$
    SELECT id, 1 - (embedding <=> query::vector(4)) FROM images ORDER BY embedding <=> query::vector(4) LIMIT count
$$;
"""


@dataclass
class World:
    """An application's schema, a connection of the application's own, and the console's store beside it."""

    store: VectorStore
    schema: str
    app: psycopg.Connection
    reopen: Callable[..., VectorStore]

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        return self.app.execute(query.encode(), parameters).fetchall()

    def do(self, statement: str) -> None:
        self.app.execute(statement.encode())

    def columns(self, table: str = "images") -> list[str]:
        found = self.rows(
            "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            table,
        )
        return [row[0] for row in found]

    def built(self, name: str = NEW, dimension: int = 6, **spec: Any) -> str:
        """A second column with a vector for every row."""
        self.store.create(name, CollectionSpec(dimension, stamp=ModelStamp("demo", "f00d"), **spec))
        self.store.upsert(name, vectors(20, dimension))
        self.store.restore_index(name)
        return name

    def switching(self) -> Switching:
        assert isinstance(self.store, AnnouncesSwitch)
        found = self.store.switching(SERVED)
        assert found is not None
        return found


def vectors(count: int, dimension: int) -> list[Point]:
    rows = np.random.default_rng(5).normal(size=(count, dimension)).astype(np.float32)
    return [Point(n, row, {"caption": f"picture {n}"}) for n, row in enumerate(rows, start=1)]


def vector(numbers: list[float]) -> Vector:
    return np.array(numbers, dtype=np.float32)


@contextmanager
def world_of(postgres: Postgres, statements: str, **table: Any) -> Iterator[World]:
    with postgres.schema() as url, postgres.application(statements) as schema, postgres.connect() as app:
        app.execute(f"SET search_path TO {schema}, public".encode())

        def opened(role: str = "postgres", **others: Any) -> VectorStore:
            told = {"table": f"{schema}.images", **table, **others}
            place = url.replace("postgres@", f"{role}@")
            stores.append(open_store(StoreSettings(place, timeout=20, tables=(TableSettings("images", **told),))))
            return stores[-1]

        stores: list[VectorStore] = []
        try:
            yield World(opened(), schema, app, opened)
        finally:
            for store in stores:
                store.close()
