"""What is done about failed pictures: retry, quarantine, release, and export."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from console_core.runs.failures_csv import csv_lines
from console_core.runs.types import Run
from console_core.ui import session, words
from console_core.ui.permission import command_button
from console_core.ui.session import act
from console_core.vectorstore.types import CollectionInfo


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows that are selected, the class that is looked at ("": all), and how many pictures that has."""

    keys: tuple[str, ...]
    kind: str
    number: int


def actions(info: CollectionInfo, chosen: Chosen, *, held: bool, done: Callable[[], None]) -> None:
    """The buttons, for the selected rows and for the class; `held` where those in quarantine are looked at."""
    some = f"selected ({len(chosen.keys):,})" if chosen.keys else "selected"
    what = words.failure(chosen.kind).label.lower() if chosen.kind else "failed"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        nothing = not chosen.keys
        hint = "Select rows at their left edge first." if nothing else ""
        if command_button(
            f"Retry {some}", "retry", key="retry-selected", icon=":material/refresh:", disabled=nothing, help=hint
        ):
            _do("retry", info, keys=chosen.keys, done=done)
        if not held:
            label = f"Retry all {chosen.number:,} {what}"
            if command_button(label, "retry", key="retry-class", icon=":material/refresh:", kind="primary"):
                _do("retry", info, kind=chosen.kind, done=done)
        name = "release" if held else "quarantine"
        label = f"Release {some}" if held else f"Quarantine {some}"
        icon = ":material/lock_open:" if held else ":material/inventory_2:"
        if command_button(label, name, key=f"{name}-selected", icon=icon, disabled=nothing, help=hint):
            _do(name, info, keys=chosen.keys, done=done)
        if chosen.kind or held:
            label = f"{name.capitalize()} all {chosen.number:,} {what if chosen.kind else ''}".rstrip()
            if command_button(label, name, key=f"{name}-class", icon=icon):
                _do(name, info, kind=chosen.kind, done=done)


def export(info: CollectionInfo, kind: str) -> None:
    """A download of all failures, of the class that is looked at or of the collection; made when it is asked for."""
    failed = session.console().failed

    def made() -> str:
        return "".join(csv_lines(failed.all(info.name, kind=kind)))

    name = "-".join(part.replace(" ", "-") for part in (info.name, kind, "failures") if part)
    st.download_button(
        "Export CSV",
        made,
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="failures-csv",
        on_click="ignore",
        help="All of them, those in quarantine too: key, class, path, message, tries and times.",
    )


def _do(
    name: str, info: CollectionInfo, *, keys: tuple[str, ...] = (), kind: str = "", done: Callable[[], None]
) -> None:
    said = {
        "retry": lambda run: _of_retry(run),
        "quarantine": lambda number: f"{words.count(number, 'picture')} put into quarantine.",
        "release": lambda number: f"{words.count(number, 'picture')} released from quarantine.",
    }
    if act(name, collection=info.name, keys=keys, kind=kind, done=said[name]) is not None:
        done()
    st.rerun()


def _of_retry(run: Run) -> str:
    return f"Retrying {words.count(run.counts.selected, 'picture')} of {run.target}."
