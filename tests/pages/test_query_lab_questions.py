"""Questions of several parts in the Query lab, ways and thresholds, percentiles, encoder badges, and the drawer."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.embedding.registry import ModelCards
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.query_sets import query
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot
from console_core.querylab import samples
from console_core.querylab.asked_pictures import AskedPictures
from console_core.querylab.column_text import read
from console_core.querylab.comparison import Column
from console_core.querylab.encoder_check import KIND
from console_core.querylab.search import ask
from console_core.runs.types import Progress, RunState
from console_core.ui import words
from console_core.vectorstore.types import Point
from tests.conftest import fill, finish
from tests.pages.conftest import console_of_module

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"
OLGA = Actor("olga", "admin")


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """48 pictures behind the alias `images` by demo-clip, and once more by demo-siglip; runs wait for the tests."""
    with console_of_module(tmp_path_factory.mktemp("parts"), works=False) as console:
        fill(console, CLIP, "demo-clip", alias="images")
        fill(console, SIGLIP, "demo-siglip")
        yield console


def _columns(page: AppTest, place: int = 0) -> list[dict[str, Any]]:
    """What a gallery was given."""
    given: list[dict[str, Any]] = json.loads(page.get("bidi_component")[place].proto.json)["columns"]
    return given


def _keys(page: AppTest, place: int = 0) -> list[str]:
    return [tile["id"] for tile in _columns(page)[place]["tiles"]]


def test_words_join_a_picture_with_a_weight_and_a_fresh_browser_finds_the_same(
    open_page: OpenPage, said: Said, both: Console
) -> None:
    page = open_page("query_lab", like="5", columns=[CLIP, SIGLIP])
    alone = _keys(page)
    assert not page.slider
    page.text_input(key="lab-query").set_value("square 9").run()
    assert "Pictures like **square 5** and the words **square 9**" in said(page)
    assert (page.query_params["like"], page.query_params["q"]) == ("5", "square 9")
    even = _keys(page)
    page.slider(key="lab-weight").set_value(10).run()
    assert page.query_params["weight"] == "10"
    mostly_picture = _keys(page)
    assert len(set(mostly_picture) & set(alone)) > len(set(even) & set(alone))
    fresh = open_page("query_lab", **{name: page.query_params[name] for name in ("like", "q", "weight", "columns")})
    assert _columns(fresh) == _columns_but_for_times(page, fresh)
    page.slider(key="lab-weight").set_value(0).run()
    assert _keys(page) == alone
    page.button(key="lab-clear").click().run()
    assert ("like" in page.query_params, page.query_params["q"]) == (False, "square 9")
    assert "weight" not in page.query_params


def _columns_but_for_times(page: AppTest, other: AppTest) -> list[dict[str, Any]]:
    """The columns of a page, with the captions of another: those say how long things took."""
    captions = [column["caption"] for column in _columns(other)]
    return [column | {"caption": caption} for column, caption in zip(_columns(page), captions, strict=True)]


@pytest.mark.usefixtures("both")
def test_what_a_question_turns_away_from_stands_in_the_address_and_moves_the_answers(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square 5", columns=CLIP)
    before = _keys(page)
    page.multiselect(key="lab-without").set_value(["a red car at night", "snow"]).run()
    assert not page.exception
    assert page.query_params["not"] == ["a red car at night", "snow"]
    assert _keys(page) != before
    fresh = open_page("query_lab", q="square 5", columns=CLIP, **{"not": ["a red car at night", "snow"]})
    assert _keys(fresh) == _keys(page)
    page.multiselect(key="lab-without").set_value([]).run()
    assert "not" not in page.query_params
    assert _keys(page) == before
    like = _keys(open_page("query_lab", like="5", columns=CLIP))
    assert _keys(open_page("query_lab", like="5", columns=CLIP, **{"not": "snow"})) != like


def test_a_picture_that_is_given_is_asked_with_and_the_address_finds_it_in_a_fresh_browser(
    both: Console, open_page: OpenPage, said: Said
) -> None:
    data = (both.settings.image_roots[0] / "0007.jpg").read_bytes()
    page = open_page("query_lab", columns=[CLIP, SIGLIP])
    page.session_state["lab-give"] = True
    page.run()
    page.file_uploader[0].upload("mine.jpg", data).run()
    assert not page.exception
    digest = page.query_params["picture"]
    assert "q" not in page.query_params
    assert len(digest) == 20
    assert "Pictures like **the one you gave**" in said(page)
    assert "30 days" in said(page)
    assert [_keys(page)[0], _keys(page, 1)[0]] == ["7", "7"], "the picture itself is in the collection"
    fresh = open_page("query_lab", picture=digest, columns=[CLIP, SIGLIP])
    assert _columns(fresh) == _columns_but_for_times(page, fresh)
    fresh.text_input(key="lab-query").set_value("square 9").run()
    assert fresh.slider(key="lab-weight").value == 50
    assert (fresh.query_params["picture"], fresh.query_params["q"]) == (digest, "square 9")


def test_a_picture_is_pasted_with_or_without_words_and_what_is_none_is_refused_in_words(
    both: Console, open_page: OpenPage
) -> None:
    data = (both.settings.image_roots[0] / "0009.jpg").read_bytes()
    page = open_page("query_lab", columns=[CLIP])
    page.session_state["lab-give"] = True
    page.run()
    page.chat_input[0].upload("image.png", data).set_value("square 9").run()
    assert not page.exception
    assert (page.query_params["q"], _keys(page)[0]) == ("square 9", "9")
    asked = page.query_params["picture"]
    page.session_state["lab-give"] = True
    page.run()
    page.file_uploader[0].upload("broken.jpg", b"no picture").run()
    assert "not a picture" in str(page.error[0].proto.title)
    assert "opens elsewhere" in page.error[0].value
    assert page.query_params["picture"] == asked


@pytest.mark.usefixtures("both")
def test_what_an_address_asks_for_and_nobody_can_restore_is_said(open_page: OpenPage, said: Said) -> None:
    page = open_page(
        "query_lab",
        picture="0" * 20,
        q="square",
        columns=["images", CLIP, SIGLIP, f"{CLIP}~exact", "fifth~exact"],
        limit="13",
        weight="37",
    )
    assert not page.exception
    told = page.warning[0].value
    for part in ("not kept any more", "fifth", "13 answers", "share of 37"):
        assert part in told, part
    assert len(_columns(page)) == 4
    nothing = open_page("query_lab", picture="0" * 20, columns=[CLIP])
    assert "not kept any more" in nothing.warning[0].value
    assert "Ask for a picture" in said(nothing)
    whole = open_page("query_lab", q="square", columns=[CLIP], limit="24")
    assert not any("address" in str(one.proto.title) for one in whole.warning)


@pytest.mark.usefixtures("both")
def test_a_collection_stands_twice_in_two_ways_and_a_threshold_cuts_one_of_them(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square 5", columns=[CLIP])
    page.session_state["lab-ways"] = True
    page.run()
    page.button(key="lab-again-0").click().run()
    assert page.query_params["columns"] == [CLIP, f"{CLIP}~exact"]
    assert [column["title"] for column in _columns(page)] == ["Demo CLIP", "Demo CLIP · exact"]
    assert _keys(page) == _keys(page, 1)
    page.query_params["open"] = _keys(page)[2]
    page.run()
    scores = [one.value for one in page.caption if "of this column only" in one.value]
    assert len(scores) == 2
    threshold = float(scores[0].split("score ")[1].split(" ")[0]) - 0.0001
    page.query_params["open"] = None
    page.session_state["lab-ways"] = True
    page.run()
    page.number_input(key="lab-threshold-1").set_value(threshold).run()
    assert page.query_params["columns"] == [CLIP, f"{CLIP}~exact~{threshold!r}"]
    assert [len(column["tiles"]) for column in _columns(page)] == [12, 3]
    assert "9 below" in _columns(page)[1]["caption"]
    page.selectbox(key="lab-way-1").set_value("unquantized").run()
    assert page.query_params["columns"] == [CLIP, f"{CLIP}~unquantized~{threshold!r}"]
    page.number_input(key="lab-threshold-1").set_value(None).run()
    page.selectbox(key="lab-way-1").set_value("usual").run()
    assert "very same" in str(page.error[0].proto.title)
    assert page.query_params["columns"] == [CLIP, f"{CLIP}~unquantized"]


def test_a_least_score_is_taken_over_to_the_other_columns_and_leads_to_the_translator(
    both: Console, open_page: OpenPage, said: Said
) -> None:
    plain = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP])
    assert "lab-least-use" not in {button.key for button in plain.button}
    (info,), kept = [one for one in both.store.collections() if one.name == CLIP], both.samples
    asked = ask(both.store, both.models, [CLIP], "square 5", limit=20, samples=kept.of).columns[0]
    sample = kept.of(info)
    assert sample is not None
    assert asked.vector is not None
    cut = round((asked.answers[14].score + asked.answers[15].score) / 2, 5)
    page = open_page("query_lab", q="square 5", columns=[f"{CLIP}~usual~{cut}", SIGLIP, f"{CLIP}~exact"], limit="24")
    page.session_state["lab-least"] = True
    page.run()
    assert not page.exception
    assert "For this question 15 pictures of the 48 sampled" in said(page)
    assert "One for all questions of a query set" not in said(page)
    page.button(key="lab-least-use").click().run()
    columns = [read(text) for text in page.query_params["columns"]]
    assert [(one.asked, one.way.value) for one in columns] == [(CLIP, "usual"), (SIGLIP, "usual"), (CLIP, "exact")]
    assert columns[0].threshold == cut
    assert columns[2].threshold == cut, "it is the same collection"
    assert [len(column["tiles"]) for column in _columns(page)] == [15, 15, 15]
    page.session_state["lab-least"] = True
    snapshot = _snapshot(both, "two squares", 2)
    page.run()
    (link,) = [link for link in page.get("page_link") if "Translate it" in link.proto.label]
    assert f"snapshot={snapshot.id}" in link.proto.query_string
    assert f"threshold={cut:g}" in link.proto.query_string
    answers = open_page("judging", snapshot=snapshot.id, threshold=str(cut))
    assert answers.number_input(key="threshold-old").value == pytest.approx(cut, abs=1e-4)


def _snapshot(console: Console, name: str, questions: int) -> Snapshot:
    """So many questions, answered by both collections; the first answers' scores are 0, 0.01, 0.02 and so on."""
    lab, asked = console.lab, [query(f"square {number}") for number in range(1, questions + 1)]
    described = [AskedColumn.of(Column(each), console.store.describe(each)) for each in (CLIP, SIGLIP)]
    kept = lab.query_sets.save(name, asked, origin="", by="olga")
    begun = lab.snapshots.begin(kept, described, depth=3, by="olga")
    given = [
        ColumnAnswer(one.id, place, tuple(Ranked(str(key), key, 0.01 * number - 0.1 * key) for key in range(3)))
        for number, one in enumerate(asked)
        for place in (0, 1)
    ]
    lab.snapshots.add(begun.id, given, [])
    return lab.snapshots.seal(begun.id)


