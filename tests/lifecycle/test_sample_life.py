"""Drawing the sample of a large collection: asked for once, left half-way, kept, and let go of."""

import pytest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import NotAllowed
from console_core.querylab import sample_run, samples
from console_core.querylab.calibration import Draw, draw
from console_core.querylab.sample_run import DrawSample
from console_core.querylab.samples import Samples
from console_core.runs.types import Counts, RunState
from tests.conftest import OPERATOR, PICTURES, finish


def test_a_sample_is_drawn_by_a_run_and_kept_for_every_query(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 5)
    info = console.store.describe("images")
    assert console.samples.of(info) is None
    with pytest.raises(NotAllowed):
        command(console, Actor("vera", "viewer"), "draw_sample", collection="images")
    asked = command(console, OPERATOR, "draw_sample", collection="images")
    assert command(console, OPERATOR, "draw_sample", collection="images").id == asked.id
    run = finish(console, asked)
    assert (run.state, run.target, run.counts.done) == (RunState.SUCCEEDED, info.name, PICTURES)
    assert run.result == {"points": PICTURES, "sampled": PICTURES}
    sample = console.samples.of(info)
    assert sample is not None
    assert sample.ids == draw(console.store, info).ids
    console.samples.forget(info.name)
    assert console.samples.of(info) is None


def test_a_run_that_stops_half_way_keeps_nothing_and_starts_over_when_it_resumes(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 5)
    monkeypatch.setattr(sample_run, "_PAGES", 1)
    info = console.store.describe("images")
    drawing = DrawSample(console.store, console.samples, info.name)
    steps = drawing.steps("", drawing.plan())
    assert [next(steps).counts.done, next(steps).counts.done] == [0, PICTURES]
    del steps
    assert console.samples.of(info) is None
    *_, last = drawing.steps("48", Counts(selected=PICTURES + 2, done=20))
    assert (last.counts.done, last.counts.skipped, last.counts.pending) == (PICTURES, {"left meanwhile": 2}, 0)
    assert console.samples.of(info) is not None


def test_a_sample_that_is_kept_while_somebody_finds_none_is_not_thrown_away(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 5)
    info = console.store.describe("images")
    drawn, kept = draw(console.store, info), Samples._kept

    def meanwhile(self: Samples, name: str) -> Draw | None:
        found = kept(self, name)
        if found is None:
            console.samples.keep(name, drawn)
        return found

    monkeypatch.setattr(Samples, "_kept", meanwhile)
    assert console.samples.of(info) is None
    sample = console.samples.of(info)
    assert sample is not None
    assert sample.ids == drawn.ids
