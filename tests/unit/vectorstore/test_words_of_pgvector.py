"""Between our plain data and pgvector's: names, settings, rows, versions, and what an error means."""

import json
import uuid

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console_core.errors import (
    CollectionExists,
    CollectionNotFound,
    DimensionMismatch,
    SettingsError,
    StoreDenied,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from console_core.settings import StoreSettings
from console_core.vectorstore import pgvector_words as words
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.pgvector_errors import Cause, cause_of, translated
from console_core.vectorstore.pgvector_places import OwnTable
from console_core.vectorstore.pgvector_rows import id_of, json_text, key_of
from console_core.vectorstore.pgvector_server import PostgresServer
from console_core.vectorstore.pgvector_versions import Versions
from console_core.vectorstore.types import CollectionSpec, Point


def _kept(dimension: int = 8, index: dict[str, int] | None = None) -> words.Kept:
    return words.Kept(1, "n", OwnTable("s", "n", "i"), dimension, "cosine", "", None, False, index or {})


@pytest.mark.parametrize(
    "name", ["images", "images__demo-siglip", 'with "quotes" and spaces', "Bilder-ünïcode", "x" * 63]
)
def test_a_name_that_postgresql_takes_is_the_tables(name: str) -> None:
    assert words.relation(name) == name


def test_names_that_are_too_long_or_the_consoles_own_get_others_that_differ() -> None:
    long = ["x" * 64, "x" * 65, "ü" * 32, "ü" * 33, "console_collections", "console_1_hnsw", "collections"]
    relations = [words.relation(name) for name in long]
    assert len(set(relations)) == len(long)
    assert all(len(relation.encode()) <= 63 for relation in relations)
    assert not any(relation.startswith("console_") for relation in relations)


@given(st.integers(0, 2**63 - 1) | st.uuids().map(str), st.integers(0, 2**63 - 1) | st.uuids().map(str))
def test_the_columns_of_ids_are_ordered_as_the_ids_are(one: int | str, other: int | str) -> None:
    def order(identifier: int | str) -> tuple[bool, int]:
        is_text = isinstance(identifier, str)
        return is_text, uuid.UUID(identifier).int if isinstance(identifier, str) else identifier

    assert (key_of(one) < key_of(other)) == (order(one) < order(other))
    assert id_of(*key_of(one)) == one


@pytest.mark.parametrize(
    ("asked", "gets"),
    [
        ({}, {"m": 16, "ef_construct": 100}),
        ({"m": 32, "ef_construct": 200, "on_disk": True}, {"m": 32, "ef_construct": 200}),
        ({"m": 400, "ef_construct": 1}, {"m": 100, "ef_construct": 200}),
        ({"m": 1}, {"m": 2, "ef_construct": 100}),
    ],
)
def test_index_settings_are_brought_within_what_pgvector_takes(asked: dict[str, int], gets: dict[str, int]) -> None:
    words.check(CollectionSpec(8, index=asked))
    assert _kept(index=asked).hnsw == gets


def test_a_vector_is_indexed_as_it_is_by_half_or_not_at_all_by_its_length() -> None:
    found = [_kept(n) for n in (2000, 2001, 4000, 4001)]
    assert [(kept.indexable, kept.half) for kept in found] == [(True, False), (True, True), (True, True), (False, True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"distance": "hamming"},
        {"dimension": 16_001},
        {"index": {"m": "many"}},
        {"index": {"lists": 3}},
        {"quantization": {"type": "int3"}},
        {"quantization": {"type": "float16", "quantile": 0.9}},
    ],
)
def test_a_wrong_setting_is_named_with_those_that_are_known(wrong: dict[str, object]) -> None:
    with pytest.raises(StoreRefused, match=r"Use|Known"):
        words.check(CollectionSpec(**{"dimension": 8, **wrong}))  # type: ignore[arg-type]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_large_float_is_written_with_all_its_digits_and_stays_a_float(number: float) -> None:
    text = json_text(Point(1, None, {"1e+22": '1e+300 \\" 1e+22', "n": [number]}))
    assert "e+" not in text.replace("1e+22", "").replace("1e+300", "")
    assert json.loads(text) == {"1e+22": '1e+300 \\" 1e+22', "n": [number]}
    assert isinstance(json.loads(text)["n"][0], float)


