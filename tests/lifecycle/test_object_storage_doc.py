"""docs/object-storage.md does what it says: its settings are read, and its commands run against a store."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console_core import settings
from console_core.cli.app import app
from tests.conftest import PICTURES, fill, make_workspace
from tests.how_to import blocks
from tests.lifecycle.workspaces import opened
from tests.nanio_server import KEY, SECRET, storing

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "object-storage.md").read_text()
EXAMPLES = blocks("object-storage.md", "toml")
COMMANDS = "".join(blocks("object-storage.md", "sh")).splitlines()
ENVIRONMENT = {"STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET, "STORAGE_TOKEN": SECRET}


@pytest.mark.parametrize(("example", "scheme"), [*zip(EXAMPLES, ("s3://", "https://"), strict=True)])
def test_its_settings_are_ones_that_the_console_reads(tmp_path: Path, example: str, scheme: str) -> None:
    (tmp_path / settings.FILE).write_text(f'{example}[catalog]\nlocation = "sqlite:///a.db"\ntable = "t"\n')
    (root,) = settings.read(tmp_path, ENVIRONMENT).images.roots
    assert root.startswith(scheme)


def test_the_usual_values_that_it_tells_are_the_usual_ones() -> None:
    usual = settings.ImageSettings()
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", DOCUMENT, re.MULTILINE))
    assert told == {name: str(getattr(usual, name)) for name in ("timeout", "retries", "at_once", "largest")}


def test_its_commands_migrate_what_lies_in_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_workspace(tmp_path / "workspace")
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    (tmp_path / "buckets").mkdir()
    with storing(tmp_path / "buckets") as store:
        for picture in (folder / "images").iterdir():
            store.put("images", f"originals/{picture.name}", picture.read_bytes())
            picture.unlink()
        endpoint = tomllib.loads(EXAMPLES[0])["images"]["s3"]["endpoint_url"]
        example = EXAMPLES[0].replace(endpoint, store.url).replace("eu-central-1", "us-east-1")
        file = folder / settings.FILE
        file.write_text(file.read_text().replace('[images]\nroot = "images"\n', example))
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        for command in COMMANDS:
            program, *arguments = shlex.split(command)
            assert program == "embedding-console"
            result = CliRunner().invoke(app, ["--workspace", str(folder), *arguments])
            assert result.exit_code == 0, result.output
            assert SECRET not in result.output
        with opened(folder, ENVIRONMENT) as console:
            assert console.store.count("images__demo-siglip") == PICTURES
    assert [one for one in folder.rglob("*") if one.is_file() and SECRET.encode() in one.read_bytes()] == []
