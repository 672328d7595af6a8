"""What was ingested into a collection: each folder and list, whether it can be read, and the way to forget it."""

from functools import partial

import streamlit as st

from console_core.catalog.intake import Intake
from console_core.ui import confirm, panels, session, words
from console_core.ui.permission import command_button

_LISTED = 20


def ingested(collection: str) -> None:
    """A card; nothing where nothing was ingested. Copies of one list are told as one."""
    console = session.console()
    places = console.members.places
    found = list({one.name: one for one in console.intakes.of(collection)}.values())
    if not found:
        return
    problems = {one.name: problem for one in found if (problem := one.hindrance(places))}
    found.sort(key=lambda one: one.name not in problems)
    with panels.card("What was ingested", key="ingested"):
        if problems:
            title = f"{words.count(len(problems), 'folder or list', 'folders and lists')} cannot be read"
            text = (
                "Meanwhile the collection is not verified, caught up or migrated: their pictures must not be taken "
                "for deleted while a disk is away. Forget those that were deleted for good."
            )
            st.warning(text, title=title, icon=":material/folder_off:")
        for number, one in enumerate(found[:_LISTED]):
            _line(collection, one, problems.get(one.name, ""), number)
        if len(found) > _LISTED:
            st.caption(f"And {len(found) - _LISTED:,} more: embedding-console ingested {words.plain(collection)}")


def _line(collection: str, one: Intake, problem: str, number: int) -> None:
    path = str(session.console().members.places.path(one.location))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{words.plain(one.namespace)}** from {words.plain(path)}", width="stretch")
        if problem:
            st.badge(words.plain(problem), icon=":material/folder_off:", color="orange")
        if command_button(
            "Forget…", "forget_intake", key=f"forget-intake-{number}", icon=":material/link_off:", kind="tertiary"
        ):
            confirm.ask(_question(collection, one, path))
            st.rerun()


def _question(collection: str, one: Intake, path: str) -> confirm.Question:
    shared = [name for name in session.console().intakes.line(collection) if name != collection]
    also = f" and of {words.plain(', '.join(shared))}, which migrations made of it" if shared else ""
    text = (
        f"The pictures of **{words.plain(one.namespace)}** from {words.plain(path)} are to leave "
        f"**{words.plain(collection)}**{also}. Do that where they were deleted, and not where a disk is away for a "
        "moment.\n\nNo point is deleted now. Those pictures that nothing else tells are extra from then on, and go as "
        "any that left the catalog: many at once only where you say so."
    )
    do = partial(
        session.act,
        "forget_intake",
        collection=collection,
        intake=one.name,
        done=f"{one.name} does not belong to {collection} any more. Verify it to see what is extra.",
    )
    return confirm.Question(
        "Forget what was ingested?", text, "Forget it", do, icon=":material/link_off:", keep="Keep it"
    )
