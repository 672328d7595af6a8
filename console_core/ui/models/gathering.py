"""What is known about every model at this moment."""

import streamlit as st

from console_core.errors import ModelError
from console_core.ui.models.shelf import Shelved
from console_core.ui.models.weights import ABSENT, Weights, can_look, weights_of
from console_core.ui.session import console

FRESH = 30.0
"""Seconds for which it is not looked again where weights are."""


def gathered(*, patiently: bool = False) -> list[Shelved]:
    """Every card, and that of every model in memory, with the place of its weights, its state and its collections.

    `patiently`: imports open_clip.
    """
    made: dict[str, list[str]] = {}
    for info in console().store.collections():
        if info.stamp:
            made.setdefault(info.stamp.model, []).append(info.name)
    models = console().models
    residents, loading = {one.card.key: one for one in models.residents()}, models.loading()
    listed = {card.key: card for card in models.cards.all()}
    workspace, quickly = str(console().settings.workspace), not (patiently or can_look())
    return [
        Shelved(
            card,
            where(workspace, card.key, quickly),
            "in memory" if card.key in residents else "loading" if card.key in loading else "",
            tuple(made.get(card.key, ())),
            residents.get(card.key),
        )
        for card in {**listed, **{key: one.card for key, one in residents.items()}}.values()
    ]


@st.cache_data(ttl=FRESH, show_spinner=False)
def where(workspace: str, key: str, quickly: bool) -> Weights:
    """`weights_of` a card of a workspace, remembered for a while."""
    models = console().models
    try:
        card = models.cards.get(key)
    except ModelError as error:  # a model in memory whose folder is gone
        return Weights(ABSENT, key, f"{error.message} {error.remedy}")
    return weights_of(card, models, patiently=not quickly)
