"""The cards of a migration that went live: the way back for as long as it is kept, and the end of the former one."""

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.migration.records import Standing
from console_core.rollout.cutover import way_back
from console_core.runs.types import RunState
from console_core.ui import panels, session, words
from console_core.ui.alias_moves import roll_back_button
from console_core.ui.in_step import in_step
from console_core.ui.retiring import retiring


def live_now(one: Standing) -> None:
    """What answers, the way back, and the retirement of what answered before."""
    plan, console = one.migration.plan, session.console()
    last = way_back(console.moves, plan.served_as, plan.target)
    former = last.before if last else plan.source
    left, right = st.columns(2)
    with left:
        text = f"{plan.served_as} answers from {plan.target}. {former} is still there, and so is the way back."
        there = _exists(former)
        if not there:
            text = f"{plan.served_as} answers from {plan.target}. {former} is gone, and with it the way back."
        with panels.card("Live", caption=words.plain(text)):
            in_step(plan.target, key="target")
            if there:
                in_step(former, key="former")
                roll_back_button(plan.served_as, plan.target)
    if there:
        with right, panels.card("Retire the former collection", caption="Not before you are sure of the new one."):
            retiring(former)


def retired(one: Standing) -> None:
    """It is over."""
    plan, ledger = one.migration.plan, session.console().ledger
    ended = ledger.runs(kinds=("retire",), migration=one.migration.id, states=(RunState.SUCCEEDED,), limit=1)
    told = "".join(f" {run.target} was retired by {run.created_by}, {session.when(run.finished_at)}." for run in ended)
    text = f"{plan.served_as} answers from {plan.target}.{told} This migration is over."
    with panels.card("Finished", caption=words.plain(text)):
        in_step(plan.target, key="target")


def _exists(collection: str) -> bool:
    try:
        return session.console().store.describe(collection).name == collection
    except CollectionNotFound:
        return False
