"""The journal as people read it."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.ui.activity.subjects import Subjects

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.mark.usefixtures("console")
def test_an_empty_journal_says_what_will_show_here(open_page: OpenPage, said: Said) -> None:
    page = open_page("activity")
    assert not page.exception
    assert "Nothing was done yet" in said(page)


def test_entries_say_who_did_what_and_why_it_was_refused(filled: Console, open_page: OpenPage, said: Said) -> None:
    filled.ledger.note("olga", "cut_over", "images", "a → b")
    filled.ledger.note("emil", "stamp", "images__old", "It was *not* made by it.", outcome="refused")
    page = open_page("activity")
    text = said(page)
    assert "**emil** · stamp" in text
    assert "**olga** · cut over" in text
    assert "It was \\*not\\* made by it." in text
    assert "Refused" in text
    assert "a → b" in text


def test_the_journal_is_filtered_by_person_and_subject_and_the_filter_is_in_the_address(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    filled.ledger.note("olga", "verify", "images", "first")
    filled.ledger.note("emil", "verify", "images", "second")
    filled.ledger.note("emil", "stamp", "other", "third")
    page = open_page("activity")
    page.selectbox(key="activity-actor").set_value("emil").run()
    assert "first" not in said(page)
    assert "second" in said(page)
    page.selectbox(key="activity-subject").set_value("other").run()
    assert "second" not in said(page)
    shared = open_page("activity", actor="emil", subject="other")
    assert "third" in said(shared)
    assert "second" not in said(shared)
    assert "first" in said(open_page("activity", actor="nobody"))


def test_older_entries_are_a_page_away_and_the_way_back_leads_to_the_newest(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    for number in range(30):
        filled.ledger.note("olga", "verify", "images", f"entry {number}.")
    page = open_page("activity")
    assert "entry 29." in said(page)
    assert "entry 4." not in said(page)
    page.button(key="activity-older").click().run()
    assert "entry 4." in said(page)
    assert "entry 5." not in said(page)
    assert "activity-older" not in {button.key for button in page.button}
    page.button(key="activity-newest").click().run()
    assert "entry 29." in said(page)


def test_a_subject_leads_to_its_run_its_migration_or_its_collection(filled: Console) -> None:
    note, subjects = filled.ledger.note, Subjects.known(filled)
    assert subjects.page(note("o", "pause", "r-abc123")) == ("runs", {"run": "r-abc123"})
    started = note("o", "start_migration", "images", "m-0a1b2c, run r-abc123: 6 pictures into x")
    assert subjects.page(started) == ("migrations", {"migration": "m-0a1b2c"})
    assert subjects.page(note("o", "cut_over", "images")) == ("collections", {"collection": "images__old"})
    assert subjects.page(note("o", "stamp", "gone")) is None


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("before", ["zebra", "-1", "99999999999999999999999"])
def test_a_place_that_makes_no_sense_shows_the_newest(open_page: OpenPage, before: str) -> None:
    assert not open_page("activity", before=before).exception
