"""Ask for the name that a restored collection shall bear."""

import streamlit as st

from console_core.backup.backups import Backup
from console_core.backup.requests import proposal, taken_names
from console_core.ui import session, words

_PENDING = "_restore"


def ask_for_restore(backup: Backup) -> None:
    """Open the dialog with the next run."""
    st.session_state[_PENDING] = backup.id


def show_restore_dialog() -> None:
    """Draw the dialog where one was asked for."""
    pending: str | None = st.session_state.get(_PENDING)
    if pending is not None:
        st.dialog("Restore this backup", icon=":material/settings_backup_restore:", on_dismiss=_forget)(_body)(pending)


def _body(backup: str) -> None:
    store, found = session.console().store, session.console().backups.get(backup)
    st.markdown(
        f"{words.count(found.points, 'point')} of **{words.plain(found.collection)}**, taken "
        f"{words.plain(session.when(found.taken_at))}, are written into a **new** collection. The whole archive is "
        "checked first, and every point is compared at the end. What is searched today stays as it is."
    )
    name = st.text_input(
        "Name of the new collection",
        value=proposal(store, found.collection),
        key="restore-into",
        live=True,
        autocomplete="off",
    ).strip()
    taken = name in taken_names(store)
    if taken:
        st.caption(f":red[{words.plain(name)} is taken. Choose a name that no collection or alias bears.]")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Not now", key="restore-keep"):
            _forget()
            st.rerun()
        if st.button("Restore", type="primary", disabled=not name or taken, key="restore-do"):
            _forget()
            session.act("restore", backup=backup, into=name, done=f"Restoring into {name}.")
            st.rerun()


def _forget() -> None:
    st.session_state.pop(_PENDING, None)
