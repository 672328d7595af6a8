"""Step 3: which pictures. Everything, or those with some facet values."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from console_core.catalog.listing import MOST_VALUES
from console_core.embedding.types import ModelCard
from console_core.ui import session, words
from console_core.ui.wizard.draft import BATCH_SIZES, Draft
from console_core.ui.wizard.mode import choose_mode
from console_core.ui.wizard.steps import open_step
from console_core.ui.wizard.tuning import choose_settings
from console_core.vectorstore.types import CollectionInfo

_ALL, _SOME = "Everything", "Only a part"
_PART = "wizard-part"
FRESH = 60
"""Seconds for which the values of facets are shown again without being counted again: that reads the whole catalog."""


def choose_pictures(draft: Draft, former: CollectionInfo, card: ModelCard) -> None:
    """Draw the step. It needs no answer: everything is chosen unless a person narrows it."""
    with open_step(3, "Pictures"):
        if session.console().catalog_of(former.name).info().facets:
            _slice(draft, former.name)
        else:
            st.markdown("Every picture of the catalog.")
            st.caption("This catalog has no facets to choose a part by.")
        choose_mode(draft)
        _tucked_away(draft)
        choose_settings(draft, former, card)


def _slice(draft: Draft, collection: str) -> None:
    if draft.only:
        st.session_state[_PART] = _SOME
    part = st.segmented_control(
        "Which pictures",
        [_ALL, _SOME],
        default=None if _PART in st.session_state else _ALL,
        key=_PART,
        required=True,
        label_visibility="collapsed",
        on_change=_everything_again,
        args=(draft,),
    )
    if part != _SOME:
        st.caption("Every picture of the catalog is embedded. This is what you want unless you are trying something.")
        return
    st.caption("A picture is chosen where it has one of the values in every list that you fill in.")
    with st.grid("auto", min_column_width=280):
        tenant = session.console().catalog_of(collection).info().tenant
        for facet, counts in _counted(str(session.console().settings.workspace), collection).items():
            _facet(draft, facet, counts, "Tenant" if facet == tenant else "")


@st.cache_data(ttl=FRESH, max_entries=4, show_spinner="Counting the pictures…")
def _counted(workspace: str, collection: str) -> Mapping[str, Mapping[str, int]]:
    return session.console().catalog_of(collection).facets()


def _facet(draft: Draft, facet: str, counts: Mapping[str, int], title: str) -> None:
    key = f"only-{facet}"
    chosen = list(draft.only.get(facet, ()))
    st.session_state[key] = chosen

    is_part = len(counts) >= MOST_VALUES

    def said(value: str) -> str:
        named = value or "without a value"
        return named if is_part and value not in counts else f"{named} ({counts.get(value, 0):,})"

    def narrow() -> None:
        only = {**draft.only, facet: tuple(st.session_state[key])}
        replace(draft, only={name: values for name, values in only.items() if values}).write()

    options = list(dict.fromkeys([*counts, *chosen]))
    label = f"{title} ({words.plain(facet)})" if title else words.plain(facet)
    st.multiselect(
        label,
        options,
        format_func=said,
        key=key,
        on_change=narrow,
        placeholder="All values",
        accept_new_options=is_part,
        help="The commonest values are listed; type any other." if is_part else None,
    )


def _everything_again(draft: Draft) -> None:
    if st.session_state.get(_PART) == _ALL:
        draft.without_slice().write()


def _tucked_away(draft: Draft) -> None:
    smallest, largest = BATCH_SIZES
    with st.expander("Batch size and name of the new collection"), st.grid(2, min_column_width=240):
        st.session_state["wizard-batch"] = draft.batch_size
        st.number_input(
            "Batch size, in pictures",
            smallest,
            largest,
            key="wizard-batch",
            help="How many pictures are written and recorded at a time. The usual size is right for most stores.",
            on_change=_rewrite(lambda: replace(draft, batch_size=int(st.session_state["wizard-batch"]))),
        )
        st.session_state["wizard-target"] = draft.target
        st.text_input(
            "Name of the new collection",
            key="wizard-target",
            placeholder="The console names it",
            help="The name of a collection that this model has begun lets the console fill only its gaps.",
            on_change=_rewrite(lambda: replace(draft, target=str(st.session_state["wizard-target"]).strip())),
        )


def _rewrite(changed: Callable[[], Draft]) -> Callable[[], None]:
    return lambda: changed().write()
