"""The Query lab: two models side by side, columns that fail, the address, and what it says where little is there."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from console_core.console import Console
from console_core.embedding import loaded
from console_core.embedding.loading import load
from console_core.embedding.registry import ModelCards
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.conftest import fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """48 pictures behind the alias `images` by demo-clip, and once more by demo-siglip; and three odd collections."""
    workspace = make_workspace(tmp_path_factory.mktemp("lab") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_WORKSPACE", str(workspace))
        process.stop()
        process.start()
        console = process.console()
        fill(console, CLIP, "demo-clip", alias="images")
        fill(console, SIGLIP, "demo-siglip")
        for name, stamp in (
            ("strange", ModelStamp("nobody's", "0")),
            ("old", ModelStamp("demo-clip", "0")),
            ("bare", None),
        ):
            console.store.create(name, CollectionSpec(dimension=128, stamp=stamp))
        yield console
        process.stop()


def _columns(page: AppTest, place: int = 0) -> list[dict[str, Any]]:
    """What the gallery was given."""
    given: list[dict[str, Any]] = json.loads(page.get("bidi_component")[place].proto.json)["columns"]
    return given


@pytest.mark.usefixtures("both")
def test_without_a_query_an_example_is_answered_by_the_live_collection_and_the_other_one(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab")
    assert not page.exception
    assert not page.error
    assert page.multiselect(key="lab-columns").value == [CLIP, SIGLIP]
    assert not page.query_params
    assert "An example to begin with" in said(page)
    assert page.pills[0].value == "square 1"


def test_the_first_question_after_a_start_says_which_models_are_loading_until_they_answer(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[LocalScriptRunner] = []
    loading, go = threading.Event(), threading.Event()

    class Watched(LocalScriptRunner):
        """Can be looked at while the page is still being drawn."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            runs.append(self)

    def load_once_let_go(*arguments: Any, **named: Any) -> Any:
        loading.set()
        assert go.wait(60)
        return load(*arguments, **named)

    def says(text: str) -> bool:
        return any(text.encode() in message.SerializeToString() for message in list(runs[-1].forward_msg_queue._queue))

    monkeypatch.setattr(app_test, "LocalScriptRunner", Watched)
    monkeypatch.setattr(loaded, "load", load_once_let_go)
    for model in ("demo-clip", "demo-siglip"):
        assert both.models.unload(model), "as after a start"
    with ThreadPoolExecutor(1) as browser:
        opened = browser.submit(open_page, "query_lab", q="a square that was never asked", columns=[CLIP, SIGLIP])
        try:
            assert loading.wait(60)
            until = time.monotonic() + 60
            while not says("Loading Demo CLIP and Demo SigLIP"):
                assert time.monotonic() < until
                time.sleep(0.01)
            assert not says("lab-gallery")
        finally:
            go.set()
        page = opened.result()
    assert [len(column["tiles"]) for column in _columns(page)] == [12, 12]


