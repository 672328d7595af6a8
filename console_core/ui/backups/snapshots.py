"""The server's own snapshots: made, brought here, recovered and deleted; and why the embedded store has none."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from console_core.backup.requests import proposal
from console_core.backup.snapshot_requests import snapshots
from console_core.backup.snapshotting import LocalSnapshots
from console_core.ui import confirm, panels, session, words
from console_core.ui.permission import command_button, denied
from console_core.vectorstore.snapshots import KeepsSnapshots, Snapshot
from console_core.vectorstore.types import CollectionInfo

_KEY = "snapshot-collection"
_ABOUT = "A server keeps a collection as it is, index and all, for a server of the same version. Aliases are not in it."


def server_snapshots(collections: Sequence[CollectionInfo]) -> None:
    """The card; short where the store has none."""
    store = session.console().store
    with panels.card("Server snapshots", key="server-snapshots"):
        if not isinstance(store, KeepsSnapshots):
            kind = words.plain(store.info().kind)
            st.caption(
                f"This store ({kind}) has no snapshots of its own: the portable archives on this page are its backups. "
                "A Qdrant server has both."
            )
            return
        st.caption(_ABOUT)
        if not collections:
            return
        names = [info.name for info in sorted(collections, key=lambda info: (not info.aliases, info.name))]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox("Collection", names, key=_KEY, width=320)
            if command_button("Take a snapshot", "take_snapshot", key="take-snapshot", icon=":material/photo_camera:"):
                session.act("take_snapshot", collection=chosen, done=f"The server takes a snapshot of {chosen}.")
                st.rerun()
        found = snapshots(store, chosen)
        if not found:
            st.caption("None of this collection yet.")
        for one in found[:20]:
            _row(one)


def _row(one: Snapshot) -> None:
    here = LocalSnapshots(session.console().backups.folder).has(one.collection, one.name)
    with st.container(border=True, gap="small", key=f"snapshot-{one.name}"):
        st.markdown(f"**{words.plain(session.when(one.created_at))}** · {words.size(one.bytes)}")
        place = "on the server and on this machine" if here else "on the server only"
        st.caption(words.plain(f"{one.name}, {place}"))
        with st.container(horizontal=True):
            about = {"collection": one.collection, "snapshot": one.name}
            if not here and command_button(
                "Download", "download_snapshot", key=f"fetch-{one.name}", icon=":material/download:"
            ):
                session.act("download_snapshot", done=f"{one.name} is being downloaded.", **about)
                st.rerun()
            if here:
                _recover_button(one)
            reason = denied("delete_snapshot")
            st.button(
                "Delete…",
                icon=":material/delete:",
                key=f"drop-{one.name}",
                type="tertiary",
                disabled=bool(reason),
                help=reason or None,
                on_click=confirm.ask,
                args=(_deletion(one),),
            )


def _recover_button(one: Snapshot) -> None:
    into = proposal(session.console().store, one.collection)
    if command_button(
        "Recover…", "recover_snapshot", key=f"recover-{one.name}", icon=":material/settings_backup_restore:"
    ):
        about = {"collection": one.collection, "snapshot": one.name, "into": into}
        confirm.ask(
            confirm.Question(
                title="Recover this snapshot?",
                text=f"The server makes the new collection **{words.plain(into)}** from it. What is searched today "
                "stays as it is.",
                action="Recover",
                do=partial(session.act, "recover_snapshot", done=f"{into} is being recovered.", **about),
                icon=":material/settings_backup_restore:",
            )
        )
        st.rerun()


def _deletion(one: Snapshot) -> confirm.Question:
    return confirm.Question(
        title="Delete this snapshot?",
        text="It is removed from the server, and from this machine. The collection itself is not touched.",
        action="Delete snapshot",
        do=partial(
            session.act,
            "delete_snapshot",
            collection=one.collection,
            snapshot=one.name,
            done=f"{one.name} is deleted.",
        ),
        icon=":material/delete:",
        keep="Keep it",
    )
