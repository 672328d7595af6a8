"""Migrations: the list, the wizard that begins one, and the page of each."""

import streamlit as st

from console_core.ui import navigation, panels
from console_core.ui.frame import page
from console_core.ui.migration.listing import MOST, listing
from console_core.ui.migration.view import migration_view
from console_core.ui.session import console, parameter
from console_core.ui.wizard.form import wizard

LEAD = "From one model to another: build beside the old collection, verify, judge, cut over, and back if need be."


def _new() -> None:
    if st.button("New migration", icon=":material/add:", type="primary", key="new", shortcut="N"):
        _begin()


def _begin() -> None:
    st.query_params.from_dict({"view": "new"})
    st.rerun()


def _back() -> None:
    if st.button("All migrations", icon=":material/arrow_back:", key="all-migrations"):
        st.query_params.clear()
        st.rerun()


def _first() -> None:
    if st.button("Begin the first one", icon=":material/add:", key="first"):
        _begin()


if parameter("view") == "new":
    with page("New migration", lead="Nothing is written before you start it in the last step.", actions=_back):
        wizard()
elif chosen := parameter("migration"):
    with page("Migration", actions=_back):
        migration_view(console().migrations.get(chosen))
else:
    with page("Migrations", lead=LEAD, actions=_new):
        migrations = console().migrations.all(limit=MOST)
        if migrations:
            listing(migrations, console().store.aliases())
        else:
            text = "A migration builds a new collection beside the old one and moves the alias when you say so."
            panels.empty_state("No migrations yet", text, icon=":material/sync_alt:", action=_first)
        navigation.link("runs", "All runs", icon=":material/arrow_forward:")
