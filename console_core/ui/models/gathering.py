"""What is known about every model at this moment."""

import streamlit as st

from console_core.ui.models.shelf import Shelved
from console_core.ui.models.weights import Weights, can_look, weights_of
from console_core.ui.session import console

FRESH = 30.0
"""Seconds for which it is not looked again where weights are."""


def gathered(*, patiently: bool = False) -> list[Shelved]:
    """Every card with the place of its weights, its state and its collections. `patiently`: imports open_clip."""
    made: dict[str, list[str]] = {}
    for info in console().store.collections():
        if info.stamp:
            made.setdefault(info.stamp.model, []).append(info.name)
    models = console().models
    resident, loading = models.resident(), models.loading()
    workspace, quickly = str(console().settings.workspace), not (patiently or can_look())
    return [
        Shelved(
            card,
            where(workspace, card.key, quickly),
            "in memory" if card.key in resident else "loading" if card.key in loading else "",
            tuple(made.get(card.key, ())),
        )
        for card in models.cards.all()
    ]


@st.cache_data(ttl=FRESH, show_spinner=False)
def where(workspace: str, key: str, quickly: bool) -> Weights:
    """`weights_of` a card of a workspace, remembered for a while."""
    models = console().models
    return weights_of(models.cards.get(key), models, patiently=not quickly)
