"""The board of runs and the page of one run, on a ledger that the test itself writes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isnan

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.engine.gpu import Card
from console_core.engine.meter import Stage
from console_core.engine.pace import Load, Pace, Stretch
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState, Sample
from console_core.ui.run_detail import rates

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture(name="quiet")
def _quiet(filled: Console) -> Console:
    """A Console whose worker does not touch what the test puts into the ledger."""
    assert filled.worker is not None
    filled.worker.close()
    return filled


def _submit(console: Console, title: str, selected: int = 200) -> Run:
    return console.ledger.submit(
        kind="reembed",
        lane=Lane.ACCELERATOR,
        title=title,
        target=title.replace(" ", "-"),
        spec={"model": "some-model"},
        actor="ben",
        selected=selected,
        writes=True,
    )


def _worked(console: Console, title: str, *, failed: int = 0, kind: str = "missing") -> Run:
    """A run at half, with so many failures."""
    run = _submit(console, title)
    assert console.ledger.claim(Lane.ACCELERATOR, "a worker", only=run.id) is not None
    failures = tuple(
        Failure(f"{number:04}", kind if number % 2 else "too large", f"Number {number} is bad.", f"a/{number}.jpg")
        for number in range(failed)
    )
    odd = failed // 2
    counts = Counts(200, 100 - failed, {}, {kind: odd, "too large": failed - odd} if failed else {})
    console.ledger.record(run.id, Progress("100", counts, failures))
    return console.ledger.get(run.id)


@pytest.mark.usefixtures("quiet")
def test_a_board_without_runs_leads_to_a_migration(open_page: OpenPage, said: Said) -> None:
    page = open_page("runs")
    assert "No runs yet" in said(page)
    assert page.button(key="begin").label == "New migration"


def test_the_board_tells_working_waiting_and_ended_runs_apart(quiet: Console, open_page: OpenPage, said: Said) -> None:
    failed = _worked(quiet, "Broken one")
    quiet.ledger.finish(failed.id, RunState.FAILED, reason="The disk is full.", remedy="Make space.")
    done = _worked(quiet, "Finished one")
    quiet.ledger.finish(done.id, RunState.SUCCEEDED, reason="100 of 200 pictures done.")
    running = _worked(quiet, "Working one")
    queued = _submit(quiet, "Next one")
    page = open_page("runs")
    assert not page.exception
    headings = [heading.value for heading in page.subheader]
    assert headings == ["Working (2)", "Waiting for you (1)", "Ended"]
    assert "Make space" in said(page)
    assert list(page.dataframe[0].value["Run"]) == ["Finished one"]
    offered = {str(button.key) for button in page.button}
    assert {f"pause-{running.id}", f"cancel-{running.id}", f"pause-{queued.id}", f"resume-{failed.id}"} <= offered
    assert f"resume-{running.id}" not in offered
    assert f"pause-{failed.id}" not in offered


def test_cancelling_asks_first_and_a_second_visitor_sees_what_the_first_one_did(
    quiet: Console, open_page: OpenPage, said: Said
) -> None:
    run = _submit(quiet, "Next one")
    first, second = open_page("runs"), open_page("runs")
    first.button(key=f"cancel-{run.id}").click().run()
    assert quiet.ledger.get(run.id).state is RunState.QUEUED
    first.button(key="confirm-do").click().run()
    assert quiet.ledger.get(run.id).state is RunState.CANCELLED
    second.run()
    assert f"cancel-{run.id}" not in {str(button.key) for button in second.button}
    assert list(second.dataframe[0].value["State"].iloc[0]) == ["Cancelled"]


def test_choosing_an_ended_run_opens_its_details(quiet: Console, open_page: OpenPage, said: Said) -> None:
    run = _worked(quiet, "Finished one")
    quiet.ledger.finish(run.id, RunState.SUCCEEDED, reason="100 of 200 pictures done.")
    page = open_page("runs")
    page.session_state["ended-runs-0"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Run")]}}
    page.run()
    assert page.query_params["run"] == run.id
    assert page.subheader[0].value == "Finished one"


def test_the_details_keep_true_books_and_say_why_a_run_stopped(quiet: Console, open_page: OpenPage, said: Said) -> None:
    run = _worked(quiet, "Broken one", failed=10)
    quiet.ledger.finish(run.id, RunState.FAILED, reason="The disk is full.", remedy="Make space.")
    page = open_page("runs", run=run.id)
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["200", "90", "0", "10", "100"]
    assert "90 \\+ 0 \\+ 10 \\+ 100 = 200" in said(page)
    assert "Make space" in said(page)
    attempts = page.dataframe[-1].value.iloc[0]
    assert (attempts["Outcome"], attempts["Done in it"], attempts["Worker"]) == ("failed", 90, "a worker")
    page.button(key=f"resume-{run.id}").click().run()
    assert quiet.ledger.get(run.id).state is RunState.QUEUED


def _pace(*, held: float = 0.0, notes: tuple[str, ...] = ()) -> Pace:
    loads = {Stage.READ: Load(240, 0.02), Stage.DECODE: Load(220, 0.2), Stage.DEVICE: Load(210, 0.94)}
    recent, overall = Stretch({**loads, Stage.WRITE: Load(200, 0.1)}, held), Stretch({Stage.DECODE: Load(150, 0.9)})
    return Pace(
        recent=recent,
        overall=overall,
        workers={Stage.READ: 4, Stage.DECODE: 2, Stage.DEVICE: 1, Stage.WRITE: 1},
        decoders={"Pillow": 20, "libjpeg-turbo": 1180},
        mode="fast",
        batch=64,
        device="cuda:0, float16",
        process=4711,
        bound=2_100_000_000,
        memory=1_300_000_000,
        memory_before=900_000_000,
        notes=notes,
        cards=(Card("NVIDIA H100", 0.97, 12_300_000_000, 80_000_000_000),),
    )


def test_a_run_says_which_stage_limits_it_and_what_it_takes_of_the_machine(
    quiet: Console, open_page: OpenPage, said: Said
) -> None:
    run = _worked(quiet, "Working one")
    page = open_page("runs", run=run.id)
    assert "Which stage limits it shows after the first batches" in said(page)
    note = "The device ran out of memory: batches of 32 now."
    quiet.ledger.record(run.id, Progress("120", Counts(200, 120), pace=_pace(notes=(note,)).as_json()))
    page = open_page("runs", run=run.id)
    text = said(page).replace("\\", "")
    assert not page.exception
    assert "The forward pass is the limit: it is busy 94% of the time." in text
    assert "94% busy · 210 pictures/s" in text
    assert "On the engine process 4711 · cuda:0, float16 · fast mode · batches of 64 pictures" in text
    assert "Decoded: 1,180 by libjpeg-turbo, 20 by Pillow" in text
    assert "Memory: 1.3 GB taken, 400 MB more than before the run · stated: at most 2.1 GB more" in text
    assert "NVIDIA H100: 97% busy, 12.3 GB of 80.0 GB taken" in text
    assert note in text
    assert text.index("2% busy") < text.index("20% busy") < text.index("94% busy") < text.index("10% busy")


def test_a_run_that_has_ended_says_what_limited_it(quiet: Console, open_page: OpenPage, said: Said) -> None:
    run = _worked(quiet, "Finished one")
    quiet.ledger.record(run.id, Progress("120", Counts(200, 120), pace=_pace().as_json()))
    quiet.ledger.finish(run.id, RunState.FAILED, reason="The disk is full.")
    text = said(open_page("runs", run=run.id)).replace("\\", "")
    assert "Decoding was the limit: its 2 threads were busy 90% of the time." in text


def test_failures_are_paged_by_class_and_the_page_is_in_the_address(quiet: Console, open_page: OpenPage) -> None:
    run = _worked(quiet, "Broken one", failed=96)
    page = open_page("runs", run=run.id)
    assert len(page.dataframe[0].value) == 50
    page.button(key="failures-next").click().run()
    assert page.query_params["after"] == "0049"
    assert len(page.dataframe[0].value) == 46
    page.segmented_control(key="failure-class").set_value("too large").run()
    assert page.query_params["kind"] == "too large"
    assert "after" not in page.query_params
    shown = page.dataframe[0].value
    assert len(shown) == 48
    assert shown.iloc[0]["Path"] == "a/0.jpg"
    assert shown.iloc[0]["Picture"].startswith("/thumb/")


def test_a_picture_that_cannot_exist_is_a_placeholder_and_costs_no_request(quiet: Console, open_page: OpenPage) -> None:
    run = _worked(quiet, "Broken one", failed=2)
    shown = open_page("runs", run=run.id, kind="missing").dataframe[0].value
    assert shown.iloc[0]["Picture"].startswith("data:image/svg+xml,")


def test_a_run_that_does_not_exist_is_a_panel(quiet: Console, open_page: OpenPage) -> None:
    page = open_page("runs", run="r-none")
    assert not page.exception
    assert len(page.error) == 1


def test_the_rate_breaks_between_attempts_and_leaves_the_start_up_out() -> None:
    began = datetime(2025, 11, 21, tzinfo=UTC)

    def sample(second: float, attempt: int, settled: int) -> Sample:
        return Sample(began + timedelta(seconds=second), attempt, settled)

    series = rates(
        [
            sample(0, 1, 0),
            sample(30, 1, 10),
            sample(31, 1, 30),
            sample(900, 2, 30),
            sample(960, 2, 31),
            sample(961, 2, 41),
        ]
    )
    values = [value for _, value in series]
    assert values[0] == 20
    assert isnan(values[1])
    assert values[2] == 10
    assert len(values) == 3


def test_a_long_run_is_drawn_with_few_points() -> None:
    began = datetime(2025, 11, 21, tzinfo=UTC)
    series = rates([Sample(began + timedelta(seconds=number), 1, number * 3) for number in range(600)])
    assert len(series) <= 61
    assert all(value == pytest.approx(3) for _, value in series)
