"""Which functions and views follow when another column takes the searched name, and which must be left alone."""

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from console_core.catalog.sql import SqlCatalog
from console_core.errors import StoreDenied, StoreRefused
from console_core.migration.findings import Finding, Severity
from console_core.migration.preflight.switching import about_switching
from console_core.settings import CatalogSettings
from tests.postgres import Postgres
from tests.unit.vectorstore.column_world import FUNCTION, NEW, OLD, SERVED, TABLE, World, world_of

BESIDE = """
ALTER TABLE images ADD COLUMN thumb vector(4), ADD COLUMN small halfvec(3);
CREATE TABLE faces (id int, image_id int, embedding vector(4));
"""


@pytest.fixture
def world(postgres: Postgres) -> Iterator[World]:
    with world_of(postgres, TABLE + FUNCTION + BESIDE) as found:
        yield found


def function(name: str, body: str, schema: str = "") -> str:
    return f"CREATE FUNCTION {schema}{name}(q vector) RETURNS SETOF float LANGUAGE sql STABLE AS $$ {body} $$;"


def findings(world: World) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    url = f"postgresql+psycopg://postgres@/postgres?host={world.app.info.host}"
    settings = CatalogSettings("sql", url, f"{world.schema}.images", paths=("title",), updated_at="user")
    with closing(SqlCatalog(settings)) as catalog:
        for finding in about_switching(world.store, catalog, SERVED, NEW):
            found.setdefault(finding.code, []).append(finding)
    return found


def text(world: World, name: str) -> str:
    return str(world.rows("SELECT pg_get_functiondef(%s::regproc)", name)[0][0])


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ("SELECT thumb <-> q::vector(4) FROM images", False),
        ("SELECT embedding <-> q::vector(4) FROM faces", False),
        ("SELECT f.embedding <-> q::vector(4) FROM faces f JOIN images i ON i.id = f.image_id", True),
        ("SELECT embedding <-> q::vector(4) FROM images ORDER BY thumb <-> '[1,1,1,1]'::vector(4)", True),
    ],
)
def test_a_function_about_another_column_of_the_same_length_stays_as_it_is(
    world: World, body: str, is_told: bool
) -> None:
    world.do(function("beside", body))
    before = text(world, "beside")
    new = world.built()
    told = findings(world).get("switch-left", [])
    assert [one.severity for one in told] == [Severity.WARN] * is_told
    assert all(f"{world.schema}.beside" in one.message and "functions" in one.remedy for one in told)
    assert world.switching().follows == (f"the function {world.schema}.match_images",)
    world.store.set_alias(SERVED, new, expected=OLD)
    assert text(world, "beside") == before
    assert "vector(6)" in text(world, "match_images")


def test_a_function_that_names_columns_of_other_lengths_too_follows_with_its_own_length_only(world: World) -> None:
    world.do(
        function("mixed", "SELECT embedding <-> q::vector(4) FROM images ORDER BY small <-> '[1,1,1]'::halfvec(3)")
    )
    new = world.built()
    assert "switch-left" not in findings(world)
    world.store.set_alias(SERVED, new, expected=OLD)
    assert "q::vector(6)" in text(world, "mixed")
    assert "halfvec(3)" in text(world, "mixed")


def test_a_function_that_is_named_in_the_settings_follows_with_every_length_that_it_names(world: World) -> None:
    world.do(
        function("mixed", "SELECT embedding <-> q::vector(4) FROM images ORDER BY thumb <-> '[1,1,1,1]'::vector(4)")
    )
    new = world.built()
    world.reopen(functions=("mixed",)).set_alias(SERVED, new, expected=OLD)
    assert text(world, "mixed").count("vector(6)") == 2


def test_a_table_of_the_same_name_in_another_schema_is_another_table(world: World, postgres: Postgres) -> None:
    body = "SELECT embedding <-> q::vector(4) FROM {}images"
    third = f"{world.schema}_c"
    made = f"CREATE TABLE images (id int, embedding vector(4)); {function('f', body.format(''))}"
    with postgres.application(made) as b:
        at = f"{world.schema}."
        world.do(
            function("theirs", body.format(f"{b}."))
            + function("ours", body.format(at), f"{b}.")
            + function("pathed", body.format(""))
            + f"ALTER FUNCTION pathed SET search_path TO {b}, public; CREATE SCHEMA {third};"
            + function("unclear", body.format(""), f"{third}.")
        )
        try:
            new = world.built()
            follows = {f"the function {world.schema}.match_images", f"the function {b}.ours"}
            assert set(world.switching().follows) == follows
            assert world.switching().left == (f"{third}.unclear",)
            world.store.set_alias(SERVED, new, expected=OLD)
            lengths = {name: "vector(6)" in text(world, name) for name in (f"{b}.f", "theirs", f"{b}.ours", "pathed")}
            assert lengths == {f"{b}.f": False, "theirs": False, f"{b}.ours": True, "pathed": False}
        finally:
            world.do(f"DROP SCHEMA {third} CASCADE")


