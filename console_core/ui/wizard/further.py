"""With step 2: further models whose collections are built at the same time, from one decoding of each picture."""

from dataclasses import replace

import streamlit as st

from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError
from console_core.ui import session
from console_core.ui.wizard.draft import Draft

_KEY = "wizard-also"


def choose_further(draft: Draft, card: ModelCard) -> list[ModelCard]:
    """Draw the choice below the model that was chosen; the cards of the further ones."""
    cards = session.console().models.cards
    known = {one.key: one for one in cards.all()}
    for key in draft.also:  # any pair of open_clip can be named in the address
        try:
            known.setdefault(key, cards.get(key))
        except ConsoleError:
            continue
    chosen = [key for key in draft.also if key in known and key != card.key]
    near = [one for one in known.values() if one.is_local or not one.builtin]
    options = [one.key for one in (*near, *(one for one in known.values() if one not in near)) if one.key != card.key]
    st.session_state[_KEY] = chosen
    with st.container(border=True, key="step-2-further"):
        st.multiselect(
            "Also build with",
            options,
            format_func=lambda key: known[key].title,
            key=_KEY,
            placeholder="Further models, if you want to compare several",
            help="Each model gets a migration and a collection of its own. Reading and decoding a picture is usually "
            "what takes longest; it is done once for all of them.",
            on_change=lambda: replace(draft, also=tuple(st.session_state[_KEY])).write(),
        )
    return [known[key] for key in chosen]
