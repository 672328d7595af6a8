"""One click that repairs what a verification found, after saying what it will write and delete."""

from functools import partial
from typing import Literal

import streamlit as st

from console_core.runs.types import TERMINAL, Run
from console_core.ui import confirm, session, words
from console_core.ui.permission import command_button


def repair_button(verified: Run, *, kind: Literal["primary", "secondary"] = "primary") -> bool:
    """The button, and the question behind it; False where there is nothing to repair, and nothing is drawn."""
    console = session.console()
    number = sum(console.differences.counts(verified.id).values())
    if not number:
        return False
    label = f"Repair {words.count(number, 'difference')}"
    if command_button(label, "repair", key=f"repair-{verified.id}", icon=":material/build:", kind=kind):
        confirm.ask(_question(verified, number))
        st.rerun()
    return True


def unfinished_repair(collection: str) -> Run | None:
    """The repair of a collection that is not over; None where there is none."""
    newest = session.console().ledger.runs(kinds=("repair",), target=collection, limit=1)
    return next((run for run in newest if run.state not in TERMINAL), None)


def _question(verified: Run, number: int) -> confirm.Question:
    console, name = session.console(), verified.target
    surplus = console.differences.surplus(verified.id)
    served = [alias for alias, collection in console.store.aliases().items() if collection == name]
    said = []
    if embedded := number - surplus:
        said.append(f"**{words.count(embedded, 'picture')}** will be embedded and written.")
    if surplus:
        said.append(
            f"**{words.count(surplus, 'point')}** will be deleted: their pictures left the catalog, or have another "
            "point of their own. Each is looked at again before that."
        )
    if surplus and served:
        said.append(
            f"**{words.plain(name)} is searched now**, as {words.plain(', '.join(served))}: what is deleted is not "
            "found any more from that moment on."
        )
    said.append("All other points stay as they are. Then the collection is verified again by itself.")
    typed = name if surplus and served else ""
    do = partial(session.act, "repair", collection=name, run=verified.id, delete_extra=bool(surplus), typed=typed)
    title = f"Repair {words.plain(name)}?"
    return confirm.Question(title, "\n\n".join(said), "Repair", do, typed, icon=":material/build:")
