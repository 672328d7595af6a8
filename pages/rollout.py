"""Rollout: what each alias serves, where it could be moved, and every move so far."""

import streamlit as st

from console_core.ui import navigation, panels
from console_core.ui.alias_card import alias_card
from console_core.ui.frame import guarded, page
from console_core.ui.move_history import move_history
from console_core.ui.session import console

LEAD = "An alias moves in one atomic call. Nothing is deleted, and one click moves it back."


def _new() -> None:
    if st.button("New migration", icon=":material/add:", key="new"):
        navigation.go("migrations", view="new")


def _introduce() -> None:
    navigation.link("migrations", "Begin a migration; it introduces one", icon=":material/add:", view="new")


with page("Rollout", lead=LEAD, actions=_new):
    collections = console().store.collections()
    aliases = [(alias, info) for info in collections for alias in sorted(info.aliases)]
    if not aliases:
        text = "Applications that search a collection by its own name cannot be moved. The first step is an alias."
        panels.empty_state("No alias yet", text, icon=":material/alt_route:", action=_introduce)
    for place, (alias, serving) in enumerate(aliases):
        with guarded(f"alias {alias}"):
            others = [info for info in collections if info.name != serving.name]
            alias_card(alias, serving, others, console().moves.of(alias), first=place == 0)
    with panels.card("History"):
        move_history(console().moves.of(), console().shares.of())
