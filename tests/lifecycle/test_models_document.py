"""docs/models.md is held to what it claims: its commands are run, and its settings are read."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from console_core import settings
from console_core.cli.app import app
from console_core.console import open_console
from console_core.embedding.registry import from_settings
from tests.conftest import fill, make_workspace
from tests.how_to import blocks
from tests.hub import UNREACHABLE, connect, serving_files

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "models.md").read_text()
COMMANDS = "".join(blocks("models.md", "sh")).splitlines()
SETTINGS = blocks("models.md", "toml")
REPOSITORY = "timm/test_vit.r160_in1k"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One whose models folder has what the document's settings name."""
    workspace = make_workspace(tmp_path / "workspace", pictures=12)
    with (workspace / settings.FILE).open("a") as file:
        file.write(SETTINGS[0])
    shutil.copytree(ROOT / "console_core" / "demo" / "models" / "demo-siglip", workspace / "models" / "ours")
    save_file(timm.create_model("resnet18", num_classes=3).state_dict(), workspace / "models" / "shapes.safetensors")
    save(workspace / "models" / "animals")
    console = open_console(settings.read(workspace, {}), owner_name="the test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    console.close()
    return workspace


def save(folder: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        timm.models.save_for_hf(timm.create_model("test_vit", num_classes=4), folder, safe_serialization=True)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """A hub that has the weights of a tiny model."""
    save(tmp_path / "published")
    with serving_files() as (address, files):
        files[f"{REPOSITORY}/model.safetensors"] = (tmp_path / "published" / "model.safetensors").read_bytes()
        files[f"{REPOSITORY}/README.md"] = b"read me"
        yield address


def test_every_command_of_the_document_does_what_it_says(
    workspace: Path, hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "cache here", tmp_path / "cache there"
    connect(monkeypatch, UNREACHABLE, here)
    assert len(COMMANDS) == 9
    for command in COMMANDS:
        program, *arguments = command.partition("#")[0].split()
        if program == "hf":
            environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_CACHE": str(there), "HF_HUB_DISABLE_XET": "1"}
            fetching = [str(Path(sys.executable).with_name("hf")), *arguments]
            subprocess.run(fetching, env=environment, check=True, capture_output=True, timeout=60)
            name = f"models--{REPOSITORY.replace('/', '--')}"
            shutil.copytree(there / name, here / name, symlinks=True)
            assert [file.name for file in (here / name).glob("snapshots/*/*")] == ["model.safetensors"]
            continue
        assert program == "embedding-console"
        ran = CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])
        assert ran.exit_code == int("exit code 1" in command), f"{command}: {ran.output}"
        if arguments == ["model", "ours"]:
            assert "text and pictures" in ran.output
            assert "A query is embedded as: a photo of {}" in ran.output
        if ran.exit_code:
            (fetch,) = (one for one in COMMANDS if one.startswith("hf "))
            assert f"`{fetch}`" in " ".join(ran.output.split())
            assert str(here) in ran.output


def test_the_weights_of_a_published_model_can_lie_anywhere(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text(SETTINGS[1].replace("/srv/models", str(tmp_path)))
    (tmp_path / "pytorch_model.bin").touch()
    (model,) = settings.read(tmp_path, {}).models
    card = from_settings(model, tmp_path)
    assert (card.key, card.dimension, card.image_size, card.has_text) == ("mega", 1536, 384, False)
    assert card.weights == str(tmp_path / "pytorch_model.bin")
