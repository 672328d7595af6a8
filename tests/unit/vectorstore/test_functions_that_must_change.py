"""Functions that would break at the switch of a vector column: they follow, or they are told before it."""

import uuid
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from console_core.catalog.sql import SqlCatalog
from console_core.migration.findings import Finding, Severity
from console_core.migration.preflight.switching import about_switching
from console_core.settings import CatalogSettings
from tests.postgres import Postgres
from tests.unit.vectorstore.column_world import FUNCTION, NEW, OLD, SERVED, TABLE, World, world_of

CHECKING = """
CREATE FUNCTION near(query vector) RETURNS SETOF int LANGUAGE plpgsql STABLE {more} AS $$ BEGIN
    IF vector_dims(query) <> {length} THEN RAISE EXCEPTION 'not of this model'; END IF;
    RETURN QUERY SELECT id FROM images ORDER BY embedding <=> query LIMIT 5;
END $$;
"""
QUOTED = 'we"ird'
SPELLED = '"we""ird"'


@pytest.fixture
def world(postgres: Postgres) -> Iterator[World]:
    with world_of(postgres, TABLE + FUNCTION) as found:
        yield found


def told(world: World, code: str, updated_at: str = "") -> list[Finding]:
    url = f"postgresql+psycopg://postgres@/postgres?host={world.app.info.host}"
    settings = CatalogSettings("sql", url, f"{world.schema}.images", paths=("title",), updated_at=updated_at)
    with closing(SqlCatalog(settings)) as catalog:
        return [one for one in about_switching(world.store, catalog, SERVED, NEW) if one.code == code]


def test_a_function_follows_a_column_and_a_table_with_double_quotes_in_their_names(postgres: Postgres) -> None:
    made = TABLE.replace("images", SPELLED).replace(f"{SPELLED}_embedding_idx", "by_cosine")
    called = FUNCTION.replace("images ORDER", f"{SPELLED} ORDER")
    made, called = (text.replace("embedding ", f"{SPELLED} ") for text in (made, called))
    with world_of(postgres, made.replace(", embedding)", f", {SPELLED})") + called, vector=QUOTED) as world:
        world.store = world.reopen(table=f"{world.schema}.{QUOTED}", vector=QUOTED)
        [old] = world.store.collections()
        searched = f"images.{QUOTED}"
        assert world.store.aliases() == {searched: old.name}
        world.store.set_alias(searched, world.built(), expected=old.name)
        near = "SELECT id FROM match_images('[1,0,0,0,0,0]', 3)"
        assert len(world.rows(near)) == 3
        assert "vector(6)" in world.rows("SELECT pg_get_functiondef('match_images'::regproc)")[0][0]


@pytest.mark.parametrize(
    ("length", "more", "is_told"), [("4", "", True), ("0.4", "", False), ("14", "ROWS 4", False), ("$1.x4", "", False)]
)
def test_a_function_with_the_length_as_a_bare_number_is_told_before_it_breaks(
    world: World, length: str, more: str, is_told: bool
) -> None:
    world.do("SET check_function_bodies = off; " + CHECKING.format(length=length, more=more))
    found = told(world, "switch-left")
    assert [one.severity for one in found] == [Severity.WARN] * is_told
    assert all(f"{world.schema}.near" in one.message and "number 4" in one.message for one in found)
    if not is_told:
        return
    world.store.set_alias(SERVED, world.built(), expected=OLD)
    with pytest.raises(psycopg.errors.RaiseException, match="not of this model"):
        world.rows("SELECT near('[1,0,0,0,0,0]')")


def test_a_function_that_follows_is_told_too_where_it_has_the_length_as_a_bare_number_beside(world: World) -> None:
    world.do(CHECKING.format(length=4, more="").replace("query LIMIT", "query::vector(4) LIMIT"))
    assert f"the function {world.schema}.near" in world.switching().follows
    assert len(told(world, "switch-left")) == 1
    world.store = world.reopen(functions=("near", "match_images"))
    assert [one.severity for one in told(world, "switch-left")] == [Severity.WARN]


def test_a_function_of_a_trigger_on_the_table_is_about_the_column_that_it_names(world: World) -> None:
    world.do(
        "CREATE FUNCTION checked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF vector_dims(NEW.embedding) <> 4 THEN RETURN NULL; END IF; RETURN NEW; END $$;"
        "CREATE TABLE other (embedding vector);"
        "CREATE TRIGGER elsewhere BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION checked()"
    )
    assert told(world, "switch-left") == []
    world.do("CREATE TRIGGER here BEFORE INSERT ON images FOR EACH ROW EXECUTE FUNCTION checked()")
    [finding] = told(world, "switch-left")
    assert f"{world.schema}.checked" in finding.message


def test_a_function_in_another_language_is_told_and_left_as_it_is(world: World) -> None:
    language = f"other_{uuid.uuid4().hex[:8]}"
    world.do(f"CREATE LANGUAGE {language} HANDLER plpgsql_call_handler")
    try:
        world.do(FUNCTION.replace("match_images", "foreign_one").replace("LANGUAGE sql", f"LANGUAGE {language}"))
        [finding] = told(world, "switch-left")
        assert f"{world.schema}.foreign_one ({language})" in finding.message
        world.store.set_alias(SERVED, world.built(), expected=OLD)
        assert "query::vector(4)" in world.rows("SELECT pg_get_functiondef('foreign_one'::regproc)")[0][0]
    finally:
        world.do(f"DROP LANGUAGE {language} CASCADE")


def test_without_a_column_that_tells_edits_no_trigger_is_told(world: World) -> None:
    world.do(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "/* the user is not known here */ RETURN NEW; END $$;"
        "CREATE TRIGGER touched BEFORE UPDATE ON images FOR EACH ROW EXECUTE FUNCTION touch()"
    )
    assert told(world, "switch-trigger") == []
    assert len(told(world, "switch-trigger", updated_at="user")) == 1
