"""The evaluation that an address names."""

from collections.abc import Callable

import streamlit as st

from console_core.errors import NotFound
from console_core.judging.judgements import Evaluation
from console_core.ui.frame import page
from console_core.ui.session import console


def evaluation_of(name: str, back: Callable[[], None]) -> Evaluation:
    """The evaluation of this name. Where there is none, a page says so and leads back, and nothing else is drawn."""
    judgements = console().lab.judgements
    try:
        return judgements.get(name)
    except NotFound:
        with page("Evaluation", actions=back):
            raise
        st.stop()
