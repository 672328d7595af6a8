"""A collection that is searched by its own name is recreated in place, by clicks; search goes on by that name."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from tests.conftest import fill, make_workspace
from tests.e2e import moves
from tests.e2e.browsing import Browse, Tab
from tests.e2e.serving import Serve

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
OLD, NEW, FORMER = "products", "products__demo-siglip", "products__former"


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path) -> Path:
    workspace = make_workspace(tmp_path / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, OLD, "demo-clip")
    console.close()
    return workspace


def test_the_same_name_is_searched_before_and_after_and_what_it_held_is_the_way_back(
    serve: Serve, browse: Browse, workspace: Path
) -> None:
    with serve(workspace) as server, browse(server) as tab:
        asks_by_name(tab, "Demo CLIP")
        chooses_in_place(tab)
        tab.click("Start building")
        tab.says("1 · A proven backup of products")
        migration = tab.page.url
        tab.shoot("in-place-built")
        expect(tab.named("Recreate in place")).to_be_disabled()
        tab.click("Back up")
        tab.named("Prove the backup").wait_for()
        tab.click("Prove the backup")
        tab.says_in_all("restored and compared, 0 differences")
        tab.click("Verify")
        expect(tab.named("Recreate in place")).to_be_enabled()
        tab.shoot("in-place-ready")
        tab.click("Recreate in place")
        dialog = tab.page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Recreate", exact=True)).to_be_disabled()
        dialog.get_by_role("textbox").fill(OLD)
        tab.shoot("in-place-question")
        dialog.get_by_role("button", name="Recreate", exact=True).click()
        tab.says_in_all(f"{OLD} answers from {NEW}")
        tab.shoot("in-place-live")
        tab.menu("Rollout")
        tab.says_in_all(f"Roll back to {FORMER}")
        tab.shoot("rollout-after-recreation")
        asks_by_name(tab, "Demo SigLIP")
        tab.open(migration)
        moves.confirm(tab, f"Roll back to {FORMER}", "Roll back")
        tab.says_in_all("can be cut over again")
        tab.shoot("in-place-rolled-back")
        asks_by_name(tab, "Demo CLIP")
        assert tab.complaints == []
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        assert console.store.aliases() == {OLD: FORMER}
        assert console.store.count(FORMER) == console.store.count(NEW) == 48
        (run,) = console.ledger.runs(kinds=("recreate",))
        assert (run.result or {})["gap"] is not None
    finally:
        console.close()


def chooses_in_place(tab: Tab) -> None:
    tab.menu("Migrations")
    tab.click("New migration")
    tab.click("Choose", within=f"served-{OLD}")
    tab.says("My application cannot search an alias")
    tab.shoot("new-migration-way")
    tab.click("Recreate in place")
    tab.says_in_all("products keeps its name")
    moves.choose_siglip(tab, batch=8)
    tab.says_in_all("products will lead nowhere while its name passes to the new collection")
    tab.says_in_all("There is none yet.")
    tab.shoot("in-place-preflight")


def asks_by_name(tab: Tab, model: str) -> None:
    """What the application does: search `products`; its answers come from this model."""
    tab.open(f"/query_lab?columns={OLD}&q=a+blue+square")
    (column,) = moves.columns(tab)
    expect(column.get_by_role("heading")).to_have_text(model)
    assert len(moves.answers(column)) >= 10
    moves.shows_pictures(column)
