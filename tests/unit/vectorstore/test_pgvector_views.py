"""What an application sees of an alias in PostgreSQL: a view that is always there, whatever it leads to."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from console_core.errors import AliasConflict
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.pgvector_rows import vector_text
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore
from tests.contract.vectorstore.world import DIMENSION, ids, points, vectors
from tests.postgres import Postgres

UUID = "6f1a4c1e-52c9-5c0b-9f3f-2a6f0d7c4b11"


class Application:
    """A program that knows SQL, the schema and the alias, and nothing of the console."""

    def __init__(self, postgres: Postgres, schema: str, alias: str, role: str = "postgres") -> None:
        self.view = sql.Identifier(schema, alias)
        self.connection = psycopg.connect(host=str(postgres.folder), user=role, dbname="postgres", autocommit=True)
        self.connection.prepare_threshold = 0

    def rows(self, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql.SQL(text).format(self.view), parameters).fetchall()

    def nearest(self, query: str, limit: int = 3) -> list[str]:
        return [row[0] for row in self.rows("SELECT id FROM {} ORDER BY vector <=> %s::vector LIMIT %s", query, limit)]


@pytest.fixture
def store(postgres: Postgres) -> Iterator[VectorStore]:
    with postgres.schema() as url:
        opened = open_store(StoreSettings(url))
        yield opened
        opened.close()


@pytest.fixture
def application(postgres: Postgres, store: VectorStore) -> Iterator[Callable[..., Application]]:
    made: list[Application] = []

    def make(alias: str = "live", role: str = "postgres") -> Application:
        made.append(Application(postgres, _schema(store), alias, role))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


def _schema(store: VectorStore) -> str:
    return store.info().location.rpartition(" ")[2]


def _made(store: VectorStore, name: str, count: int, **spec: Any) -> str:
    store.create(name, CollectionSpec(**{"dimension": DIMENSION, **spec}))
    store.upsert(name, points(count))
    return name


def test_an_alias_is_a_view_with_ids_vectors_and_payloads(
    store: VectorStore, application: Callable[..., Application]
) -> None:
    _made(store, "old", 3)
    store.upsert("old", [Point(UUID, vectors(1)[0], {"caption": "by a UUID"})])
    store.set_alias("live", "old", expected=None)
    found = application().rows("SELECT id, is_uuid, number, payload ->> 'caption' FROM {} ORDER BY is_uuid, number")
    assert found == [
        *((str(number), False, number, f"picture {number}") for number in range(3)),
        (UUID, True, 0, "by a UUID"),
    ]
    assert application().rows("SELECT vector_dims(vector) FROM {} LIMIT 1") == [(DIMENSION,)]


def test_a_view_keeps_its_grants_and_what_is_built_on_it_when_the_alias_moves_to_another_length(
    postgres: Postgres, store: VectorStore, application: Callable[..., Application]
) -> None:
    _made(store, "old", 3)
    store.create("new", CollectionSpec(2500))
    store.set_alias("live", "old", expected=None)
    schema = _schema(store)
    postgres.execute(
        f"CREATE ROLE searcher LOGIN; GRANT USAGE ON SCHEMA {schema} TO searcher;"
        f"GRANT SELECT ON {schema}.live TO searcher;"
        f"CREATE VIEW {schema}.captions AS SELECT payload ->> 'caption' FROM {schema}.live;"
        f"GRANT SELECT ON {schema}.captions TO searcher"
    )
    try:
        searcher, captions = application(role="searcher"), application("captions", role="searcher")
        assert searcher.rows("SELECT count(*) FROM {}") == [(3,)]
        store.set_alias("live", "new", expected="old")
        assert searcher.rows("SELECT count(*) FROM {}") == captions.rows("SELECT count(*) FROM {}") == [(0,)]
        store.set_alias("live", "old", expected="new")
        assert len(captions.rows("SELECT * FROM {}")) == 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application("old", role="searcher").rows("SELECT count(*) FROM {}")
    finally:
        postgres.execute("DROP OWNED BY searcher CASCADE; DROP ROLE searcher")


def test_an_application_searches_without_one_error_while_the_alias_moves(
    store: VectorStore, application: Callable[..., Application]
) -> None:
    for name, first in (("old", 0), ("new", 1000)):
        store.create(name, CollectionSpec(DIMENSION))
        store.upsert(name, points(200, first=first))
    store.set_alias("live", "old", expected=None)
    searching, stop = application(), threading.Event()
    answers: list[list[str]] = []
    failures: list[psycopg.Error] = []
    query = vector_text(vectors(1, seed=5)[0])

    def search() -> None:
        while not stop.is_set():
            try:
                answers.append(searching.nearest(query))
            except psycopg.Error as error:
                failures.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    served, other = "old", "new"
    for _ in range(20):
        store.set_alias("live", other, expected=served)
        served, other = other, served
        seen = len(answers)
        until = time.monotonic() + 30
        while len(answers) < seen + 2 and not failures and time.monotonic() < until:
            time.sleep(0.001)
    stop.set()
    thread.join()
    assert failures == []
    right = [[str(hit.id) for hit in store.search(name, vectors(1, seed=5)[0], limit=3)] for name in ("old", "new")]
    assert all(answer in right for answer in answers)
    assert all(answer in answers for answer in right)


def test_a_search_through_the_view_uses_the_index(store: VectorStore, application: Callable[..., Application]) -> None:
    _made(store, "old", 300)
    store.set_alias("live", "old", expected=None)
    asking = application()
    asking.rows("SELECT set_config('enable_seqscan', 'off', false) FROM {} LIMIT 1")
    query = vector_text(vectors(1)[0])
    plan = asking.rows("EXPLAIN SELECT id, payload FROM {} ORDER BY vector <=> %s::vector LIMIT 5", query)
    assert "_hnsw on old" in str(plan)


@pytest.mark.parametrize("alias", ['a "quoted" name', "Größe & more", "x" * 100, "console_collections", "SELECT"])
def test_an_alias_of_any_name_has_a_view(store: VectorStore, alias: str) -> None:
    _made(store, "old", 3)
    _made(store, "new " + alias, 2)
    store.set_alias(alias, "old", expected=None)
    store.set_alias(alias, "new " + alias, expected="old")
    assert ids(list(store.scroll(alias))) == [0, 1]
    assert store.aliases() == {alias: "new " + alias}


def test_an_alias_does_not_take_the_name_of_a_table_that_is_not_the_consoles(
    postgres: Postgres, store: VectorStore
) -> None:
    _made(store, "old", 1)
    postgres.execute(f"CREATE TABLE {_schema(store)}.live (mine int)")
    with pytest.raises(AliasConflict, match="not the console's"):
        store.set_alias("live", "old", expected=None)
    assert store.aliases() == {}


def test_of_two_that_move_an_alias_at_once_one_wins_and_the_other_is_told(
    postgres: Postgres, store: VectorStore
) -> None:
    for name in ("old", "one", "two"):
        _made(store, name, 1)
    store.set_alias("live", "old", expected=None)
    outcomes: dict[str, str] = {}

    def move(to: str) -> None:
        try:
            store.set_alias("live", to, expected="old")
            outcomes[to] = "moved"
        except AliasConflict as error:
            outcomes[to] = error.message

    threads = [threading.Thread(target=move, args=(to,)) for to in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = store.aliases()["live"]
    loser = {"one": "two", "two": "one"}[served]
    assert outcomes[served] == "moved"
    assert f'points to "{served}"' in outcomes[loser]
