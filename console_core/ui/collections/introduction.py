"""Give a collection an alias, once, so that its traffic can be moved later."""

import streamlit as st

from console_core.ui import navigation, session, words
from console_core.ui.permission import command_button
from console_core.ui.wizard.introduction import hint, proposal
from console_core.vectorstore.types import CollectionInfo

_NAME = "new-alias"


def introduce_alias(info: CollectionInfo) -> None:
    """Why an alias, its name, and what changes in the application. A migration's target needs none."""
    console = session.console()
    migration = next((one for one in console.migrations.all() if one.plan.target == info.name), None)
    if migration is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="target-of"):
            name, in_place = words.plain(migration.plan.served_as), migration.plan.in_place
            moves = (
                f"the name {name} passes to it at the end" if in_place else f"the alias {name} moves here at cut-over"
            )
            st.caption(f"Built by a migration; {moves}.")
            navigation.link("migrations", "Open the migration", migration=migration.id)
        return
    with st.expander("No alias serves it: introduce one", icon=":material/add_link:", key="introduce"):
        st.markdown(
            f"Applications that search **{words.plain(info.name)}** by its own name cannot be moved to another "
            "collection without being changed, and a store refuses an alias that bears a collection's name. Give it an "
            "alias and let the applications search that, once; from then on a migration moves the alias."
        )
        taken = {*console.store.aliases(), *(one.name for one in console.store.collections())}
        name = st.text_input("Name of the alias", value=proposal(info.name, taken), key=_NAME, width=420).strip()
        if name in taken:
            st.caption(f":red[{words.plain(name)} is taken. Choose a name that no collection or alias bears.]")
        st.caption("The only line that changes in the application")
        st.code(hint(info.name, name or "the alias"), language="diff")
        if command_button(
            "Introduce alias",
            "introduce_alias",
            key="introduce-alias",
            icon=":material/add_link:",
            disabled=not name or name in taken,
        ):
            done = f"{name} serves {info.name} now."
            session.act("introduce_alias", alias=name, collection=info.name, done=done)
            st.rerun()
