"""What can embed pictures and text: the model cards, by family."""

import streamlit as st

from console_core.ui import panels, words
from console_core.ui.frame import page
from console_core.ui.models import model as opened
from console_core.ui.models.gathering import gathered
from console_core.ui.models.own import own_models
from console_core.ui.models.residents import in_memory
from console_core.ui.models.shelf import at_hand, families, family_table
from console_core.ui.models.weights import can_look
from console_core.ui.session import console

looking = False


def _actions() -> None:
    global looking
    help = "Whether the weights of open_clip's tags are on this machine. Looking takes some seconds, once."
    if not can_look():
        looking = st.button("Look for weights", icon=":material/search:", key="look-for-weights", help=help)


with page("Models", lead="What can embed pictures and text. Click a model for its card and a check.", actions=_actions):
    with st.spinner("Looking for weights…"):
        models = gathered(patiently=looking)
    clicked = at_hand([model for model in models if model.is_at_hand])
    in_memory(models, console().settings.unload_after)
    for family, members in families(models).items():
        with panels.card(family, caption=words.count(len(members), "model")):
            clicked = family_table(family, members) or clicked
    with panels.card("Add a model", key="own-models"):
        own_models(console().notices)
    if clicked:
        st.session_state[opened.STATE] = clicked
    opened.model_drawer(models)
