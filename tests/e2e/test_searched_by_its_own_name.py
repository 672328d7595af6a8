"""Collections that applications search by their own names: one gets an alias, the other is recreated in place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from tests.conftest import fill, make_workspace
from tests.e2e import moves
from tests.e2e.browsing import Browse, Tab
from tests.e2e.serving import Serve, Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
OLD, NEW, FORMER = "posters", "posters__demo-siglip", "posters__former"


@pytest.fixture(name="server", scope="module")
def _server(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A console on two such collections; what it leaves in the store is looked at when it has stopped."""
    workspace = make_workspace(tmp_path_factory.mktemp("by-name") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    for name in ("products", OLD):
        fill(console, name, "demo-clip")
    console.close()
    with serve(workspace) as server:
        yield server
    _leaves_every_point_and_both_names(workspace)


DONE: set[str] = set()
"""Which of the two ways were gone in this process: tests that share a server may be given to different workers."""


def _leaves_every_point_and_both_names(workspace: Path) -> None:
    aliases, points = {}, {"products": 48}
    if "alias" in DONE:
        aliases["products-live"] = "products-live__demo-siglip"
        points["products-live__demo-siglip"] = 48
    if "in place" in DONE:
        aliases[OLD] = FORMER
        points |= {FORMER: 48, NEW: 48}
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        found = {info.name: info.points for info in console.store.collections()}
        if "in place" not in DONE:
            assert found.pop(OLD) == 48
        assert (console.store.aliases(), found) == (aliases, points)
        assert all((run.result or {})["gap"] is not None for run in console.ledger.runs(kinds=("recreate",)))
        assert len(console.ledger.runs(kinds=("recreate",))) == ("in place" in DONE)
    finally:
        console.close()


def test_the_wizard_leads_from_a_collection_searched_by_its_own_name_through_an_alias_to_the_cut_over(
    server: Server, browse: Browse
) -> None:
    with browse(server) as tab:
        tab.open("/")
        tab.menu("Rollout")
        tab.says_in_all("No alias yet")
        tab.shoot("rollout-without-alias")
        tab.click("Begin a migration; it introduces one")
        tab.click("Choose", within="served-products")
        tab.says("Introduce an alias first")
        tab.says("My application cannot search an alias")
        assert tab.page.get_by_label("Name of the alias").input_value() == "products-live"
        tab.shoot("new-migration-way")
        tab.click("Introduce alias")
        moves.choose_siglip(tab, batch=8)
        assert "served=products-live" in tab.page.url
        tab.click("Start building")
        tab.says("Next: verify the new collection")
        tab.click("Verify")
        tab.says("Passed")
        tab.says_in_all("The application must search products-live before you cut over")
        moves.confirm(tab, "Cut over", "Cut over")
        tab.says_in_all("products-live answers from products-live__demo-siglip")
        assert tab.complaints == []
    DONE.add("alias")


def test_a_name_is_searched_before_and_after_its_collection_was_recreated_and_rolled_back(
    server: Server, browse: Browse
) -> None:
    with browse(server) as tab:
        asks_by_name(tab, "Demo CLIP")
        chooses_in_place(tab)
        tab.click("Start building")
        tab.says(f"1 · A proven backup of {OLD}")
        migration = tab.page.url
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
        dialog.get_by_role("button", name="Recreate", exact=True).click()
        tab.says_in_all(f"{OLD} answers from {NEW}")
        tab.shoot("in-place-live")
        asks_by_name(tab, "Demo SigLIP")
        tab.open(migration)
        moves.confirm(tab, f"Roll back to {FORMER}", "Roll back")
        tab.says_in_all("can be cut over again")
        asks_by_name(tab, "Demo CLIP")
        assert tab.complaints == []
    DONE.add("in place")


def chooses_in_place(tab: Tab) -> None:
    tab.menu("Migrations")
    tab.click("New migration")
    tab.click("Choose", within=f"served-{OLD}")
    tab.click("Recreate in place")
    tab.says_in_all(f"{OLD} keeps its name")
    moves.choose_siglip(tab, batch=8)
    tab.says_in_all(f"{OLD} will lead nowhere while its name passes to the new collection")
    tab.says_in_all("There is none yet.")
    tab.shoot("in-place-preflight")


def asks_by_name(tab: Tab, model: str) -> None:
    """What the application does: search by the name; its answers come from this model."""
    tab.open(f"/query_lab?columns={OLD}&q=a+blue+square")
    (column,) = moves.columns(tab)
    expect(column.get_by_role("heading")).to_have_text(model)
    assert len(moves.answers(column)) >= 10
    moves.shows_pictures(column)
