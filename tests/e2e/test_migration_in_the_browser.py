"""The main job, end to end, on the demo: a person moves search from one model to another and back, by clicks alone."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from console_core.demo.workspace import DemoReport, recognise
from console_core.runs.types import RunState
from console_core.vectorstore.provenance import point_id
from tests.e2e import moves, speed
from tests.e2e.browsing import Browse, Tab
from tests.e2e.conftest import RATE
from tests.e2e.moves import BUILD, CLIP, SIGLIP
from tests.e2e.serving import Serve, Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
QUERY = "a red car in the city"


def test_a_person_moves_search_to_another_model_and_back_by_clicks_alone(
    serve: Serve, browse: Browse, slow: Path
) -> None:
    report = recognise(slow)
    assert report is not None
    with serve(slow) as server, browse(server) as anna:
        looks_around(anna)
        speed.at_full_speed(slow)  # measuring coverage would take half a minute at the speed that a build is watched at
        sees_what_is_missing(anna, report)
        speed.at_most(slow, RATE)
        migration = starts_a_migration(anna)
        watches_it_live_and_pauses_it(anna)
        someone_else_sees_the_same_and_resumes_it(anna, browse, server)
        closes_the_tab_and_it_goes_on(anna, slow)
        reads_what_failed(anna, report)
        verifies(anna, migration)
        compares_both_models(anna, browse, server)
        cuts_over_and_rolls_back(anna, migration, report)
        reads_what_was_done(anna)
        assert anna.complaints == []
        assert anna.blank <= {*report.failures, *report.orphans}
    every_good_picture_is_in_the_target_and_every_defect_in_its_class(slow, report)


def looks_around(anna: Tab) -> None:
    anna.open("/")
    anna.says_in_all("Needs attention")
    expect(anna.main.locator("[role=gridcell]", has_text=CLIP)).to_be_attached()
    anna.shoot("overview")
    anna.menu("Collections")
    anna.says_in_all("What this store cannot do")
    anna.shoot("collections")
    anna.row(CLIP)
    anna.says("What it holds")
    expect(anna.main.locator("button[data-id] img").first).to_be_visible()
    anna.shoot("collection")
    anna.main.locator("button[data-id]").nth(3).click()
    anna.page.get_by_role("dialog").get_by_text("Fingerprint").first.wait_for()
    anna.shoot("collection-point")
    anna.page.keyboard.press("Escape")
    anna.page.get_by_role("dialog").wait_for(state="hidden")
    anna.menu("Models")
    anna.says_in_all("Demo SigLIP")
    anna.shoot("models")


def sees_what_is_missing(anna: Tab, report: DemoReport) -> None:
    anna.menu("Coverage")
    anna.says_in_all("was never measured")
    anna.shoot("coverage-unmeasured")
    anna.click("Measure now")
    anna.says("Click a bar to see its pictures.")
    missing = len(report.waiting) + len(report.failures)
    anna.says_in_all(re.compile(rf"Missing {missing}"))
    whole = anna.main.locator("button[data-id]")
    assert whole.count() == missing
    moves.click_bar(anna, "coverage-gaps", 1)
    anna.page.wait_for_url("**value=**")
    expect(anna.page.locator(".st-key-coverage-clear")).to_be_visible()
    assert 0 < whole.count() < missing
    anna.shoot("coverage")


def starts_a_migration(anna: Tab) -> str:
    anna.menu("Migrations")
    anna.shoot("migrations-empty")
    anna.click("New migration")
    anna.says("What to migrate")
    anna.shoot("new-migration-1-source")
    anna.click("Choose", within="served-images")
    anna.says("Demo SigLIP")
    anna.shoot("new-migration-2-model")
    moves.choose_siglip(anna, batch=1)
    anna.says_in_all("The dimension changes from 128 to 192")
    anna.says_in_all("Nothing stands in the way.")
    anna.says_in_all(SIGLIP)
    anna.shoot("new-migration-3-preflight")
    return moves.start(anna)


def watches_it_live_and_pauses_it(anna: Tab) -> None:
    anna.shoot("migration-building")
    anna.menu("Runs")
    moves.is_in_state(anna, "Running")
    moves.settles_more_than(anna, moves.settled(anna))
    anna.click("Pause")
    moves.is_in_state(anna, "Paused")
    anna.shoot("runs-paused")
    anna.click(BUILD)
    anna.says("Every picture is accounted for")
    moves.is_in_state(anna, "Paused")


def someone_else_sees_the_same_and_resumes_it(anna: Tab, browse: Browse, server: Server) -> None:
    with browse(server) as ben:
        ben.open("/")
        ben.menu("Runs")
        moves.is_in_state(ben, "Paused")
        assert moves.settled(ben) == moves.settled(anna)
        ben.click("Resume")
        moves.is_in_state(anna, "Running")
        assert ben.complaints == []


def closes_the_tab_and_it_goes_on(anna: Tab, demo: Path) -> None:
    before, address = moves.settled(anna), anna.page.url
    anna.reopen()
    speed.at_full_speed(demo)
    anna.open(address)
    anna.says("Every picture is accounted for")
    embedded = anna.main.get_by_test_id("stMetric").filter(has_text="Embedded").get_by_test_id("stMetricValue")
    assert int(embedded.inner_text().replace(",", "")) > before
    moves.is_in_state(anna, "Succeeded")


def reads_what_failed(anna: Tab, report: DemoReport) -> None:
    anna.says("Failures")
    anna.says_in_all("Throughput")
    for kind in set(report.failures.values()):
        number = list(report.failures.values()).count(kind)
        label = {
            "missing": "Missing",
            "empty": "Empty file",
            "unreadable": "Unreadable",
            "unsupported": "Not a picture",
        }
        anna.page.get_by_role("radio", name=f"{label[kind]} · {number}").click()
        anna.page.wait_for_url(f"**kind={kind}**")
        anna.wait()
        for key in (key for key, of in report.failures.items() if of == kind):
            cell = anna.main.locator("[role=gridcell]", has_text=re.compile(rf"^{key}$"))
            expect(cell.first).to_be_attached()
    anna.page.get_by_role("radio", name=f"All · {len(report.failures)}").click()
    anna.wait()
    anna.shoot("run")
    anna.click("All runs")
    anna.says("Ended")
    anna.shoot("runs")


def verifies(anna: Tab, migration: str) -> None:
    anna.menu("Migrations")
    anna.shoot("migrations")
    anna.click("Next: verify")
    anna.says("Next: verify the new collection")
    anna.shoot("migration-built")
    anna.click("Verify")
    anna.says("Passed")
    assert anna.page.url == migration
    expect(anna.named("Cut over")).to_be_enabled()
    anna.shoot("migration")


def compares_both_models(anna: Tab, browse: Browse, server: Server) -> None:
    anna.click("Compare both in the Query lab")
    moves.columns(anna)
    moves.search(anna, QUERY)
    left, right = moves.columns(anna)
    for column, title in ((left, "Demo CLIP"), (right, "Demo SigLIP")):
        expect(column.get_by_role("heading")).to_have_text(title)
        assert len(moves.answers(column)) == 12
        moves.shows_pictures(column)
    same = [key for key, _ in moves.answers(left) if key in dict(moves.answers(right))]
    left.locator(f'button[data-id="{same[0]}"]').hover()
    expect(right.locator("button.linked")).to_have_attribute("data-id", same[0])
    anna.shoot("query-lab")
    with browse(server) as ben:
        ben.open(anna.page.url)
        assert [moves.answers(column) for column in moves.columns(ben)] == [moves.answers(left), moves.answers(right)]
        assert ben.page.get_by_placeholder("Describe a picture").input_value() == QUERY
        assert ben.complaints == []


def cuts_over_and_rolls_back(anna: Tab, migration: str, report: DemoReport) -> None:
    anna.menu("Rollout")
    anna.shoot("rollout-ready")
    anna.open(migration)
    anna.click("Cut over")
    anna.page.get_by_role("dialog").wait_for()
    anna.shoot("cut-over")
    anna.page.get_by_role("dialog").get_by_role("button", name="Cut over").click()
    anna.says_in_all("is still there, and so is the way back")
    anna.shoot("migration-live")
    anna.menu("Overview")
    expect(anna.main.locator("[role=row]", has_text=SIGLIP)).to_contain_text("demo-siglip")
    expect(anna.main.locator("[role=row]", has_text=SIGLIP)).to_contain_text("images")
    anna.shoot("overview-after-cut-over")
    asks_the_alias(anna, SIGLIP, "Demo SigLIP")
    anna.menu("Rollout")
    anna.shoot("rollout")
    moves.confirm(anna, f"Roll back to {CLIP}", "Roll back")
    anna.says_in_all(re.compile(rf"Answers from\s*{CLIP}"))
    asks_the_alias(anna, CLIP, "Demo CLIP")
    anna.menu("Collections")
    for name, points in ((CLIP, report.points), (SIGLIP, report.pictures - len(report.failures))):
        expect(anna.main.locator("[role=row]", has_text=name)).to_contain_text(str(points))
    anna.open(migration)
    anna.says_in_all("can be cut over again")
    anna.shoot("migration-rolled-back")


def asks_the_alias(anna: Tab, collection: str, title: str) -> None:
    """The alias itself, not the collection, is searched, and its answers come from this collection's model."""
    anna.menu("Query lab")
    choice = anna.page.get_by_role("combobox", name="Columns")
    for _ in range(2):
        choice.press("Backspace")
    choice.fill("images →")
    anna.page.get_by_role("option", name=f"images → {collection}").click()
    anna.page.keyboard.press("Escape")
    anna.page.wait_for_url(re.compile(r"columns=images(&|$)"))
    (column,) = moves.columns(anna)
    expect(column.get_by_role("heading")).to_have_text(title)
    expect(column).to_contain_text(f"images → {collection}")


