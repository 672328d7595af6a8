"""Every model that the console knows: cards of those in use here, and a table of all, by family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from console_core.embedding.loaded import Resident
from console_core.embedding.types import ModelCard
from console_core.ui import navigation, panels, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.models.weights import Weights


@dataclass(frozen=True, slots=True)
class Shelved:
    """A model, where its weights are, whether it is in memory and what of it is there, and the names of the collections
    that it made."""

    card: ModelCard
    weights: Weights
    state: str
    collections: tuple[str, ...]
    resident: Resident | None = None

    @property
    def is_at_hand(self) -> bool:
        """It can be used here without a download, or is in use, or is the user's own."""
        here = self.weights.word.colour == "green"
        return here or not self.card.builtin or bool(self.collections) or self.state != ""


def at_hand(models: Sequence[Shelved]) -> str | None:
    """Models that can be used here, as cards; the key of the one that is to be opened."""
    opened = None
    with st.grid(3, min_column_width=300):
        for model in models:
            if _card(model):
                opened = model.card.key
    return opened


def _card(model: Shelved) -> bool:
    card = model.card
    with st.container(border=True, height="stretch", gap="small", key=f"model-{card.key}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(words.plain(card.title), anchor=False)
            with st.container(horizontal=True, width="content", gap="xsmall"):
                panels.state_badge(model.weights.word)
                if model.state:
                    st.badge(model.state.capitalize(), icon=":material/memory:", color="blue")
        text = "text and pictures" if card.has_text else "pictures only"
        st.caption(
            f"{words.plain(card.family)} · {card.dimension} numbers · {card.image_size} px · {text}"
            f" · {words.plain(card.licence)}"
        )
        if model.collections:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption("Made", width="content")
                for name in model.collections:
                    navigation.link("collections", words.plain(name), collection=name)
        else:
            st.caption("Made no collection yet")
        return st.button("Details and check", icon=":material/fact_check:", key=f"open-{card.key}")


def families(models: Sequence[Shelved]) -> Mapping[str, list[Shelved]]:
    """The models by family, in the order of the cards."""
    grouped: dict[str, list[Shelved]] = {}
    for model in models:
        grouped.setdefault(model.card.family, []).append(model)
    return grouped


def family_table(family: str, models: Sequence[Shelved]) -> str | None:
    """The models of a family; the key of the one whose row was clicked in this run."""
    position = clickable_table(
        [_row(model) for model in models],
        key=f"family-{family}",
        alt=f"Models of the family {family}",
        columns={
            "Dimension": st.column_config.NumberColumn(format="%d", help="Numbers in each vector."),
            "Picture": st.column_config.NumberColumn(format="%d px", help="The longer side of what the model sees."),
            "Weights": st.column_config.TextColumn(help="Whether they are on this machine."),
            "Text": st.column_config.CheckboxColumn(help="It embeds queries too."),
        },
    )
    return None if position is None else models[position].card.key


def _row(model: Shelved) -> dict[str, object]:
    card = model.card
    return {
        "Model": card.title,
        "Key": card.key,
        "Architecture": "own folder" if card.is_local else card.architecture,
        "Weights tag": card.weights or "–",
        "Dimension": card.dimension,
        "Picture": card.image_size,
        "Text": card.has_text,
        "Licence": card.licence,
        "Weights": model.weights.word.label,
    }
