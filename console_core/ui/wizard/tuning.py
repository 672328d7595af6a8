"""With step 3: index and quantization of the new collection."""

from dataclasses import replace

import streamlit as st

from console_core.embedding.types import ModelCard
from console_core.ui import session
from console_core.ui.tuning import choose_tuning
from console_core.ui.wizard.draft import Draft
from console_core.vectorstore.types import CollectionInfo


def choose_settings(draft: Draft, former: CollectionInfo, card: ModelCard) -> None:
    """Draw the choice, tucked away: what the former collection has is right for most."""
    with st.expander("Index and quantization", expanded=not draft.tuning.as_former):
        choose_tuning(
            draft.tuning,
            former,
            session.console().store.info(),
            lambda tuning: replace(draft, tuning=tuning).write(),
            key="wizard-tuning",
            dimension=card.dimension,
        )
