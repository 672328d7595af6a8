"""Coverage: figures, bars, the pictures behind them, and measuring, on a small collection with gaps."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.typing import PlotlyState

from console_core.commands import command
from console_core.console import Console
from console_core.runs.types import TERMINAL, Run
from console_core.ui.coverage import behind
from console_core.web import process
from tests.conftest import OPERATOR, fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="shown", scope="module")
def _shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """48 pictures of three users behind the alias `images`; then six arrive, two change and one leaves."""
    workspace = make_workspace(tmp_path_factory.mktemp("coverage") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_WORKSPACE", str(workspace))
        patch.setenv("CONSOLE_ACTOR", "tester")
        process.stop()
        process.start()
        console = process.console()
        fill(console, CLIP, "demo-clip", alias="images")
        _drift(workspace)
        yield console
        process.stop()


def _drift(workspace: Path) -> None:
    with sqlite3.connect(workspace / "catalog.db") as catalog:
        rows = [(49 + n, "user-0" if n else None, None, f"{n + 1:04}.jpg", f"new {n}") for n in range(6)]
        catalog.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", rows)
        catalog.execute("UPDATE images SET caption = 'changed' WHERE id IN (1, 2)")
        catalog.execute("DELETE FROM images WHERE id = 7")
    catalog.close()


def _finished(console: Console, run: Run) -> Run:
    deadline = time.monotonic() + 20
    while (now := console.ledger.get(run.id)).state not in TERMINAL:
        assert time.monotonic() < deadline, f"{now.title} is {now.state}: {now.reason}"
        time.sleep(0.02)
    return now


@pytest.fixture(name="measured")
def _measured(shown: Console) -> Console:
    if shown.coverage.latest(CLIP) is None:
        assert _finished(shown, command(shown, OPERATOR, "measure_coverage", collection=CLIP)).state == "succeeded"
    return shown


def _listed(page: AppTest) -> list[str]:
    frame = page.dataframe[0].value
    return list(frame["Picture"]) if len(frame) else []


def _click(page: AppTest, key: str, group: str, status: str) -> AppTest:
    point = {"y": group, "customdata": [status, 1]}
    page.session_state[key] = PlotlyState({"selection": {"points": [point], "point_indices": [0]}})
    return page.run()


def test_figures_count_each_status_and_the_missing_pictures_are_shown_first(
    measured: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("coverage")
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric} == {
        "Coverage": "84.9%",
        "Embedded": "45",
        "Missing": "6",
        "Failed": "0",
        "Stale": "2",
        "Orphaned": "1",
    }
    assert _listed(page) == ["49", "50", "51", "52", "53", "54"]
    assert list(page.dataframe[0].value["Path"]) == [f"{n:04}.jpg" for n in range(1, 7)]
    assert "Measured" in said(page)


def test_a_click_on_a_bar_leads_to_its_pictures_and_into_the_address(measured: Console, open_page: OpenPage) -> None:
    page = _click(open_page("coverage"), "coverage-gaps", "user-0", "missing")
    assert not page.exception
    assert _listed(page) == ["50", "51", "52", "53", "54"]
    assert (page.query_params["value"], page.query_params["status"]) == ("user-0", "missing")
    assert page.button(key="coverage-clear").label == "User: user-0"
    page.segmented_control(key="coverage-status").set_value("embedded").run()
    assert len(_listed(page)) == 16
    assert page.query_params["status"] == "embedded"


def test_a_click_is_told_once_so_that_what_is_chosen_afterwards_stays(measured: Console, open_page: OpenPage) -> None:
    page = _click(open_page("coverage"), "coverage-gaps", "user-0", "missing")
    page.button(key="coverage-clear").click().run()
    assert "value" not in page.query_params
    assert len(_listed(page)) == 6


def test_an_address_shows_the_same_to_somebody_else(measured: Console, open_page: OpenPage) -> None:
    page = open_page("coverage", collection=CLIP, by="user_id", value="(none)", status="missing")
    assert _listed(page) == ["49"]
    assert page.button(key="coverage-clear").label == "User: (none)"


def test_an_address_that_makes_no_sense_shows_everything(measured: Console, open_page: OpenPage) -> None:
    page = open_page("coverage", collection="gone", by="shoe size", value="46", status="lost", page="99")
    assert not page.exception
    assert not page.error
    assert _listed(page) == ["49", "50", "51", "52", "53", "54"]


def test_stale_pictures_have_their_reason_and_orphans_their_payload(measured: Console, open_page: OpenPage) -> None:
    page = open_page("coverage", status="stale")
    assert list(page.dataframe[0].value["Reason"]) == ["changed", "changed"]
    page.segmented_control(key="coverage-status").set_value("orphaned").run()
    orphan = page.dataframe[0].value.iloc[0]
    assert (orphan["Point"], orphan["Picture"]) == ("7", "7")
    assert "square 7" in str(orphan["Payload"])


def test_many_pictures_come_in_pages(measured: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "PAGE", 4)
    page = open_page("coverage", status="missing", page="2")
    assert _listed(page) == ["53", "54"]
    page.segmented_control(key="coverage-status").set_value("embedded").run()
    assert _listed(page) == ["3", "4", "5", "6"]


def test_every_measured_collection_is_compared_and_a_click_opens_it(measured: Console, open_page: OpenPage) -> None:
    if SIGLIP not in {info.name for info in measured.store.collections()}:
        fill(measured, SIGLIP, "demo-siglip")
    page = _click(open_page("coverage"), "coverage-collections", SIGLIP, "embedded")
    assert not page.exception
    assert page.selectbox(key="coverage-collection").value == SIGLIP
    assert page.query_params["collection"] == SIGLIP


def test_somebody_who_may_only_look_cannot_measure(
    measured: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "settings", replace(measured.settings, role="viewer"))
    page = open_page("coverage")
    assert page.button(key="measure").disabled
    assert len(page.metric) == 6


def test_the_picture_of_a_tile_is_shown_large_with_its_paths_and_reason(
    measured: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("coverage", status="stale")
    page.session_state["coverage-picture"] = "2"
    page.run()
    assert not page.exception
    assert [code.value for code in page.code] == ["0002.jpg"]
    assert "changed" in said(page)


def test_turning_a_page_goes_into_the_address_and_another_choice_begins_at_the_first(
    measured: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(behind, "PAGE", 4)
    page = open_page("coverage", status="missing")
    turner: Any = page.get_by_key("coverage-page-1")
    turner.set_value(2).run()
    assert page.query_params["page"] == "2"
    assert _listed(page) == ["53", "54"]
    page.segmented_control(key="coverage-status").set_value("embedded").run()
    assert "page" not in page.query_params
    assert _listed(page) == ["3", "4", "5", "6"]
    assert "default value" not in caplog.text
