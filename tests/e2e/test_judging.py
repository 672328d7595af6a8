"""Coverage and the Query lab with a mouse, and judging with a keyboard: what only a browser does."""

from __future__ import annotations

import asyncio
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Route, expect

from benchmarks import two_people
from console_core import settings
from console_core.commands import command
from console_core.console import open_console
from console_core.database import Database
from console_core.judging.judgements import Judgement
from console_core.judging.protocol import Protocol
from console_core.judging.query_lists import from_captions
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.migration.findings import Request
from console_core.querylab.search import ask
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Manners
from console_core.runs.manners_records import DEFAULTS
from console_core.runs.types import ACTIVE, Run
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.e2e import speed
from tests.e2e.blindness import MODELS, content, everything, hold, names_in, seen

if TYPE_CHECKING:
    from tests.e2e.browsing import Browse, Tab
    from tests.e2e.serving import Serve, Server

PATIENCE = 180_000
"""Milliseconds: the first query loads two models, on a machine that may be busy."""
pytestmark = pytest.mark.e2e
CLIP, SIGLIP, BUILT = "images__demo-clip", "images__demo-siglip", "images__again"
TEXTS = ("a red square", "green above yellow", "something dark", "a pale blue corner", "violet")
HARDLY, SLOWLY = 0.02, 1.0
"""Pictures a second of the build that goes on beside these tests, and while it is to be seen to go on."""
QUERY_LAB = "/query_lab?" + urlencode({"columns": [CLIP, SIGLIP]}, doseq=True)


@dataclass(frozen=True)
class Judged:
    """What was prepared. `begun` is the evaluation of each way to judge. `alone` are the keys that each column answers
    with where nothing else goes on, by question."""

    workspace: Path
    snapshot: str
    begun: dict[str, str]
    alone: dict[str, list[list[str]]]


@pytest.fixture(name="judged", scope="module")
def _judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """48 pictures in two collections, and the coverage of the first one measured; a third one is built, very slowly."""
    workspace = make_workspace(tmp_path_factory.mktemp("judging") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, CLIP, "demo-clip", alias="images")
    fill(console, SIGLIP, "demo-siglip")
    finish(console, command(console, OPERATOR, "measure_coverage", collection=CLIP))
    asked = from_captions(console.catalog.rows(), most=4)
    asked += [query(like=str(row.key)) for row in islice(console.catalog.rows(), 10)]
    command(console, OPERATOR, "save_query_set", query_set="captions", queries=asked)
    answered = finish(
        console, command(console, OPERATOR, "ask_query_set", query_set="captions", columns=(CLIP, SIGLIP))
    )
    snapshot = (answered.result or {})["snapshot"]
    told = {"snapshot": snapshot, "columns": (0, 1), "protocol": Protocol(seed=5)}
    begun = {way: command(console, OPERATOR, "begin_evaluation", **told, way=way).id for way in ("grades", "votes")}
    asked_alone = {text: ask(console.store, console.models, (CLIP, SIGLIP), text, limit=12) for text in TEXTS}
    alone = {text: [list(column.keys) for column in found.columns] for text, found in asked_alone.items()}
    request = Request("images", "demo-siglip", target=BUILT, batch_size=1)
    command(console, OPERATOR, "start_migration", request=request)
    console.ledger.manners.put(DEFAULTS, Manners(rate=HARDLY))
    console.close()
    return Judged(workspace, snapshot, begun, alone)


@pytest.fixture(name="server", scope="module")
def _server(serve: Serve, judged: Judged) -> Iterator[Server]:
    with serve(judged.workspace) as server:
        yield server


def test_what_is_asked_marked_and_opened_in_the_query_lab(server: Server, browse: Browse) -> None:
    with browse(server) as tab:
        tab.page.set_default_timeout(PATIENCE)
        tab.open(QUERY_LAB)
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
        drawer.wait_for()
        tab.wait()
        tab.page.go_back()
        tab.page.wait_for_url(shared)
        drawer.wait_for(state="hidden")
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
            seen(tab)
            if number in (1, 51):
                assert shown.is_visible()
                pages.append(tab.page.content())
            tab.page.keyboard.press(str(number % 4))
            if number in (1, 25, 50, 75, 100):
                takes_keys_again(tab, number)
            if number == 50:
                tab.page.reload()
                takes_keys_again(tab, number)
        tab.page.keyboard.press("u")
        tab.page.get_by_text(re.compile("^99 of ")).wait_for()
        told = [*pages, tab.page.content(), tab.page.url, *asked_for]
        assert len({url for url in asked_for if "/thumb/large/" in url}) >= 15
        assert names_in(told) == set()
        tab.shows_no_trace()


