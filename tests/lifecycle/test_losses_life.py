"""The life of a measurement of losses: asked for by a command, left and gone on with, kept, and told in words."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import NotAllowed, NotFound, Refused
from console_core.judging.query_sets import query
from console_core.querylab import measuring_losses, samples
from console_core.querylab.losses_report import LossReport, newest_losses
from console_core.querylab.measuring_losses import MeasureLosses
from console_core.runs.types import Counts, Run, RunState
from console_core.vectorstore.types import CollectionSpec, Hit, Point, Vector
from tests.conftest import OPERATOR, PICTURES, fill, finish
from tests.lifecycle.workspaces import opened


def report_of(run: Run) -> LossReport:
    assert run.state is RunState.SUCCEEDED, run.reason
    return LossReport.from_json(run.result or {})


def operation_of(console: Console, run: Run) -> MeasureLosses:
    made = console.operation(run)
    assert isinstance(made, MeasureLosses)
    return made


def test_captions_and_pictures_of_the_sample_are_asked_and_the_report_is_kept_with_the_run(console: Console) -> None:
    with pytest.raises(NotAllowed):
        command(console, Actor("vera", "viewer"), "measure_losses", collection="images")
    assert newest_losses(console.ledger, "images__demo-clip") is None
    asked = command(console, OPERATOR, "measure_losses", collection="images")
    assert command(console, OPERATOR, "measure_losses", collection="images__demo-clip").id == asked.id

    run = finish(console, asked)

    report = report_of(run)
    assert [(loss.kind, loss.queries) for loss in report.losses] == [("text", PICTURES), ("picture", PICTURES)]
    assert (run.counts.done, run.counts.pending) == (2 * PICTURES, 0)
    assert (report.texts_from, report.exact) == ("captions of the pictures (caption)", True)
    assert report.sentences() == [
        "Of 100 nearest pictures for texts none is lost.",
        "Of 100 nearest pictures for pictures none is lost.",
        "This store compares every vector in each search, so there is nothing that it could lose.",
    ]
    kept = newest_losses(console.ledger, "images__demo-clip")
    assert kept is not None
    assert kept[1] == report
    assert not console.traffic.busy(), "no run is to yield to the searches of a measurement"


def test_what_changed_since_a_measurement_is_said(console: Console) -> None:
    report = report_of(finish(console, command(console, OPERATOR, "measure_losses", collection="images")))
    info = console.store.describe("images")
    assert report.changed_since(info) == ()
    other = replace(info, points=PICTURES + 1, stamp=None, index={"m": 4}, quantization={"type": "int8"})
    assert len(report.changed_since(other)) == 4


def test_a_query_set_is_asked_in_the_version_that_it_had_when_the_run_was_asked_for(console: Console) -> None:
    questions = [query("square 1"), query("square 2"), query(like="3"), query(like="no such picture")]
    command(console, OPERATOR, "save_query_set", query_set="squares", queries=questions)
    asked = command(console, OPERATOR, "measure_losses", collection="images", query_set="squares")
    command(console, OPERATOR, "save_query_set", query_set="squares", queries=[query("square 9")])

    report = report_of(finish(console, asked))

    assert [(loss.kind, loss.queries) for loss in report.losses] == [("text", 2), ("picture", 1)]
    assert (report.texts_from, report.left_out) == ("query set squares v1", 1)
    with pytest.raises(NotFound, match="no query set"):
        command(console, OPERATOR, "measure_losses", collection="images", query_set="lines")


def test_a_stopped_measurement_goes_on_with_the_next_query_and_one_of_another_collection_starts_over(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, asked = console.store.search, []

    def counted(name: str, vector: Vector, **how: Any) -> list[Hit]:
        asked.append(how["way"])
        return search(name, vector, **how)

    monkeypatch.setattr(console.store, "search", counted)
    whole = report_of(finish(console, command(console, OPERATOR, "measure_losses", collection="images")))
    assert len(asked) == 4 * 2 * PICTURES
    asked.clear()
    looks = itertools.count()
    run = command(console, OPERATOR, "measure_losses", collection="images")

    half = finish(console, run, should_stop=lambda: next(looks) >= 3)

    assert (half.state, half.counts.done, len(asked)) == (RunState.INTERRUPTED, 16, 4 * 16)
    assert half.result is None
    ended = finish(console, command(console, OPERATOR, "resume", run=run.id))
    assert (report_of(ended), ended.counts.pending, len(asked)) == (whole, 0, 4 * 2 * PICTURES)

    console.store.delete("images", [1])
    asked.clear()
    first, *_, last = operation_of(console, run).steps(half.checkpoint, half.counts)
    assert "Starts over" in first.note
    assert len(asked) == 4 * (2 * PICTURES - 1), "its caption is gone; the sample in memory still has its vector"
    assert (last.counts.done, last.counts.skipped) == (2 * PICTURES - 1, {"left meanwhile": 1})


def test_the_sample_of_a_large_collection_is_drawn_by_the_measurement_and_kept(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 5)
    monkeypatch.setattr(measuring_losses, "_PAGES", 1)
    info = console.store.describe("images")
    assert console.samples.of(info) is None
    run = command(console, OPERATOR, "measure_losses", collection="images")
    notes = [step.note for step in operation_of(console, run).steps("", Counts())]
    assert f"{PICTURES} of {PICTURES} points looked at" in notes[0]
    assert console.samples.of(info) is not None


def test_without_a_model_for_texts_pictures_are_asked_and_the_reason_is_told(console: Console) -> None:
    console.store.create("nobody", CollectionSpec(8))
    with pytest.raises(Refused, match="is empty"):
        command(console, OPERATOR, "measure_losses", collection="nobody")
    vectors = np.random.default_rng(1).normal(size=(12, 8)).astype(np.float32)
    console.store.upsert("nobody", [Point(place, row, {"title": f"no {place}"}) for place, row in enumerate(vectors)])

    report = report_of(finish(console, command(console, OPERATOR, "measure_losses", collection="nobody")))

    assert [loss.kind for loss in report.losses] == ["picture"]
    assert report.texts_from == ""
    assert "Nothing says which model made" in report.sentences()[-1]


def test_the_command_line_tells_losses_in_words_and_as_json(workspace: Path) -> None:
    with opened(workspace) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    base = ["--workspace", str(workspace), "losses", "images"]
    told = CliRunner().invoke(app, base)
    assert told.exit_code == 0, told.output
    assert f"text: {PICTURES} queries, their 10 nearest; of 100 the search loses 0.0 (0.0 to 0.0)" in told.output
    assert told.output.splitlines()[-1].startswith("This store compares every vector")
    as_json = json.loads(CliRunner().invoke(app, [*base, "--json"]).stdout)
    assert (as_json["state"], as_json["losses"][1]["kind"]) == ("succeeded", "picture")
    refused = CliRunner().invoke(app, [*base, "--queries", "lines"])
    assert refused.exit_code == 1
    assert "no query set" in refused.output
