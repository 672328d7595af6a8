"""How the encoders of what is about to be asked stand, and whether that lets it be asked."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from console_core.querylab.encoder_report import Level
from console_core.ui import navigation, session, words
from console_core.ui.encoder_state import CHECKED, FAULTY, Encoder, check_button, encoder_of
from console_core.ui.live_run import live_run


@dataclass(frozen=True, slots=True)
class Allowed:
    """Whether the encoders let a query set be asked; `unchecked`: a person asks though one was found faulty."""

    may_ask: bool
    unchecked: bool = False


def encoders_allow(collections: Mapping[str, str]) -> Allowed:
    """A line for each collection, by its real name and as it was chosen, with a button that begins a check. One whose
    newest check is red is asked only by a tick; one without a check, or with one that is out of date, warns."""
    found = [encoder_of(name, chosen) for name, chosen in collections.items()]
    for encoder in found:
        _line(encoder)
    faulty = [encoder for encoder in found if encoder.word is FAULTY]
    open_ones = [encoder for encoder in found if encoder.word not in (FAULTY, CHECKED)]
    if open_ones:
        st.warning(
            words.plain(
                f"Whether the model of {_and(open_ones)} is fed rightly is not known. One that is fed wrongly answers "
                "worse, and no judge tells it from one that is worse. The answers keep how each encoder stood, and the "
                "verdict says so."
            ),
            icon=":material/help:",
        )
    if not faulty:
        return Allowed(may_ask=True)
    anyway = st.checkbox(
        words.plain(f"Ask {_and(faulty)} anyway: what is judged may be that fault, and no property of a model"),
        key="ask-unchecked",
    )
    return Allowed(may_ask=anyway, unchecked=anyway)


def _line(encoder: Encoder) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{words.badge(encoder.word)} **{words.plain(encoder.title)}**", width="content")
        st.caption(words.plain(_said(encoder)), width="content")
        now = encoder.standing
        if now is not None:
            navigation.link("runs", "What was found", run=now.run.id)
        wanted = encoder.word is not CHECKED and encoder.under_way is None
        if wanted and check_button(encoder, key=f"ask-check-{encoder.collection}"):
            st.rerun()
    if encoder.under_way is not None:
        with st.container(border=True):
            live_run(encoder.under_way)


def _said(encoder: Encoder) -> str:
    now = encoder.standing
    if now is None:
        return "never checked" if encoder.under_way is None else "is being checked"
    faults = dict.fromkeys(finding.title for finding in now.report.findings if finding.level is Level.RED)
    return ". ".join(
        [*faults, *(reason.rstrip(".") for reason in now.stale), f"Checked {session.when(now.run.finished_at)}"]
    )


def _and(some: list[Encoder]) -> str:
    return words.listed([encoder.title for encoder in some])
