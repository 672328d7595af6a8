"""The console in a real browser, on a workspace with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.e2e.browsing import Browse
    from tests.e2e.serving import Serve, Server

pytestmark = pytest.mark.e2e


@pytest.fixture(name="server", scope="module")
def _server(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On a workspace with four pictures and an empty store."""
    workspace = tmp_path_factory.mktemp("opens") / "workspace"
    (workspace / "images").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (80, 60), (50 * number, 90, 160)).save(workspace / "images" / f"{number}.png")
    (workspace / "console.toml").write_text('[catalog]\nlocation = "images"\n')
    with serve(workspace) as server:
        yield server


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_page_opens_and_no_request_leaves_the_machine(server: Server, browse: Browse, scheme: str) -> None:
    with browse(server, scheme=scheme) as tab:
        tab.open("/")
        tab.page.get_by_role("heading", name="Overview").wait_for()
        tab.shows_no_trace()
        assert "The store is empty" in tab.page.locator("body").inner_text()
        assert tab.hosts
        assert tab.complaints == []


def test_a_second_server_on_the_workspace_explains_itself_to_the_visitor(
    server: Server, serve: Serve, browse: Browse
) -> None:
    with serve(server.workspace, expect_ready=False) as second, browse(second) as tab:
        tab.open("/")
        tab.page.get_by_text("Try again").wait_for()
        tab.shows_no_trace()
        assert "process" in tab.page.locator('[data-testid="stAlert"]').inner_text()
