"""What an embedding column keeps, in SQLite and in PostgreSQL, under names and keys that are awkward."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from console_core.catalog.column_writer import ColumnWriter
from console_core.catalog.embedding_column import NUMBERS, EmbeddingColumn
from console_core.catalog.opening import open_column
from console_core.catalog.sql import SqlCatalog
from console_core.errors import CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings
from tests.postgres import Postgres

TABLE, KEY, VECTOR, MODEL = 'bil"der t', "schlüssel", "em bed'ding", 'mo"del name'
KEYS = ("1", "a b", "O'Brien", 'say "hi"', "ü-ß-漢", "100%", "-7", "z")
VECTORS = np.random.default_rng(3).normal(size=(len(KEYS), 6)).astype(np.float32)


@dataclass
class Place:
    """A database with one table of pictures, changed and looked at as its application would."""

    settings: CatalogSettings
    bytes_type: str

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        with closing_engine(self.settings.location) as engine, engine.begin() as connection:
            found = connection.execute(text(statement), values or {})
            return found.fetchall() if found.returns_rows else ()

    def put(self, key: str, vector: bytes | str | None, model: str | None) -> None:
        self.execute(
            f"UPDATE {_q(TABLE)} SET {_q(VECTOR)} = :vector, {_q(MODEL)} = :model WHERE {_q(KEY)} = :key",
            {"vector": vector, "model": model, "key": key},
        )

    def content(self) -> dict[str, tuple[bytes | None, str | None, str]]:
        rows = self.execute(f"SELECT {_q(KEY)}, {_q(VECTOR)}, {_q(MODEL)}, path FROM {_q(TABLE)}")
        return {row[0]: (None if row[1] is None else bytes(row[1]), row[2], row[3]) for row in rows}


@contextmanager
def closing_engine(location: str) -> Iterator[Any]:
    engine = create_engine(location, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def _q(name: str) -> str:
    return '"' + name.replace('"', '""').replace(":", "\\:") + '"'


def _made(location: str, bytes_type: str) -> Place:
    settings = CatalogSettings(
        "sql", location, TABLE, key=KEY, paths=("path",), embedding=VECTOR, embedding_model=MODEL
    )
    place = Place(settings, bytes_type)
    place.execute(
        f"CREATE TABLE {_q(TABLE)} ({_q(KEY)} TEXT PRIMARY KEY, path TEXT, {_q(VECTOR)} {bytes_type}, "
        f"{_q(MODEL)} TEXT, number INTEGER)"
    )
    for key in KEYS:
        place.execute(f"INSERT INTO {_q(TABLE)} ({_q(KEY)}, path) VALUES (:key, :path)", {"key": key, "path": "p"})
    return place


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield _made(f"sqlite:///{tmp_path / 'app.db'}", "BLOB")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database("guide_c") as name:
        yield _made(postgres.url(name).replace("postgresql:", "postgresql+psycopg:"), "BYTEA")


@pytest.fixture
def column(place: Place) -> Iterator[EmbeddingColumn]:
    opened = open_column(place.settings)
    assert opened is not None
    yield opened
    opened.close()


def _pairs(number: int = len(KEYS)) -> list[tuple[str, Any]]:
    return list(zip(KEYS, VECTORS, strict=True))[:number]


def test_vectors_are_written_as_little_endian_float32_with_the_models_name_and_nothing_else_changes(
    place: Place, column: EmbeddingColumn
) -> None:
    with ColumnWriter(column) as writer:
        assert writer.write(_pairs(), "demo-clip") == len(KEYS)
    assert place.content() == {key: (vector.astype("<f4").tobytes(), "demo-clip", "p") for key, vector in _pairs()}
    held = column.at(reversed(KEYS))
    assert held.keys() == set(KEYS)
    for key, vector in _pairs():
        assert (held[key].model, held[key].problem) == ("demo-clip", "")
        assert np.array_equal(held[key].vector, vector)  # type: ignore[arg-type]


def test_a_batch_that_is_written_twice_is_written_once(place: Place, column: EmbeddingColumn) -> None:
    with ColumnWriter(column) as writer:
        writer.write(_pairs(3), "demo-clip")
        before = place.content()
        assert writer.write(_pairs(3), "demo-clip") == 3
    assert place.content() == before


def test_a_row_that_is_not_there_is_neither_read_nor_written(place: Place, column: EmbeddingColumn) -> None:
    with ColumnWriter(column) as writer:
        assert writer.write([("nobody", VECTORS[0]), ("z", VECTORS[1]), ("nul\0", VECTORS[2])], "m") == 1
    assert set(column.at(["nobody", "z", "nul\0"])) == {"z"}
    assert len(place.content()) == len(KEYS)


def test_what_is_no_vector_is_told_as_such(place: Place, column: EmbeddingColumn) -> None:
    place.put("1", b"\x00" * 13, "demo-clip")
    place.put("a b", b"", "demo-clip")
    place.put("O'Brien", VECTORS[0, :3].astype(NUMBERS).tobytes(), None)
    held = column.at(KEYS)
    assert (held["1"].vector, held["1"].problem) == (None, "It holds 13 bytes, which is no multiple of 4.")
    assert (held["a b"].vector, held["a b"].problem, held["a b"].model) == (None, "", "demo-clip")
    assert (held["z"].vector, held["z"].problem, held["z"].model) == (None, "", "")
    assert held["O'Brien"].vector is not None
    assert (held["O'Brien"].vector.shape, held["O'Brien"].model) == ((3,), "")


def test_the_database_counts_rows_by_model_and_length(place: Place, column: EmbeddingColumn) -> None:
    with ColumnWriter(column) as writer:
        writer.write(_pairs(4), "demo-clip")
        writer.write([("-7", VECTORS[0]), ("z", VECTORS[1, :5])], "old'model")
    place.put("1", VECTORS[0, :2].astype(NUMBERS).tobytes(), "demo-clip")
    place.put("ü-ß-漢", b"x", None)
    place.put("100%", b"", "demo-clip")
    found = column.counts("demo-clip", 6)
    assert (found.total, found.with_bytes, found.with_vector, found.wrong_length) == (8, 7, 3, 3)
    assert found.by_model == {"demo-clip": 4, "old'model": 2, "": 1}


def test_models_without_end_are_counted_and_not_all_named(
    place: Place, column: EmbeddingColumn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_core.catalog.embedding_column.MOST_MODELS", 2)
    for number, (key, vector) in enumerate(_pairs()):
        place.put(key, vector.tobytes(), "usual" if number < 3 else f"model-{number}")
    assert column.counts("usual", 6).by_model == {"usual": 3, "model-3": 1, "(other)": 4}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"embedding": "gone"}, "has no column 'gone'"),
        ({"embedding_model": "gone"}, "has no column 'gone'"),
        ({"embedding": "path"}, "'path' of bil\"der t is TEXT, but embedding in [catalog] needs one of bytes"),
        ({"embedding_model": "number"}, "'number' of bil\"der t is INTEGER, but embedding_model in [catalog] needs"),
        ({"key": "path"}, 'path of bil"der t is not declared as unique'),
        ({"table": "no such"}, "has no table or view no such"),
    ],
    ids=str,
)
def test_a_column_that_cannot_be_meant_is_refused(place: Place, changed: dict[str, str], said: str) -> None:
    with pytest.raises(CatalogInvalid) as refused:
        open_column(replace(place.settings, **changed))  # type: ignore[arg-type]
    assert said in refused.value.message
    assert refused.value.remedy


def test_a_catalog_without_such_a_column_has_none(place: Place) -> None:
    assert open_column(replace(place.settings, embedding="", embedding_model="")) is None


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    with closing_engine(place.settings.location) as engine, engine.connect() as connection:
        connection.execute(text(f"UPDATE {_q(TABLE)} SET path = 'locked'"))
        yield
        connection.rollback()


def test_a_row_that_another_program_locks_is_an_error_that_says_so_and_nothing_of_the_batch_is_written(
    place: Place,
) -> None:
    with closing(EmbeddingColumn(place.settings, timeout=0.2)) as column, ColumnWriter(column) as writer:
        with _locked(place), pytest.raises(CatalogUnavailable, match="is locked by another program") as refused:
            writer.write(_pairs(), "demo-clip")
        assert "resume" in refused.value.remedy
        assert {vector for vector, _, _ in place.content().values()} == {None}
        assert writer.write(_pairs(), "demo-clip") == len(KEYS)


def test_one_row_that_is_refused_takes_its_whole_batch_back(place: Place, column: EmbeddingColumn) -> None:
    name = _q("only short names")
    if column.database.is_sqlite:
        place.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {_q(TABLE)} WHEN NEW.{_q(KEY)} = 'z' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    else:
        place.execute(f"ALTER TABLE {_q(TABLE)} ADD CONSTRAINT {name} CHECK ({_q(KEY)} <> 'z' OR {_q(VECTOR)} IS NULL)")
    with ColumnWriter(column) as writer, pytest.raises(CatalogInvalid, match="refuses what was to be written") as told:
        writer.write(_pairs(), "demo-clip")
    assert "constraints" in told.value.remedy
    assert {vector for vector, _, _ in place.content().values()} == {None}


def test_a_reader_and_a_writer_at_once_disturb_nobody(column: EmbeddingColumn) -> None:
    problems: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(20):
                assert column.at(KEYS).keys() == set(KEYS)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    with ColumnWriter(column) as writer:
        for _ in range(20):
            writer.write(_pairs(), "demo-clip")
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_sqlite_file_keeps_its_journal_mode(file: Path, mode: str) -> None:
    place = _made(f"sqlite:///{file}", "BLOB")
    with closing(sqlite3.connect(file)) as application:
        application.execute(f"PRAGMA journal_mode={mode}")
    with closing(EmbeddingColumn(place.settings)) as column, ColumnWriter(column) as writer:
        writer.write(_pairs(), "demo-clip")
        assert len(column.at(KEYS)) == len(KEYS)
    with closing(sqlite3.connect(file)) as application:
        assert application.execute("PRAGMA journal_mode").fetchone() == (mode,)
    assert sorted(path.name for path in file.parent.iterdir()) == ["app.db"], "no log is left behind"


def test_a_sqlite_file_that_can_only_be_read_is_an_error_that_says_so(file: Path) -> None:
    place = _made(f"sqlite:///{file}", "BLOB")
    with file.open("r+b") as raw:  # of a format that this SQLite may read, not write: true for any user, root too
        raw.seek(18)
        raw.write(b"\x03")
    with closing(EmbeddingColumn(place.settings)) as column, ColumnWriter(column) as writer:
        assert len(column.at(KEYS)) == len(KEYS)
        with pytest.raises(CatalogInvalid, match="may not be written: attempt to write a readonly") as refused:
            writer.write(_pairs(), "demo-clip")
    assert "the file and its folder" in refused.value.remedy


def test_a_view_of_sqlite_is_refused_because_it_declares_no_key(file: Path) -> None:
    place = _made(f"sqlite:///{file}", "BLOB")
    place.execute(f"CREATE VIEW shown AS SELECT * FROM {_q(TABLE)}")
    with pytest.raises(CatalogInvalid, match="is not declared as unique") as refused:
        open_column(replace(place.settings, table="shown"))
    assert "Name the table itself, not a view" in refused.value.remedy


def test_text_in_a_column_of_bytes_is_told_as_such_and_counted_as_a_wrong_length(file: Path) -> None:
    place = _made(f"sqlite:///{file}", "BLOB")
    place.put("1", "[0.1, 0.2]", "demo-clip")
    with closing(EmbeddingColumn(place.settings)) as column:
        assert column.at(["1"])["1"].problem == "It holds str, not bytes."
        found = column.counts("demo-clip", 6)
        assert (found.with_bytes, found.with_vector, found.wrong_length) == (1, 0, 1)


def test_a_table_without_declared_types_and_with_whole_numbers_as_keys_will_do(file: Path) -> None:
    with closing(sqlite3.connect(file)) as application:
        application.execute("CREATE TABLE t (id PRIMARY KEY, path, vector, made_by)")
        application.executemany("INSERT INTO t (id) VALUES (?)", [(5,), (12,)])
        application.commit()
    settings = CatalogSettings("sql", f"sqlite:///{file}", "t", embedding="vector", embedding_model="made_by")
    with closing(EmbeddingColumn(settings)) as column, ColumnWriter(column) as writer:
        assert writer.write([("5", VECTORS[0]), ("012", VECTORS[1])], "m") == 1
        assert {key: held.vector is not None for key, held in column.at(["5", "12"]).items()} == {
            "5": True,
            "12": False,
        }


def _as_role(postgres: Postgres, database: str, make: Callable[[str], str]) -> str:
    postgres.execute("DROP ROLE IF EXISTS reader")
    postgres.execute("CREATE ROLE reader LOGIN")
    postgres.execute(make("reader"), database)
    return postgres.url(database, "reader").replace("postgresql:", "postgresql+psycopg:")


@pytest.mark.parametrize("way", ["without the privilege", "in a session that can only read"])
def test_a_role_that_may_only_read_is_an_error_that_says_what_to_grant(postgres: Postgres, way: str) -> None:
    with postgres.database("guide_c_role") as name:
        place = _made(postgres.url(name).replace("postgresql:", "postgresql+psycopg:"), "BYTEA")
        rights = "SELECT" if way == "without the privilege" else "SELECT, UPDATE"
        url = _as_role(postgres, name, lambda role: f"GRANT {rights} ON {_q(TABLE)} TO {role}")
        if rights != "SELECT":
            postgres.execute("ALTER ROLE reader SET default_transaction_read_only = on")
        with closing(EmbeddingColumn(replace(place.settings, location=url))) as column, ColumnWriter(column) as writer:
            assert len(column.at(KEYS)) == len(KEYS)
            with pytest.raises(CatalogInvalid, match="may not be written") as refused:
                writer.write(_pairs(), "demo-clip")
        assert "GRANT UPDATE ON" in refused.value.remedy
    postgres.execute("DROP ROLE reader")


@pytest.mark.parametrize("touches", [True, False])
def test_rows_whose_time_of_change_moves_with_our_write_are_told_with_both_revisions(
    place: Place, touches: bool
) -> None:
    name, number = _q(TABLE), "number"
    place.execute(f"UPDATE {name} SET {number} = 1")
    if touches and "sqlite" in place.settings.location:
        place.execute(
            f"CREATE TRIGGER touched AFTER UPDATE ON {name} WHEN NEW.{number} = OLD.{number} "
            f"BEGIN UPDATE {name} SET {number} = {number} + 1 WHERE {_q(KEY)} = NEW.{_q(KEY)}; END"
        )
    elif touches:
        place.execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN NEW.{number} = OLD.{number} + 1; RETURN NEW; END'"
        )
        place.execute(f"CREATE TRIGGER touched BEFORE UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION touch()")
    settings = replace(place.settings, updated_at=number)
    with closing(SqlCatalog(settings)) as catalog, closing(EmbeddingColumn(settings)) as column:
        before = {row.key: row.revision for row in catalog.rows()}
        with ColumnWriter(column) as writer:
            assert writer.write([*_pairs(3), ("nobody", VECTORS[0])], "demo-clip") == 3
            moved = writer.moved
        after = {row.key: row.revision for row in catalog.rows()}
    assert moved == {key: (before[key], after[key]) for key in KEYS[:3] * touches}
    assert {key for key in KEYS if before[key] != after[key]} == set(moved)
