"""Which pictures failed, why, and what is done about them."""

import streamlit as st

from console_core.ui import panels
from console_core.ui.failures.board import failed_board
from console_core.ui.failures.choosing import chosen_collection
from console_core.ui.failures.retrying import retrying
from console_core.ui.frame import guarded, page
from console_core.ui.session import console

LEAD = "Pictures that were tried and failed, by class. One bad picture never costs its neighbours."

with page("Failures", lead=LEAD):
    collections = console().store.collections()
    if not collections:
        panels.empty_state("The store is empty", "Nothing can fail before there is a collection.")
        st.stop()
    with st.container(width=560):
        chosen = chosen_collection(collections, console().failed.collections())
    retrying(chosen)
    with guarded("Failures of this collection"):
        failed_board(chosen)
