"""Manners on the page of a run and on the board: what holds is shown, what is changed holds, and waits are told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.runs.manners import Cause, Hours, Manners, server_clock
from console_core.runs.manners_records import DEFAULTS
from console_core.runs.types import Counts, Lane, Progress, Run, RunState

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture(name="quiet")
def _quiet(filled: Console) -> Console:
    """A Console whose worker does not touch what the test puts into the ledger."""
    assert filled.worker is not None
    filled.worker.close()
    return filled


def _submit(console: Console, kind: str = "reembed") -> Run:
    spec = {"model": "some-model", "batch_size": 64} if kind == "reembed" else {"version": 1}
    return console.ledger.submit(
        kind=kind,
        lane=Lane.ACCELERATOR,
        title="A build",
        target="images__new",
        spec=spec,
        actor="ben",
        selected=200,
        writes=kind == "reembed",
    )


def _working(console: Console) -> Run:
    run = _submit(console)
    assert console.ledger.claim(Lane.ACCELERATOR, "a worker") is not None
    console.ledger.record(run.id, Progress("8", Counts(200, 8)))
    return console.ledger.get(run.id)


def _labels(page: AppTest) -> list[str]:
    return [field.label for field in (*page.number_input, *page.toggle)]


def test_what_is_applied_on_a_runs_page_is_its_own_and_can_be_given_up_again(
    quiet: Console, open_page: OpenPage, said: Said
) -> None:
    run = _working(quiet)
    page = open_page("runs", run=run.id)
    assert not page.exception
    assert _labels(page) == ["Batch size", "Most pictures a second", "Only at certain hours", "Yield to searches"]
    assert "It follows the defaults" in said(page)
    assert page.button(key=f"apply-{run.id}").disabled, "there is nothing to apply yet"
    page.number_input[0].set_value(16)
    page.number_input[1].set_value(2.5)
    page.toggle[0].set_value(True)
    page.toggle[1].set_value(True).run()
    assert [field.value for field in page.time_input] == [time(22), time(6)]
    page.time_input[0].set_value(time(20, 30)).run()
    page.button(key=f"apply-{run.id}").click().run()
    assert not page.exception
    wanted = Manners(16, 2.5, True, Hours(time(20, 30), time(6)))
    assert quiet.ledger.manners.own(run.id) == wanted
    assert "This run has its own" in said(page)
    assert [field.value for field in page.number_input] == [16, 2.5]
    entry = quiet.ledger.journal(limit=1)[0]
    assert (entry.actor, entry.subject) == ("tester", run.id)
    assert "rate: no limit → at most 2.5/s" in entry.detail
    page.button(key="follow").click().run()
    assert quiet.ledger.manners.own(run.id) is None
    assert [field.value for field in page.number_input] == [None, None]


def test_hours_that_leave_no_time_cannot_be_applied(quiet: Console, open_page: OpenPage, said: Said) -> None:
    run = _working(quiet)
    page = open_page("runs", run=run.id)
    page.toggle[0].set_value(True).run()
    page.time_input[1].set_value(time(22)).run()
    assert "leave no time to work" in said(page)
    assert page.button(key=f"apply-{run.id}").disabled


def test_the_defaults_are_set_on_the_board_and_hold_for_a_run_that_works(quiet: Console, open_page: OpenPage) -> None:
    run = _working(quiet)
    page = open_page("runs")
    assert not page.exception
    assert page.expander[0].label == "Manners for all runs: no limits"
    page.number_input[1].set_value(5.0).run()
    page.button(key="apply-defaults").click().run()
    assert quiet.ledger.manners.of(run.id) == quiet.ledger.manners.of(DEFAULTS) == Manners(rate=5)
    assert page.expander[0].label == "Manners for all runs: at most 5/s"


def test_a_wait_is_told_with_its_reason_wherever_the_run_is_shown(
    quiet: Console, open_page: OpenPage, said: Said
) -> None:
    run = _working(quiet)
    quiet.ledger.waits.tell(run.id, "Keeps to 5 pictures/s.", {Cause.RATE: 120.0, Cause.SEARCHES: 65.0}, attempt=1)
    page = open_page("runs", run=run.id)
    progress = [str(bar.proto.text) for bar in page.get("progress")]
    assert any("Keeps to 5 pictures/s" in text for text in progress)
    assert "Waited 3 min 5 s so far: rate limit 2 min, searches 1 min 5 s" in said(page)
    board = open_page("runs")
    assert any("Keeps to 5 pictures/s" in str(bar.proto.text) for bar in board.get("progress"))


def test_a_run_that_waits_for_its_hours_says_until_when(quiet: Console, open_page: OpenPage) -> None:
    run = _submit(quiet)
    opens = server_clock() + timedelta(hours=6)
    hours = Hours(time(opens.hour), time((opens.hour + 2) % 24))
    quiet.ledger.manners.put(run.id, Manners(hours=hours))
    assert quiet.ledger.claim(Lane.ACCELERATOR, "a worker") is None
    page = open_page("runs", run=run.id)
    texts = [str(bar.proto.text) for bar in page.get("progress")]
    assert any(hours.wait().sentence in text.replace("\\", "") for text in texts)


def test_a_measurement_has_no_batches_and_a_finished_run_has_no_manners(quiet: Console, open_page: OpenPage) -> None:
    check = _submit(quiet, "verify")
    assert "Batch size" not in _labels(open_page("runs", run=check.id))
    done = _submit(quiet)
    assert quiet.ledger.claim(Lane.ACCELERATOR, "a worker", only=done.id) is not None
    quiet.ledger.finish(done.id, RunState.SUCCEEDED, reason="All done.")
    assert _labels(open_page("runs", run=done.id)) == []


def test_a_viewer_sees_the_manners_and_cannot_change_them(
    quiet: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _working(quiet)
    quiet.ledger.manners.put(run.id, Manners(rate=7))
    monkeypatch.setattr(quiet, "settings", _as_viewer(quiet))
    page = open_page("runs", run=run.id)
    assert page.number_input[1].value == 7
    page.number_input[1].set_value(9.0).run()
    assert page.button(key=f"apply-{run.id}").disabled
    assert page.button(key="follow").disabled


def _as_viewer(console: Console) -> object:
    return replace(console.settings, role="viewer")
