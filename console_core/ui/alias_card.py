"""One alias: what it serves, since when and by whom, the way back, and the collections that it could be moved to."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from console_core.migration.plan import MigrationPlan
from console_core.rollout.cutover import Gate, way_back
from console_core.rollout.records import Move
from console_core.ui import navigation, panels, session, words
from console_core.ui.alias_moves import cut_over_button, cut_over_gate, roll_back_button
from console_core.ui.in_step import in_step
from console_core.ui.shared_traffic import shared_traffic
from console_core.vectorstore.types import CollectionInfo


def alias_card(
    alias: str, serving: CollectionInfo, others: Sequence[CollectionInfo], moves: Sequence[Move], *, first: bool
) -> None:
    """Draw it. `others` are all other collections, `moves` those of this alias, the newest first.

    The `first` card of a page has its primary button, where a collection is ready.
    """
    with panels.card(words.plain(alias), aside=_live, key=f"alias-{alias}"):
        left, right = st.columns([2, 3], gap="large")
        with left:
            _serving(alias, serving, moves)
        with right:
            st.markdown("**Could be moved to**")
            _candidates(alias, serving, others, primary=first)


def _live() -> None:
    st.badge("Live", icon=":material/bolt:", color="green", help="Applications that search this alias get answers.")


def _serving(alias: str, serving: CollectionInfo, moves: Sequence[Move]) -> None:
    brought = next((move for move in moves if move.after == serving.name), None)
    since = (
        f"{session.when(brought.at)}, by {brought.actor} ({brought.kind})" if brought else "before the console knew it"
    )
    panels.details(
        {
            "Answers from": serving.name,
            "Model": serving.stamp.model if serving.stamp else "unknown model",
            "Points": f"{serving.points:,}",
            "Since": since,
        },
        alt=f"What {alias} serves",
    )
    shared_traffic(alias, serving.name)
    if (last := way_back(session.console().moves, alias, serving.name)) is not None:
        in_step(last.before, key=f"back-{alias}")
    roll_back_button(alias, serving.name)


def _candidates(alias: str, serving: CollectionInfo, others: Sequence[CollectionInfo], *, primary: bool) -> None:
    candidates = [(info, cut_over_gate(info.name, serving.name)) for info in others if _is_candidate(alias, info)]
    candidates.sort(key=lambda pair: not pair[1].open)
    if not candidates:
        st.caption("Nothing yet. A migration builds a collection that this alias can be moved to.")
        navigation.link("migrations", "New migration", icon=":material/add:", view="new", served=alias)
    for place, (info, found) in enumerate(candidates):
        _candidate(alias, serving, info, found, primary=primary and found.open and place == 0)


def _is_candidate(alias: str, info: CollectionInfo) -> bool:
    """A stamped collection that was built for this alias, or was built elsewhere and verified here."""
    if info.stamp is None:
        return False
    ledger = session.console().ledger
    builds = ledger.runs(kinds=("reembed",), target=info.name)
    built = any(MigrationPlan.from_json(run.spec).served_as == alias for run in builds)
    return built or (not builds and bool(ledger.runs(kinds=("verify",), target=info.name, limit=1)))


def _candidate(alias: str, serving: CollectionInfo, info: CollectionInfo, found: Gate, *, primary: bool) -> None:
    with st.container(border=True, gap="small", key=f"candidate-{alias}-{info.name}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{words.plain(info.name)}**", width="content")
            if found.open:
                st.badge("Verified", icon=":material/verified:", color="green")
            else:
                st.badge("Locked", icon=":material/lock:", color="orange")
        model = info.stamp.model if info.stamp else ""
        checked = f", verified {session.when(found.verdict.finished_at)}" if found.verdict else ""
        st.caption(words.plain(f"{model} · {words.count(info.points, 'point')}{checked}"))
        cut_over_button(
            alias, serving.name, info.name, found, primary=primary, beside=partial(_its_migration, info.name)
        )


def _its_migration(collection: str) -> None:
    builds = session.console().ledger.runs(kinds=("reembed",), target=collection, limit=1)
    if builds and builds[0].migration:
        navigation.link("migrations", "Its migration", migration=builds[0].migration)