@pytest.mark.usefixtures("both")
def test_what_is_typed_is_asked_and_stands_in_the_address(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab", columns=[CLIP, SIGLIP])
    page.text_input(key="lab-query").set_value("a red square").run()
    assert not page.exception
    assert page.query_params["q"] == "a red square"
    assert page.query_params["columns"] == [CLIP, SIGLIP]
    assert "An example" not in said(page)
    first, second = _columns(page)
    assert (first["title"], second["title"]) == ("Demo CLIP", "Demo SigLIP")
    assert len(first["tiles"]) == len(second["tiles"]) == 12


@pytest.mark.usefixtures("both")
def test_each_picture_has_rank_score_and_shift_and_the_agreement_is_called_change(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", q="a red square", columns=[CLIP, SIGLIP], limit="24")
    first, second = _columns(page)
    assert [tile["rank"] for tile in first["tiles"]] == list(range(1, 25))
    assert all(tile["shift"] for tile in second["tiles"])
    assert {tile["shift"]["kind"] for tile in first["tiles"] if tile["shift"]} <= {"gone"}
    lost = {tile["id"] for tile in first["tiles"]} - {tile["id"] for tile in second["tiles"]}
    assert {tile["id"] for tile in first["tiles"] if tile["shift"]} == lost
    assert {tile["id"] for tile in _columns(page, 1)[0]["tiles"]} == lost
    text = said(page)
    assert "overlap@24" in text
    assert "Jaccard" in text
    assert "RBO" in text
    assert "change, not quality" in text
    assert "within a column only" in text
    assert all(0 <= float(tile["percentile"]) <= 100 for tile in [*first["tiles"], *second["tiles"]])
    assert not any("score" in tile for tile in [*first["tiles"], *second["tiles"]])


@pytest.mark.usefixtures("both")
def test_thumbnails_have_signed_addresses_and_captions(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=CLIP)
    tiles = _columns(page)[0]["tiles"]
    assert all(tile["src"].startswith("/thumb/small/") and "&s=" in tile["src"] for tile in tiles)
    assert all(tile["alt"] == f"square {tile['id']}" for tile in tiles)


@pytest.mark.usefixtures("both")
def test_columns_that_fail_say_why_and_leave_the_others_usable(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=["vanished", "strange", "old", CLIP])
    assert not page.exception
    titles = " ".join(str(error.proto.title) for error in page.error)
    assert "vanished" in titles
    assert "nobody" in titles
    assert "fingerprint" in titles
    assert len(page.error) == 3
    assert all(error.value for error in page.error)
    drawn = _columns(page)
    assert [len(column["tiles"]) for column in drawn] == [0, 0, 0, 12]


@pytest.mark.usefixtures("both")
def test_a_collection_without_a_model_is_not_offered_and_says_so_when_an_address_names_it(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=["bare"])
    offered = open_page("query_lab", q="square", columns=[CLIP]).multiselect(key="lab-columns").options
    assert not any("bare" in option for option in offered)
    assert "Nothing says which model" in str(page.error[0].proto.title)


@pytest.mark.usefixtures("both")
def test_at_most_four_columns_and_known_limits_are_taken_from_an_address(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=["images", CLIP, SIGLIP, "old", "strange"], limit="100000")
    assert len(_columns(page)) == 4
    assert len(_columns(page)[0]["tiles"]) == 12


@pytest.mark.usefixtures("both")
def test_an_example_is_asked_with_one_click(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab", columns=CLIP)
    page.pills(key="lab-example").set_value("square 5").run()
    assert page.query_params["q"] == "square 5"
    assert page.text_input(key="lab-query").value == "square 5"
    assert "An example" not in said(page)


@pytest.mark.usefixtures("both")
def test_configured_examples_come_before_captions(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both, "settings", replace(both.settings, examples=("a blue hour", "a red car")))
    page = open_page("query_lab", columns=CLIP)
    assert page.pills(key="lab-example").options == ["a blue hour", "a red car"]


@pytest.mark.usefixtures("both")
def test_a_picture_is_shown_large_with_its_rank_in_each_column_and_leads_to_similar_ones(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", q="square", columns=[CLIP, SIGLIP], limit="48")
    page.query_params["open"] = "5"
    page.run()
    assert not page.exception
    assert list(page.dataframe[0].value["Column"]) == ["Demo CLIP", "Demo SigLIP"]
    assert [code.value for code in page.code] == ["0005.jpg"]
    page.button(key="lab-similar").click().run()
    assert (page.query_params["like"], "q" in page.query_params) == ("5", False)
    assert "Pictures like **square 5**" in said(page)
    assert all(tile["id"] != "5" for column in _columns(page) for tile in column["tiles"])
    page.button(key="lab-clear").click().run()
    assert "like" not in page.query_params


@pytest.mark.usefixtures("both")
def test_an_example_takes_the_place_of_a_picture(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab", like="5", columns=[CLIP, SIGLIP])
    assert "Pictures like **square 5**" in said(page)
    page.pills(key="lab-example").set_value("square 9").run()
    assert "Pictures like" not in said(page)
    assert (page.query_params["q"], "like" in page.query_params) == ("square 9", False)


@pytest.mark.usefixtures("both")
def test_an_unknown_picture_is_a_message_in_each_column(open_page: OpenPage) -> None:
    page = open_page("query_lab", like="123456", columns=[CLIP, SIGLIP])
    assert not page.exception
    assert ["has no point of picture 123456" in str(error.proto.title) for error in page.error] == [True, True]


@pytest.mark.usefixtures("both")
def test_somebody_who_may_only_look_may_ask(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both, "settings", replace(both.settings, role="viewer"))
    page = open_page("query_lab", q="square", columns=[CLIP, SIGLIP])
    assert not page.error
    assert len(_columns(page)[0]["tiles"]) == 12


def _users(both: Console, page: AppTest, place: int = 0) -> set[str]:
    """Whose the pictures of a column are."""
    keys = [tile["id"] for tile in _columns(page)[place]["tiles"]]
    return {str(row.payload["user_id"]) for row in both.rows(keys)}


def test_only_pictures_answer_that_pass_the_filter_in_each_column_and_the_address_has_it(
    both: Console, open_page: OpenPage
) -> None:
    page = open_page("query_lab", q="a red square", columns=[CLIP, SIGLIP])
    page.session_state["filter"] = True
    page.run()
    assert page.selectbox(key="filter-field").options == ["user_id", "caption"]
    page.selectbox(key="filter-field").set_value("user_id").run()
    values = page.multiselect(key="filter-values-user_id")
    assert sorted(values.options) == ["user-0", "user-1", "user-2"]
    values.set_value(["user-1", "user-2"]).run()
    assert not page.exception
    assert page.query_params["only.user_id"] == ["user-1", "user-2"]
    assert page.query_params["columns"] == [CLIP, SIGLIP]
    assert _users(both, page) == _users(both, page, 1) == {"user-1", "user-2"}
    page.button(key="filter-off-'user_id'-'user-1'").click().run()
    assert page.query_params["only.user_id"] == "user-2"
    assert _users(both, page) == _users(both, page, 1) == {"user-2"}


@pytest.mark.usefixtures("both")
def test_a_filter_stays_whatever_is_asked_next_and_goes_with_one_click(both: Console, open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=[CLIP], **{"only.user_id": "user-1", "only.shoe size": "46"})
    assert not page.exception
    assert _columns(page)[0]["tiles"] == []
    assert "passes the filter" in _columns(page)[0]["empty"]
    page.button(key="filter-off-'shoe size'-'46'").click().run()
    page.text_input(key="lab-query").set_value("a circle").run()
    assert _users(both, page) == {"user-1"}
    page.query_params["open"] = "5"
    page.run()
    page.button(key="lab-similar").click().run()
    assert (page.query_params["like"], page.query_params["only.user_id"]) == ("5", "user-1")
    assert _users(both, page) == {"user-1"}
    page.multiselect(key="lab-columns").set_value([CLIP, SIGLIP]).run()
    assert _users(both, page, 1) == {"user-1"}


@pytest.mark.usefixtures("both")
def test_a_column_that_fails_keeps_its_error_beside_one_that_is_filtered(both: Console, open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square", columns=["vanished", CLIP], **{"only.user_id": "user-1"})
    assert ["vanished" in str(error.proto.title) for error in page.error] == [True]
    assert _users(both, page, 1) == {"user-1"}
    page.query_params["only.a-b"], page.query_params["only.a"] = "c", "b-c"
    page.run()
    assert not page.exception, "two chips whose field and value look alike together"
    page.button(key="filter-clear").click().run()
    assert not [name for name in page.query_params if name.startswith("only.")]
    page.query_params["only.user_id"] = "user-1"
    page.session_state["filter"] = True
    page.session_state["filter-field"] = "user_id"
    page.run()
    assert page.multiselect(key="filter-values-user_id").value == ["user-1"]


@pytest.fixture
def blind(both: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """demo-siglip is a model without a text tower."""
    cards = [replace(card, has_text=card.key != "demo-siglip") for card in both.models.cards.all()]
    monkeypatch.setattr(both.models, "cards", ModelCards(cards))


@pytest.mark.usefixtures("blind")
def test_where_no_model_embeds_texts_pictures_of_the_catalog_are_offered_to_search_by(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", columns=SIGLIP)
    assert not page.exception
    assert not page.error
    assert "Click a picture" in said(page)
    assert [tile["id"] for tile in _columns(page)[0]["tiles"]] == [str(number) for number in range(1, 25)]
    options = page.multiselect(key="lab-columns").options
    assert [option for option in options if "pictures only" in option] == [f"{SIGLIP} · demo-siglip · pictures only"]
    page.query_params["open"] = "5"
    page.run()
    page.button(key="lab-similar").click().run()
    assert page.query_params["like"] == "5"
    assert "Pictures like **square 5**" in said(page)
    assert len(_columns(page)[0]["tiles"]) == 12


@pytest.mark.usefixtures("blind")
def test_a_text_that_no_chosen_model_embeds_is_refused_in_words(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="a red square", columns=SIGLIP)
    assert "was not asked" in page.warning[0].value
    assert len(_columns(page)[0]["tiles"]) == 24


@pytest.mark.usefixtures("blind")
def test_beside_a_model_that_embeds_texts_the_first_answer_is_offered_to_all(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="a red square", columns=[SIGLIP, CLIP])
    (error,) = page.error
    assert "embeds pictures only" in str(error.proto.title)
    assert "Pick a picture" in error.value
    first = _columns(page)[1]["tiles"][0]["id"]
    page.button(key="lab-like-first").click().run()
    assert (page.query_params["like"], "q" in page.query_params) == (first, False)
    assert not page.error
    assert [len(column["tiles"]) for column in _columns(page)] == [12, 12]
