"""A migration to a model that embeds pictures only: it wants a person's word, and is searched by picture afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from typer.testing import CliRunner

from console_core import settings
from console_core.cli.app import app
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.errors import NoTextTower, Refused
from console_core.migration.findings import Request
from console_core.querylab.finding import search_one
from console_core.querylab.image_search import ask_like
from tests.conftest import OPERATOR, PICTURES, fill, finish

ANIMALS = """
[models.animals]
architecture = "local-dir:animals"
title = "Animals"
"""


@pytest.fixture
def workspace(workspace: Path) -> Path:
    """A workspace with a genuine model of timm in a folder of its own."""
    with (workspace / settings.FILE).open("a") as file:
        file.write(ANIMALS)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = timm.create_model("test_vit", num_classes=4)
    timm.models.save_for_hf(model, workspace / "animals", safe_serialization=True)
    return workspace


@pytest.fixture
def console(workspace: Path) -> Iterator[Console]:
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        yield console
    finally:
        console.close()


def test_the_alias_of_the_demo_is_moved_to_a_model_that_embeds_pictures_only(console: Console) -> None:
    with pytest.raises(Refused, match="cannot embed text"):
        command(console, OPERATOR, "start_migration", request=Request("images", "animals"))
    request = Request("images", "animals", text_search=False)
    build = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert build.counts.done == PICTURES, build.reason
    verified = finish(console, command(console, OPERATOR, "verify", collection=build.target))
    assert verified.result is not None
    assert verified.result["verdict"] == "green", verified.result["checks"]
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert console.store.describe("images").dimension == 64

    with pytest.raises(NoTextTower, match="cannot be searched by text"):
        search_one(console.store, console.models, "images", "a red square")
    old, new = ask_like(console.store, ["images__demo-clip", "images"], "7", limit=10).columns
    assert (old.error, new.error, len(new.answers)) == (None, None, 10)
    assert new.answers[0].score > 0.9
    embedder = console.models.get("animals")
    picture = Image.open(console.settings.image_roots[0] / "0007.jpg").convert("RGB")
    (vector,) = embedder.embed_images([embedder.preprocessing.exact(picture)])
    found = console.store.search("images", vector, limit=11)
    assert [hit.id for hit in found] == [7, *(answer.id for answer in new.answers)]

    command(console, OPERATOR, "roll_back", alias="images")
    assert search_one(console.store, console.models, "images", "a red square")


def test_on_the_command_line_it_is_said_with_image_only(console: Console, workspace: Path) -> None:
    console.close()

    def run(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])
        return ran.exit_code, ran.output

    code, told = run("model", "animals")
    assert (code, "Animals  64-d  pictures only  cpu" in told) == (0, True)
    code, told = run("plan", "images", "--to", "animals")
    assert (code, "--image-only" in told) == (1, True)
    assert run("migrate", "images", "--to", "animals", "--image-only")[0] == 0
    assert run("cutover", "images", "--to", "images__animals")[0] == 0
    code, told = run("search", "images", "a red square")
    assert (code, "embeds pictures only" in told, "Pick a picture" in told) == (1, True, True)
    assert run("search", "images", "--like", "7")[0] == 0
