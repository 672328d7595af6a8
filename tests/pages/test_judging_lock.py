"""What the pages of judging say of names, of a lock, and of the end, without a store, models or pictures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.judging.exports import judgements_csv
from console_core.judging.protocol import Protocol
from console_core.ui import session
from tests.unit.judging.judged import DEPTH, MODELS, Judged, judged

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture
def made(console: Console, tmp_path: Path) -> Judged:
    return judged(console.database, tmp_path / "made", size=12)


def keys(page: AppTest) -> set[str]:
    assert not page.exception
    return {str(button.key) for button in page.button}


def test_a_name_that_has_judged_in_another_browser_is_asked_for_once_and_an_own_one_begins_anew(
    made: Judged, open_page: OpenPage, said: Said
) -> None:
    name = made.evaluation.id
    first, meanwhile = (open_page("judging", evaluation=name, judge="Anna") for _ in range(2))
    first.button(key="grade-3").click().run()
    assert "grade-3" in keys(first)
    meanwhile.button(key="grade-0").click().run()
    assert [one.grade for one in made.lab.judgements.of(name)] == [3]

    other = open_page("judging", evaluation=name, judge="Anna")
    for page in (meanwhile, other):
        assert "Are you Anna?" in [card.value for card in page.subheader]
        assert "Anna has graded 1 picture here" in said(page)
        assert {key for key in keys(page) if key.startswith(("grade", "undo"))} == set()
    other.text_input(key="judge-name").set_value("Ben").run()
    other.button(key="grade-1").click().run()
    meanwhile.button(key="take-up-name").click().run()
    meanwhile.button(key="grade-2").click().run()
    meanwhile.run()
    first.run()
    assert "grade-3" in keys(first) & keys(meanwhile)
    words = [(one.judge, one.grade, one.entered_by) for one in made.lab.judgements.of(name)]
    assert words == [("Anna", 3, "tester"), ("Ben", 1, "tester"), ("Anna", 2, "tester")]


def test_who_votes_under_a_name_of_another_browser_is_asked_too(
    console: Console, tmp_path: Path, open_page: OpenPage, said: Said
) -> None:
    made = judged(console.database, tmp_path / "made", size=12, way="votes")
    for _ in range(2):
        page = open_page("judging", evaluation=made.evaluation.id, judge="Anna")
        if "vote-1" in keys(page):
            page.button(key="vote-1").click().run()
    assert "Anna has given 1 vote here" in said(page)
    assert {key for key in keys(page) if key.startswith("vote")} == set()
    assert len(made.lab.judgements.votes(made.evaluation.id)) == 1


def test_who_signed_in_judges_under_that_name_in_every_browser_and_who_did_not_only_looks(
    made: Judged, console: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"X-Forwarded-User": "  \u00c4nna  B"}
    monkeypatch.setattr(console, "settings", replace(console.settings, actor_header="X-Forwarded-User"))
    monkeypatch.setattr(session, "_sent", lambda header: sent.get(header, ""))
    for grade in (3, 1):
        page = open_page("judging", evaluation=made.evaluation.id, judge="Ben")
        assert "Judging as \u00c4nna B" in said(page)
        assert list(page.text_input) == []
        page.button(key=f"grade-{grade}").click().run()
    words = made.lab.judgements.of(made.evaluation.id)
    assert [(one.judge, one.grade, one.entered_by) for one in words] == [("\u00c4nna B", 3, ""), ("\u00c4nna B", 1, "")]
    sent.clear()
    page = open_page("judging", evaluation=made.evaluation.id, judge="Ben")
    assert page.button(key="grade-3").disabled
    assert "yours is viewer" in page.button(key="grade-3").help


def test_who_is_not_done_is_not_led_to_the_end_and_a_judge_cannot_end_it(
    made: Judged, console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, pools = made.evaluation.id, made.lab.desk(made.evaluation).pools
    some = set(list(pools)[:2])
    made.grade(lambda query, key: 2 if query in some else None, "Anna")
    made.grade(lambda query, key: 2, "Ben")

    def opened(judge: str, *, early: bool = False) -> AppTest:
        page = open_page("judging", evaluation=name, view="verdict", judge=judge)
        if early:
            page.session_state["end-early"] = True
            page.run()
        return page

    assert "verdict-reveal" not in keys(opened("Anna"))
    assert "verdict-reveal" in keys(opened("Anna", early=True))
    assert "verdict-reveal" in keys(opened("Cid"))
    page = open_page("judging", evaluation=name, judge="Dora")
    page.button(key="grade-3").click().run()
    page.query_params["view"] = "verdict"
    page.query_params.pop("judge")
    page.run()
    assert "verdict-reveal" not in keys(page)
    page = opened("Ben")
    page.button(key="verdict-reveal").click().run()
    (asked,) = [text.value for text in page.markdown if "for good" in text.value]
    assert asked.startswith("Anna, Dora are not done. **There is no verdict, and after this there never will be one")
    assert made.lab.judgements.get(name).revealed_at is None
    monkeypatch.setattr(console, "settings", replace(console.settings, role="judge"))
    for judge in ("Anna", "Ben", "Cid"):
        page = opened(judge, early=True)
        assert "verdict-reveal" not in keys(page)
        assert not [box for box in page.expander if box.label.startswith("End")]


def test_where_pictures_are_left_that_nobody_graded_the_end_is_not_what_one_is_led_to(
    made: Judged, open_page: OpenPage, said: Callable[[AppTest], str]
) -> None:
    page = open_page("judging", evaluation=made.evaluation.id, view="verdict")
    assert "verdict-reveal" not in keys(page)
    page.session_state["end-early"] = True
    page.run()
    assert "verdict-reveal" in keys(page)
    assert "nobody has graded. What is not judged by then never is." in said(page).replace("**", "")


def test_grades_of_a_file_from_before_the_lock_want_a_tick_and_the_verdict_says_so_as_the_form_does(
    made: Judged, open_page: OpenPage
) -> None:
    made.grade(lambda query, key: len(key) % 4, "Anna")
    snapshot = made.evaluation.snapshot
    page = open_page("judging", snapshot=snapshot)
    page.session_state["begin-evaluation"] = True
    page.run()
    assert f"were judged before, in {made.evaluation.id}" in _plain(page.warning[-1])

    later = made.lab.judgements.begin(snapshot, (0, 1), Protocol(k=DEPTH, margin=0.2, seed=7), by="tester")
    told = judgements_csv(made.lab.judgements.of(made.evaluation.id), {}).encode()
    page = open_page("judging", evaluation=later, view="verdict")
    page.session_state["import-grades"] = True
    page.run()
    page.file_uploader[0].upload("judgements.csv", told).run()
    page.button(key="grades-import").click().run()
    assert "was locked" in str(page.error[0].proto)
    assert made.lab.judgements.of(later) == []
    page.checkbox(key="grades-early").check().run()
    page.button(key="grades-import").click().run()
    taken = made.lab.judgements.of(later)
    assert {(one.judge, one.origin, one.entered_by) for one in taken} == {("Anna", "judgements.csv", "tester")}
    page.button(key="verdict-look").click().run()
    shown, _ = page.warning
    assert f"The same answers were judged before, in {made.evaluation.id}" in _plain(shown)
    assert f"{len(taken)} of {len(taken)} imported grades were given before this protocol was locked" in _plain(shown)
    assert [name for name in (*MODELS, "images__") if name in _plain(shown)] == []


def _plain(shown: object) -> str:
    """The text of a warning, without the signs that keep Markdown from acting on it."""
    return str(getattr(shown, "value", "")).replace("\\", "")
