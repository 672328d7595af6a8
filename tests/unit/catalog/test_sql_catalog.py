"""SQL catalogs: whatever an application's table is like, it is read and never written, or refused with a reason."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import ImageRow, Slice
from console_core.errors import CatalogError, CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings

TABLE = """CREATE TABLE images (
    id INTEGER PRIMARY KEY, user_id INTEGER, compressed_path TEXT, original_path TEXT, file_path TEXT, caption TEXT,
    is_public BOOLEAN, price NUMERIC, embedding BLOB, created_at DATETIME, meta JSON
)"""
PATHS = ("compressed_path", "original_path", "file_path")


class Source:
    """A database file that a test fills."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.run(TABLE)

    def run(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement, values)

    def fill(self, statement: str, records: Iterable[tuple[Any, ...]]) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.executemany(statement, records)

    def add(self, **columns: Any) -> None:
        names = ", ".join(columns)
        self.run(f"INSERT INTO images ({names}) VALUES ({', '.join('?' * len(columns))})", *columns.values())

    def settings(self, **changes: Any) -> CatalogSettings:
        given: dict[str, Any] = {"kind": "sql", "location": f"sqlite:///{self.file}", "table": "images", "paths": PATHS}
        return CatalogSettings(**{**given, **changes})

    def rows(self, part: Slice | None = None, **changes: Any) -> list[ImageRow]:
        with closing(SqlCatalog(self.settings(**changes), page=2)) as catalog:
            return list(catalog.rows(part or Slice()))

    def refusal(self, **changes: Any) -> CatalogError:
        with pytest.raises(CatalogError) as raised:
            self.rows(**changes)
        assert raised.value.remedy
        return raised.value


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "app.db")


def test_paths_come_in_the_configured_order_without_null_blank_and_repeated_ones(source: Source) -> None:
    source.add(id=1, compressed_path="c.jpg", original_path="o.jpg", file_path="f.jpg")
    source.add(id=2, compressed_path="", original_path=None, file_path="f.jpg")
    source.add(id=3, compressed_path="same.jpg", original_path="same.jpg", file_path="  ")
    source.add(id=4)
    assert [row.candidates for row in source.rows()] == [("c.jpg", "o.jpg", "f.jpg"), ("f.jpg",), ("same.jpg",), ()]
    assert source.rows(paths=("file_path", "compressed_path"))[0].candidates == ("f.jpg", "c.jpg")


def test_payload_values_are_what_json_can_hold(source: Source) -> None:
    source.add(
        id=1,
        user_id=7,
        caption="ünï",
        is_public=1,
        price="12.50",
        embedding=b"\x00\x01",
        created_at="2024-05-06 07:08:09.000000",
        meta='{"a": 1}',
    )
    source.add(id=2, price=float("inf"), created_at="last Tuesday", is_public=0)
    names = ("user_id", "caption", "is_public", "price", "embedding", "created_at", "meta")
    first, second = (dict(row.payload) for row in source.rows(payload=names))
    assert first == {
        "user_id": 7,
        "caption": "ünï",
        "is_public": True,
        "price": 12.5,
        "embedding": None,
        "created_at": "2024-05-06T07:08:09",
        "meta": '{"a": 1}',
    }
    assert second["is_public"] is False
    assert second["price"] is None
    assert second["created_at"] == "last Tuesday"
    assert tuple(first) == names


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE images SET caption = 'new'",
        "UPDATE images SET file_path = 'new.jpg'",
        "UPDATE images SET created_at = 'now'",
    ],
)
def test_the_revision_changes_with_payload_paths_and_time_and_with_nothing_else(source: Source, change: str) -> None:
    mapping: dict[str, Any] = {"payload": ("caption", "user_id"), "updated_at": "created_at"}
    source.add(id=1, caption="old", file_path="old.jpg", user_id=3)
    (before,) = source.rows(**mapping)
    source.run("UPDATE images SET price = 5, embedding = x'01'")
    assert source.rows(**mapping) == [before]
    assert source.rows(payload=("user_id", "caption"), updated_at="created_at")[0].revision == before.revision
    source.run(change)
    assert source.rows(**mapping)[0].revision != before.revision


