"""The same query to several collections, each through the model that made it, side by side."""

import streamlit as st

from console_core.ui import navigation, panels, words
from console_core.ui.frame import guarded, page
from console_core.ui.query_lab import unrestored
from console_core.ui.query_lab.answers import answer
from console_core.ui.query_lab.by_picture import only_by_picture, pick_a_picture
from console_core.ui.query_lab.choosing import comparable
from console_core.ui.query_lab.map import LEAD, VIEW, from_map, map_view, to_map
from console_core.ui.query_lab.question import asked
from console_core.ui.query_lab.results import show
from console_core.ui.session import console, parameter


def _new_migration() -> None:
    navigation.link("migrations", "Start a migration", icon=":material/add:", view="new")


if parameter("view") == VIEW:
    with page("Maps", lead=LEAD, actions=from_map):
        map_view()
    st.stop()
with page("Query lab", lead="Ask several models the same question, and see who finds what.", actions=to_map):
    collections = console().store.collections()
    able = comparable(collections)
    if not able:
        panels.empty_state(
            "Nothing can be asked yet",
            "A collection can be asked once it says which model made it: stamp one, or build one by a migration.",
            icon=":material/manage_search:",
            action=_new_migration,
        )
        st.stop()
    question = asked(collections)
    unrestored.say_what_is_left_out(question)
    if len(able) < 2:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"Only **{words.plain(able[0].name)}** can be asked. A migration builds a second collection "
                "with another model beside it; then both can be compared here.",
                width="stretch",
            )
            _new_migration()
    with guarded("The answers"):
        if not question.columns:
            panels.empty_state("No column is chosen", "Choose at least one collection or alias above.")
            st.stop()
        if only_by_picture(question, collections):
            pick_a_picture(question, collections)
            st.stop()
        elif not (question.text or question.has_picture):
            panels.empty_state("Ask for a picture", "Type a few words above.", icon=":material/manage_search:")
            st.stop()
        elif question.is_example:
            st.caption("An example to begin with. Type your own words above, or choose another one.")
        show(answer(question, collections), filtered=bool(question.only), asked=question.as_query)
