"""The card of the stage at which a migration stands: what it means, and the one thing to do next."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.migration.records import Stage, Standing
from console_core.runs.types import RESUMABLE, Run, RunState
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.alias_moves import cut_over_button, cut_over_gate
from console_core.ui.in_step import in_step
from console_core.ui.judging.newest import judged_links
from console_core.ui.live_run import live_run
from console_core.ui.migration.finished import live_now, retired
from console_core.ui.migration.in_place import in_place_steps, passes_its_name, unfinished_recreation
from console_core.ui.migration.stopped import stopped_run
from console_core.ui.shared_traffic import share_card
from console_core.ui.verification.asking import explain_modes, verify_buttons
from console_core.ui.verification.repairing import repair_button, unfinished_repair
from console_core.ui.wizard.draft import IN_PLACE
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
            f"{_why_gone(plan.target)} Searches are not touched: **{words.plain(plan.served_as)}** "
            f"answers from **{words.plain(one.serves or 'nothing')}**. Build it again with the same choices."
        )
        _again(one)


def _why_gone(collection: str) -> str:
    ended = session.console().ledger.runs(kinds=("retire",), target=collection, states=(RunState.SUCCEEDED,), limit=1)
    if not ended:
        return "Somebody deleted the collection that was built."
    return f"{words.plain(ended[0].created_by)} retired it {words.plain(session.when(ended[0].finished_at))}."


def _building(one: Standing) -> None:
    assert one.build is not None
    text = "You can close this page: the build goes on, and everybody sees it on the Runs page."
    with panels.card(f"Building {one.migration.plan.target}", caption=words.plain(text)):
        live_run(one.build)


def _verifying(one: Standing) -> None:
    run = one.verify
    assert run is not None
    if run.state in RESUMABLE:
        stopped_run(run, "verification")
    elif run.state is RunState.INVALID:
        _refuted(one)
    else:
        text = "Every point is checked against the catalog, and a sample of pictures is embedded again."
        with panels.card(f"Verifying {one.migration.plan.target}", caption=words.plain(text)):
            live_run(run)


def _stopped(one: Standing) -> None:
    assert one.build is not None
    if one.build.state in RESUMABLE:
        stopped_run(one.build, "build")
        return
    with panels.card(f"The build is {one.build.state}", caption=words.plain(one.build.reason)):
        st.caption(words.plain(one.build.remedy))
        _again(one)


def _recreating(run: Run) -> None:
    if run.state in RESUMABLE:
        stopped_run(run, "recreation")
        return
    text = "What the name leads to now is kept in a second collection and compared; at the very end the name passes."
    with panels.card(words.plain(run.title), caption=words.plain(text)):
        live_run(run)


def _built(one: Standing) -> None:
    failed = one.verify if one.verify is not None and one.verify.state is RunState.FAILED else None
    if failed is not None:
        st.warning(words.plain(f"{failed.reason} {failed.remedy}"), title="The last verification failed")
    label = "Verify again" if failed else "Verify"
    if passes_its_name(one):
        in_place_steps(one, lambda primary: _verify(one, label, primary=primary))
        return
    text = "Every point is compared with the catalog, and pictures are embedded again. Nothing is written."
    with panels.card("Next: verify the new collection", caption=text):
        with st.container(horizontal=True, vertical_alignment="center"):
            _verify(one, label)
        _modes(one)


def _refuted(one: Standing) -> None:
    plan = one.migration.plan
    if (repair := unfinished_repair(plan.target)) is not None:
        _repairing(repair)
        return
    text = "Searches go on as before. Look below at what differs: one click repairs it and verifies again."
    with panels.card("The verification did not pass", caption=text):
        found = cut_over_gate(plan.target, one.serves)
        again = partial(_repair_or_verify, one)
        if found.acceptable and one.serves and not passes_its_name(one):
            cut_over_button(plan.served_as, one.serves, plan.target, found, migration=one.migration.id, beside=again)
        else:
            for reason in found.reasons:
                st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
            with st.container(horizontal=True, vertical_alignment="center"):
                again()


def _repairing(repair: Run) -> None:
    if repair.state in RESUMABLE:
        stopped_run(repair, "repair")
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
    if (run := unfinished_recreation(one)) is not None:
        _recreating(run)
        return
    if passes_its_name(one):
        in_place_steps(one, lambda primary: _verify(one, "Verify again", primary=primary))
        return
    left, right = st.columns(2)
    with left, panels.card("Judge", caption="Type what your users type, and see both models side by side."):
        st.markdown("Hover a picture to see where the other model ranks it, and judge for yourself.")
        if st.button("Compare both in the Query lab", icon=":material/manage_search:", key="judge"):
            navigation.go("query_lab", columns=[one.serves or plan.source, plan.target])
        judged_links(plan.source, plan.target)
    with right, panels.card("Cut over", caption="The alias moves in one atomic call."):
        if not one.serves:
            st.warning(f"The alias {words.plain(plan.served_as)} is not there any more.", icon=":material/link_off:")
            return
        reminder(plan.served_as)
        in_step(plan.target, key="target")
        found = cut_over_gate(plan.target, one.serves)
        again = None if found.open else partial(_verify, one, "Verify again")
        cut_over_button(
            plan.served_as,
            one.serves,
            plan.target,
            found,
            migration=one.migration.id,
            primary=found.open,
            beside=again,
        )
    share_card(plan.served_as, one.serves, plan.target, found)


def _cancelled(one: Standing) -> None:
    reason = one.build.reason if one.build else "It has no build run."
    with panels.card("Cancelled", caption=words.plain(reason)):
        _again(one)


def _again(one: Standing) -> None:
    if st.button("Start a new one", icon=":material/add:", type="primary", key="again"):
        plan = one.migration.plan
        only = {f"only.{facet}": list(values) for facet, values in plan.part.filters.items()}
        way = {"switch": IN_PLACE} if plan.in_place else {}
        st.query_params.from_dict({"view": "new", "served": plan.served_as, "model": plan.model, **only, **way})
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
    Stage.LIVE: live_now,
    Stage.RETIRED: retired,
    Stage.ROLLED_BACK: _ready,
    Stage.SUPERSEDED: _ready,
    Stage.CANCELLED: _cancelled,
}
