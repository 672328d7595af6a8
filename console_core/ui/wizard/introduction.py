"""A collection that is searched by its own name gets an alias, once, so that traffic can be moved later."""

from collections.abc import Collection
from dataclasses import replace

import streamlit as st

from console_core.migration.plan import target_stem
from console_core.rollout.records import MoveKind
from console_core.ui import session, words
from console_core.ui.permission import command_button
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.named import choose_named, named_hint, searched_names, shared

_FIELD = "alias-name"


def introduce(draft: Draft, collection: str, taken: Collection[str]) -> None:
    """Explain why an alias is needed, propose a name, and go on with the alias once it is there."""
    with st.container(border=True, gap="small", height="stretch", key="introduction"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader("Introduce an alias first", anchor=False, width="content")
            st.badge("Recommended", icon=":material/thumb_up:", color="green")
        st.markdown(
            f"Applications search **{words.plain(collection)}** by its own name, and a store refuses an alias that "
            "bears a collection's name. So it gets an alias with a name of its own, once; from then on the alias "
            "moves without a gap, and the application is not touched again."
        )
        leads_to = choose_named(collection)
        field = _FIELD if leads_to == collection else f"{_FIELD}-named"
        name = st.text_input("Name of the alias", value=proposal(leads_to, taken), key=field, width=360).strip()
        if name in taken:
            st.caption(f":red[{words.plain(name)} is taken. Choose a name that no collection or alias bears.]")
        st.caption("Then point the application at it. This is the only line that changes:")
        st.code(hint(leads_to, name or "the alias"), language="diff")
        pressed = command_button(
            "Introduce alias",
            "introduce_alias",
            key="introduce-alias",
            kind="primary",
            icon=":material/add_link:",
            disabled=not name or name in taken,
        )
        if pressed and session.act(
            "introduce_alias", alias=name, collection=leads_to, done=f"{name} serves {leads_to} now."
        ):
            replace(draft, served=name).write()
        if pressed:
            st.rerun()


def reminder(alias: str) -> None:
    """As long as an alias was introduced and never moved, say that the application must search it."""
    moves = session.console().moves.of(alias, limit=1)
    if moves and moves[0].kind is MoveKind.INTRODUCED:
        with st.container(border=True, gap="small", key="reminder"):
            st.markdown(
                f":orange[:material/link:] The application must search **{words.plain(alias)}** before you cut over; "
                f"searching {words.plain(moves[0].after)} by name would stay with the old model."
            )
            st.code(hint(moves[0].after, alias), language="diff")


def proposal(collection: str, taken: Collection[str]) -> str:
    """A free name for the alias: products-live for products, products for products__clip."""
    stem, found = target_stem(collection), shared(collection)
    names = [stem, f"{stem}-live", *(f"{stem}-live-{number}" for number in range(2, 1000))]
    names = searched_names(found.home) if found else names
    return next(name for name in names if name not in taken)


def hint(collection: str, alias: str) -> str:
    """The change of the application, as a diff."""
    if found := shared(collection):
        return named_hint(found, alias)
    return f'- client.query_points("{collection}", …)\n+ client.query_points("{alias}", …)'
