"""docs/vector-column.md from start to end: a vector column of an application's own table gets another model."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import PICTURES
from tests.how_to import commands, done, run
from tests.lifecycle.workspaces import opened
from tests.postgres import Postgres
from tests.vector_column import GUIDE, INSTEAD, NEW, OLD, Guided, guided_by


@pytest.fixture
def guided(postgres: Postgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guided]:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    with guided_by(postgres, url, tmp_path / "workspace") as found:
        yield found


@pytest.fixture
def few(postgres: Postgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guided]:
    """The same with little to build, for what is refused."""
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    with guided_by(postgres, url, tmp_path / "workspace", pictures=2) as found:
        yield found


def test_the_guide_works_from_start_to_end_while_the_application_searches(guided: Guided, postgres: Postgres) -> None:
    before = guided.near(7)
    collections, stamp, plan, migrate, cutover, rollback, again, backup, retire = commands(GUIDE, INSTEAD)
    [found] = json.loads(done(guided.workspace, *collections, "--json").stdout)
    assert (found["name"], found["points"], found["aliases"]) == (OLD, PICTURES, ["images.embedding"])
    done(guided.workspace, *stamp)

    stop, seen, failed = threading.Event(), set[tuple[int, ...]](), list[BaseException]()

    def search() -> None:
        try:
            with postgres.connect() as connection:
                connection.execute(f"SET search_path TO {guided.schema}, public".encode())
                app = Guided(guided.workspace, connection, guided.schema)
                while not stop.is_set():
                    seen.add(tuple(app.near(7)))
        except BaseException as error:
            failed.append(error)

    application = threading.Thread(target=search)
    application.start()
    try:
        findings = {
            one["code"]: one["message"]
            for one in json.loads(done(guided.workspace, *plan, "--json").stdout)["findings"]
        }
        assert f"the function {guided.schema}.match_images" in findings["switch"]
        assert "ivfflat, lists 100, cosine" in findings["switch"]
        assert guided.columns().keys() == {"id", "path", "title", "embedding"}
        done(guided.workspace, *migrate)
        assert seen == {tuple(before)}
        done(guided.workspace, *cutover)
        assert guided.columns() == {
            "id": "bigint",
            "path": "text",
            "title": "text",
            "embedding": "vector(192)",
            "embedding_128": "vector(128)",
            "embedding__demo-siglip_console": "jsonb",
        }
        after = guided.near(7)
        assert after[0] == 7
        with pytest.raises(psycopg.errors.DataException, match="expected 192 dimensions, not 128"):
            guided.app.execute("SELECT * FROM match_images((SELECT embedding_128 FROM images LIMIT 1), 5)")
        done(guided.workspace, *rollback)
        assert guided.near(7) == before
        assert guided.columns()["embedding"] == "vector(128)"
        done(guided.workspace, *again)
        assert guided.near(7) == after
    finally:
        stop.set()
        application.join()
    assert failed == []
    assert seen <= {tuple(before), tuple(after)}
    index = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND indexdef LIKE '%%hnsw%%'"
    [(definition,)] = guided.app.execute(index, (guided.schema,)).fetchall()
    assert "USING hnsw (embedding vector_cosine_ops) WITH (m='16', ef_construction='100')" in definition
    done(guided.workspace, *backup)
    done(guided.workspace, *retire)
    assert "embedding_128" not in guided.columns()
    assert guided.near(7) == after


def test_a_picture_that_the_application_adds_meanwhile_is_caught_up_in_the_new_column(guided: Guided) -> None:
    _, stamp, _, migrate, cutover, rollback, *_ = commands(GUIDE, INSTEAD)
    done(guided.workspace, *stamp)
    done(guided.workspace, *migrate)
    vector = guided.app.execute("SELECT embedding::text FROM images WHERE id = 1").fetchone()
    assert vector is not None
    guided.app.execute("INSERT INTO images (path, title, embedding) VALUES ('0001.jpg', 'late', %s::vector)", vector)
    done(guided.workspace, "catch-up", NEW)
    assert guided.app.execute('SELECT count("embedding__demo-siglip") FROM images').fetchone() == (PICTURES + 1,)
    done(guided.workspace, *cutover)
    guided.app.execute("DELETE FROM images WHERE title = 'late'")
    done(guided.workspace, *rollback)


def test_what_forbids_the_switch_is_told_by_the_plan_before_anything_is_built(few: Guided) -> None:
    few.app.execute("ALTER TABLE images ADD CONSTRAINT filled CHECK (embedding IS NOT NULL)")
    _, _, plan, migrate, *_ = commands(GUIDE, INSTEAD)
    for command in (plan, migrate):
        refused = run(few.workspace, *command)
        assert refused.exit_code == 1
        assert "filled" in refused.output
    assert few.columns().keys() == {"id", "path", "title", "embedding"}


def test_a_target_outside_of_the_table_is_refused_before_it_is_built(few: Guided) -> None:
    from console_core.migration.findings import Request
    from console_core.migration.preflight import preflight

    with opened(few.workspace) as console:
        found = preflight(console.preflight_parts(), Request("images.embedding", "demo-siglip", target="elsewhere"))
    assert found.has("target-elsewhere")
    assert found.plan is None
