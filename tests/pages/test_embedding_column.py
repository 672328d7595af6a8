"""The embedding column on the Coverage page: its figures, and the button that brings it in step behind a count."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.catalog.intake import Intake
from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.runs.types import Run
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.conftest import OPERATOR, PICTURES, fill, make_workspace
from tests.pages.test_coverage_page import _finished

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP = "images__demo-clip"


@pytest.fixture(name="shown")
def _shown(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A collection of all pictures, and a column with four right vectors, two wrong ones and an old one; measured."""
    workspace = make_workspace(tmp_path_factory.mktemp("column") / "workspace")
    file = workspace / settings.FILE
    told = 'facets = ["user_id"]\nembedding = "vector"\nembedding_model = "made_by"'
    file.write_text(file.read_text().replace('facets = ["user_id"]', told))
    with closing(sqlite3.connect(workspace / "catalog.db")) as catalog, catalog:
        catalog.execute("ALTER TABLE images ADD vector BLOB")
        catalog.execute("ALTER TABLE images ADD made_by TEXT")
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    process.stop()
    process.start()
    console = process.console()
    fill(console, CLIP, "demo-clip", alias="images")
    points = {int(point.id): point.vector for point in console.store.scroll(CLIP, vectors=True)}
    strange = np.random.default_rng(2).normal(size=(2, 128)).astype("<f4")
    rows = [(points[key].tobytes(), "demo-clip", key) for key in range(1, 5)]  # type: ignore[union-attr]
    rows += [(strange[0].tobytes(), "demo-clip", 5), (strange[1].tobytes(), "demo-clip", 6), (b"\0" * 8, "old", 7)]
    with closing(sqlite3.connect(workspace / "catalog.db")) as catalog, catalog:
        catalog.executemany("UPDATE images SET vector = ?, made_by = ? WHERE id = ?", rows)
    _measured(console)
    yield console
    process.stop()


def _measured(console: Console) -> None:
    assert _finished(console, command(console, OPERATOR, "measure_coverage", collection=CLIP)).state == "succeeded"


def _generation(console: Console) -> Run | None:
    return next(iter(console.ledger.runs(kinds=("generate",))), None)


def test_the_column_is_compared_and_what_is_missing_is_generated_after_a_count(
    shown: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("coverage")
    assert not page.exception
    figures = {metric.label: metric.value for metric in page.metric}
    assert {
        name: figures[name] for name in ("With a vector", "The same in both", "Differing", "Only in the store")
    } == {
        "With a vector": "12.5%",
        "The same in both": "4",
        "Differing": "3",
        "Only in the store": str(PICTURES - 7),
    }
    assert "2 another vector, 1 another model's name" in said(page)

    page.button(key="generate").click().run()
    assert _generation(shown) is None, "it is counted first"
    assert "**0 pictures** will be embedded" in said(page)
    assert f"**{PICTURES - 4} rows** of the application's table will be written" in said(page)
    page.button(key="confirm-do").click().run()
    run = _generation(shown)
    assert run is not None
    assert _finished(shown, run).counts.done == PICTURES

    facts = open_page("runs", run=run.id).table[0].value["value"]
    assert facts["Pictures embedded"] == "0"
    assert facts["Rows of the column written"].split()[0] == str(PICTURES - 4)
    page = open_page("coverage")
    assert "Measure again to see the figures as they are now." in said(page)
    _measured(shown)
    page = open_page("coverage")
    assert not page.exception
    figures = {metric.label: metric.value for metric in page.metric}
    assert (figures["With a vector"], figures["The same in both"]) == ("100%", str(PICTURES))

    page.button(key="generate").click().run()
    assert [toast.value for toast in page.toast] == ["Nothing is missing. The column and the collection are in step."]
    assert len(shown.ledger.runs(kinds=("generate",))) == 1


def test_one_users_rows_are_generated_where_that_user_is_chosen_in_batches_of_the_size_asked_for(
    shown: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("coverage", by="user_id", value="user-1")
    page.button(key="generate").click().run()
    assert "**14 rows** of the application's table" in said(page), "of the 16 of this user two are right"
    assert page.number_input(key="generate-batch").value == 0, "as the collection was built"
    page.number_input(key="generate-batch").set_value(5).run()
    page.button(key="confirm-do").click().run()
    run = _generation(shown)
    assert run is not None
    assert run.spec["batch_size"] == 5
    ended = _finished(shown, run)
    assert (ended.counts.done, ended.spec["part"]["filters"]) == (16, {"user_id": ["user-1"]})


def test_somebody_who_may_only_look_sees_the_figures_and_cannot_generate(
    shown: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "settings", replace(shown.settings, role="viewer"))
    page = open_page("coverage")
    assert page.button(key="generate").disabled
    assert "Differing" in {metric.label for metric in page.metric}


def test_a_collection_that_has_none_of_the_tables_pictures_is_not_offered_and_refused(
    shown: Console, open_page: OpenPage, said: Said
) -> None:
    stamp = ModelStamp("demo-clip", shown.models.get("demo-clip").fingerprint.digest)
    shown.store.create("album", CollectionSpec(dimension=128, stamp=stamp))
    shown.intakes.add("album", Intake("summer", "folder", ""), beside=False)
    page = open_page("coverage", collection="album")
    assert not page.exception
    assert "Embedding column" not in said(page)
    with pytest.raises(Refused, match="none of the rows of the catalog's table"):
        command(shown, OPERATOR, "generate", into="album")
    with pytest.raises(Refused, match="A batch cannot have 20,000 pictures"):
        command(shown, OPERATOR, "generate", into=CLIP, batch_size=20_000)


def test_a_collection_that_was_measured_before_the_column_was_named_says_so(
    shown: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = shown.embedding_column
    monkeypatch.setattr(shown, "embedding_column", None)
    _measured(shown)
    assert "Embedding column" not in said(open_page("coverage"))
    monkeypatch.setattr(shown, "embedding_column", column)
    page = open_page("coverage")
    assert not page.exception
    assert "It was not compared with this collection yet: measure again." in said(page)