@pytest.mark.parametrize(
    ("server", "extension", "offered", "says"),
    [
        ("18.4", "0.8.5", None, ""),
        ("13.2", "0.7.0", None, ""),
        ("18.4", "", True, ""),
        ("", "", None, ""),
        ("12.9", "0.8.0", None, "PostgreSQL 12.9 is too old"),
        ("16.1", "0.6.2", None, "pgvector 0.6.2 is too old"),
        ("16.1", "", False, "no pgvector extension"),
    ],
)
def test_a_server_that_is_too_old_or_lacks_the_extension_is_a_problem_with_a_remedy(
    server: str, extension: str, offered: bool | None, says: str
) -> None:
    problem, remedy = Versions(server, extension, offered).problem
    assert says in problem
    assert bool(says) == bool(problem) == bool(remedy)


@pytest.mark.parametrize(
    ("raised", "becomes", "again"),
    [
        (psycopg.errors.DiskFull, StoreFull, False),
        (psycopg.errors.OutOfMemory, StoreUnavailable, False),
        (psycopg.errors.TooManyConnections, StoreUnavailable, True),
        (psycopg.errors.QueryCanceled, StoreUnavailable, True),
        (psycopg.errors.SerializationFailure, StoreUnavailable, True),
        (psycopg.errors.DeadlockDetected, StoreUnavailable, True),
        (psycopg.errors.LockNotAvailable, StoreUnavailable, True),
        (psycopg.errors.AdminShutdown, StoreUnavailable, True),
        (psycopg.errors.CannotConnectNow, StoreUnavailable, True),
        (psycopg.errors.ConnectionFailure, StoreUnavailable, True),
        (psycopg.errors.IoError, StoreUnavailable, False),
        (psycopg.errors.DataCorrupted, StoreUnavailable, False),
        (psycopg.errors.InsufficientPrivilege, StoreDenied, False),
        (psycopg.errors.ReadOnlySqlTransaction, StoreDenied, False),
        (psycopg.errors.InvalidPassword, StoreDenied, False),
        (psycopg.errors.InvalidCatalogName, StoreDenied, False),
        (psycopg.errors.UndefinedTable, CollectionNotFound, False),
        (psycopg.errors.DuplicateTable, CollectionExists, False),
        (psycopg.errors.DependentObjectsStillExist, StoreRefused, False),
        (psycopg.errors.ProgramLimitExceeded, StoreRefused, False),
        (psycopg.errors.UntranslatableCharacter, StoreRefused, False),
    ],
)
def test_every_kind_of_error_has_a_word_of_ours_and_a_remedy(
    raised: type[psycopg.Error], becomes: type[StoreError], again: bool
) -> None:
    error = raised("so it said")
    found = translated(error, "The PostgreSQL database x", "images")
    cause = cause_of(error)
    assert type(found) is becomes
    assert found.remedy
    assert cause is not None
    assert cause.worth_another_try == again


def test_errors_that_pgvector_raises_itself_are_told_apart() -> None:
    assert Cause("40P01", "").changed_nothing
    assert not Cause("57014", "").changed_nothing
    wrong = psycopg.errors.DataException("expected 8 dimensions, not 9")
    assert isinstance(translated(wrong, "p", "images"), DimensionMismatch)
    missing = psycopg.errors.UndefinedObject('type "vector" does not exist')
    assert isinstance(translated(missing, "p", "images"), StoreDenied)
    assert translated(ValueError("ours"), "p") is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://olga:hunter2@host:port/app",
        "postgresql+asyncpg://olga:hunter2@host/app",
        f"postgresql://olga:hunter2@host/app?schema={'x' * 64}",
        "postgresql://olga:hunter2@host/app?schema=a&schema=b",
    ],
)
def test_a_url_that_cannot_be_understood_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="Examples") as failure:
        PostgresServer(url)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("postgresql://olga:hunter2@db:6432/app", "app on db:6432, schema embedding_console"),
        ("postgres://olga@db/app?schema=vectors&sslmode=require", "app on db, schema vectors"),
        ("postgresql+psycopg://olga@/app?host=/run/pg&password=hunter2", "app on /run/pg, schema embedding_console"),
        ("postgresql:///app", "app on this machine, schema embedding_console"),
    ],
)
def test_a_store_says_where_it_is_without_its_password(url: str, location: str) -> None:
    settings = StoreSettings(url, api_key="hunter2")
    store = open_store(settings)
    assert store.info().location == location
    assert (store.info().version, store.info().answered, store.info().problem) == ("", None, "")
    assert store.size_on_disk() is None
    assert "hunter2" not in repr(settings)
    store.close()
