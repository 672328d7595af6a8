"""Tables, views, columns and schemas of any name, on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from console_core.catalog.preview import preview
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import Slice
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings
from tests.postgres import Postgres

NAMES = (
    *("with space", 'double "quotes"', "it's", "100% sure", "%(x)s", "a.b.c", "日本語", "ünïcode", "select", ":name"),
    *(
        "semi; colon",
        "back\\slash",
        "(brackets)",
        "[square]",
        "#hash",
        "CamelCase",
        "new\nline",
        "--comment",
        "?",
        "tab\tulator",
    ),
)

ODDEST = ("with space", 'double "quotes"', "it's", "100% sure", "%(x)s", "a.b.c", "日本語", "new\nline")
VIEWS = [(where, name) for where in ("sqlite", "postgres") for name in ODDEST]
TABLES = [*(("sqlite", name) for name in NAMES), *VIEWS[len(ODDEST) :]]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Source:
    """A database that a test fills; `mark` stands for a value in its statements."""

    def __init__(self, location: str, run: Callable[..., object], mark: str) -> None:
        self.location = location
        self.run = run
        self.mark = mark

    def fill(self, table: str, key: str, path: str, owner: str, *, schema: str = "") -> None:
        where = f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)
        names = ", ".join(f"{quoted(name)} TEXT" for name in (path, owner))
        self.run(f"CREATE TABLE {where} ({quoted(key)} TEXT PRIMARY KEY NOT NULL, {names})")
        for number in range(5):
            record = f"k'{number}%", f"{number} %s.jpg", f"o'{number % 2}"
            doubled = where.replace("%", "%%") if self.mark == "%s" else where
            self.run(f"INSERT INTO {doubled} VALUES ({self.mark}, {self.mark}, {self.mark})", record)


@pytest.fixture(scope="module")
def on_postgres(postgres: Postgres) -> Iterator[Source]:
    with postgres.database("names") as name, postgres.connect(name) as connection:

        def run(statement: str, values: tuple[Any, ...] | None = None) -> None:
            connection.execute(statement.encode(), values)

        yield Source(postgres.url(name).replace("postgresql://", "postgresql+psycopg://"), run, "%s")


@pytest.fixture
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    if request.param == "postgres":
        yield request.getfixturevalue("on_postgres")
        return
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as connection:
        yield Source(f"sqlite:///{tmp_path / 'app.db'}", connection.execute, "?")


def assert_read(location: str, table: str, key: str, path: str, owner: str) -> None:
    settings = CatalogSettings(
        "sql", location, table, key, paths=(path,), payload=(path,), updated_at=owner, tenant=owner
    )
    with closing(SqlCatalog(settings, page=2)) as catalog:
        rows = list(catalog.rows())
        assert [row.key for row in rows] == [f"k'{number}%" for number in range(5)]
        assert rows[3].candidates == ("3 %s.jpg",)
        assert rows[3].payload == {path: "3 %s.jpg", owner: "o'1"}
        assert [row.key for row in catalog.rows(Slice({owner: ("o'1",)}), after="k'1%")] == ["k'3%"]
        assert catalog.facets() == {owner: {"o'0": 3, "o'1": 2}}
        assert catalog.get(["k'4%"]) == [rows[4]]
        catalog.check_keys()
        assert catalog.info().tenant == owner


@pytest.mark.parametrize(("source", "name"), TABLES, indirect=["source"])
def test_a_table_and_its_columns_may_have_any_name(source: Source, name: str) -> None:
    names = (name, f"key {name}", f"{name} path", f"{name}'s owner")
    source.fill(*names)
    assert_read(source.location, *names)
    if name in ODDEST:
        seen = preview("sql", source.location, name)
        assert [column.name for column in seen.columns] == list(names[1:])
        assert len(seen.rows) == 5


@pytest.mark.parametrize(("source", "name"), VIEWS, indirect=["source"])
def test_a_view_may_have_any_name(source: Source, name: str) -> None:
    table, view = f"below {name}", f"{name} view"
    source.fill(table, "id", "path", "owner")
    source.run(f"CREATE VIEW {quoted(view)} AS SELECT id AS {quoted(name)}, path, owner FROM {quoted(table)}")
    assert_read(source.location, view, name, "path", "owner")


@pytest.mark.parametrize("name", ODDEST)
def test_a_schema_may_have_any_name(on_postgres: Source, name: str) -> None:
    on_postgres.run(f"CREATE SCHEMA {quoted(name)}")
    on_postgres.fill("ta.ble", "id", "path", "owner", schema=name)
    assert_read(on_postgres.location, f"{name}.ta.ble", "id", "path", "owner")
    with pytest.raises(CatalogInvalid) as refused:
        assert_read(on_postgres.location, "no such table", "id", "path", "owner")
    assert f"{name}.ta.ble" in refused.value.remedy
