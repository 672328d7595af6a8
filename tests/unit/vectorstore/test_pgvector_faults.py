"""What goes wrong between the console and a real PostgreSQL server, and what people are told."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from console_core.errors import (
    CollectionNotFound,
    StoreDenied,
    StoreError,
    StoreReadOnly,
    StoreRefused,
    StoreUnavailable,
)
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore
from tests.contract.vectorstore.world import DIMENSION, points, vectors
from tests.postgres import Postgres

Open = Callable[..., VectorStore]
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'embedding-%'"


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open a store that asks once, and close it after the test."""
    with ExitStack() as closing:

        def open_one(url: str, *, dry: bool = False, **settings: object) -> VectorStore:
            store = open_store(StoreSettings(url, **{"retries": 0, **settings}), dry=dry)  # type: ignore[arg-type]
            closing.callback(store.close)
            return store

        yield open_one


@contextmanager
def _role(postgres: Postgres, name: str, database: str = "postgres") -> Iterator[str]:
    postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")
    try:
        yield name
    finally:
        postgres.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}", database)


def _schema(url: str) -> str:
    return url.rpartition("schema=")[2]


def _as(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


def test_a_server_that_is_not_there_is_told_with_host_and_remedy(opened: Open, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = opened(f"postgresql://olga:hunter2@127.0.0.1:{port}/app")
    for call in (store.collections, store.aliases, lambda: store.create("images", CollectionSpec(8))):
        with pytest.raises(
            StoreUnavailable, match=r"127\.0\.0\.1.*cannot be reached.*Check that PostgreSQL"
        ) as failure:
            call()
        assert "hunter2" not in str(failure.value)
    assert store.info().answered is False


def test_an_unknown_database_and_a_wrong_password_end_the_attempt_at_once(postgres: Postgres, opened: Open) -> None:
    with pytest.raises(StoreDenied, match=r"does not exist.*names of the database"):
        opened(postgres.url("nowhere"), retries=5).collections()
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    with _role(postgres, "guarded") as role:
        rules.write_text(f"local all {role} scram-sha-256\n{before}")
        postgres.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(StoreDenied, match="CONSOLE_STORE_API_KEY") as failure:
                opened(postgres.url("postgres", role), api_key="topsecret", retries=5).collections()
            assert "topsecret" not in str(failure.value)
            assert opened(postgres.url("postgres", role), api_key="hunter2").collections() == []
            assert opened(postgres.url("postgres", f"{role}:hunter2"), api_key="another").collections() == []
        finally:
            rules.write_text(before)
            postgres.execute("SELECT pg_reload_conf()")


def test_a_database_without_the_extension_gets_it_or_is_told_who_can_make_it(postgres: Postgres, opened: Open) -> None:
    with postgres.database("bare") as database:
        with _role(postgres, "plain", database) as role:
            postgres.execute(f"GRANT CREATE ON DATABASE {database} TO {role}")
            store = opened(postgres.url(database, role))
            assert store.collections() == []
            assert "no pgvector extension" in store.info().problem
            assert "CREATE EXTENSION vector" in store.info().remedy
            with pytest.raises(StoreDenied, match="vector"):
                store.create("images", CollectionSpec(8))
            store.close()
        store = opened(postgres.url(database))
        assert (store.collections(), store.info().problem) == ([], "")
        store.create("images", CollectionSpec(DIMENSION))
        assert store.upsert("images", points(3)) == 3
        assert "pgvector" in store.info().version
        store.close()


def test_a_database_without_a_public_schema_has_the_extension_beside_the_collections(
    postgres: Postgres, opened: Open
) -> None:
    with postgres.database("private") as database:
        postgres.execute("DROP SCHEMA public", database)
        store = opened(postgres.url(database))
        store.create("images", CollectionSpec(DIMENSION))
        store.upsert("images", points(3))
        assert len(store.search("images", vectors(1)[0])) == 3
        store.close()


def test_the_extension_may_lie_in_any_schema(postgres: Postgres, opened: Open) -> None:
    with postgres.database("elsewhere") as database:
        postgres.execute('CREATE SCHEMA "Extra Types"; CREATE EXTENSION vector SCHEMA "Extra Types"', database)
        store = opened(postgres.url(database, schema="Bild Vektoren"))
        store.create("images", CollectionSpec(DIMENSION, quantization={"type": "float16"}))
        store.upsert("images", points(20))
        store.set_alias("live", "images", expected=None)
        assert len(store.search("live", vectors(1)[0], limit=3)) == 3
        store.defer_index("images")
        store.restore_index("images")
        assert store.describe("live").quantization == {"type": "float16"}
        store.close()


def test_what_a_role_may_not_do_is_known_before_it_is_tried(postgres: Postgres, url: str, opened: Open) -> None:
    owner = opened(url)
    owner.create("images", CollectionSpec(DIMENSION))
    schema = _schema(url)
    with _role(postgres, "reader") as role:
        postgres.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
        reader = opened(_as(url, role))
        assert reader.count("images") == 0
        for name, lacks in (("images", "INSERT on the table"), ("new", "CREATE and USAGE on the schema")):
            refusal = reader.refuses_writes(name)
            assert isinstance(refusal, StoreDenied)
            assert lacks in refusal.message
        with pytest.raises(StoreDenied, match="forbids this"):
            reader.upsert("images", points(1))
        elsewhere = opened(_as(url, role).replace(schema, "nowhere"))
        refusal = elsewhere.refuses_writes("new")
        assert refusal is not None
        assert "CREATE on the database" in refusal.message
        postgres.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
        refusal = opened(_as(url, role)).refuses_writes("images")
        assert refusal is not None
        assert "default_transaction_read_only" in refusal.remedy
        for store in (reader, elsewhere):
            store.close()
    assert owner.refuses_writes("images") is owner.refuses_writes("new") is None


def test_a_read_only_role_is_told_at_the_first_write(postgres: Postgres, url: str, opened: Open) -> None:
    opened(url).create("images", CollectionSpec(DIMENSION))
    store = opened(f"{url}&options=-cdefault_transaction_read_only%3Don")
    with pytest.raises(StoreDenied, match=r"takes no writes.*primary"):
        store.upsert("images", points(1))
    assert store.count("images") == 0


def test_a_store_for_a_dry_run_cannot_write_even_when_it_is_asked_to(url: str, opened: Open) -> None:
    opened(url).create("images", CollectionSpec(DIMENSION))
    dry = opened(url, dry=True)
    writes: list[Callable[[], object]] = [
        lambda: dry.create("more", CollectionSpec(8)),
        lambda: dry.upsert("images", points(1)),
        lambda: dry.set_alias("live", "images", expected=None),
        lambda: dry.drop("images"),
    ]
    for write in writes:
        with pytest.raises((StoreDenied, StoreReadOnly)):
            write()
    assert [info.name for info in dry.collections()] == ["images"]


def test_who_holds_a_lock_is_not_waited_for_without_end(postgres: Postgres, url: str, opened: Open) -> None:
    store, hasty = opened(url), opened(url, timeout=1)
    store.create("images", CollectionSpec(DIMENSION))
    with postgres.connect() as other, other.transaction():
        other.execute(f"LOCK TABLE {_schema(url)}.images IN ACCESS EXCLUSIVE MODE".encode())
        with pytest.raises(StoreUnavailable, match=r"pg_stat_activity|did not answer in time"):
            hasty.upsert("images", points(1))
        with pytest.raises(StoreUnavailable):
            hasty.count("images")
    assert store.upsert("images", points(1)) == 1


def test_a_statement_that_takes_too_long_is_ended(postgres: Postgres, url: str, opened: Open) -> None:
    store, hasty = opened(url), opened(url, timeout=1)
    store.create("images", CollectionSpec(DIMENSION))
    postgres.execute(
        f"CREATE FUNCTION {_schema(url)}.slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(60); RETURN new; END $$;"
        f"CREATE TRIGGER slow BEFORE INSERT ON {_schema(url)}.images EXECUTE FUNCTION {_schema(url)}.slow()"
    )
    with pytest.raises(StoreUnavailable, match=r"did not answer in time.*raise timeout"):
        hasty.upsert("images", points(1))
    assert store.count("images") == 0


def test_a_connection_that_the_server_closed_is_replaced(postgres: Postgres, url: str, opened: Open) -> None:
    store = opened(url, retries=2)
    store.create("images", CollectionSpec(DIMENSION))
    changes: list[Callable[[], object]] = [
        lambda: store.upsert("images", points(5)),
        lambda: store.set_alias("live", "images", expected=None),
        lambda: store.create("more", CollectionSpec(DIMENSION)),
        lambda: store.restore_index("images"),
    ]
    for change in changes:
        postgres.execute(TERMINATE)
        change()
    assert (store.count("live"), store.count("more")) == (5, 0)


def test_a_server_that_freezes_is_not_waited_for_without_end(postgres: Postgres, url: str, opened: Open) -> None:
    store = opened(url, timeout=4)
    store.create("images", CollectionSpec(DIMENSION))
    with postgres.connect() as connection:
        [(pid,)] = connection.execute(TERMINATE.replace("pg_terminate_backend(pid)", "pid").encode()).fetchall()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            store.count("images")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert store.count("images") == 0


def test_writers_of_the_same_points_in_other_orders_all_get_through(url: str, opened: Open) -> None:
    store = opened(url, retries=3)
    store.create("images", CollectionSpec(DIMENSION))
    store.defer_index("images")
    batch = points(300)
    failures: list[StoreError] = []

    def write(order: list[Point]) -> None:
        try:
            for _ in range(8):
                assert store.upsert("images", order) == 300
        except StoreError as error:
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=(order,)) for order in (batch, batch[::-1], batch[150:] + batch[:150])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.count("images") == 300


def test_of_two_points_with_one_id_in_a_batch_the_later_one_stays(url: str, opened: Open) -> None:
    store = opened(url)
    store.create("images", CollectionSpec(DIMENSION))
    rows = vectors(3)
    store.upsert("images", [Point(1, rows[0], {"n": 1}), Point(2, rows[1], {}), Point(1, rows[2], {"n": 2})])
    assert [point.payload for point in store.retrieve("images", [1, 2])] == [{"n": 2}, {}]


def test_payloads_come_back_with_the_types_they_had(url: str, opened: Open) -> None:
    store = opened(url)
    store.create("images", CollectionSpec(DIMENSION))
    payload = {
        "large": 1e22,
        "small": 1e-300,
        "whole": 3.0,
        "integer": 2**80,
        "text": 'a "quoted" 1e+22 \\ ünïcode 🖼',
        "nested": {"list": [1, 2.0, None, True, {"x": []}]},
        "": "an empty key",
    }
    store.upsert("images", [Point(1, vectors(1)[0], payload)])
    [found] = store.retrieve("images", [1])
    assert found.payload == payload
    assert [type(found.payload[name]) for name in ("large", "small", "whole", "integer")] == [float, float, float, int]


@pytest.mark.parametrize("wrong", [{"a": float("nan")}, {"a": object()}, {"a": "\0"}])
def test_a_payload_that_is_not_json_is_refused_and_nothing_is_written(
    url: str, opened: Open, wrong: dict[str, object]
) -> None:
    store = opened(url)
    store.create("images", CollectionSpec(DIMENSION))
    with pytest.raises(StoreRefused):
        store.upsert("images", [*points(2), Point(7, vectors(1)[0], wrong)])
    assert store.count("images") == 0


def test_a_table_that_somebody_dropped_by_hand_is_a_missing_collection_that_can_be_dropped(
    postgres: Postgres, url: str, opened: Open
) -> None:
    store = opened(url)
    store.create("images", CollectionSpec(DIMENSION))
    postgres.execute(f"DROP TABLE {_schema(url)}.images")
    assert store.collections() == []
    with pytest.raises(CollectionNotFound):
        store.count("images")
    store.drop("images")
    store.create("images", CollectionSpec(DIMENSION))
    assert store.count("images") == 0
