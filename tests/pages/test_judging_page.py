"""Judging in the browser: from questions to blind grades, with a worker that asks."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.judging import wording
from console_core.judging.outcome import outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.runs.types import RunState
from console_core.ui import navigation, words
from console_core.ui.judging.grading import _give as give_grade_on_page
from console_core.ui.judging.newest import judged_links
from tests.conftest import fill

OLGA = Actor("olga", "admin")
OpenPage = Callable[..., AppTest]


@pytest.fixture
def both(small: Console) -> Console:
    fill(small, "images__demo-siglip", "demo-siglip")
    return small


def answered(console: Console) -> str:
    """The snapshot of twelve questions to both collections."""
    asked = [query(f"square {number}", tags=("even",) if number % 2 == 0 else ()) for number in range(1, 13)]
    command(console, OLGA, "save_query_set", query_set="squares", queries=asked)
    run = command(console, OLGA, "ask_query_set", query_set="squares", columns=("images", "images__demo-siglip"))
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
    assert {metric.label for metric in page.metric} == {"Overlap@10", "Jaccard@10", "RBO@10, p 0.9", "Answered alike"}
    page.session_state["begin-evaluation"] = True
    page.run()
    page.number_input(key="begin-margin").set_value(0.1).run()
    page.number_input(key="begin-k").set_value(5).run()
    page.radio(key="begin-way").set_value("Pictures, yes or no").run()
    page.button(key="begin-start").click().run()
    (begun,) = both.lab.judgements.all()
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
    assert not page.exception
    assert not page.error


def test_a_viewer_reads_and_cannot_begin(both: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both, "settings", replace(both.settings, role="viewer"))
    page = open_page("judging")
    assert page.button(key="set-save").disabled
    assert "judge" in page.button(key="set-save").help


def test_chosen_questions_are_presented_one_at_a_time_with_or_without_names(both: Console, open_page: OpenPage) -> None:
    snapshot = answered(both)
    first, second = (query(f"square {number}") for number in (3, 5))
    page = open_page("judging", snapshot=snapshot, view="present", names="no")
    page.query_params["q"] = [first.id, second.id]
    page.run()
    assert [header.value for header in page.header] == ["square 3"]
    page.button(key="stage-next").click().run()
    assert [header.value for header in page.header] == ["square 5"]
    page.button(key="stage-next").click().run()
    assert [header.value for header in page.header] == ["square 3"]
    page.button(key="stage-names").click().run()
    assert "names" not in page.query_params
    page.button(key="stage-end").click().run()
    assert [title.value for title in page.title] == ["Answers"]


def judged(console: Console, way: str = "grades") -> str:
    """An evaluation of which everything is judged: what the second column found alone is wrong."""
    protocol = Protocol(k=3, seed=2, margin=0.02)
    snapshot = answered(console)
    made = command(console, OLGA, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=protocol, way=way)
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
    both: Console, open_page: OpenPage
) -> None:
    made = command(
        both, OLGA, "begin_evaluation", snapshot=answered(both), columns=(0, 1), protocol=Protocol(k=2, seed=9)
    )
    page = open_page("judging", evaluation=made.id, judge=" be\u0301n  a ")
    pressed = page.button(key="grade-3")
    pressed.click().run()
    (first,) = both.lab.judgements.of(made.id)
    assert first.judge == "b\u00e9n a"
    task = both.lab.desk(made).next_task(both.lab.graded.of(made.id, first.judge))
    assert task is not None
    give_grade_on_page(made, first.query, first.key, 0, first.judge)
    assert [one.grade for one in both.lab.judgements.of(made.id)] == [3]
    give_grade_on_page(made, task.query.id, task.key, 1, first.judge)
    assert sorted(one.grade for one in both.lab.judgements.of(made.id)) == [1, 3]


def test_a_page_that_tells_models_warns_whoever_judges_and_text_from_an_address_is_no_link(
    both: Console, open_page: OpenPage
) -> None:
    evaluation = judged(both)
    snapshot = both.lab.judgements.get(evaluation).snapshot
    assert "being judged blindly" in str(open_page("judging", snapshot=snapshot).warning[0].proto)
    page = open_page("judging", set="[click](http://x)")
    assert "\\[click" in page.title[0].value
