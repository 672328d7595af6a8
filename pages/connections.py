"""Stores, catalogs, image roots and models: what they are, whether they answer, and what they shall be."""

import streamlit as st

from console_core.ui import words
from console_core.ui.connections import facts, fields, probes
from console_core.ui.connections.card import connection, how_programs_ask, what_it_cannot_do
from console_core.ui.connections.editor import show_editor
from console_core.ui.connections.own import object_storage, own_models, own_tables
from console_core.ui.frame import page
from console_core.ui.session import console

with page("Connections", lead="Where vectors, pictures and models are. What you save is in force at once."):
    st.caption(f"Written in console.toml of {words.plain(console().settings.workspace)}")
    left, right = st.columns(2)
    with left:
        connection("Vector store", facts.store, probes.store, form=fields.STORE, more=what_it_cannot_do)
    with right:
        connection("Catalog", facts.catalog, probes.catalog, form=fields.CATALOG)
    left, right = st.columns(2)
    with left:
        connection("Images", facts.images, probes.images, form=fields.IMAGES, more=object_storage)
    with right:
        connection("Ledger", facts.ledger, probes.ledger)
    connection("Search API", facts.api, probes.api, form=fields.API, more=how_programs_ask)
    own_tables(console())
    own_models(console())
    show_editor()
