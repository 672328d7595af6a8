"""The server is killed while a run is watched; the same tab finds it interrupted once the server is back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console_core import settings
from console_core.console import open_console
from console_core.demo.workspace import recognise
from console_core.runs.types import RunState
from tests.e2e import moves, speed
from tests.e2e.browsing import Browse
from tests.e2e.moves import SIGLIP
from tests.e2e.serving import Serve

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
_OFFLINE = re.compile("ERR_(CONNECTION_|EMPTY_RESPONSE)|WebSocket|disconnected from server")


def test_a_run_whose_server_was_killed_is_resumed_by_a_click_in_the_tab_that_watched_it(
    serve: Serve, browse: Browse, slow: Path
) -> None:
    report = recognise(slow)
    assert report is not None
    with serve(slow) as killed, browse(killed) as tab:
        tab.open("/")
        moves.choose_everything_for_siglip(tab)
        moves.start(tab)
        tab.menu("Runs")
        moves.settles_more_than(tab, 40)
        tab.shoot("runs-live")
        seen = moves.settled(tab)
        killed.kill()
        with serve(slow, port=killed.port):
            moves.is_in_state(tab, "Interrupted")
            assert seen <= moves.settled(tab) < report.pictures
            tab.says_in_all("Resume")
            tab.shoot("runs-interrupted")
            speed.at_full_speed(slow)
            tab.click("Resume")
            expect(tab.main.locator("[role=gridcell]", has_text="Succeeded")).to_be_attached()
        assert [said for said in tab.complaints if not _OFFLINE.search(said)] == []
    console = open_console(settings.read(slow, {}), owner_name="a test")
    try:
        (build,) = console.ledger.runs(kinds=("reembed",), target=SIGLIP)
        assert (build.state, build.attempt) == (RunState.SUCCEEDED, 2)
        assert build.counts.done == console.store.count(SIGLIP) == report.pictures - len(report.failures)
    finally:
        console.close()
