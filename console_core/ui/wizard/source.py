"""Step 1: what is migrated. An alias, or a collection that is still searched by its own name."""

from dataclasses import dataclass, replace

import streamlit as st

from console_core.ui import panels, session, words
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.steps import open_step, settled_step
from console_core.vectorstore.types import CollectionInfo

TITLE = "What to migrate"


@dataclass(frozen=True, slots=True)
class Served:
    """What an application searches: an alias, or, with `alias` "", a collection by its own name."""

    alias: str
    collection: CollectionInfo

    @property
    def name(self) -> str:
        return self.alias or self.collection.name

    @property
    def about(self) -> str:
        """What it serves, in one line."""
        info = self.collection
        where = f"{info.name} · " if self.alias else ""
        model = info.stamp.model if info.stamp else "unknown model"
        return f"{where}{model} · {info.dimension:,} dimensions · {words.count(info.points, 'point')}"


def built_by_migrations() -> set[str]:
    """Collections that belong to a migration already: they are moved to and from, and not migrated on their own."""
    console = session.console()
    plans = [migration.plan for migration in console.migrations.all()]
    left = {move.before for move in console.moves.of(limit=1000)}
    return {plan.target for plan in plans} | {plan.source for plan in plans if plan.alias} | left


def choices(collections: list[CollectionInfo]) -> list[Served]:
    """Every alias, then every collection that no alias serves, by name."""
    served = [Served(alias, info) for info in collections for alias in info.aliases]
    served += [Served("", info) for info in collections if not info.aliases]
    return sorted(served, key=lambda one: (not one.alias, one.name))


def choose_source(draft: Draft, offered: list[Served]) -> Served | None:
    """Draw the step; what was chosen, None while nothing valid is."""
    chosen = next((one for one in offered if one.name == draft.served), None)
    if chosen is not None:
        settled_step(1, TITLE, chosen.name, chosen.about, replace(draft, served="").write)
        return chosen
    with open_step(1, TITLE, "Choose what the application searches. It goes on answering until you cut over."):
        if draft.served:
            gone = f"There is no alias or collection {draft.served} any more. Choose another one."
            st.warning(words.plain(gone), icon=":material/link_off:")
        if not offered:
            panels.empty_state("The store is empty", "There is no collection that could be migrated yet.")
        _group("Served through an alias", [one for one in offered if one.alias], draft)
        known = built_by_migrations()
        _group("Without an alias", [one for one in offered if not one.alias and one.name not in known], draft)
    return None


def _group(title: str, offered: list[Served], draft: Draft) -> None:
    if not offered:
        return
    st.markdown(f"**{title}**")
    with st.grid("auto", min_column_width=300):
        for one in offered:
            with st.container(border=True, height="stretch", gap="small"):
                st.markdown(f"**{words.plain(one.name)}**")
                st.caption(words.plain(one.about))
                choose = replace(draft, served=one.name).write
                st.button("Choose", key=f"served-{one.name}", on_click=choose)
