"""Queries to begin with: those of the settings, else what the catalog's own pictures are called."""

from itertools import islice

import streamlit as st

from console_core.ui.pictures import TELLING
from console_core.ui.session import console

MOST = 12
_ROWS = 240
_KEPT = "_lab-examples"


def examples() -> tuple[str, ...]:
    """At most 12 queries, the same for as long as the visitor stays; none where pictures have no captions."""
    configured = console().settings.examples
    if configured:
        return tuple(dict.fromkeys(configured))[:MOST]
    if _KEPT not in st.session_state:
        st.session_state[_KEPT] = _from_captions()
    kept: tuple[str, ...] = st.session_state[_KEPT]
    return kept


def _from_captions() -> tuple[str, ...]:
    """Captions of two to eight words, evenly from the first rows of the catalog."""
    rows = islice(console().catalog.rows(), _ROWS)
    said = (next((text for name in TELLING if isinstance(text := row.payload.get(name), str)), "") for row in rows)
    fitting = list(dict.fromkeys(text.strip() for text in said if 2 <= len(text.split()) <= 8))
    return tuple(fitting[:: max(len(fitting) // MOST, 1)][:MOST])
