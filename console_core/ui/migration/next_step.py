"""The card of the stage at which a migration stands: what it means, and the one thing to do next."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.migration.records import Stage, Standing
from console_core.runs.types import RESUMABLE, Run, RunState
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.alias_moves import cut_over_button, cut_over_gate, roll_back_button
from console_core.ui.glance import glance
from console_core.ui.in_step import in_step
from console_core.ui.live_run import live_run
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, cancel_button
from console_core.ui.verification.asking import explain_modes, verify_buttons
from console_core.ui.verification.repairing import repair_button, unfinished_repair
from console_core.ui.wizard.introduction import reminder


def next_step(one: Standing) -> None:
    """Draw it."""
    with frame.guarded("next step"):
        if one.stage in _NEEDS_TARGET and not _exists(one.migration.plan.target):
            _vanished(one)
        else:
            _CARDS[one.stage](one)


def _exists(collection: str) -> bool:
    try:
        session.console().store.describe(collection)
    except CollectionNotFound:
        return False
    return True


def _vanished(one: Standing) -> None:
    plan = one.migration.plan
    with panels.card(f"{words.plain(plan.target)} is gone"):
        st.markdown(
            f"Somebody deleted the collection that was built. Searches are not touched: **{words.plain(plan.alias)}** "
            f"answers from **{words.plain(one.serves or 'nothing')}**. Build it again with the same choices."
        )
        _again(one)


def _building(one: Standing) -> None:
    assert one.build is not None
    text = "You can close this page: the build goes on, and everybody sees it on the Runs page."
    with panels.card(f"Building {one.migration.plan.target}", caption=words.plain(text)):
        live_run(one.build)


def _verifying(one: Standing) -> None:
    run = one.verify
    assert run is not None
    if run.state in RESUMABLE:
        _stopped_run(run, "verification")
    elif run.state is RunState.INVALID:
        _refuted(one)
    else:
        text = "Every point is checked against the catalog, and a sample of pictures is embedded again."
        with panels.card(f"Verifying {one.migration.plan.target}", caption=words.plain(text)):
            live_run(run)


def _stopped(one: Standing) -> None:
    assert one.build is not None
    if one.build.state in RESUMABLE:
        _stopped_run(one.build, "build")
        return
    with panels.card(f"The build is {one.build.state}", caption=words.plain(one.build.reason)):
        st.caption(words.plain(one.build.remedy))
        _again(one)


def _stopped_run(run: Run, what: str) -> None:
    with panels.card(f"The {what} is {run.state}", caption="Nothing is lost: it goes on from its checkpoint."):
        st.markdown(words.plain(f"{run.reason} {run.remedy}"))
        _until_it_goes_on(run)
        with st.container(horizontal=True, vertical_alignment="center"):
            if command_button("Resume", "resume", key="resume-run", icon=":material/play_arrow:", kind="primary"):
                session.act("resume", run=run.id, done=f"The {what} continues.")
                st.rerun()
            cancel_button(run)
            navigation.link("runs", "Details of this run", run=run.id)


def _until_it_goes_on(run: Run) -> None:
    """Where it stands; the whole page runs again when somebody resumes or cancels it."""

    def stopped_progress() -> None:
        current = session.console().ledger.get(run.id)
        if current.state is not run.state:
            st.rerun()
        panels.progress(current.counts, fraction=glance(current).fraction)

    frame.live(stopped_progress, every=TICK)


def _built(one: Standing) -> None:
    text = "Every point is compared with the catalog, and pictures are embedded again. Nothing is written."
    with panels.card("Next: verify the new collection", caption=text):
        failed = one.verify is not None and one.verify.state is RunState.FAILED
        if failed and one.verify is not None:
            st.warning(words.plain(f"{one.verify.reason} {one.verify.remedy}"), title="The last try failed")
        with st.container(horizontal=True, vertical_alignment="center"):
            _verify(one, "Verify again" if failed else "Verify")
        _modes(one)


def _refuted(one: Standing) -> None:
    plan = one.migration.plan
    if (repair := unfinished_repair(plan.target)) is not None:
        _repairing(repair)
        return
    text = "The alias stays where it is. Look below at what differs: one click repairs it and verifies again."
    with panels.card("The verification did not pass", caption=text):
        found = cut_over_gate(plan.target, one.serves)
        again = partial(_repair_or_verify, one)
        if found.acceptable and one.serves:
            cut_over_button(plan.alias, one.serves, plan.target, found, migration=one.migration.id, beside=again)
        else:
            for reason in found.reasons:
                st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
            with st.container(horizontal=True, vertical_alignment="center"):
                again()


def _repairing(repair: Run) -> None:
    if repair.state in RESUMABLE:
        _stopped_run(repair, "repair")
        return
    text = "What differs is embedded again or deleted. Then the collection is verified again by itself."
    with panels.card(f"Repairing {repair.target}", caption=words.plain(text)):
        live_run(repair)


def _repair_or_verify(one: Standing) -> None:
    repairs = one.verify is not None and repair_button(one.verify)
    _verify(one, "Verify again", primary=not repairs)


def _verify(one: Standing, label: str, *, primary: bool = True) -> None:
    verify_buttons(one.migration.plan.target, label=label, migration=one.migration.id, primary=primary)


def _modes(one: Standing) -> None:
    plan = one.migration.plan
    explain_modes(session.console().store.count(plan.target), plan.model)


def _ready(one: Standing) -> None:
    plan = one.migration.plan
    left, right = st.columns(2)
    with left, panels.card("Judge", caption="Type what your users type, and see both models side by side."):
        st.markdown("Hover a picture to see where the other model ranks it, and judge for yourself.")
        if st.button("Compare both in the Query lab", icon=":material/manage_search:", key="judge"):
            navigation.go("query_lab", columns=[one.serves or plan.source, plan.target])
    with right, panels.card("Cut over", caption="The alias moves in one atomic call."):
        if not one.serves:
            st.warning(f"The alias {words.plain(plan.alias)} is not there any more.", icon=":material/link_off:")
            return
        reminder(plan.alias)
        in_step(plan.target, key="target")
        found = cut_over_gate(plan.target, one.serves)
        again = partial(_verify, one, "Verify again", primary=not found.open)
        cut_over_button(
            plan.alias,
            one.serves,
            plan.target,
            found,
            migration=one.migration.id,
            primary=found.open,
            beside=again,
        )


def _live_now(one: Standing) -> None:
    plan = one.migration.plan
    text = f"{plan.alias} answers from {plan.target}. The former collection is still there, and so is the way back."
    with panels.card("Live", caption=words.plain(text)):
        in_step(plan.target, key="target")
        in_step(plan.source, key="source")
        roll_back_button(plan.alias, plan.target)


def _cancelled(one: Standing) -> None:
    reason = one.build.reason if one.build else "It has no build run."
    with panels.card("Cancelled", caption=words.plain(reason)):
        _again(one)


def _again(one: Standing) -> None:
    if st.button("Start a new one", icon=":material/add:", type="primary", key="again"):
        plan = one.migration.plan
        only = {f"only.{facet}": list(values) for facet, values in plan.part.filters.items()}
        st.query_params.from_dict({"view": "new", "served": plan.alias, "model": plan.model, **only})
        st.rerun()


_NEEDS_TARGET = (
    Stage.BUILT,
    Stage.VERIFYING,
    Stage.REFUTED,
    Stage.READY,
    Stage.ROLLED_BACK,
    Stage.SUPERSEDED,
)
_CARDS: Mapping[Stage, Callable[[Standing], None]] = {
    Stage.BUILDING: _building,
    Stage.VERIFYING: _verifying,
    Stage.STOPPED: _stopped,
    Stage.BUILT: _built,
    Stage.REFUTED: _refuted,
    Stage.READY: _ready,
    Stage.LIVE: _live_now,
    Stage.ROLLED_BACK: _ready,
    Stage.SUPERSEDED: _ready,
    Stage.CANCELLED: _cancelled,
}
