"""The first page: what is live, what is running, what needs a person."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.coverage.operation import MeasureCoverage
from console_core.runs.types import Lane, RunState, Verb
from console_core.ui import words
from console_core.vectorstore.types import CollectionSpec
from console_core.web import process

OpenPage = Callable[..., AppTest]


Said = Callable[[AppTest], str]


@pytest.mark.usefixtures("console")
def test_an_empty_store_says_what_to_do(open_page: OpenPage, said: Said) -> None:
    page = open_page()
    assert not page.exception
    assert "The store is empty" in said(page)
    assert "Nothing waits for you" in said(page)


@pytest.mark.usefixtures("filled")
def test_the_live_table_names_alias_collection_and_model(open_page: OpenPage) -> None:
    page = open_page()
    row = page.dataframe[0].value.iloc[0]
    assert (row["Alias"], row["Collection"], row["Model"], row["Points"]) == ("images", "images__old", "old-model", 6)
    assert {metric.label: metric.value for metric in page.metric}["Points served"] == "6"


def test_the_live_table_tells_coverage_as_measured_and_never_from_the_number_of_points(
    filled: Console, open_page: OpenPage
) -> None:
    assert open_page().dataframe[0].value.iloc[0]["Coverage"] == "not measured"
    operation = MeasureCoverage(
        filled.catalog, filled.store, filled.ledger.failed_among, filled.coverage, "images__old"
    )
    for _ in operation.steps("", operation.plan()):
        continue
    snapshot = filled.coverage.latest("images__old")
    assert snapshot is not None
    assert snapshot.report.coverage < 1  # its six points carry no key of the catalog
    assert open_page().dataframe[0].value.iloc[0]["Coverage"] == words.percent(snapshot.report.coverage)


def test_a_collection_of_unknown_model_needs_attention(filled: Console, open_page: OpenPage, said: Said) -> None:
    filled.store.create("found", CollectionSpec(dimension=4))
    assert "Nothing says which model made found" in said(open_page())


def test_a_served_collection_that_was_never_measured_asks_to_be_measured_once(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    filled.store.create("beside", CollectionSpec(dimension=4))
    page = said(open_page())
    assert "Nobody knows yet how much of the catalog images\\_\\_old covers" in page
    assert "catalog beside covers" not in page
    run = command(filled, Actor("olga", "admin"), "measure_coverage", collection="images")
    deadline = time.monotonic() + 20
    while filled.ledger.get(run.id).state is not RunState.SUCCEEDED:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "Nobody knows yet" not in said(open_page())


def test_a_paused_run_needs_attention_and_a_queued_one_is_shown_with_its_controls(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    assert filled.worker is not None
    filled.worker.close()
    first = filled.ledger.submit(
        kind="verify", lane=Lane.STORE, title="Look closely", target="a", spec={}, actor="me", selected=6, writes=False
    )
    filled.ledger.ask(first.id, Verb.PAUSE, "me")
    second = filled.ledger.submit(
        kind="verify", lane=Lane.STORE, title="Look again", target="b", spec={}, actor="me", selected=6, writes=False
    )
    page = open_page()
    assert "Look closely is paused" in said(page)
    page.button(key=f"pause-{second.id}").click().run()
    assert filled.ledger.get(second.id).state == "paused"
    assert filled.ledger.journal(limit=1)[0].actor == "tester"


def test_a_workspace_that_cannot_be_opened_is_explained_and_tried_again(
    workspace: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "RETRY_AFTER", 0.0)
    process.stop()
    file = workspace / "console.toml"
    right = file.read_text()
    file.write_text('[catalog]\nkind = "carrier pigeon"\n')
    process.start()
    try:
        page = open_page()
        assert not page.exception
        assert page.error[0].value == r"Use one of\: sql, folder, list, table, collection."
        file.write_text(right)
        page.button(key="try-again-overview").click().run()
        assert not page.error
        assert page.metric[0].value == "6"
    finally:
        process.stop()


def test_an_unexpected_error_is_an_incident_number_and_never_a_trace(
    filled: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(filled.catalog, "count", broken)
    page = open_page()
    assert not page.exception
    assert "incident" in page.error[0].value
    assert "a secret detail" not in page.error[0].value
    number = page.error[0].value.split("`")[1]
    assert number in caplog.text
    assert "a secret detail" in caplog.text
