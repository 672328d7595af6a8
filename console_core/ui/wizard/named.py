"""A second named vector for the same points, instead of a parallel collection: offered, and never preselected."""

import streamlit as st

from console_core.migration.preflight.sharing import named_beside
from console_core.ui import session, words
from console_core.ui.wizard.draft import Draft
from console_core.vectorstore.sharing import AT, Sharing, sharing_of


def shared(collection: str) -> Sharing | None:
    """What a collection shares its points with; asks the store only where its name says that it could."""
    return sharing_of(session.console().store, collection) if AT in collection else None


def choose_named(collection: str) -> str:
    """What the alias shall lead to: the collection, or its one named vector where a second one is wanted beside it."""
    vector = _could_be_beside(collection)
    wanted = vector and st.checkbox(
        "Give the same points a second named vector instead of building a parallel collection",
        key="named-vector",
        help="For applications that search by the name of a vector and must stay in one collection. A parallel "
        "collection touches nothing that is searched, and is the better choice where it will do.",
    )
    return vector if wanted else collection


def _could_be_beside(collection: str) -> str:
    store = session.console().store
    name = store.describe(collection).vector_name
    vector = f"{collection}{AT}{name}" if name and not shared(collection) else ""
    found = shared(vector)
    return vector if found and found.refused is None else ""


def offer_named(draft: Draft, key: str) -> None:
    """A button that makes the target a named vector, where what is searched is one."""
    found = shared(draft.served)
    if found is None or draft.in_place:
        return
    name = named_beside(found, draft.model)
    st.button(
        f"Add the named vector {words.plain(name)}", key=f"add-named{key}", on_click=draft.with_target(name).write
    )


def searched_names(home: str) -> list[str]:
    """Names for what is searched, the first that is free to be proposed."""
    return [f"{home}{AT}searched", *(f"{home}{AT}searched-{number}" for number in range(2, 1000))]


def named_hint(found: Sharing, alias: str) -> str:
    """The change of the application, as a diff."""
    within = alias.removeprefix(f"{found.home}{AT}")
    return (
        f'- client.query_points("{found.home}", …, using="{found.vector}")\n'
        f'+ using = client.get_collection("{found.home}").config.metadata["_console"]["aliases"]["{within}"]\n'
        f'+ client.query_points("{found.home}", …, using=using)'
    )
