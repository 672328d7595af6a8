"""An address reproduces what was seen, in a fresh browser; and what it asks for and nobody can show is said."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.demo.queries import ACCEPTANCE
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.ui.unrestored import TITLE
from tests.conftest import fill, finish
from tests.pages.conftest import console_of_module

OLGA = Actor("olga", "admin")
OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP, AGAIN = "images__demo-clip", "images__demo-siglip", "images__demo-clip-again"
TEXTS = [query.text for query in ACCEPTANCE[::5]][:12]
QUESTIONS = [query(text, tags=("even",) if number % 2 == 0 else ()) for number, text in enumerate(TEXTS, start=1)]


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """48 pictures in three collections, the third one as the first; runs wait for the tests."""
    with console_of_module(tmp_path_factory.mktemp("addresses"), actor="olga", works=False) as console:
        fill(console, CLIP, "demo-clip", alias="images")
        fill(console, SIGLIP, "demo-siglip")
        fill(console, AGAIN, "demo-clip")
        yield console


@pytest.fixture(name="snapshot", scope="module")
def _snapshot(both: Console) -> str:
    """What three columns answered to twelve questions, the third one as the first."""
    command(both, OLGA, "save_query_set", query_set="squares", queries=QUESTIONS)
    asked = command(both, OLGA, "ask_query_set", query_set="squares", columns=("images", SIGLIP, AGAIN), depth=12)
    return str((finish(both, asked).result or {})["snapshot"])


def address(page: AppTest) -> dict[str, Any]:
    """The parameters of a page's address."""
    return {name: page.query_params[name] for name in page.query_params}


def drawn(page: AppTest) -> dict[str, Any]:
    """What a page shows, but for times."""
    galleries = [json.loads(one.proto.json)["columns"] for one in page.get("bidi_component") if one.proto.json]
    return {
        "titles": [each.value for each in (*page.title, *page.header, *page.subheader)],
        "metrics": [(metric.label, metric.value) for metric in page.metric],
        "tables": [table.value.to_dict() for table in page.dataframe],
        "galleries": [[(one["title"], one["tiles"]) for one in columns] for columns in galleries],
        "fields": [(field.key, field.value) for field in (*page.number_input, *page.segmented_control)],
        "code": [code.value for code in page.code],
    }


def cannot_be_shown(page: AppTest) -> str:
    """What the page says that it cannot restore."""
    return "\n".join(str(one.value) for one in page.warning if one.proto.title == TITLE).replace("\\", "")


def test_everything_that_is_chosen_on_an_agreement_board_is_in_its_address_and_nothing_usual(
    snapshot: str, open_page: OpenPage, said: Said
) -> None:
    page = open_page("judging", snapshot=snapshot)
    assert address(page) == {"snapshot": snapshot}
    usual = drawn(page)
    page.segmented_control(key="board-other").set_value(3).run()
    assert [metric.value for metric in page.metric][-1] == "12 of 12"
    page.segmented_control(key="board-other").set_value(2).run()
    page.number_input(key="board-k").set_value(3).run()
    page.segmented_control(key="board-p").set_value("0.8").run()
    page.segmented_control(key="board-order").set_value("alike").run()
    assert address(page) == {"snapshot": snapshot, "k": "3", "p": "0.8", "order": "alike"}
    assert "RBO@3, p 0.8" in [metric.label for metric in page.metric]
    assert "looks at 5 places on average" in said(page)
    assert drawn(open_page("judging", **address(page))) == drawn(page) != usual
    told = {"column": "3", "question": QUESTIONS[4].id, "open": "5", "threshold": "0.25"}
    more = open_page("judging", **address(page), **told)
    assert TEXTS[4] in [card.value for card in more.subheader]
    assert more.number_input(key="threshold-old").value == 0.25
    assert [code.value for code in more.code][-1] == "0005.jpg"
    assert not cannot_be_shown(more)
    page.number_input(key="board-k").set_value(10).run()
    page.segmented_control(key="board-p").set_value("0.9").run()
    page.segmented_control(key="board-order").set_value("changed").run()
    assert address(page) == {"snapshot": snapshot}
    assert drawn(page) == usual


def test_the_order_of_questions_is_by_change_either_way_or_that_of_the_query_set(
    both: Console, snapshot: str, open_page: OpenPage
) -> None:
    asked = [one.label for one in both.lab.query_sets.queries(both.lab.query_sets.get("squares"))]
    changed, alike, usual = (
        [*open_page("judging", snapshot=snapshot, order=order).dataframe[-1].value["Question"]]
        for order in ("changed", "alike", "set")
    )
    assert (changed, usual) == (alike[::-1], asked)
    assert changed != asked


def test_a_board_says_what_of_its_address_is_not_there_and_shows_the_rest(snapshot: str, open_page: OpenPage) -> None:
    told = {"column": "9", "k": "13", "p": "1.5", "order": "up", "question": "gone", "view": "odd", "colour": "x"}
    page = open_page("judging", snapshot=snapshot, threshold="warm", open="no picture", **told)
    assert not page.exception
    left_out = cannot_be_shown(page)
    for part in ("column 9", "from 1 to 12, and not 13", "no p 1.5", "order up", "question gone", "view odd", "colour"):
        assert part in left_out, part
    assert "A threshold is a number, and not warm" in left_out
    assert "A picture opens beside the answers to a question, and none is chosen" in left_out
    lost = open_page("judging", snapshot=snapshot, question=QUESTIONS[2].id, open="no picture")
    assert "The catalog has no picture of this key." in [one.value for one in lost.warning]
    plain = drawn(open_page("judging", snapshot=snapshot))
    assert drawn(page)["metrics"] == plain["metrics"]
    assert drawn(page)["galleries"] == plain["galleries"]


