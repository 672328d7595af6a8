"""All migrations, the newest first: where each stands, and what to do next."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.migration.records import Migration, Stage, Standing
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.glance import glance
from console_core.ui.migration import stages
from console_core.ui.migration.in_place import passes_its_name
from console_core.ui.run_rows import IDLE_TICK, TICK

MOST = 50
_MOVING = (Stage.BUILDING, Stage.VERIFYING)


def listing(migrations: Sequence[Migration], aliases: Mapping[str, str]) -> None:
    """One row for each; they refresh by themselves, from the ledger alone, the sooner while one is being worked on."""
    console = session.console()
    before = console.standings(migrations, aliases)

    def migration_rows() -> None:
        current = console.standings(migrations, aliases)
        if [one.stage for one in current] != [one.stage for one in before]:
            st.rerun()
        for one in current:
            _row(one, current)

    frame.live(migration_rows, every=TICK if any(one.stage in _MOVING for one in before) else IDLE_TICK)


def _together(one: Standing, others: Sequence[Standing]) -> str:
    """With which models a migration was begun, where they share the decoding."""
    convoy = one.migration.plan.convoy
    models = [other.migration.plan.model for other in others if other.migration.plan.convoy == convoy and other != one]
    return f", together with {' and '.join(models)}" if convoy and models else ""


def _row(one: Standing, others: Sequence[Standing]) -> None:
    migration, plan = one.migration, one.migration.plan
    with (
        st.container(border=True, key=f"migration-{migration.id}"),
        st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"),
    ):
        with st.container(width="stretch", gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{words.plain(plan.title)}**", width="content")
                panels.state_badge(stages.WORDS[one.stage])
            st.caption(
                words.plain(
                    f"{plan.source} → {plan.target} · begun by {migration.created_by}, "
                    f"{session.when(migration.created_at)}{_together(one, others)}"
                )
            )
            if one.stage is Stage.BUILDING and one.build is not None:
                seen = glance(one.build)
                st.progress(seen.fraction, text=words.plain(seen.sentence))
        navigation.link(
            "migrations",
            f"Next: {stages.next_of(one.stage, in_place=passes_its_name(one))}",
            icon=":material/arrow_forward:",
            migration=migration.id,
        )