@pytest.mark.usefixtures("both")
def test_each_tile_has_its_percentile_and_the_column_says_among_how_many_pictures(open_page: OpenPage) -> None:
    page = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP])
    for column in _columns(page):
        told = [float(tile["percentile"]) for tile in column["tiles"]]
        assert told == sorted(told, reverse=True)
        assert told[0] == 98.9, "the first of 48, itself at half: 98.96, cut off"
    assert "Percentiles among all 48 pictures" in " ".join(one.value for one in page.caption)


def test_how_sure_a_model_is_of_a_question_stands_over_its_column_once_a_query_set_was_asked(
    both: Console, open_page: OpenPage
) -> None:
    def told(**asked: Any) -> list[str]:
        page = open_page("query_lab", **({"q": "a red square", "columns": [CLIP, SIGLIP]} | asked))
        assert not page.exception
        return [one.value for one in page.caption if "Surer" in one.value]

    assert told() == []
    snapshot = _snapshot(both, "many squares", 101)
    asked = ask(both.store, both.models, [CLIP, SIGLIP], "a red square")
    shares = [sum(0.01 * number < one.answers[0].score for number in range(101)) / 101 for one in asked.columns]
    assert told() == [f"Surer of it than of {words.percent(share)} of 101 questions" for share in shares]
    assert told(q="square 7")[0].endswith("of 100 questions"), "it is one of them itself"
    for other in ({"not": ["blue"]}, {"like": "5"}, {"like": "5", "q": ""}):
        assert told(**other) == [], "nothing of the kind was asked"
    page = open_page("judging", snapshot=snapshot.id)
    table = next(one.value for one in page.dataframe if "Sure, other" in one.value)
    assert sorted(table["Sure, ref."]) == pytest.approx([number / 100 for number in range(101)])


