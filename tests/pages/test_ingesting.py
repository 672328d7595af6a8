"""Ingesting on the Collections page: a form, a look first, and a run."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.catalog.intake import Intake
from console_core.commands import command
from console_core.console import Console
from console_core.migration.ingesting import Wish
from console_core.runs.types import RunState
from tests.conftest import OPERATOR

OpenPage = Callable[..., AppTest]


@pytest.fixture(name="holiday")
def _holiday(small: Console) -> Path:
    root = small.settings.image_roots[0]
    folder = root / "holiday"
    folder.mkdir()
    for number in range(1, 4):
        shutil.copyfile(root / f"{number:04}.jpg", folder / f"{number}.jpg")
    return folder


def the_form(open_page: OpenPage, path: Path, into: str) -> AppTest:
    page = open_page("collections")
    page.session_state["ingest"] = True
    page.run()
    page.text_input(key="ingest-path").set_value(str(path))
    page.text_input(key="ingest-namespace").set_value("summer")
    page.session_state["ingest-into"] = into
    page.run()
    page.number_input(key="ingest-batch").set_value(2).run()
    page.button(key="ingest-look").click().run(timeout=60)
    assert not page.exception
    return page


def test_a_folder_is_looked_at_first_and_then_ingested(small: Console, holiday: Path, open_page: OpenPage) -> None:
    page = the_form(open_page, holiday, "images__demo-clip")
    assert "3 pictures would be embedded" in "\n".join(str(text.value) for text in page.markdown)
    assert small.ledger.runs() == []
    page.button(key="ingest-start").click().run(timeout=60)
    assert not page.exception
    (run,) = small.ledger.runs(kinds=("ingest",))
    assert (run.target, run.spec["intake"]["namespace"]) == ("images__demo-clip", "summer")
    assert run.spec["batch_size"] == 2
    told = str([table.value.to_dict() for table in open_page("runs", run=run.id).table])
    assert "Ingestion" in told
    assert "summer" in told
    assert str(holiday) in told.replace("\\", "")


def test_the_page_of_an_ingested_collection_says_where_its_pictures_come_from(
    small: Console, holiday: Path, open_page: OpenPage
) -> None:
    run = command(small, OPERATOR, "ingest", wish=Wish(holiday, "albums", "summer", model="demo-clip"))
    until = time.monotonic() + 60
    while small.ledger.get(run.id).state is not RunState.SUCCEEDED:
        assert time.monotonic() < until
        time.sleep(0.02)
    told = str([text.value for text in open_page("collections", collection="albums").markdown])
    assert f"**summer** from {holiday}" in told.replace("\\", "")


@pytest.mark.usefixtures("small")
def test_what_is_refused_is_told_with_its_remedy(open_page: OpenPage, tmp_path: Path) -> None:
    page = the_form(open_page, tmp_path, "images__demo-clip")
    assert "outside the image roots" in str(page.error[0].proto)
    assert "also" in page.error[0].value


@pytest.mark.usefixtures("small")
def test_a_new_collection_is_made_by_the_model_and_in_the_mode_that_are_chosen(
    holiday: Path, open_page: OpenPage
) -> None:
    page = open_page("collections")
    page.session_state["ingest"] = True
    page.session_state["ingest-into"] = "albums"
    page.run()
    page.text_input(key="ingest-path").set_value(str(holiday))
    page.selectbox(key="ingest-model").set_value("demo-clip")
    page.selectbox(key="ingest-mode").set_value("exact").run()
    page.button(key="ingest-look").click().run(timeout=60)
    assert not page.exception
    wish, (plan, _) = page.session_state["ingest-looked-at"]
    assert (wish.into, plan.model, plan.mode, plan.creates) == ("albums", "demo-clip", "exact", True)


def test_a_folder_that_cannot_be_read_is_told_on_the_collections_page_and_can_be_forgotten_there(
    small: Console, holiday: Path, open_page: OpenPage
) -> None:
    for namespace, folder in (("away", "/srv/away"), ("summer", "holiday")):
        small.intakes.add("images__demo-clip", Intake(namespace, "folder", folder), beside=True)
    page = open_page("collections", collection="images__demo-clip")
    assert not page.exception
    assert "cannot be read" in str(page.warning[0].proto)
    page.button(key="forget-intake-0").click().run()
    assert "**away** from" in page.markdown[-1].value
    page.button(key="confirm-do").click().run()
    assert [one.namespace for one in small.intakes.of("images__demo-clip")] == ["summer"]
    page = open_page("collections", collection="images__demo-clip")
    assert not page.warning
    assert "**summer** from" in str([text.value for text in page.markdown])