@pytest.mark.parametrize(("way", "key", "said"), [("grades", "2", "judged"), ("votes", "1", "given")])
def test_a_held_key_is_one_word_and_so_is_a_double_click(
    server: Server, browse: Browse, judged: Judged, way: str, key: str, said: str
) -> None:
    with browse(server) as tab:
        tab.open(f"/judging?evaluation={judged.begun[way]}&judge=holder")
        seen(tab)
        hold(tab, key)
        seen(tab)
        assert re.search(rf"\b1 of \d+ \w+ {said}", tab.text)
        tab.page.locator(f".st-key-{'grade' if way == 'grades' else 'vote'}-{key} button").dblclick()
        seen(tab)
        assert re.search(rf"\b2 of \d+ \w+ {said}", tab.text)
        hold(tab, "u", times=10)
        seen(tab)
        assert re.search(rf"\b1 of \d+ \w+ {said}", tab.text)
        tab.page.keyboard.press(key)
        tab.says(re.compile(rf"^2 of \d+ \w+ {said}"))


def test_a_key_says_nothing_of_a_picture_that_is_not_there_yet(server: Server, browse: Browse, judged: Judged) -> None:
    with browse(server) as tab:
        held: list[Route] = []
        tab.page.route("**/thumb/large/**", lambda request: held.append(request))
        tab.open(f"/judging?evaluation={judged.begun['grades']}&judge=hasty")
        tab.page.keyboard.press("2")
        tab.wait()
        assert held
        while held:
            held.pop().continue_()
        tab.page.unroute("**/thumb/large/**")
        seen(tab)
        assert re.search(r"\b0 of \d+ pictures judged", tab.text)
        tab.page.keyboard.press("2")
        tab.says(re.compile("^1 of "))


@pytest.mark.parametrize(("way", "key"), [("grades", "2"), ("votes", "1")])
def test_nothing_that_reaches_the_browser_names_a_model_before_the_reveal(
    server: Server, browse: Browse, judged: Judged, way: str, key: str
) -> None:
    """Neither the page and its shadow roots, nor addresses, nor what the websocket brings: while judging, and at the
    verdict."""
    with browse(server) as tab:
        judging, told = f"/judging?evaluation={judged.begun[way]}&judge=watcher", everything(tab)
        tab.open(judging)
        for number in (1, 2):
            seen(tab)
            told.append(content(tab))
            tab.page.keyboard.press(key)
            tab.says(re.compile(rf"^{number} of "))
        tab.open(f"{judging}&view=verdict")
        told.append(content(tab))
        tab.click("Look at the verdict")
        tab.says("What this rests on")
        told.append(content(tab))
        assert sum("What this rests on" in text for text in told) >= 2, "frames of the websocket are not read"
        assert sum("Picture 1" in text or "The picture to judge" in text for text in told) >= 2
        assert names_in(told) == set()


def test_the_same_look_finds_every_name_where_names_belong(server: Server, browse: Browse) -> None:
    with browse(server) as tab:
        told = everything(tab)
        tab.open("/judging")
        tab.says("3 Evaluations")
        tab.open("/models")
        assert names_in(told) == {CLIP, SIGLIP, BUILT, *MODELS}


def test_what_a_lasso_chooses_in_one_map_is_marked_in_the_other_and_goes_with_the_back_button(
    server: Server, browse: Browse
) -> None:
    with browse(server) as tab:
        tab.open(f"{QUERY_LAB}&view=map")
        dragged = tab.page.locator(".st-key-map-first .nsewdrag").first
        dragged.wait_for()
        tab.wait()
        dragged.scroll_into_view_if_needed()
        box = dragged.bounding_box()
        assert box is not None
        assert marked(tab, "first") == marked(tab, "second") == []

        middle, radius = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), box["height"] / 4
        around = [2 * math.pi * step / 12 for step in range(13)]
        corners = [(middle[0] + radius * math.cos(at), middle[1] + radius * math.sin(at)) for at in around]
        tab.page.mouse.move(*corners[0])
        tab.page.mouse.down()
        for corner in corners[1:]:
            tab.page.mouse.move(*corner)
        tab.page.mouse.up()
        said = tab.says(re.compile(r"^\d+ pictures? selected")).inner_text()
        tab.page.wait_for_url(re.compile("selected="))
        tab.wait()

        chosen = marked(tab, "first")
        assert 0 < len(chosen) < 48
        assert said.startswith(f"{len(chosen)} picture")
        assert marked(tab, "second") == chosen
        tab.page.go_back()
        tab.says("Draw a lasso")
        tab.wait()
        assert marked(tab, "first") == marked(tab, "second") == []
        tab.page.go_forward()
        tab.says(said)
        tab.wait()
        assert marked(tab, "first") == marked(tab, "second") == chosen
        tab.shows_no_trace()
        assert tab.complaints == []


