"""Every backup, by collection: what it is worth, and what can be done with it."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

import streamlit as st

from console_core.backup import since
from console_core.backup.backups import Backup, BackupState
from console_core.backup.requests import busy
from console_core.backup.restoring import Restore
from console_core.runs.types import RunState
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.backups.restoring import ask_for_restore
from console_core.ui.backups.words import STATES
from console_core.ui.permission import command_button, denied
from console_core.vectorstore.types import CollectionInfo
from console_core.web.backups import backup_url

MOST = 20
"""Backups of one collection that are drawn."""


def backup_list(backups: Sequence[Backup], collections: Mapping[str, CollectionInfo]) -> None:
    """A card for each collection, that with the newest backup first."""
    newest = {backup.collection: place for place, backup in reversed(list(enumerate(backups)))}
    ordered = sorted(backups, key=lambda backup: newest[backup.collection])
    for name, group in groupby(ordered, key=lambda backup: backup.collection):
        own = list(group)
        title = words.plain(name) or "Unknown collection"
        caption = f"{words.count(len(own), 'backup')}, {words.size(sum(one.bytes for one in own))} on disk"
        with panels.card(title, caption=caption, key=f"backups-of-{name}"):
            for backup in own[:MOST]:
                _row(backup, collections.get(name), only=_is_only(backup, own))
            if len(own) > MOST:
                st.caption(f"{len(own) - MOST:,} older ones are not shown; `embedding-console backups` lists all.")


def _is_only(backup: Backup, own: Sequence[Backup]) -> bool:
    return backup.proven and sum(one.proven for one in own) == 1


def _row(backup: Backup, info: CollectionInfo | None, *, only: bool) -> None:
    run = busy(session.console().ledger, backup.id)
    with st.container(border=True, gap="small", key=f"backup-{backup.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="stretch"):
                st.markdown(f"**{words.plain(session.when(backup.taken_at))}**", width="content")
                panels.state_badge(STATES[backup.state])
            with st.container(horizontal=True, width="content", horizontal_alignment="right"):
                _buttons(backup, only=only, blocked=run is not None)
        st.caption(words.plain(_facts(backup)))
        if backup.state is BackupState.UNFINISHED:
            told = f"Run {run.id} ({run.state}) writes it." if run else "It was never finished, and its run is over."
            st.caption(words.plain(told))
        elif backup.problem:
            st.markdown(f":orange[:material/warning:] {words.plain(backup.problem)}")
        if backup.manifest is not None:
            written = since.known_writes(backup.manifest, info, session.console().ledger)
            if written:
                st.caption(f":material/edit: {words.plain(written)} The backup does not have that.")
            if backup.manifest.changed_meanwhile:
                st.caption(":material/edit: Points came or went while it was read, so it is not a view of one moment.")
            _restored(backup)


def _restored(backup: Backup) -> None:
    """Where it was restored into last, if that is still there."""
    console = session.console()
    done = console.ledger.runs(kinds=(Restore.kind,), states=(RunState.SUCCEEDED,), limit=100)
    last = next((run for run in done if run.spec.get("backup") == backup.id), None)
    if last is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"restored-{backup.id}"):
            st.caption(f":material/check: Restored {words.plain(session.when(last.finished_at))} into", width="content")
            navigation.link("collections", last.target, collection=last.target)


def _facts(backup: Backup) -> str:
    parts = [words.count(backup.points, "point")] if backup.manifest else []
    parts.append(words.size(backup.bytes))
    if backup.proof is not None and backup.proof.holds:
        parts.append(f"proven {session.when(backup.proof.at)} by {backup.proof.by or 'the console'}, 0 differences")
    return " · ".join([*parts, backup.id])


def _buttons(backup: Backup, *, only: bool, blocked: bool) -> None:
    if backup.finished:
        if not backup.proven:
            _prove(backup, blocked=blocked)
        if command_button("Restore…", "restore", key=f"restore-{backup.id}", icon=":material/settings_backup_restore:"):
            ask_for_restore(backup)
            st.rerun()
        st.link_button(
            "Download",
            backup_url(backup.id),
            icon=":material/download:",
            help="One tar file with the manifest, the parts and the proof.",
        )
    reason = denied("delete_backup")
    st.button(
        "Delete…",
        icon=":material/delete:",
        key=f"delete-{backup.id}",
        type="tertiary",
        disabled=blocked or bool(reason),
        help=reason or ("A run uses it." if blocked else None),
        on_click=confirm.ask,
        args=(_deletion(backup, only=only),),
    )


def _prove(backup: Backup, *, blocked: bool) -> None:
    if command_button(
        "Prove",
        "prove",
        key=f"prove-{backup.id}",
        icon=":material/verified:",
        disabled=blocked,
        help="Restores it into a scratch collection, compares every point, and deletes the scratch.",
    ):
        session.act("prove", backup=backup.id, done=f"Proving {backup.id}.")
        st.rerun()


def _deletion(backup: Backup, *, only: bool) -> confirm.Question:
    what = f"The archive of **{words.plain(backup.collection)}**, taken {words.plain(session.when(backup.taken_at))}, "
    what += f"is removed from the disk ({words.size(backup.bytes)}). The collection itself is not touched."
    if only:
        what += f"\n\n**It is the only proven backup of {words.plain(backup.collection)}.**"
    unfinished = backup.state in (BackupState.UNFINISHED, BackupState.DAMAGED)
    return confirm.Question(
        title="Delete this backup?",
        text=what,
        action="Delete backup",
        do=partial(session.act, "delete_backup", backup=backup.id, done=f"{backup.id} is deleted."),
        typed="" if unfinished else backup.collection,
        icon=":material/delete:",
        keep="Keep it",
    )
