"""Vector columns of an application's own table as collections, and the name that is searched as an alias."""

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from console_core.errors import (
    AliasConflict,
    CollectionExists,
    CollectionNotFound,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.postgres import Postgres
from tests.unit.vectorstore.column_world import FUNCTION, NEW, OLD, SERVED, TABLE, World, vector, vectors, world_of


@pytest.fixture
def world(postgres: Postgres) -> Iterator[World]:
    with world_of(postgres, TABLE + FUNCTION) as found:
        yield found


# What is there


def test_the_searched_column_is_a_collection_behind_an_alias_and_nothing_is_written_to_say_so(world: World) -> None:
    [found] = world.store.collections()
    assert (found.name, found.dimension, found.distance, found.points) == (OLD, 4, "cosine", 20)
    assert (found.stamp, found.aliases, found.status, found.index) == (None, (SERVED,), "green", {})
    assert world.store.aliases() == {SERVED: OLD}
    assert found.payload_fields == ("id", "title", "user")
    assert world.rows("SELECT to_regclass('console_columns')") == [(None,)]
    assert world.columns() == ["id integer", "title text", "user integer", "embedding vector(4)"]


def test_a_vector_of_the_application_has_its_row_as_payload(world: World) -> None:
    [point] = world.store.retrieve(SERVED, [7], vectors=True)
    assert (point.id, point.payload) == (7, {"id": 7, "title": "picture 7", "user": 1})
    assert point.vector is not None
    np.testing.assert_allclose(point.vector[2:], [0.5, 0.7], atol=1e-6)


def test_only_the_named_columns_are_payload_where_some_are_named(world: World) -> None:
    [point] = world.reopen(payload=("title",)).retrieve(SERVED, [7])
    assert point.payload == {"title": "picture 7"}


def test_more_columns_than_a_function_of_postgresql_takes_are_payload_all_the_same(postgres: Postgres) -> None:
    many = ", ".join(f"c{n} int DEFAULT {n}" for n in range(120))
    with world_of(postgres, f"CREATE TABLE images (id int PRIMARY KEY, {many}, embedding vector(2))") as world:
        world.do("INSERT INTO images (id, embedding) VALUES (1, '[1,0]')")
        [point] = world.store.retrieve(SERVED, [1])
        assert point.payload == {"id": 1, **{f"c{n}": n for n in range(120)}}


def test_every_vector_column_of_the_table_is_a_collection(world: World) -> None:
    world.do("ALTER TABLE images ADD COLUMN tried vector(3); UPDATE images SET tried = '[1,2,3]' WHERE id < 4")
    assert {found.name: found.points for found in world.store.collections()} == {OLD: 20, "images.tried": 3}


def test_a_column_that_leaves_the_length_open_has_that_of_its_vectors(postgres: Postgres) -> None:
    with world_of(postgres, "CREATE TABLE images (id int PRIMARY KEY, embedding vector)") as world:
        [found] = world.store.collections()
        assert (found.name, found.dimension) == ("images.embedding_former", 0)
        assert "has none yet" in found.problem
        world.do("INSERT INTO images VALUES (1, '[1,0]')")
        [found] = world.store.collections()
        assert (found.dimension, found.problem) == (2, "")


@pytest.mark.parametrize(
    ("statements", "table", "words"),
    [
        ("", {}, "names the table .* does not have"),
        ("CREATE TABLE images (id int PRIMARY KEY, vec vector(2))", {}, 'no column "embedding"'),
        ("CREATE TABLE images (id int PRIMARY KEY, embedding vector(2))", {"payload": ("x",)}, 'no column "x"'),
        ("CREATE TABLE images (id text PRIMARY KEY, embedding vector(2))", {}, r"\(text\) cannot tell its rows apart"),
        ("CREATE TABLE images (id int NOT NULL, embedding vector(2))", {}, r"\(int4\) cannot tell its rows apart"),
        ("CREATE TABLE images (id int UNIQUE, embedding vector(2))", {}, r"\(int4\) cannot tell its rows apart"),
        ("CREATE TABLE images (id int PRIMARY KEY, embedding halfvec(2))", {}, "is halfvec, not vector"),
        ("CREATE TABLE images (id int PRIMARY KEY, embedding real[])", {}, "not vector"),
        ('CREATE TABLE images (id int PRIMARY KEY, "a%b" vector(2))', {"vector": "a%b"}, 'because of its "%"'),
        (
            "CREATE TABLE t (id int PRIMARY KEY, embedding vector(2)); CREATE VIEW images AS SELECT * FROM t",
            {},
            "is a view",
        ),
        (
            "CREATE TABLE images (id int PRIMARY KEY, embedding vector(2)) PARTITION BY RANGE (id)",
            {},
            "is a partitioned table",
        ),
    ],
)
def test_a_table_that_cannot_be_used_as_it_is_configured_is_refused_by_name(
    postgres: Postgres, statements: str, table: dict[str, Any], words: str
) -> None:
    with world_of(postgres, statements, **table) as world, pytest.raises(StoreRefused, match=words) as caught:
        world.store.collections()
    assert "[store.tables.images]" in caught.value.message
    assert caught.value.remedy


def test_names_with_spaces_quotes_dots_and_other_letters_are_names_like_any(postgres: Postgres) -> None:
    table = '"weird ""t"" ; drop.x"'
    with world_of(
        postgres, f'CREATE TABLE {table} ("the key" int PRIMARY KEY, "Größe ;" int, "in %" int, "em bed" vector(2))'
    ) as w:
        w.do(f"INSERT INTO {table} VALUES (1, 5, 9, '[1,0]'), (2, 6, 9, '[0,1]')")
        store = w.reopen(table=f'{w.schema}.weird "t" ; drop.x', key="the key", vector="em bed")
        assert store.aliases() == {"images.em bed": "images.em bed_2"}
        assert [point.payload for point in store.scroll("images.em bed")] == [
            {"the key": 1, "Größe ;": 5},
            {"the key": 2, "Größe ;": 6},
        ]
        store.create("images.neu ü", CollectionSpec(3))
        store.upsert("images.neu ü", vectors(2, 3))
        store.restore_index("images.neu ü")
        store.set_alias("images.em bed", "images.neu ü", expected="images.em bed_2")
        assert store.search("images.em bed", vector([1, 0, 0]))[0].payload.keys() == {"caption"}
        assert w.columns(table)[3:] == ["em bed_2 vector(2)", "em bed vector(3)", "neu ü_console jsonb"]


def test_rows_may_be_told_by_uuids(postgres: Postgres) -> None:
    keys = sorted(str(uuid.UUID(int=number)) for number in (7, 2**70, 2**127))
    with world_of(postgres, "CREATE TABLE images (id uuid PRIMARY KEY, embedding vector(2))") as world:
        for key in keys:
            world.do(f"INSERT INTO images VALUES ('{key}', '[1,0]')")
        assert [point.id for point in world.store.scroll(SERVED, page_size=2)] == keys
        assert [point.id for point in world.store.page(SERVED, after=5)[0]] == keys
        assert [point.id for point in world.store.page(SERVED, after=keys[0])[0]] == keys[1:]
        world.store.create("images.new", CollectionSpec(3))
        world.store.upsert("images.new", [Point(keys[1], np.ones(3, dtype=np.float32), {"a": 1})])
        assert [point.id for point in world.store.retrieve("images.new", keys)] == [keys[1]]
        world.store.delete("images.new", keys)
        assert world.store.count("images.new") == 0


# A column beside it


def test_a_new_collection_is_an_empty_column_whose_index_waits_for_its_vectors(world: World) -> None:
    world.store.create(NEW, CollectionSpec(6, stamp=ModelStamp("demo", "f00d", "fast"), index={"m": 8}))
    found = world.store.describe(NEW)
    assert (found.points, found.dimension, found.index_deferred, found.status) == (0, 6, True, "grey")
    assert found.stamp == ModelStamp("demo", "f00d", "fast")
    assert world.columns()[3:] == ["embedding vector(4)", "embedding_new vector(6)", "embedding_new_console jsonb"]
    assert world.store.aliases() == {SERVED: OLD}
    world.store.upsert(NEW, vectors(20, 6))
    world.store.restore_index(NEW)
    found = world.store.describe(NEW)
    assert (found.points, found.index_deferred, found.status) == (20, False, "green")
    assert found.index == {"m": 8, "ef_construct": 100}
    assert world.rows("SELECT indexdef FROM pg_indexes WHERE indexname = 'images_embedding_new_hnsw'") == [
        (
            f"CREATE INDEX images_embedding_new_hnsw ON {world.schema}.images USING hnsw (embedding_new "
            "vector_cosine_ops) WITH (m='8', ef_construction='100')",
        )
    ]


def test_vectors_of_more_than_2000_numbers_are_indexed_over_half_precision_copies(world: World) -> None:
    world.built(dimension=2100)
    [(definition,)] = world.rows("SELECT indexdef FROM pg_indexes WHERE indexname = 'images_embedding_new_hnsw'")
    assert "(((embedding_new)::halfvec(2100)) halfvec_cosine_ops)" in definition
    assert world.store.describe(NEW).index == {"m": 16, "ef_construct": 100}
    assert len(world.store.search(NEW, vector([1] * 2100), limit=3)) == 3


def test_the_old_column_answers_as_before_while_the_new_one_is_filled(world: World) -> None:
    before = world.store.search(SERVED, vector([1, 0, 0, 0]), limit=5)
    world.built()
    assert world.store.search(SERVED, vector([1, 0, 0, 0]), limit=5) == before


@pytest.mark.parametrize("name", ["images.embedding", OLD, "images.title", "images.embedding_new"])
def test_a_name_that_a_column_has_is_taken(world: World, name: str) -> None:
    world.do("ALTER TABLE images ADD COLUMN embedding_new_console text")
    with pytest.raises(CollectionExists, match="Choose another name"):
        world.store.create(name, CollectionSpec(6))


def test_a_name_longer_than_postgresql_keeps_is_refused(world: World) -> None:
    with pytest.raises(StoreRefused, match="63 bytes"):
        world.store.create(f"images.{'x' * 64}", CollectionSpec(6))
    world.store.create(f"images.{'x' * 63}", CollectionSpec(6))
    world.store.upsert(f"images.{'x' * 63}", vectors(1, 6))
    assert world.store.count(f"images.{'x' * 63}") == 1


def test_a_point_that_is_no_row_is_refused_by_its_id_and_nothing_is_written(world: World) -> None:
    world.store.create(NEW, CollectionSpec(6))
    with pytest.raises(StoreRefused, match=r"2 of the points are no rows of .*\.images, such as 21, 22"):
        world.store.upsert(NEW, vectors(22, 6))
    assert world.store.count(NEW) == 0
    assert world.rows("SELECT count(*) FROM images") == [(20,)]


def test_deleting_a_point_empties_its_row_and_deletes_none(world: World) -> None:
    world.built()
    world.store.delete(NEW, [3, 4, 99])
    assert world.store.count(NEW) == 18
    assert world.rows("SELECT count(*), count(embedding_new), count(embedding_new_console) FROM images") == [
        (20, 18, 18)
    ]


def test_writing_to_the_applications_own_column_keeps_a_payload_beside_it(world: World) -> None:
    world.store.upsert(SERVED, vectors(1, 4))
    assert world.store.retrieve(SERVED, [1, 2])[0].payload == {"caption": "picture 1"}
    assert world.store.retrieve(SERVED, [1, 2])[1].payload == {"id": 2, "title": "picture 2", "user": 2}
    assert world.columns()[-1] == "embedding_4_console jsonb"


def test_the_applications_own_index_is_left_alone(world: World) -> None:
    world.store.defer_index(OLD)
    world.store.restore_index(OLD)
    assert world.switching().index == "ivfflat, lists 2, cosine"
    assert world.rows(
        "SELECT count(*) FROM pg_indexes WHERE tablename = 'images' AND schemaname = %s", world.schema
    ) == [(2,)]


def test_a_stamp_on_the_applications_column_is_kept_as_long_as_the_column_is_the_same(world: World) -> None:
    world.store.stamp(SERVED, ModelStamp("clip", "beef"))
    assert world.reopen().describe(OLD).stamp == ModelStamp("clip", "beef")
    world.do("DROP INDEX images_embedding_idx; ALTER TABLE images ALTER embedding TYPE vector(5) USING '[1,2,3,4,5]'")
    assert world.store.describe(SERVED).stamp is None


def test_an_index_that_was_broken_off_is_built_anew(world: World) -> None:
    world.store.create(NEW, CollectionSpec(6))
    world.store.upsert(NEW, vectors(20, 6))
    world.do("CREATE INDEX images_embedding_new_hnsw ON images USING hnsw (embedding_new vector_cosine_ops)")
    world.do("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'images_embedding_new_hnsw'::regclass")
    assert world.store.describe(NEW).status == "yellow"
    world.store.restore_index(NEW)
    assert world.store.describe(NEW).status == "green"


# The switch


def test_another_column_takes_the_searched_name_and_gives_it_back(world: World) -> None:
    new = world.built()
    before = world.rows("SELECT id, embedding::text FROM images ORDER BY id")
    world.store.set_alias(SERVED, new, expected=OLD)
    assert world.store.aliases() == {SERVED: NEW}
    assert world.columns()[3:] == ["embedding_4 vector(4)", "embedding vector(6)", "embedding_new_console jsonb"]
    assert {found.name: found.points for found in world.store.collections()} == {OLD: 20, NEW: 20}
    assert world.rows("SELECT vector_dims(embedding) FROM images GROUP BY 1") == [(6,)]
    world.store.set_alias(SERVED, OLD, expected=NEW)
    assert world.store.aliases() == {SERVED: OLD}
    assert world.columns()[3:] == ["embedding vector(4)", "embedding_new vector(6)", "embedding_new_console jsonb"]
    assert world.rows("SELECT id, embedding::text FROM images ORDER BY id") == before
    assert world.store.describe(NEW).index == {"m": 16, "ef_construct": 100}


def test_a_function_takes_the_new_models_vectors_from_then_on_and_the_old_ones_after_a_rollback(world: World) -> None:
    new = world.built()
    call = "SELECT id FROM match_images(%s::vector, 3)"
    old_query, new_query = "[1,0,0,0]", "[1,0,0,0,0,0]"
    before = world.rows(call, old_query)
    assert world.switching().follows == (f"the function {world.schema}.match_images",)
    with pytest.raises(psycopg.errors.DataException, match="expected 4 dimensions, not 6"):
        world.rows(call, new_query)
    world.store.set_alias(SERVED, new, expected=OLD)
    nearest = world.store.search(new, vector([1, 0, 0, 0, 0, 0]), limit=3)
    assert [row[0] for row in world.rows(call, new_query)] == [hit.id for hit in nearest]
    with pytest.raises(psycopg.errors.DataException, match="expected 6 dimensions, not 4"):
        world.rows(call, old_query)
    world.store.set_alias(SERVED, OLD, expected=new)
    assert world.rows(call, old_query) == before


def test_a_function_whose_body_postgresql_binds_to_columns_follows_too(world: World) -> None:
    world.do(
        "CREATE FUNCTION near(wanted int) RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC "
        "SELECT o.id FROM images i, images o WHERE i.id = wanted ORDER BY i.embedding <=> o.embedding, o.id; END"
    )
    new = world.built()
    before = world.rows("SELECT near(1)")
    world.store.set_alias(SERVED, new, expected=OLD)
    [point] = world.store.retrieve(new, [1], vectors=True)
    assert point.vector is not None
    nearest = world.store.search(new, point.vector, limit=20)
    assert [row[0] for row in world.rows("SELECT near(1)")] == [hit.id for hit in nearest] != [row[0] for row in before]
    world.store.set_alias(SERVED, OLD, expected=new)
    assert world.rows("SELECT near(1)") == before


def test_only_the_named_functions_follow_where_some_are_named(world: World) -> None:
    world.do(FUNCTION.replace("match_images", "other"))
    new = world.built()
    store = world.reopen(functions=("other",))
    store.set_alias(SERVED, new, expected=OLD)
    assert world.rows("SELECT count(*) FROM other('[1,0,0,0,0,0]', 3)") == [(3,)]
    with pytest.raises(psycopg.errors.DataException, match="expected 4 dimensions"):
        world.rows("SELECT * FROM match_images('[1,0,0,0,0,0]', 3)")
    with pytest.raises(StoreRefused, match="names the function none, which the database does not have"):
        world.reopen(functions=("none",)).set_alias(SERVED, OLD, expected=new)


def test_views_show_the_new_column_with_the_grants_comments_and_options_that_they_had(world: World) -> None:
    role = f"reader_{uuid.uuid4().hex[:8]}"
    world.do(
        f"CREATE ROLE {role}; CREATE VIEW shown WITH (security_barrier=true) AS SELECT id, embedding FROM images; "
        "CREATE VIEW lengths AS SELECT id, vector_dims(embedding) AS length FROM shown; CREATE VIEW titles AS SELECT "
        f"id, title FROM images; GRANT SELECT ON shown TO {role} WITH GRANT OPTION; GRANT SELECT ON lengths TO PUBLIC; "
        "COMMENT ON VIEW shown IS 'it''s shown'; COMMENT ON COLUMN shown.embedding IS 'the vector'"
    )
    try:
        acl = (
            "SELECT relname::text, relacl::text, reloptions FROM pg_class WHERE relname IN ('shown', 'lengths') "
            "AND relnamespace = current_schema()::regnamespace ORDER BY 1"
        )
        before, titles = world.rows(acl), world.rows("SELECT 'titles'::regclass::oid")
        new = world.built()
        assert world.switching().follows[:2] == (f"the view {world.schema}.shown", f"the view {world.schema}.lengths")
        world.store.set_alias(SERVED, new, expected=OLD)
        assert world.rows("SELECT DISTINCT length FROM lengths") == [(6,)]
        assert world.rows(acl) == before
        assert world.rows("SELECT obj_description('shown'::regclass), col_description('shown'::regclass, 2)") == [
            ("it's shown", "the vector")
        ]
        assert world.rows("SELECT 'titles'::regclass::oid") == titles
        world.store.set_alias(SERVED, OLD, expected=new)
        assert world.rows("SELECT DISTINCT length FROM lengths") == [(4,)]
    finally:
        world.do(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_alias_of_the_consoles_own_stays_with_its_column(world: World) -> None:
    new = world.built()
    world.store.set_alias("tried", OLD, expected=None)
    world.store.set_alias(SERVED, new, expected=OLD)
    assert world.store.aliases() == {SERVED: NEW, "tried": OLD}
    assert len(world.store.search("tried", vector([1, 0, 0, 0]))) == 10


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("ALTER TABLE images ADD COLUMN norm float GENERATED ALWAYS AS (vector_norm(embedding)) STORED", "norm"),
        ("ALTER TABLE images ADD CONSTRAINT filled CHECK (embedding IS NOT NULL)", "filled"),
        ("CREATE POLICY seen ON images USING (embedding IS NOT NULL)", "seen"),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touched "
            "AFTER UPDATE OF embedding ON images FOR EACH ROW EXECUTE FUNCTION f()",
            "touched",
        ),
        ("GRANT SELECT (id, embedding) ON images TO PUBLIC", "grants on the column embedding"),
        ("CREATE MATERIALIZED VIEW kept AS SELECT id, embedding FROM images", "kept"),
        (
            "CREATE VIEW w AS SELECT id, embedding FROM images; CREATE RULE r AS ON DELETE TO w DO INSTEAD NOTHING",
            "rules",
        ),
    ],
)
def test_what_would_stay_with_the_former_column_forbids_the_switch_and_is_told_before(
    world: World, statement: str, what: str
) -> None:
    new = world.built()
    world.do(statement)
    columns = world.columns()
    [blocked] = world.switching().blocked
    assert what in blocked
    with pytest.raises(StoreRefused, match=f"{what}.* would stay with the former one"):
        world.store.set_alias(SERVED, new, expected=OLD)
    assert world.columns() == columns
    assert world.store.aliases() == {SERVED: OLD}


