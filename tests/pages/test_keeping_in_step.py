"""What is kept in step, on pages: what is behind, a person's word, ways that close, and what needs attention."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.database import now
from console_core.following.follower import Follower
from console_core.following.records import follows
from console_core.runs.types import TERMINAL, RunState
from console_core.ui.attention import attention
from console_core.web import process
from tests.conftest import OPERATOR, fill, finish, make_workspace, migrate

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="verified", scope="module")
def _verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migration that is built, verified, and followed."""
    workspace = make_workspace(tmp_path_factory.mktemp("in-step") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, CLIP, "demo-clip", alias="images")
    finish(console, command(console, OPERATOR, "verify", collection=migrate(console).target))
    console.keeping.keep_in_step()
    console.close()
    return workspace


@pytest.fixture(name="console")
def _console(verified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(shutil.copytree(verified, tmp_path / "copy")))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def _catalog(console: Console, statement: str) -> None:
    with closing(sqlite3.connect(console.settings.workspace / "catalog.db", isolation_level=None)) as connection:
        connection.execute(statement)


def _ended(console: Console, kind: str) -> RunState:
    deadline = time.monotonic() + 60
    while (run := console.ledger.runs(kinds=(kind,), limit=1)[0]).state not in TERMINAL | {RunState.FAILED}:
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    return run.state


def _told(console: Console) -> list[str]:
    return [f"{one.severity}: {one.message}" for one in attention(console, console.store.collections())]


def _migration(console: Console) -> str:
    return console.migrations.all()[0].id