def marked(tab: Tab, side: str) -> list[int]:
    """The pictures that a map shows as selected, by their place in the sample."""
    found = tab.page.locator(f".st-key-map-{side} .js-plotly-plot").evaluate(
        "plot => plot.data.flatMap(trace => (trace.selectedpoints || []).map(point => trace.customdata[point]))"
    )
    return sorted(int(row[0] if isinstance(row, list) else row) for row in found)


def test_what_is_clicked_on_a_board_is_in_its_address_for_a_colleague_and_the_back_button_takes_it_back(
    server: Server, browse: Browse, judged: Judged
) -> None:
    with browse(server) as tab, browse(server) as colleague:
        tab.open(f"/judging?snapshot={judged.snapshot}&k=3")
        cell = tab.main.locator("[role=row][aria-rowindex='4'] [role=gridcell]").first
        cell.wait_for(state="attached")
        question = str(cell.text_content())
        tab.row(question)
        tab.page.wait_for_url(re.compile("k=3&question="))
        tab.page.get_by_role("button", name="Open it all the same").click()  # it is being judged blindly
        asked = tab.page.get_by_role("heading", name=question, exact=True)
        asked.wait_for()
        tab.page.locator(".st-key-board-gallery button[data-id]").first.click()
        drawer = tab.page.get_by_role("dialog")
        drawer.wait_for()
        tab.page.wait_for_url(re.compile("open="))
        tab.wait()

        colleague.open(tab.page.url.removeprefix(server.url))
        colleague.page.get_by_role("button", name="Open it all the same").click()
        colleague.page.get_by_role("dialog").wait_for()
        seen = shown(tab, "board")
        assert [len(column) for column in seen] == [3, 3]
        shows(colleague, seen, "board")

        tab.page.go_back()
        drawer.wait_for(state="hidden")
        tab.wait()
        tab.page.go_back()
        asked.wait_for(state="hidden")
        assert tab.page.url.endswith("&k=3")
        assert tab.complaints == colleague.complaints == []


def test_two_people_ask_and_judge_at_once_while_a_collection_is_built_and_nothing_is_mixed(
    server: Server, browse: Browse, judged: Judged
) -> None:
    with browse(server) as ann, browse(server) as ben:
        already = len(server.log.read_text())
        speed.at_most(judged.workspace, SLOWLY)
        ann.open(f"{QUERY_LAB}&q={TEXTS[0]}")
        ben.open(f"/judging?evaluation={judged.begun['grades']}&judge=ben")
        before, given = build(judged), dict[str, list[tuple[str, int]]](ann=[], ben=[])
        for number, text in enumerate(TEXTS[1:]):
            field = ann.page.get_by_placeholder("Describe a picture")
            field.fill(text)
            field.press("Enter")
            grade(ben, number % 4, given["ben"])
            grade(ben, (number + 1) % 4, given["ben"])
            ann.page.wait_for_url(re.compile(f"q={text.split()[0]}"))
            ann.wait()
            assert ann.page.get_by_placeholder("Describe a picture").input_value() == text
            shows(ann, judged.alone[text])
        while build(judged).counts.settled <= before.counts.settled:
            grade(ben, 3, given["ben"])
        ann.open(f"/judging?evaluation={judged.begun['grades']}&judge=ann")
        for number in range(3):
            grade(ann, number, given["ann"])
            grade(ben, 3 - number, given["ben"])
        after = build(judged)
        for tab in (ann, ben):
            tab.shows_no_trace()
            assert tab.complaints == []
        speed.at_most(judged.workspace, HARDLY)
    assert (after.state in ACTIVE, after.counts.settled > before.counts.settled) == (True, True)
    with closing(Database(settings.read(judged.workspace, {}).ledger_url)) as database:
        kept = {name: LabRecords(database).judgements.of(judged.begun["grades"], name) for name in given}
    assert {name: [(one.key, one.grade) for one in in_order(words)] for name, words in kept.items()} == given
    assert not re.search("Traceback|Exception|incident", server.log.read_text()[already:])


