"""The journal's lines about one migration."""

import pandas as pd
import streamlit as st

from console_core.migration.records import Migration
from console_core.runs.types import JournalEntry
from console_core.ui import session

MOST = 100


def lines(migration: Migration) -> list[JournalEntry]:
    """Everything done about it, the newest first: its start, its runs, its target, and moves of its alias to or fro."""
    ledger, plan = session.console().ledger, migration.plan
    runs = ledger.runs(migration=migration.id, limit=200)
    own = {plan.target, *(run.id for run in runs)}
    found: dict[int, JournalEntry] = {}
    for subject in {plan.served_as, *own, *(run.target for run in runs)}:
        for entry in ledger.journal(limit=MOST, subject=subject):
            named = {word.strip(",.:") for word in entry.detail.split()}
            ours = subject in own or named & {migration.id, *own}
            others = entry.action == "start_migration" and migration.id not in named
            if ours and not others and entry.at >= migration.created_at:
                found[entry.id] = entry
    return sorted(found.values(), key=lambda entry: entry.id, reverse=True)[:MOST]


def journal_table(entries: list[JournalEntry]) -> None:
    """Lines of the journal as a table; an outcome is told where it is not "done"."""
    rows = [
        {
            "When": entry.at.astimezone(session.zone()),
            "Who": entry.actor,
            "What": entry.action.replace("_", " ") + ("" if entry.outcome == "done" else f": {entry.outcome}"),
            "Detail": entry.detail,
        }
        for entry in entries
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="Journal",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss", width=125),
            "Who": st.column_config.TextColumn(width=70),
            "What": st.column_config.TextColumn(width=110),
            "Detail": st.column_config.TextColumn(width=430),
        },
    )
