"""The manners of a run, or those of all runs: shown, changed, and what they cost so far in waiting."""

from datetime import time

import streamlit as st

from console_core.errors import Refused
from console_core.runs.manners import MOST_BATCH, Hours, Manners, server_clock
from console_core.runs.manners_records import DEFAULTS
from console_core.runs.types import TERMINAL, Run
from console_core.runs.wording import counted
from console_core.ui import panels, session, words
from console_core.ui.permission import command_button

NIGHT = Hours(time(22), time(6))
"""What is offered first where a person wants to choose hours."""


def run_manners(run: Run) -> None:
    """The card of one run; nothing where it is finished."""
    if run.state in TERMINAL:
        return
    records = session.console().ledger.manners
    own, now = records.own(run.id), records.of(run.id)
    whose = "This run has its own." if own else "It follows the defaults; what you change here is its own."
    with panels.card("Manners", caption=f"How it behaves towards others, from its next step on. {whose}"):
        planned = run.spec.get("batch_size")
        wanted = _fields(now, f"{run.id}-{hash(now):x}", counted(run.kind), planned)
        with st.container(horizontal=True, vertical_alignment="center"):
            _apply(run.id, now, wanted, f"{run.title} has new manners.")
            if own and command_button("Follow the defaults", "set_manners", key="follow", icon=":material/undo:"):
                session.act("set_manners", run=run.id, manners=None, done=f"{run.title} follows the defaults.")
                st.rerun()


def default_manners() -> None:
    """Those of every run that has none of its own, folded away."""
    now = session.console().ledger.manners.of(DEFAULTS)
    with st.expander(f"Manners for all runs: {_short(now)}", icon=":material/tune:", key="defaults"):
        st.caption("They hold at once for every run that has no manners of its own, those that work included.")
        wanted = _fields(now, f"defaults-{hash(now):x}", "pictures", None, batches=True)
        _apply(DEFAULTS, now, wanted, "The defaults are changed.")


def waited(run: Run) -> None:
    """How long a run waited so far and for what; nothing where it never had to."""
    seconds = session.console().ledger.waits.of(run.id)
    if round(sum(seconds.values())):
        parts = ", ".join(f"{cause} {words.duration(spent)}" for cause, spent in seconds.items() if round(spent))
        total = words.duration(sum(seconds.values()))
        st.caption(f":material/hourglass_empty: Waited {words.plain(total)} so far: {words.plain(parts)}.")


def _fields(now: Manners, key: str, unit: str, planned: int | None, *, batches: bool = False) -> Manners | None:
    """The fields, filled with what holds now; what they say, or None where that cannot be kept."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"manners-{key}"):
        batch: int | None = now.batch_size
        if planned or batches:
            batch = st.number_input(
                "Batch size",
                min_value=1,
                max_value=MOST_BATCH,
                value=now.batch_size or None,
                placeholder=f"As planned: {planned}" if planned else "As planned",
                key=f"batch-{key}",
                width=150,
                help="Pictures in one write. It changes how fast the run is, never what it makes.",
            )
        rate = st.number_input(
            f"Most {unit} a second",
            min_value=0.01,
            value=now.rate or None,
            step=1.0,
            format="%g",
            placeholder="No limit",
            key=f"rate-{key}",
            width=210,
        )
        chosen = st.toggle("Only at certain hours", value=now.hours is not None, key=f"limited-{key}")
        polite = st.toggle(
            "Yield to searches",
            value=now.polite,
            key=f"polite-{key}",
            help="Waits while somebody searches through this console, and two seconds longer; at most 30 s at a time.",
        )
    hours = now.hours or NIGHT
    if chosen:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            opens = st.time_input("From", hours.opens, key=f"opens-{key}", width=150)
            closes = st.time_input("Until", hours.closes, key=f"closes-{key}", width=150)
            st.caption(f"By the server's clock: it is {server_clock():%H:%M %Z} there now.", width="content")
    try:
        return Manners(batch or 0, rate or 0.0, polite, Hours(opens, closes) if chosen else None)
    except Refused as error:
        st.caption(f":red[:material/error:] {words.plain(error.message)} {words.plain(error.remedy)}")
        return None


def _apply(run_id: str, now: Manners, wanted: Manners | None, done: str) -> None:
    pressed = command_button(
        "Apply",
        "set_manners",
        key=f"apply-{run_id or 'defaults'}",
        kind="primary" if wanted not in (None, now) else "secondary",
        icon=":material/check:",
        disabled=wanted in (None, now),
        help="Nothing is changed yet." if wanted == now else "",
    )
    if pressed and wanted is not None:
        session.act("set_manners", run=run_id, manners=wanted, done=done)
        st.rerun()


def _short(manners: Manners) -> str:
    said = [f"batches of {manners.batch_size}"] if manners.batch_size else []
    said += [f"at most {manners.rate:g}/s"] if manners.rate else []
    said += ["yield to searches"] if manners.polite else []
    said += [f"{manners.hours}"] if manners.hours else []
    return ", ".join(said) or "no limits"
