"""From a migration to what judges said of it."""

import streamlit as st

from console_core.judging import wording
from console_core.ui import navigation, session


def judged_links(source: str, target: str) -> None:
    """Links to the newest evaluation of both collections, or to the page where one begins."""
    lab = session.console().lab
    asked = {
        one.id: one for one in lab.snapshots.all() if {source, target} <= {column.collection for column in one.columns}
    }
    found = next((one for one in lab.judgements.all() if one.snapshot in asked), None)
    if found is None:
        navigation.link("judging", "Judge blindly, for a verdict", icon=":material/balance:")
    elif found.revealed_at is None:
        navigation.link("judging", "Go on judging blindly", icon=":material/gavel:", evaluation=found.id)
    else:
        under = wording.measured(found.way, found.protocol)
        st.caption(f"Judged under {under}, revealed {session.when(found.revealed_at)}.")
        navigation.link(
            "judging", "The judges' verdict", icon=":material/balance:", evaluation=found.id, view="verdict"
        )