def test_a_bound_function_that_names_other_vectors_of_the_length_forbids_the_switch_and_is_told(world: World) -> None:
    made = "CREATE FUNCTION {}() RETURNS SETOF float LANGUAGE sql BEGIN ATOMIC SELECT {} FROM images; END"
    world.do(made.format("elsewhere", "thumb <-> '[1,1,1,1]'::vector(4)"))
    new = world.built()
    assert "switch-blocked" not in findings(world)
    world.do(made.format("mixed", "(embedding <-> thumb) + (thumb <-> '[1,1,1,1]'::vector(4))"))
    [finding] = findings(world)["switch-blocked"]
    assert f"{world.schema}.mixed" in finding.message
    with pytest.raises(StoreRefused, match="mixed"):
        world.store.set_alias(SERVED, new, expected=OLD)


def test_a_function_that_is_bound_to_a_view_forbids_making_the_view_again_and_is_told(world: World) -> None:
    new = world.built()
    world.do("CREATE VIEW shown AS SELECT id, embedding FROM images")
    assert "switch-blocked" not in findings(world)
    world.do("CREATE FUNCTION all_shown() RETURNS SETOF shown LANGUAGE sql AS 'SELECT * FROM shown'")
    [finding] = findings(world)["switch-blocked"]
    assert "all_shown" in finding.message
    with pytest.raises(StoreRefused, match="all_shown"):
        world.store.set_alias(SERVED, new, expected=OLD)


def test_what_another_role_owns_is_told_by_name_with_the_remedy_which_is_enough(
    world: World, postgres: Postgres
) -> None:
    console, owner = (f"{name}_{uuid.uuid4().hex[:8]}" for name in ("console", "owner"))
    new = world.built()
    [(place,)] = world.rows("SELECT table_schema FROM information_schema.tables WHERE table_name = 'console_columns'")
    world.do(
        f"CREATE ROLE {console} LOGIN; CREATE ROLE {owner}; CREATE VIEW shown AS SELECT id, embedding FROM images;"
        f"GRANT USAGE, CREATE ON SCHEMA {world.schema} TO {console}, {owner}; ALTER TABLE images OWNER TO {console};"
        f"ALTER VIEW shown OWNER TO {owner}; ALTER FUNCTION match_images OWNER TO {owner};"
        f"GRANT ALL ON SCHEMA {place} TO {console}; GRANT ALL ON ALL TABLES IN SCHEMA {place} TO {console};"
    )
    try:
        world.store = world.reopen(role=console)
        told = findings(world)["switch-foreign"]
        assert [one.severity for one in told] == [Severity.BLOCK] * 2
        for name, finding in zip(("shown", "match_images"), told, strict=True):
            assert f"{world.schema}.{name}" in finding.message
            assert owner in finding.message
            assert f"GRANT {owner}" in finding.remedy
        with pytest.raises(StoreDenied, match=rf"shown must be made again .*{owner} may.* Nothing was changed"):
            world.store.set_alias(SERVED, new, expected=OLD)
        assert world.store.aliases() == {SERVED: OLD}
        world.do(f"GRANT {owner} TO {console}")
        assert "switch-foreign" not in findings(world)
        world.store.set_alias(SERVED, new, expected=OLD)
        owners = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'shown'::regclass"
        assert world.rows(owners) == [(owner,)]
        assert "vector(6)" in text(world, "match_images")
    finally:
        world.do(f"DROP OWNED BY {console}, {owner} CASCADE; DROP ROLE {console}, {owner}")


def test_a_schema_that_we_may_make_nothing_in_is_told_with_the_grant_that_is_missing(
    world: World, postgres: Postgres
) -> None:
    console = f"console_{uuid.uuid4().hex[:8]}"
    world.built()
    [(place,)] = world.rows("SELECT table_schema FROM information_schema.tables WHERE table_name = 'console_columns'")
    world.do(
        f"CREATE ROLE {console} LOGIN; GRANT USAGE ON SCHEMA {world.schema} TO {console};"
        f"ALTER TABLE images OWNER TO {console}; ALTER FUNCTION match_images OWNER TO {console};"
        f"GRANT ALL ON SCHEMA {place} TO {console}; GRANT ALL ON ALL TABLES IN SCHEMA {place} TO {console};"
    )
    try:
        world.store = world.reopen(role=console)
        [finding] = findings(world)["switch-foreign"]
        assert f"CREATE on the schema {world.schema}" in finding.message
        assert f"CREATE ON SCHEMA {world.schema}" in finding.remedy
    finally:
        world.do(f"DROP OWNED BY {console} CASCADE; DROP ROLE {console}")


@pytest.mark.parametrize(
    ("when", "body", "is_told"),
    [
        ("UPDATE", 'NEW."user" = 7;', True),
        ("INSERT OR UPDATE", 'NEW."user" = 7;', True),
        ("UPDATE OF title", 'NEW."user" = 7;', False),
        ("INSERT", 'NEW."user" = 7;', False),
        ("UPDATE", "NEW.title = lower(NEW.title);", False),
    ],
)
def test_a_trigger_that_sets_the_catalogs_updated_at_at_every_update_is_told_by_name(
    world: World, when: str, body: str, is_told: bool
) -> None:
    world.do(
        f"CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;"
        f"CREATE TRIGGER touched BEFORE {when} ON images FOR EACH ROW EXECUTE FUNCTION touch()"
    )
    told = findings(world).get("switch-trigger", [])
    assert [one.severity for one in told] == [Severity.WARN] * is_told
    assert all("trigger touched" in one.message and "BEFORE UPDATE OF" in one.remedy for one in told)
