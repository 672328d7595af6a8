"""Failures: by class, retried, put into quarantine and released, on a small collection with bad pictures."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import command
from console_core.console import Console
from console_core.migration.findings import Request
from console_core.runs.types import TERMINAL, RunState
from console_core.ui import failed_table
from console_core.web import process
from tests.conftest import OPERATOR, fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="built", scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of twelve pictures with a build of which 2 and 3 are missing, 4 is empty and 5 is no picture."""
    workspace = make_workspace(tmp_path_factory.mktemp("failures") / "workspace", 12)
    images = workspace / "images"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_WORKSPACE", str(workspace))
        process.stop()
        process.start()
        console = process.console()
        fill(console, CLIP, "demo-clip", alias="images")
        shutil.copytree(images, workspace / "whole")
        for number in (2, 3):
            (images / f"{number:04}.jpg").unlink()
        (images / "0004.jpg").write_bytes(b"")
        (images / "0005.jpg").write_text("<!doctype html><html></html>")
        run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run
        assert _ended(console, run.id) is RunState.SUCCEEDED
        process.stop()
    return workspace


@pytest.fixture(name="console")
def _console(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    workspace = shutil.copytree(built, tmp_path / "workspace")
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def _ended(console: Console, run: str) -> RunState:
    deadline = time.monotonic() + 60
    while (now := console.ledger.get(run)).state not in TERMINAL | {RunState.FAILED}:
        assert time.monotonic() < deadline, f"{now.title} is {now.state}: {now.reason}"
        time.sleep(0.02)
    return now.state


def _mend(console: Console, *numbers: int) -> None:
    workspace = console.settings.workspace
    for number in numbers:
        shutil.copy(workspace / "whole" / f"{number:04}.jpg", workspace / "images" / f"{number:04}.jpg")


def _listed(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Key"])


def _select(page: AppTest, *rows: int) -> AppTest:
    key = "failures-table" + page.dataframe[0].proto.id.partition("failures-table")[2]
    page.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return page.run()


@pytest.mark.usefixtures("console")
def test_the_collection_with_failures_comes_first_with_its_classes_and_their_numbers(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("failures")
    assert not page.exception
    assert page.selectbox(key="failures-collection").value == SIGLIP
    options = page.segmented_control(key="failure-class").options
    assert options == ["All · 4", "Missing · 2", "Empty file · 1", "Not a picture · 1"]
    shown = page.dataframe[0].value
    assert list(shown["Key"]) == ["2", "3", "4", "5"]
    assert list(shown["Path"]) == ["0002.jpg", "0003.jpg", "0004.jpg", "0005.jpg"]
    assert shown.iloc[2]["What is wrong"] == "Is an empty file."
    assert list(shown["Tries"]) == [1, 1, 1, 1]
    page.segmented_control(key="failure-class").set_value("missing").run()
    assert page.query_params["kind"] == "missing"
    assert _listed(page) == ["2", "3"]
    assert "Nothing at any of its paths" in said(page)


@pytest.mark.usefixtures("console")
def test_a_collection_without_failures_says_so(open_page: OpenPage, said: Said) -> None:
    assert f"Nothing failed in {CLIP}".replace("_", "\\_").replace("-", "\\-") in said(
        open_page("failures", collection=CLIP)
    )


def test_a_class_that_was_mended_is_retried_with_one_click_and_gone(console: Console, open_page: OpenPage) -> None:
    _mend(console, 2, 3)
    page = open_page("failures", kind="missing")
    assert page.button(key="retry-class").label == "Retry all 2 missing"
    page.button(key="retry-class").click().run()
    assert not page.exception
    (run,) = console.ledger.runs(kinds=("retry",))
    assert (run.created_by, run.counts.selected) == ("tester", 2)
    assert _ended(console, run.id) is RunState.SUCCEEDED
    page.run()
    assert _listed(page) == ["4", "5"]
    assert console.store.count(SIGLIP) == 10


def test_selected_pictures_alone_are_retried_and_a_retry_in_vain_is_told(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("failures")
    assert page.button(key="retry-selected").disabled
    page = _select(page, 2, 3)
    assert page.button(key="retry-selected").label == "Retry selected (2)"
    page.button(key="retry-selected").click().run()
    (run,) = console.ledger.runs(kinds=("retry",))
    assert run.spec["keys"] == ["4", "5"]
    assert _ended(console, run.id) is RunState.FAILED
    page.run()
    assert "embedded none of its 2 pictures" in said(page)
    assert list(page.dataframe[0].value["Tries"]) == [1, 1, 2, 2]
    assert page.button(key="retry-selected").disabled, "what was selected is forgotten"


def test_pictures_go_into_quarantine_are_shown_apart_and_come_out_again(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = _select(open_page("failures"), 0)
    page.button(key="quarantine-selected").click().run()
    assert [one.key for one in console.failed.page(SIGLIP, quarantined=True)] == ["2"]
    assert _listed(page) == ["3", "4", "5"]
    page.segmented_control(key="failures-view").set_value("quarantine").run()
    held = page.dataframe[0].value.iloc[0]
    assert (held["Key"], held["Put there by"], held["Since"]) == ("2", "tester", "just now")
    assert page.query_params["view"] == "quarantine"
    page.button(key="release-class").click().run()
    assert _listed(page) == ["2", "3", "4", "5"]
    actions = [entry.action for entry in console.ledger.journal(limit=2)]
    assert actions == ["release", "quarantine"]


def test_a_whole_class_goes_into_quarantine(console: Console, open_page: OpenPage) -> None:
    page = open_page("failures", kind="missing")
    page.button(key="quarantine-class").click().run()
    assert not page.exception
    assert console.failed.counts(SIGLIP, quarantined=True) == {"missing": 2}
    assert _listed(page) == ["4", "5"]


@pytest.mark.usefixtures("console")
def test_pages_turn_and_the_export_is_offered(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_table, "PAGE", 2)
    monkeypatch.setattr("console_core.ui.failures.board.PAGE", 2)
    page = open_page("failures")
    assert _listed(page) == ["2", "3"]
    page.button(key="failures-next").click().run()
    assert _listed(page) == ["4", "5"]
    assert page.download_button[0].label == "Export CSV"


def test_somebody_who_may_only_look_can_change_nothing(
    console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "settings", replace(console.settings, role="viewer"))
    page = open_page("failures", kind="missing")
    assert {str(button.key) for button in page.button if not button.disabled} & {
        "retry-class",
        "quarantine-class",
    } == set()
    assert len(page.dataframe[0].value) == 2


def test_the_overview_says_what_failed_and_an_address_without_sense_shows_everything(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    assert "4 pictures failed in" in said(open_page())
    page = open_page("failures", collection="gone", kind="cursed", view="lost", after="")
    assert not page.exception
    assert _listed(page) == ["2", "3", "4", "5"]
