"""Runs: the live board, and one run in detail."""

import streamlit as st

from console_core.ui.frame import page
from console_core.ui.run_board import run_board
from console_core.ui.run_detail import run_detail
from console_core.ui.session import console, parameter


def _back() -> None:
    if st.button("All runs", icon=":material/arrow_back:", key="all-runs"):
        st.query_params.clear()
        st.rerun()


if chosen := parameter("run"):
    with page("Run", actions=_back):
        run_detail(console().ledger.get(chosen))
else:
    with page("Runs", lead="What is being done, by whomever it was started. Runs go on when this page is closed."):
        run_board()
