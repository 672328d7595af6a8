"""A parallel collection with chosen settings, from start to end with the commands of its how-to in docs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.vectorstore.types import CollectionInfo, CollectionSpec
from tests.conftest import PICTURES, fill, make_workspace
from tests.how_to import blocks, commands
from tests.lifecycle.test_dry_run import states
from tests.lifecycle.workspaces import opened

GUIDE = "parallel-collection.md"
STAND_INS = {
    "siglip-vit-b-16-webli": "demo-siglip",
    "ViT-B-16-SigLIP": "demo-siglip",
    "SIGLIP_PRETRAINED=webli": "SIGLIP_PRETRAINED=",
    "768": "192",
}
NEW, OLD = "image_assets_siglip", "image_assets"
OPTIONS = ("--like", OLD, "--m", "16", "--ef-construct", "100", "--int8", "--quantile", "0.99", "--always-ram")
MODEL = ("--model", "demo-siglip")
INT8 = {"type": "int8", "quantile": 0.99, "always_ram": True}

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("guide") / "workspace")
    file = folder / settings.FILE
    file.write_text('device = "cpu"\n' + file.read_text().replace("local:qdrant", "edge:qdrant-edge"))
    with opened(folder) as console:
        fill(console, OLD, "demo-clip")
    return folder


@pytest.fixture
def workspace(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(template, tmp_path / "workspace"))
    for name in ("STORE_URL", "CATALOG_URL", "IMAGE_ROOT", "LEDGER_URL", "DEVICE", "ROLE"):
        monkeypatch.delenv(f"CONSOLE_{name}", raising=False)
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])

    return run


def described(workspace: Path, name: str) -> CollectionInfo:
    with opened(workspace) as console:
        return console.store.describe(name)


def test_the_guides_commands_lead_from_an_empty_parallel_collection_to_the_cut_over_and_back(
    workspace: Path, run: Run
) -> None:
    (env,) = blocks(GUIDE, "dotenv", STAND_INS)
    Path(".env").write_text(env)
    told: dict[str, list[str]] = {}
    for arguments in commands(GUIDE, STAND_INS):
        before = states(workspace)
        result = run(*arguments)
        assert result.exit_code == 0, (arguments, result.output)
        if "--dry-run" in arguments or arguments[0] == "plan":
            assert states(workspace) == before, f"{arguments} writes nothing"
        told.setdefault(arguments[0], []).append(result.stdout)
    assert list(told) == [
        "alias",
        "create",
        "check",
        "plan",
        "migrate",
        "verify",
        "share",
        "cutover",
        "search",
        "rollback",
    ]

    preview, made = told["create"]
    assert "Would make image_assets_siglip" in preview
    assert "Quantization: INT8, quantile 0.99, always in memory" in preview
    assert preview.replace("Would make", "Made").startswith(made)
    empty, filled = told["check"]
    for line in ("m: expected 16, found 16", "ef_construct: expected 100, found 100", "status: expected green"):
        assert line in empty
        assert line in filled
    assert "points: expected 0, found 0" in empty
    assert f"points: expected any, found {PICTURES}" in filled
    (plan,) = told["plan"]
    assert "SIGLIP_COLLECTION=image_assets_siglip  taken over" in plan
    assert "image_assets_siglip is there and empty, and its own settings are kept" in plan
    assert "USE_SIGLIP=false  not taken over: That is no share" in plan
    given, raised, ended = told["share"]
    assert "10 % of the callers that say who they are get image_assets_siglip instead" in given
    assert "user-17 is in bucket 4,787 of 10,000 and gets image_assets_siglip.\n" in raised, "which is below 5,000"
    assert "50 % of the callers" in raised
    assert "Nothing of its traffic is shared out. The share of image_assets_siglip ended" in ended
    assert len(told["search"][0].splitlines()) == 5

    info = described(workspace, NEW)
    assert (info.dimension, info.distance, info.points, info.index["m"], info.index["ef_construct"]) == (
        *(192, "cosine", PICTURES, 16, 100),
    )
    assert info.quantization == INT8
    assert info.stamp is not None
    assert (info.stamp.model, info.stamp.preprocess) == ("demo-siglip", "fast")
    former = described(workspace, OLD)
    assert (former.points, former.aliases, former.quantization) == (PICTURES, ("assets",), {})
    with opened(workspace) as console:
        (build,) = console.ledger.runs(kinds=("reembed",))
        assert (build.target, build.spec["batch_size"], build.spec["quantization"]) == (NEW, 32, INT8)


def test_a_migration_makes_the_collection_itself_with_the_same_options_and_the_same_outcome(
    workspace: Path, run: Run
) -> None:
    assert run("alias", "assets", OLD).exit_code == 0
    asked = ("assets", "--to", "demo-siglip", "--target", NEW, *OPTIONS[2:])
    plan = json.loads(run("plan", *asked, "--json").stdout)
    assert plan["target"] == NEW
    assert plan["settings"]["quantization"] == INT8
    assert {"m": 16, "ef_construct": 100}.items() <= plan["settings"]["index"].items()
    assert {finding["code"] for finding in plan["findings"]} >= {"settings-chosen", "rescoring"}
    assert run("migrate", *asked).exit_code == 0
    checked = run("check", NEW, *MODEL, *OPTIONS, "--points", str(PICTURES), "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["fits"]
    info = described(workspace, NEW)
    assert (info.index["m"], info.index["ef_construct"], info.quantization) == (16, 100, INT8)


def test_a_dry_run_refuses_what_the_creation_itself_refuses_and_both_leave_every_byte(
    workspace: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(workspace):
        pass
    for arguments, says in (
        ((OLD, *MODEL), f"exists already, with {PICTURES} points"),
        ((NEW, "--model", "no-such-model"), 'No model is called "no-such-model"'),
    ):
        before = states(workspace)
        dry = run("create", *arguments, "--dry-run", "--json")
        assert (dry.exit_code, states(workspace) == before) == (1, True)
        document = json.loads(dry.stdout)
        assert (document["blocked"], document["dry_run"], document["made"]) == (True, True, None)
        assert any(says in finding["message"] for finding in document["findings"] if finding["severity"] == "block")
        real = run("create", *arguments, "--json")
        assert (real.exit_code, real.stdout) == (1, "")
        assert says in real.stderr
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    for more in ((), ("--dry-run",)):
        assert "create collection needs operator" in run("create", NEW, *MODEL, *more).stderr
    with opened(workspace) as console:
        assert [info.name for info in console.store.collections()] == [OLD]


OTHERWISE: list[tuple[dict[str, Any], str]] = [
    ({"index": {"m": 32, "ef_construct": 100}}, "m"),
    ({"quantization": {**INT8, "quantile": 0.95}}, "quantization"),
    ({"stamp": None}, "stamp"),
]


def test_a_check_ends_with_one_and_names_what_is_otherwise_than_expected(workspace: Path, run: Run) -> None:
    assert run("create", NEW, *MODEL, *OPTIONS).exit_code == 0
    with opened(workspace) as console:
        stamp = console.store.describe(NEW).stamp
        right = {"dimension": 192, "stamp": stamp, "index": {"m": 16, "ef_construct": 100}, "quantization": INT8}
        for number, (otherwise, _) in enumerate(OTHERWISE):
            console.store.create(f"other-{number}", CollectionSpec(**{**right, **otherwise}))
    assert run("check", NEW, *MODEL, *OPTIONS, "--points", "0").exit_code == 0
    for number, (_, fails) in enumerate(OTHERWISE):
        result = run("check", f"other-{number}", *MODEL, *OPTIONS, "--json")
        assert result.exit_code == 1
        lines = json.loads(result.stdout)["lines"]
        assert [line["what"] for line in lines if not line["fits"]] == [fails]


def test_a_variable_that_is_wrong_stops_the_plan_by_name_and_one_that_is_unknown_is_passed_over(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("alias", "assets", OLD).exit_code == 0
    Path("wrong.env").write_text("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_EMBEDDING_DIM=768\nTOKEN=hunter2\n")
    for command in ("plan", "migrate"):
        refused = run(command, "assets", "--from-env", "wrong.env", "--json")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "Nothing was taken over. SIGLIP_EMBEDDING_DIM=768: Demo SigLIP makes vectors of 192" in refused.stderr
        assert "hunter2" not in refused.output
    assert json.loads(run("runs", "--json").stdout) == []
    monkeypatch.setenv("CLIP_MODEL_NAME", "demo-siglip")
    monkeypatch.setenv("GPU_BATCH_SIZE", "8")
    plan = json.loads(run("plan", "assets", "--from-environment", "--json").stdout)
    assert plan["model"] == "demo-siglip"
    assert [(one["name"], one["outcome"]) for one in plan["imported"]] == [
        *[("CLIP_MODEL_NAME", "taken over"), ("GPU_BATCH_SIZE", "taken over")],
    ]
    Path("other.env").write_text("TOKEN=hunter2\n")
    assert "sets none of the variables" in run("plan", "assets", "--from-env", "other.env").stderr
    assert "cannot be read" in run("plan", "assets", "--from-env", "missing.env").stderr


def test_options_that_contradict_each_other_are_a_wrong_use(run: Run) -> None:
    for options in (
        ("--int8", "--quantization", "binary"),
        ("--quantile", "0.9"),
        ("--always-ram",),
        ("--quantization", "int3"),
        ("--m", "1"),
        ("--quantile", "0.2", "--int8"),
    ):
        result = run("create", NEW, *MODEL, *options)
        assert (result.exit_code, "Usage" in result.stderr) == (2, True), options
    assert run("plan", "assets").exit_code == 2