def reads_what_was_done(anna: Tab) -> None:
    anna.menu("Activity")
    for act in ("start migration", "pause", "resume", "verify", "cut over", "roll back", "measure coverage"):
        anna.says_in_all(act)
    anna.shoot("activity")
    anna.menu("Connections")
    anna.says_in_all("Vector store")
    anna.menu("Settings")
    anna.says_in_all("What changes this")
    anna.shoot("settings")


def every_good_picture_is_in_the_target_and_every_defect_in_its_class(demo: Path, report: DemoReport) -> None:
    """The books, read after the server has stopped."""
    console = open_console(settings.read(demo, {}), owner_name="a test")
    try:
        (build,) = console.ledger.runs(kinds=("reembed",), target=SIGLIP)
        assert build.state is RunState.SUCCEEDED
        failed = {failure.key: failure.kind for failure in console.ledger.failures(build.id, limit=100)}
        assert failed == report.failures
        classes = {
            "missing": "missing",
            "truncated": "unreadable",
            "zero bytes": "empty",
            "HTML named .jpg": "unsupported",
        }
        for defect, keys in report.defects.items():
            assert {failed.get(key) for key in keys} == {classes.get(defect)}, defect
        good = {point_id(row.key) for row in console.catalog.rows() if row.key not in failed}
        points = list(console.store.scroll(SIGLIP, vectors=True))
        assert {point.id for point in points} == good
        assert all(point.vector is not None and abs(np.linalg.norm(point.vector) - 1) < 1e-4 for point in points)
        assert console.store.describe(CLIP).points == report.points
    finally:
        console.close()
