"""One migration on one page: the stepper, what to do next, what was found and done."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from console_core.errors import StoreError
from console_core.migration.plan import MigrationPlan
from console_core.migration.records import Migration, Stage, Standing
from console_core.migration.reembed import DECODERS
from console_core.rollout.records import Move, MoveKind
from console_core.runs.types import RunState
from console_core.runs.wording import decoded
from console_core.ui import frame, panels, session, words
from console_core.ui.alias_moves import cut_over_gate
from console_core.ui.migration import journal, stages
from console_core.ui.migration.in_place import passes_its_name
from console_core.ui.migration.next_step import next_step
from console_core.ui.migration.stepper import stepper
from console_core.ui.run_counts import counts_row
from console_core.ui.tuning import in_force
from console_core.ui.verification.asking import verify_buttons
from console_core.ui.verification.verdict import verdict
from console_core.vectorstore.tuning import index_text, quantization_text


def migration_view(migration: Migration) -> None:
    """Draw it as it stands now."""
    console = session.console()
    (one,) = console.standings([migration])
    moves = [move for move in console.moves.of(migration.plan.served_as) if move.migration == migration.id]
    plan, badge = migration.plan, partial(panels.state_badge, stages.WORDS[one.stage])
    with panels.card(words.plain(plan.title), caption=words.plain(f"{plan.source} → {plan.target}"), aside=badge):
        paused = one.stage is Stage.STOPPED and one.build is not None and one.build.state is RunState.PAUSED
        drawn = stages.steps(one.stage, _notes(one, moves), paused=paused, in_place=plan.in_place)
        stepper(drawn, key=migration.id)
    if one.stage is Stage.ROLLED_BACK and moves:
        back = f"{moves[0].actor} rolled {migration.plan.served_as} back {session.when(moves[0].at)}. "
        st.info(
            words.plain(f"{back}The new collection is still there, and can be cut over again."), icon=":material/undo:"
        )
    next_step(one)
    with frame.guarded("what was found"):
        _found(one)
    left, right = st.columns([1, 2])
    with left, panels.card("Plan"):
        _plan(migration)
    with right, panels.card("Journal of this migration"):
        journal.journal_table(journal.lines(migration))


def _found(one: Standing) -> None:
    built = one.build is not None and one.build.state is RunState.SUCCEEDED
    if one.verify is not None and one.verify.state is RunState.SUCCEEDED and one.stage is not Stage.BUILT:
        over = one.stage in (Stage.LIVE, Stage.RETIRED)
        reasons = () if over else cut_over_gate(one.migration.plan.target, one.serves).reasons
        with panels.card(
            "Verification", aside=None if over or reasons or passes_its_name(one) else partial(_again, one)
        ):
            verdict(one.verify, stale=reasons, explained=True)
    if built and one.build is not None:
        with panels.card("Build"):
            counts_row(one.build, link=True)
            if decoders := decoded((one.build.result or {}).get(DECODERS, {})):
                st.caption(f"Decoded in {one.migration.plan.mode} mode: {words.plain(decoders)}.")


def _again(one: Standing) -> None:
    verify_buttons(one.migration.plan.target, label="Verify again", migration=one.migration.id, primary=False)


def _plan(migration: Migration) -> None:
    plan = migration.plan
    panels.details(
        {
            "Searched as": plan.served_as + (", recreated in place" if plan.in_place else ""),
            "Former collection": plan.source,
            "New collection": plan.target,
            "Model": plan.model,
            "Fingerprint": words.digest(plan.fingerprint),
            "Dimension": f"{plan.dimension:,}, {plan.distance}",
            "Pictures": slice_words(plan),
            "Decoding mode": plan.mode.value,
            **_settings(plan),
            "Batch size": words.count(plan.batch_size, "picture"),
            "Begun": f"{session.when(migration.created_at)}, by {migration.created_by}",
        },
        alt="Plan of the migration",
    )


def _settings(plan: MigrationPlan) -> Mapping[str, str]:
    """How the new collection is tuned: once it is there as the store has it, beside what was planned."""
    store = session.console().store
    try:
        found = store.describe(plan.target)
    except StoreError:
        return {"Index": index_text(plan.index), "Quantization": quantization_text(plan.quantization)}
    return in_force(found, store.info(), (plan.index, plan.quantization))


def slice_words(plan: MigrationPlan) -> str:
    """Which pictures a plan chose."""
    if plan.part.is_everything:
        return "everything"
    chosen = [f"{facet}: {', '.join(value or 'none' for value in of)}" for facet, of in plan.part.filters.items()]
    chosen += [words.count(len(plan.part.keys), "chosen picture")] if plan.part.keys is not None else []
    return "; ".join(chosen)


def _notes(one: Standing, moves: list[Move]) -> dict[str, str]:
    notes = {"Plan": words.ago(one.migration.created_at)}
    if one.build is not None:
        counts = one.build.counts
        notes["Build"] = f"{counts.done:,} embedded" if one.build.state is RunState.SUCCEEDED else str(one.build.state)
    if one.verify is not None and one.stage is not Stage.BUILT:
        told = {"green": "passed", "red": "did not pass"}
        notes["Verify"] = told.get(str((one.verify.result or {}).get("verdict")), str(one.verify.state))
    if moves:
        back = "rolled back " if moves[0].kind is MoveKind.ROLLED_BACK else ""
        notes["Recreate" if one.migration.plan.in_place else "Cut over"] = back + words.ago(moves[0].at)
    if one.stage is Stage.LIVE:
        notes["Retire"] = "once you are sure"
    return notes
