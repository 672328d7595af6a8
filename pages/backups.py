"""Backups: what is kept of which collection, what it is worth, and the way back from it."""

import streamlit as st

from console_core.ui import panels
from console_core.ui.backups.beginning import begin_backup
from console_core.ui.backups.listing import backup_list
from console_core.ui.backups.restoring import show_restore_dialog
from console_core.ui.backups.retention import retention
from console_core.ui.backups.snapshots import server_snapshots
from console_core.ui.backups.working import backups_at_work
from console_core.ui.frame import guarded, page
from console_core.ui.session import console

LEAD = "Portable archives of collections. A backup counts once a restore of it was compared with it, point by point."

with page("Backups", lead=LEAD):
    collections = console().store.collections()
    if collections:
        begin_backup(collections)
    backups_at_work()
    backups = console().backups.all()
    if not backups and not collections:
        panels.empty_state("The store is empty", "There is nothing to back up before a collection exists.")
    elif not backups:
        text = "Choose a collection above. When its archive is written, prove it: only then can it be relied on."
        panels.empty_state("No backups yet", text, icon=":material/archive:")
    with guarded("list of backups"):
        backup_list(backups, {info.name: info for info in collections})
    left, right = st.columns(2)
    with left, guarded("retention"):
        retention(backups)
    with right, guarded("server snapshots"):
        server_snapshots(collections)
    show_restore_dialog()
