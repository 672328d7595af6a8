"""Rows that several columns identify together: on SQLite and on PostgreSQL, whatever the values contain."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Uuid, create_engine, select
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from console_core.catalog.columns import KeyColumn
from console_core.catalog.row_key import RowKey
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import Slice
from console_core.errors import CatalogInvalid, KeysUnusable
from console_core.settings import CatalogSettings
from console_core.vectorstore.provenance import point_id
from tests.postgres import Postgres

PAIR = RowKey([KeyColumn(Column("tenant", String), str), KeyColumn(Column("number", BigInteger), int)])
TEXTS = RowKey([KeyColumn(Column("a", String), str), KeyColumn(Column("b", String), str)])
THREE = RowKey([*TEXTS.columns, KeyColumn(Column("c", Uuid), uuid.UUID)])
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ODD = (
    "",
    "a",
    '"',
    "\\",
    '","',
    "],[",
    "é",
    "日本",
    "\n",
    "%s",
    "%(x)s",
    ":x",
    "NULL",
    "null",
    "1",
    "🙂",
    "'",
    "\x7f",
    "\t",
)


@given(_text, _text, st.uuids())
def test_the_columns_can_be_told_again_from_a_key_whatever_they_contain(a: str, b: str, c: uuid.UUID) -> None:
    key = THREE.text((a, b, c, "further columns of the record"))
    assert THREE.parse(key) == (a, b, c)


@given(_text, st.integers(-(2**63), 2**63 - 1), _text, st.integers(-(2**63), 2**63 - 1))
def test_different_values_have_different_keys_and_point_ids(a: str, one: int, b: str, other: int) -> None:
    same = (a, one) == (b, other)
    keys = PAIR.text((a, one)), PAIR.text((b, other))
    assert (keys[0] == keys[1]) == same
    assert (point_id(keys[0]) == point_id(keys[1])) == same


@pytest.mark.parametrize(
    "key",
    [
        *("", "acme", "7", "[]", '["acme"]', '["acme",7,8]', '["acme","7"]', '["acme",7.0]', '["acme",true]', "[7,7]"),
        *('["acme", 7]', '["acme",07]', '["acme",7] ', '["\\u00e9",7]', '["a\\/b",7]', '["acme",9223372036854775808]'),
        *('["\\u0000",7]', '["\\ud800",7]', '["\ud800",7]', "[" * 100_000, '["acme",1e999]', "null", '{"acme":7}'),
        f'["acme",{"9" * 5000}]',
    ],
)
def test_a_text_that_no_row_can_have_as_its_key_is_none(key: str) -> None:
    assert PAIR.parse(key) is None


class Source:
    """The same rows in SQLite and in PostgreSQL."""

    def __init__(self, location: str, run: Any) -> None:
        self.location = location
        self.run = run

    def catalog(self, *key: str, page: int = 3, **otherwise: Any) -> SqlCatalog:
        given: dict[str, Any] = {"table": "images", "paths": ("path",), **otherwise}
        return SqlCatalog(CatalogSettings("sql", self.location, key=key, **given), page=page)


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as connection:

            def on_sqlite(statement: str, *values: tuple[Any, ...]) -> None:
                for record in values or ((),):
                    connection.execute(statement, record)

            yield Source(f"sqlite:///{tmp_path / 'app.db'}", on_sqlite)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(f"keys_{uuid.uuid4().hex[:8]}") as name, server.connect(name) as served:

        def on_postgres(statement: str, *values: tuple[Any, ...]) -> None:
            with served.cursor() as cursor:
                cursor.executemany(statement.replace("?", "%s").encode(), values or [()])

        yield Source(server.url(name).replace("postgresql://", "postgresql+psycopg://"), on_postgres)


def filled(source: Source, rows: list[tuple[Any, ...]], constraint: str = ", PRIMARY KEY (tenant, number)") -> None:
    source.run(f"CREATE TABLE images (tenant TEXT, number BIGINT, path TEXT{constraint})")
    source.run("INSERT INTO images VALUES (?, ?, ?)", *rows)


def test_odd_texts_and_the_largest_numbers_are_paged_and_found_again(source: Source) -> None:
    numbers = (-(2**63), -1, 0, 5, 2**31, 2**63 - 1)
    rows = [(tenant, number, f"{place}.jpg") for place, tenant in enumerate(ODD) for number in numbers]
    filled(source, rows)
    with closing(source.catalog("tenant", "number")) as catalog:
        found = list(catalog.rows())
        assert [PAIR.parse(row.key) for row in found] == sorted((tenant, number) for tenant, number, _ in rows)
        keys = [row.key for row in found]
        for place in range(0, len(keys), 7):
            assert [row.key for row in catalog.rows(after=keys[place])] == keys[place + 1 :]
            assert catalog.count(after=keys[place]) == len(keys) - place - 1
        assert [row.key for row in catalog.get(keys[::-1])] == keys[::-1]
        assert [row.key for row in catalog.rows(Slice(keys=tuple(keys[::-2])))] == keys[1::2]
        catalog.check_keys()


def test_the_order_of_the_columns_is_that_of_the_settings(source: Source) -> None:
    filled(source, [("b", 1, "1.jpg"), ("a", 2, "2.jpg"), ("b", 0, "3.jpg"), ("a", 1, "4.jpg")])
    with closing(source.catalog("number", "tenant", page=1)) as catalog:
        assert [row.key for row in catalog.rows()] == ['[0,"b"]', '[1,"a"]', '[1,"b"]', '[2,"a"]']


def test_more_keys_than_a_page_and_a_statement_take_come_in_the_databases_order(source: Source) -> None:
    rows = [(f"t{number % 7}", number, f"{number}.jpg") for number in range(1700)]
    filled(source, rows)
    wanted = sorted((tenant, number) for tenant, number, _ in rows if number % 3)
    part = Slice(keys=tuple(PAIR.text(values) for values in reversed(wanted)))
    with closing(source.catalog("tenant", "number", page=400)) as catalog:
        assert [PAIR.parse(row.key) for row in catalog.rows(part)] == wanted
        assert catalog.count(part) == len(wanted)
        middle = PAIR.text(wanted[900])
        assert [PAIR.parse(row.key) for row in catalog.rows(part, after=middle)] == wanted[901:]


def test_a_key_of_several_columns_that_is_not_unique_is_refused(source: Source) -> None:
    filled(source, [("a", 1, "1.jpg"), ("a", 2, "2.jpg"), ("a", 1, "3.jpg")], constraint="")
    with pytest.raises(CatalogInvalid, match="key columns tenant, number of images are not unique: a, 1 occurs twice"):
        source.catalog("tenant", "number")


def test_a_key_that_is_null_in_one_column_is_refused_and_later_left_out(source: Source) -> None:
    filled(source, [("a", 1, "1.jpg")], constraint=", UNIQUE (tenant, number)")
    with closing(source.catalog("tenant", "number")) as catalog:
        source.run("INSERT INTO images VALUES (?, ?, ?)", ("a", None, "2.jpg"), (None, None, "3.jpg"))
        assert [row.key for row in catalog.rows()] == ['["a",1]']
        assert catalog.count() == 1
        with pytest.raises(KeysUnusable, match="key columns tenant, number of images are NULL in 2 rows"):
            catalog.check_keys()
    with pytest.raises(CatalogInvalid, match="key column tenant of images is NULL"):
        source.catalog("tenant", "number")


def test_keys_that_became_equal_later_are_found_by_a_look_at_all(source: Source) -> None:
    filled(source, [("a", 1, "1.jpg")], constraint="")
    with closing(source.catalog("tenant", "number")) as catalog:
        source.run("INSERT INTO images VALUES (?, ?, ?)", ("a", 1, "2.jpg"))
        with pytest.raises(KeysUnusable, match="not unique: a, 1 occurs 2 times"):
            catalog.check_keys()


def test_a_column_that_is_unique_alone_makes_the_key_unique(source: Source) -> None:
    filled(source, [("a", 1, "1.jpg"), ("b", 2, "2.jpg")], constraint=", UNIQUE (number)")
    with closing(source.catalog("tenant", "number")) as catalog:
        catalog.check_keys()
        assert catalog.count() == 2


def test_continuing_behind_what_is_no_key_of_these_columns_is_refused(source: Source) -> None:
    filled(source, [("a", 1, "1.jpg")])
    with closing(source.catalog("tenant", "number")) as catalog:
        for after in ("7", '["a"]', '["a","1"]'):
            with pytest.raises(CatalogInvalid, match="is not a key of images: tenant, number holds str, int values"):
                list(catalog.rows(after=after))


def test_a_large_number_is_looked_for_and_not_refused(source: Source) -> None:
    source.run("CREATE TABLE images (id INT PRIMARY KEY, owner INT, path TEXT)")
    source.run("INSERT INTO images VALUES (?, ?, ?)", (1, 1, "1.jpg"))
    with closing(source.catalog("id", facets=("owner",))) as catalog:
        assert [row.key for row in catalog.get([str(2**40), "1"])] == ["1"]
        assert catalog.count(after=str(2**40)) == 0
        assert catalog.count(Slice({"owner": (str(2**40), "1")})) == 1


@pytest.mark.parametrize("question", ["behind", "among"])
def test_neither_a_page_nor_a_look_at_some_keys_reads_the_whole_table(tmp_path: Path, question: str) -> None:
    """As SQLite plans it, where most is at stake: PostgreSQL looks into the index for both too."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE images (tenant TEXT, number INT, path TEXT, PRIMARY KEY (tenant, number))")
        keys = [("a", 1), ("b", 2), ("c", 3)]
        engine = create_engine("sqlite://", creator=lambda: connection)
        told = Table("images", MetaData(), autoload_with=engine)
        pair = RowKey([KeyColumn(told.c.tenant, str), KeyColumn(told.c.number, int)])
        condition = pair.behind(keys[0]) if question == "behind" else pair.among(keys)
        wanted = select(told).where(condition).order_by(*pair.expressions)
        statement = wanted.compile(dialect=SQLiteDialect(), compile_kwargs={"literal_binds": True})
        plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert not [step for step in plan if step.startswith("SCAN")], plan
    assert any("SEARCH images USING INDEX" in step for step in plan), plan
