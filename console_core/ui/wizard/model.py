"""Step 2: the model to move to. The demo's and one's own first, then everything the console knows."""

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError, ModelUnknown
from console_core.ui import session, words
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.steps import open_step, settled_step

TITLE = "Target model"


def choose_model(draft: Draft, current: str) -> ModelCard | None:
    """Draw the step; the card that was chosen. `current` is the key of the model that is served now."""
    cards = session.console().models.cards
    if draft.model:
        try:
            card = cards.get(draft.model)
        except ModelUnknown as error:
            problem = f"{error.message} {error.remedy}"
        except ConsoleError as error:
            problem = str(error)
        else:
            settled_step(2, TITLE, card.title, _about(card), replace(draft, model="").write)
            return card
    else:
        problem = ""
    with open_step(2, TITLE, "Every picture is embedded anew with it, into a collection of its own."):
        if problem:
            st.warning(words.plain(problem), icon=":material/help:")
        near = [card for card in cards.all() if card.is_local or not card.builtin]
        _cards(near, draft, current)
        _known([card for card in cards.all() if card not in near], draft, current)
    return None


def _known(cards: list[ModelCard], draft: Draft, current: str) -> None:
    """Well-known models; whether their weights are here is looked up only when somebody wants to know."""
    shelf = st.expander(f"{len(cards)} well-known models", icon=":material/neurology:", on_change="rerun", key="known")
    with shelf:
        if not shelf.open:
            return
        here = _here(cards)
        for family in dict.fromkeys(card.family for card in cards):
            st.markdown(f"**{family}**")
            members = [card for card in cards if card.family == family]
            _cards(sorted(members, key=lambda card: card.key not in here), draft, current, here)


def _here(cards: list[ModelCard]) -> set[str]:
    with st.spinner("Looking for weights on this machine…"):
        return {card.key for card in cards if _loadable(card)}


def _cards(cards: Iterable[ModelCard], draft: Draft, current: str, here: set[str] | None = None) -> None:
    with st.grid("auto", min_column_width=260):
        for card in cards:
            with st.container(border=True, height="stretch", gap="small"):
                with st.container(gap=None):
                    st.markdown(f"**{words.plain(card.title)}**")
                    st.caption(words.plain(_about(card)))
                with st.container(horizontal=True, gap="small"):
                    if card.key in here if here is not None else _loadable(card):
                        st.badge("Weights here", icon=":material/check:", color="green")
                    else:
                        st.badge("Not on this machine", icon=":material/cloud_off:", color="gray", help=_NOT_HERE)
                    if card.key == current:
                        st.badge("Serves now", icon=":material/bolt:", color="blue")
                choose = replace(draft, model=card.key).write
                st.button("Choose", key=f"model-{card.key}", on_click=choose)


_NOT_HERE = "Choose it to see which files are missing, and where they go."


def _loadable(card: ModelCard) -> bool:
    try:
        session.console().models.check(card.key)
    except ConsoleError:
        return False
    return True


def _about(card: ModelCard) -> str:
    facts = [card.family, f"{card.dimension:,} dimensions", f"pictures of {card.image_size} px"]
    return " · ".join([*facts, *([] if card.has_text else ["pictures only, no search by text"])])
