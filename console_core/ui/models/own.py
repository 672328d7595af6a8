"""How to add a model of one's own, and what is wrong with those that could not be added."""

from collections.abc import Sequence

import streamlit as st

from console_core.errors import ConsoleError
from console_core.ui import navigation, words


def own_models(notices: Sequence[ConsoleError]) -> None:
    """The answers to those that were wrong, and the way to the form."""
    for notice in notices:
        title = words.plain(notice.message)
        st.error(words.plain(notice.remedy), title=title, icon=":material/error:")
    st.caption(
        "Any architecture of open_clip with one of its tags or a checkpoint of yours, or a folder with a model. "
        "Preprocessing and tokenizer come from the model. An architecture and a tag that open_clip does not have "
        "together are refused, with the tags that exist."
    )
    navigation.link("connections", "Add it under Connections", icon=":material/hub:")
