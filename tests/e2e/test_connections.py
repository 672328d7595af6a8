"""An admin says in the browser where pictures lie, sees that it works, and the pictures show; a viewer cannot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from tests.conftest import fill, make_workspace

if TYPE_CHECKING:
    from playwright.sync_api import WebSocket

    from tests.e2e.browsing import Browse, Tab
    from tests.e2e.serving import Serve

pytestmark = pytest.mark.e2e
CLIP = "images__demo-clip"
PLANTED = "pl4ntedSecret"


@pytest.fixture(name="moved")
def _moved(tmp_path: Path) -> Path:
    """A workspace whose pictures were moved to a folder that it does not know; its file has a secret in it."""
    workspace = make_workspace(tmp_path / "workspace", pictures=6)
    file = workspace / settings.FILE
    file.write_text(file.read_text().replace("[store]\n", f'[store]\napi_key = "{PLANTED}"  # ours\n'))
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, CLIP, "demo-clip", alias="images")
    console.close()
    (workspace / "images").rename(workspace / "moved here")
    (workspace / "images").mkdir()
    return workspace


def test_an_admin_adds_an_image_root_and_the_pictures_show_and_a_viewer_cannot(
    serve: Serve, browse: Browse, moved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(moved) as server, browse(server) as anna:
        sent = listening(anna)
        anna.open(f"/collections?collection={CLIP}")
        expect(anna.main.locator("button[data-id]").first).to_be_visible()
        assert not shows_pictures(anna)
        anna.menu("Connections")
        anna.says("readable")
        anna.shoot("connections")
        edits_the_store_and_sees_no_secret(anna)
        adds_the_folder(anna)
        anna.says("moved here")
        anna.menu("Collections")
        anna.row(CLIP)
        expect(anna.main.locator("button[data-id]").first).to_be_visible()
        assert shows_pictures(anna)
        anna.shows_no_trace()
        assert any("written in console.toml" in one for one in sent)
        assert not any(PLANTED in one for one in sent)
        assert PLANTED not in anna.page.content()
    assert PLANTED not in server.log.read_text()
    text = (moved / settings.FILE).read_text()
    assert f'api_key = "{PLANTED}"  # ours' in text
    assert 'root = "moved here"\nalso = ["images"]\n' in text
    monkeypatch.setitem(os.environ, "CONSOLE_ROLE", "viewer")
    with serve(moved) as server, browse(server) as vera:
        vera.open("/connections")
        expect(vera.named("Edit", within="connection-images")).to_be_disabled()
        expect(vera.named("Test", within="connection-images")).to_be_enabled()


def listening(tab: Tab) -> list[str]:
    """What the server sends from now on, as text."""
    sent: list[str] = []

    def note(payload: str | bytes) -> None:
        sent.append(payload if isinstance(payload, str) else payload.decode(errors="replace"))

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    tab.page.on("websocket", listen)
    return sent


def shows_pictures(tab: Tab) -> bool:
    """Whether the first tile has its picture, of 96 pixels, and not the grey one in its place."""
    picture = tab.main.locator("button[data-id] img").first
    return bool(picture.evaluate("one => one.decode().then(() => one.naturalWidth === 96)"))


def edits_the_store_and_sees_no_secret(anna: Tab) -> None:
    anna.click("Edit", within="connection-vector-store")
    drawer = anna.page.get_by_role("dialog")
    drawer.get_by_text("written in console.toml").wait_for()
    anna.shoot("connections-store")
    drawer.get_by_role("button", name="Close").click()
    drawer.wait_for(state="hidden")
    anna.wait()


def adds_the_folder(anna: Tab) -> None:
    anna.click("Edit", within="connection-images")
    drawer = anna.page.get_by_role("dialog")
    folders = drawer.locator("textarea")
    folders.fill("moved here\nnowhere")
    folders.press("Control+Enter")
    anna.wait()
    drawer.get_by_role("button", name="Test", exact=True).click()
    drawer.get_by_text("nowhere does not exist").wait_for()
    anna.shoot("connections-images-failed")
    folders.fill("moved here\nimages")
    folders.press("Control+Enter")
    anna.wait()
    drawer.get_by_role("button", name="Save", exact=True).click()
    drawer.wait_for(state="hidden")
    anna.wait()
