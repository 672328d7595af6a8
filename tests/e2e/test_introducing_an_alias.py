"""A collection that applications search by its own name gets an alias on its way to another model."""

from pathlib import Path

import pytest

from console_core import settings
from console_core.console import open_console
from tests.conftest import fill, make_workspace
from tests.e2e import moves
from tests.e2e.browsing import Browse
from tests.e2e.serving import Serve

pytestmark = pytest.mark.e2e


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path) -> Path:
    workspace = make_workspace(tmp_path / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, "products", "demo-clip")
    console.close()
    return workspace


def test_the_wizard_leads_from_a_collection_searched_by_its_own_name_through_an_alias_to_the_cut_over(
    serve: Serve, browse: Browse, workspace: Path
) -> None:
    with serve(workspace) as server, browse(server) as tab:
        tab.open("/")
        tab.menu("Rollout")
        tab.says_in_all("No alias yet")
        tab.shoot("rollout-without-alias")
        tab.click("Begin a migration; it introduces one")
        tab.click("Choose", within="served-products")
        tab.says("Introduce an alias first")
        assert tab.page.get_by_label("Name of the alias").input_value() == "products-live"
        tab.shoot("new-migration-alias")
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
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        assert console.store.aliases() == {"products-live": "products-live__demo-siglip"}
        assert console.store.count("products") == console.store.count("products-live__demo-siglip") == 48
    finally:
        console.close()