def test_where_a_sample_must_be_drawn_first_a_button_begins_the_run(
    both: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 10)
    monkeypatch.setattr(both, "samples", samples.Samples(both.store, both.settings.workspace / "none yet"))
    page = open_page("query_lab", q="square 5", columns=[CLIP])
    assert "No percentiles yet" in said(page)
    assert [tile["percentile"] for tile in _columns(page)[0]["tiles"]] == [""] * 12
    page.button(key="lab-sample-0").click().run()
    (run,) = both.ledger.runs(kinds=("sample",))
    assert run.target == CLIP
    assert "lab-sample-0" not in {button.key for button in page.button}, "it is under way"
    assert finish(both, run).state is RunState.SUCCEEDED
    page.run()
    assert "Percentiles among all 48 pictures" in said(page)
    assert _columns(page)[0]["tiles"][0]["percentile"] == "98.9"


def test_a_badge_says_whether_an_encoder_was_checked_begins_a_check_and_shows_what_it_found(
    both: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP])
    assert ["Demo CLIP and Demo SigLIP: the encoder is not checked" in one.value for one in page.warning] == [True]
    alone = open_page("query_lab", q="square 5", columns=[CLIP])
    assert not alone.warning, "nothing is compared"
    page.query_params["show"] = "encoder-1"
    page.run()
    page.button(key="lab-check-0").click().run()
    (run,) = both.ledger.runs(kinds=(KIND,))
    assert run.target == CLIP
    finished = finish(both, run)
    assert finished.state is RunState.SUCCEEDED, finished.reason
    page.run()
    page.query_params["show"] = "encoder-1"
    page.run()
    text = said(page)
    report = both.ledger.get(run.id).result
    assert report is not None
    assert "agree with what is stored" in text
    for finding in report["findings"]:
        assert finding["message"].split(".")[0][:30].replace("-", "\\-") in text
    assert not any("Demo CLIP" in one.value for one in page.warning if report["verdict"] == "green")


