"""Another model for a vector column of an application's own table, from the first click to the way back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.runs.types import Run, RunState
from console_core.web import process
from tests.conftest import finish
from tests.postgres import Postgres
from tests.vector_column import NEW, OLD, Guided, guided_by

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CHECKING = """
CREATE FUNCTION checked(query vector) RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$ BEGIN
    IF vector_dims(query) <> 128 THEN RAISE EXCEPTION 'not of this model'; END IF;
    RETURN QUERY SELECT id FROM images ORDER BY embedding <=> query LIMIT 1;
END $$
"""


@pytest.fixture(name="guided")
def _guided(postgres: Postgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guided]:
    """The process's Console without a worker, and the application beside it."""
    with guided_by(postgres, url, tmp_path / "workspace", pictures=12) as found:
        monkeypatch.setenv("CONSOLE_WORKSPACE", str(found.workspace))
        monkeypatch.setenv("CONSOLE_ACTOR", "olga")
        process.stop()
        process.start()
        console = process.console()
        assert console.worker is not None
        console.worker.close()
        yield found
        process.stop()


def _done(console: Console, kind: str) -> Run:
    (run,) = (run for run in console.ledger.runs(kinds=(kind,)) if run.state is RunState.QUEUED)
    done = finish(console, run)
    assert done.state is RunState.SUCCEEDED, done.reason
    return done


def test_clicks_alone_give_a_vector_column_another_model_and_the_applications_function_answers_before_and_after(
    guided: Guided, open_page: OpenPage, said: Said
) -> None:
    console, before = process.console(), guided.near(7)
    guided.app.execute(CHECKING.encode())
    page = open_page("collections", collection=OLD)
    page.selectbox(key="stamp-model").select("demo-clip").run()
    page.button(key="stamp-check").click().run()
    page = open_page("migrations")
    page.button(key="new").click().run()
    page.button(key="served-images.embedding").click().run()
    page.button(key="model-demo-siglip").click().run()
    assert not page.exception
    told = said(page).replace("\\", "")
    assert f"the function {guided.schema}.match_images" in told
    assert f"The function {guided.schema}.checked (plpgsql)" in told
    page.button(key="start").click().run()
    _done(console, "reembed")
    page.run()
    page.button(key="verify").click().run()
    _done(console, "verify")
    page.run()
    assert guided.near(7) == before
    page.button(key=f"cut-over-images.embedding-{NEW}").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert guided.columns()["embedding"] == "vector(192)"
    assert guided.near(7)[0] == 7, "by vectors of the new length"
    with pytest.raises(psycopg.errors.DataException, match="expected 192 dimensions, not 128"):
        guided.app.execute("SELECT * FROM match_images((SELECT embedding_128 FROM images LIMIT 1), 5)")
    page.button(key="roll-back-images.embedding").click().run()
    page.button(key="confirm-do").click().run()
    assert guided.near(7) == before
    assert guided.columns()["embedding"] == "vector(128)"
