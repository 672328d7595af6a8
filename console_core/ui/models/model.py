"""One model in a drawer: what its card says, where its weights are, and a check that loads it."""

from time import perf_counter

import streamlit as st

from console_core.embedding.types import Embedder
from console_core.errors import ConsoleError
from console_core.ui import navigation, panels, session, words
from console_core.ui.models.gathering import where
from console_core.ui.models.residents import facts
from console_core.ui.models.shelf import Shelved
from console_core.ui.panels import Marked

STATE = "models-opened"
"""Under which the key of the opened model is kept in the session."""


def model_drawer(models: list[Shelved]) -> None:
    """The model that was opened, where there is one."""
    key = st.session_state.get(STATE)
    model = next((one for one in models if one.card.key == key), None)
    if model is None:
        return

    def body() -> None:
        _facts(model)
        st.markdown("**Check**")
        st.caption("Loads it onto the device of the settings and keeps it in memory. The first time takes a while.")
        if st.button("Load and check", icon=":material/play_arrow:", type="primary", key="check-model"):
            check(model.card.key)

    st.dialog(words.plain(model.card.title), position="right", on_dismiss=_forget)(body)()


def _forget() -> None:
    st.session_state.pop(STATE, None)


def _facts(model: Shelved) -> None:
    card = model.card
    panels.details(
        {
            "Key": Marked(f"`{card.key}`"),
            "Family": card.family,
            "Architecture": Marked("a folder of its own") if card.is_local else Marked(f"`{card.architecture}`"),
            "Weights": Marked(f"{words.badge(model.weights.word)} {words.plain(model.weights.place)}"),
            "Vectors": f"{card.dimension:,} numbers",
            "Pictures": f"{card.image_size} × {card.image_size} px",
            "Text queries": "yes" if card.has_text else "no, it embeds pictures only",
            **({"Text template": Marked(f"`{card.template}`") if card.template else "none"} if card.has_text else {}),
            "Licence": card.licence,
            "In memory": "yes" if model.resident else model.state or "no",
            **(facts(model.resident) if model.resident else {}),
            "Notes": card.notes,
        },
        alt="The model card",
    )
    for note in model.resident.notes if model.resident else ():
        st.info(words.plain(note), icon=":material/info:")
    if model.weights.remedy:
        st.info(words.plain(model.weights.remedy), title="Its weights are not on this machine", icon=":material/info:")
    for name in model.collections:
        navigation.link("collections", f"Made {words.plain(name)}", collection=name)


def check(key: str) -> None:
    """Load a model and say what came of it."""
    models = session.console().models
    where.clear()
    known = key in models.resident()
    started = perf_counter()
    with st.spinner("It was loaded before…" if known else "Loading the model…"):
        try:
            embedder = models.get(key)
        except ConsoleError as error:
            st.error(words.plain(error.remedy), title=words.plain(error.message), icon=":material/error:")
            return
    took = "in memory already" if known else f"loaded in {words.duration(round(perf_counter() - started, 1))}"
    _answer(embedder, took)


def _answer(embedder: Embedder, took: str) -> None:
    st.success(f"It works: {took}, on {words.plain(embedder.device)}.", icon=":material/check_circle:")
    made = embedder.fingerprint
    panels.details(
        {"Dimension": f"{embedder.card.dimension:,}", "Fingerprint": Marked(f"`{made.digest}`")}, alt="What was loaded"
    )
    st.caption("What the fingerprint is made of")
    panels.details({name.capitalize(): _short(value) for name, value in made.parts.items()}, alt="Fingerprint")


def _short(part: str) -> str:
    """A digest by its beginning; what can be read stays whole."""
    return f"{part[:12]}…" if len(part) > 32 and part.isalnum() else part or "none"
