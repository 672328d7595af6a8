"""Bring one collection to a proven backup: where it stands, the one button that comes next, and its progress."""

from typing import Literal

import streamlit as st

from console_core.backup import requests, since
from console_core.backup.backups import Backup
from console_core.runs.types import Run
from console_core.ui import frame, session, words
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, run_row
from console_core.vectorstore.types import CollectionInfo


def has_proven(info: CollectionInfo) -> bool:
    """Whether its newest backup is proven, and nothing is known to have been written since."""
    backup = _newest(info)
    return backup is not None and backup.proven and not _written(info, backup)


def proven_backup(info: CollectionInfo, *, primary: bool) -> None:
    """Draw it."""
    backup = _newest(info)
    if (run := _at_work(info, backup)) is not None:
        _until_it_ends(run)
        return
    written = _written(info, backup) if backup else ""
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if backup is None or written:
        said = f"{written} The backup of {session.when(backup.taken_at)} does not have that." if backup else "None yet."
        st.caption(words.plain(said))
        if command_button("Back up", "back_up", key=f"back-up-{info.name}", icon=":material/archive:", kind=kind):
            session.act("back_up", collection=info.name, done=f"Backing {info.name} up.")
            st.rerun()
        return
    st.caption(words.plain(_about(backup)))
    if not backup.proven and command_button(
        "Prove the backup", "prove", key=f"prove-{backup.id}", icon=":material/verified:", kind=kind
    ):
        session.act("prove", backup=backup.id, done=f"Proving {backup.id}.")
        st.rerun()


def _about(backup: Backup) -> str:
    held = f"{words.count(backup.points, 'point')}, {words.size(backup.bytes)}, taken {session.when(backup.taken_at)}"
    if backup.proven:
        return f"{held}; restored and compared, 0 differences. Nothing is known to have been written since."
    return f"{held}. {backup.problem or 'It counts once a restore of it was compared with it.'}"


def _newest(info: CollectionInfo) -> Backup | None:
    """The newest finished backup; the newest proven one where nothing was written since that."""
    console = session.console()
    proven = console.backups.newest_proven(info.name)
    if proven is not None and not _written(info, proven):
        return proven
    return next((backup for backup in console.backups.all(info.name) if backup.finished), None)


def _written(info: CollectionInfo, backup: Backup) -> str:
    return since.known_writes(backup.manifest, info, session.console().ledger) if backup.manifest else ""


def _at_work(info: CollectionInfo, backup: Backup | None) -> Run | None:
    ledger = session.console().ledger
    runs = ledger.runs(kinds=("backup",), target=info.name, states=requests.UNFINISHED, limit=1)
    return runs[0] if runs else requests.busy(ledger, backup.id) if backup else None


def _until_it_ends(run: Run) -> None:
    def run_of_backup() -> None:
        current = session.console().ledger.get(run.id)
        if current.state is not run.state:
            st.rerun()
        run_row(current)

    frame.live(run_of_backup, every=TICK)
