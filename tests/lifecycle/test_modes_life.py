"""A build in each mode, through a real model into a real store: what it writes, what it says of itself, and what goes
on in the same mode afterwards."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from console_core import settings
from console_core.cli.app import app
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.demo.cards import DEMO_CARDS
from console_core.demo.gallery import select
from console_core.demo.painting.render import render
from console_core.embedding.preprocessing import Mode
from console_core.migration.filling import mode_of
from console_core.migration.findings import Request
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import picture_key
from console_core.vectorstore.types import CollectionSpec
from tests.conftest import OPERATOR, fill, finish, make_workspace

PICTURES, JPEGS = 24, 21
LEAST = {Mode.EXACT: 0.999999, Mode.FAST: 0.9999, Mode.TURBO: 0.999}
USUAL = Request("images", "demo-siglip", batch_size=5)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Pictures of the demo's gallery of 640 pixels; every eighth is a PNG under the name of a JPEG."""
    folder = make_workspace(tmp_path / "workspace", PICTURES)
    for number, scene in enumerate(select(PICTURES), start=1):
        file = folder / "images" / f"{number:04}.jpg"
        render(scene, 640).save(file, "JPEG" if number % 8 else "PNG")
    return folder


def build(console: Console, mode: Mode) -> Run:
    started = command(console, OPERATOR, "start_migration", request=replace(USUAL, mode=mode))
    run = finish(console, started.run)
    assert run.state is RunState.SUCCEEDED, run.reason
    return run


def by_hand(console: Console) -> dict[str, Any]:
    """The vectors of plain open_clip, by key."""
    model, _, preprocess = open_clip.create_model_and_transforms(DEMO_CARDS[1].architecture)
    model.eval()
    rows = list(console.catalog.rows())
    files = [console.settings.image_roots[0] / row.candidates[-1] for row in rows]
    with torch.inference_mode():
        batch = torch.stack([preprocess(Image.open(file).convert("RGB")) for file in files])
        vectors = model.encode_image(batch, normalize=True).numpy()
    return dict(zip([row.key for row in rows], vectors, strict=True))


@pytest.mark.parametrize("mode", list(Mode))
def test_a_build_in_each_mode_is_as_near_to_plain_open_clip_as_promised_and_says_its_mode(
    console: Console, mode: Mode
) -> None:
    run = build(console, mode)
    plain = by_hand(console)
    cosines = [
        float(np.dot(plain[picture_key(point.id, point.payload)], point.vector))
        for point in console.store.scroll(run.target, vectors=True)
        if point.vector is not None
    ]
    print(f"{mode}: cosine in the store {min(cosines):.7f} at the lowest, {len(cosines)} pictures")  # noqa: T201
    assert len(cosines) == PICTURES
    assert min(cosines) >= LEAST[mode]
    stamp = console.store.describe(run.target).stamp
    assert stamp is not None
    assert (stamp.preprocess, mode_of(console.store, run.target)) == (mode.value, mode)
    expected = {"Pillow": PICTURES} if mode is Mode.EXACT else {"libjpeg-turbo": JPEGS, "Pillow": PICTURES - JPEGS}
    assert run.result == {"decoders": expected}


def test_who_decoded_adds_up_over_a_stop_and_a_resumption(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=USUAL)
    steps = iter([False, True])
    stopped = finish(console, started.run, lambda: next(steps, True))
    assert stopped.state is RunState.INTERRUPTED
    assert 0 < stopped.counts.done < PICTURES
    assert sum((stopped.result or {})["decoders"].values()) == stopped.counts.done
    command(console, OPERATOR, "resume", run=stopped.id)
    run = finish(console, console.ledger.get(stopped.id))
    assert run.state is RunState.SUCCEEDED
    assert run.result == {"decoders": {"libjpeg-turbo": JPEGS, "Pillow": PICTURES - JPEGS}}


def test_a_restored_collection_says_in_which_mode_it_was_built(console: Console) -> None:
    run = build(console, Mode.TURBO)
    finish(console, command(console, OPERATOR, "back_up", collection=run.target))
    (backup,) = console.backups.all()
    finish(console, command(console, OPERATOR, "restore", backup=backup.id, into="again"))
    assert mode_of(console.store, "again") is Mode.TURBO


def test_recording_the_model_again_keeps_the_mode_that_was_recorded(console: Console) -> None:
    run = build(console, Mode.EXACT)
    command(console, OPERATOR, "stamp", collection=run.target, model="demo-siglip")
    assert mode_of(console.store, run.target) is Mode.EXACT
    info = console.store.describe(run.target)
    assert info.stamp is not None
    console.store.create("unknown", CollectionSpec(192, stamp=replace(info.stamp, fingerprint="0123456789ab")))
    command(console, OPERATOR, "stamp", collection="unknown", model="demo-siglip")
    assert console.store.describe("unknown").stamp == info.stamp
    assert mode_of(console.store, "unknown") is Mode.FAST, "another fingerprint's mode says nothing"


def test_the_command_line_plans_and_builds_in_a_mode_and_shows_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    console.close()

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    to = ("images", "--to", "demo-siglip")
    assert f"{PICTURES} of {PICTURES} pictures into images__demo-siglip, in fast mode" in said("plan", *to)
    planned = json.loads(said("plan", *to, "--mode", "turbo", "--json"))
    assert planned["mode"] == "turbo"
    assert planned["parity"]["compared"] == PICTURES
    assert planned["parity"]["decoders"] == {"libjpeg-turbo": JPEGS, "Pillow": PICTURES - JPEGS}
    exact = json.loads(said("plan", *to, "--mode", "exact", "--json"))
    assert (exact["mode"], exact["parity"]) == ("exact", None)
    built = json.loads(said("migrate", *to, "--mode", "turbo", "--json"))
    decoders = {"libjpeg-turbo": JPEGS, "Pillow": PICTURES - JPEGS}
    assert (built["mode"], built["decoders"], built["verdict"]) == ("turbo", decoders, "green")
    shown = said("runs", built["run"])
    assert f"turbo mode, decoded {JPEGS} by libjpeg-turbo, {PICTURES - JPEGS} by Pillow" in shown
    assert json.loads(said("runs", built["run"], "--json"))["decoders"] == decoders
    by_name = {one["name"]: one["mode"] for one in json.loads(said("collections", "--json"))}
    assert by_name == {"images__demo-clip": None, "images__demo-siglip": "turbo"}
    wrong = CliRunner().invoke(app, ["--workspace", str(workspace), "plan", *to, "--mode", "sloppy"])
    assert wrong.exit_code == 2