def test_a_look_says_what_is_behind_and_the_next_one_that_it_was_caught_up(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", migration=_migration(console))
    assert "Kept in step" in said(page)
    _catalog(console, "UPDATE images SET caption = 'new' WHERE id = 7")
    page.button(key="catch-up-target").click().run()
    assert "1 picture behind" in said(page)
    assert "(1 edited)" in said(page).replace("\\", "")
    assert _ended(console, "catch_up") is RunState.SUCCEEDED
    page.button(key="catch-up-target").click().run()
    assert "In step" in said(page)
    assert not page.button(key="cut-over-images-images__demo-siglip").disabled


def test_a_mass_deletion_waits_for_a_word_that_is_given_by_typing_the_name(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    _catalog(console, "DELETE FROM images WHERE id > 20")
    page = open_page("collections", collection=SIGLIP)
    page.button(key="catch-up-collection").click().run()
    assert _ended(console, "catch_up") is RunState.FAILED
    assert console.store.count(SIGLIP) == 48
    overview = said(open_page()).replace("\\", "")
    assert f"28 of 48 pictures of {SIGLIP} are not in the catalog any more" in overview
    assert "allow it there" in overview
    assert "Catch up images__demo-siglip is failed" not in overview, "one matter is told once"
    page.run()
    assert "Nothing was deleted." in said(page)
    page.button(key="allow-collection").click().run()
    assert page.button(key="confirm-do").disabled
    page.text_input(key="confirm-typed").set_value(SIGLIP).run()
    page.button(key="confirm-do").click().run()
    assert _ended(console, "catch_up") is RunState.SUCCEEDED
    assert console.store.count(SIGLIP) == 20
    page.run()
    assert "allow-collection" not in {str(button.key) for button in page.button}


def test_somebody_who_may_only_look_cannot_give_the_word(
    console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _catalog(console, "DELETE FROM images WHERE id > 20")
    command(console, OPERATOR, "catch_up", collection=SIGLIP)
    assert _ended(console, "catch_up") is RunState.FAILED
    monkeypatch.setattr(console, "settings", replace(console.settings, role="viewer"))
    page = open_page("collections", collection=SIGLIP)
    assert page.button(key="allow-collection").disabled
    assert "needs the role operator" in page.button(key="allow-collection").help


def test_the_overview_tells_a_verdict_that_went_stale_and_names_the_reason(console: Console) -> None:
    assert any("is verified and ready" in one for one in _told(console))
    console.store.delete(SIGLIP, [1])
    (told,) = (one for one in _told(console) if "images → demo-siglip" in one)
    assert told.startswith("warn: images → demo-siglip is verified, and that does not count any more.")
    assert "has 47 points, but 48 when it was verified" in told


def test_the_overview_tells_what_is_searched_without_a_proven_backup_until_one_is_there_and_once_it_is_old(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    assert f"info: {CLIP} is searched, and no backup of it is proven." in _told(console)
    assert "Back it up, and prove that." in said(open_page())
    command(console, OPERATOR, "back_up", collection=CLIP)
    _ended(console, "backup")
    assert "Prove the one that there is." in said(open_page())
    command(console, OPERATOR, "prove", backup=console.backups.all()[0].id)
    assert _ended(console, "prove") is RunState.SUCCEEDED
    assert not any("backup" in one for one in _told(console))
    console.store.delete(CLIP, [1])
    told = f"info: The newest proven backup of {CLIP} is old. {CLIP} holds 47 points now."
    assert told in _told(console)


def test_the_overview_tells_that_a_way_back_closes_within_a_day(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    command(console, OPERATOR, "cut_over", alias="images", to=SIGLIP)
    assert not any("The way back" in one for one in _told(console))
    with console.database.transaction() as connection:
        connection.execute(update(follows).values(until=now() + timedelta(hours=5, minutes=1)))
    assert f"warn: The way back of images to {CLIP} closes in 5 h." in _told(console)
    page = said(open_page("rollout"))
    assert CLIP in page.replace("\\", "")


def test_a_collection_that_cannot_be_looked_at_is_told_with_the_reason(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    follower = Follower(console.keeping, lambda: None, rest=0.0)
    follower.look()
    _catalog(console, "ALTER TABLE images RENAME TO elsewhere")
    follower.look()
    text = said(open_page("migrations", migration=_migration(console)))
    assert "orange-badge[:material/sync_problem: Cannot be looked at]" in text
    assert "In step]" not in text
    (told,) = (one for one in _told(console) if "cannot be kept in step" in one)
    assert told.startswith(f"warn: {SIGLIP} cannot be kept in step with the catalog.")
    _catalog(console, "ALTER TABLE elsewhere RENAME TO images")
    assert "cannot be kept in step" in said(open_page())
    follower.look()
    assert not any("cannot be kept in step" in one for one in _told(console))


def test_retiring_what_is_searched_is_refused_with_every_reason(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", collection=CLIP)
    page.session_state["retire"] = True
    page.run()
    told = said(page).replace("\\", "")
    assert f"{CLIP} is searched through the alias images." in told
    assert f"{CLIP} has no backup that a restore has proven" in told
    assert page.button(key=f"retire-{CLIP}").disabled


def test_a_former_collection_is_retired_from_its_page_and_its_migration_is_over(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    command(console, OPERATOR, "cut_over", alias="images", to=SIGLIP)
    command(console, OPERATOR, "back_up", collection=CLIP)
    _ended(console, "backup")
    command(console, OPERATOR, "prove", backup=console.backups.all()[0].id)
    _ended(console, "prove")
    page = open_page("collections", collection=CLIP)
    page.session_state["retire"] = True
    page.run()
    page.button(key=f"retire-{CLIP}").click().run()
    assert "There will be no rolling back to it." in said(page)
    page.text_input(key="confirm-typed").set_value(CLIP).run()
    page.button(key="confirm-do").click().run()
    assert _ended(console, "retire") is RunState.SUCCEEDED
    page.run()
    assert "There is no collection" in said(page)
    migration = open_page("migrations", migration=_migration(console))
    assert not migration.exception
    assert "This migration is over." in said(migration)
    (link,) = (button for button in open_page("migrations").button if str(button.label).startswith("Next:"))
    assert link.label == "Next: nothing to do"
