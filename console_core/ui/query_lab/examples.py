"""Queries to begin with: those of the settings, else what the pictures of a collection's own catalog are called."""

from contextlib import suppress
from itertools import islice

import streamlit as st

from console_core.errors import CatalogError
from console_core.ui.pictures import TELLING
from console_core.ui.session import console

MOST = 12
_ROWS = 240
_KEPT = "_lab-examples"


def examples(collection: str) -> tuple[str, ...]:
    """At most 12 queries for a collection, named by its real name, the same for as long as the visitor stays.

    None where pictures have no captions, or the catalog cannot be read. "" means the workspace's catalog.
    """
    configured = console().settings.examples
    if configured:
        return tuple(dict.fromkeys(configured))[:MOST]
    kept: dict[str, tuple[str, ...]] = st.session_state.setdefault(_KEPT, {})
    if collection not in kept:
        kept[collection] = ()
        with suppress(CatalogError):
            kept[collection] = _from_captions(collection)
    return kept[collection]


def _from_captions(collection: str) -> tuple[str, ...]:
    """Captions of two to eight words, evenly from the first rows of the collection's catalog."""
    rows = islice(console().catalog_of(collection).rows(), _ROWS)
    said = (next((text for name in TELLING if isinstance(text := row.payload.get(name), str)), "") for row in rows)
    fitting = list(dict.fromkeys(text.strip() for text in said if 2 <= len(text.split()) <= 8))
    return tuple(fitting[:: max(len(fitting) // MOST, 1)][:MOST])
