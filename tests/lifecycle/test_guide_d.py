"""Guide D from its start to its end: ingest a folder and a list, search by command and over HTTP, find duplicates.

The documents tell the same story; their commands are run as they stand there.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.querylab.duplicates import Duplicates
from tests.conftest import make_workspace
from tests.documented import Ran, commands, run
from tests.e2e.serving import serving

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOKEN = "a-token-that-only-this-test-knows"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents change the environment and the folder; both are as before afterwards."""
    for name in [name for name in os.environ if name.startswith("CONSOLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONSOLE_WORKSPACE", "")
    monkeypatch.setenv("PWD", str(Path.cwd()))
    monkeypatch.chdir(Path.cwd())


@pytest.fixture(scope="module", name="template")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a folder of pictures and a list of others, and nothing in its store."""
    workspace = make_workspace(tmp_path_factory.mktemp("guide") / "workspace")
    images = workspace / "images"
    (images / "holiday" / "beach").mkdir(parents=True)
    for number in range(1, 7):
        place = images / "holiday" / ("beach" if number > 4 else "") / f"{number}.jpg"
        shutil.copyfile(images / f"{number:04}.jpg", place)
    labelled = [f"{number:04}.jpg,{('cat', 'dog')[number % 2]}" for number in range(11, 15)]
    (images / "products.csv").write_text("path,label\n" + "\n".join(labelled) + "\n")
    return workspace


@pytest.fixture(name="workspace")
def _workspace(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "workspace"))


def said(workspace: Path, *arguments: str, code: int = 0) -> Any:
    """What a command says in JSON."""
    result = CliRunner().invoke(app, ["--workspace", str(workspace), *arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_the_guide_by_commands(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holiday = workspace / "images" / "holiday"
    shutil.copyfile(holiday / "1.jpg", holiday / "copy of 1.jpg")
    with Image.open(holiday / "2.jpg") as image:
        image.save(holiday / "2 again.jpg", quality=70)
    (holiday / "broken.jpg").write_bytes((holiday / "3.jpg").read_bytes()[:400])
    (holiday / "page.jpg").write_text("<!doctype html><html></html>")
    where = ("--into", "photos", "--namespace", "holiday")

    planned = said(workspace, "ingest", str(holiday), *where, "--model", "demo-clip", "--dry-run")
    assert (planned["selected"], planned["new"], planned["creates"]) == (10, 10, True)
    assert said(workspace, "collections") == [], "a dry run writes nothing"

    first = said(workspace, "ingest", str(holiday), *where, "--model", "demo-clip", code=1)
    assert (first["new"], first["changed"], first["already"]) == (8, 0, 0)
    assert first["classes"] == {"unreadable": 1, "unsupported": 1}
    assert {Path(one["path"]).name for one in first["failures"]} == {"broken.jpg", "page.jpg"}
    (holiday / "broken.jpg").unlink()
    (holiday / "page.jpg").unlink()

    second = said(workspace, "ingest", str(holiday), *where)
    assert (second["new"], second["changed"], second["already"]) == (0, 0, 8)
    shop = said(workspace, "ingest", str(workspace / "images" / "products.csv"), "--into", "photos", "--namespace", "s")
    assert (shop["new"], shop["model"]) == (4, "demo-clip")
    refused = CliRunner().invoke(
        app, ["--workspace", str(workspace), "ingest", str(holiday), *where, "--model", "demo-siglip"]
    )
    assert refused.exit_code == 1
    assert "must never meet" in refused.stderr

    hits = said(workspace, "search", "photos", "a square", "--namespace", "s", "--where", "label=cat", "--limit", "9")
    assert {(hit["payload"]["namespace"], hit["payload"]["label"]) for hit in hits} == {("s", "cat")}
    assert len(hits) == 2
    (itself, *_) = said(workspace, "search", "photos", "--image", str(holiday / "3.jpg"))
    assert itself["payload"]["path"] == "holiday/3.jpg"

    for wrong in (("a square", "--where", "label"), (), ("a square", "--image", str(holiday / "3.jpg"))):
        assert CliRunner().invoke(app, ["--workspace", str(workspace), "search", "photos", *wrong]).exit_code == 2
    no_picture = CliRunner().invoke(
        app, ["--workspace", str(workspace), "search", "photos", "--image", str(workspace / "console.toml")]
    )
    assert (no_picture.exit_code, "is not a picture" in no_picture.stderr) == (1, True)
    assert "catalog" not in no_picture.stderr

    found = said(workspace, "duplicates", "photos", "--threshold", "0.995", "--csv", str(workspace / "twice.csv"))
    groups = {tuple(one["path"] for one in group) for group in found["groups"]}
    assert {("holiday/1.jpg", "holiday/copy of 1.jpg"), ("holiday/2 again.jpg", "holiday/2.jpg")} <= groups
    labelled = said(workspace, "duplicates", "photos", "--threshold", "0.995", "--where", "label=cat")
    assert labelled["groups"] == []
    assert (workspace / "twice.csv").read_text().splitlines()[0] == "group,id,path,cosine,namespace,key,same file"
    assert said(workspace, "verify", "photos")["verdict"] == "green"
    assert said(workspace, "stats")["demo-clip"]["coverage_percentage"] == 100

    look_through = Duplicates.steps

    def interrupted(looking: Duplicates) -> Iterator[tuple[int, int]]:
        for step in look_through(looking):
            os.kill(os.getpid(), signal.SIGINT)
            yield step

    monkeypatch.setattr(Duplicates, "steps", interrupted)
    stopped = said(workspace, "duplicates", "photos", code=1)
    assert (stopped["complete"], stopped["looked_at"]) == (False, 12)
    assert stopped["groups"]


def _ended_well(ran: Ran) -> str:
    assert ran.code == 0, f"{ran.command}\n{ran.output}"
    return ran.output


def test_the_documents_commands_do_what_the_documents_say(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [_ended_well(ran) for ran in run(DOCS / "ingest.md", workspace)]
    told = "\n".join(answers)
    for expected in ("6 would be embedded", "6 new pictures", "4 new pictures", "0 new pictures and 0 again", "green"):
        assert expected in told
    assert (workspace / "duplicates.csv").exists()
    assert (workspace / "ingested").is_dir()

    monkeypatch.setenv("CONSOLE_API_TOKEN", TOKEN)
    said(workspace, "alias", "assets", "photos")
    assert len(commands(DOCS / "search-api.md")) == 5
    with serving(workspace) as server:
        asked = run(DOCS / "search-api.md", workspace, replace=("http://127.0.0.1:8501", server.url))
        text, form, base64, route, collections = (json.loads(_ended_well(ran)) for ran in asked)
        assert TOKEN not in server.log.read_text()
    assert (text["model"], text["collection"], len(text["results"])) == ("demo-clip", "photos", 3)
    for answer in (form, base64):
        assert answer["results"][0]["payload"]["path"] == "holiday/1.jpg"
    assert {one["payload"]["namespace"] for one in form["results"]} == {"holiday"}
    assert (route["collection"], route["model"], route["bucket"], route["share"]) == ("photos", "demo-clip", 4787, 0)
    assert [one["name"] for one in collections["collections"]] == ["photos"]
