"""The whole life of a migration on the demo, by clicks: failures, a proven backup, a live catalog, and the way back."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from console_core.demo.workspace import DemoReport, recognise
from tests.e2e import moves
from tests.e2e.browsing import Browse, Tab
from tests.e2e.moves import CLIP, SIGLIP
from tests.e2e.serving import Serve

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_nothing_that_changes_is_lost_from_the_build_over_the_cut_over_to_the_way_back(
    serve: Serve, browse: Browse, demo: Path
) -> None:
    report = recognise(demo)
    assert report is not None
    with (demo / settings.FILE).open("a") as file:
        file.write("\n[rollout]\nfollow_every = 3600\n")  # a person looks, so that what is behind can be seen
    with serve(demo) as server, browse(server) as anna:
        anna.open("/")
        moves.choose_everything_for_siglip(anna, batch=16)
        migration = moves.start(anna)
        anna.says("Next: verify the new collection")
        mends_files_and_retries_their_class(anna, demo, report)
        backs_up_what_is_served_and_proves_it(anna)
        verifies_and_cuts_over(anna, migration)
        sees_what_is_behind_being_caught_up(anna, demo, report)
        rolls_back_without_a_loss(anna, demo)
        cuts_over_again(anna, migration)
        may_not_retire_what_was_written_to_since_its_backup(anna)
        assert anna.complaints == []
    both_collections_have_what_the_catalog_has(demo, report)


def mends_files_and_retries_their_class(anna: Tab, demo: Path, report: DemoReport) -> None:
    empty = report.defects["zero bytes"]
    anna.menu("Failures")
    anna.says_in_all(f"All · {len(report.failures)}")
    anna.page.get_by_role("radio", name=f"Empty file · {len(empty)}").click()
    anna.page.wait_for_url("**kind=empty**")
    anna.wait()
    whole = next(key for key in _keys(demo) if key not in report.failures)
    for key in empty:
        _file(demo, key).write_bytes(_file(demo, whole).read_bytes())
    anna.click(f"Retry all {len(empty)} empty file")
    expect(anna.page.get_by_role("radio", name=f"All · {len(report.failures) - len(empty)}")).to_be_visible()
    anna.wait()
    anna.shoot("failures-retried")


def backs_up_what_is_served_and_proves_it(anna: Tab) -> None:
    anna.menu("Overview")
    anna.says_in_all(f"{CLIP} is searched, and no backup of it is proven.")
    anna.shoot("overview-attention")
    anna.menu("Backups")
    anna.click("Back up")
    expect(anna.named("Prove")).to_be_enabled()
    anna.click("Prove")
    anna.says(re.compile("0 differences"))


def verifies_and_cuts_over(anna: Tab, migration: str) -> None:
    anna.open(migration)
    anna.click("Verify")
    anna.says("Passed")
    moves.confirm(anna, "Cut over", "Cut over")
    anna.says_in_all(f"images answers from {SIGLIP}")
    anna.says_in_all(f"{CLIP} is still there, and so is the way back")


def sees_what_is_behind_being_caught_up(anna: Tab, demo: Path, report: DemoReport) -> None:
    good = [key for key in _keys(demo) if key not in report.failures]
    _write(
        demo,
        f"UPDATE images SET caption = 'edited while it was live' WHERE id = {good[0]}",
        f"DELETE FROM images WHERE id = {good[1]}",
    )
    anna.page.locator(".st-key-catch-up-target button").click()
    anna.says("2 pictures behind")
    anna.says_in_all("(1 edited, 1 deleted)")
    anna.shoot("migration-behind")
    until_in_step(anna, "target")
    until_in_step(anna, "former")


def until_in_step(anna: Tab, key: str) -> None:
    """Look again and again, as a person would, until nothing is behind and no catch-up is under way."""
    for _ in range(60):
        anna.page.locator(f".st-key-catch-up-{key} button").click()
        anna.wait()
        if anna.main.locator(f".st-key-in-step-{key}").get_by_text(re.compile(r"^\s*\S*\s*In step$")).count():
            return
        anna.page.wait_for_timeout(500)
    pytest.fail(f"not in step: {anna.text}")


def rolls_back_without_a_loss(anna: Tab, demo: Path) -> None:
    kept = _keys(demo)[7]
    _write(demo, f"UPDATE images SET caption = 'edited just before the way back' WHERE id = {kept}")
    anna.click(f"Roll back to {CLIP}")
    dialog = anna.page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 picture changed since (1 edited). That is caught up first")
    anna.shoot("roll-back-with-changes")
    dialog.get_by_role("button", name="Roll back", exact=True).click()
    anna.says_in_all("can be cut over again")


def cuts_over_again(anna: Tab, migration: str) -> None:
    anna.open(migration)
    until_in_step(anna, "target")
    moves.confirm(anna, "Cut over", "Cut over")
    anna.says_in_all(f"images answers from {SIGLIP}")


def may_not_retire_what_was_written_to_since_its_backup(anna: Tab) -> None:
    anna.says_in_all(re.compile(rf"{CLIP} holds [\d,]+ points now. Its proven backup \S+ does not have that."))
    expect(anna.named(f"Retire {CLIP}…")).to_be_disabled()
    anna.menu("Collections")
    anna.row(SIGLIP)
    anna.page.get_by_text("Retire this collection").click()
    anna.says_in_all(f"{SIGLIP} is searched through the alias images.")
    expect(anna.named(f"Retire {SIGLIP}…")).to_be_disabled()


def both_collections_have_what_the_catalog_has(demo: Path, report: DemoReport) -> None:
    console = open_console(settings.read(demo, {}), owner_name="a test")
    try:
        failed = set(report.failures) - set(report.defects["zero bytes"])
        good = {row.key: row.payload["caption"] for row in console.catalog.rows() if row.key not in failed}
        points = {str(point.id): point.payload["caption"] for point in console.store.scroll(SIGLIP)}
        assert points == good
        former = {str(point.id): point.payload["caption"] for point in console.store.scroll(CLIP)}
        edited = [key for key, caption in good.items() if str(caption).startswith("edited")]
        assert len(edited) == 2
        assert all(former[key] == good[key] for key in edited)
        assert console.store.aliases() == {"images": SIGLIP}
    finally:
        console.close()


def _keys(demo: Path) -> list[str]:
    with closing(sqlite3.connect(demo / "catalog.db")) as catalog:
        return [str(row[0]) for row in catalog.execute("SELECT id FROM images ORDER BY id")]


def _file(demo: Path, key: str) -> Path:
    """The first of a picture's paths that has a file."""
    with closing(sqlite3.connect(demo / "catalog.db")) as catalog:
        query = "SELECT compressed_path, original_path, file_path FROM images WHERE id = ?"
        paths = [Path(demo, "images", path) for path in catalog.execute(query, (key,)).fetchone() if path]
    return next(path for path in paths if path.is_file())


def _write(demo: Path, *statements: str) -> None:
    """Change the catalog, as the application does."""
    with closing(sqlite3.connect(demo / "catalog.db", isolation_level=None)) as catalog:
        for statement in statements:
            catalog.execute(statement)
