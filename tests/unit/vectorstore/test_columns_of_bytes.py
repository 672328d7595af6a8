"""Columns of bytes in an application's own SQLite table as collections, and the name that is read as an alias."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.errors import AliasConflict, SettingsError, StoreDenied, StoreRefused, StoreUnavailable
from console_core.settings import StoreSettings, TableSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.switching import AnnouncesSwitch
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, Vector, VectorStore

OLD, NEW, SERVED = "images.embedding_3", "images.new", "images.embedding"


def vector(*numbers: float) -> Vector:
    return np.array(numbers, dtype=np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An application's database: three pictures with a vector, one without."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as app, app:
        app.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, title TEXT, embedding BLOB)")
        rows = [(n, f"picture {n}", vector(n, 1, 0).astype("<f4").tobytes()) for n in (1, 2, 3)]
        app.executemany("INSERT INTO images VALUES (?, ?, ?)", [*rows, (4, "picture 4", None)])
    return path


Open = Callable[..., VectorStore]


@pytest.fixture
def opened(file: Path) -> Iterator[Open]:
    stores: list[VectorStore] = []

    def open_one(**table: Any) -> VectorStore:
        settings = StoreSettings(f"sqlite:///{file}", timeout=1, tables=(TableSettings("images", "images", **table),))
        stores.append(open_store(settings))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> VectorStore:
    return opened()


def app(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement).fetchall()


def built(store: VectorStore) -> None:
    store.create(NEW, CollectionSpec(2, stamp=ModelStamp("demo", "f00d")))
    store.upsert(NEW, [Point(n, vector(1, n), {"caption": f"{n}"}) for n in (1, 2, 3, 4)])


def test_the_read_column_is_a_collection_behind_an_alias_and_nothing_is_written_to_say_so(
    store: VectorStore, file: Path
) -> None:
    before = file.read_bytes()
    [found] = store.collections()
    assert (found.name, found.dimension, found.points, found.aliases) == (OLD, 3, 3, (SERVED,))
    assert found.payload_fields == ("id", "title")
    [point] = store.retrieve(SERVED, [2, 4], vectors=True)
    assert point.payload == {"id": 2, "title": "picture 2"}
    np.testing.assert_array_equal(point.vector, vector(2, 1, 0))
    assert [hit.id for hit in store.search(SERVED, vector(1, 0, 0), limit=2)] == [3, 2]
    assert file.read_bytes() == before


def test_vectors_of_another_length_are_no_points_of_the_collection(store: VectorStore, file: Path) -> None:
    app(file, "UPDATE images SET embedding = x'0000803f0000803f' WHERE id = 3")
    app(file, "UPDATE images SET embedding = x'00' WHERE id = 4")
    assert [point.id for point in store.scroll(SERVED)] == [1, 2]
    assert store.count(SERVED) == 2


def test_another_column_takes_the_name_that_is_read_and_gives_it_back(store: VectorStore, file: Path) -> None:
    before = app(file, "SELECT id, embedding FROM images")
    built(store)
    store.set_alias(SERVED, NEW, expected=OLD)
    assert store.aliases() == {SERVED: NEW}
    assert app(file, "SELECT length(embedding), length(embedding_3) FROM images WHERE id = 1") == [(8, 12)]
    store.set_alias(SERVED, OLD, expected=NEW)
    assert app(file, "SELECT id, embedding FROM images") == before
    assert store.describe(NEW).stamp == ModelStamp("demo", "f00d")
    assert {found.name: found.points for found in store.collections()} == {OLD: 3, NEW: 4}


def test_views_and_triggers_of_the_application_go_with_the_name(store: VectorStore, file: Path) -> None:
    app(file, "CREATE VIEW lengths AS SELECT id, length(embedding) AS bytes FROM images")
    app(
        file,
        "CREATE TRIGGER written INSTEAD OF INSERT ON lengths BEGIN INSERT INTO images (id) VALUES (new.id); END",
    )
    app(
        file,
        "CREATE TRIGGER emptied AFTER UPDATE OF title ON images BEGIN "
        "UPDATE images SET embedding = NULL WHERE id = new.id; END",
    )
    built(store)
    assert isinstance(store, AnnouncesSwitch)
    switching = store.switching(SERVED)
    assert switching is not None
    assert set(switching.follows) == {"the view lengths", "the trigger written", "the trigger emptied"}
    store.set_alias(SERVED, NEW, expected=OLD)
    assert app(file, "SELECT bytes FROM lengths WHERE id = 1") == [(8,)]
    app(file, "INSERT INTO lengths (id) VALUES (9)")
    assert app(file, "SELECT count(*) FROM images WHERE id = 9") == [(1,)]
    app(file, "UPDATE images SET title = 'other' WHERE id = 1")
    assert app(file, "SELECT embedding IS NULL, embedding_3 IS NULL FROM images WHERE id = 1") == [(1, 0)]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE INDEX seen ON images (embedding)", "the index seen"),
        ("ALTER TABLE images ADD COLUMN size INT AS (length(embedding))", "a check or a computed column of images"),
        ("", "the NOT NULL of embedding"),
    ],
)
def test_what_would_stay_with_the_former_column_forbids_the_switch(
    opened: Open, file: Path, statement: str, what: str
) -> None:
    if statement:
        app(file, statement)
    else:
        app(file, "DROP TABLE images")
        app(file, "CREATE TABLE images (id INTEGER PRIMARY KEY, embedding BLOB NOT NULL)")
        app(file, "INSERT INTO images VALUES (1, x'0000803f00000000')")
    store = opened()
    former = store.aliases()[SERVED]
    store.create(NEW, CollectionSpec(2))
    with pytest.raises(StoreRefused, match=f"{what}.* would stay with the former one"):
        store.set_alias(SERVED, NEW, expected=former)
    assert store.aliases() == {SERVED: former}


def test_only_a_column_of_the_same_table_can_take_the_name(store: VectorStore) -> None:
    store.create("elsewhere", CollectionSpec(2))
    with pytest.raises(AliasConflict, match="only another column of images can take"):
        store.set_alias(SERVED, "elsewhere", expected=OLD)


def test_a_point_that_is_no_row_is_refused_by_its_id_and_nothing_is_written(store: VectorStore) -> None:
    store.create(NEW, CollectionSpec(2))
    with pytest.raises(StoreRefused, match="1 of the points are no rows of images, such as 9"):
        store.upsert(NEW, [Point(1, vector(1, 0), {}), Point(9, vector(1, 0), {})])
    assert store.count(NEW) == 0


def test_deleting_a_point_empties_its_row_and_dropping_the_former_column_leaves_the_rows(
    store: VectorStore, file: Path
) -> None:
    built(store)
    store.delete(NEW, [1])
    assert store.count(NEW) == 3
    store.set_alias(SERVED, NEW, expected=OLD)
    with pytest.raises(AliasConflict):
        store.drop(NEW)
    store.drop(OLD)
    assert app(file, "SELECT count(*) FROM images") == [(4,)]
    assert [row[1] for row in app(file, "PRAGMA table_info(images)")] == ["id", "title", "embedding", "new_console"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"key": "title"}, "cannot tell rows apart"),
        ({"vector": "title"}, "and not bytes"),
        ({"vector": "nothing"}, 'no column "nothing"'),
    ],
)
def test_a_table_that_cannot_be_used_as_it_is_configured_is_refused_by_name(
    opened: Open, table: dict[str, str], words: str
) -> None:
    with pytest.raises(StoreRefused, match=words):
        opened(**table).collections()


def test_names_with_spaces_quotes_and_other_letters_are_names_like_any(file: Path) -> None:
    app(file, 'CREATE TABLE "weird ""t"" ; é" ("the key" INTEGER PRIMARY KEY, "50 %" TEXT, "em bed" BLOB)')
    app(file, 'INSERT INTO "weird ""t"" ; é" VALUES (1, \'x\', x\'0000803f00000000\')')
    table = TableSettings("odd", 'weird "t" ; é', key="the key", vector="em bed")
    store = open_store(StoreSettings(f"sqlite:///{file}", tables=(table,)))
    assert [point.payload for point in store.scroll("odd.em bed")] == [{"the key": 1, "50 %": "x"}]
    store.create("odd.neu ü %", CollectionSpec(3))
    store.upsert("odd.neu ü %", [Point(1, vector(1, 0, 0), {})])
    store.set_alias("odd.em bed", "odd.neu ü %", expected="odd.em bed_2")
    assert store.describe("odd.em bed").dimension == 3
    store.close()


def test_a_file_that_another_program_holds_or_that_is_read_only_is_told_and_nothing_is_changed(
    store: VectorStore, file: Path
) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            store.create(NEW, CollectionSpec(2))
        assert store.count(SERVED) == 3
    dry = open_store(StoreSettings(f"sqlite:///{file}"), dry=True)
    with pytest.raises(StoreDenied, match="takes no writes"):
        dry.create("images_v2", CollectionSpec(2))
    dry.close()


def test_a_database_of_another_kind_is_no_store() -> None:
    with pytest.raises(SettingsError, match="SQLite or PostgreSQL"):
        open_store(StoreSettings("blob:mssql+pyodbc://user@host/app"))
