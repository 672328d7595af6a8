"""Judging in the browser: from questions to blind grades, with a worker that asks."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update
from streamlit.testing.v1 import AppTest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.demo.queries import ACCEPTANCE
from console_core.errors import NotAllowed
from console_core.judging import wording
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.outcome import outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.judging.told import told_verdicts
from console_core.runs.tables import runs
from console_core.runs.types import RunState
from console_core.ui import navigation, session, words
from console_core.ui.judging.grading import _give as give_grade_on_page
from console_core.ui.judging.newest import judged_links
from console_core.ui.judging.presenting import order_of
from console_core.ui.judging.titles import column_titles
from console_core.vectorstore.ways import Search
from console_core.web.browsers import known_as
from tests.conftest import fill

OLGA = Actor("olga", "admin")
OpenPage = Callable[..., AppTest]
ASKED = [query.text for query in ACCEPTANCE[::5]][:12]


@pytest.fixture
def both(small: Console) -> Console:
    fill(small, "images__demo-siglip", "demo-siglip")
    return small


BOTH = ("images", "images__demo-siglip")
TWINNED = (*BOTH, *(f"{name}~exact" for name in BOTH))


def answered(console: Console, columns: tuple[str, ...] = BOTH) -> str:
    """The snapshot of twelve questions to both collections."""
    asked = [query(words, tags=("even",) if number % 2 == 0 else ()) for number, words in enumerate(ASKED, start=1)]
    command(console, OLGA, "save_query_set", query_set="squares", queries=asked)
    run = command(console, OLGA, "ask_query_set", query_set="squares", columns=columns)
    for _ in range(300):
        if (run := console.ledger.get(run.id)).state is RunState.SUCCEEDED:
            return str((run.result or {})["snapshot"])
        time.sleep(0.1)
    raise AssertionError(run.reason)


def test_who_sees_it_first_is_led_from_captions_to_answers_and_to_an_evaluation(
    both: Console, open_page: OpenPage
) -> None:
    page = open_page("judging")
    assert [card.value for card in page.subheader] == ["1 Query sets"]
    page.text_input(key="set-name").set_value("captions").run()
    page.number_input(key="set-captions").set_value(10).run()
    page.button(key="set-save").click().run()
    assert both.lab.query_sets.get("captions").size == 10
    assert [card.value for card in page.subheader] == ["1 Query sets", "2 Answers"]
    assert page.multiselect(key="ask-columns").value == ["images", "images__demo-siglip"]
    page.button(key="ask-start").click().run()
    for _ in range(300):
        if both.lab.snapshots.all():
            break
        time.sleep(0.1)
    page.run()
    assert [card.value for card in page.subheader][-1] == "3 Evaluations"
    assert not page.exception


def kept_check(console: Console, collection: str, **found: Any) -> None:
    """A check of a collection that came to its end and found this, in place of what it would find."""
    run = command(console, OLGA, "check_encoder", collection=collection)
    for _ in range(300):
        if (run := console.ledger.get(run.id)).state is RunState.SUCCEEDED:
            break
        time.sleep(0.05)
    result = {**(run.result or {}), **found}
    with console.database.transaction() as connection:
        connection.execute(update(runs).where(runs.c.id == run.id).values(result=result))


def test_each_encoder_says_how_it_stands_before_a_set_is_asked_and_a_faulty_one_wants_a_tick(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    command(both, OLGA, "save_query_set", query_set="one", queries=[query("square 1")])
    page = open_page("judging")
    assert not page.button(key="ask-start").disabled
    assert said(page).count("never checked") == 2
    page.button(key="ask-check-images__demo-siglip").click().run()
    assert [run.target for run in both.ledger.runs(kinds=("encoder_check",))] == ["images__demo-siglip"]

    red = {"code": "padding", "level": "red", "message": "Padded wrongly.", "remedy": "Pad it rightly."}
    kept_check(both, "images__demo-siglip", findings=[red], verdict="red")
    kept_check(both, "images", findings=[], verdict="green", points=3)
    page = open_page("judging")
    assert "Encoder faulty" in said(page)
    assert "Wrong padding of texts" in said(page)
    assert "The collection was written to since" in said(page)
    assert page.button(key="ask-start").disabled
    page.checkbox(key="ask-unchecked").check().run()
    page.button(key="ask-start").click().run()
    (run,) = both.ledger.runs(kinds=("ask",))
    snapshot = both.lab.snapshots.get(run.spec["snapshot"])
    assert [one.encoder.state for one in snapshot.columns if one.encoder] == ["stale", "red"]

    kept_check(both, "images__demo-siglip", findings=[], verdict="green")
    page = open_page("judging")
    page.session_state["ask-form"] = True
    page.run()
    assert not page.button(key="ask-start").disabled
    assert "ask-check-images__demo-siglip" not in {button.key for button in page.button}


def test_a_store_that_compares_all_offers_no_exact_twin_and_ways_make_columns_of_their_own(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command(both, OLGA, "save_query_set", query_set="one", queries=[query("square 1")])
    page = open_page("judging")
    assert page.checkbox(key="ask-exactly").disabled
    page.session_state["ask-ways-images"] = [Search.USUAL, Search.EXACT]
    page.session_state["ask-ways-images__demo-siglip"] = list(Search)
    page.run()
    assert "6 columns are too many" in said(page)
    assert page.button(key="ask-start").disabled
    page.session_state["ask-ways-images__demo-siglip"] = [Search.EXACT, Search.USUAL]
    page.run()
    page.button(key="ask-start").click().run()
    (run,) = both.ledger.runs(kinds=("ask",))
    snapshot = both.lab.snapshots.get(run.spec["snapshot"])
    assert [one.name for one in snapshot.columns] == list(TWINNED)
    about = replace(both.store.info(), indexed_up_to=None)
    monkeypatch.setattr(both.store, "info", lambda: about)
    page = open_page("judging")
    page.session_state["ask-form"] = True
    page.run()
    page.checkbox(key="ask-exactly").check().run()
    assert words.plain(", ".join(TWINNED)) in said(page)


def test_a_set_is_changed_by_typing_and_its_former_version_can_still_be_read(
    both: Console, open_page: OpenPage
) -> None:
    sets = both.lab.query_sets
    command(both, OLGA, "save_query_set", query_set="mine", queries=[query("a fox", tags=("wild",)), query(like="7")])
    page = open_page("judging", set="mine")
    page.session_state["new-set-mine"] = True
    page.run()
    area = page.text_area(key="set-typed-mine")
    assert area.value == "a fox  #wild"
    area.set_value("a fox  #wild #red\na cat").run()
    page.button(key="set-save").click().run()
    newest = sets.get("mine")
    assert newest.version == 2
    assert sets.queries(newest) == [query("a fox", tags=("red", "wild")), query("a cat"), query(like="7")]
    assert page.selectbox(key="set-version").options == ["2", "1"]
    page.selectbox(key="set-version").select(1).run()
    assert len(page.dataframe[0].value) == 2


def test_agreement_is_shown_as_change_and_a_locked_protocol_begins_blind_judging(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    page = open_page("judging", snapshot=answered(both))
    assert "not which are better" in said(page)
    assert words.plain("images: encoder never checked · images__demo-siglip: encoder never checked") in said(page)
    assert {metric.label for metric in page.metric} == {"Overlap@10", "Jaccard@10", "RBO@10, p 0.9", "Answered alike"}
    page.session_state["begin-evaluation"] = True
    page.run()
    page.number_input(key="begin-margin").set_value(0.1).run()
    page.number_input(key="begin-k").set_value(5).run()
    page.radio(key="begin-way").set_value("Pictures, yes or no").run()
    (announced,) = re.findall(r"Each judge gets (\d+) pictures, of (\d+) questions: about \d+ minute", said(page))
    page.button(key="begin-start").click().run()
    (begun,) = both.lab.judgements.all()
    desk = both.lab.desk(begun)
    assert announced == (str(desk.graded(()).of), str(len(desk.sample.queue)))
    assert (begun.protocol.margin, begun.protocol.k, begun.digest) == (0.1, 5, begun.protocol.digest)
    assert {button.label for button in page.button if str(button.key).startswith("grade-")} == {"Yes", "No"}
    assert page.query_params["evaluation"] == begun.id
    assert "demo-" not in said(page)


def test_a_judge_grades_takes_back_and_another_judge_begins_at_the_beginning(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    protocol = Protocol(k=3, seed=2)
    made = command(both, OLGA, "begin_evaluation", snapshot=answered(both), columns=(0, 1), protocol=protocol)
    page = open_page("judging", evaluation=made.id)
    for grade in (3, 0):
        page.button(key=f"grade-{grade}").click().run()
    assert sorted(one.grade for one in both.lab.judgements.of(made.id, "olga")) == [0, 3]
    page.button(key="undo").click().run()
    assert [one.grade for one in both.lab.judgements.of(made.id, "olga")] == [3]
    first = both.lab.desk(made).next_task(())
    assert first is not None
    page.text_input(key="judge-name").set_value("ben").run()
    page.button(key="grade-1").click().run()
    (theirs,) = both.lab.judgements.of(made.id, "ben")
    assert (theirs.query, theirs.key) == (first.query.id, first.key)
    assert [entry for entry in both.ledger.journal() if entry.action == "judge"] == []


def test_lists_are_voted_on_until_none_is_left(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    made = command(
        both, OLGA, "begin_evaluation", snapshot=answered(both), columns=(0, 1), protocol=Protocol(k=2), way="votes"
    )
    page = open_page("judging", evaluation=made.id)
    for number in range(20):
        if not page.button or "vote-1" not in {button.key for button in page.button}:
            break
        page.button(key=f"vote-{number % 3 + 1}").click().run()
    given = both.lab.judgements.votes(made.id)
    assert len(given) == both.lab.desk(made).voted(given).of > 3
    assert {vote.judge for vote in given} == {"olga"}
    assert "All is judged" in said(page)
    page = open_page("judging", evaluation=made.id, view="verdict")
    page.button(key="verdict-look").click().run()
    facts = " ".join(page.table[-1].value.astype(str).to_numpy().ravel())
    assert "votes between lists of 2, confidence 95.0%, all questions that are not answered alike" in facts
    assert "nDCG" not in facts
    listed = open_page("judging").dataframe[-1].value
    assert listed[["Measure", "Margin"]].to_numpy().tolist() == [["lists of 2", "–"]]
    assert not page.exception
    assert not page.error


def test_of_votes_neither_metric_nor_margin_is_asked(both: Console, open_page: OpenPage) -> None:
    page = open_page("judging", snapshot=answered(both))
    page.session_state["begin-evaluation"] = True
    page.run()
    asked = (page.selectbox(key="begin-metric"), page.number_input(key="begin-margin"))
    assert [one.disabled for one in asked] == [False, False]
    page.radio(key="begin-way").set_value("Vote between whole lists").run()
    asked = (page.selectbox(key="begin-metric"), page.number_input(key="begin-margin"))
    assert [one.disabled for one in asked] == [True, True]


def test_a_viewer_reads_and_cannot_begin(both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both, "settings", replace(both.settings, role="viewer"))
    page = open_page("judging")
    assert page.button(key="set-save").disabled
    assert "judge" in page.button(key="set-save").help


def test_chosen_questions_are_presented_one_at_a_time_with_or_without_names(both: Console, open_page: OpenPage) -> None:
    snapshot = answered(both)
    first, second = query(ASKED[2]), query(ASKED[4])
    page = open_page("judging", snapshot=snapshot, view="present", names="no")
    page.query_params["q"] = [first.id, second.id]
    page.run()
    assert [header.value for header in page.header] == [first.text]
    page.button(key="stage-next").click().run()
    assert [header.value for header in page.header] == [second.text]
    page.button(key="stage-next").click().run()
    assert [header.value for header in page.header] == [first.text]
    page.button(key="stage-names").click().run()
    assert page.query_params["names"] == "told"
    page.button(key="stage-next").click().run()
    assert page.query_params["names"] == "no"
    page.button(key="stage-end").click().run()
    assert [title.value for title in page.title] == ["Answers"]


def test_without_names_nothing_on_a_stage_tells_which_column_is_the_reference_and_none_can_be_followed(
    both: Console, open_page: OpenPage
) -> None:
    snapshot = answered(both)
    asked = [one.id for one in both.lab.asked(both.lab.snapshots.get(snapshot))]

    def stage(place: int, names: str) -> list[dict[str, Any]]:
        page = open_page("judging", snapshot=snapshot, view="present", names=names, at=str(place + 1), q=asked)
        given = page.get("bidi_component")[0].proto
        columns: list[dict[str, Any]] = json.loads(given.json)["columns"]
        assert not page.exception
        return columns

    first = [order_of(snapshot, one, 2)[0] for one in asked]
    assert {0, 1} == set(first)
    place = first.index(1)
    usual, hidden, told = stage(place, "yes"), stage(place, "no"), stage(place, "told")
    assert [column["title"] for column in usual] == ["demo-clip", "demo-siglip"]
    assert [column["title"] for column in hidden] == ["Answer 1", "Answer 2"]
    assert [column["title"] for column in told] == ["demo-siglip", "demo-clip"]
    shown = [[[tile["id"] for tile in column["tiles"]] for column in columns] for columns in (usual, hidden, told)]
    assert shown[0] == shown[1][::-1] == shown[2][::-1]
    assert {tile["shift"] for column in hidden for tile in column["tiles"]} == {None}
    assert all(tile["shift"] for tile in told[0]["tiles"])


def test_columns_of_the_same_model_are_told_apart_by_what_was_asked() -> None:
    asked = [
        AskedColumn(name, name, model, "", 2, 1) for name, model in (("a", "clip"), ("b", "siglip"), ("c", "clip"))
    ]
    assert column_titles(asked) == ["clip · a", "siglip", "clip · c"]


def judged(console: Console, columns: tuple[str, ...] = BOTH) -> str:
    """An evaluation of which everything is judged: what the second column found alone is wrong."""
    protocol = Protocol(k=3, seed=2, margin=0.02)
    snapshot, places = answered(console, columns), range(len(columns))
    made = command(console, OLGA, "begin_evaluation", snapshot=snapshot, columns=places, protocol=protocol)
    desk = console.lab.desk(made)
    for query_id, pool in desk.pools.items():
        for key in pool:
            grade = 3 if key in desk.columns[0][query_id][:3] else 0
            console.lab.judgements.judge(made, query_id, key, grade, by="olga")
    return str(made.id)


def test_a_look_at_the_verdict_is_counted_and_names_no_model(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    evaluation = judged(both)
    page = open_page("judging", evaluation=evaluation, view="verdict")
    assert "olga" in page.get("progress")[0].proto.text
    page.button(key="verdict-look").click().run()
    assert "B is worse than A" in [card.value for card in page.subheader]
    assert "demo-" not in said(page)
    assert len(both.lab.looks.of(evaluation)) == 1
    page.run()
    assert len(both.lab.looks.of(evaluation)) == 1


def test_a_viewer_adds_no_look_and_reads_the_verdict_once_the_models_are_told(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = judged(both)
    monkeypatch.setattr(both, "settings", replace(both.settings, role="viewer"))
    look = open_page("judging", evaluation=evaluation, view="verdict").button(key="verdict-look")
    assert (look.disabled, look.help) == (True, "This needs the role judge; yours is viewer.")
    with pytest.raises(NotAllowed, match="look at verdict needs judge"):
        command(both, Actor("vera", "viewer"), "look_at_verdict", evaluation=evaluation)
    assert both.lab.looks.of(evaluation) == ()
    command(both, OLGA, "reveal", evaluation=evaluation)
    page = open_page("judging", evaluation=evaluation)
    assert "images__demo-siglip (B) is worse than images (A)" in [card.value for card in page.subheader]


def test_after_the_reveal_every_number_is_that_of_the_outcome_and_the_report_can_be_taken_along(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    evaluation = judged(both)
    page = open_page("judging", evaluation=evaluation, view="verdict")
    page.button(key="verdict-reveal").click().run()
    page.button(key="confirm-do").click().run()
    outcome = outcome_of(both.lab, both.lab.judgements.get(evaluation))
    (one,) = outcome.comparisons
    assert one.verdict.decision is not None
    text = said(page)
    assert words.plain(one.text) in text
    assert "images__demo-siglip (B) is worse than images (A)" in [card.value for card in page.subheader]
    metrics = page.dataframe[0].value
    columns = (one.verdict.a, one.verdict.b)
    assert list(metrics["nDCG@3"]) == [wording.score(column.scores.ndcg) for column in columns if column.scores]
    assert list(metrics["Judged@3"]) == ["100.0%", "100.0%"]
    losses = next(table.value for table in page.dataframe if "B less A" in table.value)
    assert list(losses["B less A"]) == [row.differences[0] for row in outcome.queries]
    assert {"verdict-report", "verdict-zip"} <= {button.key for button in page.get("download_button")}
    again = open_page("judging", evaluation=evaluation)
    assert [title.value for title in again.title] == ["Verdict"]
    assert not any("another verdict" in one.value for one in again.warning)


def test_what_was_said_when_the_models_were_told_stands_there_where_another_version_computes_otherwise(
    both: Console, open_page: OpenPage
) -> None:
    evaluation = judged(both)
    command(both, OLGA, "reveal", evaluation=evaluation)
    kept = both.lab.told.of(evaluation)
    assert kept is not None
    assert both.lab.told.document(evaluation)["evaluation"] == evaluation
    outcome = outcome_of(both.lab, both.lab.judgements.get(evaluation))
    assert (outcome.told, outcome.otherwise) == (kept, "")
    was = replace(kept, sentences=("B was non-inferior.",), figures=[["B", "non-inferior", 0.0, -0.01, 0.01]])
    with both.database.transaction() as connection:
        connection.execute(delete(told_verdicts))
    both.lab.told.keep(evaluation, was, {})
    page = open_page("judging", evaluation=evaluation, view="verdict")
    assert words.plain("computed another verdict than this one does: B was non-inferior.") in page.warning[0].value


def test_whose_a_loss_is_and_how_models_were_fed_are_told_with_the_models_and_before_that_of_no_column(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    evaluation = judged(both, TWINNED)
    page = open_page("judging", evaluation=evaluation, view="verdict")
    page.button(key="verdict-look").click().run()
    assert [one.value[:40] for one in page.warning] == ["Not every encoder was known to be right "]
    assert "2 columns are twins of another one." in said(page)
    assert [word for word in ("images", "demo-", "\\~", "~exact", "Whose it is") if word in said(page)] == []
    command(both, OLGA, "reveal", evaluation=evaluation)
    page = open_page("judging", evaluation=evaluation)
    (one,) = outcome_of(both.lab, both.lab.judgements.get(evaluation)).comparisons
    assert one.attributed is not None
    assert one.attributed.causes == ("model",)
    assert f"**Whose it is.** {words.plain(one.attributed.text)}" in said(page)
    assert "encoder never checked" in page.warning[0].value
    models = next(table.value for table in page.dataframe if "Searched" in table.value)
    assert list(models["Searched"]) == ["usual", "usual", "exact, A's twin", "exact, B's twin"]
    assert set(models["Encoder when it was asked"]) == {"encoder never checked"}
    page = open_page("judging", snapshot=both.lab.judgements.get(evaluation).snapshot)
    page.session_state["begin-evaluation"] = True
    page.run()
    page.radio(key="begin-way").set_value("Vote between whole lists").run()
    page.number_input(key="begin-k").set_value(2).run()
    page.button(key="begin-start").click().run()
    assert [begun.columns for begun in both.lab.judgements.all() if begun.way == "votes"] == [(0, 1)]


def test_a_migration_leads_to_its_evaluation_and_to_its_verdict(both: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    labels: list[str] = []
    monkeypatch.setattr(navigation, "link", lambda _page, label, **_: labels.append(label))
    judged_links("images__demo-clip", "images__demo-siglip")
    evaluation = judged(both)
    judged_links("images__demo-clip", "images__demo-siglip")
    command(both, OLGA, "reveal", evaluation=evaluation)
    judged_links("images__demo-clip", "images__demo-siglip")
    assert labels == ["Judge blindly, for a verdict", "Go on judging blindly", "The judges' verdict"]


def test_a_key_that_is_pressed_twice_says_nothing_of_a_picture_twice_and_a_name_stays_in_the_address(
    both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = command(
        both, OLGA, "begin_evaluation", snapshot=answered(both), columns=(0, 1), protocol=Protocol(k=2, seed=9)
    )
    page = open_page("judging", evaluation=made.id, judge=" be\u0301n  a ")
    pressed = page.button(key="grade-3")
    pressed.click().run()
    (first,) = both.lab.judgements.of(made.id)
    assert first.judge == "b\u00e9n a"
    same = known_as(page.session_state["_browser"])
    monkeypatch.setattr(session, "browser", lambda: same)
    task = both.lab.desk(made).next_task(both.lab.graded.of(made.id, first.judge))
    assert task is not None
    give_grade_on_page(made, first.query, first.key, 0, first.judge)
    assert [one.grade for one in both.lab.judgements.of(made.id)] == [3]
    give_grade_on_page(made, task.query.id, task.key, 1, first.judge)
    assert sorted(one.grade for one in both.lab.judgements.of(made.id)) == [1, 3]


def test_which_column_answered_what_is_hidden_while_it_is_judged_and_whoever_opens_it_is_told_with_the_verdict(
    both: Console, open_page: OpenPage
) -> None:
    evaluation = judged(both)
    snapshot, asked = both.lab.judgements.get(evaluation).snapshot, query(ASKED[2]).id
    assert not open_page("judging", snapshot=snapshot).get("bidi_component")
    for shown in ({"question": asked}, {"view": "present", "q": asked}):
        page = open_page("judging", snapshot=snapshot, **shown)
        assert "hidden while it is judged blindly" in [card.value for card in page.subheader][-1]
        assert not page.get("bidi_component")
        page.button(key="curtain-open").click().run()
        assert page.get("bidi_component")
    outcome = outcome_of(both.lab, both.lab.judgements.get(evaluation))
    assert ([one.by for one in outcome.openings], outcome.looks, outcome.early_looks) == (["olga"] * 2, (), 0)
    command(both, OLGA, "reveal", evaluation=evaluation)
    told = "What each column answered was opened twice while it was judged blindly, by olga."
    assert told in outcome.warnings
    assert words.plain(told) in open_page("judging", evaluation=evaluation).warning[0].value
    assert open_page("judging", snapshot=snapshot, question=asked).get("bidi_component")
    page.run()
    assert page.get("bidi_component")
    locked = Protocol(k=2, seed=9)
    later = command(both, OLGA, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=locked)
    page.run()
    assert not page.get("bidi_component"), "it was opened while another evaluation was judged"
    page.button(key="curtain-open").click().run()
    assert page.get("bidi_component")
    assert len(both.lab.looks.openings(later.id)) == 1


def test_text_from_an_address_is_no_link(both: Console, open_page: OpenPage) -> None:
    page = open_page("judging", set="[click](http://x)")
    assert "\\[click" in page.title[0].value


def test_columns_that_answer_every_question_alike_need_no_judge_and_have_their_verdict_at_once(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    snapshot = answered(both, ("images", "images~exact"))
    protocol = Protocol(k=3, seed=2, margin=0.3)
    made = command(both, OLGA, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=protocol)
    assert "All columns answer every question alike" in said(open_page("judging", evaluation=made.id))
    page = open_page("judging", evaluation=made.id, view="verdict")
    page.button(key="verdict-look").click().run()
    assert "B is no worse than A" in [card.value for card in page.subheader]
    assert "verdict-reveal" in {button.key for button in page.button}


def test_an_evaluation_that_is_not_there_is_said_on_a_page_with_a_title_and_a_way_back(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    page = open_page("judging", evaluation="e-nope")
    assert [title.value for title in page.title] == ["Evaluation"]
    assert "and so does the page Judging" in said(page)
    assert not page.exception
    page.button(key="all-judging").click().run()
    assert [title.value for title in page.title] == ["Judging"]


def test_a_table_is_taken_for_one_and_what_of_it_is_not_asked_is_said(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    page = open_page("judging")
    page.segmented_control(key="set-way").set_value("A file").run()
    page.text_input(key="set-name").set_value("mine").run()
    page.file_uploader(key="set-file").upload("questions.csv", b"query,tags\na fox,wild\na cat,\na fox,red\n,\n").run()
    assert page.radio(key="set-kind-csv").value == "csv"
    assert "2 questions, such as: a fox. 1 question was there already. 1 line without a question." in said(
        page
    ).replace("\\", "")
    page.button(key="set-save").click().run()
    assert both.lab.query_sets.queries(both.lab.query_sets.get("mine")) == [
        query("a fox", tags=("red", "wild")),
        query("a cat"),
    ]
    page = open_page("judging", set="mine")
    assert [button.label for button in page.button].count("All of judging") == 1
    assert not page.get("page_link")


def test_questions_by_picture_are_named_by_what_it_shows_and_those_without_an_answer_are_named(
    both: Console, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    asked = [query(like="7"), query(like="9"), query("a red square"), query(like="nothing")]
    command(both, OLGA, "save_query_set", query_set="pictures", queries=asked)
    page = open_page("judging", set="pictures")
    labels = list(page.dataframe[0].value["Question"])
    assert labels == ["picture 7: square 7", "picture 9: square 9", "a red square", "picture nothing"]
    run = command(both, OLGA, "ask_query_set", query_set="pictures", columns=("images", "images__demo-siglip"))
    for _ in range(300):
        if (run := both.ledger.get(run.id)).state is RunState.SUCCEEDED:
            break
        time.sleep(0.1)
    page = open_page("judging", snapshot=str((run.result or {})["snapshot"]))
    assert "1 question without an answer in one of the columns: picture nothing." in said(page).replace("\\", "")
    assert {"picture 7: square 7", "a red square"} <= set(page.dataframe[-1].value["Question"])


def test_after_the_reveal_each_question_has_the_values_of_its_columns_beside_their_difference(
    both: Console, open_page: OpenPage
) -> None:
    evaluation = judged(both)
    command(both, OLGA, "reveal", evaluation=evaluation)
    page = open_page("judging", evaluation=evaluation, view="verdict")
    table = next(table.value for table in page.dataframe if "B less A" in table.value)
    assert list(table.columns[:4]) == ["Question", "A nDCG@3", "B nDCG@3", "B less A"]
    assert list(table["B nDCG@3"] - table["A nDCG@3"]) == pytest.approx(list(table["B less A"]))
