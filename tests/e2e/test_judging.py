"""Coverage and the Query lab with a mouse, and judging with a keyboard: what only a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.commands import command
from console_core.console import open_console
from console_core.judging.protocol import Protocol
from console_core.judging.query_lists import from_captions
from tests.conftest import OPERATOR, fill, finish, make_workspace

if TYPE_CHECKING:
    from tests.e2e.browsing import Browse
    from tests.e2e.serving import Serve, Server

PATIENCE = 180_000
"""Milliseconds: the first query loads two models, on a machine that may be busy."""
pytestmark = pytest.mark.e2e
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="workspace", scope="module")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures in two collections, and the coverage of the first one measured."""
    workspace = make_workspace(tmp_path_factory.mktemp("judging") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, CLIP, "demo-clip", alias="images")
    fill(console, SIGLIP, "demo-siglip")
    finish(console, command(console, OPERATOR, "measure_coverage", collection=CLIP))
    asked = from_captions(console.catalog.rows(), most=12)
    command(console, OPERATOR, "save_query_set", query_set="captions", queries=asked)
    answered = finish(
        console, command(console, OPERATOR, "ask_query_set", query_set="captions", columns=(CLIP, SIGLIP))
    )
    snapshot = (answered.result or {})["snapshot"]
    command(console, OPERATOR, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=Protocol(seed=5))
    console.close()
    return workspace


@pytest.fixture(name="server", scope="module")
def _server(serve: Serve, workspace: Path) -> Iterator[Server]:
    with serve(workspace) as server:
        yield server


def test_what_is_asked_marked_and_opened_in_the_query_lab(server: Server, browse: Browse) -> None:
    with browse(server) as tab:
        tab.page.set_default_timeout(PATIENCE)
        tab.open("/query_lab")
        field = tab.page.get_by_placeholder("Describe a picture")
        field.fill("a blue square")
        field.press("Enter")
        tab.page.wait_for_url(re.compile("q=a"))
        tab.wait()
        shared = tab.page.url
        columns = tab.page.locator("section.column")
        first, second = (columns.nth(place).locator("button") for place in range(2))
        keys = [button.get_attribute("data-id") for button in second.all()]
        both = next(key for button in first.all() if (key := button.get_attribute("data-id")) in keys)

        columns.nth(0).locator(f'button[data-id="{both}"]').hover()
        assert tab.page.locator("button.linked").count() == 2
        assert columns.nth(1).locator("button.linked").get_attribute("data-id") == both

        columns.nth(0).locator(f'button[data-id="{both}"]').click()
        drawer = tab.page.get_by_role("dialog")
        drawer.get_by_role("button", name="Find similar").click()
        drawer.wait_for(state="hidden")
        tab.page.get_by_text("Pictures like").wait_for()
        assert f"like={both}" in tab.page.url
        tab.page.go_back()
        tab.page.wait_for_url(shared)
        tab.page.get_by_text("Pictures like").wait_for(state="hidden")
        expect(field).to_have_value("a blue square", timeout=PATIENCE)
        tab.shows_no_trace()
        assert tab.complaints == []


def test_a_click_on_a_bar_shows_its_pictures_and_the_same_bar_can_be_clicked_again(
    server: Server, browse: Browse
) -> None:
    with browse(server) as tab:
        tab.page.set_default_timeout(PATIENCE)
        tab.open("/coverage")
        bar = tab.page.locator(".st-key-coverage-whole g.point path").first
        for _ in range(2):
            bar.wait_for()
            box = bar.bounding_box()
            assert box is not None
            tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            tab.page.wait_for_url(re.compile("value=user-"))
            clear = tab.page.get_by_role("button", name="User: user-")
            clear.wait_for()
            tab.wait()
            assert tab.page.locator("button[data-id]").count() == 16
            clear.click()
            clear.wait_for(state="hidden")
            tab.wait()
        assert "value=" not in tab.page.url
        tab.shows_no_trace()


def test_a_judge_grades_a_hundred_pictures_by_keys_alone_blindly_and_a_reload_loses_none(
    server: Server, browse: Browse
) -> None:
    with browse(server) as tab:
        tab.page.set_default_timeout(PATIENCE)
        asked_for: list[str] = []
        tab.page.on("request", lambda request: asked_for.append(request.url))
        tab.open("/judging")
        tab.page.get_by_text("3 Evaluations").wait_for()
        tab.row("grades")
        tab.page.wait_for_url(re.compile("evaluation=e-"))
        shown, pages = tab.page.get_by_alt_text("The picture to judge"), []
        asked_for.clear()
        for number in range(1, 101):
            shown.wait_for()
            if number in (1, 51):
                pages.append(tab.page.content())
            tab.page.keyboard.press(str(number % 4))
            tab.page.get_by_text(re.compile(f"^{number} of ")).wait_for()
            if number == 50:
                tab.page.reload()
                tab.page.get_by_text(re.compile("^50 of ")).wait_for()
        tab.page.keyboard.press("u")
        tab.page.get_by_text(re.compile("^99 of ")).wait_for()
        told = [*pages, tab.page.content(), tab.page.url, *asked_for]
        assert len([url for url in asked_for if "/thumb/large/" in url]) >= 30
        assert not [text for text in told if re.search("demo-(clip|siglip)|images__", text)]
        tab.shows_no_trace()
