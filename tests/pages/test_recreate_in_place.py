"""A collection without an alias, recreated in place by clicks, rolled back, and its former one retired at last."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.migration.findings import Request
from console_core.migration.records import Stage
from console_core.runs.types import TERMINAL, RunState
from console_core.web import process
from tests.conftest import OPERATOR, PICTURES, fill, finish, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
OLD, NEW, FORMER = "products", "products__demo-siglip", "products__former"
CHOSEN = {"view": "new", "served": OLD, "model": "demo-siglip", "switch": "in-place"}


@pytest.fixture(name="filled", scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection that is searched by its own name."""
    workspace = make_workspace(tmp_path_factory.mktemp("in-place") / "workspace")
    file = workspace / settings.FILE
    file.write_text(file.read_text() + "holding_days = 30\n")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, OLD, "demo-clip")
    console.close()
    return workspace


@pytest.fixture(name="built", scope="module")
def _built(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the new collection built beside it."""
    workspace = shutil.copytree(filled, tmp_path_factory.mktemp("built") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    started = command(console, OPERATOR, "start_migration", request=Request(OLD, "demo-siglip", in_place=True))
    finish(console, started.run)
    console.close()
    return workspace


@pytest.fixture(name="console")
def _console(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    yield from _served(built, tmp_path, monkeypatch)


@pytest.fixture(name="unbuilt")
def _unbuilt(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    yield from _served(filled, tmp_path, monkeypatch)


def _served(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(shutil.copytree(workspace, tmp_path / "copy")))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def _primary(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.proto.type == "primary"]


def _settled(console: Console, kind: str) -> None:
    deadline = time.monotonic() + 60
    while (run := console.ledger.runs(kinds=(kind,), limit=1)[0]).state not in TERMINAL | {RunState.FAILED}:
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    assert run.state is RunState.SUCCEEDED, run.reason


def _pressed(page: AppTest, key: str, console: Console, kind: str) -> AppTest:
    page.button(key=key).click().run()
    _settled(console, kind)
    return page.run()


def _confirmed(page: AppTest, key: str, typed: str = "") -> AppTest:
    page.button(key=key).click().run()
    if typed:
        assert page.button(key="confirm-do").disabled
        page.text_input(key="confirm-typed").set_value(typed).run()
    return page.button(key="confirm-do").click().run()


def _stage(console: Console) -> Stage:
    return console.standings(console.migrations.all())[0].stage


def test_the_wizard_offers_both_ways_and_says_what_recreating_in_place_means(
    unbuilt: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", view="new", served=OLD)
    assert _primary(page) == ["Introduce alias"], "the alias is what is recommended"
    told = said(page)
    assert "must be backed up, and the backup proven by a restore" in told
    assert "For about 1–50 ms the name leads nowhere" in told
    page.button(key="choose-in-place").click().run()
    assert page.query_params["switch"] == "in-place"
    page.button(key="model-demo-siglip").click().run()
    assert not page.exception
    told = said(page).replace("\\", "")
    assert "products will lead nowhere while its name passes to the new collection" in told
    assert "younger than its last write. There is none yet." in told
    assert "Searches go on unchanged until its name passes to the new collection." in told
    assert not page.button(key="start").disabled
    page.button(key="change-in-place").click().run()
    assert "switch" not in page.query_params
    assert "Introduce an alias first" in said(page)
    assert unbuilt.ledger.runs() == []


def test_the_preflight_says_that_a_proven_backup_is_there(unbuilt: Console, open_page: OpenPage, said: Said) -> None:
    command(unbuilt, OPERATOR, "back_up", collection=OLD)
    _settled(unbuilt, "backup")
    (backup,) = unbuilt.backups.all()
    command(unbuilt, OPERATOR, "prove", backup=backup.id)
    _settled(unbuilt, "prove")
    page = open_page("migrations", **CHOSEN)
    assert f"{backup.id} is one, if nothing is written from now on" in said(page).replace("\\", "")


def test_clicks_lead_from_the_backup_over_the_switch_and_back_to_the_retirement(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", migration=console.migrations.all()[0].id)
    assert not page.exception
    assert _primary(page) == ["Back up"]
    assert page.button(key="recreate").disabled
    page = _pressed(page, f"back-up-{OLD}", console, "backup")
    assert _primary(page) == ["Prove the backup"]
    page = _pressed(page, f"prove-{console.backups.all()[0].id}", console, "prove")
    assert _primary(page) == ["Verify"]
    page = _pressed(page, "verify", console, "verify")
    assert _stage(console) is Stage.READY
    assert _primary(page) == ["Recreate in place"]
    page = _confirmed(page, "recreate", OLD)
    _settled(console, "recreate")
    page.run()
    assert console.store.aliases() == {OLD: NEW}
    assert _stage(console) is Stage.LIVE
    assert _primary(page) == []
    told = said(page).replace("\\", "")
    assert f"{OLD} answers from {NEW}. {FORMER} is still there, and so is the way back." in told
    assert page.button(key=f"retire-{FORMER}").disabled
    assert "has no backup that a restore has proven, and no alias was cut over from it at least 30 days ago" in told
    acted = list(page.dataframe[-1].value["What"])
    assert acted[:2] == ["recreate", "verify"]

    page = _confirmed(page, f"roll-back-{OLD}")
    if console.ledger.runs(kinds=("catch_up",)):
        _settled(console, "catch_up")
    page.run()
    assert console.store.aliases() == {OLD: FORMER}
    assert console.store.count(FORMER) == PICTURES
    assert _stage(console) is Stage.ROLLED_BACK
    assert _primary(page) == ["Verify again"], "it was never compared with the copy"
    page = _pressed(page, "verify", console, "verify")
    page = _confirmed(page, f"cut-over-{OLD}-{NEW}")
    assert console.store.aliases() == {OLD: NEW}

    command(console, OPERATOR, "back_up", collection=FORMER)
    _settled(console, "backup")
    command(console, OPERATOR, "prove", backup=console.backups.all(FORMER)[0].id)
    _settled(console, "prove")
    page.run()
    assert "has been proven by a restore." in said(page)
    page = _confirmed(page, f"retire-{FORMER}", FORMER)
    _settled(console, "retire")
    page.run()
    assert _stage(console) is Stage.RETIRED
    assert "This migration is over." in said(page)
    assert {info.name for info in console.store.collections()} == {NEW}
    assert "retire" in list(page.dataframe[-1].value["What"])
    page = open_page("rollout")
    assert not page.exception
    assert "There is no way back" in said(page)


def test_a_write_after_the_proof_opens_the_first_step_again(console: Console, open_page: OpenPage, said: Said) -> None:
    page = open_page("migrations", migration=console.migrations.all()[0].id)
    page = _pressed(page, f"back-up-{OLD}", console, "backup")
    page = _pressed(page, f"prove-{console.backups.all()[0].id}", console, "prove")
    page = _pressed(page, "verify", console, "verify")
    console.store.delete(OLD, [1])
    page.run()
    assert _primary(page) == ["Back up"]
    assert "holds 47 points now" in said(page)
    assert page.button(key="recreate").disabled


def test_a_switch_that_failed_says_why_and_can_be_resumed_or_cancelled(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", migration=console.migrations.all()[0].id)
    page = _pressed(page, f"back-up-{OLD}", console, "backup")
    page = _pressed(page, f"prove-{console.backups.all()[0].id}", console, "prove")
    page = _pressed(page, "verify", console, "verify")
    (point,) = console.store.retrieve(OLD, [1], vectors=True)
    console.store.upsert(OLD, [replace(point, payload={**point.payload, "caption": "edited"})])
    page = _confirmed(page, "recreate", OLD)
    deadline = time.monotonic() + 60
    while console.ledger.runs(kinds=("recreate",))[0].state is not RunState.FAILED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    page.run()
    assert "The recreation is failed" in said(page)
    assert "was written to after it was backed up" in said(page)
    assert console.store.aliases() == {}
    run = console.ledger.runs(kinds=("recreate",))[0]
    page.button(key=f"cancel-{run.id}").click().run()
    page.button(key="confirm-do").click().run()
    assert "1 · **A proven backup of products**" in said(page)
    assert {info.name for info in console.store.collections()} == {OLD, NEW}, "what was begun is taken back"


def test_somebody_who_may_only_look_sees_every_button_and_why_it_is_closed(
    console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "settings", replace(console.settings, role="viewer"))
    page = open_page("migrations", migration=console.migrations.all()[0].id)
    for key in (f"back-up-{OLD}", "verify", "recreate"):
        assert page.button(key=key).disabled, key
        assert "needs the role" in page.button(key=key).help
    page = open_page("collections", collection=NEW)
    page.session_state["retire"] = True
    page.run()
    assert page.button(key=f"retire-{NEW}").disabled
    assert "needs the role admin" in page.button(key=f"retire-{NEW}").help
