"""How busy each stage of a run is, and which one limits it: told by the ledger alone, at every tick."""

from dataclasses import replace

import streamlit as st

from console_core.database import now
from console_core.engine.gpu import Card
from console_core.engine.limit import limit, percent
from console_core.engine.meter import Stage
from console_core.engine.pace import Load, Pace
from console_core.migration.reembed import DECODERS
from console_core.runs.types import EMBEDDING, WORKING, Run
from console_core.runs.wording import decoded
from console_core.ui import session, words

SHOWN = frozenset({*EMBEDDING, "catch_up"})
"""The kinds of runs that have a pace."""
OLD = 15.0
"""Seconds after which the pace of a working run says how old it is: the run waits, or makes a long step."""
_TITLES = {Stage.READ: "Read", Stage.DECODE: "Decode", Stage.DEVICE: "Forward pass", Stage.WRITE: "Write"}


def run_pace(run: Run, *, details: bool = True) -> None:
    """The limit in one sentence, and a bar for each stage; with `details` also what it takes of the machine.

    Of a run that works it is about the last seconds, of another one about its last attempt. Nothing is drawn for kinds
    of runs that embed no picture.
    """
    if run.kind not in SHOWN:
        return
    works, recorded = run.state in WORKING, session.console().ledger.pace(run.id)
    if recorded is None:
        if works:
            st.caption(":material/speed: Which stage limits it shows after the first batches.")
        return
    pace = Pace.from_json(recorded.pace)
    stretch = pace.recent if works else pace.overall
    st.markdown(f":gray[:material/speed:] **{words.plain(limit(pace, ended=not works))}**")
    with st.grid(4, min_column_width=150):
        for stage, load in stretch.loads.items():
            _stage(stage, load, marked=stage is stretch.busiest)
    if details:
        counted = (run.result or {}).get(DECODERS)  # of all attempts, and as the run's facts have it
        told = replace(pace, decoders=counted) if counted else pace
        st.caption("  \n".join(words.plain(line) for line in described(told, stated=run.spec.get("memory", 0))))
    for note in pace.notes:
        st.caption(f":material/info: {words.plain(note)}")
    age = (now() - recorded.at).total_seconds()
    if works and age > OLD:
        st.caption(f":material/schedule: Measured {words.ago(recorded.at)}.")


def _stage(stage: Stage, load: Load, *, marked: bool) -> None:
    title = _TITLES[stage]
    with st.container(gap="xxsmall"):
        st.progress(load.busy, text=f"**{title}**" if marked else title)
        st.caption(words.plain(f"{percent(load.busy)} busy · {words.rate(load.rate)}"))


def described(pace: Pace, *, stated: int = 0) -> list[str]:
    """Where it runs and how, who decodes, memory, and graphics cards: one line each.

    `stated` is what the preflight said that the run takes of memory, in bytes; 0: what its pipeline says of itself.
    """
    lines = [f"On {pace.where} · {pace.device} · {pace.mode} mode · batches of {words.count(pace.batch, 'picture')}"]
    if pace.decoders:
        lines.append(f"Decoded: {decoded(pace.decoders)}")
    more = max(pace.memory - pace.memory_before, 0)
    lines.append(
        f"Memory: {words.size(pace.memory)} taken, {words.size(more)} more than before the run · "
        f"stated: at most {words.size(stated or pace.bound)} more"
    )
    return [*lines, *(_card(card) for card in pace.cards)]


def _card(card: Card) -> str:
    busy = f"{percent(card.busy)} busy, " if card.busy is not None else ""
    return f"{card.name}: {busy}{words.size(card.taken)} of {words.size(card.memory)} taken"