def test_a_show_names_questions_that_are_not_there_and_leads_back_to_the_board_that_it_came_from(
    snapshot: str, open_page: OpenPage
) -> None:
    told = {"q": [QUESTIONS[2].id, "gone", QUESTIONS[4].id], "at": "2", "names": "no", "k": "3", "column": "3"}
    page = open_page("judging", snapshot=snapshot, view="present", **told)
    assert [header.value for header in page.header] == [TEXTS[4]]
    assert "1 question of it is not in this query set: gone" in cannot_be_shown(page)
    assert drawn(open_page("judging", **address(page))) == drawn(page)
    page.button(key="stage-next").click().run()
    assert ("at" in page.query_params, [header.value for header in page.header]) == (False, [TEXTS[2]])
    page.button(key="stage-end").click().run()
    assert address(page) == {"snapshot": snapshot, "k": "3", "column": "3"}
    wrong = open_page("judging", snapshot=snapshot, view="present", q="gone", at="13", names="some")
    assert "gone. The first 12 are shown" in cannot_be_shown(wrong)
    assert "at is a whole number from 1 to 12" in cannot_be_shown(wrong)
    assert "no names some" in cannot_be_shown(wrong)


def test_a_verdict_shows_the_question_and_the_order_of_its_address_and_says_which_it_lacks(
    both: Console, snapshot: str, open_page: OpenPage
) -> None:
    made = command(
        both, OLGA, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=Protocol(k=3, seed=2, margin=0.02)
    )
    desk = both.lab.desk(made)
    for query_id, pool in desk.pools.items():
        for place, key in enumerate(pool):
            both.lab.judgements.judge(made, query_id, key, place % 4, by="olga")
    command(both, OLGA, "reveal", evaluation=made.id)
    page = open_page("judging", evaluation=made.id, view="verdict")
    losses = [*page.dataframe[-1].value["B less A"]]
    assert losses == sorted(losses)
    page.segmented_control(key="losses-order").set_value("gain").run()
    assert [*page.dataframe[-1].value["B less A"]] == losses[::-1]
    told = {**address(page), "question": QUESTIONS[6].id, "show": "others-B"}
    shown = open_page("judging", **told)
    assert shown.subheader[-1].value == TEXTS[6]
    assert shown.session_state["verdict-others-B"]
    assert not cannot_be_shown(shown)
    lacking = open_page("judging", evaluation=made.id, question="gone", order="up", k="3", show="others-C")
    for part in ("question gone", "order up", "nothing of k", "no others-C here"):
        assert part in cannot_be_shown(lacking), part
    assert [*lacking.dataframe[-1].value["B less A"]] == losses


def test_a_version_of_a_query_set_is_in_the_address_unless_it_is_the_newest(both: Console, open_page: OpenPage) -> None:
    for size in (2, 3, 4):
        command(both, OLGA, "save_query_set", query_set="versions", queries=QUESTIONS[:size])
    page = open_page("judging", set="versions")
    page.selectbox(key="set-version").select(2).run()
    assert address(page) == {"set": "versions", "version": "2"}
    fresh = open_page("judging", **address(page))
    assert len(fresh.dataframe[0].value) == len(page.dataframe[0].value) == 3
    page.selectbox(key="set-version").select(3).run()
    assert address(page) == {"set": "versions"}
    gone = open_page("judging", set="versions", version="7")
    assert "no version 7 here: the newest, 3, is shown" in cannot_be_shown(gone)
    assert len(gone.dataframe[0].value) == 4


def test_whoever_judges_by_a_name_of_the_address_keeps_it_on_the_way_to_the_verdict_and_back(
    both: Console, snapshot: str, open_page: OpenPage
) -> None:
    made = command(both, OLGA, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=Protocol(k=2, seed=8))
    page = open_page("judging", evaluation=made.id, judge="ben", question="x", view="odd")
    assert "nothing of question" in cannot_be_shown(page)
    assert "no view odd" in cannot_be_shown(page)
    for label in ("To the verdict", "Go on judging"):
        next(button for button in page.button if button.label == label).click().run()
        assert page.query_params["judge"] == "ben"
    page.button(key="grade-2").click().run()
    assert {one.judge for one in both.lab.judgements.of(made.id)} == {"ben"}
    page.button(key="all-judging").click().run()
    assert address(page) == {"judge": "ben"}
    assert not cannot_be_shown(page)


@pytest.mark.usefixtures("both")
def test_the_query_lab_opens_the_picture_and_the_parts_of_its_address_and_writes_nothing_usual(
    open_page: OpenPage, said: Said
) -> None:
    told = {"q": "square 5", "columns": [CLIP, SIGLIP]}
    page = open_page("query_lab", **told, open="5", show=["encoder-2", "gone"])
    assert not cannot_be_shown(page)
    assert "Check the encoder" in [button.label for button in page.button]
    assert page.session_state["lab-gone-open"]
    assert [code.value for code in page.code] == ["0005.jpg"]
    page.text_input(key="lab-query").set_value("square 7").run()
    assert address(page) == {**told, "q": "square 7", "show": ["encoder-2", "gone"]}
    page.segmented_control(key="lab-limit").set_value("24").run()
    assert page.query_params["limit"] == "24"
    assert drawn(open_page("query_lab", **address(page))) == drawn(page)
    page.segmented_control(key="lab-limit").set_value("12").run()
    assert "limit" not in page.query_params
    wrong = open_page("query_lab", **told, view="odd", show="encoder-3", heat="9", **{"only.user_id": "user-1"})
    for part in ("view odd", "encoder-3", "nothing of heat"):
        assert part in cannot_be_shown(wrong), part
    assert "only" not in cannot_be_shown(wrong)
    assert "user_id: user-1" in [button.label.replace("\\", "") for button in wrong.button]
