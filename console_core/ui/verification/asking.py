"""Asking for a verification: with a sample, or in full and how long that takes."""

from typing import Literal

import streamlit as st

from console_core.catalog.sampling import PROBABILITY, SHARE, SIZE
from console_core.database import now
from console_core.runs.snapshot import snapshot
from console_core.runs.types import RunState
from console_core.ui import session, words
from console_core.ui.permission import command_button


def verify_buttons(collection: str, *, label: str = "Verify", migration: str = "", primary: bool = True) -> None:
    """Both buttons. For a row of buttons; `explain_modes` says what they mean."""
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    asked = {"collection": collection, "migration": migration}
    if command_button(label, "verify", key="verify", icon=":material/fact_check:", kind=kind):
        session.act("verify", **asked)
        st.rerun()
    full = "Embeds every picture again, not a sample."
    if command_button("Verify in full", "verify", key="verify-full", icon=":material/done_all:", help=full):
        session.act("verify", **asked, full=True)
        st.rerun()


def explain_modes(points: int, model: str) -> None:
    """What a sample promises, and how long a verification in full takes."""
    rate = measured_rate(model)
    takes = (
        f"about {words.duration(points / rate)} at the measured {words.rate(rate)}" if rate else "as long as a build"
    )
    if points <= SIZE:
        st.caption(f"There are few enough pictures that a verification embeds all of them again; it takes {takes}.")
        return
    st.caption(
        f"A verification compares every point with the catalog, and embeds {SIZE} pictures again, drawn at random: if "
        f"{SHARE:.0%} of the vectors were wrong, that would be found with {PROBABILITY:.0%} probability. In full, all "
        f"{points:,} are embedded again, which takes {takes}."
    )


def measured_rate(model: str) -> float | None:
    """Pictures a second that the newest run embedded which embedded all of its pictures with a model; None where there
    was none."""
    ledger = session.console().ledger
    for run in ledger.runs(kinds=("reembed", "verify"), states=(RunState.SUCCEEDED,), limit=20):
        embedded = run.kind == "reembed" or run.spec.get("full")
        if run.spec.get("model") == model and embedded and run.counts.done:
            elapsed = snapshot(run, ledger.samples(run.id), now()).elapsed
            if elapsed > 0:
                return run.counts.done / elapsed
    return None
