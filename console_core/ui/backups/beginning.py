"""Begin a backup: which collection, and the button."""

from collections.abc import Sequence

import streamlit as st

from console_core.ui import panels, session, words
from console_core.ui.address import from_address, to_address
from console_core.ui.permission import command_button
from console_core.vectorstore.types import CollectionInfo

_KEY = "backup-collection"


def begin_backup(collections: Sequence[CollectionInfo]) -> None:
    """Choose a collection and back it up; what is served comes first."""
    ordered = sorted(collections, key=lambda info: (not info.aliases, info.name))
    known = {info.name: info for info in ordered}
    from_address(_KEY, "collection", ordered[0].name, allowed=known)
    caption = "It is read page by page into an archive of Parquet files. Search goes on; nothing is changed."
    with panels.card("Back up a collection", caption=caption, key="begin-backup"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                "Collection", list(known), key=_KEY, width=460, format_func=lambda n: _label(known[n])
            )
            info = known[chosen]
            pressed = command_button(
                "Back up",
                "back_up",
                key="back-up",
                icon=":material/archive:",
                kind="primary",
                disabled=bool(info.problem),
            )
        to_address(_KEY, "collection")
        if info.problem:
            st.caption(
                f":orange[:material/lock:] {words.plain(info.problem)} A portable archive would lose that: use a "
                "snapshot of the server."
            )
    if pressed:
        session.act("back_up", collection=info.name, done=f"Backing {info.name} up.")
        st.rerun()


def _label(info: CollectionInfo) -> str:
    served = f", served as {', '.join(info.aliases)}" if info.aliases else ""
    return f"{info.name} ({words.count(info.points, 'point')}{served})"