def test_a_red_check_warns_over_the_answers_whatever_was_written_since_and_a_stale_green_one_counts_as_none(
    both: Console, open_page: OpenPage, said: Said
) -> None:
    for collection in (CLIP, SIGLIP):
        result = finish(both, command(both, OLGA, "check_encoder", collection=collection)).result
        assert result is not None, collection
        _found(both, {**result, "verdict": "green", "findings": []})
    assert result is not None
    green = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP])
    assert not green.warning
    assert not green.error
    assert "Encoder checked" in [box.proto.popover.label.split("] ")[-1] for box in green.get("popover")]
    red = {"code": "padding", "level": "red", "message": "Padded wrongly.", "remedy": "Pad it rightly."}
    faulty = {**result, "verdict": "red", "findings": [red]}
    _found(both, faulty)
    page = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP])
    assert "An encoder was found faulty" in str(page.error[0].proto.title)
    assert "Demo SigLIP" in page.error[0].value
    page.query_params["show"] = "encoder-2"
    page.run()
    assert "Wrong padding of texts" in said(page)
    assert "Pad it rightly" in said(page)
    _found(both, {**faulty, "points": 3})
    page.run()
    assert "An encoder was found faulty" in str(page.error[0].proto.title)
    page.session_state["lab-encoder-1"] = True
    page.run()
    assert "written to since" in said(page)
    _found(both, {**faulty, "verdict": "green", "findings": [], "points": 3})
    page.run()
    assert not page.error
    assert [one.value.split(":")[0] for one in page.warning] == ["Demo SigLIP"]
    page.query_params["show"] = "encoder-2"
    page.run()
    assert "written to since" in said(page)