def test_the_benchmark_of_two_people_asks_and_judges_in_two_sessions_and_compares(
    server: Server, judged: Judged
) -> None:
    async def building(stop: asyncio.Event) -> None:
        await stop.wait()

    measuring = two_people.measure(server.url, [CLIP, SIGLIP], judged.begun["grades"], 0.8, building, pause=0.02)
    with ThreadPoolExecutor(1) as lane:  # this thread has the browser's own loop
        alone, together = lane.submit(asyncio.run, measuring).result()
    assert min(alone["questions"], together["questions"]) >= two_people.ROUNDS
    assert (alone["grades"], alone["of_idle_p95"]) == (0, 1.0)
    with closing(Database(settings.read(judged.workspace, {}).ledger_url)) as database:
        kept = LabRecords(database).judgements.of(judged.begun["grades"], "bob")
    assert len(kept) == together["grades"] >= two_people.ROUNDS
    assert together["of_idle_p95"] > 0
    assert f"| {two_people.TOGETHER} |" in two_people.section([alone, together], "Two cores")


def in_order(judgements: list[Judgement]) -> list[Judgement]:
    return sorted(judgements, key=lambda one: one.number)


def build(judged: Judged) -> Run:
    """The build that goes on, as the ledger has it."""
    with closing(Database(settings.read(judged.workspace, {}).ledger_url)) as database:
        (found,) = Ledger(database).runs(target=BUILT, writes=True)
    return found


def shown(tab: Tab, gallery: str = "lab") -> list[list[str]]:
    """The keys of the pictures in each column."""
    columns = tab.page.locator(f".st-key-{gallery}-gallery section.column")
    keys: list[list[str]] = columns.evaluate_all(
        "columns => columns.map(column => [...column.querySelectorAll('button[data-id]')].map(one => one.dataset.id))"
    )
    return keys


def shows(tab: Tab, wanted: list[list[str]], gallery: str = "lab") -> None:
    """Each column must have these pictures, once the browser has drawn what it was sent."""
    for _ in range(100):
        if shown(tab, gallery) == wanted:
            return
        tab.page.wait_for_timeout(50)
    assert shown(tab, gallery) == wanted


def takes_keys_again(tab: Tab, judged: int) -> None:
    """Wait until so many pictures are judged and the next one was there: a key pressed before counts for none."""
    tab.page.get_by_text(re.compile(f"^{judged} of ")).wait_for()
    seen(tab)


def grade(tab: Tab, number: int, given: list[tuple[str, int]]) -> None:
    """Press the key of a grade, and note of which picture it was."""
    seen(tab)
    source = tab.page.get_by_alt_text("The picture to judge").get_attribute("src")
    name = re.search(r"/thumb/large/([\w-]+)", source or "")
    assert name is not None
    tab.page.keyboard.press(str(number))
    given.append((urlsafe_b64decode(f"{name[1]}==").decode(), number))
    takes_keys_again(tab, len(given))


def test_a_show_fills_the_window_and_the_screen_and_obeys_a_remote_control(
    server: Server, browse: Browse, judged: Judged
) -> None:
    with browse(server) as tab:
        tab.page.set_default_timeout(PATIENCE)
        tab.open(f"/judging?snapshot={judged.snapshot}&view=present")
        tab.page.get_by_role("button", name="Open it all the same").click()  # it is being judged blindly
        tiles = tab.page.locator("section.column button:visible")
        tiles.first.wait_for()
        for width, height in ((1440, 900), (1920, 1080), (1100, 800)):
            tab.page.set_viewport_size({"width": width, "height": height})
            tab.page.wait_for_function(
                """([width, height]) => {
                  const gallery = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
                  const shown = [...gallery.querySelectorAll('button:not([hidden])')]
                  const lowest = Math.max(...shown.map((tile) => tile.getBoundingClientRect().bottom))
                  return shown.length >= 12 && lowest > 0.8 * height && lowest < height - 40
                }""",
                arg=[width, height],
            )
            controls = tab.page.get_by_role("button", name="End").bounding_box()
            assert controls is not None
            assert controls["y"] + controls["height"] <= height
        tab.page.keyboard.press("PageDown")
        tab.page.get_by_text("2 of 12").wait_for()
        tab.page.keyboard.press("PageUp")
        tab.page.get_by_text("1 of 12").wait_for()
        tab.page.keyboard.press("f")
        tab.page.wait_for_function("document.fullscreenElement !== null")
        tab.page.get_by_role("button", name="Leave full screen").wait_for()
        tab.page.keyboard.press("ArrowRight")
        tab.page.get_by_text("2 of 12").wait_for()
        assert tab.page.evaluate("document.fullscreenElement !== null")
        tab.page.get_by_role("button", name="End").click()
        tab.page.get_by_role("heading", name="Answers").wait_for()
        tab.page.wait_for_function("document.fullscreenElement === null")
        tab.shows_no_trace()
        assert tab.complaints == []