def test_the_database_cannot_be_written_through_the_catalog(source: Source) -> None:
    catalog = SqlCatalog(source.settings())
    with pytest.raises(CatalogError, match="readonly"), catalog._database.connection() as connection:
        connection.exec_driver_sql("DELETE FROM images")
    catalog.close()


@pytest.mark.parametrize("folder", ["a?b#c", "100% sure", "日本 ü", 'it\'s "quoted"', "file:x", "&mode=rwc"])
def test_a_database_in_an_oddly_named_folder_is_opened(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    source = Source(tmp_path / folder / "app.db")
    source.add(id=1, file_path="a.jpg")
    from sqlalchemy import URL

    location = URL.create("sqlite", database=str(source.file)).render_as_string()
    assert [row.key for row in source.rows(location=location)] == ["1"]


def test_names_that_look_like_statements_are_only_names(source: Source) -> None:
    source.run('CREATE TABLE "weird ""t"" ; drop" ("the key" TEXT PRIMARY KEY NOT NULL, "p%th :x" TEXT, "select" TEXT)')
    source.run('INSERT INTO "weird ""t"" ; drop" VALUES (?, ?, ?)', "k'1", "a.jpg", "'; DROP TABLE images; --")
    given = {"table": 'weird "t" ; drop', "key": "the key", "paths": ("p%th :x",), "facets": ("select",)}
    (row,) = source.rows(Slice({"select": ("'; DROP TABLE images; --",)}), **given)
    assert (row.key, row.candidates) == ("k'1", ("a.jpg",))


def test_a_view_is_read_like_a_table(source: Source) -> None:
    for number in range(5):
        source.add(id=number, file_path=f"{number}.jpg")
    source.run("CREATE VIEW odd AS SELECT id * 10 AS tenfold, file_path AS path FROM images WHERE id % 2 = 1")
    rows = source.rows(table="odd", key="tenfold", paths=("path",))
    assert [(row.key, row.candidates) for row in rows] == [("10", ("1.jpg",)), ("30", ("3.jpg",))]
    assert source.rows(Slice(keys=("30", "x")), table="odd", key="tenfold", paths=("path",)) == rows[1:]


def test_an_empty_view_has_no_rows_and_one_that_is_filled_later_has_some(source: Source) -> None:
    source.run("CREATE VIEW tenfold AS SELECT id * 10 AS tenfold, file_path AS path FROM images")
    with closing(SqlCatalog(source.settings(table="tenfold", key="tenfold", paths=("path",)))) as catalog:
        assert list(catalog.rows()) == []
        assert catalog.count(after="5") == 0
        for number in (1, 2, 10):
            source.add(id=number)
        assert [row.key for row in catalog.rows(after="10")] == ["20", "100"]


def test_text_keys_have_the_databases_order_whatever_it_is(source: Source) -> None:
    source.run("CREATE TABLE photos (name TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, path TEXT)")
    names = [f"{letter}{number:03}" for number in range(400) for letter in "aB"]
    source.fill("INSERT INTO photos VALUES (?, ?)", ((name, f"{name}.jpg") for name in names))
    mapping: dict[str, Any] = {"table": "photos", "key": "name", "paths": ("path",)}
    in_order = sorted(names, key=str.lower)
    assert [row.key for row in source.rows(**mapping)] == in_order
    assert [row.key for row in source.rows(Slice(keys=tuple(names[:700])), **mapping)] == [
        name for name in in_order if name in names[:700]
    ]


def test_a_unique_column_that_is_no_primary_key_can_be_the_key(source: Source) -> None:
    source.run("CREATE UNIQUE INDEX by_caption ON images (caption)")
    source.add(id=1, caption="b")
    source.add(id=2, caption="a")
    assert [row.key for row in source.rows(key="caption")] == ["a", "b"]


def test_a_key_column_with_repeated_values_is_refused(source: Source) -> None:
    for number in range(9):
        source.add(id=number, user_id=number, caption=str(number // 8))
    assert "not unique: 0 occurs twice" in source.refusal(key="caption").message
    source.run("UPDATE images SET user_id = 7 WHERE user_id = 8")
    assert "not unique: 7 occurs twice" in source.refusal(key="user_id").message


def test_a_key_column_with_null_is_refused(source: Source) -> None:
    source.add(id=1, caption="a")
    source.add(id=2)
    refused = source.refusal(key="caption")
    assert isinstance(refused, CatalogInvalid)
    assert "NULL" in refused.message


def test_a_key_that_became_null_later_is_neither_listed_nor_counted(source: Source) -> None:
    source.add(id=1, caption="a")
    with closing(SqlCatalog(source.settings(key="caption", facets=("user_id",)))) as catalog:
        source.add(id=2)
        assert catalog.count() == len(list(catalog.rows())) == 1
        assert catalog.facets() == {"user_id": {"": 1}}


@pytest.mark.parametrize("column", ["embedding", "price"])
def test_a_key_column_of_bytes_or_fractions_is_refused(source: Source, column: str) -> None:
    source.add(id=1, embedding=b"x", price=0.5)
    assert "whole numbers, text or UUIDs" in source.refusal(key=column).remedy


def test_a_key_of_another_type_than_the_others_is_refused(source: Source) -> None:
    source.run("CREATE TABLE loose (id INT PRIMARY KEY NOT NULL, path TEXT)")
    source.run("INSERT INTO loose VALUES (1, 'a.jpg'), ('two', 'b.jpg')")
    assert "'two'" in source.refusal(table="loose", paths=("path",)).message


def test_continuing_behind_what_cannot_be_a_key_is_refused(source: Source) -> None:
    source.add(id=1)
    with closing(SqlCatalog(source.settings())) as catalog:
        for after in ("a.jpg", "007", "1_0", "9" * 30, ""):
            with pytest.raises(CatalogInvalid, match="is not a key"):
                list(catalog.rows(after=after))


def test_facets_of_every_type_tell_values_that_a_slice_understands(source: Source) -> None:
    for number in range(12):
        source.add(
            id=number,
            user_id=number % 3 or None,
            caption=("a", "", None)[number % 3],
            is_public=(0, 1, None)[number % 3],
            price=(1.5, None, 2)[number % 3],
            created_at=("2024-01-01 00:00:00", None, "soon")[number % 3],
        )
    names = ("user_id", "caption", "is_public", "price", "created_at")
    with closing(SqlCatalog(source.settings(facets=names))) as catalog:
        facets = catalog.facets()
        assert facets["user_id"] == {"": 4, "1": 4, "2": 4}
        assert facets["caption"] == {"": 8, "a": 4}
        assert facets["is_public"] == {"": 4, "false": 4, "true": 4}
        assert set(facets["created_at"]) == {"", "soon", "2024-01-01 00:00:00"}
        for name, values in facets.items():
            for value, rows in values.items():
                part = Slice({name: (value,)})
                assert catalog.count(part) == rows, (name, value)
                assert {row.facets[name] for row in catalog.rows(part)} == {value}
        assert catalog.count(Slice({"user_id": ("x", "01", "1")})) == 4


def test_only_the_commonest_values_of_a_facet_are_told(source: Source) -> None:
    source.fill("INSERT INTO images (user_id) VALUES (?)", ((n,) for n in range(300) for _ in range(1 + n // 290)))
    with closing(SqlCatalog(source.settings(facets=("user_id",)))) as catalog:
        counts = catalog.facets()["user_id"]
    assert len(counts) == 200
    assert sorted(counts.values())[-10:] == [2] * 10


def test_one_caption_that_is_not_utf8_costs_neither_its_row_nor_its_neighbours(source: Source) -> None:
    source.run(
        "INSERT INTO images (id, caption, file_path) VALUES (1, CAST(x'636166e9' AS TEXT), CAST(x'e92e6a7067' AS TEXT))"
    )
    source.add(id=2, caption="good", file_path="good.jpg")
    rows = source.rows(payload=("caption",))
    assert [row.payload["caption"] for row in rows] == ["caf\\xe9", "good"]
    assert rows[0].candidates == ("\\xe9.jpg",)


def test_a_missing_file_is_unavailable_and_not_created(tmp_path: Path, source: Source) -> None:
    refused = source.refusal(location=f"sqlite:///{tmp_path}/none.db")
    assert isinstance(refused, CatalogUnavailable)
    assert str(tmp_path / "none.db") in refused.message
    assert not (tmp_path / "none.db").exists()


def test_a_locked_database_is_unavailable_and_says_so(source: Source) -> None:
    source.add(id=1)
    catalog = SqlCatalog(source.settings(), timeout=0.05)
    with closing(sqlite3.connect(source.file)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogUnavailable, match="locked") as raised:
            catalog.count()
        with pytest.raises(CatalogUnavailable, match="locked"):
            SqlCatalog(source.settings(), timeout=0.05)
        writer.rollback()
    assert "try again" in raised.value.remedy
    assert catalog.count() == 1
    catalog.close()


def test_a_file_that_is_no_database_is_refused(source: Source, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello " * 1000)
    assert "not a database" in source.refusal(location=f"sqlite:///{tmp_path}/text.db").message


def test_a_missing_table_is_refused_with_those_that_exist(source: Source) -> None:
    source.run("CREATE VIEW public_images AS SELECT * FROM images")
    refused = source.refusal(table="pictures")
    assert isinstance(refused, CatalogInvalid)
    assert "images, public_images" in refused.remedy


@pytest.mark.parametrize(
    "change", [{"key": "no"}, {"paths": ("no",)}, {"payload": ("no",)}, {"facets": ("no",)}, {"updated_at": "no"}]
)
def test_a_missing_column_is_refused_with_those_that_exist(source: Source, change: dict[str, Any]) -> None:
    refused = source.refusal(**change)
    assert isinstance(refused, CatalogInvalid)
    assert "'no'" in refused.message
    assert "compressed_path" in refused.remedy


def test_no_path_column_at_all_is_refused(source: Source) -> None:
    assert "paths" in source.refusal(paths=()).remedy


def test_a_table_that_is_dropped_later_is_invalid_and_not_a_stack_trace(source: Source) -> None:
    with closing(SqlCatalog(source.settings())) as catalog:
        source.run("DROP TABLE images")
        with pytest.raises(CatalogInvalid, match="no such table"):
            catalog.count()


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("not a url", CatalogInvalid),
        ("nosuchdb://host/name", CatalogInvalid),
        ("oracle+oracledb://u:topsecret@127.0.0.1/x", CatalogInvalid),
        ("sqlite://", CatalogInvalid),
        ("sqlite:///:memory:", CatalogInvalid),
        ("postgresql+psycopg://u:topsecret@127.0.0.1:1/x?password=topsecret", CatalogUnavailable),
    ],
)
def test_a_location_that_cannot_be_used_is_refused_without_telling_the_password(
    source: Source, location: str, expected: type[CatalogError]
) -> None:
    refused = source.refusal(location=location)
    assert type(refused) is expected
    assert "topsecret" not in str(refused)


def test_what_a_person_wants_to_know_is_told(source: Source) -> None:
    with closing(SqlCatalog(source.settings(facets=("user_id",), updated_at="created_at"))) as catalog:
        info = catalog.info()
    assert (info.kind, info.facets, info.location) == ("sql", ("user_id",), f"sqlite:///{source.file}")
    assert info.details["updated at"] == "created_at"
    assert info.details["paths"] == "compressed_path, original_path, file_path"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[SqlCatalog]:
    source = Source(tmp_path / "app.db")
    records = ((number, "x" * 200, f"{number}.jpg") for number in range(15_000))
    source.fill("INSERT INTO images (id, caption, file_path) VALUES (?, ?, ?)", records)
    catalog = SqlCatalog(source.settings(payload=("caption",)))
    yield catalog
    catalog.close()


def test_memory_is_bounded_by_a_page_and_not_by_the_table(large: SqlCatalog) -> None:
    import tracemalloc

    sum(1 for _ in large.rows())
    tracemalloc.start()
    assert sum(1 for _ in large.rows()) == 15_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000, "15,000 rows take about 10 MB"
