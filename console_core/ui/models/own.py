"""How to add a model of one's own, and what is wrong with those that could not be added."""

from collections.abc import Sequence

import streamlit as st

from console_core.errors import ConsoleError
from console_core.ui import words

EXAMPLE = """\
[models.mine]                           # "mine" is the key
architecture = "local-dir:models/mine"  # a folder with open_clip_config.json, weights and tokenizer
title = "Our fine-tuned SigLIP"

[models.laion-large]
architecture = "ViT-L-14"               # any architecture of open_clip,
weights = "laion2b_s32b_b82k"           # with one of its tags or the path of a checkpoint
template = "a photo of {}"              # a query is embedded like this; without the line as it is

[models.animals]
architecture = "timm:swin_base_patch4_window7_224.ms_in22k"   # any name of timm, or timm:hf-hub:<owner>/<name>
"""


def own_models(notices: Sequence[ConsoleError]) -> None:
    """The lines to write, and the answers to those that were wrong."""
    for notice in notices:
        title = words.plain(notice.message)
        st.error(words.plain(notice.remedy), title=title, icon=":material/error:")
    st.markdown("Write it into `console.toml` of the workspace, then start the console again:")
    st.code(EXAMPLE, language="toml")
    st.caption(
        "Preprocessing and tokenizer come from the model, never from here. An architecture and a tag that do not exist "
        "together are refused, with the tags that exist. Models of timm embed pictures only: what they made cannot be "
        "searched by text. docs/models.md says how to use checkpoints and folders of your own, also without a network."
    )
