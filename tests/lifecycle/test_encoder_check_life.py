"""The life of an encoder check: asked for by a command, worked as a run, read back, and stale after a change."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.commands import command
from console_core.console import Console
from console_core.demo.captions import caption
from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.errors import Refused
from console_core.querylab.encoder_report import EncoderReport
from console_core.querylab.encoder_standing import standing
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.documented import run as run_document
from tests.lifecycle.workspaces import opened

PICTURES = 52
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "encoder-check.md"


@pytest.fixture(name="pictured")
def _pictured(tmp_path: Path) -> Path:
    """A workspace of pictures with captions that describe them; the alias `images` serves what demo-clip made."""
    workspace = make_workspace(tmp_path / "workspace", PICTURES)
    rng = random.Random(5)
    with sqlite3.connect(workspace / "catalog.db") as catalog:
        for key in range(1, PICTURES + 1):
            scene = plan(40_000_000 + key)
            render(scene, 96).save(workspace / "images" / f"{key:04}.jpg", quality=95)
            catalog.execute("UPDATE images SET caption = ? WHERE id = ?", (caption(scene, rng), key))
    catalog.close()
    with opened(workspace) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return workspace


@pytest.fixture(name="lab")
def _lab(pictured: Path) -> Iterator[Console]:
    with opened(pictured) as console:
        yield console


def _checked(console: Console, **asked: str) -> Run:
    return finish(console, command(console, OPERATOR, "check_encoder", collection="images", **asked))


def test_the_command_of_the_document_says_that_a_healthy_encoder_is_green(
    pictured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(pictured))
    monkeypatch.setenv("PWD", str(Path.cwd()))
    monkeypatch.chdir(Path.cwd())

    (ran,) = run_document(DOCUMENT, pictured)

    assert ran.code == 0, ran.output
    assert f"{PICTURES} of {PICTURES} pictures embedded again agree" in ran.output
    assert ran.output.splitlines()[-1] == "green"


def test_captions_that_describe_no_picture_are_red_and_can_be_left_out(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "squares")
    with opened(workspace) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    base = ["--workspace", str(workspace), "encoder-check", "images"]

    red = CliRunner().invoke(app, base)
    left_out = CliRunner().invoke(app, [*base, "--no-captions"])

    assert red.exit_code == 1
    assert "RED  captions: Captions do not find their own pictures" in red.output
    assert left_out.exit_code == 0
    assert "captions-skipped" in left_out.output


def test_a_check_is_kept_with_its_run_and_goes_stale_by_a_write_a_stamp_and_another_model(lab: Console) -> None:
    assert standing(lab.store, lab.ledger, lab.models, "images") is None
    run = _checked(lab)
    assert (run.state, run.counts.done, run.counts.pending) == (RunState.SUCCEEDED, PICTURES, 0)

    kept = standing(lab.store, lab.ledger, lab.models, "images", thoroughly=True)

    assert kept is not None
    assert kept.trusted
    assert kept.report == EncoderReport.from_json(run.result or {})
    assert kept.report.collection == "images__demo-clip"

    (point,) = lab.store.retrieve("images", [7], vectors=True)
    assert point.vector is not None
    lab.store.upsert("images", [Point(7, -point.vector, point.payload)])
    written = standing(lab.store, lab.ledger, lab.models, "images", thoroughly=True)
    assert written is not None
    assert written.stale == ("The collection was written to since.",)
    assert not written.trusted

    lab.store.stamp("images", ModelStamp("demo-clip", "0123456789ab"))
    stamped = standing(lab.store, lab.ledger, lab.models, "images")
    assert stamped is not None
    assert "0123456789ab" in stamped.stale[0]
    again = EncoderReport.from_json(_checked(lab).result or {})
    assert {finding.code for finding in again.findings if finding.level == "red"} == {"weights", "vectors"}


def test_a_collection_that_says_no_model_has_no_encoder_to_check(lab: Console) -> None:
    lab.store.create("nobody", CollectionSpec(128))

    with pytest.raises(Refused, match="does not say which model") as refused:
        command(lab, OPERATOR, "check_encoder", collection="nobody")

    assert "Stamp it" in refused.value.remedy


def test_asking_twice_for_the_same_check_gives_the_one_that_waits(lab: Console) -> None:
    first = command(lab, OPERATOR, "check_encoder", collection="images")

    assert command(lab, OPERATOR, "check_encoder", collection="images__demo-clip").id == first.id
    assert command(lab, OPERATOR, "check_encoder", collection="images", captions="").id != first.id


def test_nothing_is_written_to_the_store(lab: Console) -> None:
    def held() -> list[object]:
        return [replace(lab.store.describe("images")), [point.payload for point in lab.store.scroll("images")]]

    before = held()
    _checked(lab)
    assert held() == before
