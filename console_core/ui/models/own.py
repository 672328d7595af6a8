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
        "Any architecture of open_clip with one of its tags or a checkpoint of yours, any name of timm, or a folder "
        "with a model. Preprocessing and tokenizer come from the model. An architecture and a tag that do not exist "
        "together are refused, with the tags that exist. Models of timm embed pictures only: what they made cannot be "
        "searched by text. docs/models.md says how to use checkpoints and folders of your own, also without a network."
    )
    navigation.link("connections", "Add it under Connections", icon=":material/hub:")
