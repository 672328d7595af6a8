"""The command line: its names, JSON keys, exit codes, and what goes to which stream are a contract."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.console import open_console
from console_core.runs.types import Lane
from console_core.vectorstore.types import CollectionSpec
from tests.conftest import ENGINE, PICTURES, fill, make_workspace
from tests.lifecycle.forking import Forks

RUN_KEYS = {"run", "state", "target", "selected", "done", "embedded", "skipped", "failed", "pending"}
STATS_KEYS = {"total", "with_embedding", "without_embedding", "failed", "coverage_percentage", "other_collections"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose alias `images` serves the demo CLIP's collection; one picture is missing, and has no point."""
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace")
    console = open_console(settings.read(folder, {}), owner_name="the test")
    fill(console, "everything", "demo-clip")
    whole = console.store.describe("everything")
    console.store.create("images__demo-clip", CollectionSpec(whole.dimension, stamp=whole.stamp))
    points = console.store.scroll("everything", vectors=True)
    console.store.upsert("images__demo-clip", [point for point in points if point.id != 5])
    console.store.set_alias("images", "images__demo-clip", expected=None)
    console.store.drop("everything")
    console.close()
    (folder / "images" / "0005.jpg").unlink()
    return folder


@pytest.fixture(scope="module")
def migrated(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same workspace after `migrate images --to demo-siglip`."""
    folder = tmp_path_factory.mktemp("migrated") / "workspace"
    shutil.copytree(filled, folder)
    assert _run(folder, "migrate", "images", "--to", "demo-siglip").exit_code == 0
    return folder


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "workspace"))


@pytest.fixture
def built(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(migrated, tmp_path / "workspace"))


@pytest.fixture(autouse=True)
def _known_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKSPACE", "STORE_URL", "CATALOG_URL", "IMAGE_ROOT", "LEDGER_URL", "DEVICE", "ROLE"):
        monkeypatch.delenv(f"CONSOLE_{name}", raising=False)
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")


def _run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])


def _json(result: Result, code: int = 0) -> Any:
    """The one document on standard output, which has nothing else on it."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.stderr
    return json.loads(result.stdout)


Command = Callable[..., Any]


@pytest.fixture
def command(workspace: Path, forks: Forks) -> Command:
    """Run `embedding-console` as a process and read its JSON."""

    def run(*arguments: str) -> Any:
        process = forks.start(
            "tests.lifecycle.programs:cli",
            *("--workspace", str(workspace), *arguments, "--json"),
            environment={"CONSOLE_ACTOR": "olga"},
        )
        assert process.wait() == 0, process.stderr.read_text()
        return json.loads(process.stdout.read_text())

    return run


def test_a_whole_migration_on_the_command_line_each_command_a_process_of_its_own(command: Command) -> None:
    (before,) = command("collections")
    assert before == {
        "name": "images__demo-clip",
        "dimension": 128,
        "distance": "cosine",
        "points": PICTURES - 1,
        "model": "demo-clip",
        "fingerprint": before["fingerprint"],
        "mode": None,
        "aliases": ["images"],
    }

    plan = command("plan", "images", "--to", "demo-siglip")
    assert (plan["target"], plan["blocked"]) == ("images__demo-siglip", False)
    assert plan["counts"] == {"selected": PICTURES, "to_embed": PICTURES, "source_points": PICTURES - 1}
    assert command("collections") == [before], "a plan writes nothing"
    assert command("runs") == []

    built = command("migrate", "images", "--to", "demo-siglip")
    assert built.keys() >= RUN_KEYS
    assert {key: built[key] for key in RUN_KEYS - {"run"}} == {
        "state": "succeeded",
        "target": "images__demo-siglip",
        "selected": PICTURES,
        "done": PICTURES - 1,
        "embedded": PICTURES - 1,
        "skipped": 0,
        "failed": 1,
        "pending": 0,
    }
    assert built["verdict"] == "green"

    assert command("verify", "images__demo-siglip")["verdict"] == "green"
    assert command("cutover", "images", "--to", "images__demo-siglip") == {
        "alias": "images",
        "from": "images__demo-clip",
        "to": "images__demo-siglip",
        "kind": "cut over",
    }
    hits = command("search", "images", "a red square", "--limit", "3")
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert all(hit.keys() == {"rank", "id", "score", "payload"} for hit in hits)
    assert hits[0]["payload"]["caption"].startswith("square ")

    assert command("rollback", "images")["to"] == "images__demo-clip"
    stats = command("stats")
    assert stats.keys() == {"demo-clip", "demo-siglip"}
    assert all(found.keys() >= STATS_KEYS for found in stats.values())
    assert (stats["demo-siglip"]["with_embedding"], stats["demo-siglip"]["failed"]) == (PICTURES - 1, 1)
    runs = list(reversed(command("runs")))
    assert [run["kind"] for run in runs] == ["reembed", "verify", "verify", "coverage", "coverage"]
    assert [run["embedded"] for run in runs] == [PICTURES - 1, 0, 0, 0, 0]
    assert [run["done"] for run in runs[2:4]] == [PICTURES, 2 * PICTURES - 1]
    assert [run["reason"] for run in runs] == [
        f"{PICTURES - 1} of {PICTURES} pictures embedded, 1 failed.",
        *2 * [f"{PICTURES} of {PICTURES} pictures checked."],
        *2 * [f"{2 * PICTURES - 1} of {2 * PICTURES - 1} rows and points compared."],
    ]


def test_the_installed_command_is_this_command_line(workspace: Path) -> None:
    script = Path(sys.executable).with_name("embedding-console")
    found = subprocess.run(
        [script, "--workspace", workspace, "collections", "--json"], capture_output=True, text=True, check=True
    )
    assert [collection["name"] for collection in json.loads(found.stdout)] == ["images__demo-clip"]
    assert found.stderr == ""


def test_failed_pictures_are_listed_exported_put_into_quarantine_and_tried_again(built: Path) -> None:
    name = "images__demo-siglip"
    (one,) = _json(_run(built, "failures", name, "--json"))
    assert (one["key"], one["kind"], one["path"], one["tries"]) == ("5", "missing", "0005.jpg", 1)
    assert "0005.jpg does not exist." in _run(built, "failures", name).stdout
    assert _run(built, "failures", name, "--kind", "empty").stdout.startswith("0 failed in")
    header, line = _run(built, "failures", name, "--csv").stdout.splitlines()
    assert header.startswith("key,kind,path,message,tries")
    assert line.startswith("5,missing,0005.jpg,0005.jpg does not exist.,1,")

    in_vain = _json(_run(built, "retry", name, "--json"), code=1)
    assert (in_vain["kind"], in_vain["state"], in_vain["failed"]) == ("retry", "failed", 1)
    assert _json(_run(built, "quarantine", name, "--kind", "missing", "--json")) == {"collection": name, "changed": 1}
    assert "quarantined by olga" in _run(built, "failures", name).stdout
    assert _json(_run(built, "verify", name, "--json"))["verdict"] == "green"
    refused = _run(built, "retry", name)
    assert (refused.exit_code, "are in quarantine" in refused.stderr) == (1, True)
    assert _run(built, "release", name).stdout == "1 went out of quarantine.\n"

    shutil.copy(built / "images" / "0006.jpg", built / "images" / "0005.jpg")
    done = _json(_run(built, "retry", name, "--key", "5", "--json"))
    assert (done["state"], done["embedded"]) == ("succeeded", 1)
    assert _json(_run(built, "failures", name, "--json")) == []
    assert _json(_run(built, "verify", name, "--json"))["verdict"] == "green"
    assert _run(built, "retry", name, "--key", "5", "--kind", "empty").exit_code == 2


def test_every_promised_command_exists() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert names >= {
        *("demo", "collections", "stats", "plan", "migrate", "runs", "resume"),
        *("verify", "differences", "repair", "cutover", "rollback", "search", "serve"),
    }


def test_progress_goes_to_standard_error_and_json_alone_to_standard_output(workspace: Path) -> None:
    result = _run(workspace, "migrate", "images", "--to", "demo-siglip", "--json")
    assert _json(result)["verdict"] == "green"
    assert result.stdout.count("\n") == 1
    assert "Embedding into images__demo-siglip" in result.stderr
    assert "Verifying images__demo-siglip" in result.stderr


def test_without_json_people_read_lines(built: Path) -> None:
    lines = _run(built, "collections").stdout
    assert "images__demo-clip  128-d cosine  47 points  demo-clip  images" in lines
    assert "images__demo-siglip  192-d cosine  47 points  demo-siglip  no alias" in lines
    assert "47/48  images__demo-siglip" in _run(built, "runs").stdout
    build = next(run for run in _json(_run(built, "runs", "--json")) if run["kind"] == "reembed")
    shown = _run(built, "runs", build["run"]).stdout
    assert re.search(r"(is|was) the (limit|busiest)", shown)
    assert re.search(r"device +[\d,.]+ pictures/s +\d+% busy", shown)
    where = "threads of the console" if ENGINE == "threads" else r"the engine process \d+"
    assert re.search(f"on {where}, cpu, float32, fast mode", shown)
    assert "stated: at most " in shown
    told = _json(_run(built, "runs", build["run"], "--json"))
    assert told["limit"] in shown
    assert told["pace"]["overall"]["loads"].keys() == {"read", "decode", "device", "write"}
    assert "green" in _run(built, "verify", "images__demo-siglip").stdout


def test_a_blocked_plan_exits_with_one_and_names_every_finding(workspace: Path) -> None:
    plan = _json(_run(workspace, "plan", "photos", "--to", "demo-siglip", "--json"), code=1)
    assert plan["blocked"]
    (blocking,) = [finding for finding in plan["findings"] if finding["severity"] == "block"]
    assert (blocking["code"], blocking["message"]) == ("source-missing", "There is no alias or collection photos.")
    assert "images" in blocking["remedy"]


def test_a_red_verification_exits_with_one_and_its_checks_are_in_the_json(built: Path) -> None:
    console = open_console(settings.read(built, {}))
    (point,) = console.store.retrieve("images__demo-siglip", [1], vectors=True)
    console.store.upsert("images__demo-siglip", [type(point)(4711, point.vector, {})])
    console.close()
    told = _json(_run(built, "verify", "images__demo-siglip", "--json"), code=1)
    assert told["verdict"] == "red"
    assert [check["name"] for check in told["checks"] if not check["ok"]] == ["count"]
    refused = _run(built, "cutover", "images", "--to", "images__demo-siglip", "--json")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert "is red: count" in refused.stderr


def test_what_differs_is_listed_by_kind_and_repaired_and_only_deleted_where_that_is_said(built: Path) -> None:
    console = open_console(settings.read(built, {}))
    (point,) = console.store.retrieve("images__demo-siglip", [1], vectors=True)
    console.store.upsert("images__demo-siglip", [type(point)(4711, point.vector, {})])
    console.store.delete("images__demo-siglip", [2, 3])
    console.close()
    told = _json(_run(built, "verify", "images__demo-siglip", "--full", "--json"), code=1)
    assert (told["mode"], told["surplus"]) == ("full", 1)
    assert {kind: number for kind, number in told["differences"].items() if number} == {"missing": 2, "extra": 1}
    listed = _json(_run(built, "differences", "images__demo-siglip", "--json"))
    assert (listed["collection"], listed["run"]) == ("images__demo-siglip", told["run"])
    assert [(one["kind"], one["key"], one["point"]) for one in listed["differences"]] == [
        ("missing", "2", 2),
        ("missing", "3", 3),
        ("extra", "4711", 4711),
    ]
    assert _run(built, "differences", "images__demo-siglip", "--kind", "extra").stdout.startswith("extra         4711")

    kept = _json(_run(built, "repair", "images__demo-siglip", "--json"), code=1)
    assert (kept["kind"], kept["state"], kept["done"], kept["skipped"]) == ("repair", "succeeded", 2, 1)
    assert kept["verification"]["mode"] == "full"
    assert kept["verification"]["differences"]["extra"] == 1
    whole = _json(_run(built, "repair", "images__demo-siglip", "--delete-extra", "--json"))
    assert (whole["done"], whole["skipped"], whole["verification"]["verdict"]) == (1, 0, "green")
    nothing = _run(built, "repair", "images__demo-siglip")
    assert nothing.exit_code == 1
    assert "found no difference in images__demo-siglip" in nothing.stderr


def test_points_that_are_searched_now_are_deleted_only_where_the_collection_itself_is_named(workspace: Path) -> None:
    console = open_console(settings.read(workspace, {}))
    (point,) = console.store.retrieve("images", [1], vectors=True)
    console.store.upsert("images__demo-clip", [type(point)(4711, point.vector, {})])
    console.close()
    assert _run(workspace, "verify", "images").exit_code == 1
    refused = _run(workspace, "repair", "images", "--delete-extra")
    assert refused.exit_code == 1
    assert "is searched now, as images: deleting points from it must be confirmed" in refused.stderr
    assert "Name the collection itself, images__demo-clip" in refused.stderr
    assert _run(workspace, "repair", "images__demo-clip", "--delete-extra").exit_code == 0
    console = open_console(settings.read(workspace, {}))
    assert console.store.retrieve("images", [4711]) == []
    console.close()


@pytest.mark.parametrize(
    ("arguments", "said", "remedy"),
    [
        (["cutover", "images", "--to", "nowhere"], 'no collection or alias "nowhere"', "list of collections"),
        (["cutover", "pictures", "--to", "images__demo-clip"], "There is no alias pictures", "Introduce it"),
        (["cutover", "images", "--to", "images__demo-clip"], "serves images__demo-clip already", "nothing to cut over"),
        (["rollback", "images"], "no cut-over of it to roll back", "Cut over"),
        (["differences", "images"], "images__demo-clip was not verified", "embedding-console verify"),
        (["repair", "images"], "images__demo-clip was not verified", "Verify it"),
        (["verify", "nowhere"], 'no collection or alias "nowhere"', "list of collections"),
        (["resume", "r-nothing"], "r-nothing", ""),
        (["search", "nowhere", "a cat"], "nowhere", ""),
        (["migrate", "images__demo-clip", "--to", "demo-siglip"], "served through the alias images", ""),
        (["migrate", "images", "--to", "no-such-model"], 'No model is called "no-such-model"', ""),
        (["migrate", "images", "--to", "ViT-L-14/laion2b_s34b_b79k"], "laion2b_s34b_b79k", "laion2b_s32b_b82k"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do_instead(
    workspace: Path, arguments: list[str], said: str, remedy: str
) -> None:
    result = _run(workspace, *arguments, "--json")
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert said in result.stderr
    assert remedy in result.stderr
    assert result.stdout == ""


def test_a_wrong_use_exits_with_two_and_shows_the_usage(workspace: Path) -> None:
    for arguments in (["migrate", "images"], ["search", "images", "a cat", "--limit", "0"], ["fly"]):
        result = _run(workspace, *arguments)
        assert result.exit_code == 2
        assert "Usage" in result.stderr


def test_a_folder_that_is_no_workspace_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    result = _run(tmp_path / "nowhere", "collections")
    assert result.exit_code == 1
    assert "nowhere is not a workspace" in result.stderr
    assert "embedding-console demo" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_role_that_may_not_is_told_so_and_the_journal_knows(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    monkeypatch.setenv("CONSOLE_ACTOR", "vera")
    result = _run(built, "cutover", "images", "--to", "images__demo-siglip")
    assert result.exit_code == 1
    assert "vera has the role viewer, and cut over needs admin" in result.stderr
    console = open_console(settings.read(built, {}))
    try:
        entry = console.ledger.journal(limit=1)[0]
        assert (entry.actor, entry.action, entry.subject, entry.outcome) == ("vera", "cut_over", "images", "refused")
        assert console.store.aliases() == {"images": "images__demo-clip"}
    finally:
        console.close()


def test_a_viewer_may_ask_for_stats_and_leaves_no_trace(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _json(_run(built, "runs", "--json"))
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    stats = _json(_run(built, "stats", "--json"))
    assert (stats["demo-siglip"]["with_embedding"], stats["demo-siglip"]["failed"]) == (PICTURES - 1, 1)
    assert all(found.keys() >= STATS_KEYS for found in stats.values())
    assert _json(_run(built, "runs", "--json")) == before


def test_of_several_collections_of_a_model_the_stats_are_of_the_best_and_of_the_served_one_before_that(
    built: Path,
) -> None:
    console = open_console(settings.read(built, {}))
    for name, number in (("a__demo-siglip", 5), ("b__demo-siglip", 0)):
        found = console.store.describe("images__demo-siglip")
        console.store.create(name, CollectionSpec(found.dimension, stamp=found.stamp))
        points, _ = console.store.page(found.name, limit=number or 1, vectors=True)
        console.store.upsert(name, points[:number])
    console.close()
    best = _json(_run(built, "stats", "--json"))["demo-siglip"]
    assert (best["collection"], best["with_embedding"]) == ("images__demo-siglip", PICTURES - 1)
    assert best["other_collections"] == ["a__demo-siglip", "b__demo-siglip"]
    console = open_console(settings.read(built, {}))
    console.store.set_alias("small", "a__demo-siglip", expected=None)
    console.close()
    served = _json(_run(built, "stats", "--json"))["demo-siglip"]
    assert (served["collection"], served["with_embedding"]) == ("a__demo-siglip", 5)
    assert "also: images__demo-siglip, b__demo-siglip" in _run(built, "stats").stdout


def test_a_run_whose_process_died_is_said_to_be_left_open_until_it_is_resumed(built: Path) -> None:
    console = open_console(settings.read(built, {}), owner_name="a process that dies")
    console.ledger.submit(
        kind="verify",
        lane=Lane.ACCELERATOR,
        title="Verify",
        target="images__demo-siglip",
        spec=next(run.spec for run in console.ledger.runs(kinds=("verify",))),
        actor="olga",
        selected=PICTURES,
        writes=False,
    )
    open_run = console.ledger.claim(Lane.ACCELERATOR, "a process that dies")
    assert open_run is not None
    console.close()
    first, *others = _json(_run(built, "runs", "--json"))
    assert (first["run"], first["state"], first["left_open"]) == (open_run.id, "running", True)
    assert not any(run["left_open"] for run in others)
    told = _run(built, "runs").stdout
    assert f"{open_run.id}  left open" in told
    assert f"embedding-console resume {open_run.id}" in told
    assert _run(built, "resume", open_run.id).exit_code == 0
    assert "left open" not in _run(built, "runs").stdout


@pytest.mark.parametrize("port", ["0", "99999", "-1"])
def test_a_port_that_cannot_exist_is_a_wrong_use(workspace: Path, port: str) -> None:
    result = _run(workspace, "serve", "--port", port)
    assert result.exit_code == 2
    assert "'--port'" in result.stderr


def test_what_nobody_expected_is_one_line_and_a_request_to_report_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("console_core.cli.app.collection_json", broken)
    result = _run(workspace, "collections", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "ZeroDivisionError: division by zero" in result.stderr
    assert "report this" in result.stderr
    assert "Traceback" not in result.stderr


def test_resuming_a_finished_run_changes_nothing(built: Path) -> None:
    (build,) = [run for run in _json(_run(built, "runs", "--json")) if run["kind"] == "reembed"]
    result = _run(built, "resume", build["run"], "--json")
    assert result.exit_code == 1
    assert "A run that is succeeded cannot become queued" in result.stderr
    assert [run["state"] for run in _json(_run(built, "runs", "--json"))] == ["succeeded", "succeeded"]


def test_the_demo_is_prepared_and_can_be_migrated_at_once(tmp_path: Path) -> None:
    report = _json(_run(tmp_path / "demo", "demo", "--pictures", "60", "--json"))
    assert report
    plan = _json(_run(tmp_path / "demo", "plan", "images", "--to", "demo-siglip", "--json"))
    assert not plan["blocked"], plan["findings"]
    assert plan["counts"]["selected"] == 60


def test_pictures_are_searched_by_a_picture_in_place_of_a_text(filled: Path) -> None:
    found = _json(_run(filled, "search", "images", "--like", "7", "--limit", "4", "--json"))
    assert [hit["rank"] for hit in found] == [1, 2, 3, 4]
    assert 7 not in {hit["id"] for hit in found}
    for arguments in ((), ("a red square", "--like", "7")):
        refused = _run(filled, "search", "images", *arguments)
        assert refused.exit_code == 2
        assert "Give a text" in refused.stderr
