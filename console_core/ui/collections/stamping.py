"""Record which model made a collection. The command asks the collection itself, and refuses a wrong claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from console_core.commands import command
from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError, Incomparable
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.permission import command_button
from console_core.vectorstore.types import CollectionInfo

_MODEL, _REFUSED = "stamp-model", "stamp-refused"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What the last claim was answered."""

    collection: str
    model: str
    error: ConsoleError


def record_model(info: CollectionInfo) -> None:
    """Choose a model and record it, with the answer to the last claim below."""
    why = "Only a collection that says which model made it can be searched, compared and verified."
    with panels.card("Which model made it?", caption=why, key="stamp"):
        cards = {card.key: card for card in candidates(session.console().models.cards.all(), info.dimension)}
        fitting = any(card.dimension == info.dimension for card in cards.values())
        with st.container(horizontal=True, vertical_alignment="bottom"):
            model = st.selectbox(
                "Model",
                list(cards),
                key=_MODEL,
                index=0 if fitting else None,
                placeholder="Choose a model",
                width=420,
                format_func=lambda key: _label(cards[key], info.dimension),
                help="Models whose vectors have this collection's dimension come first.",
            )
            pressed = command_button(
                "Check and record",
                "stamp",
                key="stamp-check",
                kind="primary",
                icon=":material/fact_check:",
                disabled=not model,
            )
        if fitting:
            st.caption("A sample of its pictures is embedded again and compared with what is stored.")
        else:
            st.caption(f"No model known here makes vectors of {info.dimension} numbers.")
            navigation.link("models", "How to add one", icon=":material/arrow_forward:")
        if pressed and model:
            _claim(info.name, model)
            st.rerun()
        _answer(info.name, model)


def candidates(cards: Sequence[ModelCard], dimension: int) -> list[ModelCard]:
    """Models that can have made vectors of this dimension first; among them those of the user and of the demo."""

    def rank(card: ModelCard) -> tuple[bool, bool]:
        return card.dimension != dimension, card.builtin and not card.is_local

    return sorted(cards, key=rank)


def _claim(collection: str, model: str) -> None:
    st.session_state.pop(_REFUSED, None)
    with st.spinner("Embedding a sample of its pictures again…"):
        try:
            command(session.console(), session.actor(), "stamp", collection=collection, model=model)
        except ConsoleError as error:
            st.session_state[_REFUSED] = _Refusal(collection, model, error)
        else:
            session.flash(f"{model} is recorded as the model of {collection}.")


def _answer(collection: str, model: str | None) -> None:
    refusal: _Refusal | None = st.session_state.get(_REFUSED)
    if refusal is None or (refusal.collection, refusal.model) != (collection, model):
        return
    title = words.plain(refusal.error.message)
    if not isinstance(refusal.error, Incomparable):
        st.error(words.plain(refusal.error.remedy), title=title, icon=":material/error:")
        return
    st.warning(words.plain(refusal.error.remedy), title=title, icon=":material/warning:")
    if command_button("I am certain", "stamp", key="stamp-unchecked", icon=":material/edit_note:"):
        record = partial(
            session.act,
            "stamp",
            done=f"{model} is recorded as the model of {collection}, unchecked.",
            collection=collection,
            model=model,
            unchecked=True,
        )
        text = (
            f"Nothing could be compared, so your word is all there is. If **{words.plain(collection)}** was made by "
            "another model, searches will look right and be wrong."
        )
        confirm.ask(confirm.Question("Record it unchecked?", text, "Record unchecked", record, typed=collection))
        st.rerun()


def _label(card: ModelCard, dimension: int) -> str:
    other = "" if card.dimension == dimension else ", another dimension"
    return f"{card.title} · {card.dimension}{other}"