def _found(console: Console, result: dict[str, Any]) -> None:
    """A check of the report's collection that found this."""
    run = command(console, OLGA, "check_encoder", collection=result["collection"])
    claimed = console.ledger.claim(run.lane, "this test", only=run.id)
    assert claimed is not None
    console.ledger.record(run.id, Progress("", replace(run.counts, done=run.counts.selected), result=result))
    console.ledger.finish(run.id, RunState.SUCCEEDED, reason="All done.", attempt=claimed.attempt)


def test_the_drawer_shows_rank_percentile_and_neighbours_in_each_column_and_a_column_that_fails_says_so(
    both: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", q="square 5", columns=[CLIP, SIGLIP, "vanished"])
    shown = _keys(page)[0]
    page.query_params["open"] = shown
    page.run()
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Column"]) == ["Demo CLIP", "Demo SigLIP"]
    assert (table["Rank"][0], table["Percentile"][0]) == (1, "98.9")
    assert table["Percentile"][1] != "–", "also where it is not among the answers"
    assert "Score" not in table
    galleries = [json.loads(one.proto.json)["columns"] for one in page.get("bidi_component")]
    near = [columns[0]["tiles"] for columns in galleries if columns[0]["title"] == ""]
    assert [len(tiles) for tiles in near] == [6, 6]
    assert not any(tile["id"] == shown for tiles in near for tile in tiles)
    assert "vanished" in said(page).split("Nearest to it")[1]


def test_of_a_picture_that_the_catalog_lost_the_drawer_shows_what_its_point_says_but_no_key_to_an_address(
    both: Console, open_page: OpenPage
) -> None:
    vector = both.store.retrieve(CLIP, [5], vectors=True)[0].vector
    assert vector is not None
    both.store.upsert(CLIP, [Point(9999, vector, {"path": "https://example.com/a.jpg?sig=s3cret", "shop": "north"})])
    try:
        page = open_page("query_lab", like="5", columns=[CLIP])
        page.query_params["open"] = "9999"
        page.run()
    finally:
        both.store.delete(CLIP, [9999])
    assert _keys(page)[0] == "9999"
    told = "\n".join(str(table.value) for table in page.table)
    assert "north" in told
    assert "s3cret" not in told


def test_a_picture_can_be_given_to_models_that_embed_no_texts(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        both.models,
        "cards",
        ModelCards([replace(card, has_text=card.key != "demo-siglip") for card in both.models.cards.all()]),
    )
    data = (both.settings.image_roots[0] / "0003.jpg").read_bytes()
    digest = AskedPictures(both.settings.cache / "asked").keep(data, "three")
    page = open_page("query_lab", picture=digest, columns=[SIGLIP])
    assert not page.warning
    assert _keys(page)[0] == "3"