def test_rows_that_the_application_adds_after_the_switch_need_no_former_vector(world: World) -> None:
    new = world.built()
    world.store.set_alias(SERVED, new, expected=OLD)
    world.do("INSERT INTO images (title, embedding) VALUES ('late', '[1,2,3,4,5,6]')")
    assert (world.store.count(NEW), world.store.count(OLD)) == (21, 20)


def test_a_reader_that_holds_the_table_makes_the_switch_fail_with_nothing_changed(
    world: World, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_core.vectorstore.pgvector_server.LOCK_TIMEOUT", 0.05)
    new = world.built()
    columns = world.columns()
    with postgres.connect() as reader:
        reader.autocommit = False
        reader.execute(f"SELECT 1 FROM {world.schema}.images".encode())
        with pytest.raises(StoreUnavailable, match="held up by another session"):
            world.store.set_alias(SERVED, new, expected=OLD)
        assert world.columns() == columns
    world.store.set_alias(SERVED, new, expected=OLD)
    assert world.store.aliases() == {SERVED: NEW}


def test_only_a_column_of_the_same_table_can_take_the_name(world: World) -> None:
    world.store.create("elsewhere", CollectionSpec(6))
    with pytest.raises(AliasConflict, match=r"only another column of .*\.images can take"):
        world.store.set_alias(SERVED, "elsewhere", expected=OLD)
    with pytest.raises(CollectionNotFound):
        world.store.set_alias(SERVED, "images.nowhere", expected=OLD)


def test_an_expectation_that_does_not_hold_moves_nothing(world: World) -> None:
    new = world.built()
    with pytest.raises(AliasConflict, match="Somebody else moved it"):
        world.store.set_alias(SERVED, new, expected=NEW)
    assert world.store.aliases() == {SERVED: OLD}


def test_the_former_column_is_dropped_as_an_act_of_its_own_and_the_searched_one_never(world: World) -> None:
    new = world.built()
    with pytest.raises(AliasConflict, match="being searched through"):
        world.store.drop(OLD)
    world.store.set_alias(SERVED, new, expected=OLD)
    with pytest.raises(AliasConflict, match="being searched through"):
        world.store.drop(NEW)
    world.store.drop(OLD)
    assert [found.name for found in world.store.collections()] == [NEW]
    assert world.columns()[3:] == ["embedding vector(6)", "embedding_new_console jsonb"]


def test_searches_run_throughout_many_switches_without_one_error_or_mixed_answer(
    world: World, postgres: Postgres
) -> None:
    new = world.built()
    world.do(
        "CREATE FUNCTION near(wanted int) RETURNS TABLE (id int) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY "
        "SELECT o.id FROM images i, images o WHERE i.id = wanted ORDER BY i.embedding <=> o.embedding, o.id LIMIT 5; "
        "END $$"
    )
    queries = {OLD: vector([1.0, 0, 0, 0]), NEW: vector([1.0, 0, 0, 0, 0, 0])}
    right = {name: [hit.id for hit in world.store.search(name, query, limit=5)] for name, query in queries.items()}
    neighbours = {OLD: world.rows("SELECT id FROM near(7)")}
    world.store.set_alias(SERVED, new, expected=OLD)
    neighbours[NEW] = world.rows("SELECT id FROM near(7)")
    world.store.set_alias(SERVED, OLD, expected=new)
    stop, wrong, asked = threading.Event(), list[object](), [0, 0]

    def console() -> None:
        while not stop.is_set():
            for name, query in queries.items():
                found = [hit.id for hit in world.store.search(name, query, limit=5)]
                asked[0] += 1
                if found != right[name]:
                    wrong.append(found)

    def application() -> None:
        with postgres.connect() as connection:
            connection.execute(f"SET search_path TO {world.schema}, public".encode())
            while not stop.is_set():
                found = connection.execute("SELECT id FROM near(7)").fetchall()
                asked[1] += 1
                if found not in neighbours.values():
                    wrong.append(found)

    failed: list[BaseException] = []

    def watched(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)

        return run

    threads = [threading.Thread(target=watched(work)) for work in (console, application, application)]
    for thread in threads:
        thread.start()
    here, there = OLD, NEW
    for _ in range(10):
        world.store.set_alias(SERVED, there, expected=here)
        here, there = there, here
    stop.set()
    for thread in threads:
        thread.join()
    assert (failed, wrong) == ([], [])
    assert min(asked) > 10
