"""The journal as people read it: filters, a page of entries by day, and the way to the older ones."""

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from console_core.runs.types import JournalEntry
from console_core.ui import panels, session, words
from console_core.ui.activity.subjects import Subjects
from console_core.ui.address import from_address, to_address
from console_core.ui.words import Word

PAGE = 25
EVERYTHING, EVERYBODY = "", ""
_ACTOR, _SUBJECT = "activity-actor", "activity-subject"

_OUTCOMES = {
    "done": Word("Done", "green", ":material/check:"),
    "refused": Word("Refused", "red", ":material/block:", "Nothing was changed."),
}


def journal() -> None:
    """Who did what when: one page, filtered as the address says."""
    ledger = session.console().ledger
    actor, subject = _filters(ledger.journal_actors(), ledger.journal_subjects())
    before = session.parameter("before")
    entries = ledger.journal(
        limit=PAGE + 1,
        subject=subject or None,
        actor=actor or None,
        before=int(before) if before.isdecimal() and len(before) < 16 else None,
    )
    if not entries:
        filtered = actor or subject or before
        text = "Choose other filters." if filtered else "Every migration, cut-over and answer of a person shows here."
        panels.empty_state("Nothing here" if filtered else "Nothing was done yet", text, icon=":material/history:")
    else:
        _days(entries[:PAGE])
    _turn(entries, bool(before))


def _filters(actors: Sequence[str], subjects: Sequence[str]) -> tuple[str, str]:
    from_address(_ACTOR, "actor", EVERYBODY, allowed=(EVERYBODY, *actors))
    from_address(_SUBJECT, "subject", EVERYTHING, allowed=(EVERYTHING, *subjects))
    with st.container(horizontal=True, key="activity-filters"):
        actor = st.selectbox(
            "Who",
            (EVERYBODY, *actors),
            key=_ACTOR,
            width=240,
            format_func=lambda name: name or "everybody",
            on_change=_newest,
        )
        subject = st.selectbox(
            "About",
            (EVERYTHING, *subjects),
            key=_SUBJECT,
            width=360,
            format_func=lambda name: name or "everything",
            on_change=_newest,
        )
    to_address(_ACTOR, "actor")
    to_address(_SUBJECT, "subject")
    return actor or "", subject or ""


def _newest() -> None:
    session.set_parameters(before=None)


def _days(entries: Sequence[JournalEntry]) -> None:
    zone, subjects = session.zone(), Subjects.known(session.console())
    for day, of_day in groupby(entries, key=lambda entry: entry.at.astimezone(zone).strftime("%A, %-d %B %Y")):
        with panels.card(day, key=f"day-{day.replace(' ', '-').replace(',', '')}"):
            for entry in of_day:
                _entry(entry, subjects, entry.at.astimezone(zone).strftime("%H:%M:%S"))


def _entry(entry: JournalEntry, subjects: Subjects, time: str) -> None:
    when, what, outcome = st.columns((1, 8, 1.2), vertical_alignment="top")
    when.caption(time)
    with what, st.container(gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            act = words.plain(entry.action.replace("_", " "))
            st.markdown(f"**{words.plain(entry.actor)}** · {act}", width="content")
            subjects.link(entry)
        if entry.detail:
            st.caption(words.plain(entry.detail))
    with outcome:
        panels.state_badge(_OUTCOMES.get(entry.outcome) or Word(entry.outcome.capitalize(), "gray", ":material/info:"))


def _turn(entries: Sequence[JournalEntry], is_older: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if is_older and st.button("Newest", icon=":material/first_page:", key="activity-newest"):
            _newest()
            st.rerun()
        if len(entries) > PAGE and st.button("Older", icon=":material/chevron_right:", key="activity-older"):
            session.set_parameters(before=str(entries[PAGE - 1].id))
            st.rerun()
