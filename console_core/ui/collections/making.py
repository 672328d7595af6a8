"""A new, empty collection: what it shall be, what will be made, and the button that makes it."""

from dataclasses import dataclass, replace
from typing import Self

import streamlit as st

from console_core.embedding.types import ModelCard
from console_core.errors import ModelError
from console_core.migration.findings import Severity
from console_core.migration.making import Making, NewCollection, making
from console_core.ui import navigation, panels, session
from console_core.ui.permission import command_button
from console_core.ui.tuning import choose_tuning
from console_core.ui.tuning_address import tuning_in, written
from console_core.vectorstore.tuning import AS_FORMER, Tuning
from console_core.vectorstore.types import CollectionInfo

VIEW = "new"
_NAME, _MODEL, _LIKE = "new-name", "new-model", "new-like"
_NOTHING = ""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was chosen so far; it lives in the address only."""

    name: str = ""
    model: str = ""
    like: str = ""
    tuning: Tuning = AS_FORMER

    @classmethod
    def read(cls) -> Self:
        told = st.query_params
        return cls(told.get("called", ""), told.get("model", ""), told.get("like", ""), tuning_in(told))

    def write(self) -> None:
        said = {"called": self.name, "model": self.model, "like": self.like, **written(self.tuning)}
        st.query_params.from_dict({"view": VIEW, **{name: value for name, value in said.items() if value}})


def new_button() -> None:
    """Leads to the making of one."""
    if st.button("New collection…", icon=":material/add:", key="new-collection"):
        navigation.go("collections", view=VIEW)


def new_collection() -> None:
    """Draw the choices, and below them what they come to."""
    draft = _Draft.read()
    collections = {info.name: info for info in session.console().store.collections()}
    cards = {card.key: card for card in session.console().models.cards.all()}
    card = _card(draft.model, cards)
    with panels.card("What it shall be", caption="A migration can fill it: name it there as the new collection."):
        _choices(draft, collections, cards)
        like = collections.get(draft.like)
        with st.expander("Index and quantization", expanded=not draft.tuning.as_former):
            choose_tuning(
                draft.tuning,
                like,
                session.console().store.info(),
                lambda tuning: replace(draft, tuning=tuning).write(),
                key="new-tuning",
                dimension=card.dimension if card else 1,
                as_former=f"As {like.name}" if like else "As the store does it",
            )
    if not draft.name or card is None:
        panels.empty_state("Nothing to make yet", "Name the collection and the model that shall fill it.")
        return
    with panels.card("What will be made", key="preview"), st.spinner(f"Loading {card.title}…"):
        _preview(making(session.console().preflight_parts(), _asked(draft, card)))


def _asked(draft: _Draft, card: ModelCard) -> NewCollection:
    return NewCollection(draft.name, card.key, draft.like, draft.tuning)


def _card(model: str, cards: dict[str, ModelCard]) -> ModelCard | None:
    if not model or model in cards:
        return cards.get(model)
    try:
        return session.console().models.cards.get(model)
    except ModelError:
        return None


def _choices(draft: _Draft, collections: dict[str, CollectionInfo], cards: dict[str, ModelCard]) -> None:
    known = [*cards, *([draft.model] if draft.model and draft.model not in cards else [])]
    known.sort(key=lambda key: key in cards and cards[key].builtin and not cards[key].is_local)
    st.session_state[_NAME] = draft.name
    st.session_state[_MODEL] = draft.model or None
    st.session_state[_LIKE] = draft.like if draft.like in collections else _NOTHING

    def rewrite() -> None:
        replace(
            draft,
            name=str(st.session_state[_NAME]).strip(),
            model=st.session_state[_MODEL] or "",
            like=st.session_state[_LIKE],
        ).write()

    with st.grid(3, min_column_width=240):
        st.text_input("Name", key=_NAME, placeholder="image_assets_siglip", on_change=rewrite)
        st.selectbox(
            "Model",
            known,
            key=_MODEL,
            index=None,
            placeholder="Choose a model",
            format_func=lambda key: f"{cards[key].title} · {cards[key].dimension:,}" if key in cards else key,
            help="Its vectors' length becomes the collection's, and the collection is stamped with it.",
            on_change=rewrite,
        )
        st.selectbox(
            "Like",
            [_NOTHING, *collections],
            key=_LIKE,
            format_func=lambda name: name or "No other collection",
            help="Distance, index and quantization are taken over from it.",
            on_change=rewrite,
        )


def _preview(found: Making) -> None:
    telling = [finding for finding in found.findings if finding.severity is not Severity.INFO]
    if telling:  # notes are said where the settings are chosen
        panels.findings(telling)
    if found.facts:
        panels.details(found.facts, alt=f"What {found.asked.name} will be")
    pressed = command_button(
        "Make the collection",
        "create_collection",
        key="make-collection",
        kind="primary",
        icon=":material/add:",
        disabled=found.spec is None,
    )
    if pressed and _made(found.asked):
        navigation.go("collections", collection=found.asked.name)
    st.caption("It is empty and nobody searches it. Nothing else is written.")


def _made(asked: NewCollection) -> bool:
    done = f"{asked.name} is made, and empty."
    made = session.act(
        "create_collection",
        collection=asked.name,
        model=asked.model,
        like=asked.like,
        tuning=asked.tuning,
        done=done,
    )
    if made is None:
        st.rerun()
    return made is not None
